-- Files, notices: what people are told of their uploads. Stands behind notifications, which files come before.

select private.declare_notification('files.rejected', email => 'off', push => 'off');
