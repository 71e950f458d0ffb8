-- Members, acts: how people are put in, go and change roles. How they come in by themselves follows in
-- members_admission.

create function private.members_admit(
  tenant_id uuid,
  person uuid,
  role text,
  status text,
  waiting_for text default null,
  admitted_by text default null
)
returns public.members
language plpgsql
volatile
security definer -- nobody else writes members
set search_path = ''
as $$
#variable_conflict use_column
declare
  v_member public.members;
begin
  insert into public.members (
    tenant_id, person_id, role, status, waiting_for, admitted_by, display_name, avatar_url
  )
  select members_admit.tenant_id, p.id, members_admit.role, members_admit.status,
    members_admit.waiting_for, members_admit.admitted_by, p.display_name, p.avatar_url
  from public.people p
  where p.id = members_admit.person and p.erased_at is null
  on conflict (tenant_id, person_id) do update
    set role = excluded.role, status = excluded.status, waiting_for = excluded.waiting_for,
      admitted_by = excluded.admitted_by
    where members.status = 'left'
      -- Who waits asks again where they have more to show by now.
      or (members.status = 'pending' and members.admitted_by is null and excluded.admitted_by is not null)
  returning * into v_member;

  if v_member.person_id is null then
    if exists (
      select from public.members m
      where m.tenant_id = members_admit.tenant_id and m.person_id = members_admit.person
    ) then
      raise sqlstate 'PT409' using message = 'members.already_member';
    end if;
    raise sqlstate 'PT404' using message = 'people.not_found';
  end if;
  perform private.audit(
    'MEMBER_JOINED', 'members:' || v_member.person_id, null,
    jsonb_build_object(
      'role', v_member.role, 'status', v_member.status, 'waiting_for', v_member.waiting_for,
      'admitted_by', v_member.admitted_by
    ),
    v_member.tenant_id
  );
  return v_member;
end;
$$;
comment on function private.members_admit(uuid, uuid, text, text, text, text) is
  'Writes that a person is a member, or waits to be; also one who had left. What decides it is private.admit. Raises members.already_member, people.not_found.';

create function public.members_add(tenant_id uuid, person uuid, role text default 'member')
returns public.members
language plpgsql
volatile
security definer -- nobody else writes members
set search_path = ''
as $$
#variable_conflict use_column
declare
  v_operator uuid;
  v_role text;
begin
  if not private.is_system() then
    v_operator := private.require(private.platform(), 'tenants.create');
  end if;
  if not exists (select from public.tenants t where t.id = members_add.tenant_id) then
    raise sqlstate 'PT404' using message = 'tenants.not_found';
  end if;
  v_role := private.members_role_of(members_add.tenant_id, members_add.role);
  perform from public.roles r
  where r.tenant_id = members_add.tenant_id and r.slug = v_role
  for key share;
  if not found then
    raise sqlstate 'PT404' using
      message = 'members.role_not_found', detail = coalesce(members_add.role, 'null');
  elsif v_operator is not null and members_add.tenant_id = private.platform() then
    -- Among themselves operators keep to the rule of every tenant.
    perform private.members_guard_role(members_add.tenant_id, v_operator, v_role);
  elsif v_operator is not null and exists (
    select from public.members m
    where m.tenant_id = members_add.tenant_id and m.role = 'owner' and m.status = 'active'
  ) then
    -- A tenant with an owner is theirs: no operator walks in, nor sends anybody.
    raise sqlstate 'PT403' using message = 'members.permission_denied', detail = 'members.manage';
  end if;
  return private.members_admit(
    members_add.tenant_id, members_add.person, v_role, 'active', admitted_by => 'operator'
  );
end;
$$;
comment on function public.members_add(uuid, uuid, text) is
  'Makes a person an active member without asking them: for the secret key; and for operators among themselves, none above the actor, or where a tenant has no owner. Raises tenants.not_found, members.role_not_found, members.role_above_own, members.permission_denied, members.already_member, people.not_found.';
grant execute on function public.members_add(uuid, uuid, text) to authenticated, service_role;

create function public.members_leave(tenant_id uuid)
returns public.members
language plpgsql
volatile
security definer -- nobody else writes members
set search_path = ''
as $$
#variable_conflict use_column
declare
  v_person uuid := private.require_person();
  v_member public.members;
begin
  perform private.members_lock_owners(members_leave.tenant_id, v_person);
  select * into v_member from public.members m
  where m.tenant_id = members_leave.tenant_id and m.person_id = v_person;
  if not found then
    raise sqlstate 'PT404' using message = 'tenants.not_found';
  elsif v_member.status not in ('active', 'pending') then
    raise sqlstate 'PT403' using message = 'members.not_active', detail = v_member.status;
  end if;
  perform private.members_guard_last_owner(members_leave.tenant_id, v_person);
  update public.members m set status = 'left'
  where m.tenant_id = members_leave.tenant_id and m.person_id = v_person
  returning * into v_member;
  perform private.audit('MEMBER_LEFT', 'members:' || v_person, null, null, v_member.tenant_id);
  return v_member;
end;
$$;
comment on function public.members_leave(uuid) is
  'The caller leaves the tenant, or takes back the wish to join it. Raises tenants.not_found, members.not_active, members.last_owner.';
grant execute on function public.members_leave(uuid) to authenticated;

-- Status and role
create function public.members_set_status(
  tenant_id uuid, person uuid, status text, reason text default null, until timestamptz default null
)
returns public.members
language plpgsql
volatile
security definer -- nobody else writes members
set search_path = ''
as $$
#variable_conflict use_column
declare
  v_actor uuid := private.require_for(members_set_status.tenant_id, 'members.manage', person);
  v_before public.members := private.members_guard_target(members_set_status.tenant_id, v_actor, person);
  v_member public.members;
begin
  -- Asked again under the lock: who was banned or demoted while they waited for it does nothing more.
  perform private.require(v_before.tenant_id, 'members.manage');
  if members_set_status.status is null
    or members_set_status.status not in ('active', 'suspended', 'banned', 'left')
  then
    raise sqlstate 'PT422' using
      message = 'request.invalid', detail = 'status: active, suspended, banned or left';
  elsif v_before.status = 'left' and members_set_status.status <> 'banned' then
    -- Who left comes back by joining; nobody is made a member again without asking. A ban keeps them out.
    raise sqlstate 'PT409' using message = 'request.transition_refused', detail = 'members: left';
  end if;
  perform private.members_guard_last_owner(v_before.tenant_id, v_before.person_id);
  if members_set_status.status in ('suspended', 'banned') then
    perform private.admin_decide(
      v_before, case members_set_status.status when 'banned' then 'ban' else 'suspension' end, v_actor,
      members_set_status.reason, members_set_status.until
    );
  elsif num_nonnulls(members_set_status.reason, members_set_status.until) > 0 then
    raise sqlstate 'PT422' using
      message = 'request.invalid', detail = 'reason, until: of a suspension or a ban';
  end if;

  update public.members m
  set status = members_set_status.status,
    admitted_by = case
      when v_before.status = 'pending' and members_set_status.status = 'active' then 'approval'
      else m.admitted_by
    end
  where m.tenant_id = v_before.tenant_id and m.person_id = v_before.person_id
  returning * into v_member;
  if v_before.status = 'pending' and v_member.status = 'active' then
    perform private.notify(v_member.person_id, 'members.admitted', '{}', v_member.tenant_id);
  end if;
  perform private.audit(
    'MEMBER_STATUS_CHANGED', 'members:' || v_member.person_id,
    jsonb_build_object('status', v_before.status), jsonb_build_object('status', v_member.status),
    v_member.tenant_id
  );
  return v_member;
end;
$$;
comment on function public.members_set_status(uuid, uuid, text, text, timestamptz) is
  'Admits, suspends, bans, readmits or removes a member (permission members.manage). A suspension and a ban have a reason, which the member is told; a suspension may end by itself, within a year. Raises members.not_found, members.role_above_own, members.not_yourself, members.last_owner, request.transition_refused, request.invalid.';
grant execute on function public.members_set_status(uuid, uuid, text, text, timestamptz) to authenticated;

create function public.members_set_role(
  tenant_id uuid, person uuid, role text, reason text default null, until timestamptz default null
)
returns public.members
language plpgsql
volatile
security definer -- nobody else writes members
set search_path = ''
as $$
#variable_conflict use_column
declare
  v_actor uuid := private.require(members_set_role.tenant_id, 'members.manage');
  v_before public.members := private.members_guard_target(members_set_role.tenant_id, v_actor, person);
  v_role text := private.members_role_of(members_set_role.tenant_id, members_set_role.role);
  v_member public.members;
begin
  -- Asked again under the lock, as above.
  perform private.require(v_before.tenant_id, 'members.manage');
  perform private.members_guard_role(members_set_role.tenant_id, v_actor, v_role);
  if v_role <> 'owner' then
    perform private.members_guard_last_owner(v_before.tenant_id, v_before.person_id);
  elsif v_before.role <> 'owner' then
    raise sqlstate 'PT409' using message = 'members.ownership_is_offered';
  end if;
  if num_nonnulls(members_set_role.reason, members_set_role.until) > 0 then
    perform private.members_guard_lesser_role(v_before, v_role);
    perform private.admin_decide(
      v_before, 'restriction', v_actor, members_set_role.reason, members_set_role.until
    );
  end if;

  update public.members m set role = v_role
  where m.tenant_id = v_before.tenant_id and m.person_id = v_before.person_id
  returning * into v_member;
  perform private.audit(
    'MEMBER_ROLE_CHANGED', 'members:' || v_member.person_id,
    jsonb_build_object('role', v_before.role), jsonb_build_object('role', v_member.role),
    v_member.tenant_id
  );
  return v_member;
end;
$$;
comment on function public.members_set_role(uuid, uuid, text, text, timestamptz) is
  'Gives a member another role, or several with + between (permission members.manage); all but owner, which is offered. With a reason it is a restriction: a lesser role, which the member is told, until the time named if there is one; then the former role comes back. Raises members.not_found, members.role_not_found, members.role_above_own, members.permission_denied, members.ownership_is_offered, members.last_owner, request.invalid.';
grant execute on function public.members_set_role(uuid, uuid, text, text, timestamptz) to authenticated;
