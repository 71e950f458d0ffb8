-- Admin, appeals: whoever a decision is about may object to it once, also while they are suspended or
-- banned. Somebody else than who decided looks at it again.

create table public.admin_appeals (
  tenant_id uuid not null,
  id uuid not null default private.uuid_v7(),
  decision_id uuid not null,
  person_id uuid not null,
  status text not null default 'submitted'
    check (status in ('submitted', 'upheld', 'overturned', 'withdrawn', 'closed')),
  statement text not null check (char_length(btrim(statement)) between 1 and 4000),
  answer text check (char_length(btrim(answer)) between 1 and 4000),
  decided_by uuid,
  created_at timestamptz not null default now(),
  decided_at timestamptz,
  primary key (tenant_id, id),
  unique (tenant_id, decision_id),
  foreign key (tenant_id, decision_id) references public.admin_decisions (tenant_id, id) on delete cascade,
  check ((status = 'submitted') = (decided_at is null))
);
comment on table public.admin_appeals is
  'Objections to decisions, one each. closed: the decision ended before anybody looked at it again.';
create index admin_appeals_open on public.admin_appeals (tenant_id, id) where status = 'submitted';

insert into private.transitions (machine, from_state, to_state)
select 'admin_appeals', 'submitted', unnest(array['upheld', 'overturned', 'withdrawn', 'closed']);
create trigger admin_appeals_transition before update of status on public.admin_appeals
  for each row execute function private.enforce_transition();

alter table public.admin_appeals enable row level security;
create policy admin_appeals_select_admin on public.admin_appeals
  for select to authenticated
  using (tenant_id = any (array(select private.tenants_with('members.manage'))));
grant select on public.admin_appeals to authenticated, service_role;

insert into private.audit_actions (name, description)
values
  ('APPEAL_DECIDED', 'An appeal was upheld or overturned'),
  ('APPEAL_SUBMITTED', 'A member objected to a decision about them'),
  ('APPEAL_WITHDRAWN', 'A member took an appeal back');

select private.declare_notification('admin.appeal_submitted');
select private.declare_notification('admin.appeal_upheld', outsiders => true);
select private.declare_notification('admin.appeal_overturned', outsiders => true);

create function private.admin_close_appeals()
returns trigger
language plpgsql
volatile
security definer -- nobody else writes appeals
set search_path = ''
as $$
begin
  update public.admin_appeals a set status = 'closed', decided_at = now()
  where a.tenant_id = new.tenant_id and a.decision_id = new.id and a.status = 'submitted';
  return null;
end;
$$;
comment on function private.admin_close_appeals() is
  'After a decision ended: there is nothing left to object to.';
create trigger admin_close_appeals after update of status on public.admin_decisions
  for each row when (old.status = 'standing' and new.status <> 'standing')
  execute function private.admin_close_appeals();

-- The member's side. It takes no tenant: who is suspended or banned opens none.
create type public.admin_own_decision as (
  id uuid,
  tenant_id uuid,
  tenant text,
  kind text,
  status text,
  reason text,
  until timestamptz,
  created_at timestamptz,
  appeal_id uuid,
  appeal_status text,
  appeal_answer text
);
comment on type public.admin_own_decision is
  'A decision as the member it is about sees it: not who took it. appeal_* are null without an appeal.';

create function public.admin_my_decisions()
returns setof public.admin_own_decision
language plpgsql
stable
security definer -- reads decisions past their policies
set search_path = ''
as $$
#variable_conflict use_column
declare
  v_person uuid := private.require_person();
begin
  return query
    select d.id, d.tenant_id, t.name, d.kind, d.status, d.reason, d.until, d.created_at,
      a.id, a.status, a.answer
    from public.admin_decisions d
    join public.tenants t on t.id = d.tenant_id
    left join public.admin_appeals a on a.tenant_id = d.tenant_id and a.decision_id = d.id
    where d.person_id = v_person
    order by d.id desc limit 100;
end;
$$;
comment on function public.admin_my_decisions() is
  'What was decided about the caller, newest first, also where they are suspended or banned. Raises auth.required, auth.session_ended, two_factor.required.';
grant execute on function public.admin_my_decisions() to authenticated;

create function public.admin_appeal(decision uuid, statement text)
returns public.admin_appeals
language plpgsql
volatile
security definer -- nobody else writes appeals
set search_path = ''
as $$
#variable_conflict use_column
declare
  v_person uuid := private.require_person();
  v_decision public.admin_decisions;
  v_appeal public.admin_appeals;
begin
  perform private.require_no_impersonation();
  if coalesce(char_length(btrim(admin_appeal.statement)), 0) not between 1 and 4000 then
    raise sqlstate 'PT422' using message = 'request.invalid', detail = 'statement: 1 to 4,000 characters';
  end if;
  select * into v_decision from public.admin_decisions d
  where d.person_id = v_person and d.id = admin_appeal.decision
  for share; -- it cannot end between this and the appeal
  if not found then
    raise sqlstate 'PT404' using message = 'admin.decision_not_found';
  elsif v_decision.status <> 'standing' then
    raise sqlstate 'PT409' using message = 'admin.decision_ended', detail = v_decision.status;
  end if;
  insert into public.admin_appeals (tenant_id, decision_id, person_id, statement)
  values (v_decision.tenant_id, v_decision.id, v_person, btrim(admin_appeal.statement))
  on conflict (tenant_id, decision_id) do nothing
  returning * into v_appeal;
  if not found then
    raise sqlstate 'PT409' using message = 'admin.already_appealed';
  end if;
  perform private.audit(
    'APPEAL_SUBMITTED', 'admin_appeals:' || v_appeal.id, null,
    jsonb_build_object('decision_id', v_decision.id), v_appeal.tenant_id, v_person
  );
  perform private.notify_all(
    array_remove(private.members_with(v_appeal.tenant_id, 'members.manage'), v_decision.decided_by),
    'admin.appeal_submitted', '{}', v_appeal.tenant_id
  );
  return v_appeal;
end;
$$;
comment on function public.admin_appeal(uuid, text) is
  'The caller objects to a decision about them that stands, once, also while suspended or banned. Raises admin.decision_not_found, admin.decision_ended, admin.already_appealed, request.invalid, auth.impersonated.';
grant execute on function public.admin_appeal(uuid, text) to authenticated;

create function private.admin_require_open(appeal public.admin_appeals)
returns void
language plpgsql
immutable
security invoker
set search_path = ''
as $$
begin
  if appeal.id is null then
    raise sqlstate 'PT404' using message = 'admin.appeal_not_found';
  elsif appeal.status <> 'submitted' then
    raise sqlstate 'PT409' using
      message = 'request.transition_refused', detail = format('admin_appeals: %s', appeal.status);
  end if;
end;
$$;
comment on function private.admin_require_open(public.admin_appeals) is
  'Raises admin.appeal_not_found, or request.transition_refused for one that was decided.';

create function public.admin_appeal_withdraw(appeal uuid)
returns public.admin_appeals
language plpgsql
volatile
security definer -- nobody else writes appeals
set search_path = ''
as $$
#variable_conflict use_column
declare
  v_person uuid := private.require_person();
  v_appeal public.admin_appeals;
begin
  perform private.require_no_impersonation();
  select a.* into v_appeal from public.admin_appeals a
  join public.admin_decisions d on d.tenant_id = a.tenant_id and d.id = a.decision_id
  where d.person_id = v_person and a.id = admin_appeal_withdraw.appeal
  for update of a;
  perform private.admin_require_open(v_appeal);
  update public.admin_appeals a set status = 'withdrawn', decided_at = now()
  where a.tenant_id = v_appeal.tenant_id and a.id = v_appeal.id
  returning * into v_appeal;
  perform private.audit(
    'APPEAL_WITHDRAWN', 'admin_appeals:' || v_appeal.id, null, null, v_appeal.tenant_id, v_person
  );
  return v_appeal;
end;
$$;
comment on function public.admin_appeal_withdraw(uuid) is
  'The caller takes their appeal back; there is no second one. Raises admin.appeal_not_found, request.transition_refused, auth.impersonated.';
grant execute on function public.admin_appeal_withdraw(uuid) to authenticated;

-- The admins' side
create function public.admin_appeal_decide(tenant_id uuid, appeal uuid, overturn boolean, answer text)
returns public.admin_appeals
language plpgsql
volatile
security definer -- nobody else writes appeals
set search_path = ''
as $$
#variable_conflict use_column
declare
  v_actor uuid := private.require(admin_appeal_decide.tenant_id, 'members.manage');
  v_appeal public.admin_appeals;
  v_decision public.admin_decisions;
begin
  if overturn is null or coalesce(char_length(btrim(admin_appeal_decide.answer)), 0) not between 1 and 4000 then
    raise sqlstate 'PT422' using message = 'request.invalid', detail = 'overturn, and an answer of 1 to 4,000 characters';
  end if;
  select * into v_appeal from public.admin_appeals a
  where a.tenant_id = admin_appeal_decide.tenant_id and a.id = admin_appeal_decide.appeal;
  perform private.admin_require_open(v_appeal);
  perform private.members_guard_target(v_appeal.tenant_id, v_actor, v_appeal.person_id);
  perform private.require_for(v_appeal.tenant_id, 'members.manage', v_appeal.person_id);
  -- In the order in which the end of a decision closes its appeal; then asked again under the locks.
  select * into v_decision from public.admin_decisions d
  where d.tenant_id = v_appeal.tenant_id and d.id = v_appeal.decision_id
  for update;
  select * into v_appeal from public.admin_appeals a
  where a.tenant_id = v_appeal.tenant_id and a.id = v_appeal.id
  for update;
  perform private.admin_require_open(v_appeal);
  if v_decision.decided_by = v_actor then
    raise sqlstate 'PT403' using message = 'admin.own_decision';
  elsif overturn and v_decision.former_role is not null then
    -- Nobody gives back a role that they could not give.
    perform private.members_guard_role(v_appeal.tenant_id, v_actor, v_decision.former_role);
  end if;
  update public.admin_appeals a
  set status = case when overturn then 'overturned' else 'upheld' end,
    answer = btrim(admin_appeal_decide.answer), decided_by = v_actor, decided_at = now()
  where a.tenant_id = v_appeal.tenant_id and a.id = v_appeal.id
  returning * into v_appeal;
  if overturn then
    perform private.admin_end(v_decision, 'overturned', v_actor);
  end if;
  perform private.audit(
    'APPEAL_DECIDED', 'admin_appeals:' || v_appeal.id, null,
    jsonb_build_object('decision_id', v_decision.id, 'status', v_appeal.status), v_appeal.tenant_id
  );
  perform private.notify(
    v_appeal.person_id, 'admin.appeal_' || v_appeal.status,
    jsonb_build_object('answer', left(v_appeal.answer, 500)), v_appeal.tenant_id
  );
  return v_appeal;
end;
$$;
comment on function public.admin_appeal_decide(uuid, uuid, boolean, text) is
  'Upholds or overturns a decision that was appealed (permission members.manage), by somebody else than who took it; overturning takes its effect back. Raises admin.appeal_not_found, admin.own_decision, members.not_yourself, members.role_above_own, members.permission_denied, request.transition_refused, request.invalid.';
grant execute on function public.admin_appeal_decide(uuid, uuid, boolean, text) to authenticated;

select private.declare_metric(
  'appeals_open', 'gauge', 'Appeals that nobody has decided yet.',
  $$select count(*) as value from public.admin_appeals a where a.status = 'submitted'$$
);
