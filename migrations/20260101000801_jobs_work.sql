-- Jobs, at work: workers and their leases, the dead letter, and how jobs are taken in batches that no
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

create function private.jobs_sweep(kinds text[])
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
  if v_dead is not null then
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
comment on function private.jobs_sweep(text[]) is
  'Takes back the jobs of workers whose lease ran out, and wakes parked jobs that can run now.';

-- Taking jobs. The plan is pinned, because the statistics of a queue that is empty now tell the
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
  v_parked tid[];
  v_free text[];
begin
  loop
    v_picked := array(
      select j.ctid from private.jobs j
      where j.priority = jobs_pick.priority and j.run_at >= jobs_pick.since
        and j.run_at <= jobs_pick.until and j.worker is null
      order by j.run_at limit jobs_pick.batch for update skip locked
    );
    exit when cardinality(v_picked) = 0;
    -- Most kinds belong to what no tenant can switch off: nothing is asked for their jobs one by one.
    v_free := coalesce(v_free, array(
      select k.kind from unnest(jobs_pick.kinds) k (kind)
      where not exists (
        select from public.modules m where m.slug = split_part(k.kind, '.', 1) and m.switchable
      )
    ));
    v_parked := array(
      select j.ctid from private.jobs j
      where j.ctid = any (v_picked) and j.kind <> all (v_free) and (
        j.kind <> all (jobs_pick.kinds)
        or not exists (
          select from public.tenants t
          where t.id = j.tenant_id and split_part(j.kind, '.', 1) = any (t.modules)
        )
      )
    );
    exit when cardinality(v_parked) = 0;
    update private.jobs set run_at = 'infinity' where ctid = any (v_parked);
    v_picked := array(
      select p.at from unnest(v_picked) with ordinality p (at, place)
      where p.at <> all (v_parked) order by p.place
    );
    exit when cardinality(v_picked) > 0;
  end loop;
  return v_picked;
end;
$$;
comment on function private.jobs_pick(text[], smallint, integer, timestamptz, timestamptz) is
  'Locks up to so many due jobs of one priority, the oldest first, and parks those on the way that cannot run.';

create function private.jobs_take(worker uuid, kinds text[], batch integer, lease interval)
returns setof private.jobs
language plpgsql
volatile
security definer -- nobody else reads or moves jobs
set search_path = ''
set enable_seqscan = off
set plan_cache_mode = force_generic_plan
as $$
#variable_conflict use_column
declare
  v_now timestamptz := clock_timestamp();
  v_micros bigint := extract(epoch from v_now) * 1000000;
  v_sweep boolean := v_micros >= coalesce(pg_sequence_last_value('private.jobs_next_sweep'::regclass), 0);
  v_left integer := jobs_take.batch;
  v_priority smallint;
  v_marks regclass[] := array[
    'private.jobs_low_water_high', 'private.jobs_low_water_normal', 'private.jobs_low_water_low'
  ]::regclass[];
  v_mark bigint;
  v_first bigint;
  v_picked tid[];
begin
  perform private.jobs_keep_worker(jobs_take.worker, jobs_take.lease);
  if v_sweep then
    -- Claims the sweep for this worker; how long it took sets the next one below.
    perform setval('private.jobs_next_sweep', v_micros + 10000000);
    perform private.jobs_sweep(jobs_take.kinds);
    v_now := clock_timestamp();
  end if;
  foreach v_priority in array array[1, 0, -1] loop
    -- Dead index entries pile up at the head of the queue while somebody holds a snapshot. Below the
    -- low-water mark everything was taken; what came there late is found by the next sweep.
    v_mark := coalesce(pg_sequence_last_value(v_marks[2 - v_priority]), 0);
    v_picked := private.jobs_pick(
      jobs_take.kinds, v_priority, v_left,
      case when v_sweep then '-infinity' else to_timestamp(v_mark / 1000000.0) end, v_now
    );
    continue when cardinality(v_picked) = 0;
    select (extract(epoch from j.run_at) * 1000000)::bigint - 1 into v_first
    from private.jobs j where j.ctid = v_picked[1];
    return query
      update private.jobs j
      set worker = jobs_take.worker, attempts = j.attempts + 1, dedupe_key = null
      where j.ctid = any (v_picked)
      returning j.*;
    v_left := v_left - cardinality(v_picked);
    -- A sweep lowers the mark to what it found; the others raise it, unless a sweep did so meanwhile.
    if v_sweep or v_first > v_mark
      and v_mark = coalesce(pg_sequence_last_value(v_marks[2 - v_priority]), 0) then
      perform setval(v_marks[2 - v_priority], v_first);
    end if;
    exit when v_left = 0;
  end loop;
  if v_sweep then
    -- At most a twentieth of the time goes into sweeping.
    perform setval('private.jobs_next_sweep', v_micros + greatest(
      1000000, 20 * ((extract(epoch from clock_timestamp()) * 1000000)::bigint - v_micros)
    ));
  end if;
end;
$$;
comment on function private.jobs_take(uuid, text[], integer, interval) is
  'Gives a worker up to so many due jobs of the kinds it knows.';
