-- Members, guards: what every act on members asks first. Nobody grants a role above their own or a
-- permission they lack, and no tenant loses its last owner.

create function private.members_guard_role(tenant_id uuid, actor uuid, role text)
returns void
language plpgsql
volatile
security definer -- reads and locks roles past their policies
set search_path = ''
as $$
#variable_conflict use_column
declare
  v_role public.roles;
  v_own public.roles;
  v_lacking text;
begin
  select r.* into v_role
  from public.roles r
  where r.tenant_id = members_guard_role.tenant_id and r.slug = members_guard_role.role
  for key share; -- whoever deletes the role waits until it is given, and then finds it in use
  if not found then
    raise sqlstate 'PT404' using
      message = 'members.role_not_found', detail = coalesce(members_guard_role.role, 'null');
  end if;

  select r.* into v_own
  from public.members m
  join public.roles r on r.tenant_id = m.tenant_id and r.slug = m.role
  where m.tenant_id = members_guard_role.tenant_id and m.person_id = members_guard_role.actor;
  -- Whoever acts at some locations alone gives no role that acts at all of them.
  if v_role.rank > v_own.rank or (v_role.everywhere and not v_own.everywhere) then
    raise sqlstate 'PT403' using message = 'members.role_above_own', detail = members_guard_role.role;
  end if;

  select rp.permission into v_lacking
  from public.role_permissions rp
  where rp.tenant_id = members_guard_role.tenant_id and rp.role = members_guard_role.role
    and not exists (
      select from public.role_permissions own
      where own.tenant_id = rp.tenant_id and own.role = v_own.slug and own.permission = rp.permission
    )
  limit 1;
  if found then
    raise sqlstate 'PT403' using message = 'members.permission_denied', detail = v_lacking;
  end if;
end;
$$;
comment on function private.members_guard_role(uuid, uuid, text) is
  'Raises members.role_not_found, members.role_above_own or members.permission_denied unless the actor may give the role.';

create function private.members_lock_owners(tenant_id uuid, person uuid)
returns void
language plpgsql
volatile
security definer -- locks members past their policies
set search_path = ''
as $$
begin
  -- In one order, so that two owners who step down at once cannot both believe the other stays.
  perform from public.members m
  where m.tenant_id = members_lock_owners.tenant_id
    and (m.role = 'owner' or m.person_id = members_lock_owners.person)
  order by m.person_id
  for no key update;
end;
$$;
comment on function private.members_lock_owners(uuid, uuid) is
  'Locks the owners of a tenant and the person an act is about: the first step of every act on members.';

create function private.members_guard_target(tenant_id uuid, actor uuid, person uuid)
returns public.members
language plpgsql
volatile
security definer -- reads and locks members past their policies
set search_path = ''
as $$
#variable_conflict use_column
declare
  v_member public.members;
begin
  perform private.members_lock_owners(members_guard_target.tenant_id, members_guard_target.person);
  select * into v_member
  from public.members m
  where m.tenant_id = members_guard_target.tenant_id and m.person_id = members_guard_target.person;
  if not found then
    raise sqlstate 'PT404' using message = 'members.not_found';
  end if;

  if v_member.person_id <> members_guard_target.actor and not exists (
    select from public.members own
    join public.roles own_role on own_role.tenant_id = own.tenant_id and own_role.slug = own.role
    join public.roles target_role
      on target_role.tenant_id = own.tenant_id and target_role.slug = v_member.role
    where own.tenant_id = v_member.tenant_id and own.person_id = members_guard_target.actor
      and (own.role = 'owner' or own_role.rank > target_role.rank)
  ) then
    raise sqlstate 'PT403' using message = 'members.role_above_own', detail = v_member.role;
  end if;
  return v_member;
end;
$$;
comment on function private.members_guard_target(uuid, uuid, uuid) is
  'The member, locked, if the actor stands above them (owners above all). Raises members.not_found, members.role_above_own.';

create function private.members_guard_last_owner(tenant_id uuid, person uuid)
returns void
language plpgsql
stable
security definer -- reads members past their policies
set search_path = ''
as $$
#variable_conflict use_column
begin
  if exists (
    select from public.members m
    where m.tenant_id = members_guard_last_owner.tenant_id
      and m.person_id = members_guard_last_owner.person
      and m.role = 'owner' and m.status = 'active'
  ) and not exists (
    select from public.members m
    where m.tenant_id = members_guard_last_owner.tenant_id
      and m.person_id <> members_guard_last_owner.person
      and m.role = 'owner' and m.status = 'active'
  ) then
    raise sqlstate 'PT409' using message = 'members.last_owner';
  end if;
end;
$$;
comment on function private.members_guard_last_owner(uuid, uuid) is
  'Raises members.last_owner if the person is the only active owner.';

create function private.members_guard_lesser_role(member public.members, role text)
returns void
language plpgsql
stable
security definer -- reads roles past their policies
set search_path = ''
as $$
begin
  if not exists (
    select from public.roles lesser
    join public.roles own on own.tenant_id = lesser.tenant_id and own.slug = member.role
    where lesser.tenant_id = member.tenant_id and lesser.slug = members_guard_lesser_role.role
      and lesser.rank < own.rank
  ) then
    raise sqlstate 'PT422' using message = 'request.invalid', detail = 'role: below the present one';
  end if;
end;
$$;
comment on function private.members_guard_lesser_role(public.members, text) is
  'Raises request.invalid unless the role stands below the member''s own.';
