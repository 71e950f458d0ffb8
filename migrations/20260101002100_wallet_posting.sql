-- Wallet, posting: opening accounts, and the one function that changes balances.

-- Every active member has an account in every currency of the tenant, every currency its system accounts.
create function private.wallet_open_accounts(tenant_id uuid, person uuid default null, currency text default null)
returns void
language sql
volatile
security definer -- nobody else writes accounts
set search_path = ''
as $$
  insert into public.wallet_ledger_accounts (tenant_id, currency, person_id, lowest_balance)
  select c.tenant_id, c.code, m.person_id, c.lowest_balance
  from public.wallet_currencies c
  join public.members m on m.tenant_id = c.tenant_id and m.status = 'active'
  where c.tenant_id = wallet_open_accounts.tenant_id
    and (wallet_open_accounts.person is null or m.person_id = wallet_open_accounts.person)
    and (wallet_open_accounts.currency is null or c.code = wallet_open_accounts.currency)
  on conflict do nothing;
$$;
comment on function private.wallet_open_accounts(uuid, uuid, text) is
  'Opens the accounts that active members lack: for one person or all, in one currency or all.';

create function private.wallet_on_member_active()
returns trigger
language plpgsql
volatile
security definer -- nobody else writes accounts
set search_path = ''
as $$
begin
  perform private.wallet_open_accounts(new.tenant_id, person => new.person_id);
  return null;
end;
$$;
comment on function private.wallet_on_member_active() is 'After a member becomes active: opens their accounts.';

create trigger wallet_on_member_added after insert on public.members
  for each row when (new.status = 'active') execute function private.wallet_on_member_active();
create trigger wallet_on_member_activated after update of status on public.members
  for each row when (new.status = 'active' and old.status <> 'active')
  execute function private.wallet_on_member_active();

create function private.wallet_on_currency_created()
returns trigger
language plpgsql
volatile
security definer -- nobody else writes accounts
set search_path = ''
as $$
begin
  insert into public.wallet_ledger_accounts (tenant_id, currency, purpose, lowest_balance, deferred)
  values
    (new.tenant_id, new.code, 'issuance', null, true),
    (new.tenant_id, new.code, 'community_fund', 0, true),
    (new.tenant_id, new.code, 'fees', 0, true),
    (new.tenant_id, new.code, 'till', 0, true);
  perform private.wallet_open_accounts(new.tenant_id, currency => new.code);
  return null;
end;
$$;
comment on function private.wallet_on_currency_created() is
  'After a currency is made: its system accounts, and one for each active member.';

create trigger wallet_on_currency_created after insert on public.wallet_currencies
  for each row execute function private.wallet_on_currency_created();

-- Deferred entries
create function private.wallet_fold(tenant_id uuid, account_id uuid)
returns void
language sql
volatile
security definer -- nobody else writes balances
set search_path = ''
as $$
  with folded as (
    delete from private.wallet_pending p
    where p.tenant_id = wallet_fold.tenant_id and p.account_id = wallet_fold.account_id
    returning p.amount
  )
  update public.wallet_ledger_accounts a
  set balance = a.balance + (select sum(amount) from folded)
  where a.tenant_id = wallet_fold.tenant_id and a.id = wallet_fold.account_id
    and exists (select from folded);
$$;
comment on function private.wallet_fold(uuid, uuid) is 'Takes the deferred entries of an account into its balance.';

create function private.wallet_balance(tenant_id uuid, account_id uuid)
returns bigint
language sql
stable
security definer -- reads accounts past their policies
set search_path = ''
as $$
  select a.balance + coalesce(
    (
      select sum(p.amount) from private.wallet_pending p
      where p.tenant_id = a.tenant_id and p.account_id = a.id
    ),
    0
  )::bigint
  from public.wallet_ledger_accounts a
  where a.tenant_id = wallet_balance.tenant_id and a.id = wallet_balance.account_id;
$$;
comment on function private.wallet_balance(uuid, uuid) is 'The balance of an account, deferred entries counted in.';

-- Posting
create type private.wallet_leg as (
  account_id uuid,
  amount bigint
);

create function private.wallet_post(tenant_id uuid, transfer_id uuid, legs private.wallet_leg[])
returns void
language plpgsql
volatile
security definer -- nobody else writes balances and entries
set search_path = ''
as $$
#variable_conflict use_column
declare
  v_leg private.wallet_leg;
  v_entry uuid;
  v_balance bigint;
begin
  if (select sum(l.amount) from unnest(legs) l) <> 0 then
    raise exception 'The legs of transfer % do not sum to zero', wallet_post.transfer_id;
  end if;
  -- In id order, so that two transfers between the same accounts queue instead of deadlocking.
  for v_leg in select l.account_id, l.amount from unnest(legs) l order by l.account_id loop
    v_balance := private.wallet_apply(wallet_post.tenant_id, v_leg);
    v_entry := private.uuid_v7();
    insert into public.wallet_entries (tenant_id, id, transfer_id, account_id, amount, balance_after)
    values (
      wallet_post.tenant_id, v_entry, wallet_post.transfer_id, v_leg.account_id, v_leg.amount, v_balance
    );
    if v_balance is null then
      insert into private.wallet_pending (tenant_id, account_id, entry_id, amount)
      values (wallet_post.tenant_id, v_leg.account_id, v_entry, v_leg.amount);
    end if;
  end loop;
end;
$$;
comment on function private.wallet_post(uuid, uuid, private.wallet_leg[]) is
  'Books the legs of a transfer, one for each account: the only way a balance changes. Raises wallet.insufficient_funds.';

create function private.wallet_apply(tenant_id uuid, leg private.wallet_leg)
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
  update public.wallet_ledger_accounts a
  set balance = a.balance + leg.amount, updated_at = now()
  where a.tenant_id = wallet_apply.tenant_id and a.id = leg.account_id and not a.deferred
    and (leg.amount > 0 or a.lowest_balance is null or a.balance - a.held + leg.amount >= a.lowest_balance)
  returning * into v_account;
  if found then
    return v_account.balance;
  end if;

  select * into v_account from public.wallet_ledger_accounts a
  where a.tenant_id = wallet_apply.tenant_id and a.id = leg.account_id;
  if v_account.deferred and (leg.amount > 0 or v_account.lowest_balance is null) then
    return null;
  elsif v_account.deferred then
    -- Money out of a limited account must be there: fold first, under the row's lock.
    perform from public.wallet_ledger_accounts a
    where a.tenant_id = v_account.tenant_id and a.id = v_account.id
    for no key update;
    perform private.wallet_fold(v_account.tenant_id, v_account.id);
    update public.wallet_ledger_accounts a
    set balance = a.balance + leg.amount, updated_at = now()
    where a.tenant_id = v_account.tenant_id and a.id = v_account.id
      and a.balance - a.held + leg.amount >= a.lowest_balance
    returning * into v_account;
    if found then
      return v_account.balance;
    end if;
  end if;
  raise sqlstate 'PT409' using message = 'wallet.insufficient_funds';
end;
$$;
comment on function private.wallet_apply(uuid, private.wallet_leg) is
  'Changes one balance and returns it; null where the entry is deferred. Raises wallet.insufficient_funds.';
