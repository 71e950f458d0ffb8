-- Wallet, reconciling: the ledger checked against itself, each night for all tenants and for an admin
-- whenever they ask, as a proof to show members. And the wallet's schedules.

create type public.wallet_proof as (
  currency text,
  intact boolean,
  accounts bigint,
  transfers bigint,
  entries bigint,
  issued bigint,
  sum bigint,
  fault text,
  account_id uuid,
  checked_at timestamptz
);
comment on type public.wallet_proof is
  'The state of one currency. sum: over all balances, zero where all is well; issued: what members, organisations and funds have together. fault: sum_not_zero, balance_differs, available_differs, held_differs, transfer_unbalanced; account_id: the first account at fault.';

create function private.wallet_prove(tenant_id uuid)
returns setof public.wallet_proof
language plpgsql
stable -- one snapshot for all sums, whatever moves meanwhile
security definer -- reads the ledger past its policies
set search_path = ''
as $$
#variable_conflict use_column
begin
  return query
  with booked as (
    select e.account_id, sum(e.amount) as amount, count(*) as entries
    from public.wallet_entries e
    where e.tenant_id = wallet_prove.tenant_id
    group by e.account_id
  ),
  pending as (
    select p.account_id, sum(p.amount) as amount
    from private.wallet_pending p
    where p.tenant_id = wallet_prove.tenant_id
    group by p.account_id
  ),
  held as (
    select h.from_account, sum(h.amount) as amount
    from public.wallet_holds h
    where h.tenant_id = wallet_prove.tenant_id and h.status = 'held'
    group by h.from_account
  ),
  account as (
    select a.id, a.currency, a.purpose, a.balance + coalesce(pending.amount, 0) as balance,
      coalesce(booked.entries, 0) as entries,
      case
        when a.balance + coalesce(pending.amount, 0) <> coalesce(booked.amount, 0) then 'balance_differs'
        when a.held <> coalesce(held.amount, 0) then 'held_differs'
        when a.balance - a.held < a.lowest_balance - a.debt then 'available_differs'
      end as fault
    from public.wallet_ledger_accounts a
    left join booked on booked.account_id = a.id
    left join pending on pending.account_id = a.id
    left join held on held.from_account = a.id
    where a.tenant_id = wallet_prove.tenant_id
  ),
  transfer as (
    select t.currency, count(*) as transfers,
      count(*) filter (
        where coalesce(legs.sum, 1) <> 0 or legs.moved <> t.amount
      ) as unbalanced
    from public.wallet_transfers t
    left join (
      select e.transfer_id, sum(e.amount) as sum, sum(greatest(e.amount, 0)) as moved
      from public.wallet_entries e
      where e.tenant_id = wallet_prove.tenant_id
      group by e.transfer_id
    ) legs on legs.transfer_id = t.id
    where t.tenant_id = wallet_prove.tenant_id
    group by t.currency
  ),
  currency as (
    select a.currency, count(*) as accounts, sum(a.entries) as entries, sum(a.balance) as sum,
      sum(a.balance) filter (where a.purpose <> 'issuance') as issued,
      min(a.fault) as fault, (array_agg(a.id order by a.id) filter (where a.fault is not null))[1] as account_id
    from account a
    group by a.currency
  )
  select c.currency,
    c.fault is null and c.sum = 0 and coalesce(t.unbalanced, 0) = 0,
    c.accounts, coalesce(t.transfers, 0), c.entries::bigint, coalesce(c.issued, 0)::bigint, c.sum::bigint,
    coalesce(
      c.fault,
      case when c.sum <> 0 then 'sum_not_zero' when t.unbalanced > 0 then 'transfer_unbalanced' end
    ),
    c.account_id, now()
  from currency c
  left join transfer t on t.currency = c.currency
  order by c.currency;
end;
$$;
comment on function private.wallet_prove(uuid) is
  'Checks each currency of a tenant: sum zero, balances equal entries with what is pending, holds covered, transfers balanced.';

create function public.wallet_reconcile(tenant_id uuid)
returns setof public.wallet_proof
language plpgsql
volatile
security definer -- reads the ledger past its policies, writes the trail
set search_path = ''
as $$
#variable_conflict use_column
declare
  v_person uuid := private.require(wallet_reconcile.tenant_id, 'wallet.read_all');
begin
  perform private.audit(
    'WALLET_RECONCILED', 'tenants:' || wallet_reconcile.tenant_id, null, null, wallet_reconcile.tenant_id, v_person
  );
  return query select p.* from private.wallet_prove(wallet_reconcile.tenant_id) p;
end;
$$;
comment on function public.wallet_reconcile(uuid) is
  'Proves the ledger of the tenant, one line a currency (permission wallet.read_all).';
grant execute on function public.wallet_reconcile(uuid) to authenticated;

create function private.wallet_reconcile_all()
returns integer
language plpgsql
volatile
security definer -- reads every ledger, writes the trail
set search_path = ''
as $$
declare
  v_tenant uuid;
  v_broken jsonb;
  v_count integer := 0;
begin
  for v_tenant in select distinct c.tenant_id from public.wallet_currencies c order by 1 loop
    select jsonb_agg(to_jsonb(p)) into v_broken from private.wallet_prove(v_tenant) p where not p.intact;
    if v_broken is not null then
      v_count := v_count + 1;
      perform private.audit('WALLET_BROKEN', 'tenants:' || v_tenant, null, v_broken, v_tenant);
      perform private.enqueue(
        'wallet.broken', jsonb_build_object('tenant_id', v_tenant), v_tenant, 'tenants:' || v_tenant,
        v_tenant::text, null, 1::smallint
      );
      raise warning 'The ledger of tenant % is broken: %', v_tenant, v_broken;
    end if;
  end loop;
  return v_count;
end;
$$;
comment on function private.wallet_reconcile_all() is
  'Checks every tenant''s ledger, writes WALLET_BROKEN and enqueues an alarm where one is broken; returns how many are.';

select private.schedule('wallet-fold', '10 seconds', 'select private.wallet_fold_all()');
select private.schedule('wallet-expire-holds', '* * * * *', 'select private.wallet_expire_holds()');
select private.schedule('wallet-expire-requests', '*/5 * * * *', 'select private.wallet_expire_requests()');
select private.schedule('wallet-balance-alerts', '20 6 * * *', 'select private.wallet_balance_alerts()');
select private.schedule('wallet-reconcile', '40 3 * * *', 'select private.wallet_reconcile_all()');
