-- Locations, acts: the tree of places, and who acts where.

create function private.locations_require(tenant_id uuid, location uuid, parent uuid)
returns void
language plpgsql
stable
security definer -- reads locations past their policies
set search_path = ''
as $$
#variable_conflict use_column
declare
  v_parent uuid;
begin
  if locations_require.location is not null then
    perform private.require_at(locations_require.tenant_id, 'locations.manage', locations_require.location);
    select l.parent_id into v_parent from public.locations l
    where l.tenant_id = locations_require.tenant_id and l.id = locations_require.location;
  end if;
  -- What is new or moves is asked for where it goes; the top belongs to the tenant as a whole.
  if locations_require.location is null or v_parent is distinct from locations_require.parent then
    perform private.require_at(locations_require.tenant_id, 'locations.manage', locations_require.parent);
  end if;
end;
$$;
comment on function private.locations_require(uuid, uuid, uuid) is
  'Raises unless the caller may have this location, new where it is null, below that one. Raises what require_at raises.';

create function public.locations_save(
  tenant_id uuid,
  name text,
  location uuid default null,
  parent uuid default null,
  address text default null,
  time_zone text default null
)
returns public.locations
language plpgsql
volatile
security definer -- nobody else writes locations
set search_path = ''
as $$
#variable_conflict use_column
declare
  v_location public.locations;
  v_path uuid[];
begin
  perform private.locations_require(
    locations_save.tenant_id, locations_save.location, locations_save.parent
  );
  perform private.locations_lock(locations_save.tenant_id);
  if coalesce(char_length(btrim(name)), 0) not between 1 and 120 or char_length(address) not between 1 and 300 then
    raise sqlstate 'PT422' using message = 'request.invalid', detail = 'name or address';
  elsif locations_save.time_zone is not null then
    perform private.check_time_zone(locations_save.time_zone);
  end if;
  select l.path into v_path from public.locations l
  where l.tenant_id = locations_save.tenant_id and l.id = locations_save.parent;
  v_location.id := coalesce(locations_save.location, private.uuid_v7());
  v_path := coalesce(v_path, '{}') || v_location.id;
  if locations_save.parent is not null and v_location.id = any (v_path[:cardinality(v_path) - 1]) then
    raise sqlstate 'PT422' using message = 'request.invalid', detail = 'parent: below itself';
  end if;

  insert into public.locations (tenant_id, id, parent_id, path, name, address, time_zone)
  values (
    locations_save.tenant_id, v_location.id, locations_save.parent, v_path, btrim(locations_save.name),
    locations_save.address, locations_save.time_zone
  )
  on conflict (tenant_id, id) do update
    set parent_id = excluded.parent_id, path = excluded.path, name = excluded.name,
      address = excluded.address, time_zone = excluded.time_zone
  returning * into v_location;
  perform private.locations_move_below(v_location);
  perform private.audit(
    'LOCATION_SAVED', 'locations:' || v_location.id, null, to_jsonb(v_location), v_location.tenant_id
  );
  return v_location;
exception when check_violation then
  raise sqlstate 'PT422' using message = 'request.invalid', detail = 'parent: at most six levels';
end;
$$;
comment on function public.locations_save(uuid, text, uuid, uuid, text, text) is
  'Makes a location, or changes the one named, everything below moving with it (permission locations.manage, there and at the parent). Raises locations.not_found, locations.not_yours, request.invalid.';
grant execute on function public.locations_save(uuid, text, uuid, uuid, text, text) to authenticated;

create function private.locations_lock(tenant_id uuid)
returns void
language plpgsql
volatile
security definer -- locks what others may not write
set search_path = ''
as $$
begin
  -- Two moves at once could put each place below the other.
  perform pg_advisory_xact_lock(hashtextextended('locations:' || locations_lock.tenant_id, 0));
end;
$$;
comment on function private.locations_lock(uuid) is 'One change of a tenant''s tree of locations at a time.';

create function private.locations_move_below(location public.locations)
returns void
language plpgsql
volatile
security definer -- nobody else writes locations
set search_path = ''
as $$
#variable_conflict use_column
begin
  -- What is below keeps its way from here, and takes the new way to here.
  update public.locations l
  set path = location.path || l.path[array_position(l.path, location.id) + 1:]
  where l.tenant_id = location.tenant_id and location.id = any (l.path) and l.id <> location.id
    and l.path[:cardinality(location.path)] is distinct from location.path;
end;
$$;
comment on function private.locations_move_below(public.locations) is
  'After a location moved: the ways to all below it.';

create function public.locations_close(tenant_id uuid, location uuid, closed boolean default true)
returns public.locations
language plpgsql
volatile
security definer -- nobody else writes locations
set search_path = ''
as $$
#variable_conflict use_column
declare
  v_location public.locations;
begin
  perform private.require_at(locations_close.tenant_id, 'locations.manage', locations_close.location);
  update public.locations l
  set closed_at = case when locations_close.closed then coalesce(l.closed_at, now()) end
  where l.tenant_id = locations_close.tenant_id and l.id = locations_close.location
  returning * into v_location;
  if not found then
    raise sqlstate 'PT404' using message = 'locations.not_found';
  end if;
  perform private.audit(
    'LOCATION_SAVED', 'locations:' || v_location.id, null,
    jsonb_build_object('closed_at', v_location.closed_at), v_location.tenant_id
  );
  return v_location;
end;
$$;
comment on function public.locations_close(uuid, uuid, boolean) is
  'Closes a location, or opens it again (permission locations.manage). Raises locations.not_found, locations.not_yours.';
grant execute on function public.locations_close(uuid, uuid, boolean) to authenticated;

create function public.locations_assign(tenant_id uuid, person uuid, locations uuid[])
returns setof public.locations_members
language plpgsql
volatile
security definer -- nobody else writes who acts where
set search_path = ''
as $$
#variable_conflict use_column
declare
  v_actor uuid := private.require(locations_assign.tenant_id, 'locations.manage');
  v_mine uuid[] := array(select private.locations_of(locations_assign.tenant_id, v_actor));
  v_member public.members;
begin
  v_member := private.members_guard_target(locations_assign.tenant_id, v_actor, locations_assign.person);
  if locations_assign.locations is null or cardinality(locations_assign.locations) > 200 then
    raise sqlstate 'PT422' using message = 'request.invalid', detail = 'locations: a list of at most 200';
  elsif v_member.person_id = v_actor and not private.acts_everywhere(v_member.tenant_id, v_actor) then
    raise sqlstate 'PT403' using message = 'members.not_yourself', detail = 'locations.manage';
  elsif exists (
    select from unnest(locations_assign.locations) given(id)
    where not exists (
      select from public.locations l where l.tenant_id = v_member.tenant_id and l.id = given.id
    )
  ) then
    raise sqlstate 'PT404' using message = 'locations.not_found';
  elsif not locations_assign.locations <@ v_mine then
    raise sqlstate 'PT403' using message = 'locations.not_yours';
  end if;

  -- Whoever acts at some places only gives and takes those.
  delete from public.locations_members lm
  where lm.tenant_id = v_member.tenant_id and lm.person_id = v_member.person_id
    and lm.location_id = any (v_mine) and lm.location_id <> all (locations_assign.locations);
  insert into public.locations_members (tenant_id, person_id, location_id)
  select distinct v_member.tenant_id, v_member.person_id, given.id
  from unnest(locations_assign.locations) given(id)
  on conflict do nothing;
  perform private.audit(
    'LOCATIONS_ASSIGNED', 'members:' || v_member.person_id, null,
    jsonb_build_object('locations', locations_assign.locations), v_member.tenant_id
  );
  return query
    select lm.* from public.locations_members lm
    where lm.tenant_id = v_member.tenant_id and lm.person_id = v_member.person_id
    order by lm.location_id;
end;
$$;
comment on function public.locations_assign(uuid, uuid, uuid[]) is
  'Says at which locations, and all below them, a member acts whose role does not act everywhere; an empty list is nowhere (permission locations.manage). Raises members.not_found, members.role_above_own, members.not_yourself, locations.not_found, locations.not_yours, request.invalid.';
grant execute on function public.locations_assign(uuid, uuid, uuid[]) to authenticated;

create function public.locations_scope_role(tenant_id uuid, role text, everywhere boolean)
returns public.roles
language plpgsql
volatile
security definer -- nobody else writes roles
set search_path = ''
as $$
#variable_conflict use_column
declare
  v_actor uuid := private.require(locations_scope_role.tenant_id, 'members.roles');
  v_role public.roles;
begin
  if locations_scope_role.everywhere is null then
    raise sqlstate 'PT422' using message = 'request.invalid', detail = 'everywhere';
  end if;
  perform private.members_guard_role(locations_scope_role.tenant_id, v_actor, locations_scope_role.role);
  select * into v_role from public.roles r
  where r.tenant_id = locations_scope_role.tenant_id and r.slug = locations_scope_role.role
  for update;
  if v_role.slug = 'owner' then
    raise sqlstate 'PT409' using message = 'members.role_built_in', detail = 'owner';
  elsif v_role.parts is not null then
    raise sqlstate 'PT404' using message = 'members.role_not_found', detail = v_role.slug;
  elsif not private.acts_everywhere(v_role.tenant_id, v_actor) then
    -- Nobody gives what they do not have, themselves least of all.
    raise sqlstate 'PT403' using message = 'locations.not_yours';
  end if;
  update public.roles r set everywhere = locations_scope_role.everywhere
  where r.tenant_id = v_role.tenant_id and r.slug = v_role.slug
  returning * into v_role;
  perform private.audit('ROLE_SCOPED', 'roles:' || v_role.slug, null, to_jsonb(v_role), v_role.tenant_id);
  return v_role;
end;
$$;
comment on function public.locations_scope_role(uuid, text, boolean) is
  'Says whether a role acts everywhere or where its members were given (permission members.roles). Raises members.role_not_found, members.role_above_own, members.permission_denied, members.role_built_in, locations.not_yours, request.invalid.';
grant execute on function public.locations_scope_role(uuid, text, boolean) to authenticated;
