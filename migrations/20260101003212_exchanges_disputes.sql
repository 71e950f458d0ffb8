-- Exchanges, disputes and reversals: somebody who does not take part decides what is paid, or that
-- nothing is. What the wallet takes back, the exchange says of itself.

create function public.exchanges_dispute(tenant_id uuid, exchange_id uuid, note text)
returns public.exchanges
language plpgsql
volatile
security definer -- clients may not write exchanges
set search_path = ''
as $$
declare
  v_me uuid := private.require(exchanges_dispute.tenant_id, 'exchanges.take_part');
  v_exchange public.exchanges := private.exchanges_lock(exchanges_dispute.tenant_id, exchanges_dispute.exchange_id, v_me);
begin
  perform private.exchanges_require_note(note);
  perform private.exchanges_require_status(v_exchange, array['pending_confirmation']);
  perform private.exchanges_say(v_exchange, v_me, 'dispute', note);
  return private.exchanges_go_to_dispute(v_exchange, v_me, 'party');
end;
$$;
comment on function public.exchanges_dispute(uuid, uuid, text) is
  'Objects to what another confirmed, and says why, instead of confirming (permission exchanges.take_part). Raises exchanges.not_found, request.transition_refused, request.invalid.';
grant execute on function public.exchanges_dispute(uuid, uuid, text) to authenticated;

create function public.exchanges_add_note(tenant_id uuid, exchange_id uuid, note text)
returns public.exchanges_notes
language plpgsql
volatile
security definer -- clients may not write notes
set search_path = ''
as $$
#variable_conflict use_column
declare
  v_me uuid := private.require(exchanges_add_note.tenant_id, 'exchanges.take_part');
  v_exchange public.exchanges;
  v_note public.exchanges_notes;
begin
  if private.can(exchanges_add_note.tenant_id, 'exchanges.broker') then
    select * into v_exchange from public.exchanges e
    where e.tenant_id = exchanges_add_note.tenant_id and e.id = exchanges_add_note.exchange_id
    for no key update;
  end if;
  if v_exchange.id is null then
    v_exchange := private.exchanges_lock(exchanges_add_note.tenant_id, exchanges_add_note.exchange_id, v_me);
  end if;
  perform private.exchanges_require_note(note);
  perform private.exchanges_require_status(v_exchange, array['disputed']);
  perform private.require_rate('exchanges-note:' || v_exchange.tenant_id || ':' || v_me, 60, interval '1 hour');
  perform private.exchanges_say(v_exchange, v_me, 'statement', note);
  perform private.exchanges_announce(v_exchange);
  select * into v_note from public.exchanges_notes n
  where n.tenant_id = v_exchange.tenant_id and n.exchange_id = v_exchange.id
  order by n.id desc limit 1;
  return v_note;
end;
$$;
comment on function public.exchanges_add_note(uuid, uuid, text) is
  'Says something in a dispute, for those who take part and for brokers (permission exchanges.take_part). Raises exchanges.not_found, request.transition_refused, limits.exceeded, request.invalid.';
grant execute on function public.exchanges_add_note(uuid, uuid, text) to authenticated;

create function public.exchanges_resolve(tenant_id uuid, exchange_id uuid, minutes integer, note text)
returns public.exchanges
language plpgsql
volatile
security definer -- clients may not write exchanges
set search_path = ''
as $$
declare
  v_me uuid := private.require(exchanges_resolve.tenant_id, 'exchanges.broker');
  v_exchange public.exchanges := private.exchanges_lock_case(
    exchanges_resolve.tenant_id, exchanges_resolve.exchange_id, v_me
  );
begin
  perform private.exchanges_require_note(note);
  perform private.exchanges_require_status(v_exchange, array['disputed']);
  perform private.exchanges_say(v_exchange, v_me, 'resolution', note);
  if exchanges_resolve.minutes is null then
    v_exchange := private.exchanges_step(v_exchange, 'cancelled', v_me, 'broker');
    perform private.exchanges_tell(v_exchange, 'exchanges.cancelled', private.exchanges_people(v_exchange), v_me);
    return v_exchange;
  elsif exchanges_resolve.minutes not between 15 and upper(private.exchanges_bounds(v_exchange.minutes)) - 1 then
    raise sqlstate 'PT422' using message = 'exchanges.invalid_minutes';
  end if;
  return private.exchanges_complete(v_exchange, exchanges_resolve.minutes, v_me, 'broker');
end;
$$;
comment on function public.exchanges_resolve(uuid, uuid, integer, text) is
  'Decides a dispute, and says why: so many minutes are paid, at most a quarter more than agreed, or none (null) and it is cancelled (permission exchanges.broker), never in one''s own case. Raises exchanges.not_found, exchanges.own_case, exchanges.invalid_minutes, request.transition_refused, request.invalid, and of the payment wallet.insufficient_funds and the like, with which nothing is decided.';
grant execute on function public.exchanges_resolve(uuid, uuid, integer, text) to authenticated;

-- Reversals
create function private.exchanges_on_reversal()
returns trigger
language plpgsql
volatile
security definer -- nobody else writes exchanges
set search_path = ''
as $$
#variable_conflict use_column
declare
  v_exchange public.exchanges;
  v_actor uuid := private.person();
begin
  select * into v_exchange from public.exchanges e
  where e.tenant_id = new.tenant_id and e.transfer_id = new.transfer_id
  for no key update;
  if not found then
    return null;
  elsif v_actor = any (private.exchanges_people(v_exchange)) then
    raise sqlstate 'PT403' using message = 'exchanges.own_case';
  end if;
  v_exchange := private.exchanges_step(v_exchange, 'reversed', v_actor);
  perform private.exchanges_tell(v_exchange, 'exchanges.reversed', private.exchanges_people(v_exchange), v_actor);
  return null;
end;
$$;
comment on function private.exchanges_on_reversal() is
  'After wallet_reverse undid what an exchange was paid with: it says so. Raises exchanges.own_case for who takes part.';
create trigger exchanges_on_reversal after insert on public.wallet_reversals
  for each row execute function private.exchanges_on_reversal();
