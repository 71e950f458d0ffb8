-- Operations: what the health routes ask of the database.

select private.declare_permission(
  'operations.read', 'See the health and the figures of the whole project', array['admin', 'staff'],
  operators_only => true
);

create function public.operations_ready()
returns jsonb
language sql
stable
security invoker
set search_path = ''
as $$
  select jsonb_build_object(
    'status', case when pg_is_in_recovery() then 'degraded' else 'ok' end,
    'checks', jsonb_build_object(
      'database', case when pg_is_in_recovery() then 'read_only' else 'ok' end
    )
  );
$$;
comment on function public.operations_ready() is
  'One cheap answer for readiness: { status (ok or degraded), checks: { <what>: ok or what is wrong } }.';
grant execute on function public.operations_ready() to service_role;

create function public.operations_health()
returns jsonb
language plpgsql
stable
security definer -- counts rows that nobody may read
set search_path = ''
as $$
begin
  if not private.is_system() then
    perform private.require(private.platform(), 'operations.read');
  end if;
  return public.operations_ready() || jsonb_build_object('figures', jsonb_build_object(
    'database', jsonb_build_object(
      'connections', (select count(*) from pg_stat_activity a where a.datname = current_database()),
      'connections_max', current_setting('max_connections')::int,
      'size_bytes', pg_database_size(current_database())
    ),
    'jobs', jsonb_build_object(
      'waiting', (select count(*) from private.jobs j where j.leased_until is null),
      'oldest_waiting_at', (
        select min(j.run_at) from private.jobs j where j.leased_until is null and j.run_at <= now()
      )
    )
  ));
end;
$$;
comment on function public.operations_health() is
  'Readiness with figures for operators: { status, checks, figures } (permission operations.read in platform, or the secret key). Raises tenants.not_found, members.permission_denied.';
grant execute on function public.operations_health() to authenticated, service_role;
