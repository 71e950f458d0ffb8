-- Wallet, settlements: one to many, many to one, many to many. Legs sum to zero a currency; every
-- currency becomes one transfer; all or nothing.

create type public.wallet_settlement as (
  id uuid,
  transfers uuid[],
  created_at timestamptz,
  replayed boolean
);
comment on type public.wallet_settlement is 'What a settlement made: one transfer a currency, or one a line of a batch. id is the first''s.';

create function private.wallet_settlement_of(tenant_id uuid, settlement_id uuid)
returns public.wallet_settlement
language plpgsql
volatile -- reads what the caller's own statement wrote
security definer -- reads past policies what the caller did
set search_path = ''
as $$
#variable_conflict use_column
declare
  v_settlement public.wallet_settlement;
begin
  select wallet_settlement_of.settlement_id, array_agg(t.id order by t.id), min(t.created_at), true
  into v_settlement
  from public.wallet_transfers t
  where t.tenant_id = wallet_settlement_of.tenant_id
    and (t.id = wallet_settlement_of.settlement_id or t.part_of = wallet_settlement_of.settlement_id);
  return v_settlement;
end;
$$;
comment on function private.wallet_settlement_of(uuid, uuid) is 'A stored settlement, marked as replayed.';

create type private.wallet_settlement_leg as (
  account_id uuid,
  currency text,
  amount bigint
);
comment on type private.wallet_settlement_leg is 'One leg of a settlement, its account found.';

create function private.wallet_settlement_legs(tenant_id uuid, actor uuid, legs jsonb)
returns private.wallet_settlement_leg[]
language plpgsql
stable
security definer -- reads accounts past their policies
set search_path = ''
as $$
#variable_conflict use_column
declare
  v_leg record;
  v_legs private.wallet_settlement_leg[] := array[]::private.wallet_settlement_leg[];
  v_own uuid;
begin
  if jsonb_typeof(legs) is distinct from 'array' or jsonb_array_length(legs) not between 2 and 1000 then
    raise sqlstate 'PT422' using message = 'request.invalid', detail = 'legs: an array of 2 to 1,000';
  end if;
  begin
    for v_leg in
      select l.* from jsonb_to_recordset(legs) l(person uuid, account uuid, currency text, amount bigint)
    loop
      if v_leg.amount is null or v_leg.amount = 0 or abs(v_leg.amount) > 9007199254740991 then
        raise sqlstate 'PT422' using message = 'wallet.invalid_amount';
      elsif v_leg.person is not null and v_leg.account is not null then
        raise sqlstate 'PT422' using message = 'request.invalid', detail = 'legs: a person or an account, not both';
      end if;
      v_own := case
        when v_leg.amount > 0 then
          private.wallet_payee(wallet_settlement_legs.tenant_id, v_leg.person, v_leg.currency, v_leg.account)
        when private.can(wallet_settlement_legs.tenant_id, 'wallet.settle') then
          coalesce(
            private.wallet_account_of(wallet_settlement_legs.tenant_id, v_leg.person, v_leg.currency),
            private.wallet_payee(wallet_settlement_legs.tenant_id, null, v_leg.currency, v_leg.account)
          )
        when v_leg.person is not null and v_leg.person <> wallet_settlement_legs.actor then null
        else
          private.wallet_payer(
            wallet_settlement_legs.tenant_id, wallet_settlement_legs.actor, v_leg.currency, v_leg.account
          )
      end;
      if v_own is null then
        raise sqlstate 'PT403' using message = 'members.permission_denied', detail = 'wallet.settle';
      end if;
      v_legs := v_legs || row(v_own, v_leg.currency, v_leg.amount)::private.wallet_settlement_leg;
    end loop;
  exception when invalid_text_representation or numeric_value_out_of_range or invalid_parameter_value then
    raise sqlstate 'PT422' using
      message = 'request.invalid', detail = 'legs: { person or account, currency, amount }';
  end;
  return v_legs;
end;
$$;
comment on function private.wallet_settlement_legs(uuid, uuid, jsonb) is
  'The legs of a settlement with their accounts. Payers other than the actor need wallet.settle. Raises request.invalid, wallet.invalid_amount, wallet.currency_unknown, wallet.not_found, wallet.recipient_not_found, members.permission_denied.';

create function private.wallet_book_settlement(
  tenant_id uuid,
  settlement_id uuid,
  actor uuid,
  legs private.wallet_settlement_leg[],
  memo text,
  category text,
  holds uuid[] default '{}'
)
returns public.wallet_settlement
language plpgsql
volatile
security definer -- nobody else writes the ledger
set search_path = ''
as $$
#variable_conflict use_column
declare
  v_transfer public.wallet_transfers;
  v_sum record;
  v_settlement public.wallet_settlement;
begin
  perform from public.wallet_holds h
  where h.tenant_id = wallet_book_settlement.tenant_id and h.id = any (wallet_book_settlement.holds)
  order by h.id
  for no key update;
  if cardinality(wallet_book_settlement.holds) > 0 and exists (
    select from public.wallet_holds h
    where h.tenant_id = wallet_book_settlement.tenant_id and h.id = any (wallet_book_settlement.holds)
      and h.status = 'held' and not exists (
        select from unnest(legs) l
        where l.account_id = h.from_account and l.currency = h.currency and l.amount < 0
      )
  ) then
    raise exception 'A hold of no payer in settlement %', settlement_id;
  end if;
  -- Several legs of one account are one; the accounts of all currencies are locked in one order.
  perform from public.wallet_ledger_accounts a
  where a.tenant_id = wallet_book_settlement.tenant_id
    and a.id in (select l.account_id from unnest(legs) l where l.amount < 0 or not a.deferred)
  order by a.id
  for no key update;
  for v_sum in
    select l.currency, sum(l.amount) as rest, sum(greatest(l.amount, 0)) as moved,
      case count(*) filter (where l.amount < 0)
        when 1 then (array_agg(l.account_id) filter (where l.amount < 0))[1]
      end as payer,
      case count(*) filter (where l.amount > 0)
        when 1 then (array_agg(l.account_id) filter (where l.amount > 0))[1]
      end as payee,
      array_agg(row(l.account_id, l.amount, -l.held)::private.wallet_leg order by l.account_id)
        filter (where l.amount <> 0) as legs
    from (
      select leg.currency, leg.account_id, sum(leg.amount)::bigint as amount,
        coalesce((
          select sum(h.amount)::bigint from public.wallet_holds h
          where h.tenant_id = wallet_book_settlement.tenant_id and h.id = any (wallet_book_settlement.holds)
            and h.status = 'held' and h.from_account = leg.account_id
        ), 0) as held
      from unnest(legs) leg
      group by leg.currency, leg.account_id
    ) l
    group by l.currency
    order by l.currency
  loop
    if v_sum.rest <> 0 or v_sum.moved not between 1 and 9007199254740991 then
      raise sqlstate 'PT422' using message = 'wallet.unbalanced', detail = v_sum.currency;
    end if;
    v_transfer.tenant_id := wallet_book_settlement.tenant_id;
    v_transfer.part_of := case when v_transfer.id is not null then settlement_id end;
    v_transfer.id := case when v_transfer.id is null then settlement_id else private.uuid_v7() end;
    v_transfer.kind := 'settlement';
    v_transfer.currency := v_sum.currency;
    v_transfer.amount := v_sum.moved;
    v_transfer.from_account := v_sum.payer;
    v_transfer.to_account := v_sum.payee;
    v_transfer.actor := wallet_book_settlement.actor;
    perform private.wallet_book(v_transfer, v_sum.legs, memo, category);
    update public.wallet_holds h
    set status = 'captured', transfer_id = v_transfer.id,
      captured = least(h.amount, (select -l.amount from unnest(v_sum.legs) l where l.account_id = h.from_account))
    where h.tenant_id = wallet_book_settlement.tenant_id and h.id = any (wallet_book_settlement.holds)
      and h.status = 'held' and h.currency = v_sum.currency;
  end loop;
  v_settlement := private.wallet_settlement_of(wallet_book_settlement.tenant_id, settlement_id);
  v_settlement.replayed := false;
  return v_settlement;
end;
$$;
comment on function private.wallet_book_settlement(uuid, uuid, uuid, private.wallet_settlement_leg[], text, text, uuid[]) is
  'Books legs that sum to zero a currency, one transfer a currency, and takes what was held for them: each hold one payer''s, whose leg is in it. Raises wallet.unbalanced, and as private.wallet_refuse.';

create function public.wallet_settle(
  tenant_id uuid, legs jsonb, idempotency_key text, memo text default null, category text default null
)
returns public.wallet_settlement
language plpgsql
volatile
security definer -- clients may not write the ledger
set search_path = ''
as $$
declare
  v_person uuid := private.require(wallet_settle.tenant_id, 'wallet.transfer');
  v_id uuid := private.uuid_v7();
  v_earlier uuid;
begin
  perform private.wallet_check_request(1, idempotency_key, memo, category);
  v_earlier := private.wallet_claim(
    wallet_settle.tenant_id, v_person, 'wallet_settle', idempotency_key,
    jsonb_build_array(wallet_settle.legs, memo, category), v_id
  );
  if v_earlier is not null then
    return private.wallet_settlement_of(wallet_settle.tenant_id, v_earlier);
  end if;
  return private.wallet_book_settlement(
    wallet_settle.tenant_id, v_id, v_person,
    private.wallet_settlement_legs(wallet_settle.tenant_id, v_person, wallet_settle.legs), memo, category
  );
end;
$$;
comment on function public.wallet_settle(uuid, jsonb, text, text, text) is
  'Moves value between any number of accounts at once: legs: [{ person or account, currency, amount }], negative pays, summing to zero a currency. The caller''s own accounts pay with wallet.transfer, those of others with wallet.settle. Raises as wallet_transfer does, and wallet.unbalanced.';
grant execute on function public.wallet_settle(uuid, jsonb, text, text, text) to authenticated;
