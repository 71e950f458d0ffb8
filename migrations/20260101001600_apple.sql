-- Apple: signing in with Apple. The function api speaks with Apple and verifies what it says; here a
-- state and a code are good once, and an Apple account is bound to one person.

select private.declare_notification('apple.linked', security => true, template => 'auth.identity_linked');
select private.declare_notification('apple.unlinked', security => true, template => 'auth.identity_unlinked');

create table private.apple_identities (
  subject text primary key check (char_length(subject) between 1 and 255),
  id uuid not null unique default private.uuid_v7(),
  person_id uuid not null references public.people (id) on delete cascade,
  relay boolean not null,
  created_at timestamptz not null default now(),
  last_used_at timestamptz not null default now()
);
comment on table private.apple_identities is
  'Apple accounts by the name that Apple has for them with us, and whose they are. That name stays whatever becomes of the address.';
comment on column private.apple_identities.relay is
  'Apple hides the person''s own address behind one that it forwards for.';
create index apple_identities_person on private.apple_identities (person_id);

create table private.apple_states (
  state text primary key check (state ~ '^[0-9a-f]{64}$'),
  nonce text not null,
  code_verifier text not null,
  redirect_to text not null check (char_length(redirect_to) <= 2048),
  app_challenge text not null check (app_challenge ~ '^[A-Za-z0-9_-]{43}$'),
  expires_at timestamptz not null default now() + interval '10 minutes'
);
comment on table private.apple_states is
  'Sign-ins that are at Apple now, by the digest of the state that comes back with them. Each comes back once.';
comment on column private.apple_states.app_challenge is
  'SHA-256 of what the app keeps to itself: whoever comes for the session shows it, so that nobody is signed in by a link that somebody else began.';
create index apple_states_expires_at on private.apple_states (expires_at);

create table private.apple_codes (
  code text primary key check (code ~ '^[0-9a-f]{64}$'),
  person_id uuid not null references public.people (id) on delete cascade,
  app_challenge text not null,
  expires_at timestamptz not null default now() + interval '2 minutes'
);
comment on table private.apple_codes is
  'What apps exchange for a session, by its digest: it travels in an address, which a token must not.';
create index apple_codes_person on private.apple_codes (person_id);
create index apple_codes_expires_at on private.apple_codes (expires_at);

insert into private.audit_actions (name, description)
values
  ('APPLE_LINKED', 'An Apple account was bound to a person'),
  ('APPLE_UNLINKED', 'A person signs in by an Apple account no longer');

create function private.apple_digest(secret text)
returns text
language sql
immutable
security invoker
set search_path = ''
as $$
  select encode(sha256(convert_to(apple_digest.secret, 'UTF8')), 'hex');
$$;
comment on function private.apple_digest(text) is 'What is kept of a state or a code.';

create function public.apple_begin(redirect_to text, app_challenge text)
returns jsonb
language plpgsql
volatile
security definer -- nobody else writes states
set search_path = ''
as $$
#variable_conflict use_column
declare
  v_state text := private.passkeys_random();
  v_nonce text := private.passkeys_random();
  v_verifier text := private.passkeys_random();
begin
  insert into private.apple_states (state, nonce, code_verifier, redirect_to, app_challenge)
  values (
    private.apple_digest(v_state), v_nonce, v_verifier, apple_begin.redirect_to,
    apple_begin.app_challenge
  );
  return jsonb_build_object('state', v_state, 'nonce', v_nonce, 'code_verifier', v_verifier);
end;
$$;
comment on function public.apple_begin(text, text) is
  'For the function api, which knows that the address is an app''s: { state, nonce, code_verifier } of a sign-in, good for ten minutes.';
grant execute on function public.apple_begin(text, text) to service_role;

create function public.apple_take(state text)
returns jsonb
language plpgsql
volatile
security definer -- nobody else reads states
set search_path = ''
as $$
#variable_conflict use_column
declare
  v_state private.apple_states;
begin
  delete from private.apple_states s
  where s.state = private.apple_digest(apple_take.state) and s.expires_at > now()
  returning * into v_state;
  if not found then
    raise sqlstate 'PT422' using message = 'apple.state_refused';
  end if;
  return to_jsonb(v_state) - 'state' - 'expires_at';
end;
$$;
comment on function public.apple_take(text) is
  'For the function api: spends a state: { nonce, code_verifier, redirect_to, app_challenge }. Raises apple.state_refused.';
grant execute on function public.apple_take(text) to service_role;

-- Whose Apple account it is. An account of ours is taken for it by address only where both sides
-- have seen that the person reads it: Apple says it verified it, and so did we. Otherwise somebody
-- could sign up with an address that is not theirs and wait for its owner to come by Apple.
create function private.apple_person(subject text, email text, relay boolean, fresh boolean)
returns uuid
language plpgsql
volatile
security definer -- reads auth.users, and nobody else writes identities
set search_path = ''
as $$
#variable_conflict use_column
declare
  v_login auth.users;
  v_person uuid;
begin
  update private.apple_identities i set last_used_at = now()
  where i.subject = apple_person.subject
  returning i.person_id into v_person;
  if found then
    return v_person;
  elsif apple_person.email is null then
    raise sqlstate 'PT422' using message = 'apple.email_required';
  end if;

  select * into v_login from auth.users u
  where u.email = lower(apple_person.email) and u.deleted_at is null and not u.is_sso_user;
  if not found then
    return null;
  elsif v_login.email_confirmed_at is null then
    raise sqlstate 'PT409' using message = 'apple.email_unconfirmed';
  end if;
  insert into private.apple_identities (subject, person_id, relay)
  values (apple_person.subject, v_login.id, apple_person.relay)
  on conflict (subject) do nothing;
  -- Somebody was faster: by now it is known whose it is.
  if not found then
    return private.apple_person(
      apple_person.subject, apple_person.email, apple_person.relay, apple_person.fresh
    );
  end if;
  perform private.audit('APPLE_LINKED', 'people:' || v_login.id, actor => v_login.id);
  if not apple_person.fresh then
    perform private.notify(
      v_login.id, 'apple.linked', jsonb_build_object('provider', 'Apple')
    );
  end if;
  return v_login.id;
end;
$$;
comment on function private.apple_person(text, text, boolean, boolean) is
  'The person of an Apple account, bound to it now where an account of ours has the same address, which both sides have verified. Null: there is nobody yet. Raises apple.email_required (also for an address that Apple has not verified, which is passed as null), apple.email_unconfirmed.';

create function public.apple_signed_in(
  subject text, email text, relay boolean, app_challenge text, fresh boolean default false
)
returns jsonb
language plpgsql
volatile
security definer -- nobody else writes codes
set search_path = ''
as $$
#variable_conflict use_column
declare
  v_person uuid := private.apple_person(
    apple_signed_in.subject, apple_signed_in.email, apple_signed_in.relay, apple_signed_in.fresh
  );
  v_code text := private.passkeys_random();
begin
  if v_person is null then
    return jsonb_build_object('code', null);
  end if;
  insert into private.apple_codes (code, person_id, app_challenge)
  values (private.apple_digest(v_code), v_person, apple_signed_in.app_challenge);
  return jsonb_build_object('code', v_code);
end;
$$;
comment on function public.apple_signed_in(text, text, boolean, text, boolean) is
  'For the function api, which verified what Apple says: a code for the person''s app, good for two minutes: { code }; null where there is nobody yet. fresh: the account was made for this sign-in, so nobody need be told. Raises apple.email_required, apple.email_unconfirmed.';
grant execute on function public.apple_signed_in(text, text, boolean, text, boolean) to service_role;

create function public.apple_redeem(code text, app_challenge text)
returns uuid
language plpgsql
volatile
security definer -- nobody else reads codes
set search_path = ''
as $$
#variable_conflict use_column
declare
  v_code private.apple_codes;
begin
  delete from private.apple_codes c where c.code = private.apple_digest(apple_redeem.code)
  returning * into v_code;
  -- It does not raise for who cannot show the rest: the code is spent by then.
  return case
    when v_code.expires_at > now() and v_code.app_challenge = apple_redeem.app_challenge
      then v_code.person_id
  end;
end;
$$;
comment on function public.apple_redeem(text, text) is
  'For the function api: spends a code. Whose session it is; null where the code is unknown, used or too old, or belongs to another app.';
grant execute on function public.apple_redeem(text, text) to service_role;

create function public.apple_unlink(identity uuid)
returns boolean
language plpgsql
volatile
security definer -- nobody else writes identities
set search_path = ''
as $$
#variable_conflict use_column
declare
  v_person uuid := private.require_recent_proof();
begin
  delete from private.apple_identities i
  where i.id = apple_unlink.identity and i.person_id = v_person;
  if not found then
    return false;
  end if;
  delete from private.apple_codes c where c.person_id = v_person;
  perform private.audit('APPLE_UNLINKED', 'people:' || v_person);
  perform private.notify(v_person, 'apple.unlinked', jsonb_build_object('provider', 'Apple'));
  return true;
end;
$$;
comment on function public.apple_unlink(uuid) is
  'The caller signs in by this Apple account no longer; the way by mail remains. False where they have no such one. Raises auth.*, two_factor.required, two_factor.recent_required, accounts.reauthentication_required.';
grant execute on function public.apple_unlink(uuid) to authenticated;

create function private.apple_on_person_erased()
returns trigger
language plpgsql
volatile
security definer -- nobody else writes identities
set search_path = ''
as $$
begin
  delete from private.apple_identities i where i.person_id = new.id;
  delete from private.apple_codes c where c.person_id = new.id;
  return null;
end;
$$;
comment on function private.apple_on_person_erased() is 'After a person was erased: their Apple account is nobody''s.';

create trigger apple_on_person_erased after update of erased_at on public.people
  for each row when (old.erased_at is null and new.erased_at is not null)
  execute function private.apple_on_person_erased();

create function private.apple_forget_old()
returns bigint
language sql
volatile
security definer -- nobody else writes states and codes
set search_path = ''
as $$
  with states as (
    delete from private.apple_states s where s.expires_at <= now() returning 1
  ), codes as (
    delete from private.apple_codes c where c.expires_at <= now() returning 1
  )
  select (select count(*) from states) + (select count(*) from codes);
$$;
comment on function private.apple_forget_old() is
  'Removes states and codes that ran out. Returns how many.';

select private.schedule('apple-forget-old', '*/10 * * * *', 'select private.apple_forget_old()');
