-- Locations: the places of a tenant, such as the houses of one café, one below another. A role acts
-- everywhere, or at the places its members were given; who was given none acts nowhere.

create table public.locations (
  tenant_id uuid not null references public.tenants (id) on delete restrict,
  id uuid not null default private.uuid_v7(),
  parent_id uuid,
  path uuid[] not null,
  name text not null check (char_length(btrim(name)) between 1 and 120),
  address text check (char_length(address) between 1 and 300),
  time_zone text,
  closed_at timestamptz,
  created_at timestamptz not null default now(),
  updated_at timestamptz not null default now(),
  primary key (tenant_id, id),
  foreign key (tenant_id, parent_id) references public.locations (tenant_id, id) on delete restrict,
  check (cardinality(path) between 1 and 6 and path[cardinality(path)] = id),
  check (coalesce(path[cardinality(path) - 1] = parent_id, parent_id is null and cardinality(path) = 1))
);
comment on table public.locations is 'A place of a tenant. Closed ones stay, for what happened there.';
comment on column public.locations.path is 'From the topmost place down to this one itself: never empty, so that nothing is below nothing.';
comment on column public.locations.time_zone is 'Null: the tenant''s.';
create index locations_parent on public.locations (tenant_id, parent_id);

create table public.locations_members (
  tenant_id uuid not null,
  person_id uuid not null,
  location_id uuid not null,
  primary key (tenant_id, person_id, location_id),
  foreign key (tenant_id, person_id) references public.members (tenant_id, person_id) on delete cascade,
  foreign key (tenant_id, location_id) references public.locations (tenant_id, id) on delete cascade
);
comment on table public.locations_members is 'At which places, and all below them, a member acts whose role does not act everywhere.';
create index locations_members_location on public.locations_members (tenant_id, location_id);

create trigger locations_touch before update on public.locations
  for each row execute function private.touch();

select private.declare_permission('locations.manage', 'Make and close locations, say who acts where', array['admin']);

insert into private.audit_actions (name, description)
values
  ('LOCATION_SAVED', 'A location was made, changed, closed or opened again'),
  ('LOCATIONS_ASSIGNED', 'Somebody said where a member acts'),
  ('ROLE_SCOPED', 'Somebody said whether a role acts everywhere');

alter table public.locations enable row level security;
create policy locations_select_member on public.locations
  for select to authenticated
  using (tenant_id = any (array(select private.tenants_with('tenants.read'))));
alter table public.locations_members enable row level security;
create policy locations_members_select_member on public.locations_members
  for select to authenticated
  using (
    tenant_id = any (array(select private.tenants_with('tenants.read')))
    and (
      person_id = (select private.person())
      or tenant_id = any (array(select private.tenants_with('locations.manage')))
    )
  );
grant select on public.locations, public.locations_members to authenticated, service_role;

-- The questions
create function private.locations_of(tenant_id uuid, person uuid)
returns setof uuid
language plpgsql
stable
security definer -- reads members and roles past their policies
set search_path = ''
rows 20
as $$
#variable_conflict use_column
begin
  -- One list for both kinds of role, and it holds what was found: a missing row opens nothing.
  return query
    select l.id
    from public.members m
    join public.roles r on r.tenant_id = m.tenant_id and r.slug = m.role
    join public.locations l on l.tenant_id = m.tenant_id
    where m.tenant_id = locations_of.tenant_id and m.person_id = locations_of.person
      and m.status = 'active'
      and (r.everywhere or exists (
        select from public.locations_members lm
        where lm.tenant_id = m.tenant_id and lm.person_id = m.person_id and lm.location_id = any (l.path)
      ));
end;
$$;
comment on function private.locations_of(uuid, uuid) is
  'The locations at which the person acts by their role: all, or those they were given with all below; else none.';

create function private.locations_with(permission text)
returns setof uuid
language plpgsql
stable
security definer -- asks tenants_with and locations_of
set search_path = ''
rows 20
as $$
begin
  return query
    select l.id
    from private.tenants_with(locations_with.permission) t(id)
    cross join lateral private.locations_of(t.id, private.person()) l(id);
end;
$$;
comment on function private.locations_with(text) is
  'Locations at which the caller has the permission now. In policies, beside tenants_with: location_id = any (array(select private.locations_with(''…''))). A row without a location is not among them.';
grant execute on function private.locations_with(text) to authenticated, service_role;

create function private.require_at(tenant_id uuid, permission text, location uuid)
returns uuid
language plpgsql
stable
security definer -- reads locations past their policies
set search_path = ''
as $$
#variable_conflict use_column
declare
  v_person uuid := private.require(require_at.tenant_id, require_at.permission);
begin
  if require_at.location is not null and not exists (
    select from public.locations l
    where l.tenant_id = require_at.tenant_id and l.id = require_at.location
  ) then
    raise sqlstate 'PT404' using message = 'locations.not_found';
  elsif not private.acts_everywhere(require_at.tenant_id, v_person) and (
    require_at.location is null
    or require_at.location not in (select private.locations_of(require_at.tenant_id, v_person))
  ) then
    raise sqlstate 'PT403' using message = 'locations.not_yours';
  end if;
  return v_person;
end;
$$;
comment on function private.require_at(uuid, text, uuid) is
  'As private.require, for an act at a location; null is the tenant as a whole, which is for roles that act everywhere. Raises locations.not_found, locations.not_yours, and what require raises.';

create function private.acts_everywhere(tenant_id uuid, person uuid)
returns boolean
language sql
stable
security definer -- reads members and roles past their policies
set search_path = ''
as $$
  select exists (
    select from public.members m
    join public.roles r on r.tenant_id = m.tenant_id and r.slug = m.role
    where m.tenant_id = acts_everywhere.tenant_id and m.person_id = acts_everywhere.person
      and m.status = 'active' and r.everywhere
  );
$$;
comment on function private.acts_everywhere(uuid, uuid) is
  'Whether the member''s role acts at all locations, also those to come.';
