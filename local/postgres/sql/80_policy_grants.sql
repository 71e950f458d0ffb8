-- Policies and triggers of postgres on tables that it does not own.
--
-- Hosted lets postgres make policies on storage.objects, realtime.messages and their like, and drop
-- its triggers on auth.users, by an extension of the server (supautils.policy_grants and
-- drop_trigger_grants). Plain PostgreSQL asks for ownership, so postgres inherits it here, as on
-- hosted servers older than that extension. It may not `set role` to the owners, and what ownership
-- would allow beyond hosted is refused by the event triggers below.
grant supabase_auth_admin, supabase_storage_admin, supabase_realtime_admin
  to postgres with inherit true, set false;

set local role supabase_admin;

create or replace function extensions.guard_managed_schemas() returns event_trigger
language plpgsql as $$
declare
  refused text;
begin
  if current_user <> 'postgres' then
    return;
  end if;
  if tg_event = 'sql_drop' then
    select object_identity into refused from pg_event_trigger_dropped_objects()
    where original and schema_name in ('auth', 'storage', 'realtime')
      and object_type not in ('policy', 'trigger');
  else
    select object_identity into refused from pg_event_trigger_ddl_commands()
    where schema_name in ('auth', 'storage', 'realtime')
      and command_tag not in ('CREATE POLICY', 'ALTER POLICY', 'CREATE TRIGGER');
  end if;
  if refused is not null then
    raise insufficient_privilege using message = format('must be owner of %s', refused);
  end if;
end;
$$;

do $$
begin
  if not exists (select from pg_event_trigger where evtname = 'guard_managed_schemas_end') then
    create event trigger guard_managed_schemas_end on ddl_command_end
      execute function extensions.guard_managed_schemas();
  end if;
  if not exists (select from pg_event_trigger where evtname = 'guard_managed_schemas_drop') then
    create event trigger guard_managed_schemas_drop on sql_drop
      execute function extensions.guard_managed_schemas();
  end if;
end;
$$;

reset role;
