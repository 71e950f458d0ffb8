-- Jobs, schedules: SQL that the clock runs. Each run leaves a row, none overlaps itself, and one that
-- did not come is noticed.

create table private.jobs_schedules (
  name text primary key check (name ~ '^[a-z_]+(-[a-z_]+)+$'),
  cron text not null,
  command text not null,
  active boolean not null default true,
  created_at timestamptz not null default now(),
  updated_at timestamptz not null default now()
);
comment on table private.jobs_schedules is 'What runs when, in UTC. Names are <slug>-<what>.';
comment on column private.jobs_schedules.active is 'False while operators paused it: the clock goes on, the command does not run.';
create trigger jobs_schedules_touch before update on private.jobs_schedules
  for each row execute function private.touch();

create table private.jobs_runs (
  id bigint generated always as identity primary key,
  schedule text not null,
  started_at timestamptz not null default now(),
  ended_at timestamptz not null default clock_timestamp(),
  outcome text not null check (outcome in ('done', 'failed', 'overlapped', 'tried')),
  rows bigint,
  error text
);
comment on table private.jobs_runs is
  'Every run of every schedule. overlapped: the one before was still running; tried: a dry run, undone.';
comment on column private.jobs_runs.rows is 'How many rows the last statement touched or returned.';
create index jobs_runs_schedule on private.jobs_runs (schedule, started_at desc);

create function private.schedule(name text, cron text, command text)
returns void
language plpgsql
volatile
security invoker
set search_path = ''
as $$
#variable_conflict use_column
begin
  insert into private.jobs_schedules (name, cron, command)
  values (schedule.name, schedule.cron, schedule.command)
  on conflict (name) do update set cron = excluded.cron, command = excluded.command;
  -- Where nothing provides a clock, the schedule is reported as late instead of failing migrations.
  if to_regnamespace('cron') is not null then
    perform cron.schedule(
      schedule.name, schedule.cron, format('select private.jobs_run_schedule(%L)', schedule.name)
    );
  end if;
end;
$$;
comment on function private.schedule(text, text, text) is
  'For migrations, safe to repeat: runs the command at these times (five fields in UTC, or "N seconds").';

create function private.jobs_run_schedule(name text, dry_run boolean default false, manual boolean default false)
returns private.jobs_runs
language plpgsql
volatile
security invoker
set search_path = ''
as $$
#variable_conflict use_column
declare
  v_schedule private.jobs_schedules;
  v_run private.jobs_runs;
  v_outcome text := 'done';
  v_rows bigint;
  v_error text;
begin
  select s.* into v_schedule from private.jobs_schedules s where s.name = jobs_run_schedule.name;
  if not found then
    raise exception 'no schedule %', jobs_run_schedule.name;
  end if;
  if not v_schedule.active and not jobs_run_schedule.manual then
    return null;
  end if;
  if not pg_try_advisory_xact_lock(hashtext('private.jobs_schedules'), hashtext(v_schedule.name)) then
    v_outcome := 'overlapped';
  else
    begin
      execute v_schedule.command;
      get diagnostics v_rows = row_count;
      if jobs_run_schedule.dry_run then
        v_outcome := 'tried';
        raise exception 'undo what was tried';
      end if;
    exception when others then
      if v_outcome <> 'tried' then
        v_outcome := 'failed';
        v_error := left(format('%s: %s', sqlstate, sqlerrm), 2000);
      end if;
    end;
  end if;
  insert into private.jobs_runs (schedule, outcome, rows, error)
  values (v_schedule.name, v_outcome, v_rows, v_error)
  returning * into v_run;
  return v_run;
end;
$$;
comment on function private.jobs_run_schedule(text, boolean, boolean) is
  'Runs a schedule''s command and keeps how it went; a failing command fails alone. A dry run is undone. A paused schedule runs by hand only.';

-- Times where tenants live
create function private.jobs_enqueue_local(name text, cron text, kind text)
returns bigint
language plpgsql
volatile
security invoker
set search_path = ''
as $$
#variable_conflict use_column
declare
  v_since timestamptz;
  v_count bigint;
begin
  -- What fell due since the last run that went well, so that a run that did not come is made up for.
  select max(r.started_at) into v_since from private.jobs_runs r
  where r.schedule = jobs_enqueue_local.name and r.outcome = 'done';
  if v_since is null then
    select s.created_at into v_since from private.jobs_schedules s where s.name = jobs_enqueue_local.name;
  end if;
  v_since := greatest(v_since, now() - interval '1 day');
  with zones as (
    select z.time_zone, private.last_time(jobs_enqueue_local.cron, z.time_zone) as due_at
    from (select distinct t.time_zone from public.tenants t) z
  )
  select count(private.enqueue(
    jobs_enqueue_local.kind, jsonb_build_object('due_at', z.due_at), t.id,
    dedupe_key => jobs_enqueue_local.name || ':' || extract(epoch from z.due_at)::bigint
  )) into v_count
  from zones z join public.tenants t on t.time_zone = z.time_zone
  where z.due_at > v_since and t.id <> private.platform()
    and not private.jobs_closed(t.id, jobs_enqueue_local.kind);
  return v_count;
end;
$$;
comment on function private.jobs_enqueue_local(text, text, text) is
  'Enqueues the job for every tenant where the expression fell due since the last run, on the clocks of the place where the tenant lives.';

create function private.schedule_local(name text, cron text, kind text)
returns void
language plpgsql
volatile
security invoker
set search_path = ''
as $$
begin
  perform private.next_time(schedule_local.cron);
  perform private.schedule(
    schedule_local.name, '* * * * *',
    format(
      'select private.jobs_enqueue_local(%L, %L, %L)',
      schedule_local.name, schedule_local.cron, schedule_local.kind
    )
  );
end;
$$;
comment on function private.schedule_local(text, text, text) is
  'For migrations, safe to repeat: a job of this kind for every tenant that has its module, when the expression falls due where the tenant lives.';

-- What is late
create function private.jobs_late_schedules()
returns setof text
language sql
stable
security definer -- counts rows that nobody may read
set search_path = ''
as $$
  select late.name
  from (
    select s.name, s.updated_at,
      -- Two minutes of grace: the clock is started anew, a run takes its time.
      case when s.cron ~ 'second'
        then now() - greatest(interval '2 minutes', 3 * s.cron::interval)
        else private.last_time(s.cron, 'UTC', now() - interval '2 minutes')
      end as expected_at
    from private.jobs_schedules s
    where s.active
  ) late
  where late.expected_at > late.updated_at and not exists (
    select from private.jobs_runs r
    where r.schedule = late.name and r.outcome <> 'tried' and r.started_at >= late.expected_at
  )
  order by late.name;
$$;
comment on function private.jobs_late_schedules() is 'Schedules that were due and did not run.';

create function private.jobs_checks()
returns jsonb
language plpgsql
stable
security definer -- counts rows that nobody may read
set search_path = ''
as $$
declare
  v_late text := (select string_agg(l.name, ', ') from private.jobs_late_schedules() l (name));
  v_oldest timestamptz := (
    select min(first.run_at)
    from unnest(array[1, 0, -1]::smallint[]) p (priority)
    cross join lateral (
      select j.run_at from private.jobs j
      where j.priority = p.priority and j.run_at <= now() and j.worker is null
      order by j.run_at limit 1
    ) first
  );
begin
  return jsonb_build_object(
    'queue', case when v_oldest < now() - interval '5 minutes'
      then format('waiting since %s', to_char(v_oldest at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS"Z"'))
      else 'ok' end,
    'schedules', coalesce('late: ' || v_late, 'ok')
  );
end;
$$;
comment on function private.jobs_checks() is
  'What readiness asks of jobs: { queue, schedules }, each ok or what is wrong.';

create function private.jobs_catch_up()
returns bigint
language plpgsql
volatile
security invoker
set search_path = ''
as $$
declare
  v_name text;
  v_count bigint := 0;
begin
  for v_name in select l.name from private.jobs_late_schedules() l (name) loop
    perform private.jobs_run_schedule(v_name);
    v_count := v_count + 1;
  end loop;
  return v_count;
end;
$$;
comment on function private.jobs_catch_up() is
  'Runs once what was due while the clock stood still, however often it was due.';

-- The schedules of jobs themselves
create function private.jobs_tick()
returns boolean
language plpgsql
volatile
security definer -- reads the queue and the vault
set search_path = ''
as $$
declare
  v_needed boolean := exists (
    select from private.jobs j
    where j.priority in (1, 0, -1) and (j.run_at <= now() or j.run_at = 'infinity') and j.worker is null
  ) or exists (
    select from private.jobs_workers w where w.expires_at < now()
  );
begin
  if v_needed then
    perform private.jobs_call_worker();
  end if;
  return v_needed;
end;
$$;
comment on function private.jobs_tick() is 'Each minute: calls the worker where there is anything to do for it.';

create function private.jobs_cleanup()
returns bigint
language plpgsql
volatile
security invoker
set search_path = ''
as $$
declare
  v_dead bigint;
begin
  delete from private.jobs_dead d where d.died_at < now() - interval '30 days';
  get diagnostics v_dead = row_count;
  delete from private.jobs_figures f where f.minute < now() - interval '7 days';
  -- The last run of each schedule stays: it says whether the next one is late.
  delete from private.jobs_runs r
  where r.started_at < now() - interval '30 days' and exists (
    select from private.jobs_runs later where later.schedule = r.schedule and later.started_at > r.started_at
  );
  if to_regclass('cron.job_run_details') is not null then
    delete from cron.job_run_details d where d.end_time < now() - interval '7 days';
  end if;
  return v_dead;
end;
$$;
comment on function private.jobs_cleanup() is
  'Ends retention: dead letters and runs after 30 days, figures and the clock''s own history after 7.';

select private.schedule('jobs-tick', '* * * * *', 'select private.jobs_tick()');
select private.schedule('jobs-catch-up', '* * * * *', 'select private.jobs_catch_up()');
select private.schedule('jobs-cleanup', '17 3 * * *', 'select private.jobs_cleanup()');
