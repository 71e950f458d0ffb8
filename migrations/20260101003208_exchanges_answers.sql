-- Exchanges, answers: those who take part agree or decline, a broker approves where the tenant wants
-- one, and until somebody has confirmed anybody who takes part may call it off.

create function private.exchanges_lock(tenant_id uuid, exchange_id uuid, person uuid)
returns public.exchanges
language plpgsql
volatile
security definer -- locks exchanges past their policies
set search_path = ''
as $$
#variable_conflict use_column
declare
  v_exchange public.exchanges;
begin
  select e.* into v_exchange
  from public.exchanges e
  join public.exchanges_parts p
    on p.tenant_id = e.tenant_id and p.exchange_id = e.id and p.person_id = exchanges_lock.person
  where e.tenant_id = exchanges_lock.tenant_id and e.id = exchanges_lock.exchange_id
  for no key update of e;
  if not found then
    raise sqlstate 'PT404' using message = 'exchanges.not_found';
  end if;
  return v_exchange;
end;
$$;
comment on function private.exchanges_lock(uuid, uuid, uuid) is
  'The exchange, locked, for who takes part in it. Raises exchanges.not_found.';

create function private.exchanges_lock_case(tenant_id uuid, exchange_id uuid, broker uuid)
returns public.exchanges
language plpgsql
volatile
security definer -- locks exchanges past their policies
set search_path = ''
as $$
#variable_conflict use_column
declare
  v_exchange public.exchanges;
begin
  select * into v_exchange from public.exchanges e
  where e.tenant_id = exchanges_lock_case.tenant_id and e.id = exchanges_lock_case.exchange_id
  for no key update;
  if not found then
    raise sqlstate 'PT404' using message = 'exchanges.not_found';
  elsif exchanges_lock_case.broker = any (private.exchanges_people(v_exchange)) then
    raise sqlstate 'PT403' using message = 'exchanges.own_case';
  end if;
  return v_exchange;
end;
$$;
comment on function private.exchanges_lock_case(uuid, uuid, uuid) is
  'The exchange, locked, for a broker who does not take part in it. Raises exchanges.not_found, exchanges.own_case.';

create function private.exchanges_require_status(exchange public.exchanges, statuses text[])
returns void
language plpgsql
immutable
security invoker
set search_path = ''
as $$
begin
  if exchange.status <> all (statuses) then
    raise sqlstate 'PT409' using
      message = 'request.transition_refused', detail = 'exchanges: ' || exchange.status;
  end if;
end;
$$;
comment on function private.exchanges_require_status(public.exchanges, text[]) is 'Raises request.transition_refused.';

create function private.exchanges_require_note(note text)
returns void
language plpgsql
immutable
security invoker
set search_path = ''
as $$
begin
  if coalesce(btrim(note), '') = '' then
    raise sqlstate 'PT422' using message = 'request.invalid', detail = 'note: required';
  end if;
end;
$$;
comment on function private.exchanges_require_note(text) is 'Raises request.invalid where nothing was written.';

create function public.exchanges_accept(tenant_id uuid, exchange_id uuid)
returns public.exchanges
language plpgsql
volatile
security definer -- clients may not write exchanges
set search_path = ''
as $$
#variable_conflict use_column
declare
  v_me uuid := private.require(exchanges_accept.tenant_id, 'exchanges.take_part');
  v_exchange public.exchanges := private.exchanges_lock(exchanges_accept.tenant_id, exchanges_accept.exchange_id, v_me);
begin
  perform private.require_no_impersonation();
  if v_exchange.status in ('pending_broker', 'accepted') then
    return v_exchange; -- Everybody has agreed, the caller too.
  end if;
  perform private.exchanges_require_status(v_exchange, array['pending_provider']);
  update public.exchanges_parts p set agreed_at = now()
  where p.tenant_id = v_exchange.tenant_id and p.exchange_id = v_exchange.id and p.person_id = v_me
    and p.agreed_at is null;
  if not found then
    raise sqlstate 'PT409' using message = 'exchanges.not_awaited';
  elsif exists (
    select from public.exchanges_parts p
    where p.tenant_id = v_exchange.tenant_id and p.exchange_id = v_exchange.id and p.agreed_at is null
  ) then
    perform private.exchanges_announce(v_exchange);
    return v_exchange;
  elsif private.exchanges_wants_broker(v_exchange) then
    v_exchange := private.exchanges_step(v_exchange, 'pending_broker', v_me);
    perform private.exchanges_tell(v_exchange, 'exchanges.broker_wanted', private.exchanges_awaited(v_exchange), v_me);
    return v_exchange;
  end if;
  v_exchange := private.exchanges_step(v_exchange, 'accepted', v_me);
  perform private.exchanges_tell(v_exchange, 'exchanges.accepted', private.exchanges_people(v_exchange), v_me);
  return v_exchange;
end;
$$;
comment on function public.exchanges_accept(uuid, uuid) is
  'Agrees to what was proposed (permission exchanges.take_part). Once everybody has, it is accepted, or waits for a broker where the tenant wants one. Raises exchanges.not_found, exchanges.not_awaited, auth.impersonated, request.transition_refused; with holds, wallet.insufficient_funds and others of wallet_hold.';
grant execute on function public.exchanges_accept(uuid, uuid) to authenticated;

create function public.exchanges_decline(tenant_id uuid, exchange_id uuid, note text default null)
returns public.exchanges
language plpgsql
volatile
security definer -- clients may not write exchanges
set search_path = ''
as $$
#variable_conflict use_column
declare
  v_me uuid := private.require(exchanges_decline.tenant_id, 'exchanges.take_part');
  v_exchange public.exchanges := private.exchanges_lock(exchanges_decline.tenant_id, exchanges_decline.exchange_id, v_me);
begin
  perform private.exchanges_require_status(v_exchange, array['pending_provider']);
  if v_me = (case when v_exchange.offered then v_exchange.provider_id else v_exchange.requester_id end) then
    raise sqlstate 'PT409' using message = 'exchanges.not_awaited';
  end if;
  perform private.exchanges_say(v_exchange, v_me, 'decline', note);
  v_exchange := private.exchanges_step(v_exchange, 'declined', v_me, 'party');
  perform private.exchanges_tell(v_exchange, 'exchanges.declined', private.exchanges_people(v_exchange), v_me);
  return v_exchange;
end;
$$;
comment on function public.exchanges_decline(uuid, uuid, text) is
  'Says no to what somebody else proposed (permission exchanges.take_part). Raises exchanges.not_found, exchanges.not_awaited, request.transition_refused, request.invalid.';
grant execute on function public.exchanges_decline(uuid, uuid, text) to authenticated;

create function public.exchanges_approve(tenant_id uuid, exchange_id uuid)
returns public.exchanges
language plpgsql
volatile
security definer -- clients may not write exchanges
set search_path = ''
as $$
declare
  v_me uuid := private.require(exchanges_approve.tenant_id, 'exchanges.broker');
  v_exchange public.exchanges := private.exchanges_lock_case(
    exchanges_approve.tenant_id, exchanges_approve.exchange_id, v_me
  );
begin
  perform private.exchanges_require_status(v_exchange, array['pending_broker']);
  v_exchange := private.exchanges_step(v_exchange, 'accepted', v_me, 'broker');
  perform private.exchanges_tell(v_exchange, 'exchanges.accepted', private.exchanges_people(v_exchange), v_me);
  return v_exchange;
end;
$$;
comment on function public.exchanges_approve(uuid, uuid) is
  'Approves what others agreed on (permission exchanges.broker), never in one''s own case. Raises exchanges.not_found, exchanges.own_case, request.transition_refused; with holds, wallet.insufficient_funds and others of wallet_hold.';
grant execute on function public.exchanges_approve(uuid, uuid) to authenticated;

create function public.exchanges_refuse(tenant_id uuid, exchange_id uuid, note text)
returns public.exchanges
language plpgsql
volatile
security definer -- clients may not write exchanges
set search_path = ''
as $$
declare
  v_me uuid := private.require(exchanges_refuse.tenant_id, 'exchanges.broker');
  v_exchange public.exchanges := private.exchanges_lock_case(
    exchanges_refuse.tenant_id, exchanges_refuse.exchange_id, v_me
  );
begin
  perform private.exchanges_require_note(note);
  perform private.exchanges_require_status(v_exchange, array['pending_broker']);
  perform private.exchanges_say(v_exchange, v_me, 'broker', note);
  v_exchange := private.exchanges_step(v_exchange, 'declined', v_me, 'broker');
  perform private.exchanges_tell(v_exchange, 'exchanges.declined', private.exchanges_people(v_exchange), v_me);
  return v_exchange;
end;
$$;
comment on function public.exchanges_refuse(uuid, uuid, text) is
  'Refuses what others agreed on, and says why (permission exchanges.broker), never in one''s own case. Raises exchanges.not_found, exchanges.own_case, request.transition_refused, request.invalid.';
grant execute on function public.exchanges_refuse(uuid, uuid, text) to authenticated;

create function public.exchanges_cancel(tenant_id uuid, exchange_id uuid, note text default null)
returns public.exchanges
language plpgsql
volatile
security definer -- clients may not write exchanges
set search_path = ''
as $$
declare
  v_me uuid := private.require(exchanges_cancel.tenant_id, 'exchanges.take_part');
  v_exchange public.exchanges := private.exchanges_lock(exchanges_cancel.tenant_id, exchanges_cancel.exchange_id, v_me);
begin
  perform private.exchanges_require_status(
    v_exchange, array['pending_provider', 'pending_broker', 'accepted', 'in_progress']
  );
  perform private.exchanges_say(v_exchange, v_me, 'cancel', note);
  v_exchange := private.exchanges_step(v_exchange, 'cancelled', v_me, 'party');
  perform private.exchanges_tell(v_exchange, 'exchanges.cancelled', private.exchanges_people(v_exchange), v_me);
  return v_exchange;
end;
$$;
comment on function public.exchanges_cancel(uuid, uuid, text) is
  'Calls an exchange off, for whoever takes part and until somebody has confirmed it (permission exchanges.take_part). Nothing is paid. Raises exchanges.not_found, request.transition_refused, request.invalid.';
grant execute on function public.exchanges_cancel(uuid, uuid, text) to authenticated;

create function public.exchanges_start(tenant_id uuid, exchange_id uuid)
returns public.exchanges
language plpgsql
volatile
security definer -- clients may not write exchanges
set search_path = ''
as $$
declare
  v_me uuid := private.require(exchanges_start.tenant_id, 'exchanges.take_part');
  v_exchange public.exchanges := private.exchanges_lock(exchanges_start.tenant_id, exchanges_start.exchange_id, v_me);
begin
  if v_exchange.status = 'in_progress' then
    return v_exchange; -- The other was quicker.
  end if;
  perform private.exchanges_require_status(v_exchange, array['accepted']);
  v_exchange := private.exchanges_step(v_exchange, 'in_progress', v_me);
  perform private.exchanges_tell(v_exchange, 'exchanges.started', private.exchanges_people(v_exchange), v_me);
  return v_exchange;
end;
$$;
comment on function public.exchanges_start(uuid, uuid) is
  'Says that what was agreed has begun; again it changes nothing (permission exchanges.take_part). Raises exchanges.not_found, request.transition_refused.';
grant execute on function public.exchanges_start(uuid, uuid) to authenticated;
