-- Wallet: double entry. A transfer moves an integer amount of one currency between two accounts of
-- a tenant; its entries sum to zero, and so does every currency. Transfers and entries are
-- append-only; the free text of a transfer stands apart and can be erased.

-- Currencies
create table public.wallet_currencies (
  tenant_id uuid not null references public.tenants (id) on delete restrict,
  code text not null check (code ~ '^[a-z][a-z0-9_]{1,15}$'),
  name text not null check (char_length(btrim(name)) between 1 and 60),
  kind text not null check (kind in ('time', 'money', 'points')),
  decimals smallint not null default 0 check (decimals between 0 and 4),
  lowest_balance bigint not null default 0 check (lowest_balance between -9007199254740991 and 0),
  created_at timestamptz not null default now(),
  primary key (tenant_id, code),
  check (kind = 'money' or decimals = 0)
);
comment on table public.wallet_currencies is
  'What a tenant counts in. Amounts are integers: minutes of time, minor units of money, points.';
comment on column public.wallet_currencies.decimals is 'How many digits of an amount stand behind the point when it is shown.';
comment on column public.wallet_currencies.lowest_balance is 'How far below zero a new member''s account may go.';

-- Accounts
create table public.wallet_ledger_accounts (
  tenant_id uuid not null,
  id uuid not null default private.uuid_v7(),
  currency text not null,
  person_id uuid,
  purpose text not null default 'member'
    check (purpose in ('member', 'issuance', 'community_fund', 'fees', 'till')),
  balance bigint not null default 0 check (balance between -9007199254740991 and 9007199254740991),
  held bigint not null default 0 check (held between 0 and 9007199254740991),
  lowest_balance bigint,
  deferred boolean not null default false,
  created_at timestamptz not null default now(),
  updated_at timestamptz not null default now(),
  primary key (tenant_id, id),
  unique nulls not distinct (tenant_id, person_id, currency, purpose),
  foreign key (tenant_id, currency) references public.wallet_currencies (tenant_id, code) on delete restrict,
  foreign key (tenant_id, person_id) references public.members (tenant_id, person_id) on delete restrict,
  check ((purpose = 'member') = (person_id is not null)),
  check (lowest_balance is null or balance - held >= lowest_balance)
)
with (fillfactor = 70); -- room for balance updates in place
comment on table public.wallet_ledger_accounts is
  'Accounts of members and of the system. Balances change in private.wallet_post alone.';
comment on column public.wallet_ledger_accounts.lowest_balance is 'Null: no limit (issuance, which is the other side of all that exists).';
comment on column public.wallet_ledger_accounts.deferred is
  'Entries wait in wallet_pending and are folded later, so that an account everybody touches makes nobody wait.';
create index wallet_ledger_accounts_currency on public.wallet_ledger_accounts (tenant_id, currency);

-- Transfers and entries
create table public.wallet_transfers (
  tenant_id uuid not null,
  id uuid not null default private.uuid_v7(),
  currency text not null,
  amount bigint not null check (amount between 1 and 9007199254740991),
  from_account uuid not null,
  to_account uuid not null,
  actor uuid,
  created_at timestamptz not null default now(),
  primary key (tenant_id, id),
  foreign key (tenant_id, currency) references public.wallet_currencies (tenant_id, code) on delete restrict,
  check (from_account <> to_account)
);
comment on table public.wallet_transfers is 'What was moved, once and for good. actor is null for the system.';
create index wallet_transfers_currency on public.wallet_transfers (tenant_id, currency);

create table public.wallet_entries (
  tenant_id uuid not null,
  id uuid not null default private.uuid_v7(),
  transfer_id uuid not null,
  account_id uuid not null,
  amount bigint not null check (amount <> 0),
  balance_after bigint,
  created_at timestamptz not null default now(),
  primary key (tenant_id, id),
  foreign key (tenant_id, transfer_id) references public.wallet_transfers (tenant_id, id) on delete restrict,
  foreign key (tenant_id, account_id)
    references public.wallet_ledger_accounts (tenant_id, id) on delete restrict
);
comment on table public.wallet_entries is
  'One side of a transfer, as the account''s holder sees it: signed, with the balance it left. Ids are made under the account''s lock, so their order is the order of balances.';
comment on column public.wallet_entries.balance_after is 'Null: the entry was deferred.';
create index wallet_entries_account on public.wallet_entries (tenant_id, account_id, id desc);
create index wallet_entries_transfer on public.wallet_entries (tenant_id, transfer_id);

create table private.wallet_pending (
  tenant_id uuid not null,
  account_id uuid not null,
  entry_id uuid not null,
  amount bigint not null,
  primary key (tenant_id, account_id, entry_id),
  foreign key (tenant_id, entry_id) references public.wallet_entries (tenant_id, id)
);
comment on table private.wallet_pending is 'Deferred entries not yet in their account''s balance.';
create index wallet_pending_entry on private.wallet_pending (tenant_id, entry_id);

create table public.wallet_memos (
  tenant_id uuid not null,
  transfer_id uuid not null,
  memo text check (char_length(memo) between 1 and 500),
  category text check (char_length(category) between 1 and 60),
  primary key (tenant_id, transfer_id),
  foreign key (tenant_id, transfer_id) references public.wallet_transfers (tenant_id, id) on delete restrict
);
comment on table public.wallet_memos is 'The erasable text of a transfer.';

create table public.wallet_keys (
  tenant_id uuid not null,
  person_id uuid not null,
  operation text not null,
  key text not null check (char_length(key) between 1 and 255),
  digest bytea not null,
  transfer_id uuid not null,
  primary key (tenant_id, person_id, operation, key),
  foreign key (tenant_id, transfer_id) references public.wallet_transfers (tenant_id, id)
    on delete restrict deferrable initially deferred
);
comment on table public.wallet_keys is
  'Idempotency keys, kept for good. Written before the transfer they name, in its transaction. person_id is the platform''s id for the system.';
create index wallet_keys_transfer on public.wallet_keys (tenant_id, transfer_id);

-- Append-only, for the owner too
create trigger wallet_transfers_append_only before update or delete on public.wallet_transfers
  for each row execute function private.refuse_change();
create trigger wallet_transfers_not_truncated before truncate on public.wallet_transfers
  for each statement execute function private.refuse_change();
create trigger wallet_entries_append_only before update or delete on public.wallet_entries
  for each row execute function private.refuse_change();
create trigger wallet_entries_not_truncated before truncate on public.wallet_entries
  for each statement execute function private.refuse_change();
create trigger wallet_keys_append_only before update or delete on public.wallet_keys
  for each row execute function private.refuse_change();
create trigger wallet_keys_not_truncated before truncate on public.wallet_keys
  for each statement execute function private.refuse_change();

-- Permissions
select private.declare_permission('wallet.read', 'See the own accounts', array['admin', 'staff', 'member', 'guest']);
select private.declare_permission('wallet.transfer', 'Pay other members', array['admin', 'staff', 'member']);
select private.declare_permission('wallet.issue', 'Bring value into circulation', array['admin']);

-- Row level security
alter table public.wallet_currencies enable row level security;
create policy wallet_currencies_select_member on public.wallet_currencies
  for select to authenticated
  using (tenant_id = any (array(select private.tenants_with('wallet.read'))));

alter table public.wallet_ledger_accounts enable row level security;
create policy wallet_ledger_accounts_select_owner on public.wallet_ledger_accounts
  for select to authenticated
  using (
    tenant_id = any (array(select private.tenants_with('wallet.read')))
    and person_id = (select private.person())
  );

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
    and a.person_id = (select private.person());
$$;
comment on function private.wallet_own_accounts() is 'The caller''s accounts where they may read them.';
grant execute on function private.wallet_own_accounts() to authenticated;

alter table public.wallet_entries enable row level security;
create policy wallet_entries_select_owner on public.wallet_entries
  for select to authenticated
  using (
    tenant_id = any (array(select private.tenants_with('wallet.read')))
    and account_id = any (array(select private.wallet_own_accounts()))
  );

create function private.wallet_own_transfers()
returns setof uuid
language sql
stable
security definer -- spares every transfer the policies of entries
set search_path = ''
as $$
  select e.transfer_id
  from public.wallet_entries e
  join public.wallet_ledger_accounts a on a.tenant_id = e.tenant_id and a.id = e.account_id
  where a.tenant_id in (select private.tenants_with('wallet.read'))
    and a.person_id = (select private.person());
$$;
comment on function private.wallet_own_transfers() is 'The transfers with an entry in one of the caller''s accounts.';
grant execute on function private.wallet_own_transfers() to authenticated;

alter table public.wallet_transfers enable row level security;
create policy wallet_transfers_select_party on public.wallet_transfers
  for select to authenticated
  using (
    tenant_id = any (array(select private.tenants_with('wallet.read')))
    and id = any (array(select private.wallet_own_transfers()))
  );

alter table public.wallet_memos enable row level security;
create policy wallet_memos_select_party on public.wallet_memos
  for select to authenticated
  using (
    tenant_id = any (array(select private.tenants_with('wallet.read')))
    and transfer_id = any (array(select private.wallet_own_transfers()))
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
  public.wallet_currencies, public.wallet_ledger_accounts, public.wallet_transfers,
  public.wallet_entries, public.wallet_memos, public.wallet_keys
to authenticated, service_role;
