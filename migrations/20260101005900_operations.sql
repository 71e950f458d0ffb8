-- Operations: what the health routes ask of the database.

select private.declare_permission(
  'operations.read', 'See the health and the figures of the whole project', array['admin', 'staff'],
  operators_only => true
);

create function public.operations_ready()
returns jsonb
language plpgsql
stable
security definer -- what it checks is closed to clients
set search_path = ''
as $$
declare
  v_checks jsonb := jsonb_build_object(
    'database', case when pg_is_in_recovery() then 'read_only' else 'ok' end
  ) || private.jobs_checks() || private.audit_checks();
  v_well boolean := not exists (select from jsonb_each_text(v_checks) c where c.value <> 'ok');
begin
  return jsonb_build_object('status', case when v_well then 'ok' else 'degraded' end, 'checks', v_checks);
end;
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
      'waiting', (select count(*) from private.jobs j where j.worker is null),
      'oldest_waiting_at', (
        select min(j.run_at) from private.jobs j where j.worker is null and j.run_at <= now()
      ),
      'dead_letters', (select count(*) from private.jobs_dead d where d.reason = 'failed')
    )
  ));
end;
$$;
comment on function public.operations_health() is
  'Readiness with figures for operators: { status, checks, figures } (permission operations.read in platform, or the secret key). Raises tenants.not_found, members.permission_denied.';
grant execute on function public.operations_health() to authenticated, service_role;

-- Figures
create type public.operations_metric as (
  name text,
  kind text,
  help text,
  value double precision,
  labels jsonb
);
comment on type public.operations_metric is 'One value for GET /api/metrics.';

create function public.operations_metrics()
returns setof public.operations_metric
language plpgsql
volatile
security definer -- reads what the figures are counted from
set search_path = ''
as $$
declare
  v_metric private.metrics;
begin
  for v_metric in select m.* from private.metrics m order by m.name loop
    begin
      return query execute format(
        'select $1, $2, $3, (q.row ->> %L)::double precision, coalesce(q.row -> %L, %L)
         from (select to_jsonb(r) as row from (%s) r) q',
        'value', 'labels', '{}', v_metric.query
      ) using v_metric.name, v_metric.kind, v_metric.help;
    exception when others then
      -- One figure that fails must not hide the others, nor its own failure.
      return next (
        'metrics_failed', 'gauge', 'Figures that could not be read.', 1,
        jsonb_build_object('name', v_metric.name, 'sqlstate', sqlstate)
      )::public.operations_metric;
    end;
  end loop;
end;
$$;
comment on function public.operations_metrics() is
  'Every figure that the capabilities declared, for the secret key.';
grant execute on function public.operations_metrics() to service_role;

select private.declare_metric(
  'database_connections', 'gauge', 'Connections to this database, by state.',
  $$select count(*) as value, jsonb_build_object('state', coalesce(a.state, 'none')) as labels
    from pg_catalog.pg_stat_activity a where a.datname = current_database() group by a.state$$
);
select private.declare_metric(
  'database_connections_max', 'gauge', 'Connections that the server accepts.',
  $$select current_setting('max_connections')::int as value$$
);
select private.declare_metric(
  'database_size_bytes', 'gauge', 'Size of this database on disk.',
  $$select pg_database_size(current_database()) as value$$
);
select private.declare_metric(
  'database_transactions_total', 'counter', 'Transactions ended, by outcome.',
  $$select v.value, jsonb_build_object('outcome', v.outcome) as labels
    from pg_catalog.pg_stat_database d,
      lateral (values ('commit', d.xact_commit), ('rollback', d.xact_rollback)) v(outcome, value)
    where d.datname = current_database()$$
);
-- Known to the dashboards from the start, without a value until the shop adds its rows.
select private.declare_metric(
  'inventory_low_count', 'gauge', 'Products at or below their reorder level.',
  $$select null as value$$
);
