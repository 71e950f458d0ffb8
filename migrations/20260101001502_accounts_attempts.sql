-- Accounts, attempts: what is counted before a secret is looked at, and before a mail goes out. Each
-- count is a committed call of its own in a logged table; an address that nobody has is counted like
-- one that somebody has. No count ever ends a session.

create table private.accounts_failures (
  address_key text primary key check (address_key ~ '^[0-9a-f]{64}$'),
  failures integer not null default 1,
  failed_at timestamptz not null default now()
);
comment on table private.accounts_failures is
  'Failed logins in a row, by address. After a hundred a password opens nothing until it is reset.';
create index accounts_failures_failed_at on private.accounts_failures (failed_at);

create table private.accounts_rates (
  act text not null check (act in ('register', 'resend', 'forgot', 'login')),
  counted_by text not null check (counted_by in ('ip', 'address')),
  quota integer not null,
  period interval not null,
  primary key (act, counted_by)
);
comment on table private.accounts_rates is 'How often an act may be tried, by client and by mail address.';
insert into private.accounts_rates (act, counted_by, quota, period)
values
  ('register', 'ip', 5, '1 hour'), ('register', 'address', 5, '1 hour'),
  ('resend', 'ip', 20, '1 hour'), ('resend', 'address', 3, '1 hour'),
  ('forgot', 'ip', 20, '1 hour'), ('forgot', 'address', 3, '1 hour'),
  ('login', 'ip', 5, '15 minutes'), ('login', 'address', 5, '15 minutes');

create function private.accounts_attempt_key(act text, counted_by text, email text, client text)
returns text
language sql
immutable
security invoker
set search_path = ''
as $$
  select format(
    '%s_%s:%s', act, counted_by,
    case
      when counted_by <> 'ip' then private.accounts_address_key(email)
      -- One network has many spellings, and the functions write it in another than Postgres.
      when client like '%::/64' then client::cidr::text
      else coalesce(client, 'unknown')
    end
  );
$$;
comment on function private.accounts_attempt_key(text, text, text, text) is 'The key that attempts are counted under.';

create function private.accounts_count_failure(email text)
returns boolean
language plpgsql
volatile
security definer -- nobody else writes failures
set search_path = ''
as $$
#variable_conflict use_column
declare
  v_failures integer;
begin
  insert into private.accounts_failures as f (address_key)
  values (private.accounts_address_key(email))
  on conflict (address_key) do update
  set failures = least(f.failures + 1, 101), failed_at = now()
  returning f.failures into v_failures;
  return v_failures <= 100;
end;
$$;
comment on function private.accounts_count_failure(text) is
  'Counts a login as failed until it succeeds; false from the hundred-and-first in a row on.';

create function public.accounts_attempt(act text, email text, client text)
returns public.limits_verdict
language plpgsql
volatile
security definer -- nobody else writes the counters
set search_path = ''
as $$
#variable_conflict use_column
declare
  v_rate private.accounts_rates;
  v_verdict public.limits_verdict;
begin
  -- The client first: one that is refused must not use up what the owner of an address may try.
  for v_rate in
    select * from private.accounts_rates r where r.act = accounts_attempt.act order by r.counted_by desc
  loop
    v_verdict := private.count_attempt(
      private.accounts_attempt_key(act, v_rate.counted_by, email, client), v_rate.quota, v_rate.period
    );
    exit when not v_verdict.allowed;
  end loop;
  if act = 'login' and v_verdict.allowed and not private.accounts_count_failure(email) then
    v_verdict.allowed := false;
    v_verdict.remaining := 0;
    v_verdict.retry_after := 86400;
  end if;
  return v_verdict;
end;
$$;
comment on function public.accounts_attempt(text, text, text) is
  'For the function api: counts an act (register, resend, forgot, login) of a client at an address, committed before it is done. A login counts as failed until accounts_login_succeeded says otherwise.';
grant execute on function public.accounts_attempt(text, text, text) to service_role;

-- Who signs up at Auth directly is counted with those who come through us.
create function private.accounts_before_user_created(event jsonb)
returns jsonb
language plpgsql
volatile
security definer -- nobody else writes the counters
set search_path = ''
as $$
declare
  v_address text := event -> 'metadata' ->> 'ip_address';
  v_client text;
  v_verdict public.limits_verdict;
begin
  -- Who comes by a provider proved themselves there.
  if event -> 'user' -> 'app_metadata' ->> 'provider' is distinct from 'email' then
    return jsonb '{}';
  end if;
  -- Without the zone, by which a link-local address names one of the server's own interfaces.
  v_client := host(split_part(v_address, '%', 1)::inet);
  if family(v_client::inet) = 6 then
    v_client := network(set_masklen(v_client::inet, 64))::text;
  end if;
  select v.* into v_verdict
  from private.accounts_rates r,
    private.count_attempt(
      private.accounts_attempt_key('register', 'ip', null, v_client), r.quota, r.period
    ) v
  where r.act = 'register' and r.counted_by = 'ip';
  if v_verdict.allowed then
    return jsonb '{}';
  end if;
  return jsonb_build_object(
    'error', jsonb_build_object('http_code', 429, 'message', 'limits.exceeded')
  );
exception when invalid_text_representation then
  return jsonb '{}'; -- Auth knows no address of the client, so there is none to count by
end;
$$;
comment on function private.accounts_before_user_created(jsonb) is
  'Auth''s hook before it makes a login for who signs up: five an hour for a client, together with POST /auth/register. Answers 429 limits.exceeded.';
grant usage on schema private to supabase_auth_admin;
grant execute on function private.accounts_before_user_created(jsonb) to supabase_auth_admin;

create function private.accounts_forgive(email text)
returns void
language sql
volatile
security definer -- nobody else writes the counters
set search_path = ''
as $$
  select private.forget_attempts(private.accounts_attempt_key('login', 'address', email, null));
  delete from private.accounts_failures f where f.address_key = private.accounts_address_key(email);
$$;
comment on function private.accounts_forgive(text) is
  'Starts the failed logins of an address anew: the right password was given, or a new one set.';

create function private.accounts_forget_failures()
returns bigint
language sql
volatile
security definer -- nobody else writes failures
set search_path = ''
as $$
  -- A hundred in a row stay a hundred for an address that somebody has, however slowly they come.
  with gone as (
    delete from private.accounts_failures f
    where f.failed_at < now() - interval '90 days' and not exists (
      select from auth.users u where private.accounts_address_key(u.email) = f.address_key
    )
    returning 1
  )
  select count(*) from gone;
$$;
comment on function private.accounts_forget_failures() is
  'Failures at addresses that nobody has go after 90 days. Returns how many went.';
select private.schedule('accounts-forget-failures', '53 4 * * *', 'select private.accounts_forget_failures()');
