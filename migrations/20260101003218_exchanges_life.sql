-- Exchanges, life: nothing waits for ever. What nobody answers expires, what nobody confirms is
-- disputed, a dispute nobody decides goes one step up and then ends without payment.

create function private.exchanges_end(exchange public.exchanges)
returns public.exchanges
language plpgsql
volatile
security definer -- nobody else writes exchanges
set search_path = ''
as $$
#variable_conflict use_column
declare
  v_exchange public.exchanges;
  v_status text := case exchange.status when 'disputed' then 'cancelled' else 'expired' end;
begin
  if exchange.status = 'pending_confirmation' then
    return private.exchanges_go_to_dispute(exchange, null, 'deadline');
  elsif exchange.status = 'disputed' and exchange.escalated_at is null then
    update public.exchanges e
    set escalated_at = now(), due_at = private.exchanges_due(exchange, 'disputed'),
      remind_at = private.exchanges_remind_at(exchange, 'disputed', private.exchanges_due(exchange, 'disputed'))
    where e.tenant_id = exchange.tenant_id and e.id = exchange.id
    returning * into v_exchange;
    perform private.audit('EXCHANGE_ESCALATED', 'exchanges:' || v_exchange.id, null, null, v_exchange.tenant_id);
    perform private.exchanges_tell(v_exchange, 'exchanges.escalated', private.exchanges_awaited(v_exchange));
    return v_exchange;
  end if;
  v_exchange := private.exchanges_step(exchange, v_status, null, 'deadline');
  perform private.exchanges_tell(v_exchange, 'exchanges.' || v_status, private.exchanges_people(v_exchange));
  return v_exchange;
end;
$$;
comment on function private.exchanges_end(public.exchanges) is
  'What its deadline does to an exchange: expires it, makes it a dispute, escalates the dispute, and at last cancels it.';

create function private.exchanges_end_due()
returns integer
language plpgsql
volatile
security definer -- nobody else writes exchanges
set search_path = ''
as $$
#variable_conflict use_column
declare
  v_exchange public.exchanges;
  v_due public.exchanges[] := array(
    select e from public.exchanges e
    where e.due_at <= now()
    order by e.due_at
    limit 500
    for no key update skip locked
  );
begin
  perform private.exchanges_lock_held(v_due);
  foreach v_exchange in array v_due loop
    perform private.exchanges_end(v_exchange);
  end loop;
  return cardinality(v_due);
end;
$$;
comment on function private.exchanges_end_due() is 'Does to 500 exchanges what their deadline does; returns to how many.';

create function private.exchanges_remind()
returns integer
language plpgsql
volatile
security definer -- nobody else writes exchanges
set search_path = ''
as $$
#variable_conflict use_column
declare
  v_exchange public.exchanges;
  v_count integer := 0;
begin
  for v_exchange in
    update public.exchanges e set remind_at = null
    from (
      select d.tenant_id, d.id from public.exchanges d
      where d.remind_at <= now() and d.due_at > now()
      order by d.remind_at
      limit 500
      for no key update skip locked
    ) due
    where e.tenant_id = due.tenant_id and e.id = due.id
    returning e.*
  loop
    perform private.exchanges_tell(v_exchange, 'exchanges.reminder', private.exchanges_awaited(v_exchange));
    v_count := v_count + 1;
  end loop;
  return v_count;
end;
$$;
comment on function private.exchanges_remind() is
  'Reminds, once a state, whom 500 exchanges wait for; returns how many exchanges.';

select private.schedule('exchanges-deadlines', '*/10 * * * *', 'select private.exchanges_end_due()');
select private.schedule('exchanges-remind', '*/10 * * * *', 'select private.exchanges_remind()');

-- Leaving
create function private.exchanges_on_member_gone()
returns trigger
language plpgsql
volatile
security definer -- whoever changes the membership may not write exchanges
set search_path = ''
as $$
#variable_conflict use_column
declare
  v_exchange public.exchanges;
  v_open public.exchanges[] := array(
    select e from public.exchanges e
    join public.exchanges_parts p on p.tenant_id = e.tenant_id and p.exchange_id = e.id
    where p.tenant_id = new.tenant_id and p.person_id = new.person_id and p.ended_at is null
    order by e.id
    for no key update of e
  );
  v_payable boolean := new.status = 'left' and exists (
    select from public.people p where p.id = new.person_id and p.erased_at is null
  );
begin
  perform private.exchanges_lock_held(v_open);
  foreach v_exchange in array v_open loop
    if v_payable and v_exchange.status in ('pending_confirmation', 'disputed') then
      -- What was done is owed: a mediator decides, and what is held for it stays held.
      if v_exchange.status = 'pending_confirmation' then
        perform private.exchanges_go_to_dispute(v_exchange, null, 'member_gone');
      end if;
      continue;
    end if;
    v_exchange := private.exchanges_step(v_exchange, 'cancelled', null, 'member_gone');
    perform private.exchanges_tell(
      v_exchange, 'exchanges.cancelled', array_remove(private.exchanges_people(v_exchange), new.person_id)
    );
  end loop;
  return null;
end;
$$;
comment on function private.exchanges_on_member_gone() is
  'After a member left or was banned: what was open with them is cancelled; but what somebody had confirmed before they left goes to a mediator.';
create trigger exchanges_on_member_gone after update of status on public.members
  for each row when (new.status in ('left', 'banned') and old.status not in ('left', 'banned'))
  execute function private.exchanges_on_member_gone();

create function private.exchanges_on_person_erased()
returns trigger
language plpgsql
volatile
security definer -- nobody else writes notes and reviews
set search_path = ''
as $$
#variable_conflict use_column
declare
  v_tenants uuid[] := array(select m.tenant_id from public.members m where m.person_id = new.id);
begin
  update public.exchanges_notes n set body = null
  where n.tenant_id = any (v_tenants) and n.author_id = new.id and n.body is not null;
  update public.exchanges_reviews r
  set body = null, reply = case when r.reviewee_id = new.id then null else r.reply end
  where r.tenant_id = any (v_tenants) and new.id in (r.reviewer_id, r.reviewee_id);
  return null;
end;
$$;
comment on function private.exchanges_on_person_erased() is
  'After a person is erased: what they wrote about exchanges goes, and what others wrote about them. Numbers stay.';
create trigger exchanges_on_person_erased after update of erased_at on public.people
  for each row when (old.erased_at is null and new.erased_at is not null)
  execute function private.exchanges_on_person_erased();
