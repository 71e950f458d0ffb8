-- Jobs: the outbox. What must happen outside the database (mail, push, partners) is a row written
-- in the transaction that wants it; a worker takes it from there.

-- The clock, HTTP and the secrets. Where the server lacks them, the embedded stack stands in.
do $$
begin
  if exists (select from pg_available_extensions where name = 'pg_cron') then
    create extension if not exists pg_cron;
  end if;
  if exists (select from pg_available_extensions where name = 'pg_net') then
    create extension if not exists pg_net with schema extensions;
  end if;
  if exists (select from pg_available_extensions where name = 'supabase_vault') then
    create extension if not exists supabase_vault with schema vault;
  end if;
end;
$$;

-- Half of each page stays free: taking a job then changes its row within the page and touches no
-- index. That holds as long as no index, nor a condition of one, names worker or attempts. There are
-- no check constraints: Postgres prepares them anew for each statement, which made a job twice as dear.
-- private.enqueue, the one door, checks the same.
create table private.jobs (
  tenant_id uuid not null,
  id uuid not null,
  kind text not null,
  aggregate text,
  payload jsonb not null default '{}',
  dedupe_key text,
  priority smallint not null default 0,
  run_at timestamptz not null,
  attempts smallint not null default 0,
  last_error text,
  worker uuid,
  created_at timestamptz not null default now(),
  primary key (tenant_id, id)
) with (fillfactor = 45, autovacuum_vacuum_scale_factor = 0.02, autovacuum_vacuum_threshold = 1000);
-- Nobody replicates a queue, so what is deleted need not be told apart in the write-ahead log.
alter table private.jobs replica identity nothing;
comment on table private.jobs is
  'Work that waits for a worker or is with one. Payloads are ids: content is read when the job runs, with the rights of then.';
comment on column private.jobs.dedupe_key is 'At most one waiting job of a kind and tenant has a given key; taking the job frees it.';
comment on column private.jobs.aggregate is 'What the job is about, as <table>:<id>.';
comment on column private.jobs.priority is '1 before 0 before -1.';
comment on column private.jobs.run_at is
  'Not before. infinity: parked, because no worker knows the kind or the tenant switched its module off.';
comment on column private.jobs.worker is 'Who works on it, while that worker''s lease in jobs_workers lasts; null while it waits.';

create unique index jobs_dedupe on private.jobs (tenant_id, kind, dedupe_key) where dedupe_key is not null;
create index jobs_order on private.jobs (priority, run_at);

create table private.jobs_dead (
  tenant_id uuid not null,
  id uuid not null,
  kind text not null,
  aggregate text,
  payload jsonb not null,
  priority smallint not null,
  attempts smallint not null,
  reason text not null check (reason in ('failed', 'cancelled')),
  last_error text,
  created_at timestamptz not null,
  died_at timestamptz not null default now(),
  primary key (tenant_id, id)
);
comment on table private.jobs_dead is
  'Jobs that failed four times or for good, and cancelled ones, until they are replayed or their retention ends.';
create index jobs_dead_recent on private.jobs_dead (died_at desc, id desc);

create unlogged table private.jobs_workers (
  id uuid primary key,
  started_at timestamptz not null default clock_timestamp(),
  expires_at timestamptz not null
);
comment on table private.jobs_workers is
  'Who works, one row a worker. The lease is the worker''s, so that holding a thousand jobs costs no more writes than holding one. A crash empties it: whoever worked then has no say any more.';

create table private.jobs_figures (
  kind text not null,
  minute timestamptz not null,
  done integer not null default 0,
  failed integer not null default 0,
  milliseconds bigint not null default 0,
  primary key (kind, minute)
);
comment on table private.jobs_figures is
  'What workers did, by kind and minute, as they tell with their heartbeat: for rates, not for proof.';

-- What workers and enqueuers tell each other without a row: a sequence has no dead versions, so it
-- stays cheap to read while some transaction holds an old snapshot. Values are microseconds.
create unlogged sequence private.jobs_woken;
create unlogged sequence private.jobs_next_sweep;
create unlogged sequence private.jobs_open_from;
create unlogged sequence private.jobs_low_water_high;
create unlogged sequence private.jobs_low_water_normal;
create unlogged sequence private.jobs_low_water_low;
-- Without a value means after a crash, which resets what is unlogged.
select setval('private.jobs_next_sweep', 1);

-- Waking a worker
create function private.jobs_call_worker()
returns void
language plpgsql
volatile
security definer -- reads the vault
set search_path = ''
as $$
declare
  v_url text;
  v_secret text;
begin
  select max(s.decrypted_secret) filter (where s.name = 'functions_url'),
    max(s.decrypted_secret) filter (where s.name = 'worker_secret')
  into v_url, v_secret
  from vault.decrypted_secrets s
  where s.name in ('functions_url', 'worker_secret');
  if v_url is not null and v_secret is not null then
    perform net.http_post(
      url => v_url || '/worker',
      headers => jsonb_build_object('Authorization', 'Bearer ' || v_secret, 'Content-Type', 'application/json')
    );
  end if;
end;
$$;
comment on function private.jobs_call_worker() is
  'Asks the worker function to drain the queue, once this transaction commits. Does nothing where the vault does not name it.';

create function private.jobs_wake(micros bigint)
returns void
language plpgsql
volatile
security definer -- sets a sequence, reads the vault
set search_path = ''
as $$
begin
  -- Whoever comes second does not wait: the first one's call is enough for both.
  if pg_try_advisory_xact_lock(hashtext('private.jobs_wake')) then
    perform setval('private.jobs_woken', jobs_wake.micros);
    perform private.jobs_call_worker();
  end if;
exception when others then
  -- The call is a courtesy, the clock comes round each minute: no reason to fail the act.
  raise warning 'no worker was called: %', sqlerrm;
end;
$$;
comment on function private.jobs_wake(bigint) is 'Calls the worker, unless another transaction is doing so right now.';

create function private.enqueue(
  kind text,
  payload jsonb default '{}',
  tenant_id uuid default null,
  aggregate text default null,
  dedupe_key text default null,
  run_at timestamptz default null,
  priority smallint default 0
)
returns uuid
language plpgsql
volatile
security definer -- nobody else writes the outbox
set search_path = ''
as $$
#variable_conflict use_column
declare
  v_id uuid := private.uuid_v7();
  v_tenant uuid := coalesce(enqueue.tenant_id, private.platform());
  -- Not now(): a job that comes late out of a long transaction would stand behind the low-water mark.
  v_now timestamptz := clock_timestamp();
begin
  if (enqueue.kind ~ '^[a-z_]+\.[a-z_]+$' and jsonb_typeof(enqueue.payload) = 'object'
    and pg_column_size(enqueue.payload) <= 4096 and enqueue.priority between -1 and 1
    and coalesce(char_length(enqueue.aggregate) <= 200, true)
    and coalesce(char_length(enqueue.dedupe_key) between 1 and 255, true)) is not true
  then
    raise exception 'not a job: kind %, payload of % bytes, priority %',
      enqueue.kind, pg_column_size(enqueue.payload), enqueue.priority;
  end if;
  if enqueue.dedupe_key is null then
    insert into private.jobs (tenant_id, id, kind, aggregate, payload, run_at, priority)
    values (
      v_tenant, v_id, enqueue.kind, enqueue.aggregate, enqueue.payload,
      coalesce(enqueue.run_at, v_now), enqueue.priority
    );
  else
    insert into private.jobs (tenant_id, id, kind, aggregate, payload, dedupe_key, run_at, priority)
    values (
      v_tenant, v_id, enqueue.kind, enqueue.aggregate, enqueue.payload, enqueue.dedupe_key,
      coalesce(enqueue.run_at, v_now), enqueue.priority
    )
    on conflict (tenant_id, kind, dedupe_key) where dedupe_key is not null do nothing;
    if not found then
      return null;
    end if;
  end if;
  -- One call a second: a worker that was called stays for longer than that after its last job.
  if date_part('epoch', v_now) * 1000000
      - coalesce(pg_sequence_last_value('private.jobs_woken'::regclass), 0) > 1000000
    and coalesce(enqueue.run_at, v_now) <= v_now then
    perform private.jobs_wake((date_part('epoch', v_now) * 1000000)::bigint);
  end if;
  return v_id;
end;
$$;
comment on function private.enqueue(text, jsonb, uuid, text, text, timestamptz, smallint) is
  'Adds a job in the caller''s transaction and returns its id; null when a waiting one has the same dedupe key.';

create type private.job as (
  tenant_id uuid,
  aggregate text,
  payload jsonb
);
comment on type private.job is 'What one of many jobs of a kind is about.';

create function private.enqueue_all(kind text, jobs private.job[])
returns integer
language plpgsql
volatile
security definer -- nobody else writes the outbox
set search_path = ''
as $$
declare
  v_now timestamptz := clock_timestamp();
begin
  if (enqueue_all.kind ~ '^[a-z_]+\.[a-z_]+$') is not true or exists (
    select from unnest(jobs) j
    where (j.tenant_id is not null and jsonb_typeof(j.payload) = 'object' and pg_column_size(j.payload) <= 4096
      and coalesce(char_length(j.aggregate) <= 200, true)) is not true
  ) then
    raise exception 'not all of them are jobs: kind %', enqueue_all.kind;
  end if;
  insert into private.jobs (tenant_id, id, kind, aggregate, payload, run_at)
  select j.tenant_id, private.uuid_v7(), enqueue_all.kind, j.aggregate, j.payload, v_now
  from unnest(jobs) j;
  if cardinality(jobs) > 0 and date_part('epoch', v_now) * 1000000
      - coalesce(pg_sequence_last_value('private.jobs_woken'::regclass), 0) > 1000000 then
    perform private.jobs_wake((date_part('epoch', v_now) * 1000000)::bigint);
  end if;
  return cardinality(jobs);
end;
$$;
comment on function private.enqueue_all(text, private.job[]) is
  'Adds many jobs of one kind in the caller''s transaction, at the price of a few; returns how many.';
