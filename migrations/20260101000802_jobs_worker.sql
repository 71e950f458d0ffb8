-- Jobs, the worker: what the worker function calls to take jobs and to say how each ended. One try and
-- three retries, then the dead letter.

create type public.jobs_claimed as (
  id uuid,
  tenant_id uuid,
  kind text,
  aggregate text,
  payload jsonb,
  attempts smallint
);

create function public.jobs_claim(
  worker uuid, kinds text[], batch integer default 10,
  done_tenants uuid[] default null, done_ids uuid[] default null
)
returns setof public.jobs_claimed
language plpgsql
volatile
security definer -- the queue is nobody's to read
set search_path = ''
set enable_seqscan = off
set plan_cache_mode = force_generic_plan
as $$
#variable_conflict use_column
declare
  v_now timestamptz := clock_timestamp();
  v_micros bigint := extract(epoch from v_now) * 1000000;
  v_next_sweep bigint := pg_sequence_last_value('private.jobs_next_sweep'::regclass);
  v_sweep boolean := v_micros >= coalesce(v_next_sweep, 0);
  v_left integer := least(greatest(jobs_claim.batch, 1), 500);
  v_priority smallint;
  v_marks regclass[] := array[
    'private.jobs_low_water_high', 'private.jobs_low_water_normal', 'private.jobs_low_water_low'
  ]::regclass[];
  v_mark bigint;
  v_first bigint;
  v_picked tid[];
begin
  -- What a crash may forget here is a job that runs again, which every handler bears, or a claim,
  -- against which private.jobs_held stands.
  set local synchronous_commit = off;
  if jobs_claim.done_ids is not null then
    perform public.jobs_complete(jobs_claim.worker, jobs_claim.done_tenants, jobs_claim.done_ids);
  end if;
  if v_next_sweep is null and private.jobs_held(v_micros) then
    return;
  end if;
  perform private.jobs_keep_worker(jobs_claim.worker, interval '30 seconds');
  if v_sweep then
    -- Claims the sweep for this worker; how long it took sets the next one below.
    perform setval('private.jobs_next_sweep', v_micros + 10000000);
    perform private.jobs_sweep(jobs_claim.kinds, after_crash => v_next_sweep is null);
    v_now := clock_timestamp();
  end if;
  foreach v_priority in array array[1, 0, -1] loop
    -- Dead index entries pile up at the head of the queue while somebody holds a snapshot. Below the
    -- low-water mark everything was taken; what came there late is found by the next sweep.
    v_mark := coalesce(pg_sequence_last_value(v_marks[2 - v_priority]), 0);
    v_picked := private.jobs_pick(
      jobs_claim.kinds, v_priority, v_left,
      case when v_sweep then '-infinity' else to_timestamp(v_mark / 1000000.0) end, v_now
    );
    continue when cardinality(v_picked) = 0;
    select (extract(epoch from j.run_at) * 1000000)::bigint - 1 into v_first
    from private.jobs j where j.ctid = v_picked[1];
    return query
      update private.jobs j
      set worker = jobs_claim.worker, attempts = j.attempts + 1, dedupe_key = null
      where j.ctid = any (v_picked)
      returning j.id, j.tenant_id, j.kind, j.aggregate, j.payload, j.attempts;
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
comment on function public.jobs_claim(uuid, text[], integer, uuid[], uuid[]) is
  'Up to so many due jobs for this worker, whose lease of 30 seconds each call and each heartbeat renews. Says in the same commit what is done of the batch before, as jobs_complete does.';
grant execute on function public.jobs_claim(uuid, text[], integer, uuid[], uuid[]) to service_role;

create function public.jobs_complete(worker uuid, tenants uuid[], ids uuid[])
returns integer
language plpgsql
volatile
security definer -- the queue is nobody's to write
set search_path = ''
set enable_seqscan = off
set enable_bitmapscan = off
set plan_cache_mode = force_generic_plan
as $$
#variable_conflict use_column
declare
  v_count integer;
begin
  -- Not pair by pair: ids are random, and jobs of one batch lie side by side in the index.
  delete from private.jobs j
  where j.tenant_id = any (jobs_complete.tenants) and j.id = any (jobs_complete.ids)
    and j.worker = jobs_complete.worker;
  get diagnostics v_count = row_count;
  return v_count;
end;
$$;
comment on function public.jobs_complete(uuid, uuid[], uuid[]) is
  'These jobs are done. Returns how many the worker still held: one that lost its lease has no say any more.';
grant execute on function public.jobs_complete(uuid, uuid[], uuid[]) to service_role;

create function public.jobs_fail(
  worker uuid, tenant_id uuid, id uuid, error text, permanent boolean default false
)
returns timestamptz
language plpgsql
volatile
security definer -- the queue is nobody's to write
set search_path = ''
as $$
#variable_conflict use_column
declare
  v_attempts smallint;
  v_again timestamptz;
begin
  select j.attempts into v_attempts from private.jobs j
  where j.tenant_id = jobs_fail.tenant_id and j.id = jobs_fail.id and j.worker = jobs_fail.worker
  for update;
  if not found then
    return null;
  end if;
  if jobs_fail.permanent or v_attempts >= 4 then
    perform private.jobs_bury(jobs_fail.tenant_id, jobs_fail.id, 'failed', jobs_fail.error);
    return null;
  end if;
  v_again := clock_timestamp() + private.jobs_retry_delay(v_attempts);
  update private.jobs
  set worker = null, run_at = v_again, last_error = left(jobs_fail.error, 2000)
  where tenant_id = jobs_fail.tenant_id and id = jobs_fail.id;
  return v_again;
end;
$$;
comment on function public.jobs_fail(uuid, uuid, uuid, text, boolean) is
  'This job failed. Returns when it is due again; null when it is in the dead letter now, or was not this worker''s any more.';
grant execute on function public.jobs_fail(uuid, uuid, uuid, text, boolean) to service_role;

create function public.jobs_heartbeat(worker uuid, figures jsonb default '[]')
returns boolean
language plpgsql
volatile
security definer -- nobody else writes leases and figures
set search_path = ''
as $$
#variable_conflict use_column
declare
  v_alive boolean;
begin
  insert into private.jobs_figures (kind, minute, done, failed, milliseconds)
  select f.kind, date_trunc('minute', now()), f.done, f.failed, f.milliseconds
  from jsonb_to_recordset(jobs_heartbeat.figures)
    f (kind text, done integer, failed integer, milliseconds bigint)
  -- In one order, so that workers do not wait for each other in a circle.
  order by f.kind
  on conflict (kind, minute) do update
    set done = jobs_figures.done + excluded.done, failed = jobs_figures.failed + excluded.failed,
      milliseconds = jobs_figures.milliseconds + excluded.milliseconds;
  update private.jobs_workers set expires_at = clock_timestamp() + interval '30 seconds'
  where id = jobs_heartbeat.worker and expires_at > clock_timestamp();
  v_alive := found;
  return v_alive;
end;
$$;
comment on function public.jobs_heartbeat(uuid, jsonb) is
  'Renews the worker''s lease and keeps what it did since: [{ kind, done, failed, milliseconds }]. False when the lease had run out: it must stop what it does.';
grant execute on function public.jobs_heartbeat(uuid, jsonb) to service_role;

create function public.jobs_leave(worker uuid, more boolean default false)
returns integer
language plpgsql
volatile
security definer -- nobody else writes the list of workers
set search_path = ''
as $$
#variable_conflict use_column
begin
  if jobs_leave.more then
    perform private.jobs_call_worker();
  end if;
  delete from private.jobs_workers where id = jobs_leave.worker;
  if not found then
    return 0;
  end if;
  return private.jobs_release(array[jobs_leave.worker], 'the worker left');
end;
$$;
comment on function public.jobs_leave(uuid, boolean) is
  'The worker ends. Gives back what it still held, at once instead of when its lease runs out; returns how many. Where it leaves more to do, another one is called.';
grant execute on function public.jobs_leave(uuid, boolean) to service_role;

create function public.jobs_next()
returns timestamptz
language sql
stable
security definer -- the queue is nobody's to read
set search_path = ''
as $$
  select min(next.run_at)
  from unnest(array[1, 0, -1]::smallint[]) as p (priority)
  cross join lateral (
    select j.run_at from private.jobs j
    where j.priority = p.priority and j.run_at > now() and j.run_at < 'infinity'
    order by j.run_at limit 1
  ) next;
$$;
comment on function public.jobs_next() is 'When the next job falls due that waits for its time; null when none does.';
grant execute on function public.jobs_next() to service_role;
