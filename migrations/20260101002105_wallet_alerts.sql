-- Wallet, alerts: soft limits refuse nothing. Crossing one is noted on the account, and told once.

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
  select a.alert,
    case
      when a.balance <= a.critical_balance then 'critical'
      when a.balance <= a.low_balance then 'low'
      when a.balance >= a.high_balance then 'high'
    end
  into v_before, v_alert
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
