-- Jobs: the outbox. What must happen outside the database (mail, push, partners) is a row written
-- in the transaction that wants it; a worker takes it from there.

create table private.jobs (
  tenant_id uuid not null,
  id uuid not null default private.uuid_v7(),
  kind text not null check (kind ~ '^[a-z_]+\.[a-z_]+$'),
  aggregate text check (char_length(aggregate) <= 200),
  payload jsonb not null default '{}'
    check (jsonb_typeof(payload) = 'object' and octet_length(payload::text) <= 4096),
  dedupe_key text check (char_length(dedupe_key) between 1 and 255),
  priority smallint not null default 0,
  run_at timestamptz not null default now(),
  attempts smallint not null default 0,
  last_error text,
  leased_until timestamptz,
  created_at timestamptz not null default now(),
  primary key (tenant_id, id)
);
comment on table private.jobs is
  'Work that waits for a worker. Payloads are ids: content is read when the job runs, with the rights of then.';
comment on column private.jobs.dedupe_key is 'At most one waiting job of a kind and tenant has a given key.';
comment on column private.jobs.aggregate is 'What the job is about, as <table>:<id>.';

create unique index jobs_dedupe on private.jobs (tenant_id, kind, dedupe_key) where dedupe_key is not null;
create index jobs_ready on private.jobs (priority desc, run_at) where leased_until is null;

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
begin
  insert into private.jobs (tenant_id, id, kind, aggregate, payload, dedupe_key, run_at, priority)
  values (
    coalesce(enqueue.tenant_id, private.platform()), v_id, enqueue.kind, enqueue.aggregate,
    enqueue.payload, enqueue.dedupe_key, coalesce(enqueue.run_at, now()), enqueue.priority
  )
  on conflict (tenant_id, kind, dedupe_key) where dedupe_key is not null do nothing;
  if not found then
    return null;
  end if;
  return v_id;
end;
$$;
comment on function private.enqueue(text, jsonb, uuid, text, text, timestamptz, smallint) is
  'Adds a job in the caller''s transaction and returns its id; null when a waiting one has the same dedupe key.';
