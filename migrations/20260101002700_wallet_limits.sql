-- Wallet, limits: a currency's for all its members, an account's own where it has one. Accounts carry
-- the limits they are held to, so that a payment reads nothing but its two rows.

create function private.wallet_limit_names()
returns text[]
language sql
immutable
security invoker
set search_path = ''
as $$
  select array[
    'lowest_balance', 'highest_balance', 'transfer_limit', 'daily_limit', 'low_balance', 'critical_balance',
    'high_balance'
  ];
$$;
comment on function private.wallet_limit_names() is 'The limits that currencies and accounts have.';

create function private.wallet_check_limits(limits jsonb, known text[])
returns void
language plpgsql
immutable
security invoker
set search_path = ''
as $$
declare
  v_wrong text;
begin
  if jsonb_typeof(limits) is distinct from 'object' then
    raise sqlstate 'PT422' using message = 'request.invalid', detail = 'limits: an object';
  end if;
  select l.key into v_wrong
  from jsonb_each(limits) l
  where l.key <> all (known)
    or jsonb_typeof(l.value) not in ('number', 'null')
    -- 10.0 is an integer to jsonb, but none to bigint.
    or jsonb_typeof(l.value) = 'number' and (
      l.value::text !~ '^-?[0-9]+$' or abs(l.value::numeric) > 9007199254740991
      or l.key in ('transfer_limit', 'daily_limit', 'step_up_above') and l.value::numeric < 1
      or l.key in ('lowest_balance') and l.value::numeric > 0
      or l.key in ('highest_balance', 'starting_grant') and l.value::numeric < 0
    )
    or jsonb_typeof(l.value) = 'null' and l.key in ('lowest_balance', 'starting_grant')
  limit 1;
  if found then
    raise sqlstate 'PT422' using message = 'request.invalid', detail = 'limits: ' || v_wrong;
  end if;
end;
$$;
comment on function private.wallet_check_limits(jsonb, text[]) is 'Raises request.invalid for what is no set of limits.';

create function private.wallet_limit_accounts(tenant_id uuid, currency text, account uuid)
returns void
language plpgsql
volatile
security definer -- nobody else writes accounts
set search_path = ''
as $$
#variable_conflict use_column
begin
  -- In id order, so that payments queue behind this and never cross it.
  perform from public.wallet_ledger_accounts a
  where a.tenant_id = wallet_limit_accounts.tenant_id and a.currency = wallet_limit_accounts.currency
    and a.purpose in ('member', 'organisation')
    and (wallet_limit_accounts.account is null or a.id = wallet_limit_accounts.account)
  order by a.id
  for no key update;
  update public.wallet_ledger_accounts a
  set lowest_balance = fresh.lowest_balance,
    debt = greatest(fresh.lowest_balance - (a.balance - a.held), 0),
    highest_balance = fresh.highest_balance,
    transfer_limit = fresh.transfer_limit,
    daily_limit = fresh.daily_limit,
    low_balance = fresh.low_balance,
    critical_balance = fresh.critical_balance,
    high_balance = fresh.high_balance
  from (
    select own.id,
      case when 'lowest_balance' = any (own.own_limits) then own.lowest_balance else c.lowest_balance end as lowest_balance,
      case when 'highest_balance' = any (own.own_limits) then own.highest_balance else c.highest_balance end as highest_balance,
      case when 'transfer_limit' = any (own.own_limits) then own.transfer_limit else c.transfer_limit end as transfer_limit,
      case when 'daily_limit' = any (own.own_limits) then own.daily_limit else c.daily_limit end as daily_limit,
      case when 'low_balance' = any (own.own_limits) then own.low_balance
        else coalesce(c.low_balance, case own.purpose when 'organisation' then 50 * private.wallet_unit(c) end) end as low_balance,
      case when 'critical_balance' = any (own.own_limits) then own.critical_balance
        else coalesce(c.critical_balance, case own.purpose when 'organisation' then 10 * private.wallet_unit(c) end) end as critical_balance,
      case when 'high_balance' = any (own.own_limits) then own.high_balance else c.high_balance end as high_balance
    from public.wallet_ledger_accounts own
    join public.wallet_currencies c on c.tenant_id = own.tenant_id and c.code = own.currency
    where own.tenant_id = wallet_limit_accounts.tenant_id and own.currency = wallet_limit_accounts.currency
  ) fresh
  where a.tenant_id = wallet_limit_accounts.tenant_id and a.id = fresh.id
    and a.purpose in ('member', 'organisation')
    and (wallet_limit_accounts.account is null or a.id = wallet_limit_accounts.account);
end;
$$;
comment on function private.wallet_limit_accounts(uuid, text, uuid) is
  'Hands a currency''s limits down to its accounts, or to one, where they have none of their own. What a raised lowest balance leaves short is explicit debt.';

create function public.wallet_limit_currency(tenant_id uuid, currency text, limits jsonb)
returns public.wallet_currencies
language plpgsql
volatile
security definer -- clients may not write currencies
set search_path = ''
as $$
#variable_conflict use_column
declare
  v_person uuid := private.require(wallet_limit_currency.tenant_id, 'wallet.manage');
  v_before public.wallet_currencies;
  v_after public.wallet_currencies;
begin
  perform private.wallet_check_limits(limits, private.wallet_limit_names() || array['starting_grant', 'step_up_above']);
  select * into v_before from public.wallet_currencies c
  where c.tenant_id = wallet_limit_currency.tenant_id and c.code = wallet_limit_currency.currency
  for no key update;
  if not found then
    perform private.wallet_require_currency(wallet_limit_currency.tenant_id, wallet_limit_currency.currency);
  end if;
  v_after := jsonb_populate_record(v_before, limits);
  begin
    update public.wallet_currencies c
    set lowest_balance = v_after.lowest_balance, highest_balance = v_after.highest_balance,
      transfer_limit = v_after.transfer_limit, daily_limit = v_after.daily_limit,
      low_balance = v_after.low_balance, critical_balance = v_after.critical_balance,
      high_balance = v_after.high_balance, starting_grant = v_after.starting_grant,
      step_up_above = v_after.step_up_above
    where c.tenant_id = v_before.tenant_id and c.code = v_before.code;
  exception when check_violation then
    raise sqlstate 'PT422' using
      message = 'request.invalid',
      detail = 'limits: critical_balance up to low_balance, below high_balance; starting_grant up to highest_balance';
  end;
  perform private.wallet_limit_accounts(v_before.tenant_id, v_before.code, null);
  perform private.audit(
    'WALLET_LIMITS_CHANGED', 'wallet_currencies:' || v_before.code,
    private.changed(to_jsonb(v_before), to_jsonb(v_after)), private.changed(to_jsonb(v_after), to_jsonb(v_before)),
    v_before.tenant_id, v_person
  );
  return v_after;
end;
$$;
comment on function public.wallet_limit_currency(uuid, text, jsonb) is
  'Sets limits of a currency for all accounts without their own (permission wallet.manage). limits: any of lowest_balance, highest_balance, transfer_limit, daily_limit, low_balance, critical_balance, high_balance, starting_grant, step_up_above (of reversals); null: none. Raises wallet.currency_unknown, request.invalid.';
grant execute on function public.wallet_limit_currency(uuid, text, jsonb) to authenticated;

create function public.wallet_limit_account(tenant_id uuid, account_id uuid, limits jsonb)
returns public.wallet_ledger_accounts
language plpgsql
volatile
security definer -- clients may not write accounts
set search_path = ''
as $$
#variable_conflict use_column
declare
  v_person uuid := private.require(wallet_limit_account.tenant_id, 'wallet.manage');
  v_before public.wallet_ledger_accounts;
  v_after public.wallet_ledger_accounts;
begin
  perform private.wallet_check_limits(limits, private.wallet_limit_names());
  v_before := private.wallet_lock_account(wallet_limit_account.tenant_id, wallet_limit_account.account_id);
  v_after := jsonb_populate_record(v_before, limits);
  update public.wallet_ledger_accounts a
  set lowest_balance = v_after.lowest_balance,
    debt = greatest(v_after.lowest_balance - (a.balance - a.held), 0),
    highest_balance = v_after.highest_balance, transfer_limit = v_after.transfer_limit,
    daily_limit = v_after.daily_limit, low_balance = v_after.low_balance,
    critical_balance = v_after.critical_balance, high_balance = v_after.high_balance,
    own_limits = array(select jsonb_object_keys(limits))
  where a.tenant_id = v_before.tenant_id and a.id = v_before.id;
  -- What the account no longer has of its own follows the currency again.
  perform private.wallet_limit_accounts(v_before.tenant_id, v_before.currency, v_before.id);
  select * into v_after from public.wallet_ledger_accounts a
  where a.tenant_id = v_before.tenant_id and a.id = v_before.id;
  if limits ?| array['critical_balance', 'low_balance', 'high_balance']
    and (
      v_after.critical_balance > v_after.low_balance or v_after.low_balance >= v_after.high_balance
      or v_after.critical_balance >= v_after.high_balance
    )
  then
    raise sqlstate 'PT422' using
      message = 'request.invalid', detail = 'limits: critical_balance up to low_balance, below high_balance';
  end if;
  perform private.audit(
    'WALLET_LIMITS_CHANGED', 'wallet_ledger_accounts:' || v_before.id,
    private.changed(to_jsonb(v_before), to_jsonb(v_after)), private.changed(to_jsonb(v_after), to_jsonb(v_before)),
    v_before.tenant_id, v_person
  );
  return v_after;
end;
$$;
comment on function public.wallet_limit_account(uuid, uuid, jsonb) is
  'Sets the limits that an account has of its own (permission wallet.manage); those not named follow the currency. Raises wallet.not_found, request.invalid.';
grant execute on function public.wallet_limit_account(uuid, uuid, jsonb) to authenticated;

create function private.wallet_lock_account(tenant_id uuid, account_id uuid)
returns public.wallet_ledger_accounts
language plpgsql
volatile
security definer -- locks accounts past their policies
set search_path = ''
as $$
#variable_conflict use_column
declare
  v_account public.wallet_ledger_accounts;
begin
  select * into v_account from public.wallet_ledger_accounts a
  where a.tenant_id = wallet_lock_account.tenant_id and a.id = wallet_lock_account.account_id
    and a.purpose in ('member', 'organisation')
  for no key update;
  if not found then
    raise sqlstate 'PT404' using message = 'wallet.not_found';
  end if;
  return v_account;
end;
$$;
comment on function private.wallet_lock_account(uuid, uuid) is 'An account of a member or an organisation, locked. Raises wallet.not_found.';
