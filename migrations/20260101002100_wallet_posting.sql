-- Wallet, posting: the one way in which balances change. Everything that moves or holds value ends in
-- private.wallet_post. Functions on this path are plpgsql, whose plans are kept from call to call.

create type private.wallet_leg as (
  account_id uuid,
  amount bigint,
  held bigint
);
comment on type private.wallet_leg is 'What a posting does to one account: amount joins the balance, held joins what is held of it.';

create type private.wallet_posted as (
  account_id uuid,
  person_id uuid,
  organisation_id uuid,
  amount bigint,
  balance_after bigint,
  entry_id uuid
);
comment on type private.wallet_posted is 'A leg that was booked. balance_after is null where it was deferred.';

create function private.wallet_refuse(account public.wallet_ledger_accounts, leg private.wallet_leg)
returns void
language plpgsql
stable
security invoker
set search_path = ''
as $$
#variable_conflict use_column
declare
  v_change bigint := leg.amount - leg.held;
begin
  if account.id is null then
    raise exception 'No account % in this currency', leg.account_id;
  elsif account.status = 'frozen' then
    raise sqlstate 'PT409' using message = 'wallet.account_frozen', detail = account.id::text;
  elsif account.status = 'closed' then
    raise sqlstate 'PT409' using message = 'wallet.account_closed', detail = account.id::text;
  elsif account.balance - account.held + v_change < coalesce(account.lowest_balance, -9007199254740991) then
    raise sqlstate 'PT409' using message = 'wallet.insufficient_funds';
  elsif -v_change > account.transfer_limit then
    raise sqlstate 'PT409' using message = 'wallet.limit_exceeded', detail = 'transfer_limit';
  elsif leg.amount > 0 and account.balance + leg.amount > coalesce(account.highest_balance, 9007199254740991) then
    raise sqlstate 'PT409' using message = 'wallet.limit_exceeded', detail = 'highest_balance';
  end if;
  raise sqlstate 'PT409' using message = 'wallet.limit_exceeded', detail = 'daily_limit';
end;
$$;
comment on function private.wallet_refuse(public.wallet_ledger_accounts, private.wallet_leg) is
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
returns private.wallet_posted
language plpgsql
volatile
security definer -- nobody else writes balances
set search_path = ''
as $$
#variable_conflict use_column
declare
  v_account public.wallet_ledger_accounts;
begin
  -- The conditions and the change are one statement: whoever waits for the row judges what it then is.
  -- Nearly every leg is one of these two; a statement costs by what it has to think of.
  if leg.held = 0 and leg.amount > 0 and not forced then
    update public.wallet_ledger_accounts a
    set balance = a.balance + leg.amount, updated_at = now()
    where a.tenant_id = wallet_apply.tenant_id and a.id = leg.account_id
      and a.currency = wallet_apply.currency and a.status = 'open' and not a.deferred and a.debt = 0
      and a.balance + leg.amount <= coalesce(a.highest_balance, 9007199254740991)
    returning * into v_account;
  elsif leg.held = 0 and not forced then
    update public.wallet_ledger_accounts a
    set balance = a.balance + leg.amount, updated_at = now()
    where a.tenant_id = wallet_apply.tenant_id and a.id = leg.account_id
      and a.currency = wallet_apply.currency and a.status = 'open' and not a.deferred
      and a.balance - a.held + leg.amount >= a.lowest_balance
      and -leg.amount <= coalesce(a.transfer_limit, 9007199254740991) and a.daily_limit is null
    returning * into v_account;
  end if;
  if v_account.id is null then
    v_account := private.wallet_apply_any(wallet_apply.tenant_id, wallet_apply.currency, leg, forced);
  end if;

  if v_account.alert is distinct from (
    case
      when v_account.balance <= v_account.critical_balance then 'critical'
      when v_account.balance <= v_account.low_balance then 'low'
      when v_account.balance >= v_account.high_balance then 'high'
    end
  ) then
    perform private.wallet_alert(wallet_apply.tenant_id, leg.account_id);
  end if;
  -- The entry's id is made under the account's lock.
  return row(
    leg.account_id, v_account.person_id, v_account.organisation_id, leg.amount, v_account.balance,
    private.uuid_v7()
  )::private.wallet_posted;
end;
$$;
comment on function private.wallet_apply(uuid, text, private.wallet_leg, boolean) is
  'Changes one balance; balance_after is null where the entry is deferred. forced: past limits, into debt if need be. Raises as private.wallet_refuse.';

create function private.wallet_apply_any(tenant_id uuid, currency text, leg private.wallet_leg, forced boolean)
returns public.wallet_ledger_accounts
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
  update public.wallet_ledger_accounts a
  set balance = a.balance + leg.amount,
    held = a.held + leg.held,
    debt = case
      when a.debt > 0 or forced then greatest(a.lowest_balance - (a.balance - a.held + v_change), 0)
      else 0
    end,
    spent = case
      when a.daily_limit is null or v_change >= 0 then a.spent
      when a.spent_on = private.wallet_today(wallet_apply_any.tenant_id) then a.spent - v_change
      else -v_change
    end,
    spent_on = case
      when a.daily_limit is null or v_change >= 0 then a.spent_on
      else private.wallet_today(wallet_apply_any.tenant_id)
    end,
    updated_at = now()
  where a.tenant_id = wallet_apply_any.tenant_id and a.id = leg.account_id
    and a.currency = wallet_apply_any.currency and not a.deferred
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
                - case when a.spent_on = private.wallet_today(wallet_apply_any.tenant_id) then a.spent else 0 end
            )
        )
        and (leg.amount <= 0 or a.balance + leg.amount <= coalesce(a.highest_balance, 9007199254740991))
    )
  returning * into v_account;
  if not found then
    return private.wallet_apply_deferred(wallet_apply_any.tenant_id, wallet_apply_any.currency, leg, forced);
  end if;

  return v_account;
end;
$$;
comment on function private.wallet_apply_any(uuid, text, private.wallet_leg, boolean) is
  'What private.wallet_apply does, for every kind of leg and account: daily limits, debt, holds, force.';

create function private.wallet_apply_deferred(tenant_id uuid, currency text, leg private.wallet_leg, forced boolean)
returns public.wallet_ledger_accounts
language plpgsql
volatile
security definer -- nobody else writes balances
set search_path = ''
as $$
#variable_conflict use_column
declare
  v_account public.wallet_ledger_accounts;
begin
  select * into v_account from public.wallet_ledger_accounts a
  where a.tenant_id = wallet_apply_deferred.tenant_id and a.id = leg.account_id
    and a.currency = wallet_apply_deferred.currency;
  if not coalesce(v_account.deferred, false) then
    perform private.wallet_refuse(v_account, leg);
  elsif v_account.status = 'open' and leg.held = 0 and (leg.amount > 0 or v_account.lowest_balance is null) then
    v_account.balance := null;
    return v_account;
  end if;

  -- What leaves a limited account must be there: fold first, and stay under the lock.
  perform private.wallet_fold(v_account.tenant_id, v_account.id);
  update public.wallet_ledger_accounts a
  set balance = a.balance + leg.amount,
    held = a.held + leg.held,
    debt = greatest(a.lowest_balance - (a.balance - a.held + leg.amount - leg.held), 0),
    updated_at = now()
  where a.tenant_id = v_account.tenant_id and a.id = v_account.id
    and (
      forced and a.status <> 'closed'
      or leg.amount = 0 and leg.held <= 0
      or a.status = 'open' and (leg.held <= leg.amount or a.balance - a.held + leg.amount - leg.held >= a.lowest_balance)
    )
  returning * into v_account;
  if not found then
    select * into v_account from public.wallet_ledger_accounts a
    where a.tenant_id = wallet_apply_deferred.tenant_id and a.id = leg.account_id;
    perform private.wallet_refuse(v_account, leg);
  end if;
  return v_account;
end;
$$;
comment on function private.wallet_apply_deferred(uuid, text, private.wallet_leg, boolean) is
  'For accounts that everybody touches: what comes in waits in wallet_pending (balance null), what goes out is checked after folding. Refuses for all others.';

create function private.wallet_post(
  tenant_id uuid, transfer_id uuid, currency text, legs private.wallet_leg[], forced boolean default false
)
returns private.wallet_posted[]
language plpgsql
volatile
security definer -- nobody else writes balances and entries
set search_path = ''
set plan_cache_mode = force_generic_plan
as $$
#variable_conflict use_column
declare
  v_leg private.wallet_leg;
  v_one private.wallet_posted;
  v_sum numeric := 0;
  v_deferred boolean := false;
  v_before uuid := uuid '00000000-0000-0000-0000-000000000000';
  v_posted private.wallet_posted[] := array[]::private.wallet_posted[];
begin
  -- private.trust left this for whoever sits in another's session: to read it again would cost each posting.
  if current_setting('nexus.impersonator', true) <> '' then
    perform private.require_no_impersonation();
  end if;
  foreach v_leg in array legs loop
    if v_leg.account_id <= v_before then
      raise exception 'The legs of transfer % are out of order', wallet_post.transfer_id;
    end if;
    v_before := v_leg.account_id;
    v_one := private.wallet_apply(wallet_post.tenant_id, wallet_post.currency, v_leg, forced);
    continue when v_leg.amount = 0;
    v_sum := v_sum + v_leg.amount;
    v_deferred := v_deferred or v_one.balance_after is null;
    v_posted := v_posted || v_one;
  end loop;
  if v_sum <> 0 then
    raise exception 'The legs of transfer % do not sum to zero', wallet_post.transfer_id;
  elsif cardinality(v_posted) = 0 then
    return v_posted;
  end if;

  insert into public.wallet_entries (tenant_id, account_id, id, transfer_id, amount, balance_after)
  select wallet_post.tenant_id, p.account_id, p.entry_id, wallet_post.transfer_id, p.amount, p.balance_after
  from unnest(v_posted) p;
  if v_deferred then
    insert into private.wallet_pending (tenant_id, account_id, entry_id, amount)
    select wallet_post.tenant_id, p.account_id, p.entry_id, p.amount
    from unnest(v_posted) p
    where p.balance_after is null;
  end if;
  return v_posted;
end;
$$;
comment on function private.wallet_post(uuid, uuid, text, private.wallet_leg[], boolean) is
  'Books the legs of a transfer, one for each account, in id order so that transfers queue instead of deadlocking: the only way a balance changes. Raises auth.impersonated for who sits in another''s session, and as private.wallet_refuse.';

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
