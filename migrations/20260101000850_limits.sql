-- Limits: how often somebody may do something. One row a key, shared by all instances; each call is
-- one statement that counts and judges at once. What is counted slides: the window before weighs in
-- by the part of it that is still within reach, so nobody gets two windows' worth at a boundary.

create type public.limits_verdict as (
  allowed boolean,
  "limit" integer,
  remaining integer,
  reset_at timestamptz,
  retry_after integer
);
comment on type public.limits_verdict is
  'What a limit says: retry_after is in seconds, 0 where allowed; reset_at is when the window ends, or when the next one is free.';

-- Lost in a crash, and then everybody starts anew: the price of never waiting for a disk.
create unlogged table private.limits_requests (
  key text primary key check (char_length(key) between 1 and 300),
  started_at timestamptz not null,
  ends_at timestamptz not null,
  used integer not null,
  used_before integer not null,
  allowed boolean not null,
  refused bigint not null
);
comment on table private.limits_requests is 'Requests counted per key: in this window, and in the one before.';
create index limits_requests_ends_at on private.limits_requests (ends_at);

-- Attempts at a secret have to survive a crash: whoever can cause one must not get new guesses by it.
create table private.limits_attempts (
  like private.limits_requests including constraints including comments,
  primary key (key)
);
comment on table private.limits_attempts is
  'Attempts counted per key (passwords, codes, PINs), in a committed call of their own before the check.';
create index limits_attempts_ends_at on private.limits_attempts (ends_at);

create table private.limits_totals (
  name text primary key,
  refused bigint not null
);
comment on table private.limits_totals is 'What was refused by rows that are cleaned away since.';
insert into private.limits_totals (name, refused) values ('requests', 0), ('attempts', 0);

-- The arithmetic, apart from the tables
create function private.limits_step(
  state private.limits_requests, quota integer, period interval, at timestamptz
)
returns private.limits_requests
language plpgsql
immutable
security invoker
set search_path = ''
as $$
#variable_conflict use_column
declare
  v_next private.limits_requests := state;
  v_windows bigint := floor(extract(epoch from at - state.started_at) / extract(epoch from period));
  v_weight double precision;
begin
  if v_windows = 1 then
    v_next.started_at := state.started_at + period;
    v_next.used_before := state.used;
    v_next.used := 0;
  elsif v_windows > 1 then
    v_next.started_at := at;
    v_next.used_before := 0;
    v_next.used := 0;
  end if;
  v_next.ends_at := v_next.started_at + 2 * period;
  v_weight := 1 - extract(epoch from at - v_next.started_at) / extract(epoch from period);
  v_next.allowed := v_next.used + v_next.used_before * least(v_weight, 1) + 1 <= quota;
  v_next.used := v_next.used + v_next.allowed::int;
  v_next.refused := state.refused + (not v_next.allowed)::int;
  return v_next;
end;
$$;
comment on function private.limits_step(private.limits_requests, integer, interval, timestamptz) is
  'The row of a key after one more call: counted where allowed, so that knocking on does not prolong a refusal.';

create function private.limits_judge(
  state private.limits_requests, quota integer, period interval, at timestamptz
)
returns public.limits_verdict
language plpgsql
immutable
security invoker
set search_path = ''
as $$
#variable_conflict use_column
declare
  v_seconds double precision := extract(epoch from period);
  v_verdict public.limits_verdict;
  v_weight double precision := 1 - extract(epoch from at - state.started_at) / v_seconds;
begin
  v_verdict.allowed := state.allowed;
  v_verdict."limit" := quota;
  v_verdict.remaining := case when state.allowed
    then greatest(0, floor(quota - state.used - state.used_before * least(v_weight, 1)))::int
    else 0 end;
  v_verdict.reset_at := state.started_at + period * case
    when state.allowed or quota < 1 then 1
    -- One is free as soon as what is carried over has become light enough.
    when state.used + 1 <= quota then 1 - (quota - state.used - 1)::double precision / state.used_before
    else 2 - (quota - 1)::double precision / state.used
  end;
  v_verdict.retry_after := case when state.allowed then 0
    else greatest(1, ceil(extract(epoch from v_verdict.reset_at - at)))::int end;
  return v_verdict;
end;
$$;
comment on function private.limits_judge(private.limits_requests, integer, interval, timestamptz) is
  'What to tell the caller about a row that limits_step has just made.';

-- Counting
create function private.rate_limit(key text, quota integer, period interval)
returns public.limits_verdict
language plpgsql
volatile
security definer -- nobody else writes the counters
set search_path = ''
as $$
#variable_conflict use_column
declare
  v_now timestamptz := clock_timestamp();
  v_row private.limits_requests;
begin
  insert into private.limits_requests as r
  values (
    rate_limit.key, v_now, v_now + 2 * rate_limit.period, (rate_limit.quota > 0)::int, 0,
    rate_limit.quota > 0, (rate_limit.quota <= 0)::int
  )
  on conflict (key) do update
  set (started_at, ends_at, used, used_before, allowed, refused) = (
    select n.started_at, n.ends_at, n.used, n.used_before, n.allowed, n.refused
    from private.limits_step(r, rate_limit.quota, rate_limit.period, v_now) n
  )
  returning * into v_row;
  return private.limits_judge(v_row, rate_limit.quota, rate_limit.period, v_now);
end;
$$;
comment on function private.rate_limit(text, integer, interval) is
  'Counts a request and says whether it is within the limit. The key names the limit first: <name>:<whom>. In a transaction that is rolled back it counts nothing.';

create function private.require_rate(key text, quota integer, period interval)
returns void
language plpgsql
volatile
security definer -- asks rate_limit
set search_path = ''
as $$
#variable_conflict use_column
declare
  v_verdict public.limits_verdict :=
    private.rate_limit(require_rate.key, require_rate.quota, require_rate.period);
begin
  if not v_verdict.allowed then
    -- PostgREST's own form of a refusal is the only one that can carry a header.
    raise sqlstate 'PGRST' using
      message = json_build_object(
        'code', 'PT429', 'message', 'limits.exceeded',
        'details', format('Try again in %s s.', v_verdict.retry_after), 'hint', v_verdict.retry_after::text
      ),
      detail = json_build_object(
        'status', 429, 'headers', json_build_object('Retry-After', v_verdict.retry_after::text)
      );
  end if;
end;
$$;
comment on function private.require_rate(text, integer, interval) is
  'Counts what the caller''s transaction does. Raises limits.exceeded with Retry-After.';

create function private.count_attempt(key text, quota integer, period interval)
returns public.limits_verdict
language plpgsql
volatile
security definer -- nobody else writes the counters
set search_path = ''
as $$
#variable_conflict use_column
declare
  v_now timestamptz := clock_timestamp();
  v_row private.limits_requests;
begin
  insert into private.limits_attempts as r
  values (
    count_attempt.key, v_now, v_now + 2 * count_attempt.period, (count_attempt.quota > 0)::int, 0,
    count_attempt.quota > 0, (count_attempt.quota <= 0)::int
  )
  on conflict (key) do update
  set (started_at, ends_at, used, used_before, allowed, refused) = (
    select n.started_at, n.ends_at, n.used, n.used_before, n.allowed, n.refused
    from private.limits_step(
      row(r.*)::private.limits_requests, count_attempt.quota, count_attempt.period, v_now
    ) n
  )
  returning * into v_row;
  return private.limits_judge(v_row, count_attempt.quota, count_attempt.period, v_now);
end;
$$;
comment on function private.count_attempt(text, integer, interval) is
  'Counts an attempt at a secret, in a table that survives crashes. Call it in a transaction that commits whatever the check says, and refuse by its verdict.';

create function private.forget_attempts(key text)
returns void
language sql
volatile
security definer -- nobody else writes the counters
set search_path = ''
as $$
  delete from private.limits_attempts a where a.key = forget_attempts.key;
$$;
comment on function private.forget_attempts(text) is 'Starts a key anew, after the right secret was given.';

create function private.uncount_attempt(key text)
returns void
language sql
volatile
security definer -- nobody else writes the counters
set search_path = ''
as $$
  update private.limits_attempts a set used = greatest(a.used - 1, 0) where a.key = uncount_attempt.key;
$$;
comment on function private.uncount_attempt(text) is
  'Takes one counted attempt back: it succeeded, where failures alone are to count.';
