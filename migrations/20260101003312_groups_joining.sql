-- Groups, joining: who comes in, by which door, and what becomes of a group when somebody goes.

create function private.groups_require_above(grp public.groups, person uuid)
returns void
language plpgsql
stable
security definer -- reads members of groups past their policies
set search_path = ''
as $$
#variable_conflict use_column
begin
  if exists (
    select from public.groups_members m
    where m.tenant_id = grp.tenant_id and m.group_id = any (grp.path)
      and m.person_id = groups_require_above.person and m.status = 'banned'
  ) then
    raise sqlstate 'PT403' using message = 'groups.banned';
  elsif exists (
    select from public.groups above
    where above.tenant_id = grp.tenant_id and above.id = grp.parent_id and above.visibility <> 'public'
      and private.groups_role(above.tenant_id, above.id, groups_require_above.person) is null
  ) then
    raise sqlstate 'PT403' using message = 'groups.parent_first';
  end if;
end;
$$;
comment on function private.groups_require_above(public.groups, uuid) is
  'Raises groups.banned for who was banned here or above, groups.parent_first for who is not in the group above where that is not public.';

create function private.groups_set_member(
  grp public.groups, person uuid, status text, note text default null, invited_by uuid default null
)
returns public.groups_members
language plpgsql
volatile
security definer -- nobody else writes members of groups
set search_path = ''
as $$
#variable_conflict use_column
declare
  v_member public.groups_members;
begin
  insert into public.groups_members as m (tenant_id, group_id, person_id, status, note, invited_by, joined_at)
  values (
    grp.tenant_id, grp.id, groups_set_member.person, groups_set_member.status, groups_set_member.note,
    groups_set_member.invited_by, case groups_set_member.status when 'active' then now() end
  )
  on conflict (tenant_id, group_id, person_id) do update
    set status = excluded.status, role = 'member', note = excluded.note,
      invited_by = coalesce(excluded.invited_by, m.invited_by), joined_at = coalesce(excluded.joined_at, m.joined_at)
  returning * into v_member;
  return v_member;
end;
$$;
comment on function private.groups_set_member(public.groups, uuid, text, text, uuid) is
  'Where a person stands in the group from now on, as a plain member.';

create function private.groups_succeed(tenant_id uuid, group_id uuid)
returns void
language plpgsql
volatile
security definer -- nobody else writes members of groups
set search_path = ''
as $$
#variable_conflict use_column
begin
  if exists (
    select from public.groups_members m
    where m.tenant_id = groups_succeed.tenant_id and m.group_id = groups_succeed.group_id and m.role = 'owner'
  ) then
    return;
  end if;
  update public.groups_members m set role = 'owner'
  from (
    select h.person_id from public.groups_members h
    where h.tenant_id = groups_succeed.tenant_id and h.group_id = groups_succeed.group_id and h.status = 'active'
    order by (h.role = 'moderator') desc, h.joined_at, h.person_id
    limit 1
  ) heir
  where m.tenant_id = groups_succeed.tenant_id and m.group_id = groups_succeed.group_id
    and m.person_id = heir.person_id;
  if not found then
    update public.groups g set status = 'closed'
    where g.tenant_id = groups_succeed.tenant_id and g.id = groups_succeed.group_id and g.status = 'active';
  end if;
end;
$$;
comment on function private.groups_succeed(uuid, uuid) is
  'An owner who is gone is followed by who has been there longest, moderators first; a group without anybody is closed.';

create function private.groups_exit(grp public.groups, person uuid, status text)
returns void
language plpgsql
volatile
security definer -- nobody else writes members of groups
set search_path = ''
as $$
#variable_conflict use_column
declare
  v_groups uuid[] := array(
    select m.group_id from public.groups_members m
    join public.groups g on g.tenant_id = m.tenant_id and g.id = m.group_id
    where m.tenant_id = grp.tenant_id and m.person_id = groups_exit.person
      and m.status in ('active', 'requested', 'invited')
      -- Below what is not open to all one is only with it, and below where one is banned not at all.
      and (g.id = grp.id or (grp.id = any (g.path) and (grp.visibility <> 'public' or groups_exit.status = 'banned')))
  );
  v_group uuid;
begin
  perform from public.groups g
  where g.tenant_id = grp.tenant_id and g.id = any (v_groups)
  order by g.id
  for no key update;
  update public.groups_members m
  set status = case m.group_id when grp.id then groups_exit.status else 'left' end, role = 'member', note = null
  where m.tenant_id = grp.tenant_id and m.group_id = any (v_groups) and m.person_id = groups_exit.person;
  foreach v_group in array v_groups loop
    perform private.groups_succeed(grp.tenant_id, v_group);
  end loop;
end;
$$;
comment on function private.groups_exit(public.groups, uuid, text) is
  'Takes a person out of a group, or off its door, as left or banned, and out of the groups below that are not open without it.';

create function public.groups_join(tenant_id uuid, group_id uuid, note text default null)
returns public.groups_members
language plpgsql
volatile
security definer -- clients may not write members of groups
set search_path = ''
as $$
#variable_conflict use_column
declare
  v_me uuid := private.require(groups_join.tenant_id, 'groups.join');
  v_group public.groups := private.groups_lock(groups_join.tenant_id, groups_join.group_id, v_me);
  v_member public.groups_members;
begin
  if char_length(groups_join.note) > 500 then
    raise sqlstate 'PT422' using message = 'request.invalid', detail = 'note';
  end if;
  perform private.groups_require_open(v_group);
  select * into v_member from public.groups_members m
  where m.tenant_id = v_group.tenant_id and m.group_id = v_group.id and m.person_id = v_me;
  if v_member.status = 'active' then
    return v_member;
  end if;
  perform private.groups_require_above(v_group, v_me);
  if v_group.visibility = 'public' or v_member.status = 'invited' then
    return private.groups_set_member(v_group, v_me, 'active');
  elsif v_member.status = 'requested' then
    return v_member;
  end if;
  perform private.require_rate('groups-join:' || v_group.tenant_id || ':' || v_me, 30, interval '1 day');
  v_member := private.groups_set_member(v_group, v_me, 'requested', nullif(btrim(groups_join.note), ''));
  perform private.groups_tell_moderators(v_group, v_me);
  return v_member;
end;
$$;
comment on function public.groups_join(uuid, uuid, text) is
  'Joins a public group or one that invited the caller, asks to join a private one; who is in it or asked stays so (permission groups.join). The answer''s status says which. Raises groups.not_found, groups.closed, groups.banned, groups.parent_first, limits.exceeded, request.invalid.';
grant execute on function public.groups_join(uuid, uuid, text) to authenticated;

create function public.groups_leave(tenant_id uuid, group_id uuid)
returns public.groups_members
language plpgsql
volatile
security definer -- clients may not write members of groups
set search_path = ''
as $$
#variable_conflict use_column
declare
  v_me uuid := private.require(groups_leave.tenant_id, 'groups.read');
  v_group public.groups := private.groups_lock(groups_leave.tenant_id, groups_leave.group_id, v_me);
  v_member public.groups_members;
begin
  if not exists (
    select from public.groups_members m
    where m.tenant_id = v_group.tenant_id and m.group_id = v_group.id and m.person_id = v_me
      and m.status in ('active', 'requested', 'invited')
  ) then
    raise sqlstate 'PT404' using message = 'groups.member_not_found';
  end if;
  perform private.groups_exit(v_group, v_me, 'left');
  select * into v_member from public.groups_members m
  where m.tenant_id = v_group.tenant_id and m.group_id = v_group.id and m.person_id = v_me;
  return v_member;
end;
$$;
comment on function public.groups_leave(uuid, uuid) is
  'Leaves a group, takes back a request or declines an invitation; an owner is followed by the longest there, moderators first (permission groups.read). Raises groups.not_found, groups.member_not_found.';
grant execute on function public.groups_leave(uuid, uuid) to authenticated;

create function public.groups_invite(tenant_id uuid, group_id uuid, person uuid)
returns public.groups_members
language plpgsql
volatile
security definer -- clients may not write members of groups
set search_path = ''
as $$
#variable_conflict use_column
declare
  v_me uuid := private.require(groups_invite.tenant_id, 'groups.join');
  v_group public.groups := private.groups_lock(groups_invite.tenant_id, groups_invite.group_id, v_me);
  v_member public.groups_members;
begin
  perform private.groups_require_role(
    v_group, v_me, array['owner', 'moderator'] || case v_group.visibility when 'public' then 'member' end
  );
  perform private.groups_require_open(v_group);
  if not private.may(v_group.tenant_id, groups_invite.person, 'groups.join') then
    raise sqlstate 'PT404' using message = 'members.not_found';
  elsif private.messaging_blocked(v_group.tenant_id, v_me, groups_invite.person) then
    raise sqlstate 'PT403' using message = 'messaging.blocked';
  end if;
  perform private.groups_require_above(v_group, groups_invite.person);
  select * into v_member from public.groups_members m
  where m.tenant_id = v_group.tenant_id and m.group_id = v_group.id and m.person_id = groups_invite.person;
  if v_member.status = 'active' then
    raise sqlstate 'PT409' using message = 'groups.already_member';
  elsif v_member.status = 'invited' then
    return v_member;
  end if;
  perform private.require_rate('groups-invite:' || v_group.tenant_id || ':' || v_me, 100, interval '1 day');
  v_member := private.groups_set_member(v_group, groups_invite.person, 'invited', null, v_me);
  perform private.groups_tell(v_group, groups_invite.person, 'groups.invited', v_me);
  return v_member;
end;
$$;
comment on function public.groups_invite(uuid, uuid, uuid) is
  'Invites a member of the tenant: into a public group by whoever is in it, else by its moderators (permission groups.join). Raises groups.not_found, groups.role_missing, groups.closed, groups.banned, groups.parent_first, groups.already_member, members.not_found, messaging.blocked, limits.exceeded.';
grant execute on function public.groups_invite(uuid, uuid, uuid) to authenticated;
