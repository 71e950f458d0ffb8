-- Safeguarding, vetting: checks that a tenant asks for before somebody has a role or offers something of a
-- kind. That a check was passed is kept, and until when; the papers are not.

create table public.safeguarding_vetting_types (
  tenant_id uuid not null references public.tenants (id) on delete restrict,
  slug text not null check (slug ~ '^[a-z][a-z0-9_]{1,39}$'),
  name text not null check (char_length(btrim(name)) between 1 and 120),
  months integer not null check (months between 1 and 120),
  roles text[] not null default '{}' check (cardinality(roles) <= 20),
  tags text[] not null default '{}' check (cardinality(tags) <= 50),
  updated_at timestamptz not null default now(),
  primary key (tenant_id, slug)
);
comment on table public.safeguarding_vetting_types is
  'Kinds of checks, how long one holds, and for which roles and for listings with which tags it is asked.';
create trigger safeguarding_vetting_types_touch before update on public.safeguarding_vetting_types
  for each row execute function private.touch();

create table public.safeguarding_vettings (
  tenant_id uuid not null,
  id uuid not null default private.uuid_v7(),
  person_id uuid not null,
  type text not null,
  status text not null default 'valid' check (status in ('valid', 'replaced', 'revoked', 'expired')),
  checked_by uuid not null check (checked_by <> person_id),
  expires_at timestamptz not null,
  reminded boolean not null default false,
  created_at timestamptz not null default now(),
  primary key (tenant_id, id),
  foreign key (tenant_id, person_id) references public.members (tenant_id, person_id) on delete restrict,
  foreign key (tenant_id, type)
    references public.safeguarding_vetting_types (tenant_id, slug) on delete restrict
);
comment on table public.safeguarding_vettings is 'Who passed which check, and until when it holds.';
create unique index safeguarding_vettings_valid on public.safeguarding_vettings (tenant_id, person_id, type)
  where status = 'valid';
create index safeguarding_vettings_person on public.safeguarding_vettings (tenant_id, person_id);
create index safeguarding_vettings_type on public.safeguarding_vettings (tenant_id, type);
create index safeguarding_vettings_due on public.safeguarding_vettings (expires_at) where status = 'valid';
insert into private.transitions (machine, from_state, to_state)
select 'safeguarding_vettings', 'valid', unnest(array['replaced', 'revoked', 'expired']);
create trigger safeguarding_vettings_transition before update of status on public.safeguarding_vettings
  for each row execute function private.enforce_transition();

alter table public.safeguarding_vetting_types enable row level security;
create policy safeguarding_vetting_types_select_member on public.safeguarding_vetting_types
  for select to authenticated
  using (tenant_id = any (array(select private.tenants_with('safeguarding.read'))));
alter table public.safeguarding_vettings enable row level security;
create policy safeguarding_vettings_select_concerned on public.safeguarding_vettings
  for select to authenticated
  using (
    tenant_id = any (array(select private.tenants_with('safeguarding.manage')))
    or (
      tenant_id = any (array(select private.tenants_with('safeguarding.read')))
      and person_id = (select private.person())
    )
  );
grant select on public.safeguarding_vetting_types, public.safeguarding_vettings to authenticated, service_role;

create function private.safeguarding_unvetted(tenant_id uuid, person uuid, roles text[], tags text[])
returns text
language plpgsql
stable
security definer -- reads vettings past their policies
set search_path = ''
as $$
begin
  return (
    select t.slug from public.safeguarding_vetting_types t
    join public.tenants n on n.id = t.tenant_id and 'safeguarding' = any (n.modules)
    where t.tenant_id = safeguarding_unvetted.tenant_id
      and (t.roles && safeguarding_unvetted.roles or t.tags && safeguarding_unvetted.tags)
      and not exists (
        select from public.safeguarding_vettings v
        where v.tenant_id = t.tenant_id and v.person_id = safeguarding_unvetted.person and v.type = t.slug
          and v.status = 'valid' and v.expires_at > now()
      )
    order by t.slug limit 1
  );
end;
$$;
comment on function private.safeguarding_unvetted(uuid, uuid, text[], text[]) is
  'A check that is asked for one of these roles or tags and that the person has not passed; null: none.';

create function private.safeguarding_guard_role()
returns trigger
language plpgsql
volatile
security definer -- reads vettings past their policies
set search_path = ''
as $$
declare
  v_missing text := private.safeguarding_unvetted(
    new.tenant_id, new.person_id, string_to_array(new.role, '+') || new.role, '{}'
  );
begin
  if v_missing is not null then
    raise sqlstate 'PT403' using message = 'safeguarding.vetting_required', detail = v_missing;
  end if;
  return new;
end;
$$;
comment on function private.safeguarding_guard_role() is
  'Before a member gets a role: the checks that the tenant asks for it. Raises safeguarding.vetting_required.';
create trigger safeguarding_guard_new_role before insert on public.members
  for each row execute function private.safeguarding_guard_role();
create trigger safeguarding_guard_role before update of role on public.members
  for each row when (new.role <> old.role) execute function private.safeguarding_guard_role();

create function private.safeguarding_guard_listing()
returns trigger
language plpgsql
volatile
security definer -- reads vettings past their policies
set search_path = ''
as $$
declare
  v_missing text := private.safeguarding_unvetted(new.tenant_id, new.owner_id, '{}', new.tags);
begin
  if v_missing is not null then
    raise sqlstate 'PT403' using message = 'safeguarding.vetting_required', detail = v_missing;
  elsif private.safeguarding_restricted(new.tenant_id, new.owner_id, 'listings') then
    raise sqlstate 'PT403' using message = 'safeguarding.restricted', detail = 'listings';
  end if;
  return new;
end;
$$;
comment on function private.safeguarding_guard_listing() is
  'Before a listing is shown or handed in: its owner''s checks and restrictions. Raises safeguarding.vetting_required, safeguarding.restricted.';
create trigger safeguarding_guard_new_listing before insert on public.listings
  for each row when (new.status in ('pending', 'active')) execute function private.safeguarding_guard_listing();
create trigger safeguarding_guard_listing before update of status, tags on public.listings
  for each row when (
    new.status in ('pending', 'active') and (new.status <> old.status or new.tags <> old.tags)
  )
  execute function private.safeguarding_guard_listing();

create function public.safeguarding_vetting_type_save(
  tenant_id uuid, slug text, name text, months integer, roles text[] default '{}', tags text[] default '{}'
)
returns public.safeguarding_vetting_types
language plpgsql
volatile
security definer -- clients may not write rules
set search_path = ''
as $$
#variable_conflict use_column
declare
  v_me uuid := private.require(safeguarding_vetting_type_save.tenant_id, 'safeguarding.rules');
  v_type public.safeguarding_vetting_types;
  v_fault text := case
    when coalesce(slug !~ '^[a-z][a-z0-9_]{1,39}$', true) then 'slug'
    when coalesce(char_length(btrim(name)) not between 1 and 120, true) then 'name: 1 to 120 characters'
    when coalesce(months not between 1 and 120, true) then 'months: 1 to 120'
    when roles is null or cardinality(roles) > 20 or array_position(roles, null) is not null then 'roles'
    when tags is null or cardinality(tags) > 50 or array_position(tags, null) is not null then 'tags'
  end;
begin
  if v_fault is not null then
    raise sqlstate 'PT422' using message = 'request.invalid', detail = v_fault;
  end if;
  insert into public.safeguarding_vetting_types (tenant_id, slug, name, months, roles, tags)
  values (
    safeguarding_vetting_type_save.tenant_id, safeguarding_vetting_type_save.slug,
    btrim(safeguarding_vetting_type_save.name), safeguarding_vetting_type_save.months,
    safeguarding_vetting_type_save.roles, safeguarding_vetting_type_save.tags
  )
  on conflict (tenant_id, slug) do update
  set name = excluded.name, months = excluded.months, roles = excluded.roles, tags = excluded.tags
  returning * into v_type;
  perform private.audit(
    'SAFEGUARDING_VETTING_CHANGED', 'safeguarding_vetting_types:' || v_type.slug, null, to_jsonb(v_type),
    v_type.tenant_id, v_me
  );
  return v_type;
end;
$$;
comment on function public.safeguarding_vetting_type_save(uuid, text, text, integer, text[], text[]) is
  'Makes or changes a kind of check: how many months it holds, and for which roles and tags of listings it is asked from now on (permission safeguarding.rules). Raises request.invalid.';
grant execute on function public.safeguarding_vetting_type_save(uuid, text, text, integer, text[], text[])
  to authenticated;

create function public.safeguarding_vet(tenant_id uuid, person uuid, type text, expires_at timestamptz default null)
returns public.safeguarding_vettings
language plpgsql
volatile
security definer -- clients may not write vettings
set search_path = ''
as $$
#variable_conflict use_column
declare
  v_me uuid := private.require_for(safeguarding_vet.tenant_id, 'safeguarding.manage', person);
  v_type public.safeguarding_vetting_types;
  v_vetting public.safeguarding_vettings;
begin
  select * into v_type from public.safeguarding_vetting_types t
  where t.tenant_id = safeguarding_vet.tenant_id and t.slug = safeguarding_vet.type;
  if not found then
    raise sqlstate 'PT404' using message = 'safeguarding.not_found', detail = 'type';
  elsif not exists (
    select from public.members m where m.tenant_id = v_type.tenant_id and m.person_id = safeguarding_vet.person
  ) then
    raise sqlstate 'PT404' using message = 'members.not_found';
  elsif safeguarding_vet.expires_at not between now() and now() + make_interval(months => v_type.months) then
    raise sqlstate 'PT422' using message = 'request.invalid', detail = 'expires_at: within the months of its type';
  end if;
  update public.safeguarding_vettings v set status = 'replaced'
  where v.tenant_id = v_type.tenant_id and v.person_id = safeguarding_vet.person and v.type = v_type.slug
    and v.status = 'valid';
  insert into public.safeguarding_vettings (tenant_id, person_id, type, checked_by, expires_at)
  values (
    v_type.tenant_id, person, v_type.slug, v_me,
    coalesce(safeguarding_vet.expires_at, now() + make_interval(months => v_type.months))
  )
  returning * into v_vetting;
  perform private.audit(
    'SAFEGUARDING_VETTING_CHANGED', 'safeguarding_vettings:' || v_vetting.id, null, to_jsonb(v_vetting),
    v_vetting.tenant_id, v_me
  );
  return v_vetting;
end;
$$;
comment on function public.safeguarding_vet(uuid, uuid, text, timestamptz) is
  'Records that a member passed a check, in place of the one before; never one''s own (permission safeguarding.manage). Raises safeguarding.not_found, members.not_found, members.not_yourself, request.invalid.';
grant execute on function public.safeguarding_vet(uuid, uuid, text, timestamptz) to authenticated;

create function public.safeguarding_vetting_revoke(tenant_id uuid, vetting uuid)
returns public.safeguarding_vettings
language plpgsql
volatile
security definer -- clients may not write vettings
set search_path = ''
as $$
#variable_conflict use_column
declare
  v_me uuid := private.require(safeguarding_vetting_revoke.tenant_id, 'safeguarding.manage');
  v_vetting public.safeguarding_vettings;
begin
  update public.safeguarding_vettings v set status = 'revoked'
  where v.tenant_id = safeguarding_vetting_revoke.tenant_id and v.id = vetting and v.status = 'valid'
  returning * into v_vetting;
  if not found then
    raise sqlstate 'PT404' using message = 'safeguarding.not_found';
  end if;
  perform private.audit(
    'SAFEGUARDING_VETTING_CHANGED', 'safeguarding_vettings:' || v_vetting.id, null, to_jsonb(v_vetting),
    v_vetting.tenant_id, v_me
  );
  return v_vetting;
end;
$$;
comment on function public.safeguarding_vetting_revoke(uuid, uuid) is
  'Takes a valid vetting back, at once (permission safeguarding.manage). Raises safeguarding.not_found.';
grant execute on function public.safeguarding_vetting_revoke(uuid, uuid) to authenticated;
