-- Accounts: what Supabase Auth lacks. All of its own tokens live an hour; here a verification lives a
-- day, a reset an hour, and a code ten minutes. What a token opens, the functions do through Auth's
-- admin API; that it counts once and for whom is decided here.

create table private.accounts_tokens (
  person_id uuid not null references public.people (id) on delete cascade,
  purpose text not null check (purpose in ('verification', 'reset', 'reauthentication')),
  token_digest bytea not null unique check (octet_length(token_digest) = 32),
  code_digest bytea not null check (octet_length(code_digest) = 32),
  expires_at timestamptz not null,
  code_expires_at timestamptz not null,
  used_at timestamptz,
  created_at timestamptz not null default now(),
  primary key (person_id, purpose)
);
comment on table private.accounts_tokens is
  'The latest token and code that a person was mailed for each purpose, as digests. A new one makes the one before void.';
comment on column private.accounts_tokens.code_digest is
  'Salted with the token. Six digits withstand nobody who reads the table, but they live ten minutes.';
create index accounts_tokens_expires_at on private.accounts_tokens (expires_at);

insert into private.audit_actions (name, description)
values
  ('ACCOUNT_DELETION_CANCELLED', 'A person kept the account they had asked to delete'),
  ('ACCOUNT_DELETION_OPENED', 'A person asked to delete their account'),
  ('ACCOUNT_REAUTHENTICATED', 'A session proved once more who it belongs to'),
  ('ACCOUNT_VERIFIED', 'A person proved that their address is theirs');

-- About the account itself, so nobody can switch them off; those with a secret go by mail alone.
select private.declare_notification('accounts.' || what, security => true, outsiders => true)
from unnest(array['welcome', 'password_changed', 'deletion_opened', 'deletion_cancelled']) what;
select private.declare_notification(
  'accounts.' || what, inbox => null, push => null, security => true, outsiders => true
)
from unnest(array[
  'verification', 'reset', 'reauthentication', 'already_registered', 'email_changed'
]) what;

create function private.accounts_digest(value text)
returns bytea
language sql
immutable
security invoker
set search_path = ''
as $$
  select sha256(convert_to(value, 'utf8'));
$$;
comment on function private.accounts_digest(text) is 'SHA-256 of a text: for tokens that are random enough.';

create function private.accounts_address_key(email text)
returns text
language sql
immutable
security invoker
set search_path = ''
as $$
  select encode(private.accounts_digest(lower(btrim(coalesce(email, '')))), 'hex');
$$;
comment on function private.accounts_address_key(text) is
  'What attempts at an address are counted under, known or not: no list of addresses comes of it.';

create function private.accounts_person_of(email text)
returns auth.users
language plpgsql
stable
security definer -- auth.users is closed to clients
set search_path = ''
as $$
#variable_conflict use_column
declare
  v_login auth.users;
begin
  select * into v_login from auth.users u
  where lower(u.email) = lower(btrim(accounts_person_of.email)) and u.deleted_at is null
    and not u.is_sso_user;
  return v_login;
end;
$$;
comment on function private.accounts_person_of(text) is 'The login with this address; null where there is none.';

-- Issuing and redeeming
create function private.accounts_issue(person uuid, purpose text, lifetime interval)
returns jsonb
language plpgsql
volatile
security definer -- nobody else writes tokens
set search_path = ''
as $$
#variable_conflict use_column
declare
  -- 244 random bits.
  v_token text := replace(gen_random_uuid()::text || gen_random_uuid(), '-', '');
  -- Of 48 random bits: no code is likelier than another by more than one part in 2^28.
  v_code text := lpad(
    (('x' || left(encode(sha256(uuid_send(gen_random_uuid())), 'hex'), 12))::bit(48)::bigint % 1000000)::text,
    6, '0'
  );
begin
  insert into private.accounts_tokens (
    person_id, purpose, token_digest, code_digest, expires_at, code_expires_at
  )
  values (
    accounts_issue.person, accounts_issue.purpose, private.accounts_digest(v_token),
    sha256(private.accounts_digest(v_token) || convert_to(v_code, 'utf8')),
    now() + lifetime, now() + least(lifetime, interval '10 minutes')
  )
  on conflict (person_id, purpose) do update
  set token_digest = excluded.token_digest, code_digest = excluded.code_digest,
    expires_at = excluded.expires_at, code_expires_at = excluded.code_expires_at,
    used_at = null, created_at = now();
  return jsonb_build_object('token', v_token, 'code', v_code);
end;
$$;
comment on function private.accounts_issue(uuid, text, interval) is
  'A token and a code for one use, { token, code }, in place of earlier ones of the purpose.';

create function public.accounts_redeem(
  purpose text, token text default null, email text default null, code text default null
)
returns jsonb
language plpgsql
volatile
security definer -- nobody else reads tokens
set search_path = ''
as $$
#variable_conflict use_column
declare
  v_found private.accounts_tokens;
  v_verdict public.limits_verdict;
begin
  if accounts_redeem.token is not null then
    select * into v_found from private.accounts_tokens t
    where t.token_digest = private.accounts_digest(accounts_redeem.token)
      and t.purpose = accounts_redeem.purpose and t.used_at is null and t.expires_at > now()
    for update;
  else
    -- Whatever comes of it, this returns: a try that is rolled back would not have been counted.
    v_verdict := private.count_attempt(
      format('code_%s:%s', accounts_redeem.purpose, private.accounts_address_key(accounts_redeem.email)),
      5, interval '10 minutes'
    );
    if not v_verdict.allowed then
      return jsonb_build_object('person', null, 'retry_after', v_verdict.retry_after);
    end if;
    select * into v_found from private.accounts_tokens t
    where t.person_id = (private.accounts_person_of(accounts_redeem.email)).id
      and t.purpose = accounts_redeem.purpose and t.used_at is null and t.code_expires_at > now()
      and t.code_digest = sha256(t.token_digest || convert_to(accounts_redeem.code, 'utf8'))
    for update;
  end if;
  update private.accounts_tokens t set used_at = now()
  where t.person_id = v_found.person_id and t.purpose = v_found.purpose;
  return jsonb_build_object('person', v_found.person_id, 'retry_after', 0);
end;
$$;
comment on function public.accounts_redeem(text, text, text, text) is
  'For the function api: uses up a token, or the code sent to an address, and says whose it was: { person, retry_after }. Five tries at an address''s code in ten minutes, then retry_after says when to come back.';
grant execute on function public.accounts_redeem(text, text, text, text) to service_role;

create function public.accounts_give_back(purpose text, person uuid)
returns void
language sql
volatile
security definer -- nobody else writes tokens
set search_path = ''
as $$
  update private.accounts_tokens t set used_at = null
  where t.person_id = accounts_give_back.person and t.purpose = accounts_give_back.purpose
    and t.used_at > now() - interval '1 minute';
$$;
comment on function public.accounts_give_back(text, uuid) is
  'For the function api: what was redeemed a moment ago could not be done, and may be tried again.';
grant execute on function public.accounts_give_back(text, uuid) to service_role;

create function private.accounts_forget_tokens()
returns bigint
language sql
volatile
security definer -- nobody else writes tokens
set search_path = ''
as $$
  with gone as (
    delete from private.accounts_tokens t where t.expires_at < now() - interval '1 hour' returning 1
  )
  select count(*) from gone;
$$;
comment on function private.accounts_forget_tokens() is 'Tokens go an hour after they ran out. Returns how many went.';
select private.schedule('accounts-forget-tokens', '23 * * * *', 'select private.accounts_forget_tokens()');
