-- Volunteering, hours: logged by who gave them, approved by somebody else who runs it, counted, and paid
-- in the same transaction where that was promised.

select private.declare_notification('volunteering.' || what, group_key => 'opportunity_id')
from unnest(array['hours_submitted', 'hours_approved', 'hours_rejected', 'hours_revoked']) what;

create function public.volunteering_log(
  tenant_id uuid, opportunity uuid, day date, minutes integer, note text default null, hours uuid default null
)
returns public.volunteering_hours
language plpgsql
volatile
security definer -- clients may not write hours
set search_path = ''
as $$
#variable_conflict use_column
declare
  v_me uuid := private.require(volunteering_log.tenant_id, 'volunteering.help');
  v_opportunity public.volunteering_opportunities;
  v_note text := nullif(btrim(volunteering_log.note), '');
  v_today date := (
    select (now() at time zone t.time_zone)::date from public.tenants t where t.id = volunteering_log.tenant_id
  );
  v_hours public.volunteering_hours;
  v_before text;
begin
  -- The member's row first, as where somebody leaves: of two at once the second counts the first, for a
  -- day has 24 hours.
  perform from public.members m
  where m.tenant_id = volunteering_log.tenant_id and m.person_id = v_me for no key update;
  v_opportunity := private.volunteering_lock(volunteering_log.tenant_id, volunteering_log.opportunity, v_me);
  if not exists (
    select from public.volunteering_signups s
    where s.tenant_id = v_opportunity.tenant_id and s.opportunity_id = v_opportunity.id and s.person_id = v_me
      and s.status = 'accepted'
  ) then
    raise sqlstate 'PT403' using message = 'volunteering.not_a_helper';
  elsif v_opportunity.status not in ('open', 'closed') then
    raise sqlstate 'PT409' using message = 'volunteering.closed';
  elsif coalesce(volunteering_log.minutes not between 15 and 1440, true) or char_length(v_note) > 500
    or coalesce(volunteering_log.day not between v_today - 90 and v_today, true)
  then
    raise sqlstate 'PT422' using
      message = 'request.invalid', detail = 'minutes: 15 to 1,440; day: of the last 90; note: at most 500 characters';
  end if;
  perform private.require_rate('volunteering-log:' || v_opportunity.tenant_id || ':' || v_me, 120, interval '1 hour');
  if volunteering_log.minutes + (
    select coalesce(sum(h.minutes), 0) from public.volunteering_hours h
    where h.tenant_id = v_opportunity.tenant_id and h.person_id = v_me and h.day = volunteering_log.day
      and h.status in ('submitted', 'approved') and h.id is distinct from volunteering_log.hours
  ) > 1440 then
    raise sqlstate 'PT422' using message = 'volunteering.day_full';
  end if;
  if volunteering_log.hours is null then
    insert into public.volunteering_hours (tenant_id, opportunity_id, person_id, day, minutes, note)
    values (
      v_opportunity.tenant_id, v_opportunity.id, v_me, volunteering_log.day, volunteering_log.minutes, v_note
    )
    returning * into v_hours;
  else
    select h.status into v_before from public.volunteering_hours h
    where h.tenant_id = v_opportunity.tenant_id and h.id = volunteering_log.hours and h.person_id = v_me
    for no key update;
    update public.volunteering_hours h
    set day = volunteering_log.day, minutes = volunteering_log.minutes, note = v_note, status = 'submitted',
      reason = null, decided_by = null, decided_at = null
    where h.tenant_id = v_opportunity.tenant_id and h.id = volunteering_log.hours and h.person_id = v_me
      and h.opportunity_id = v_opportunity.id and h.status in ('submitted', 'rejected')
    returning * into v_hours;
    if not found then
      raise sqlstate 'PT404' using message = 'volunteering.hours_not_found';
    end if;
  end if;
  -- Corrected before anybody judged them, they wait as they did.
  if v_opportunity.organiser_id <> v_me and v_before is distinct from 'submitted' then
    perform private.notify(
      v_opportunity.organiser_id, 'volunteering.hours_submitted', private.volunteering_notice(v_opportunity),
      v_opportunity.tenant_id
    );
  end if;
  return v_hours;
end;
$$;
comment on function public.volunteering_log(uuid, uuid, date, integer, text, uuid) is
  'Logs time that the caller gave where they were accepted, of the last 90 days, or corrects what is not approved (hours) (permission volunteering.help). Raises volunteering.not_found, volunteering.not_a_helper, volunteering.closed, volunteering.day_full, volunteering.hours_not_found, limits.exceeded, request.invalid.';
grant execute on function public.volunteering_log(uuid, uuid, date, integer, text, uuid) to authenticated;

create function public.volunteering_unlog(tenant_id uuid, hours uuid)
returns public.volunteering_hours
language plpgsql
volatile
security definer -- clients may not write hours
set search_path = ''
as $$
#variable_conflict use_column
declare
  v_me uuid := private.require(volunteering_unlog.tenant_id, 'volunteering.help');
  v_hours public.volunteering_hours;
begin
  update public.volunteering_hours h set status = 'withdrawn'
  where h.tenant_id = volunteering_unlog.tenant_id and h.id = volunteering_unlog.hours and h.person_id = v_me
    and h.status in ('submitted', 'rejected')
  returning * into v_hours;
  if not found then
    raise sqlstate 'PT404' using message = 'volunteering.hours_not_found';
  end if;
  return v_hours;
end;
$$;
comment on function public.volunteering_unlog(uuid, uuid) is
  'Takes back hours of the caller''s that are not approved (permission volunteering.help). Raises volunteering.hours_not_found.';
grant execute on function public.volunteering_unlog(uuid, uuid) to authenticated;

create function private.volunteering_judge(tenant_id uuid, hours uuid, person uuid)
returns public.volunteering_hours
language plpgsql
volatile
security definer -- locks hours past their policies
set search_path = ''
as $$
#variable_conflict use_column
declare
  v_hours public.volunteering_hours;
  v_opportunity public.volunteering_opportunities;
begin
  select * into v_hours from public.volunteering_hours h
  where h.tenant_id = volunteering_judge.tenant_id and h.id = volunteering_judge.hours;
  -- The opportunity before its hours, as everybody does: its budget hangs on them.
  select * into v_opportunity from public.volunteering_opportunities o
  where o.tenant_id = v_hours.tenant_id and o.id = v_hours.opportunity_id
  for no key update;
  if v_hours.id is null or not (v_hours.person_id = person or private.volunteering_runs(v_opportunity, person)) then
    raise sqlstate 'PT404' using message = 'volunteering.hours_not_found';
  elsif v_hours.person_id = person then
    raise sqlstate 'PT403' using message = 'members.not_yourself', detail = 'volunteering.manage';
  end if;
  select * into v_hours from public.volunteering_hours h
  where h.tenant_id = v_hours.tenant_id and h.id = v_hours.id
  for no key update;
  return v_hours;
end;
$$;
comment on function private.volunteering_judge(uuid, uuid, uuid) is
  'Hours, locked, for somebody who runs it and did not give them. Raises volunteering.hours_not_found, members.not_yourself.';

create function private.volunteering_pay(hours public.volunteering_hours, actor uuid)
returns uuid
language plpgsql
volatile
security definer -- nobody else writes the budget
set search_path = ''
as $$
#variable_conflict use_column
declare
  v_opportunity public.volunteering_opportunities;
  v_payee uuid;
  v_transfer uuid := private.uuid_v7();
begin
  select * into v_opportunity from public.volunteering_opportunities o
  where o.tenant_id = hours.tenant_id and o.id = hours.opportunity_id;
  perform private.volunteering_require_pay(v_opportunity);
  update public.volunteering_opportunities o set paid_minutes = o.paid_minutes + hours.minutes
  where o.tenant_id = hours.tenant_id and o.id = hours.opportunity_id and o.paid_from is not null
    and o.paid_minutes + hours.minutes <= o.budget_minutes
  returning * into v_opportunity;
  if not found then
    raise sqlstate 'PT409' using message = 'volunteering.budget_spent';
  end if;
  perform private.require_no_impersonation();
  v_payee := private.wallet_account_of(hours.tenant_id, hours.person_id, v_opportunity.currency);
  if v_payee is null then
    raise sqlstate 'PT404' using message = 'wallet.recipient_not_found';
  end if;
  -- What was promised with the budget is paid in the name of who approves.
  perform private.wallet_move(
    hours.tenant_id, v_transfer, 'transfer', actor, private.volunteering_payer(v_opportunity), v_payee,
    hours.minutes::bigint, v_opportunity.currency, v_opportunity.title, 'volunteering'
  );
  return v_transfer;
end;
$$;
comment on function private.volunteering_pay(public.volunteering_hours, uuid) is
  'Pays hours out of the budget, minute for minute; returns the transfer. Raises volunteering.unpaid_here, volunteering.budget_spent, auth.impersonated, wallet.*.';

create function private.volunteering_count(hours public.volunteering_hours, sign integer)
returns void
language plpgsql
volatile
security definer -- nobody else writes the totals
set search_path = ''
as $$
#variable_conflict use_column
begin
  insert into public.volunteering_totals as t (tenant_id, person_id, minutes, entries, last_day)
  values (hours.tenant_id, hours.person_id, hours.minutes, 1, hours.day)
  on conflict (tenant_id, person_id) do update
    set minutes = t.minutes + sign * excluded.minutes, entries = t.entries + sign,
      last_day = greatest(t.last_day, excluded.last_day);
end;
$$;
comment on function private.volunteering_count(public.volunteering_hours, integer) is
  'Adds approved hours to a person''s total (1), or takes them out again (-1).';

create function private.volunteering_decided(hours public.volunteering_hours, actor uuid)
returns void
language plpgsql
volatile
security definer -- writes the trail, tells people
set search_path = ''
as $$
#variable_conflict use_column
declare
  v_opportunity public.volunteering_opportunities;
begin
  select * into v_opportunity from public.volunteering_opportunities o
  where o.tenant_id = hours.tenant_id and o.id = hours.opportunity_id;
  perform private.audit(
    'VOLUNTEERING_HOURS_DECIDED', 'volunteering_hours:' || hours.id, null,
    jsonb_build_object('status', hours.status, 'minutes', hours.minutes, 'transfer', hours.transfer_id),
    hours.tenant_id, actor
  );
  perform private.notify(
    hours.person_id, 'volunteering.hours_' || hours.status,
    private.volunteering_notice(v_opportunity) || jsonb_strip_nulls(jsonb_build_object(
      'minutes', hours.minutes::text, 'day', hours.day::text, 'reason', hours.reason
    )),
    hours.tenant_id
  );
end;
$$;
comment on function private.volunteering_decided(public.volunteering_hours, uuid) is
  'Writes a decision on hours to the trail, and tells who gave them.';

create function public.volunteering_decide(tenant_id uuid, hours uuid, approve boolean, reason text default null)
returns public.volunteering_hours
language plpgsql
volatile
security definer -- clients may not write hours
set search_path = ''
as $$
#variable_conflict use_column
declare
  v_me uuid := private.require(volunteering_decide.tenant_id, 'volunteering.read');
  v_hours public.volunteering_hours :=
    private.volunteering_judge(volunteering_decide.tenant_id, volunteering_decide.hours, v_me);
  v_reason text := nullif(btrim(volunteering_decide.reason), '');
  v_transfer uuid;
begin
  if volunteering_decide.approve is null or char_length(v_reason) > 500
    or (not volunteering_decide.approve and v_reason is null)
  then
    raise sqlstate 'PT422' using message = 'request.invalid', detail = 'approve, or a reason of 1 to 500 characters';
  elsif v_hours.status <> 'submitted' then
    raise sqlstate 'PT409' using
      message = 'request.transition_refused', detail = 'volunteering_hours: ' || v_hours.status;
  end if;
  if volunteering_decide.approve and exists (
    select from public.volunteering_opportunities o
    where o.tenant_id = v_hours.tenant_id and o.id = v_hours.opportunity_id and o.paid_from is not null
  ) then
    v_transfer := private.volunteering_pay(v_hours, v_me);
  end if;
  update public.volunteering_hours h
  set status = case when volunteering_decide.approve then 'approved' else 'rejected' end, reason = v_reason,
    decided_by = v_me, decided_at = now(), transfer_id = v_transfer
  where h.tenant_id = v_hours.tenant_id and h.id = v_hours.id
  returning * into v_hours;
  if v_hours.status = 'approved' then
    perform private.volunteering_count(v_hours, 1);
  end if;
  perform private.volunteering_decided(v_hours, v_me);
  return v_hours;
end;
$$;
comment on function public.volunteering_decide(uuid, uuid, boolean, text) is
  'Approves hours, which counts and where that was promised pays them, or rejects them with a reason; for whoever runs it, never their own (permission volunteering.read). Raises volunteering.hours_not_found, members.not_yourself, volunteering.unpaid_here, volunteering.budget_spent, wallet.insufficient_funds and what else the wallet refuses, request.transition_refused, request.invalid.';
grant execute on function public.volunteering_decide(uuid, uuid, boolean, text) to authenticated;

create function public.volunteering_revoke(tenant_id uuid, hours uuid, reason text)
returns public.volunteering_hours
language plpgsql
volatile
security definer -- clients may not write hours
set search_path = ''
as $$
#variable_conflict use_column
declare
  v_me uuid := private.require(volunteering_revoke.tenant_id, 'volunteering.read');
  v_hours public.volunteering_hours :=
    private.volunteering_judge(volunteering_revoke.tenant_id, volunteering_revoke.hours, v_me);
  v_reason text := btrim(volunteering_revoke.reason);
begin
  if coalesce(char_length(v_reason), 0) not between 1 and 500 then
    raise sqlstate 'PT422' using message = 'request.invalid', detail = 'reason: 1 to 500 characters';
  elsif v_hours.status <> 'approved' then
    raise sqlstate 'PT409' using
      message = 'request.transition_refused', detail = 'volunteering_hours: ' || v_hours.status;
  -- Value goes back by the wallet's own door, which asks for wallet.reverse.
  elsif v_hours.transfer_id is not null and not exists (
    select from public.wallet_reversals r
    where r.tenant_id = v_hours.tenant_id and r.transfer_id = v_hours.transfer_id
  ) then
    raise sqlstate 'PT409' using message = 'volunteering.still_paid';
  end if;
  update public.volunteering_hours h
  set status = 'revoked', reason = v_reason, decided_by = v_me, decided_at = now()
  where h.tenant_id = v_hours.tenant_id and h.id = v_hours.id
  returning * into v_hours;
  update public.volunteering_opportunities o set paid_minutes = o.paid_minutes - v_hours.minutes
  where o.tenant_id = v_hours.tenant_id and o.id = v_hours.opportunity_id and v_hours.transfer_id is not null;
  perform private.volunteering_count(v_hours, -1);
  perform private.volunteering_decided(v_hours, v_me);
  return v_hours;
end;
$$;
comment on function public.volunteering_revoke(uuid, uuid, text) is
  'Takes an approval back, with a reason; paid hours after their transfer was reversed (wallet_reverse) (permission volunteering.read, for whoever runs it, never their own). Raises volunteering.hours_not_found, volunteering.still_paid, members.not_yourself, request.transition_refused, request.invalid.';
grant execute on function public.volunteering_revoke(uuid, uuid, text) to authenticated;
