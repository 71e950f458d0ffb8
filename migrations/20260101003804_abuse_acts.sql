-- Abuse, acts: rules as the tenant sets them, decisions, and objections that somebody else decides.

create function public.abuse_rule_save(
  tenant_id uuid, rule text, minutes bigint, times integer default null, hours integer default null,
  active boolean default true
)
returns public.abuse_rules
language plpgsql
volatile
security definer -- clients may not write the rules
set search_path = ''
as $$
#variable_conflict use_column
declare
  v_me uuid := private.require(abuse_rule_save.tenant_id, 'abuse.manage');
  v_usual private.abuse_usual_rules;
  v_rule public.abuse_rules;
begin
  select * into v_usual from private.abuse_usual_rules u where u.rule = abuse_rule_save.rule;
  if not found then
    raise sqlstate 'PT422' using message = 'request.invalid', detail = 'rule';
  elsif coalesce(abuse_rule_save.minutes not between 1 and 1000000, true) then
    raise sqlstate 'PT422' using message = 'request.invalid', detail = 'minutes: 1 to 1,000,000';
  elsif (abuse_rule_save.times is null) <> (v_usual.times is null) or abuse_rule_save.times not between 2 and 1000 then
    raise sqlstate 'PT422' using message = 'request.invalid', detail = 'times: 2 to 1,000, of many_transfers';
  elsif (abuse_rule_save.hours is null) <> (v_usual.hours is null)
    or abuse_rule_save.hours not between 1 and 8760
    or (abuse_rule_save.hours > 72 and v_usual.rule <> 'idle_balance')
  then
    raise sqlstate 'PT422' using message = 'request.invalid', detail = 'hours: 1 to 72, of idle_balance to 8,760';
  elsif abuse_rule_save.active is null then
    raise sqlstate 'PT422' using message = 'request.invalid', detail = 'active';
  end if;
  update public.abuse_rules r
  set minutes = abuse_rule_save.minutes, times = abuse_rule_save.times, hours = abuse_rule_save.hours,
    active = abuse_rule_save.active
  where r.tenant_id = abuse_rule_save.tenant_id and r.rule = abuse_rule_save.rule
  returning * into v_rule;
  perform private.audit(
    'ABUSE_RULE_CHANGED', 'abuse_rules:' || v_rule.rule, null, to_jsonb(v_rule), v_rule.tenant_id, v_me
  );
  return v_rule;
end;
$$;
comment on function public.abuse_rule_save(uuid, text, bigint, integer, integer, boolean) is
  'Sets the limits of a rule, or switches it off (permission abuse.manage). times belongs to many_transfers, hours to all but large_transfer. Raises request.invalid.';
grant execute on function public.abuse_rule_save(uuid, text, bigint, integer, integer, boolean) to authenticated;

create function private.abuse_lock(tenant_id uuid, case_id uuid)
returns public.abuse_cases
language plpgsql
volatile
security definer -- locks a case past its policies
set search_path = ''
as $$
#variable_conflict use_column
declare
  v_case public.abuse_cases;
begin
  select * into v_case from public.abuse_cases c
  where c.tenant_id = abuse_lock.tenant_id and c.id = abuse_lock.case_id
  for no key update;
  if not found then
    raise sqlstate 'PT404' using message = 'abuse.case_not_found';
  end if;
  return v_case;
end;
$$;
comment on function private.abuse_lock(uuid, uuid) is 'The case, locked. Raises abuse.case_not_found.';

create function public.abuse_decide(tenant_id uuid, case_id uuid, action text, note text default null)
returns public.abuse_cases
language plpgsql
volatile
security definer -- clients may not write cases
set search_path = ''
as $$
#variable_conflict use_column
declare
  v_me uuid := private.require(abuse_decide.tenant_id, 'abuse.review');
  v_case public.abuse_cases := private.abuse_lock(abuse_decide.tenant_id, abuse_decide.case_id);
  v_note text := nullif(btrim(abuse_decide.note), '');
  v_action text := nullif(abuse_decide.action, 'dismiss');
begin
  v_me := private.require_for(v_case.tenant_id, 'abuse.review', v_case.person_id);
  if coalesce(abuse_decide.action not in ('dismiss', 'confirm', 'warn', 'suspend'), true) then
    raise sqlstate 'PT422' using message = 'request.invalid', detail = 'action: dismiss, confirm, warn or suspend';
  elsif char_length(v_note) > 1000 or (v_note is null and v_action is not null) then
    raise sqlstate 'PT422' using message = 'request.invalid', detail = 'note: 1 to 1,000 characters';
  elsif v_case.status <> 'open' then
    raise sqlstate 'PT409' using message = 'request.transition_refused', detail = 'abuse_cases: ' || v_case.status;
  end if;
  update public.abuse_cases c
  set status = case when v_action is null then 'dismissed' else 'confirmed' end, action = v_action,
    note = v_note, decided_by = v_me, decided_at = now()
  where c.tenant_id = v_case.tenant_id and c.id = v_case.id
  returning * into v_case;
  -- What is decided about a person goes by the door for that, with its own rights, notice and appeal.
  if v_action = 'warn' then
    perform public.admin_warn(v_case.tenant_id, v_case.person_id, v_note);
  elsif v_action = 'suspend' then
    perform public.members_set_status(v_case.tenant_id, v_case.person_id, 'suspended', v_note);
  elsif v_action = 'confirm' then
    perform private.notify(
      v_case.person_id, 'abuse.decided',
      jsonb_build_object(
        'case_id', v_case.id, 'rule', v_case.rule, 'reason', v_note, 'about', 'abuse_cases:' || v_case.id
      ),
      v_case.tenant_id
    );
  end if;
  perform private.audit(
    'ABUSE_CASE_DECIDED', 'abuse_cases:' || v_case.id, null,
    jsonb_build_object('rule', v_case.rule, 'action', abuse_decide.action), v_case.tenant_id, v_me
  );
  return v_case;
end;
$$;
comment on function public.abuse_decide(uuid, uuid, text, text) is
  'Decides an open case: dismiss it, confirm it, or warn or suspend the member, which takes members.manage, too (permission abuse.review, never one''s own case). Unless it is dismissed the member reads the note, the rule and what was found. Raises abuse.case_not_found, members.not_yourself, request.transition_refused, request.invalid, members.*.';
grant execute on function public.abuse_decide(uuid, uuid, text, text) to authenticated;

create function public.abuse_appeal(tenant_id uuid, case_id uuid, statement text)
returns public.abuse_cases
language plpgsql
volatile
security definer -- clients may not write cases
set search_path = ''
as $$
#variable_conflict use_column
declare
  v_me uuid := private.require(abuse_appeal.tenant_id, 'abuse.read');
  v_case public.abuse_cases := private.abuse_lock(abuse_appeal.tenant_id, abuse_appeal.case_id);
begin
  if v_case.person_id <> v_me or v_case.status in ('open', 'dismissed') then
    raise sqlstate 'PT404' using message = 'abuse.case_not_found';
  elsif coalesce(char_length(btrim(abuse_appeal.statement)) not between 1 and 4000, true) then
    raise sqlstate 'PT422' using message = 'request.invalid', detail = 'statement: 1 to 4,000 characters';
  elsif v_case.status <> 'confirmed' or v_case.action <> 'confirm' then
    raise sqlstate 'PT409' using
      message = 'request.transition_refused',
      detail = format('abuse_cases: %s, %s', v_case.status, v_case.action);
  elsif v_case.decided_at < now() - interval '30 days' then
    raise sqlstate 'PT409' using message = 'abuse.appeal_over';
  end if;
  update public.abuse_cases c
  set status = 'appealed', appeal = btrim(abuse_appeal.statement), appealed_at = now()
  where c.tenant_id = v_case.tenant_id and c.id = v_case.id
  returning * into v_case;
  perform private.audit('ABUSE_APPEALED', 'abuse_cases:' || v_case.id, null, null, v_case.tenant_id, v_me);
  perform private.notify_all(
    array_remove(array_remove(private.members_with(v_case.tenant_id, 'abuse.review'), v_me), v_case.decided_by),
    'abuse.appealed', jsonb_build_object('case_id', v_case.id, 'about', 'abuse_cases:' || v_case.id),
    v_case.tenant_id
  );
  return v_case;
end;
$$;
comment on function public.abuse_appeal(uuid, uuid, text) is
  'Objects to a confirmed case about the caller, within 30 days and once (permission abuse.read); a warning or suspension is appealed by admin_appeal. Raises abuse.case_not_found, abuse.appeal_over, request.transition_refused, request.invalid.';
grant execute on function public.abuse_appeal(uuid, uuid, text) to authenticated;

create function public.abuse_decide_appeal(tenant_id uuid, case_id uuid, uphold boolean, note text)
returns public.abuse_cases
language plpgsql
volatile
security definer -- clients may not write cases
set search_path = ''
as $$
#variable_conflict use_column
declare
  v_me uuid := private.require(abuse_decide_appeal.tenant_id, 'abuse.review');
  v_case public.abuse_cases := private.abuse_lock(abuse_decide_appeal.tenant_id, abuse_decide_appeal.case_id);
begin
  v_me := private.require_for(v_case.tenant_id, 'abuse.review', v_case.person_id);
  if abuse_decide_appeal.uphold is null
    or coalesce(char_length(btrim(abuse_decide_appeal.note)) not between 1 and 1000, true)
  then
    raise sqlstate 'PT422' using message = 'request.invalid', detail = 'uphold, note: 1 to 1,000 characters';
  elsif v_case.decided_by = v_me then
    raise sqlstate 'PT403' using message = 'abuse.own_decision';
  elsif v_case.status <> 'appealed' then
    raise sqlstate 'PT409' using message = 'request.transition_refused', detail = 'abuse_cases: ' || v_case.status;
  end if;
  update public.abuse_cases c
  set status = case when abuse_decide_appeal.uphold then 'upheld' else 'overturned' end,
    appeal_note = btrim(abuse_decide_appeal.note), appeal_decided_by = v_me
  where c.tenant_id = v_case.tenant_id and c.id = v_case.id
  returning * into v_case;
  perform private.audit(
    'ABUSE_APPEAL_DECIDED', 'abuse_cases:' || v_case.id, null,
    jsonb_build_object('status', v_case.status), v_case.tenant_id, v_me
  );
  perform private.notify(
    v_case.person_id, 'abuse.appeal_decided',
    jsonb_build_object('case_id', v_case.id, 'outcome', v_case.status, 'about', 'abuse_cases:' || v_case.id),
    v_case.tenant_id
  );
  return v_case;
end;
$$;
comment on function public.abuse_decide_appeal(uuid, uuid, boolean, text) is
  'Upholds a confirmed case or overturns it, with a reason; never by who decided first (permission abuse.review). Raises abuse.case_not_found, abuse.own_decision, members.not_yourself, request.transition_refused, request.invalid.';
grant execute on function public.abuse_decide_appeal(uuid, uuid, boolean, text) to authenticated;
