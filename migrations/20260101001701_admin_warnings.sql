-- Admin, warnings: the one decision that changes nothing of the membership, so its act is here.

insert into private.audit_actions (name, description)
values
  ('MEMBER_WARNED', 'A member was warned'),
  ('MEMBER_WARNING_LIFTED', 'A warning was taken back');

create function public.admin_warn(tenant_id uuid, person uuid, reason text, until timestamptz default null)
returns public.admin_decisions
language plpgsql
volatile
security definer -- nobody else writes decisions
set search_path = ''
as $$
#variable_conflict use_column
declare
  v_actor uuid := private.require_for(admin_warn.tenant_id, 'members.manage', person);
  v_member public.members := private.members_guard_target(admin_warn.tenant_id, v_actor, person);
  v_decision public.admin_decisions;
begin
  -- Asked again under the lock, as in every act on members.
  perform private.require(v_member.tenant_id, 'members.manage');
  if v_member.status in ('left', 'banned') then
    raise sqlstate 'PT409' using
      message = 'request.transition_refused', detail = format('members: %s', v_member.status);
  end if;
  v_decision := private.admin_decide(v_member, 'warning', v_actor, admin_warn.reason, admin_warn.until);
  perform private.audit(
    'MEMBER_WARNED', 'members:' || v_member.person_id, null,
    jsonb_build_object('decision_id', v_decision.id, 'until', v_decision.until), v_member.tenant_id
  );
  return v_decision;
end;
$$;
comment on function public.admin_warn(uuid, uuid, text, timestamptz) is
  'Warns a member, for good or until a time within a year (permission members.manage). Raises members.not_found, members.role_above_own, members.not_yourself, request.transition_refused, request.invalid.';
grant execute on function public.admin_warn(uuid, uuid, text, timestamptz) to authenticated;

create function public.admin_lift_warning(tenant_id uuid, decision uuid)
returns public.admin_decisions
language plpgsql
volatile
security definer -- nobody else writes decisions
set search_path = ''
as $$
#variable_conflict use_column
declare
  v_actor uuid := private.require(admin_lift_warning.tenant_id, 'members.manage');
  v_decision public.admin_decisions;
begin
  select * into v_decision from public.admin_decisions d
  where d.tenant_id = admin_lift_warning.tenant_id and d.id = admin_lift_warning.decision
    and d.kind = 'warning';
  if not found then
    raise sqlstate 'PT404' using message = 'admin.decision_not_found';
  end if;
  perform private.require_for(v_decision.tenant_id, 'members.manage', v_decision.person_id);
  perform private.members_guard_target(v_decision.tenant_id, v_actor, v_decision.person_id);
  update public.admin_decisions d set status = 'lifted', ended_at = now(), ended_by = v_actor
  where d.tenant_id = v_decision.tenant_id and d.id = v_decision.id and d.status = 'standing'
  returning * into v_decision;
  if not found then
    raise sqlstate 'PT409' using message = 'admin.decision_ended';
  end if;
  perform private.audit(
    'MEMBER_WARNING_LIFTED', 'members:' || v_decision.person_id,
    jsonb_build_object('decision_id', v_decision.id), null, v_decision.tenant_id
  );
  return v_decision;
end;
$$;
comment on function public.admin_lift_warning(uuid, uuid) is
  'Takes a warning back (permission members.manage); suspensions, bans and restrictions end by members_set_status and members_set_role. Raises admin.decision_not_found, admin.decision_ended, members.role_above_own, members.not_yourself.';
grant execute on function public.admin_lift_warning(uuid, uuid) to authenticated;
