-- Groups, roles: what owner and moderators decide about those who are in it or want to be.

create function private.groups_member(grp public.groups, person uuid)
returns public.groups_members
language plpgsql
stable
security definer -- reads members of groups past their policies
set search_path = ''
as $$
#variable_conflict use_column
declare
  v_member public.groups_members;
begin
  select * into v_member from public.groups_members m
  where m.tenant_id = grp.tenant_id and m.group_id = grp.id and m.person_id = groups_member.person;
  if not found then
    raise sqlstate 'PT404' using message = 'groups.member_not_found';
  end if;
  return v_member;
end;
$$;
comment on function private.groups_member(public.groups, uuid) is
  'Where the person stands in the group. Raises groups.member_not_found.';

create function public.groups_decide(tenant_id uuid, group_id uuid, person uuid, admit boolean)
returns public.groups_members
language plpgsql
volatile
security definer -- clients may not write members of groups
set search_path = ''
as $$
#variable_conflict use_column
declare
  v_me uuid := private.require(groups_decide.tenant_id, 'groups.join');
  v_group public.groups := private.groups_lock(groups_decide.tenant_id, groups_decide.group_id, v_me);
  v_member public.groups_members;
begin
  perform private.groups_require_role(v_group, v_me, array['owner', 'moderator']);
  perform private.groups_require_open(v_group);
  if groups_decide.admit is null then
    raise sqlstate 'PT422' using message = 'request.invalid', detail = 'admit';
  end if;
  v_member := private.groups_member(v_group, groups_decide.person);
  if v_member.status <> 'requested' then
    raise sqlstate 'PT404' using message = 'groups.member_not_found', detail = v_member.status;
  end if;
  if groups_decide.admit then
    perform private.groups_require_above(v_group, groups_decide.person);
  end if;
  v_member := private.groups_set_member(
    v_group, groups_decide.person, case when groups_decide.admit then 'active' else 'left' end
  );
  perform private.groups_tell(
    v_group, groups_decide.person, case when groups_decide.admit then 'groups.admitted' else 'groups.refused' end
  );
  return v_member;
end;
$$;
comment on function public.groups_decide(uuid, uuid, uuid, boolean) is
  'Lets somebody in who asked to join, or not, by who moderates the group; they are told (permission groups.join). Raises groups.not_found, groups.role_missing, groups.closed, groups.member_not_found, groups.banned, groups.parent_first, request.invalid.';
grant execute on function public.groups_decide(uuid, uuid, uuid, boolean) to authenticated;

create function public.groups_remove(tenant_id uuid, group_id uuid, person uuid, ban boolean default false)
returns public.groups_members
language plpgsql
volatile
security definer -- clients may not write members of groups
set search_path = ''
as $$
#variable_conflict use_column
declare
  v_me uuid := private.require(groups_remove.tenant_id, 'groups.join');
  v_group public.groups := private.groups_lock(groups_remove.tenant_id, groups_remove.group_id, v_me);
  v_member public.groups_members;
  v_ban boolean := coalesce(groups_remove.ban, false);
begin
  perform private.groups_require_role(v_group, v_me, array['owner', 'moderator']);
  v_member := private.groups_member(v_group, groups_remove.person);
  if v_member.status = 'banned' or (v_member.status = 'left' and not v_ban) then
    raise sqlstate 'PT404' using message = 'groups.member_not_found', detail = v_member.status;
  elsif groups_remove.person = v_me then
    raise sqlstate 'PT422' using message = 'request.invalid', detail = 'person: yourself';
  elsif v_member.role = 'owner' then
    raise sqlstate 'PT403' using message = 'groups.role_missing', detail = 'the owner stays';
  elsif v_member.role = 'moderator' then
    perform private.groups_require_role(v_group, v_me, array['owner']);
  end if;
  if v_member.status = 'left' then
    v_member := private.groups_set_member(v_group, groups_remove.person, 'banned');
  else
    perform private.groups_exit(v_group, groups_remove.person, case when v_ban then 'banned' else 'left' end);
  end if;
  if v_member.status = 'active' then
    perform private.groups_tell(v_group, groups_remove.person, 'groups.removed');
  end if;
  perform private.audit(
    'GROUP_MEMBER_REMOVED', 'groups:' || v_group.id, null,
    jsonb_build_object('person_id', groups_remove.person, 'ban', v_ban), v_group.tenant_id, v_me
  );
  return private.groups_member(v_group, groups_remove.person);
end;
$$;
comment on function public.groups_remove(uuid, uuid, uuid, boolean) is
  'Takes somebody out of the group, by who moderates it; a moderator by its owner alone. ban: neither here nor in the groups below may they join again (permission groups.join). Raises groups.not_found, groups.role_missing, groups.member_not_found, request.invalid.';
grant execute on function public.groups_remove(uuid, uuid, uuid, boolean) to authenticated;

create function public.groups_unban(tenant_id uuid, group_id uuid, person uuid)
returns public.groups_members
language plpgsql
volatile
security definer -- clients may not write members of groups
set search_path = ''
as $$
#variable_conflict use_column
declare
  v_me uuid := private.require(groups_unban.tenant_id, 'groups.join');
  v_group public.groups := private.groups_lock(groups_unban.tenant_id, groups_unban.group_id, v_me);
begin
  perform private.groups_require_role(v_group, v_me, array['owner', 'moderator']);
  if (private.groups_member(v_group, groups_unban.person)).status <> 'banned' then
    raise sqlstate 'PT404' using message = 'groups.member_not_found';
  end if;
  return private.groups_set_member(v_group, groups_unban.person, 'left');
end;
$$;
comment on function public.groups_unban(uuid, uuid, uuid) is
  'Lets somebody who was banned join again, by who moderates the group (permission groups.join). Raises groups.not_found, groups.role_missing, groups.member_not_found.';
grant execute on function public.groups_unban(uuid, uuid, uuid) to authenticated;

create function public.groups_set_role(tenant_id uuid, group_id uuid, person uuid, role text)
returns public.groups_members
language plpgsql
volatile
security definer -- clients may not write members of groups
set search_path = ''
as $$
#variable_conflict use_column
declare
  v_me uuid := private.require(groups_set_role.tenant_id, 'groups.join');
  v_group public.groups := private.groups_lock(groups_set_role.tenant_id, groups_set_role.group_id, v_me);
  v_member public.groups_members;
begin
  perform private.groups_require_role(v_group, v_me, array['owner']);
  if groups_set_role.role is null or groups_set_role.role not in ('owner', 'moderator', 'member') then
    raise sqlstate 'PT422' using message = 'request.invalid', detail = 'role: owner, moderator or member';
  elsif groups_set_role.person = v_me then
    raise sqlstate 'PT422' using message = 'request.invalid', detail = 'person: yourself';
  end if;
  v_member := private.groups_member(v_group, groups_set_role.person);
  if v_member.status <> 'active' then
    raise sqlstate 'PT404' using message = 'groups.member_not_found';
  end if;
  if groups_set_role.role = 'owner' then
    update public.groups_members m set role = 'moderator'
    where m.tenant_id = v_group.tenant_id and m.group_id = v_group.id and m.role = 'owner';
  end if;
  update public.groups_members m set role = groups_set_role.role
  where m.tenant_id = v_group.tenant_id and m.group_id = v_group.id and m.person_id = groups_set_role.person
  returning * into v_member;
  perform private.groups_tell(v_group, groups_set_role.person, 'groups.role_changed', v_me);
  perform private.audit(
    'GROUP_ROLE_CHANGED', 'groups:' || v_group.id, null,
    jsonb_build_object('person_id', v_member.person_id, 'role', v_member.role), v_group.tenant_id, v_me
  );
  return v_member;
end;
$$;
comment on function public.groups_set_role(uuid, uuid, uuid, text) is
  'Gives a member of the group another role, by its owner; role owner hands the group over, and who had it becomes a moderator (permission groups.join). Raises groups.not_found, groups.role_missing, groups.member_not_found, request.invalid.';
grant execute on function public.groups_set_role(uuid, uuid, uuid, text) to authenticated;
