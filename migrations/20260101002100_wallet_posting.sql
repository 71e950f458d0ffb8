-- Wallet, posting: the one way in which balances change. Everything that moves or holds value ends in
-- private.wallet_post. Functions on this path are plpgsql, whose plans are kept from call to call.

create type private.wallet_leg as (
  account_id uuid,
  amount bigint,
  held bigint
);
comment on type private.wallet_leg is 'What a posting does to one account: amount joins the balance, held joins what is held of it.';

create function private.wallet_refuse(tenant_id uuid, currency text, leg private.wallet_leg)
returns void
language plpgsql
volatile -- judges the account as it is now, not as the caller's statement found it
security definer -- reads accounts past their policies
set search_path = ''
as $$
#variable_conflict use_column
declare
  v_change bigint := leg.amount - leg.held;
  v_account public.wallet_ledger_accounts;
begin
  select * into v_account from public.wallet_ledger_accounts a
  where a.tenant_id = wallet_refuse.tenant_id and a.id = leg.account_id and a.currency = wallet_refuse.currency;
  if v_account.id is null then
    raise exception 'No account % in this currency', leg.account_id;
  elsif v_account.status = 'frozen' then
    raise sqlstate 'PT409' using message = 'wallet.account_frozen', detail = v_account.id::text;
  elsif v_account.status = 'closed' then
    raise sqlstate 'PT409' using message = 'wallet.account_closed', detail = v_account.id::text;
  elsif v_account.balance - v_account.held + v_change < coalesce(v_account.lowest_balance, -9007199254740991) then
    raise sqlstate 'PT409' using message = 'wallet.insufficient_funds';
  elsif -v_change > v_account.transfer_limit then
    raise sqlstate 'PT409' using message = 'wallet.limit_exceeded', detail = 'transfer_limit';
  elsif leg.amount > 0 and v_account.balance + leg.amount > coalesce(v_account.highest_balance, 9007199254740991) then
    raise sqlstate 'PT409' using message = 'wallet.limit_exceeded', detail = 'highest_balance';
  end if;
  raise sqlstate 'PT409' using message = 'wallet.limit_exceeded', detail = 'daily_limit';
end;
$$;
comment on function private.wallet_refuse(uuid, text, private.wallet_leg) is
  'Raises why an account does not take a leg: wallet.account_frozen, wallet.account_closed, wallet.limit_exceeded (detail names the limit), wallet.insufficient_funds.';

create function private.wallet_today(tenant_id uuid)
returns date
language plpgsql
stable
security definer -- reads tenants past their policies
set search_path = ''
as $$
begin
  return (select (now() at time zone t.time_zone)::date from public.tenants t where t.id = wallet_today.tenant_id);
end;
$$;
comment on function private.wallet_today(uuid) is 'The present day of a tenant.';

create function private.wallet_apply(tenant_id uuid, currency text, leg private.wallet_leg, forced boolean)
returns bigint
language plpgsql
volatile
security definer -- nobody else writes balances
set search_path = ''
as $$
#variable_conflict use_column
declare
  v_account public.wallet_ledger_accounts;
  v_change bigint := leg.amount - leg.held;
begin
  select * into v_account from public.wallet_ledger_accounts a
  where a.tenant_id = wallet_apply.tenant_id and a.id = leg.account_id and a.currency = wallet_apply.currency;
  if v_account.deferred then
    return private.wallet_apply_deferred(v_account, leg, forced);
  end if;
  update public.wallet_ledger_accounts a
  set balance = a.balance + leg.amount,
    held = a.held + leg.held,
    debt = case
      when a.debt > 0 or forced then greatest(a.lowest_balance - (a.balance - a.held + v_change), 0)
      else 0
    end,
    spent = case
      when a.daily_limit is null or v_change >= 0 then a.spent
      when a.spent_on = private.wallet_today(wallet_apply.tenant_id) then a.spent - v_change
      else -v_change
    end,
    spent_on = case
      when a.daily_limit is null or v_change >= 0 then a.spent_on
      else private.wallet_today(wallet_apply.tenant_id)
    end,
    updated_at = now()
  where a.tenant_id = wallet_apply.tenant_id and a.id = leg.account_id
    and a.currency = wallet_apply.currency
    and (
      forced and a.status <> 'closed'
      or leg.amount = 0 and v_change >= 0
      or a.status = 'open'
        and (
          v_change >= 0
          or a.balance - a.held + v_change >= coalesce(a.lowest_balance, -9007199254740991)
            and (a.transfer_limit is null or -v_change <= a.transfer_limit)
            and (
              a.daily_limit is null
              or -v_change <= a.daily_limit
                - case when a.spent_on = private.wallet_today(wallet_apply.tenant_id) then a.spent else 0 end
            )
        )
        and (leg.amount <= 0 or a.balance + leg.amount <= coalesce(a.highest_balance, 9007199254740991))
    )
  returning * into v_account;
  if not found then
    perform private.wallet_refuse(wallet_apply.tenant_id, wallet_apply.currency, leg);
  elsif v_account.alert is distinct from private.wallet_alert_of(v_account) then
    perform private.wallet_alert(v_account.tenant_id, v_account.id);
  end if;
  return v_account.balance;
end;
$$;
comment on function private.wallet_apply(uuid, text, private.wallet_leg, boolean) is
  'Changes the balance of one account, for every kind of leg and account: daily limits, debt, holds, force. Returns what it leaves; null where the entry is deferred. Raises as private.wallet_refuse.';

create function private.wallet_apply_deferred(
  account public.wallet_ledger_accounts, leg private.wallet_leg, forced boolean
)
returns bigint
language plpgsql
volatile
security definer -- nobody else writes balances
set search_path = ''
as $$
#variable_conflict use_column
declare
  v_account public.wallet_ledger_accounts;
begin
  if account.status = 'open' and leg.held = 0 and (leg.amount > 0 or account.lowest_balance is null) then
    return null;
  end if;
  -- What leaves a limited account must be there: fold first, and stay under the lock.
  perform private.wallet_fold(account.tenant_id, account.id);
  update public.wallet_ledger_accounts a
  set balance = a.balance + leg.amount,
    held = a.held + leg.held,
    debt = greatest(a.lowest_balance - (a.balance - a.held + leg.amount - leg.held), 0),
    updated_at = now()
  where a.tenant_id = account.tenant_id and a.id = account.id
    and (
      forced and a.status <> 'closed'
      or leg.amount = 0 and leg.held <= 0
      or a.status = 'open' and (leg.held <= leg.amount or a.balance - a.held + leg.amount - leg.held >= a.lowest_balance)
    )
  returning * into v_account;
  if not found then
    perform private.wallet_refuse(account.tenant_id, account.currency, leg);
  elsif v_account.alert is distinct from private.wallet_alert_of(v_account) then
    perform private.wallet_alert(v_account.tenant_id, v_account.id);
  end if;
  return v_account.balance;
end;
$$;
comment on function private.wallet_apply_deferred(public.wallet_ledger_accounts, private.wallet_leg, boolean) is
  'For accounts that everybody touches: what comes in waits in wallet_pending (null), what goes out is checked after folding. Raises as private.wallet_refuse.';

create function private.wallet_check_legs(legs private.wallet_leg[])
returns void
language plpgsql
immutable
security invoker
set search_path = ''
as $$
begin
  if exists (
    select from unnest(legs) with ordinality l
    join unnest(legs) with ordinality later on later.ordinality = l.ordinality + 1
    where later.account_id <= l.account_id
  ) then
    raise exception 'These legs are out of order: %', legs;
  elsif (select sum(l.amount) from unnest(legs) l) <> 0 then
    raise exception 'These legs do not sum to zero: %', legs;
  end if;
end;
$$;
comment on function private.wallet_check_legs(private.wallet_leg[]) is
  'Raises unless there is one leg for each account, in id order, and all sum to zero.';

create function private.wallet_post(
  tenant_id uuid, transfer_id uuid, currency text, legs private.wallet_leg[], forced boolean default false
)
returns bigint
language plpgsql
volatile
security definer -- nobody else writes balances and entries
set search_path = ''
as $$
#variable_conflict use_column
declare
  v_leg private.wallet_leg;
  v_balance bigint;
  v_crossed boolean;
  v_left bigint;
begin
  -- One expression for what is nearly always so: plpgsql makes each one ready anew in each transaction.
  -- private.trust left nexus.impersonator for whoever sits in another's session.
  if (
    cardinality(legs) = 2 and legs[1].account_id < legs[2].account_id and legs[1].amount = -legs[2].amount
    and coalesce(current_setting('nexus.impersonator', true), '') in ('', 'none')
  ) is not true then
    perform private.require_no_impersonation();
    perform private.wallet_check_legs(legs);
  end if;

  foreach v_leg in array legs loop
    -- The conditions and the change are one statement: whoever waits for the row judges what it then is.
    -- Nearly every leg is one of these two; a statement costs by what it has to think of.
    if v_leg.amount > 0 then
      update public.wallet_ledger_accounts a
      set balance = a.balance + v_leg.amount, updated_at = now()
      where a.tenant_id = wallet_post.tenant_id and a.id = v_leg.account_id
        and a.currency = wallet_post.currency and a.status = 'open' and not a.deferred and a.debt = 0
        and a.balance + v_leg.amount <= coalesce(a.highest_balance, 9007199254740991)
        and v_leg.held = 0 and not forced
      returning a.balance, a.alert is distinct from (
        case
          when a.balance <= a.critical_balance then 'critical'
          when a.balance <= a.low_balance then 'low'
          when a.balance >= a.high_balance then 'high'
        end
      )
      into v_balance, v_crossed;
    else
      update public.wallet_ledger_accounts a
      set balance = a.balance + v_leg.amount, updated_at = now()
      where a.tenant_id = wallet_post.tenant_id and a.id = v_leg.account_id
        and a.currency = wallet_post.currency and a.status = 'open' and not a.deferred
        and a.balance - a.held + v_leg.amount >= a.lowest_balance and a.daily_limit is null
        and -v_leg.amount <= coalesce(a.transfer_limit, 9007199254740991) and v_leg.held = 0 and not forced
      returning a.balance, a.alert is distinct from (
        case
          when a.balance <= a.critical_balance then 'critical'
          when a.balance <= a.low_balance then 'low'
          when a.balance >= a.high_balance then 'high'
        end
      )
      into v_balance, v_crossed;
    end if;
    if v_crossed is null then
      v_balance := private.wallet_apply(wallet_post.tenant_id, wallet_post.currency, v_leg, forced);
    elsif v_crossed then
      perform private.wallet_alert(wallet_post.tenant_id, v_leg.account_id);
    end if;
    if v_leg.amount <> 0 then
      -- Its id is made under the account's lock.
      insert into public.wallet_entries (tenant_id, account_id, id, transfer_id, amount, balance_after)
      values (
        wallet_post.tenant_id, v_leg.account_id, private.uuid_v7(), wallet_post.transfer_id, v_leg.amount,
        v_balance
      );
      if v_balance is null then
        insert into private.wallet_pending (tenant_id, account_id, transfer_id, amount)
        values (wallet_post.tenant_id, v_leg.account_id, wallet_post.transfer_id, v_leg.amount);
      elsif v_leg.amount < 0 then
        v_left := v_balance;
      end if;
    end if;
  end loop;
  return v_left;
end;
$$;
comment on function private.wallet_post(uuid, uuid, text, private.wallet_leg[], boolean) is
  'Books the legs of a transfer, one for each account, in id order so that transfers queue instead of deadlocking: the only way a balance changes. Returns what it left to who paid; null where that is deferred, or several. forced: past limits, into debt if need be. Raises auth.impersonated for who sits in another''s session, and as private.wallet_refuse.';

create function private.wallet_pair(from_account uuid, to_account uuid, amount bigint, held bigint default 0)
returns private.wallet_leg[]
language plpgsql
immutable
security invoker
set search_path = ''
as $$
begin
  if from_account < to_account then
    return array[row(from_account, -amount, held)::private.wallet_leg, row(to_account, amount, 0)::private.wallet_leg];
  end if;
  return array[row(to_account, amount, 0)::private.wallet_leg, row(from_account, -amount, held)::private.wallet_leg];
end;
$$;
comment on function private.wallet_pair(uuid, uuid, bigint, bigint) is
  'The two legs of a payment in the order in which they are booked; held joins what is held of the payer.';
