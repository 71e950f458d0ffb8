-- Wallet, folding: accounts that everybody touches take their entries deferred. Until a job folds
-- them into the balance they wait in wallet_pending, and every reader of a balance counts them in.

create function private.wallet_fold(tenant_id uuid, account_id uuid)
returns void
language plpgsql
volatile
security definer -- nobody else writes balances
set search_path = ''
as $$
#variable_conflict use_column
declare
  v_sum bigint;
begin
  -- The account's lock comes first, for whoever folds: two folds queue here instead of deadlocking.
  perform from public.wallet_ledger_accounts a
  where a.tenant_id = wallet_fold.tenant_id and a.id = wallet_fold.account_id
  for no key update;
  with folded as (
    delete from private.wallet_pending p
    where p.tenant_id = wallet_fold.tenant_id and p.account_id = wallet_fold.account_id
    returning p.amount
  )
  select sum(f.amount) into v_sum from folded f;
  if v_sum is not null then
    update public.wallet_ledger_accounts a
    set balance = a.balance + v_sum,
      debt = greatest(a.lowest_balance - (a.balance - a.held + v_sum), 0)
    where a.tenant_id = wallet_fold.tenant_id and a.id = wallet_fold.account_id;
  end if;
end;
$$;
comment on function private.wallet_fold(uuid, uuid) is 'Takes the deferred entries of an account into its balance.';

create function private.wallet_fold_all()
returns integer
language plpgsql
volatile
security definer -- nobody else writes balances
set search_path = ''
as $$
declare
  v_account record;
  v_folded integer := 0;
begin
  for v_account in
    select distinct p.tenant_id, p.account_id as id from private.wallet_pending p
    order by p.tenant_id, p.account_id
  loop
    perform private.wallet_fold(v_account.tenant_id, v_account.id);
    v_folded := v_folded + 1;
  end loop;
  return v_folded;
end;
$$;
comment on function private.wallet_fold_all() is 'Folds every account that has deferred entries; returns how many had.';

create function private.wallet_balance(tenant_id uuid, account_id uuid)
returns bigint
language plpgsql
stable
security definer -- reads accounts past their policies
set search_path = ''
as $$
#variable_conflict use_column
begin
  return (
    select a.balance + coalesce(
      (
        select sum(p.amount) from private.wallet_pending p
        where a.deferred and p.tenant_id = a.tenant_id and p.account_id = a.id
      ),
      0
    )::bigint
    from public.wallet_ledger_accounts a
    where a.tenant_id = wallet_balance.tenant_id and a.id = wallet_balance.account_id
  );
end;
$$;
comment on function private.wallet_balance(uuid, uuid) is 'The balance of an account, deferred entries counted in.';
