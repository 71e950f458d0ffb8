-- Jobs, for operators: what waits, what died, what runs when; replay, cancel, pause, run now.

select private.declare_permission(
  'jobs.manage', 'See, replay and cancel jobs; pause and run schedules', array['admin'],
  operators_only => true
);

create function private.jobs_require_operator()
returns void
language plpgsql
stable
security definer -- asks private.require
set search_path = ''
as $$
begin
  if not private.is_system() then
    perform private.require(private.platform(), 'jobs.manage');
  end if;
end;
$$;
comment on function private.jobs_require_operator() is
  'Raises unless the caller has the secret key or jobs.manage in platform: tenants.not_found, members.permission_denied.';

-- The queue
create function public.jobs_statistics()
returns jsonb
language plpgsql
stable
security definer -- the queue is nobody's to read
set search_path = ''
as $$
begin
  perform private.jobs_require_operator();
  return (
    with queue as (
      select j.kind, count(*) as queued,
        count(*) filter (where j.worker is null and j.run_at <= now()) as due,
        count(*) filter (where j.worker is not null) as running,
        count(*) filter (where j.run_at = 'infinity') as parked,
        min(j.run_at) filter (where j.worker is null and j.run_at <= now()) as oldest_due_at
      from private.jobs j group by j.kind
    ), dead as (
      select d.kind, count(*) as dead from private.jobs_dead d where d.reason = 'failed' group by d.kind
    ), figures as (
      select f.kind, sum(f.done) as done, sum(f.failed) as failed, sum(f.milliseconds) as milliseconds
      from private.jobs_figures f where f.minute > now() - interval '1 hour' group by f.kind
    ), kinds as (
      select kind, coalesce(q.queued, 0) as queued, coalesce(q.due, 0) as due,
        coalesce(q.running, 0) as running, coalesce(q.parked, 0) as parked, q.oldest_due_at,
        coalesce(d.dead, 0) as dead, coalesce(f.done, 0) as done_last_hour,
        coalesce(f.failed, 0) as failed_last_hour,
        round(f.milliseconds / nullif(f.done + f.failed, 0), 1) as mean_milliseconds
      from queue q full join dead d using (kind) full join figures f using (kind)
    )
    select jsonb_build_object(
      'queued', coalesce(sum(k.queued), 0), 'due', coalesce(sum(k.due), 0),
      'running', coalesce(sum(k.running), 0), 'parked', coalesce(sum(k.parked), 0),
      'dead', coalesce(sum(k.dead), 0), 'oldest_due_at', min(k.oldest_due_at),
      'done_last_hour', coalesce(sum(k.done_last_hour), 0),
      'failed_last_hour', coalesce(sum(k.failed_last_hour), 0),
      'workers', (select count(*) from private.jobs_workers w where w.expires_at > now()),
      'kinds', coalesce(jsonb_agg(to_jsonb(k) order by k.kind), '[]')
    )
    from kinds k
  );
end;
$$;
comment on function public.jobs_statistics() is
  'The queue for operators: queued, due, running, parked, dead, oldest_due_at, the last hour, and the same by kind. Parked kinds wait for a worker that knows them. Raises tenants.not_found, members.permission_denied.';
grant execute on function public.jobs_statistics() to authenticated, service_role;

create type public.jobs_dead_letter as (
  tenant_id uuid,
  id uuid,
  kind text,
  aggregate text,
  payload jsonb,
  attempts smallint,
  reason text,
  last_error text,
  created_at timestamptz,
  died_at timestamptz,
  cursor text
);

create function public.jobs_dead_letters(
  kind text default null, cursor text default null, page_size integer default 50
)
returns setof public.jobs_dead_letter
language plpgsql
stable
security definer -- the dead letter is nobody's to read
set search_path = ''
as $$
#variable_conflict use_column
begin
  perform private.jobs_require_operator();
  return query
    select d.tenant_id, d.id, d.kind, d.aggregate, d.payload, d.attempts, d.reason, d.last_error,
      d.created_at, d.died_at, extract(epoch from d.died_at)::text || '_' || d.id
    from private.jobs_dead d
    where (jobs_dead_letters.kind is null or d.kind = jobs_dead_letters.kind)
      and (jobs_dead_letters.cursor is null or (d.died_at, d.id) < (
        to_timestamp(split_part(jobs_dead_letters.cursor, '_', 1)::numeric),
        split_part(jobs_dead_letters.cursor, '_', 2)::uuid
      ))
    order by d.died_at desc, d.id desc
    limit least(greatest(jobs_dead_letters.page_size, 1), 100);
exception when invalid_text_representation then
  raise sqlstate 'PT422' using message = 'request.invalid', detail = 'cursor';
end;
$$;
comment on function public.jobs_dead_letters(text, text, integer) is
  'Failed and cancelled jobs, the latest first; the cursor of the last line goes on. Raises tenants.not_found, members.permission_denied, request.invalid.';
grant execute on function public.jobs_dead_letters(text, text, integer) to authenticated, service_role;

create function public.jobs_replay(kind text default null, ids uuid[] default null)
returns integer
language plpgsql
volatile
security definer -- the dead letter is nobody's to write
set search_path = ''
as $$
#variable_conflict use_column
declare
  v_count integer;
begin
  perform private.jobs_require_operator();
  if num_nonnulls(jobs_replay.kind, jobs_replay.ids) = 0 then
    raise sqlstate 'PT422' using message = 'request.invalid', detail = 'kind or ids';
  end if;
  with back as (
    delete from private.jobs_dead d
    where (jobs_replay.kind is null or d.kind = jobs_replay.kind)
      and (jobs_replay.ids is null or d.id = any (jobs_replay.ids))
    returning d.*
  )
  -- The id stays: what a handler did under it before is not done again.
  insert into private.jobs (tenant_id, id, kind, aggregate, payload, priority, run_at, last_error, created_at)
  select b.tenant_id, b.id, b.kind, b.aggregate, b.payload, b.priority, clock_timestamp(), b.last_error, b.created_at
  from back b;
  get diagnostics v_count = row_count;
  if v_count > 0 then
    perform private.jobs_wake((extract(epoch from clock_timestamp()) * 1000000)::bigint);
  end if;
  perform private.audit(
    'ADMIN_ACTION', 'jobs:replay', null,
    jsonb_build_object('kind', jobs_replay.kind, 'ids', jobs_replay.ids, 'count', v_count)
  );
  return v_count;
end;
$$;
comment on function public.jobs_replay(text, uuid[]) is
  'Puts dead letters back into the queue, with four tries again: of a kind, by id, or both. Returns how many. Raises tenants.not_found, members.permission_denied, request.invalid.';
grant execute on function public.jobs_replay(text, uuid[]) to authenticated, service_role;

create function public.jobs_cancel(tenant_id uuid, ids uuid[])
returns integer
language plpgsql
volatile
security definer -- the queue is nobody's to write
set search_path = ''
as $$
#variable_conflict use_column
declare
  v_id uuid;
  v_count integer := 0;
begin
  perform private.jobs_require_operator();
  for v_id in
    select j.id from private.jobs j
    where j.tenant_id = jobs_cancel.tenant_id and j.id = any (jobs_cancel.ids) and j.worker is null
    for update
  loop
    perform private.jobs_bury(jobs_cancel.tenant_id, v_id, 'cancelled', null);
    v_count := v_count + 1;
  end loop;
  perform private.audit(
    'ADMIN_ACTION', 'jobs:cancel', null,
    jsonb_build_object('ids', jobs_cancel.ids, 'count', v_count), jobs_cancel.tenant_id
  );
  return v_count;
end;
$$;
comment on function public.jobs_cancel(uuid, uuid[]) is
  'Takes waiting jobs out of the queue, into the dead letter; one that runs goes on. Returns how many. Raises tenants.not_found, members.permission_denied.';
grant execute on function public.jobs_cancel(uuid, uuid[]) to authenticated, service_role;

-- The schedules
create type public.jobs_schedule as (
  name text,
  cron text,
  active boolean,
  late boolean,
  next_at timestamptz,
  last_at timestamptz,
  last_outcome text,
  last_milliseconds double precision,
  last_rows bigint,
  last_error text
);

create function public.jobs_schedules(name text default null)
returns setof public.jobs_schedule
language plpgsql
stable
security definer -- schedules are nobody's to read
set search_path = ''
as $$
#variable_conflict use_column
begin
  perform private.jobs_require_operator();
  return query
    select s.name, s.cron, s.active,
      s.name in (select l.name from private.jobs_late_schedules() l (name)),
      case when s.active and s.cron !~ 'second' then private.next_time(s.cron) end,
      r.started_at, r.outcome, extract(epoch from r.ended_at - r.started_at)::double precision * 1000,
      r.rows, r.error
    from private.jobs_schedules s
    left join lateral (
      select * from private.jobs_runs r
      where r.schedule = s.name order by r.started_at desc, r.id desc limit 1
    ) r on true
    where jobs_schedules.name is null or s.name = jobs_schedules.name
    order by s.name;
end;
$$;
comment on function public.jobs_schedules(text) is
  'Every schedule, or the one, with its last run. Raises tenants.not_found, members.permission_denied.';
grant execute on function public.jobs_schedules(text) to authenticated, service_role;

create function private.jobs_set_active(name text, active boolean)
returns void
language plpgsql
volatile
security definer -- schedules are nobody's to write
set search_path = ''
as $$
#variable_conflict use_column
begin
  perform private.jobs_require_operator();
  update private.jobs_schedules set active = jobs_set_active.active where name = jobs_set_active.name;
  if not found then
    raise sqlstate 'PT404' using message = 'jobs.not_found', detail = jobs_set_active.name;
  end if;
  perform private.audit(
    'ADMIN_ACTION', 'jobs_schedules:' || jobs_set_active.name, null,
    jsonb_build_object('active', jobs_set_active.active)
  );
end;
$$;
comment on function private.jobs_set_active(text, boolean) is 'Pauses a schedule or lets it go on. Raises jobs.not_found.';

create function public.jobs_pause(name text)
returns setof public.jobs_schedule
language plpgsql
volatile
security definer -- schedules are nobody's to write
set search_path = ''
as $$
begin
  perform private.jobs_set_active(jobs_pause.name, false);
  return query select * from public.jobs_schedules(jobs_pause.name);
end;
$$;
comment on function public.jobs_pause(text) is
  'Pauses a schedule, until jobs_resume. Raises tenants.not_found, members.permission_denied, jobs.not_found.';
grant execute on function public.jobs_pause(text) to authenticated, service_role;

create function public.jobs_resume(name text)
returns setof public.jobs_schedule
language plpgsql
volatile
security definer -- schedules are nobody's to write
set search_path = ''
as $$
begin
  perform private.jobs_set_active(jobs_resume.name, true);
  return query select * from public.jobs_schedules(jobs_resume.name);
end;
$$;
comment on function public.jobs_resume(text) is
  'Lets a paused schedule go on. Raises tenants.not_found, members.permission_denied, jobs.not_found.';
grant execute on function public.jobs_resume(text) to authenticated, service_role;

create function public.jobs_run(name text, dry_run boolean default false)
returns private.jobs_runs
language plpgsql
volatile
security definer -- runs what only the clock may
set search_path = ''
as $$
begin
  perform private.jobs_require_operator();
  if not exists (select from private.jobs_schedules s where s.name = jobs_run.name) then
    raise sqlstate 'PT404' using message = 'jobs.not_found', detail = jobs_run.name;
  end if;
  if not jobs_run.dry_run then
    perform private.audit('ADMIN_ACTION', 'jobs_schedules:' || jobs_run.name, null, '{"run": true}');
  end if;
  return private.jobs_run_schedule(jobs_run.name, jobs_run.dry_run, true);
end;
$$;
comment on function public.jobs_run(text, boolean) is
  'Runs a schedule now, paused or not. A dry run tells how many rows it would touch and undoes it. Raises tenants.not_found, members.permission_denied, jobs.not_found.';
grant execute on function public.jobs_run(text, boolean) to authenticated, service_role;

-- Figures
select private.declare_metric(
  'jobs_waiting', 'gauge', 'Jobs that are due and with no worker.',
  $$select count(*) as value from private.jobs j where j.worker is null and j.run_at <= now()$$
);
select private.declare_metric(
  'jobs_oldest_waiting_seconds', 'gauge', 'How long the oldest job that is due has waited.',
  $$select coalesce(extract(epoch from now() - min(j.run_at)), 0) as value
    from private.jobs j where j.worker is null and j.run_at <= now()$$
);
select private.declare_metric(
  'jobs_parked', 'gauge', 'Jobs that no worker knows the kind of, or whose module is off.',
  $$select count(*) as value from private.jobs j where j.run_at = 'infinity'$$
);
select private.declare_metric(
  'jobs_dead_letters', 'gauge', 'Jobs that failed for good and wait for an operator.',
  $$select count(*) as value from private.jobs_dead d where d.reason = 'failed'$$
);
select private.declare_metric(
  'jobs_schedules_late', 'gauge', 'Schedules that were due and did not run.',
  $$select count(*) as value from private.jobs_late_schedules()$$
);
