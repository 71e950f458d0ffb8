-- Passkeys: WebAuthn credentials, for signing in and as a second factor. Signatures are verified by
-- the function api; here a challenge is spent once, a counter only grows, and a session is lifted.

select private.declare_notification('passkeys.' || what, security => true)
from unnest(array['added', 'removed', 'copied']) what;

create table private.passkeys_handles (
  person_id uuid primary key references public.people (id) on delete cascade,
  handle text not null unique check (handle ~ '^[A-Za-z0-9_-]{43}$')
);
comment on table private.passkeys_handles is
  'What authenticators know a person by: random, because an authenticator shows it to whoever holds it.';

create table private.passkeys (
  id uuid primary key default private.uuid_v7(),
  person_id uuid not null references public.people (id) on delete cascade,
  credential_id text not null unique
    check (credential_id ~ '^[A-Za-z0-9_-]+$' and char_length(credential_id) between 22 and 1364),
  rp_id text not null,
  public_key text not null check (public_key ~ '^[A-Za-z0-9_-]+$' and char_length(public_key) <= 2048),
  counter bigint not null check (counter between 0 and 4294967295),
  aaguid uuid not null,
  synced boolean not null,
  backed_up boolean not null,
  transports text[] not null default '{}' check (cardinality(transports) <= 10),
  name text not null check (char_length(btrim(name)) between 1 and 60),
  created_at timestamptz not null default now(),
  last_used_at timestamptz
);
comment on table private.passkeys is 'Credentials that authenticators made, several for a person.';
comment on column private.passkeys.rp_id is
  'The domain it was made for. A browser offers it there and nowhere else, and neither do we take it elsewhere.';
comment on column private.passkeys.counter is
  'The highest the authenticator has shown. Zero for those that do not count, as synced ones.';
comment on column private.passkeys.synced is
  'It may be on several devices of the person: fixed when it is made, unlike backed_up.';
create index passkeys_person on private.passkeys (person_id);

create table private.passkeys_challenges (
  challenge text primary key check (challenge ~ '^[A-Za-z0-9_-]{43}$'),
  purpose text not null check (purpose in ('register', 'login', 'step_up')),
  rp_id text not null,
  origins text[] not null,
  person_id uuid references public.people (id) on delete cascade,
  session_id uuid references auth.sessions (id) on delete cascade,
  expires_at timestamptz not null default now() + interval '5 minutes',
  check ((purpose = 'login') = (session_id is null) and (session_id is null) = (person_id is null))
);
comment on table private.passkeys_challenges is
  'Challenges that were not answered yet. One of a session is answered in that session alone; at login there is none yet.';
create index passkeys_challenges_person on private.passkeys_challenges (person_id);
create index passkeys_challenges_session on private.passkeys_challenges (session_id);
create index passkeys_challenges_expires_at on private.passkeys_challenges (expires_at);

create table private.passkeys_sessions (
  session_id uuid primary key references auth.sessions (id) on delete cascade,
  passkey_id uuid not null references private.passkeys (id) on delete cascade,
  opened boolean not null
);
comment on table private.passkeys_sessions is
  'Which sessions a passkey opened, or verified: they lose that with it.';
create index passkeys_sessions_passkey on private.passkeys_sessions (passkey_id);

insert into private.audit_actions (name, description)
values
  ('PASSKEY_ADDED', 'Somebody added a passkey'),
  ('PASSKEY_COUNTER_REFUSED', 'A passkey showed a counter that it had shown before: there may be a copy of it'),
  ('PASSKEY_REMOVED', 'Somebody removed a passkey'),
  ('PASSKEY_RENAMED', 'Somebody gave a passkey another name'),
  ('PASSKEY_VERIFIED', 'A session was opened or verified by a passkey');

-- Where: a tenant's app says by its address which domain its passkeys are for. In
-- tenants.settings -> 'passkeys' it may name a parent domain (rp_id) and more origins beneath it.
create function private.passkeys_origin_fits(origin text, rp_id text)
returns boolean
language sql
immutable
security invoker
set search_path = ''
as $$
  select case
    -- An Android app is known by its signing key; the domain vouches for it in its own assetlinks.json.
    when origin ~ '^android:apk-key-hash:[A-Za-z0-9_-]{43}$' then true
    -- Browsers offer passkeys on https, and on this machine's own name.
    when origin ~ '^https://[a-z0-9.-]+(:\d{1,5})?$' or origin ~ '^http://localhost(:\d{1,5})?$' then
      right('.' || substring(origin from '^https?://([^:]+)'), char_length(rp_id) + 1) = '.' || rp_id
      and rp_id ~ '^(localhost|([a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?\.)+[a-z][a-z0-9-]{1,62})$'
    else false
  end;
$$;
comment on function private.passkeys_origin_fits(text, text) is
  'Whether passkeys of the domain may be used at the origin: the domain itself or one beneath it.';

create function private.passkeys_app_origin(app_url text)
returns text
language sql
immutable
security invoker
set search_path = ''
as $$
  -- As browsers write it: without the port that the scheme implies.
  select regexp_replace(
    lower(substring(app_url from '^https?://[^/?#]+')), '^(https(?=.*:443$)|http(?=.*:80$))(://.*):\d+$', '\1\2'
  );
$$;
comment on function private.passkeys_app_origin(text) is 'The origin of an address of an app.';

create function private.passkeys_domain(tenant public.tenants)
returns jsonb
language sql
immutable
security invoker
set search_path = ''
as $$
  select jsonb_build_object(
    'rp_id', d.rp_id,
    'rp_name', tenant.name,
    'origins', jsonb_build_array(d.origin) || coalesce(tenant.settings #> '{passkeys,origins}', '[]')
  )
  from (
    select app.origin,
      coalesce(
        tenant.settings #>> '{passkeys,rp_id}', substring(app.origin from '^https?://([^:]+)')
      ) as rp_id
    from private.passkeys_app_origin(tenant.app_url) app(origin)
  ) d
  where private.passkeys_origin_fits(d.origin, d.rp_id);
$$;
comment on function private.passkeys_domain(public.tenants) is
  'What the tenant''s passkeys are for: { rp_id, rp_name, origins }; null where its app has no address that could have any.';

create function private.passkeys_require_domain(tenant text)
returns jsonb
language plpgsql
stable
security definer -- reads tenants past their policies
set search_path = ''
as $$
#variable_conflict use_column
declare
  v_tenant public.tenants;
  v_domain jsonb;
begin
  select * into v_tenant from public.tenants t where t.slug = passkeys_require_domain.tenant;
  if not found then
    raise sqlstate 'PT404' using message = 'tenants.not_found';
  end if;
  v_domain := private.passkeys_domain(v_tenant);
  if v_domain is null then
    raise sqlstate 'PT409' using message = 'passkeys.no_domain';
  end if;
  return v_domain;
end;
$$;
comment on function private.passkeys_require_domain(text) is
  'The domain of a tenant''s passkeys, by its slug. Raises tenants.not_found, passkeys.no_domain.';

create function private.passkeys_check_settings()
returns trigger
language plpgsql
volatile
security definer -- asks helpers that are closed to clients
set search_path = ''
as $$
declare
  v_settings jsonb := new.settings -> 'passkeys';
  v_origins jsonb := coalesce(v_settings -> 'origins', '[]');
  v_domain jsonb;
begin
  if jsonb_typeof(v_settings) <> 'object' or jsonb_typeof(v_origins) <> 'array'
    or coalesce(jsonb_typeof(v_settings -> 'rp_id'), 'string') <> 'string' then
    raise sqlstate 'PT422' using message = 'request.invalid', detail = 'settings.passkeys';
  end if;
  v_domain := private.passkeys_domain(new);
  if v_domain is null or jsonb_array_length(v_origins) > 20
    or exists (select from jsonb_object_keys(v_settings) k(name) where k.name not in ('rp_id', 'origins'))
    or exists (
      select from jsonb_array_elements(v_origins) o(origin)
      where jsonb_typeof(o.origin) <> 'string'
        or not private.passkeys_origin_fits(o.origin #>> '{}', v_domain ->> 'rp_id')
    ) then
    raise sqlstate 'PT422' using message = 'request.invalid', detail = 'settings.passkeys';
  end if;
  return new;
end;
$$;
comment on function private.passkeys_check_settings() is
  'Before insert or update on tenants: the domain is the app''s own or a parent of it, and each origin lies beneath it.';

create trigger passkeys_check_settings before insert or update of settings, app_url on public.tenants
  for each row when (new.settings ? 'passkeys')
  execute function private.passkeys_check_settings();

-- Challenges
create function private.passkeys_random()
returns text
language sql
volatile
security invoker
set search_path = ''
as $$
  select translate(encode(extensions.gen_random_bytes(32), 'base64'), '+/=', '-_');
$$;
comment on function private.passkeys_random() is '256 random bits as base64url.';

create function private.passkeys_challenge(
  purpose text, domain jsonb, person uuid default null, session uuid default null
)
returns text
language sql
volatile
security definer -- nobody else writes challenges
set search_path = ''
as $$
  insert into private.passkeys_challenges (challenge, purpose, rp_id, origins, person_id, session_id)
  select private.passkeys_random(), passkeys_challenge.purpose, domain ->> 'rp_id',
    array(select jsonb_array_elements_text(domain -> 'origins')),
    passkeys_challenge.person, passkeys_challenge.session
  returning challenge;
$$;
comment on function private.passkeys_challenge(text, jsonb, uuid, uuid) is
  'A new challenge, good for five minutes, once, in this session.';

create function private.passkeys_take(
  challenge text, purpose text, person uuid, session uuid, credential text
)
returns jsonb
language plpgsql
volatile
security definer -- nobody else reads challenges and credentials
set search_path = ''
as $$
#variable_conflict use_column
declare
  v_challenge private.passkeys_challenges;
begin
  delete from private.passkeys_challenges c
  where c.challenge = passkeys_take.challenge and c.purpose = passkeys_take.purpose
    and c.person_id is not distinct from passkeys_take.person
    and c.session_id is not distinct from passkeys_take.session
    and c.expires_at > now()
  returning * into v_challenge;
  if not found then
    raise sqlstate 'PT422' using message = 'passkeys.refused';
  end if;
  -- What is wrong from here on must not raise: the challenge is spent, whatever was sent with it.
  return jsonb_build_object(
    'person_id', v_challenge.person_id,
    'session_id', v_challenge.session_id,
    'rp_id', v_challenge.rp_id,
    'origins', v_challenge.origins,
    'passkey', (
      select to_jsonb(p) || jsonb_build_object('handle', h.handle)
      from private.passkeys p
      join private.passkeys_handles h on h.person_id = p.person_id
      where p.credential_id = passkeys_take.credential and p.rp_id = v_challenge.rp_id
        and p.person_id = coalesce(v_challenge.person_id, p.person_id)
    )
  );
end;
$$;
comment on function private.passkeys_take(text, text, uuid, uuid, text) is
  'Spends a challenge: { person_id, session_id, rp_id, origins, passkey }, the last null where the credential is not known at the domain, or not the person''s. Raises passkeys.refused.';
