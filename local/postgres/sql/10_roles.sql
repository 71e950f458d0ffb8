-- Roles with hosted's attributes, memberships and settings. Login roles share one password, as they
-- do in `supabase start`; it comes in as the setting nexus.password.
create function pg_temp.ensure_role(name text) returns void language plpgsql as $$
begin
  if to_regrole(name) is null then
    execute format('create role %I', name);
  end if;
end;
$$;

select pg_temp.ensure_role(name) from unnest(array[
  'anon', 'authenticated', 'service_role', 'authenticator', 'postgres', 'dashboard_user', 'pgbouncer',
  'supabase_admin', 'supabase_auth_admin', 'supabase_storage_admin', 'supabase_realtime_admin',
  'supabase_replication_admin', 'supabase_etl_admin', 'supabase_read_only_user',
  'supabase_privileged_role'
]) name;

-- Attributes. `create role` gives none of them, so each line is the whole truth about its role.
alter role anon inherit;
alter role authenticated inherit;
alter role service_role inherit bypassrls;
alter role authenticator noinherit login;
alter role dashboard_user createdb createrole replication;
alter role pgbouncer login;
alter role supabase_admin superuser createdb createrole replication bypassrls login;
alter role supabase_auth_admin noinherit login;
alter role supabase_storage_admin noinherit createrole login;
alter role supabase_realtime_admin noinherit createrole replication login;
alter role supabase_replication_admin replication login;
alter role supabase_etl_admin replication login;
alter role supabase_read_only_user bypassrls login;

do $$
declare
  secret text := current_setting('nexus.password');
  name text;
begin
  foreach name in array array[
    'authenticator', 'postgres', 'supabase_admin', 'supabase_auth_admin', 'supabase_storage_admin',
    'supabase_realtime_admin'
  ] loop
    -- Whoever is connected keeps the password it came with.
    if name <> session_user then
      execute format('alter role %I login password %L', name, secret);
    end if;
  end loop;
  -- The first superuser of a server cannot be demoted, and whoever is connected should not be:
  -- bootstrap.ts warns where that is postgres.
  if session_user <> 'postgres' and 'postgres'::regrole::oid <> 10 then
    alter role postgres nosuperuser createdb createrole replication bypassrls;
  end if;
end;
$$;

-- Memberships
grant anon, authenticated, service_role to authenticator, supabase_realtime_admin;
grant authenticator to supabase_storage_admin;
grant anon, authenticated, service_role, authenticator to postgres with admin option;
grant pg_monitor, pg_read_all_data, pg_signal_backend to postgres with admin option;
grant pg_create_subscription, supabase_privileged_role to postgres;
grant supabase_privileged_role, pg_read_all_data to supabase_etl_admin;
grant pg_read_all_data to supabase_read_only_user;

-- Settings. The API roles' timeouts hold for whoever switches to them through the Data API.
alter role anon set statement_timeout = '3s';
alter role authenticated set statement_timeout = '8s';
alter role authenticator set statement_timeout = '8s';
alter role authenticator set lock_timeout = '8s';
alter role postgres set search_path = "$user", public, extensions;
alter role supabase_admin set search_path = "$user", public, auth, extensions;
alter role supabase_auth_admin set search_path = auth;
alter role supabase_auth_admin set idle_in_transaction_session_timeout = 60000;
alter role supabase_storage_admin set search_path = storage;
-- Their statements carry secrets.
alter role supabase_admin set log_statement = none;
alter role supabase_auth_admin set log_statement = none;
alter role supabase_storage_admin set log_statement = none;
alter role supabase_realtime_admin set search_path = public, extensions, realtime;
