-- Tenants: the communities, the modules they switch on, and the reserved tenant that holds the
-- operators. Who may do what in a tenant follows in members.

-- Modules
create table public.modules (
  slug text primary key,
  switchable boolean not null default true
);
comment on table public.modules is
  'Capabilities by slug. What is not switchable is part of every tenant.';

insert into public.modules (slug, switchable)
select slug, false
from unnest(array[
  'tenants', 'people', 'members', 'admin', 'invitations', 'locations', 'audit', 'jobs', 'limits',
  'accounts', 'sessions', 'device_codes', 'api_keys', 'two_factor', 'passkeys', 'files',
  'notifications', 'push', 'privacy', 'moderation', 'operations'
]) slug;

insert into public.modules (slug)
select unnest(array[
  'wallet', 'listings', 'exchanges', 'feed', 'groups', 'events', 'messaging', 'newsletters',
  'gamification', 'documents', 'catalog', 'watch', 'parental', 'stations', 'reservations', 'shop',
  'loyalty', 'companions', 'federation', 'safeguarding', 'abuse', 'goals', 'volunteering'
]);

alter table public.modules enable row level security;
create policy modules_select_everybody on public.modules
  for select to authenticated
  using (true);
grant select on public.modules to authenticated, service_role;

-- Tenants
create table public.tenants (
  id uuid primary key default private.uuid_v7(),
  parent_id uuid references public.tenants (id) on delete restrict,
  path uuid[] not null,
  slug text not null unique check (slug ~ '^[a-z][a-z0-9-]{0,38}[a-z0-9]$'),
  name text not null check (char_length(btrim(name)) between 1 and 120),
  logo_url text check (logo_url ~ '^https?://' and char_length(logo_url) <= 2048),
  time_zone text not null default 'UTC',
  locale text not null default 'en'
    check (locale ~ '^[a-z]{2,3}(-[A-Za-z0-9]{2,8})*$' and char_length(locale) <= 35),
  modules text[] not null default '{}',
  settings jsonb not null default '{}'
    check (jsonb_typeof(settings) = 'object' and octet_length(settings::text) <= 65536),
  registration_policy text not null default 'approval'
    check (registration_policy in ('open', 'approval', 'invitation', 'domain', 'documents')),
  app_url text check (app_url ~ '^https?://' and char_length(app_url) <= 2048),
  version integer not null default 1,
  created_at timestamptz not null default now(),
  updated_at timestamptz not null default now(),
  check (cardinality(path) between 1 and 4 and path[cardinality(path)] = id),
  check (coalesce(path[cardinality(path) - 1] = parent_id, parent_id is null and cardinality(path) = 1))
);
create index tenants_parent on public.tenants (parent_id) where parent_id is not null;
comment on table public.tenants is 'One community. Its rows elsewhere carry its id first in every key.';
comment on column public.tenants.path is
  'From the topmost tenant down to this one itself: never empty, so that nothing is below nothing.';
comment on column public.tenants.settings is
  'What the tenant chose, by capability. Every member reads it: no secrets, no personal data; those have tables of their own.';
comment on column public.tenants.modules is 'Slugs of the switchable modules that are on.';
comment on column public.tenants.registration_policy is
  'How people join: open, approval (an admin decides), invitation, domain (of the e-mail address), documents.';

create function private.check_time_zone(name text)
returns void
language plpgsql
stable
security invoker
set search_path = ''
as $$
begin
  if check_time_zone.name is null or char_length(check_time_zone.name) > 64 then
    raise sqlstate 'PT422' using message = 'request.invalid', detail = 'time_zone';
  end if;
  -- The list of names is read from disk; converting a time asks only for the one.
  perform now() at time zone check_time_zone.name;
exception when invalid_parameter_value then
  raise sqlstate 'PT422' using
    message = 'request.invalid', detail = format('time_zone: %s is unknown', check_time_zone.name);
end;
$$;
comment on function private.check_time_zone(text) is 'Raises request.invalid for a time zone that Postgres does not know.';

create function private.tenants_fault(tenant public.tenants)
returns text
language sql
stable
security invoker
set search_path = ''
as $$
  -- The table's own checks say the same, but an admin who writes past them gets no code from them.
  select case
    when coalesce(char_length(tenant.name), 0) not between 1 and 120 then 'name'
    when tenant.logo_url !~ '^https?://' or char_length(tenant.logo_url) > 2048 then 'logo_url'
    when tenant.locale is null or tenant.locale !~ '^[a-z]{2,3}(-[A-Za-z0-9]{2,8})*$'
      or char_length(tenant.locale) > 35 then 'locale'
    when tenant.modules is null or cardinality(tenant.modules) > 100 then 'modules'
    when jsonb_typeof(tenant.settings) is distinct from 'object'
      or octet_length(tenant.settings::text) > 65536 then 'settings'
    when tenant.registration_policy is null
      or tenant.registration_policy not in ('open', 'approval', 'invitation', 'domain', 'documents')
      then 'registration_policy'
    when tenant.app_url !~ '^https?://' or char_length(tenant.app_url) > 2048 then 'app_url'
  end;
$$;
comment on function private.tenants_fault(public.tenants) is
  'The first column that a client may write and that has a bad value; null when all are good.';

create function private.settings_fault(settings jsonb)
returns text
language sql
immutable
security invoker
set search_path = ''
as $$
  -- Members read the settings. What looks like a secret belongs in a table of its own, or the vault.
  select format('settings: %s looks like a secret, and members read it', key #>> '{}')
  from jsonb_path_query(settings, '$.** ? (@.type() == "object").keyvalue().key') key
  where key #>> '{}' ~* '(^|_)(password|secret|token|api_?key|private_?key|credentials?)$'
  limit 1;
$$;
comment on function private.settings_fault(jsonb) is
  'The first key of a tenant''s settings that has no place in them; null when all are good.';

create function private.tenants_check()
returns trigger
language plpgsql
volatile
security definer -- reads the module list whatever the writer may see
set search_path = ''
as $$
declare
  v_fault text;
  v_unknown text;
begin
  new.name := btrim(new.name);
  v_fault := coalesce(private.tenants_fault(new), private.settings_fault(new.settings));
  if v_fault is not null then
    raise sqlstate 'PT422' using message = 'request.invalid', detail = v_fault;
  end if;
  perform private.check_time_zone(new.time_zone);
  select m.slug into v_unknown
  from unnest(new.modules) m(slug)
  where not exists (select from public.modules known where known.slug = m.slug and known.switchable)
  limit 1;
  if found then
    raise sqlstate 'PT422' using
      message = 'tenants.module_unknown', detail = format('modules: %s', v_unknown);
  end if;
  new.modules := array(
    select m.slug from unnest(new.modules) with ordinality m(slug, position)
    group by m.slug
    order by min(m.position)
  );
  return new;
end;
$$;
comment on function private.tenants_check() is
  'Before insert or update: good values, known time zone, known modules, each once.';

create function private.tenants_place()
returns trigger
language plpgsql
volatile
security definer -- reads the parent whatever the writer may see
set search_path = ''
as $$
begin
  if tg_op = 'UPDATE' then
    -- Rights of the parent hang on it, and on nothing that a member may write.
    new.parent_id := old.parent_id;
    new.path := old.path;
  else
    new.path := coalesce((select t.path from public.tenants t where t.id = new.parent_id), '{}') || new.id;
  end if;
  return new;
end;
$$;
comment on function private.tenants_place() is
  'Before insert or update: a tenant stands where it was made, below its parent or on top.';

create trigger tenants_place before insert or update of parent_id, path on public.tenants
  for each row execute function private.tenants_place();
create trigger tenants_check before insert or update on public.tenants
  for each row execute function private.tenants_check();
create trigger tenants_version before update on public.tenants
  for each row execute function private.bump_version();

-- The operators' tenant. Its id is a constant so that asking for it costs nothing.
create function private.platform()
returns uuid
language sql
immutable
security invoker
set search_path = ''
as $$
  select '00000000-0000-7000-8000-000000000001'::uuid;
$$;
comment on function private.platform() is 'The id of the reserved tenant whose members are the operators.';
grant execute on function private.platform() to authenticated, service_role;

insert into public.tenants (id, slug, name, registration_policy)
values (private.platform(), 'platform', 'Platform', 'invitation');

alter table public.tenants enable row level security;

create function private.setting(
  tenant_id uuid, capability text, name text, usual integer, lowest integer, highest integer
)
returns integer
language plpgsql
stable
security definer -- reads tenants past their policies
set search_path = ''
as $$
declare
  v_value jsonb;
begin
  select t.settings -> capability -> setting.name into v_value
  from public.tenants t where t.id = setting.tenant_id;
  if jsonb_typeof(v_value) = 'number' and v_value::numeric between lowest and highest then
    return v_value::numeric::integer;
  end if;
  return usual;
end;
$$;
comment on function private.setting(uuid, text, text, integer, integer, integer) is
  'What the tenant says under settings.<capability>.<name>, where it is a number within reason; else the usual.';

-- The card: what a stranger may know in order to join.
create type public.tenant_card as (
  slug text,
  name text,
  logo text,
  registration_policy text
);

create function public.tenants_card(slug text)
returns public.tenant_card
language plpgsql
stable
security definer -- anon has no right on tenants
set search_path = ''
as $$
#variable_conflict use_column
declare
  v_card public.tenant_card;
begin
  select t.slug, t.name, t.logo_url, t.registration_policy into v_card
  from public.tenants t
  where t.slug = tenants_card.slug and t.id <> private.platform();
  if not found then
    raise sqlstate 'PT404' using message = 'tenants.not_found';
  end if;
  return v_card;
end;
$$;
comment on function public.tenants_card(text) is
  'Slug, name, logo and registration policy of a tenant, for anybody. Raises tenants.not_found.';
grant execute on function public.tenants_card(text) to anon, authenticated, service_role;
