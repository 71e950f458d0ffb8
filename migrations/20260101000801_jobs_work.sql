-- Jobs, at work: workers and their leases, the dead letter, and how jobs are picked in batches that no
-- two workers share.

-- Workers
create function private.jobs_keep_worker(worker uuid, lease interval)
returns void
language plpgsql
volatile
security definer -- nobody else writes the list of workers
set search_path = ''
as $$
#variable_conflict use_column
declare
  v_expires timestamptz;
  v_now timestamptz := clock_timestamp();
begin
  select w.expires_at into v_expires from private.jobs_workers w where w.id = jobs_keep_worker.worker;
  -- Written when half of the lease is gone, not at every call.
  if v_expires is null then
    insert into private.jobs_workers (id, expires_at) values (jobs_keep_worker.worker, v_now + lease);
  elsif v_expires < v_now + lease / 2 then
    update private.jobs_workers set expires_at = v_now + lease where id = jobs_keep_worker.worker;
  end if;
end;
$$;
comment on function private.jobs_keep_worker(uuid, interval) is 'Makes the worker known, or its lease longer.';

-- The dead letter
create function private.jobs_bury(tenant_id uuid, id uuid, reason text, error text)
returns void
language plpgsql
volatile
security definer -- nobody else moves jobs
set search_path = ''
as $$
#variable_conflict use_column
begin
  with gone as (
    delete from private.jobs j
    where j.tenant_id = jobs_bury.tenant_id and j.id = jobs_bury.id
    returning j.*
  )
  insert into private.jobs_dead (
    tenant_id, id, kind, aggregate, payload, priority, attempts, reason, last_error, created_at
  )
  select g.tenant_id, g.id, g.kind, g.aggregate, g.payload, g.priority, g.attempts,
    jobs_bury.reason, left(coalesce(jobs_bury.error, g.last_error), 2000), g.created_at
  from gone g;
end;
$$;
comment on function private.jobs_bury(uuid, uuid, text, text) is 'Moves a job to the dead letter.';

create function private.jobs_retry_delay(attempts integer)
returns interval
language sql
volatile
security invoker
set search_path = ''
as $$
  -- 1, 2, 4 seconds, and up to a quarter more, so that what failed together does not return together.
  select interval '1 second' * power(2, greatest(attempts, 1) - 1) * (1 + random() * 0.25);
$$;
comment on function private.jobs_retry_delay(integer) is 'How long a job waits after its so many-th failure.';

create function private.jobs_release(workers uuid[], error text)
returns integer
language plpgsql
volatile
security definer -- nobody else moves jobs
set search_path = ''
as $$
#variable_conflict use_column
declare
  v_job record;
  v_count integer := 0;
begin
  -- No index knows workers; this reads the table, when somebody died.
  for v_job in
    select j.tenant_id, j.id, j.attempts from private.jobs j
    where j.worker = any (jobs_release.workers) for update
  loop
    v_count := v_count + 1;
    if v_job.attempts >= 4 then
      perform private.jobs_bury(v_job.tenant_id, v_job.id, 'failed', jobs_release.error);
    else
      update private.jobs set worker = null, run_at = clock_timestamp(), last_error = jobs_release.error
      where tenant_id = v_job.tenant_id and id = v_job.id;
    end if;
  end loop;
  return v_count;
end;
$$;
comment on function private.jobs_release(uuid[], text) is
  'Gives back what these workers held. A job that ended four workers is dead.';

-- A job runs where its kind's capability is part of the tenant, or is none that can be switched off.
create function private.jobs_closed(tenant_id uuid, kind text)
returns boolean
language plpgsql
stable
security invoker
set search_path = ''
as $$
#variable_conflict use_column
declare
  v_slug text := split_part(jobs_closed.kind, '.', 1);
begin
  return exists (
    select from public.modules m
    where m.slug = v_slug and m.switchable and not exists (
      select from public.tenants t
      where t.id = jobs_closed.tenant_id and v_slug = any (t.modules)
    )
  );
end;
$$;
comment on function private.jobs_closed(uuid, text) is 'Whether the tenant has switched off the module that the kind belongs to.';

-- Taking jobs commits without waiting for the disk. So a crash may forget who had taken what in its
-- last moments, while those workers go on; and it empties the list of workers, so that they hear with
-- their next heartbeat that they are none. Until the longest lease is over, nothing is handed out.
create function private.jobs_held(micros bigint)
returns boolean
language plpgsql
volatile
security definer -- sets a sequence
set search_path = ''
as $$
declare
  v_open_from bigint := pg_sequence_last_value('private.jobs_open_from'::regclass);
begin
  if v_open_from is null then
    v_open_from := setval('private.jobs_open_from', jobs_held.micros + 30000000);
  end if;
  return jobs_held.micros < v_open_from;
end;
$$;
comment on function private.jobs_held(bigint) is
  'After a crash: whether workers of before may still be at work. Asked while nobody has swept since.';

create function private.jobs_sweep(kinds text[], after_crash boolean)
returns void
language plpgsql
volatile
security definer -- nobody else moves jobs
set search_path = ''
as $$
#variable_conflict use_column
declare
  v_dead uuid[];
begin
  with expired as (
    select w.id from private.jobs_workers w where w.expires_at < clock_timestamp() for update skip locked
  ), gone as (
    delete from private.jobs_workers w using expired e where w.id = e.id returning w.id
  )
  select array_agg(g.id) into v_dead from gone g;
  if jobs_sweep.after_crash then
    v_dead := v_dead || array(
      select distinct j.worker from private.jobs j
      where j.worker is not null
        and not exists (select from private.jobs_workers w where w.id = j.worker)
    );
  end if;
  if cardinality(v_dead) > 0 then
    perform private.jobs_release(v_dead, 'the worker died');
  end if;
  -- What was parked for a worker that knows it, or for its tenant's module.
  update private.jobs set run_at = clock_timestamp()
  where ctid = any (array(
    select j.ctid from private.jobs j
    where j.priority in (1, 0, -1) and j.run_at = 'infinity' and j.kind = any (jobs_sweep.kinds)
      and not private.jobs_closed(j.tenant_id, j.kind)
    limit 1000 for update skip locked
  ));
end;
$$;
comment on function private.jobs_sweep(text[], boolean) is
  'Takes back the jobs of workers whose lease ran out or whom a crash forgot, and wakes parked jobs that can run now.';

-- Picking jobs. The plan is pinned, because the statistics of a queue that is empty now tell the
-- planner to read the whole table later.
create function private.jobs_pick(
  kinds text[], priority smallint, batch integer, since timestamptz, until timestamptz
)
returns tid[]
language plpgsql
volatile
security definer -- nobody else reads or moves jobs
set search_path = ''
set enable_seqscan = off
set enable_bitmapscan = off
set plan_cache_mode = force_generic_plan
as $$
#variable_conflict use_column
declare
  v_picked tid[];
  v_kinds text[];
  v_parked tid[];
begin
  loop
    select array_agg(p.ctid), array_agg(distinct p.kind) into v_picked, v_kinds
    from (
      select j.ctid, j.kind from private.jobs j
      where j.priority = jobs_pick.priority and j.run_at >= jobs_pick.since
        and j.run_at <= jobs_pick.until and j.worker is null
      order by j.run_at limit jobs_pick.batch for update skip locked
    ) p;
    -- Most kinds belong to what no tenant can switch off: nothing is asked for their jobs one by one.
    exit when not exists (
      select from unnest(v_kinds) k (kind)
      where k.kind <> all (jobs_pick.kinds) or exists (
        select from public.modules m where m.slug = split_part(k.kind, '.', 1) and m.switchable
      )
    );
    v_parked := array(
      select j.ctid from private.jobs j
      where j.ctid = any (v_picked)
        and (j.kind <> all (jobs_pick.kinds) or private.jobs_closed(j.tenant_id, j.kind))
    );
    exit when cardinality(v_parked) = 0;
    update private.jobs set run_at = 'infinity' where ctid = any (v_parked);
    v_picked := array(
      select p.at from unnest(v_picked) with ordinality p (at, place)
      where p.at <> all (v_parked) order by p.place
    );
    exit when cardinality(v_picked) > 0;
  end loop;
  return coalesce(v_picked, '{}');
end;
$$;
comment on function private.jobs_pick(text[], smallint, integer, timestamptz, timestamptz) is
  'Locks up to so many due jobs of one priority, the oldest first, and parks those on the way that cannot run.';
