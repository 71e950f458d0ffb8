-- Wallet, alerts: soft limits refuse nothing. Crossing one is noted on the account, and told once.

create function private.wallet_alert_of(account public.wallet_ledger_accounts)
returns text
language plpgsql
immutable
security invoker
set search_path = ''
as $$
begin
  return case
    when account.balance <= account.critical_balance then 'critical'
    when account.balance <= account.low_balance then 'low'
    when account.balance >= account.high_balance then 'high'
  end;
end;
$$;
comment on function private.wallet_alert_of(public.wallet_ledger_accounts) is
  'The soft limit that a balance is beyond: critical, low or high; null for none.';

create function private.wallet_alert(tenant_id uuid, account_id uuid)
returns void
language plpgsql
volatile
security definer -- nobody else writes accounts
set search_path = ''
as $$
#variable_conflict use_column
declare
  v_before text;
  v_alert text;
begin
  select a.alert, private.wallet_alert_of(a) into v_before, v_alert
  from public.wallet_ledger_accounts a
  where a.tenant_id = wallet_alert.tenant_id and a.id = wallet_alert.account_id;
  update public.wallet_ledger_accounts a set alert = v_alert, nudged_at = now()
  where a.tenant_id = wallet_alert.tenant_id and a.id = wallet_alert.account_id;
  -- Coming back from critical to low is good news, and no crossing.
  if v_alert is not null and (v_before is distinct from 'critical' or v_alert <> 'low') then
    perform private.enqueue(
      'wallet.balance_' || v_alert, jsonb_build_object('account_id', wallet_alert.account_id),
      wallet_alert.tenant_id, 'wallet_ledger_accounts:' || wallet_alert.account_id
    );
  end if;
end;
$$;
comment on function private.wallet_alert(uuid, uuid) is
  'Notes that a balance crossed a soft limit, and enqueues its notice: once a crossing.';

create function private.wallet_nudge()
returns integer
language plpgsql
volatile
security definer -- nobody else writes accounts
set search_path = ''
as $$
declare
  v_account record;
  v_nudged integer := 0;
begin
  for v_account in
    update public.wallet_ledger_accounts a set nudged_at = now()
    where (a.tenant_id, a.id) in (
      select due.tenant_id, due.id from public.wallet_ledger_accounts due
      where due.alert is not null and due.status = 'open'
        -- An account that was opened beyond a soft limit has crossed none yet.
        and coalesce(due.nudged_at, due.created_at) < now() - interval '30 days'
      order by due.tenant_id, due.id
      limit 500
      for no key update skip locked
    )
    returning a.tenant_id, a.id
  loop
    perform private.enqueue(
      'wallet.nudge', jsonb_build_object('account_id', v_account.id), v_account.tenant_id,
      'wallet_ledger_accounts:' || v_account.id, v_account.id::text
    );
    v_nudged := v_nudged + 1;
  end loop;
  return v_nudged;
end;
$$;
comment on function private.wallet_nudge() is
  'Reminds holders whose balance has been beyond a soft limit for 30 days, and each 30 days again; returns how many.';

create function private.wallet_balance_alerts()
returns integer
language plpgsql
volatile
security definer -- nobody else writes accounts
set search_path = ''
as $$
declare
  v_account record;
  v_told integer := 0;
begin
  -- Payments note a crossing as they make it. What crosses without one: a balance whose limits were
  -- changed, a system account whose deferred entries were folded.
  for v_account in
    select a.tenant_id, a.id from public.wallet_ledger_accounts a
    where a.status = 'open' and a.alert is distinct from private.wallet_alert_of(a)
    order by a.tenant_id, a.id
    limit 500
    for no key update skip locked
  loop
    perform private.wallet_alert(v_account.tenant_id, v_account.id);
    v_told := v_told + 1;
  end loop;
  return v_told + private.wallet_nudge();
end;
$$;
comment on function private.wallet_balance_alerts() is
  'Each day: notes balances that crossed a soft limit without a payment, and reminds of those beyond one for 30 days; returns how many.';
