-- Volunteering, opportunities: calling for volunteers, and who may. What is paid is promised here, with
-- a budget, by somebody who may pay from that account.

create function private.volunteering_runs(opportunity public.volunteering_opportunities, person uuid)
returns boolean
language plpgsql
stable
security definer -- reads groups and agents past their policies
set search_path = ''
as $$
#variable_conflict use_column
begin
  return private.may(opportunity.tenant_id, person, 'volunteering.manage')
    or private.may(opportunity.tenant_id, person, 'volunteering.read') and (
      -- A call that is being made has no organiser yet, and need not have a group.
      coalesce(opportunity.organiser_id = person, false)
      or coalesce(private.groups_moderates(opportunity.tenant_id, opportunity.group_id, person), false)
      or exists (
        select from public.wallet_agents a
        where a.tenant_id = opportunity.tenant_id and a.organisation_id = opportunity.organisation_id
          and a.person_id = volunteering_runs.person
      )
    );
end;
$$;
comment on function private.volunteering_runs(public.volunteering_opportunities, uuid) is
  'Whether the person runs it: its organiser, a moderator of its group, an agent of its organisation, or a manager.';

create function private.volunteering_sees(opportunity public.volunteering_opportunities, person uuid)
returns boolean
language plpgsql
stable
security definer -- reads groups past their policies
set search_path = ''
as $$
begin
  return private.volunteering_runs(opportunity, person) or (
    opportunity.status <> 'draft' and opportunity.removed_at is null
    and private.may(opportunity.tenant_id, person, 'volunteering.read')
    and (
      opportunity.group_id is null
      or private.groups_reads(opportunity.tenant_id, opportunity.group_id, person)
    )
  );
end;
$$;
comment on function private.volunteering_sees(public.volunteering_opportunities, uuid) is
  'Whether the person sees it, as its policy says.';

create function private.volunteering_lock(tenant_id uuid, opportunity uuid, person uuid)
returns public.volunteering_opportunities
language plpgsql
volatile
security definer -- locks an opportunity past its policies
set search_path = ''
as $$
#variable_conflict use_column
declare
  v_opportunity public.volunteering_opportunities;
begin
  select * into v_opportunity from public.volunteering_opportunities o
  where o.tenant_id = volunteering_lock.tenant_id and o.id = volunteering_lock.opportunity
  for no key update;
  if not found or not private.volunteering_sees(v_opportunity, person) then
    raise sqlstate 'PT404' using message = 'volunteering.not_found';
  end if;
  return v_opportunity;
end;
$$;
comment on function private.volunteering_lock(uuid, uuid, uuid) is
  'An opportunity that the person sees, locked. Raises volunteering.not_found.';

create function private.volunteering_lock_all(tenants uuid[], person uuid)
returns void
language plpgsql
volatile
security definer -- locks opportunities past their policies
set search_path = ''
as $$
#variable_conflict use_column
begin
  perform from public.volunteering_opportunities o
  where (o.tenant_id, o.id) in (
    select s.tenant_id, s.opportunity_id from public.volunteering_signups s
    where s.tenant_id = any (tenants) and s.person_id = volunteering_lock_all.person
    union
    select c.tenant_id, c.id from public.volunteering_opportunities c
    where c.tenant_id = any (tenants) and c.organiser_id = volunteering_lock_all.person
  )
  order by o.tenant_id, o.id
  for no key update;
end;
$$;
comment on function private.volunteering_lock_all(uuid[], uuid) is
  'Locks whatever a person called for or signed up for, in one order, before anything that hangs on it changes.';

create function private.volunteering_require_runner(opportunity public.volunteering_opportunities, person uuid)
returns void
language plpgsql
stable
security definer -- asks volunteering_runs
set search_path = ''
as $$
begin
  if not private.volunteering_runs(opportunity, person) then
    raise sqlstate 'PT403' using message = 'volunteering.not_yours';
  end if;
end;
$$;
comment on function private.volunteering_require_runner(public.volunteering_opportunities, uuid) is
  'Raises volunteering.not_yours unless the person runs it.';

create function private.volunteering_apply(opportunity public.volunteering_opportunities, changes jsonb)
returns public.volunteering_opportunities
language plpgsql
stable
security invoker
set search_path = ''
as $$
declare
  v_changed public.volunteering_opportunities;
  v_fault text := (
    select k from jsonb_object_keys(changes) k
    where k not in (
      'title', 'description', 'place', 'starts_at', 'ends_at', 'capacity', 'by_hand', 'paid_from', 'currency',
      'budget_minutes', 'group_id', 'organisation_id'
    )
    limit 1
  );
begin
  if v_fault is null then
    begin
      v_changed := jsonb_populate_record(opportunity, changes);
    exception when invalid_text_representation or invalid_datetime_format or datetime_field_overflow
      or numeric_value_out_of_range or invalid_parameter_value or cannot_coerce
    then
      v_fault := 'changes: a value of another kind is wanted';
    end;
  end if;
  v_changed.title := btrim(v_changed.title);
  v_changed.description := nullif(btrim(v_changed.description), '');
  v_changed.place := nullif(btrim(v_changed.place), '');
  v_changed.by_hand := coalesce(v_changed.by_hand, false);
  v_fault := coalesce(v_fault, case
    when opportunity.id is not null and (opportunity.group_id, opportunity.organisation_id)
      is distinct from (v_changed.group_id, v_changed.organisation_id) then 'group_id, organisation_id: they stay'
    when coalesce(char_length(v_changed.title), 0) not between 3 and 120 then 'title: 3 to 120 characters'
    when char_length(v_changed.description) > 5000 then 'description: at most 5,000 characters'
    when char_length(v_changed.place) > 120 then 'place: at most 120 characters'
    when v_changed.ends_at <= v_changed.starts_at then 'ends_at: after starts_at'
    when not isfinite(v_changed.starts_at) or not isfinite(v_changed.ends_at) then 'starts_at, ends_at'
    when v_changed.capacity not between greatest(v_changed.accepted, 1) and 10000
      then 'capacity: at most 10,000, and no less than have a place'
    when v_changed.paid_from not in ('community_fund', 'organisation') then 'paid_from: community_fund or organisation'
    when num_nonnulls(v_changed.paid_from, v_changed.currency, v_changed.budget_minutes) not in (0, 3)
      then 'paid_from, currency and budget_minutes go together'
    when v_changed.budget_minutes not between greatest(v_changed.paid_minutes, 1) and 100000000
      then 'budget_minutes: at least what was paid'
    when v_changed.paid_from = 'organisation' and v_changed.organisation_id is null then 'organisation_id'
  end);
  if v_fault is not null then
    raise sqlstate 'PT422' using message = 'request.invalid', detail = v_fault;
  end if;
  return v_changed;
end;
$$;
comment on function private.volunteering_apply(public.volunteering_opportunities, jsonb) is
  'The opportunity as the changes say. Raises request.invalid for unknown names and bad values.';

create function private.volunteering_payer(opportunity public.volunteering_opportunities)
returns uuid
language plpgsql
stable
security definer -- reads accounts past their policies
set search_path = ''
as $$
#variable_conflict use_column
begin
  return case opportunity.paid_from
    when 'community_fund' then
      private.wallet_system_account(opportunity.tenant_id, opportunity.currency, 'community_fund')
    when 'organisation' then (
      select a.id from public.wallet_ledger_accounts a
      where a.tenant_id = opportunity.tenant_id and a.organisation_id = opportunity.organisation_id
        and a.currency = opportunity.currency
    )
  end;
end;
$$;
comment on function private.volunteering_payer(public.volunteering_opportunities) is
  'The account that pays approved hours; null where there is none.';

create function private.volunteering_require_pay(opportunity public.volunteering_opportunities)
returns void
language plpgsql
stable
security definer -- reads tenants and currencies past their policies
set search_path = ''
as $$
#variable_conflict use_column
begin
  if not exists (
    select from public.tenants t
    where t.id = opportunity.tenant_id and 'wallet' = any (t.modules)
      and t.settings -> 'volunteering' -> 'pay' = 'true'
  ) or not exists (
    select from public.wallet_currencies c
    where c.tenant_id = opportunity.tenant_id and c.code = opportunity.currency and c.kind = 'time'
  ) then
    raise sqlstate 'PT409' using message = 'volunteering.unpaid_here';
  end if;
end;
$$;
comment on function private.volunteering_require_pay(public.volunteering_opportunities) is
  'Raises volunteering.unpaid_here where the tenant does not pay volunteers, or not in this currency.';

create function private.volunteering_check_payment(opportunity public.volunteering_opportunities, person uuid)
returns void
language plpgsql
stable
security definer -- reads accounts past their policies
set search_path = ''
as $$
begin
  perform private.volunteering_require_pay(opportunity);
  perform private.require_no_impersonation();
  -- Whoever promises what the fund pays may pay from it themselves; so with an organisation. An account
  -- that is not there is no account of anybody's, never the person's own.
  perform private.wallet_payer(
    opportunity.tenant_id, person, opportunity.currency, coalesce(private.volunteering_payer(opportunity), person)
  );
end;
$$;
comment on function private.volunteering_check_payment(public.volunteering_opportunities, uuid) is
  'Raises volunteering.unpaid_here where the tenant does not pay volunteers, or not in this currency; auth.impersonated; wallet.not_found unless the person may pay from the account.';

create function public.volunteering_save(tenant_id uuid, opportunity uuid default null, changes jsonb default '{}')
returns public.volunteering_opportunities
language plpgsql
volatile
security definer -- clients may not write opportunities
set search_path = ''
as $$
#variable_conflict use_column
declare
  v_me uuid := private.require(volunteering_save.tenant_id, 'volunteering.help');
  v_before public.volunteering_opportunities;
  v_opportunity public.volunteering_opportunities;
begin
  if jsonb_typeof(changes) is distinct from 'object' then
    raise sqlstate 'PT422' using message = 'request.invalid', detail = 'changes: an object';
  elsif volunteering_save.opportunity is not null then
    v_before := private.volunteering_lock(volunteering_save.tenant_id, volunteering_save.opportunity, v_me);
    perform private.volunteering_require_runner(v_before, v_me);
  else
    v_before.tenant_id := volunteering_save.tenant_id;
    v_before.accepted := 0;
    v_before.paid_minutes := 0;
  end if;
  v_opportunity := private.volunteering_apply(v_before, changes);
  if v_before.id is null then
    perform private.volunteering_require_runner(v_opportunity, v_me);
    if v_opportunity.group_id is not null and not private.groups_reads(v_opportunity.tenant_id, v_opportunity.group_id, v_me) then
      raise sqlstate 'PT404' using message = 'groups.not_found';
    end if;
  end if;
  if v_opportunity.paid_from is not null
    and (v_opportunity.paid_from, v_opportunity.currency, v_opportunity.budget_minutes)
      is distinct from (v_before.paid_from, v_before.currency, v_before.budget_minutes)
  then
    perform private.volunteering_check_payment(v_opportunity, v_me);
  end if;
  if v_before.id is null then
    perform private.require_rate('volunteering-save:' || v_before.tenant_id || ':' || v_me, 60, interval '1 hour');
    insert into public.volunteering_opportunities (tenant_id, organiser_id, group_id, organisation_id, title)
    values (
      v_before.tenant_id, v_me, v_opportunity.group_id, v_opportunity.organisation_id, v_opportunity.title
    )
    returning id into v_opportunity.id;
  end if;
  update public.volunteering_opportunities o
  set title = v_opportunity.title, description = v_opportunity.description, place = v_opportunity.place,
    starts_at = v_opportunity.starts_at, ends_at = v_opportunity.ends_at, capacity = v_opportunity.capacity,
    by_hand = v_opportunity.by_hand, paid_from = v_opportunity.paid_from, currency = v_opportunity.currency,
    budget_minutes = v_opportunity.budget_minutes
  where o.tenant_id = volunteering_save.tenant_id and o.id = v_opportunity.id
  returning * into v_opportunity;
  perform private.audit(
    'VOLUNTEERING_OPPORTUNITY_SAVED', 'volunteering_opportunities:' || v_opportunity.id, null,
    jsonb_build_object('paid_from', v_opportunity.paid_from, 'budget_minutes', v_opportunity.budget_minutes),
    v_opportunity.tenant_id, v_me
  );
  return v_opportunity;
exception when foreign_key_violation then
  raise sqlstate 'PT422' using message = 'request.invalid', detail = 'group_id, organisation_id';
end;
$$;
comment on function public.volunteering_save(uuid, uuid, jsonb) is
  'Calls for volunteers, or changes a call: { title, description, place, starts_at, ends_at, capacity, by_hand, group_id, organisation_id, paid_from, currency, budget_minutes }, each optional but the title of a new one. For the community as a manager (volunteering.manage), for a group as its moderator, for an organisation as its agent. Paid only where the tenant says so, by who may pay from there. Raises volunteering.not_found, volunteering.not_yours, volunteering.unpaid_here, groups.not_found, wallet.not_found, wallet.currency_unknown, auth.impersonated, limits.exceeded, request.invalid.';
grant execute on function public.volunteering_save(uuid, uuid, jsonb) to authenticated;
