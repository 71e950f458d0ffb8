-- Exchanges, confirming: everybody says how long it was. The last word pays, in the same transaction,
-- or makes a dispute; who cannot pay keeps it from being said.

create function private.exchanges_shares(exchange public.exchanges, side text, total integer)
returns void
language plpgsql
volatile
security definer -- nobody else writes parts
set search_path = ''
as $$
#variable_conflict use_column
declare
  v_people uuid[];
  v_minutes integer[];
begin
  select array_agg(p.person_id order by p.person_id),
    array_agg(coalesce(p.confirmed_minutes, p.minutes) order by p.person_id)
  into v_people, v_minutes
  from public.exchanges_parts p
  where p.tenant_id = exchange.tenant_id and p.exchange_id = exchange.id and p.side = exchanges_shares.side;
  update public.exchanges_parts p set final_minutes = s.minutes
  from unnest(v_people, private.exchanges_apportion(exchanges_shares.total, v_minutes)) s(person_id, minutes)
  where p.tenant_id = exchange.tenant_id and p.exchange_id = exchange.id and p.person_id = s.person_id;
end;
$$;
comment on function private.exchanges_shares(public.exchanges, text, integer) is
  'Splits what is paid among those on a side, as they confirmed it or else agreed.';

create function private.exchanges_account(part public.exchanges_parts, currency text)
returns uuid
language plpgsql
stable
security definer -- reads accounts past their policies
set search_path = ''
as $$
#variable_conflict use_column
declare
  v_account uuid;
begin
  select a.id into v_account
  from public.wallet_ledger_accounts a
  join public.members m on m.tenant_id = a.tenant_id and m.person_id = a.person_id
  join public.people p on p.id = m.person_id
  where a.tenant_id = part.tenant_id and a.person_id = part.person_id
    and a.organisation_id is null and a.currency = exchanges_account.currency and a.purpose = 'member'
    -- Leaving ends no debt, which a mediator decides about.
    and m.status in ('active', 'left') and p.erased_at is null;
  if not found and part.side = 'gives' then
    raise sqlstate 'PT404' using message = 'wallet.recipient_not_found';
  elsif not found then
    raise sqlstate 'PT404' using message = 'wallet.not_found';
  end if;
  return v_account;
end;
$$;
comment on function private.exchanges_account(public.exchanges_parts, text) is
  'The account of who takes part, also after they left. Raises wallet.not_found, wallet.recipient_not_found.';

create function private.exchanges_pay(exchange public.exchanges, total integer, actor uuid)
returns uuid
language plpgsql
volatile
security definer -- nobody else moves value
set search_path = ''
as $$
#variable_conflict use_column
declare
  v_id uuid := private.uuid_v7();
  v_legs private.wallet_settlement_leg[];
  v_unused boolean;
begin
  perform private.exchanges_shares(exchange, s.side, exchanges_pay.total) from unnest(array['gives', 'receives']) s(side);
  if private.wallet_claim(
    exchange.tenant_id, null, 'exchanges_pay', exchange.id::text, to_jsonb(exchanges_pay.total), v_id
  ) is not null then
    raise exception 'exchange % was paid before', exchange.id;
  end if;
  v_legs := array(
    select row(
      private.exchanges_account(p, exchange.currency),
      exchange.currency,
      case p.side when 'gives' then p.final_minutes else -p.final_minutes end
    )::private.wallet_settlement_leg
    from public.exchanges_parts p
    where p.tenant_id = exchange.tenant_id and p.exchange_id = exchange.id and p.final_minutes > 0
    order by p.person_id
  );
  v_unused := exists (
    select from public.exchanges_parts p
    where p.tenant_id = exchange.tenant_id and p.exchange_id = exchange.id and p.hold_id is not null
      and p.final_minutes = 0
  );
  if v_unused then
    perform private.exchanges_lock_held(array[exchange], array(select l.account_id from unnest(v_legs) l));
  end if;
  perform private.wallet_book_settlement(
    exchange.tenant_id, v_id, exchanges_pay.actor, v_legs,
    (
      select l.title from public.listings l
      where l.tenant_id = exchange.tenant_id and l.id = exchange.listing_id
    ),
    'exchange',
    array(
      select p.hold_id from public.exchanges_parts p
      where p.tenant_id = exchange.tenant_id and p.exchange_id = exchange.id and p.hold_id is not null
        and p.final_minutes > 0
    )
  );
  if v_unused then
    -- Of whose share no whole minute was left.
    perform private.exchanges_release(exchange, exchanges_pay.actor);
  end if;
  return v_id;
end;
$$;
comment on function private.exchanges_pay(public.exchanges, integer, uuid) is
  'Pays so much from those who received to those who gave, once for ever: the key is the exchange''s id. Raises wallet.not_found, wallet.recipient_not_found, and as private.wallet_refuse.';

create function private.exchanges_complete(exchange public.exchanges, total integer, actor uuid, reason text default null)
returns public.exchanges
language plpgsql
volatile
security definer -- nobody else writes exchanges
set search_path = ''
as $$
declare
  v_exchange public.exchanges := private.exchanges_step(
    exchange, 'completed', actor, reason, total, private.exchanges_pay(exchange, total, actor)
  );
begin
  perform private.exchanges_tell(
    v_exchange, 'exchanges.completed', private.exchanges_people(v_exchange), actor
  );
  return v_exchange;
end;
$$;
comment on function private.exchanges_complete(public.exchanges, integer, uuid, text) is
  'Pays an exchange and ends it. Raises as private.exchanges_pay.';

create function private.exchanges_go_to_dispute(exchange public.exchanges, actor uuid, reason text)
returns public.exchanges
language plpgsql
volatile
security definer -- nobody else writes exchanges
set search_path = ''
as $$
declare
  v_exchange public.exchanges := private.exchanges_step(exchange, 'disputed', actor, reason);
begin
  perform private.exchanges_tell(v_exchange, 'exchanges.disputed', private.exchanges_people(v_exchange), actor);
  perform private.exchanges_tell(v_exchange, 'exchanges.mediation_wanted', private.exchanges_awaited(v_exchange), actor);
  return v_exchange;
end;
$$;
comment on function private.exchanges_go_to_dispute(public.exchanges, uuid, text) is
  'Hands an exchange to those who can decide it.';

create function private.exchanges_judge(exchange public.exchanges, actor uuid)
returns public.exchanges
language plpgsql
volatile
security definer -- nobody else writes exchanges
set search_path = ''
as $$
#variable_conflict use_column
declare
  v_waiting bigint;
  v_given integer;
  v_received integer;
  v_total integer;
begin
  select count(*) filter (where p.confirmed_minutes is null),
    sum(p.confirmed_minutes) filter (where p.side = 'gives'),
    sum(p.confirmed_minutes) filter (where p.side = 'receives')
  into v_waiting, v_given, v_received
  from public.exchanges_parts p
  where p.tenant_id = exchange.tenant_id and p.exchange_id = exchange.id;
  if v_waiting > 0 then
    perform private.exchanges_announce(exchange);
    return exchange;
  end if;
  v_total := private.exchanges_final(exchange.minutes, v_given, v_received);
  if v_total is null then
    return private.exchanges_go_to_dispute(exchange, exchanges_judge.actor, 'difference');
  end if;
  return private.exchanges_complete(exchange, v_total, exchanges_judge.actor);
end;
$$;
comment on function private.exchanges_judge(public.exchanges, uuid) is
  'After somebody confirmed: pays once everybody has and they are close enough; else a dispute, or it goes on waiting.';

create function public.exchanges_confirm(tenant_id uuid, exchange_id uuid, minutes integer)
returns public.exchanges
language plpgsql
volatile
security definer -- clients may not write exchanges
set search_path = ''
as $$
#variable_conflict use_column
declare
  v_me uuid := private.require(exchanges_confirm.tenant_id, 'exchanges.take_part');
  v_minutes integer := private.exchanges_check_minutes(exchanges_confirm.minutes);
  v_exchange public.exchanges := private.exchanges_lock(exchanges_confirm.tenant_id, exchanges_confirm.exchange_id, v_me);
  v_before integer := (
    select p.confirmed_minutes from public.exchanges_parts p
    where p.tenant_id = v_exchange.tenant_id and p.exchange_id = v_exchange.id and p.person_id = v_me
  );
begin
  perform private.require_no_impersonation();
  if v_before = v_minutes then
    return v_exchange; -- Said before: what came of it stands in the answer.
  end if;
  perform private.exchanges_require_status(v_exchange, array['in_progress', 'pending_confirmation']);
  update public.exchanges_parts p set confirmed_minutes = v_minutes, confirmed_at = now()
  where p.tenant_id = v_exchange.tenant_id and p.exchange_id = v_exchange.id and p.person_id = v_me;
  if v_exchange.status = 'in_progress' then
    v_exchange := private.exchanges_step(v_exchange, 'pending_confirmation', v_me);
    perform private.exchanges_tell(
      v_exchange, 'exchanges.confirmation_wanted', private.exchanges_awaited(v_exchange), v_me
    );
    return v_exchange;
  end if;
  return private.exchanges_judge(v_exchange, v_me);
end;
$$;
comment on function public.exchanges_confirm(uuid, uuid, integer) is
  'Says how many minutes the caller gave or received, 15 to 1440; until everybody has, it may be corrected (permission exchanges.take_part). The last to confirm completes it: up to 15 minutes apart, the average is paid, a quarter more or less than agreed at most; further apart, it is disputed. Raises exchanges.not_found, exchanges.invalid_minutes, request.transition_refused, auth.impersonated, and of the payment wallet.insufficient_funds, wallet.limit_exceeded, wallet.account_frozen, wallet.account_closed, with which nothing is confirmed.';
grant execute on function public.exchanges_confirm(uuid, uuid, integer) to authenticated;
