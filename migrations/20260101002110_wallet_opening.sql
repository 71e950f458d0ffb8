-- Wallet, opening: every active member has an account in every currency of the tenant, every currency
-- its system accounts, every organisation one in each. And the folding of deferred entries.

create function private.wallet_limits_for(kind text)
returns public.wallet_currencies
language plpgsql
immutable
security invoker
set search_path = ''
as $$
declare
  v_limits public.wallet_currencies;
begin
  v_limits.lowest_balance := 0;
  v_limits.starting_grant := 0;
  if wallet_limits_for.kind = 'time' then
    v_limits.lowest_balance := -300;
    v_limits.transfer_limit := 60000;
    v_limits.step_up_above := 3000;
  end if;
  return v_limits;
end;
$$;
comment on function private.wallet_limits_for(text) is
  'The limits of a currency for which nothing else is said. Time: five hours of credit, so that a newcomer''s first trade works, 1,000 hours a transfer, and proof of who reverses more than fifty.';

create function private.wallet_open_accounts(
  tenant_id uuid, person uuid default null, organisation uuid default null, currency text default null
)
returns void
language plpgsql
volatile
security definer -- nobody else writes accounts
set search_path = ''
as $$
#variable_conflict use_column
declare
  v_opened record;
begin
  for v_opened in
    insert into public.wallet_ledger_accounts as a (
      tenant_id, currency, person_id, organisation_id, purpose, lowest_balance, highest_balance,
      transfer_limit, daily_limit, low_balance, critical_balance, high_balance, alert
    )
    select c.tenant_id, c.code, holder.person_id, holder.organisation_id, holder.purpose, c.lowest_balance,
      c.highest_balance, c.transfer_limit, c.daily_limit,
      -- Organisations are told at 50 and 10, members where the currency says so.
      coalesce(c.low_balance, holder.low * private.wallet_unit(c)),
      coalesce(c.critical_balance, holder.critical * private.wallet_unit(c)), c.high_balance,
      -- An empty account is no news to who has just opened it.
      case
        when 0 <= coalesce(c.critical_balance, holder.critical * private.wallet_unit(c)) then 'critical'
        when 0 <= coalesce(c.low_balance, holder.low * private.wallet_unit(c)) then 'low'
      end
    from public.wallet_currencies c
    join (
      select m.tenant_id, m.person_id, null::uuid as organisation_id, 'member' as purpose,
        null::bigint as low, null::bigint as critical
      from public.members m
      where m.tenant_id = wallet_open_accounts.tenant_id and m.status = 'active'
        and wallet_open_accounts.organisation is null
        and (wallet_open_accounts.person is null or m.person_id = wallet_open_accounts.person)
      union all
      select o.tenant_id, null, o.id, 'organisation', 50, 10
      from public.wallet_organisations o
      where o.tenant_id = wallet_open_accounts.tenant_id and wallet_open_accounts.person is null
        and (wallet_open_accounts.organisation is null or o.id = wallet_open_accounts.organisation)
    ) holder on holder.tenant_id = c.tenant_id
    where wallet_open_accounts.currency is null or c.code = wallet_open_accounts.currency
    -- Whoever comes back finds their account again.
    on conflict (tenant_id, person_id, organisation_id, currency, purpose)
      do update set status = 'open', updated_at = now() where a.status = 'closed'
    returning a.id, a.currency, a.created_at = now() as fresh
  loop
    perform private.wallet_grant(wallet_open_accounts.tenant_id, v_opened.id, v_opened.currency)
    where v_opened.fresh;
  end loop;
end;
$$;
comment on function private.wallet_open_accounts(uuid, uuid, uuid, text) is
  'Opens the accounts that active members and organisations lack: for one holder or all, in one currency or all; a new one gets the starting grant, a closed one is opened again.';

create function private.wallet_unit(currency public.wallet_currencies)
returns bigint
language plpgsql
immutable
security invoker
set search_path = ''
as $$
begin
  return case currency.kind when 'time' then 60 else 10 ^ currency.decimals end;
end;
$$;
comment on function private.wallet_unit(public.wallet_currencies) is 'One hour, euro or point in the smallest unit.';

create function private.wallet_grant(tenant_id uuid, account_id uuid, currency text)
returns void
language plpgsql
volatile
security definer -- nobody else moves value
set search_path = ''
as $$
#variable_conflict use_column
declare
  v_amount bigint;
begin
  select c.starting_grant into v_amount
  from public.wallet_currencies c
  where c.tenant_id = wallet_grant.tenant_id and c.code = wallet_grant.currency;
  if v_amount > 0 then
    perform private.wallet_move(
      wallet_grant.tenant_id, private.uuid_v7(), 'grant', null,
      private.wallet_system_account(wallet_grant.tenant_id, wallet_grant.currency, 'issuance'),
      wallet_grant.account_id, v_amount, wallet_grant.currency, null, null
    );
  end if;
end;
$$;
comment on function private.wallet_grant(uuid, uuid, text) is 'Gives a new account what its currency starts with.';

create function private.wallet_system_account(tenant_id uuid, currency text, purpose text)
returns uuid
language plpgsql
stable
security definer -- reads accounts past their policies
set search_path = ''
as $$
#variable_conflict use_column
begin
  return (
    select a.id from public.wallet_ledger_accounts a
    where a.tenant_id = wallet_system_account.tenant_id and a.currency = wallet_system_account.currency
      and a.purpose = wallet_system_account.purpose and a.person_id is null and a.organisation_id is null
  );
end;
$$;
comment on function private.wallet_system_account(uuid, text, text) is 'A system account of a currency; null where there is none.';

create function private.wallet_on_member_active()
returns trigger
language plpgsql
volatile
security definer -- nobody else writes accounts
set search_path = ''
as $$
begin
  -- Whoever makes holders waits for who makes a currency, and the other way round: else neither would
  -- see what the other has not committed, and an account would be missing.
  perform from public.tenants t where t.id = new.tenant_id for share;
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

create function private.wallet_on_organisation_made()
returns trigger
language plpgsql
volatile
security definer -- nobody else writes accounts
set search_path = ''
as $$
begin
  perform from public.tenants t where t.id = new.tenant_id for share; -- as for members
  perform private.wallet_open_accounts(new.tenant_id, organisation => new.id);
  return null;
end;
$$;
comment on function private.wallet_on_organisation_made() is 'After an organisation is made: opens its accounts.';

create trigger wallet_on_organisation_made after insert on public.wallet_organisations
  for each row execute function private.wallet_on_organisation_made();

create function private.wallet_on_currency_created()
returns trigger
language plpgsql
volatile
security definer -- nobody else writes accounts
set search_path = ''
as $$
begin
  perform from public.tenants t where t.id = new.tenant_id for no key update;
  insert into public.wallet_ledger_accounts (tenant_id, currency, purpose, lowest_balance, deferred)
  values
    (new.tenant_id, new.code, 'issuance', null, true),
    (new.tenant_id, new.code, 'community_fund', 0, true),
    (new.tenant_id, new.code, 'fees', 0, true),
    (new.tenant_id, new.code, 'till', 0, true),
    (new.tenant_id, new.code, 'hold', 0, true);
  perform private.wallet_open_accounts(new.tenant_id, currency => new.code);
  return null;
end;
$$;
comment on function private.wallet_on_currency_created() is
  'After a currency is made: its system accounts, and one for each active member and organisation.';

create trigger wallet_on_currency_created after insert on public.wallet_currencies
  for each row execute function private.wallet_on_currency_created();

create function private.wallet_add_currencies(tenant_id uuid, currencies jsonb)
returns void
language plpgsql
volatile
security definer -- nobody else writes currencies
set search_path = ''
as $$
begin
  insert into public.wallet_currencies (
    tenant_id, code, name, kind, decimals, lowest_balance, highest_balance, transfer_limit, daily_limit,
    low_balance, critical_balance, high_balance, starting_grant, step_up_above
  )
  select wallet_add_currencies.tenant_id, c.code, coalesce(c.name, initcap(c.code)), c.kind,
    coalesce(c.decimals, 0), coalesce(c.lowest_balance, seed.lowest_balance), c.highest_balance,
    coalesce(c.transfer_limit, seed.transfer_limit), c.daily_limit, c.low_balance, c.critical_balance,
    c.high_balance, coalesce(c.starting_grant, 0), coalesce(c.step_up_above, seed.step_up_above)
  from jsonb_to_recordset(currencies) c(
    code text, name text, kind text, decimals smallint, lowest_balance bigint, highest_balance bigint,
    transfer_limit bigint, daily_limit bigint, low_balance bigint, critical_balance bigint,
    high_balance bigint, starting_grant bigint, step_up_above bigint
  )
  cross join lateral private.wallet_limits_for(c.kind) seed;
end;
$$;
comment on function private.wallet_add_currencies(uuid, jsonb) is
  'Makes the currencies of a tenant, with the limits given or else the usual ones of their kind.';
