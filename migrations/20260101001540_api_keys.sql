-- API keys: what a person gives a program of theirs, for one tenant and the permissions they name. A
-- key opens sessions that are bound to that, so that every door of the product takes it.

select private.declare_permission(
  'api_keys.create', 'Make API keys with one''s own permissions', array['admin', 'staff']
);
select private.declare_permission(
  'api_keys.manage', 'See and revoke everybody''s API keys', array['admin']
);
select private.declare_notification('api_keys.' || what, security => true)
from unnest(array['created', 'new_network', 'returned']) what;

create table public.api_keys (
  tenant_id uuid not null references public.tenants (id) on delete cascade,
  id uuid not null default private.uuid_v7(),
  person_id uuid not null references public.people (id) on delete cascade,
  name text not null check (char_length(btrim(name)) between 1 and 80),
  hint text not null check (char_length(hint) = 4),
  permissions text[] not null check (cardinality(permissions) between 1 and 50),
  read_only boolean not null,
  requests_per_minute integer not null default 120 check (requests_per_minute between 1 and 300),
  expires_at timestamptz not null,
  last_used_at timestamptz,
  revoked_at timestamptz,
  created_at timestamptz not null default now(),
  primary key (tenant_id, id)
);
comment on table public.api_keys is 'API keys, without what they are: that is shown once.';
comment on column public.api_keys.hint is 'How the key ends, so that its owner knows which one it is.';
comment on column public.api_keys.requests_per_minute is
  'What the functions take of it, within what they take of its person: a program that runs wild leaves them the rest.';
comment on column public.api_keys.last_used_at is 'When it last opened something, to within five minutes.';
create index api_keys_person on public.api_keys (tenant_id, person_id);
create index api_keys_person_everywhere on public.api_keys (person_id);

create table private.api_keys_secrets (
  tenant_id uuid not null,
  id uuid not null,
  digest text not null check (digest ~ '^[0-9a-f]{64}$'),
  session_id uuid,
  sealed text check (char_length(sealed) <= 12000),
  good_until timestamptz,
  told_at timestamptz,
  primary key (tenant_id, id),
  foreign key (tenant_id, id) references public.api_keys (tenant_id, id) on delete cascade
);
comment on table private.api_keys_secrets is 'What a key is known by (SHA-256), and its present session.';
comment on column private.api_keys_secrets.sealed is
  'The access token of that session, encrypted by the key itself: whoever reads it here has no use of it, and all instances of the functions share one session.';
comment on column private.api_keys_secrets.told_at is
  'When its owner was last told of a use that was unlike those before: once a day at most.';
create index api_keys_secrets_digest on private.api_keys_secrets (digest);

create table private.api_keys_sessions (
  tenant_id uuid not null,
  id uuid not null,
  session_id uuid not null references private.trust_apart (session_id) on delete cascade,
  primary key (tenant_id, id, session_id),
  foreign key (tenant_id, id) references public.api_keys (tenant_id, id) on delete cascade
);
comment on table private.api_keys_sessions is 'Sessions that a key opened: they end with it.';
create index api_keys_sessions_session on private.api_keys_sessions (session_id);

insert into private.audit_actions (name, description)
values
  ('API_KEY_CREATED', 'Somebody made an API key'),
  ('API_KEY_REVOKED', 'An API key was revoked');

alter table public.api_keys enable row level security;
create policy api_keys_select_owner on public.api_keys
  for select to authenticated
  using (
    tenant_id = any (array(select private.tenants_with('tenants.read')))
    and (
      person_id = (select private.person())
      or tenant_id = any (array(select private.tenants_with('api_keys.manage')))
    )
  );
grant select on public.api_keys to authenticated, service_role;

-- Making one
create function private.api_keys_check(tenant_id uuid, key public.api_keys)
returns void
language plpgsql
volatile
security definer -- asks private.require
set search_path = ''
as $$
#variable_conflict use_column
declare
  v_permission text;
begin
  if coalesce(char_length(btrim(key.name)), 0) not between 1 and 80 then
    raise sqlstate 'PT422' using message = 'request.invalid', detail = 'name';
  elsif coalesce(cardinality(key.permissions), 0) not between 1 and 50 then
    raise sqlstate 'PT422' using message = 'request.invalid', detail = 'permissions';
  elsif key.requests_per_minute not between 1 and 300 then
    raise sqlstate 'PT422' using
      message = 'request.invalid', detail = 'requests_per_minute: 1 to 300, as a person has';
  elsif key.expires_at is null or key.expires_at not between now() and now() + interval '1 year' then
    raise sqlstate 'PT422' using message = 'request.invalid', detail = 'expires_at: within a year';
  end if;
  foreach v_permission in array key.permissions loop
    if not exists (select from public.permissions p where p.name = v_permission) then
      raise sqlstate 'PT422' using
        message = 'members.permission_unknown', detail = coalesce(v_permission, 'null');
    end if;
    perform private.require(api_keys_check.tenant_id, v_permission);
  end loop;
end;
$$;
comment on function private.api_keys_check(uuid, public.api_keys) is
  'A key that the caller may make: nobody gives a program a permission they lack. Raises request.invalid, members.permission_unknown, members.permission_denied.';

create function public.api_keys_create(
  tenant_id uuid, name text, permissions text[], expires_at timestamptz, read_only boolean default false,
  requests_per_minute integer default 120
)
returns jsonb
language plpgsql
volatile
security definer -- nobody else writes keys
set search_path = ''
as $$
#variable_conflict use_column
declare
  v_person uuid := private.require(api_keys_create.tenant_id, 'api_keys.create');
  v_secret text := 'nxk_' || encode(uuid_send(gen_random_uuid()) || uuid_send(gen_random_uuid()), 'hex');
  v_key public.api_keys;
begin
  perform private.require_recent_factor();
  v_key.name := btrim(api_keys_create.name);
  v_key.permissions := api_keys_create.permissions;
  v_key.expires_at := api_keys_create.expires_at;
  v_key.requests_per_minute := coalesce(api_keys_create.requests_per_minute, 120);
  perform private.api_keys_check(api_keys_create.tenant_id, v_key);
  -- Whoever makes another at the same moment waits, so that the count holds.
  perform from public.members m
  where m.tenant_id = api_keys_create.tenant_id and m.person_id = v_person
  for no key update;
  if 20 <= (
    select count(*) from public.api_keys k
    where k.tenant_id = api_keys_create.tenant_id and k.person_id = v_person
      and k.revoked_at is null and k.expires_at > now()
  ) then
    raise sqlstate 'PT409' using message = 'api_keys.too_many', detail = '20';
  end if;

  insert into public.api_keys
    (tenant_id, person_id, name, hint, permissions, read_only, requests_per_minute, expires_at)
  values (
    api_keys_create.tenant_id, v_person, v_key.name, right(v_secret, 4), v_key.permissions,
    coalesce(api_keys_create.read_only, false), v_key.requests_per_minute, v_key.expires_at
  )
  returning * into v_key;
  insert into private.api_keys_secrets (tenant_id, id, digest)
  values (v_key.tenant_id, v_key.id, encode(sha256(convert_to(v_secret, 'UTF8')), 'hex'));
  perform private.audit(
    'API_KEY_CREATED', 'api_keys:' || v_key.id, null, to_jsonb(v_key) - 'hint', v_key.tenant_id, v_person
  );
  perform private.notify(
    v_person, 'api_keys.created',
    jsonb_build_object(
      'name', v_key.name, 'tenant', t.name, 'until', to_char(v_key.expires_at at time zone 'UTC', 'YYYY-MM-DD')
    ),
    t.id
  ) from public.tenants t where t.id = v_key.tenant_id;
  return to_jsonb(v_key) || jsonb_build_object('key', v_secret);
end;
$$;
comment on function public.api_keys_create(uuid, text, text[], timestamptz, boolean, integer) is
  'Makes an API key for the tenant with some of the caller''s own permissions (permission api_keys.create, a second factor within five minutes): the row, and key, which is shown this once. Raises two_factor.recent_required, auth.session_bounded, members.permission_denied, members.permission_unknown, api_keys.too_many, request.invalid.';
grant execute on function public.api_keys_create(uuid, text, text[], timestamptz, boolean, integer) to authenticated;
