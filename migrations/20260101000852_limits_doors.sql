-- Limits, doors: what the edge functions call, and what cleans up.

create function public.limits_take(takes jsonb, refused_before bigint default 0)
returns public.limits_verdict
language plpgsql
volatile
security definer -- nobody else writes the counters
set search_path = ''
as $$
#variable_conflict use_column
declare
  v_take record;
  v_verdict public.limits_verdict;
  v_tightest public.limits_verdict;
begin
  -- In the order of keys, so that two requests that share some never wait for each other in a ring.
  for v_take in
    select t.key, t."limit", t.seconds
    from jsonb_to_recordset(limits_take.takes) t(key text, "limit" int, seconds int)
    order by t.key
  loop
    v_verdict := private.rate_limit(v_take.key, v_take."limit", make_interval(secs => v_take.seconds));
    if v_tightest is null or v_verdict.remaining < v_tightest.remaining or not v_verdict.allowed then
      v_tightest := v_verdict;
    end if;
    exit when not v_verdict.allowed;
  end loop;
  if limits_take.refused_before > 0 then
    update private.limits_requests r set refused = r.refused + limits_take.refused_before
    where r.key = v_take.key;
  end if;
  return v_tightest;
end;
$$;
comment on function public.limits_take(jsonb, bigint) is
  'For the edge functions: counts one request against each of [{ key, limit, seconds }] until one refuses; the tightest verdict. refused_before: refusals the caller gave from memory since it last asked.';
grant execute on function public.limits_take(jsonb, bigint) to service_role;

create function public.limits_attempt(key text, quota integer, seconds integer)
returns public.limits_verdict
language sql
volatile
security definer -- asks private.count_attempt
set search_path = ''
as $$
  select private.count_attempt(
    limits_attempt.key, limits_attempt.quota, make_interval(secs => limits_attempt.seconds)
  );
$$;
comment on function public.limits_attempt(text, integer, integer) is
  'For the edge functions: counts an attempt at a secret, committed before the secret is checked.';
grant execute on function public.limits_attempt(text, integer, integer) to service_role;

create function public.limits_forget(key text)
returns void
language sql
volatile
security definer -- asks private.forget_attempts
set search_path = ''
as $$
  select private.forget_attempts(limits_forget.key);
$$;
comment on function public.limits_forget(text) is 'For the edge functions: starts the attempts of a key anew.';
grant execute on function public.limits_forget(text) to service_role;

create function private.limits_clean()
returns integer
language plpgsql
volatile
security invoker
set search_path = ''
as $$
declare
  v_requests integer;
  v_attempts integer;
begin
  with gone as (
    delete from private.limits_requests r where r.ends_at < now() returning r.refused
  ), kept as (
    update private.limits_totals t set refused = t.refused + (select coalesce(sum(g.refused), 0) from gone g)
    where t.name = 'requests'
  )
  select count(*) into v_requests from gone;
  with gone as (
    delete from private.limits_attempts a where a.ends_at < now() returning a.refused
  ), kept as (
    update private.limits_totals t set refused = t.refused + (select coalesce(sum(g.refused), 0) from gone g)
    where t.name = 'attempts'
  )
  select count(*) into v_attempts from gone;
  return v_requests + v_attempts;
end;
$$;
comment on function private.limits_clean() is
  'Removes the rows whose windows are over, so that no address is kept longer than it counts. Returns how many.';

select private.schedule('limits-clean', '*/5 * * * *', 'select private.limits_clean()');

select private.declare_metric(
  'rate_limit_rejected_total', 'counter', 'Requests and attempts refused because there were too many.',
  $$select t.refused + case t.name
        when 'requests' then (select coalesce(sum(r.refused), 0) from private.limits_requests r)
        else (select coalesce(sum(a.refused), 0) from private.limits_attempts a)
      end as value,
      jsonb_build_object('kind', t.name) as labels
    from private.limits_totals t$$
);
