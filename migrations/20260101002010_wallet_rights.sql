-- Wallet, rights: permissions, and what members read. Writes go through functions alone.

-- Permissions
select private.declare_permission('wallet.read', 'See the own accounts', array['admin', 'staff', 'member', 'guest']);
select private.declare_permission('wallet.read_all', 'See every account and transfer', array['admin']);
select private.declare_permission('wallet.transfer', 'Pay, hold and ask for payment', array['admin', 'staff', 'member']);
select private.declare_permission('wallet.issue', 'Bring value into circulation', array['admin']);
select private.declare_permission('wallet.settle', 'Move value between accounts of others', array['admin']);
select private.declare_permission('wallet.reverse', 'Reverse a transfer', array['admin']);
select private.declare_permission('wallet.manage', 'Set limits, freeze, close, name organisations', array['admin']);

-- Trail
insert into private.audit_actions (name, description)
values
  ('WALLET_SETTLED', 'Value was moved between several accounts at once'),
  ('WALLET_REVERSED', 'A transfer was reversed'),
  ('WALLET_HELD', 'An amount was held'),
  ('WALLET_CAPTURED', 'A held amount was taken'),
  ('WALLET_VOIDED', 'A held amount was released'),
  ('WALLET_REQUESTED', 'Somebody asked for a payment'),
  ('WALLET_REQUEST_RESOLVED', 'A request for payment was declined, cancelled or ran out'),
  ('WALLET_TRUST_CHANGED', 'A member changed whose requests they accept unseen'),
  ('WALLET_LIMITS_CHANGED', 'Limits of a currency or an account were changed'),
  ('WALLET_FROZEN', 'An account was frozen'),
  ('WALLET_UNFROZEN', 'An account was unfrozen'),
  ('WALLET_CLOSED', 'An account was closed and its balance inherited'),
  ('WALLET_ORGANISATION_CHANGED', 'An organisation or its agents were changed'),
  ('WALLET_RECONCILED', 'The ledger of the tenant was checked'),
  ('WALLET_BROKEN', 'The nightly check found the ledger wrong');

-- Whose accounts
create function private.wallet_own_accounts()
returns setof uuid
language sql
stable
security definer -- spares every entry the policies of accounts
set search_path = ''
as $$
  select a.id
  from public.wallet_ledger_accounts a
  where a.tenant_id in (select private.tenants_with('wallet.read'))
    and a.person_id = (select private.person())
  union all
  select a.id
  from public.wallet_agents g
  join public.wallet_ledger_accounts a
    on a.tenant_id = g.tenant_id and a.organisation_id = g.organisation_id
  where g.tenant_id in (select private.tenants_with('wallet.read'))
    and g.person_id = (select private.person());
$$;
comment on function private.wallet_own_accounts() is
  'The caller''s accounts where they may read them, and those of the organisations they act for.';
grant execute on function private.wallet_own_accounts() to authenticated;

-- Row level security
alter table public.wallet_currencies enable row level security;
create policy wallet_currencies_select_member on public.wallet_currencies
  for select to authenticated
  using (tenant_id = any (array(select private.tenants_with('wallet.read'))));

alter table public.wallet_organisations enable row level security;
create policy wallet_organisations_select_member on public.wallet_organisations
  for select to authenticated
  using (tenant_id = any (array(select private.tenants_with('wallet.read'))));

alter table public.wallet_agents enable row level security;
create policy wallet_agents_select_agent on public.wallet_agents
  for select to authenticated
  using (
    tenant_id = any (array(select private.tenants_with('wallet.read')))
    and (
      person_id = (select private.person())
      or tenant_id = any (array(select private.tenants_with('wallet.read_all')))
    )
  );

alter table public.wallet_ledger_accounts enable row level security;
create policy wallet_ledger_accounts_select_owner on public.wallet_ledger_accounts
  for select to authenticated
  using (
    tenant_id = any (array(select private.tenants_with('wallet.read')))
    and (
      id = any (array(select private.wallet_own_accounts()))
      or tenant_id = any (array(select private.tenants_with('wallet.read_all')))
    )
  );

alter table public.wallet_entries enable row level security;
create policy wallet_entries_select_owner on public.wallet_entries
  for select to authenticated
  using (
    tenant_id = any (array(select private.tenants_with('wallet.read')))
    and (
      account_id = any (array(select private.wallet_own_accounts()))
      or tenant_id = any (array(select private.tenants_with('wallet.read_all')))
    )
  );

alter table public.wallet_transfers enable row level security;
create policy wallet_transfers_select_party on public.wallet_transfers
  for select to authenticated
  using (
    tenant_id = any (array(select private.tenants_with('wallet.read')))
    and (
      tenant_id = any (array(select private.tenants_with('wallet.read_all')))
      or from_account = any (array(select private.wallet_own_accounts()))
      or to_account = any (array(select private.wallet_own_accounts()))
      -- Several paid or were paid: then entries tell who, and their own policy shows the caller theirs.
      or (from_account is null or to_account is null)
        and exists (
          select from public.wallet_entries e
          where e.tenant_id = wallet_transfers.tenant_id and e.transfer_id = wallet_transfers.id
        )
    )
  );

alter table public.wallet_memos enable row level security;
create policy wallet_memos_select_party on public.wallet_memos
  for select to authenticated
  using (
    tenant_id = any (array(select private.tenants_with('wallet.read')))
    and exists (
      select from public.wallet_transfers t -- as far as the caller may see them
      where t.tenant_id = wallet_memos.tenant_id and t.id = wallet_memos.transfer_id
    )
  );

alter table public.wallet_keys enable row level security;
create policy wallet_keys_select_owner on public.wallet_keys
  for select to authenticated
  using (
    tenant_id = any (array(select private.tenants_with('wallet.read')))
    and person_id = (select private.person())
  );

-- Grants
grant select on
  public.wallet_currencies, public.wallet_organisations, public.wallet_agents,
  public.wallet_ledger_accounts, public.wallet_transfers, public.wallet_entries, public.wallet_memos,
  public.wallet_keys
to authenticated, service_role;
