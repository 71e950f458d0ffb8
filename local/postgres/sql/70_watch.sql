-- The Data API refreshes its schema cache by itself: every change of schema notifies channel pgrst.
set local role supabase_admin;

create or replace function extensions.pgrst_ddl_watch() returns event_trigger language plpgsql as $$
begin
  if exists (
    select from pg_event_trigger_ddl_commands() command
    where (
      command.command_tag in (
        'CREATE SCHEMA', 'ALTER SCHEMA', 'CREATE TABLE', 'CREATE TABLE AS', 'SELECT INTO',
        'ALTER TABLE', 'CREATE FOREIGN TABLE', 'ALTER FOREIGN TABLE', 'CREATE VIEW', 'ALTER VIEW',
        'CREATE MATERIALIZED VIEW', 'ALTER MATERIALIZED VIEW', 'CREATE FUNCTION', 'ALTER FUNCTION',
        'CREATE TYPE', 'ALTER TYPE', 'CREATE RULE', 'COMMENT'
      )
      and coalesce(command.schema_name, '')
        not in ('pg_temp', 'auth', 'realtime', '_realtime', 'storage')
    )
    or (command.command_tag = 'CREATE TRIGGER' and command.object_identity not like '% pg\_temp.%')
  ) then
    notify pgrst, 'reload schema';
  end if;
end;
$$;

create or replace function extensions.pgrst_drop_watch() returns event_trigger language plpgsql as $$
begin
  if exists (
    select from pg_event_trigger_dropped_objects() dropped
    where (
      dropped.object_type in (
        'schema', 'table', 'foreign table', 'view', 'materialized view', 'function', 'type', 'rule'
      )
      and not dropped.is_temporary
      and coalesce(dropped.schema_name, '') not in ('auth', 'realtime', '_realtime', 'storage')
    )
    or (dropped.object_type = 'trigger' and dropped.object_identity not like '% pg\_temp.%')
  ) then
    notify pgrst, 'reload schema';
  end if;
end;
$$;

do $$
begin
  if not exists (select from pg_event_trigger where evtname = 'pgrst_ddl_watch') then
    create event trigger pgrst_ddl_watch on ddl_command_end
      execute function extensions.pgrst_ddl_watch();
  end if;
  if not exists (select from pg_event_trigger where evtname = 'pgrst_drop_watch') then
    create event trigger pgrst_drop_watch on sql_drop
      execute function extensions.pgrst_drop_watch();
  end if;
end;
$$;

reset role;
