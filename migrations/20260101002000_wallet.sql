-- Wallet: double entry. A transfer moves an integer amount of one currency between accounts of a
-- tenant; its entries sum to zero, and so does every currency. Transfers and entries are
-- append-only; the free text of a transfer stands apart and can be erased. Ledger rows carry no
-- foreign keys: each would lock, for every payment, a row that all payments share (docs/wallet.md).

-- Currencies
create table public.wallet_currencies (
  tenant_id uuid not null references public.tenants (id) on delete restrict,
  code text collate "C" not null check (code ~ '^[a-z][a-z0-9_]{1,15}$'),
  name text not null check (char_length(btrim(name)) between 1 and 60),
  kind text not null check (kind in ('time', 'money', 'points')),
  decimals smallint not null default 0 check (decimals between 0 and 4),
  lowest_balance bigint not null default 0 check (lowest_balance between -9007199254740991 and 0),
  highest_balance bigint check (highest_balance between 0 and 9007199254740991),
  transfer_limit bigint check (transfer_limit between 1 and 9007199254740991),
  daily_limit bigint check (daily_limit between 1 and 9007199254740991),
  low_balance bigint check (low_balance between -9007199254740991 and 9007199254740991),
  critical_balance bigint check (critical_balance between -9007199254740991 and 9007199254740991),
  high_balance bigint check (high_balance between -9007199254740991 and 9007199254740991),
  starting_grant bigint not null default 0 check (starting_grant between 0 and 9007199254740991),
  step_up_above bigint check (step_up_above between 1 and 9007199254740991),
  created_at timestamptz not null default now(),
  primary key (tenant_id, code),
  check (kind = 'money' or decimals = 0),
  check (critical_balance <= low_balance and low_balance < high_balance),
  check (critical_balance < high_balance),
  check (starting_grant <= highest_balance)
);
comment on table public.wallet_currencies is
  'What a tenant counts in, and the limits its members'' accounts have unless their own say otherwise. Amounts are integers: minutes of time, minor units of money, points.';
comment on column public.wallet_currencies.decimals is 'How many digits of an amount stand behind the point when it is shown.';
comment on column public.wallet_currencies.lowest_balance is 'How far below zero an account may go.';
comment on column public.wallet_currencies.low_balance is
  'Soft limits (low, critical, high): nothing is refused there, the holder is told once per crossing.';
comment on column public.wallet_currencies.step_up_above is
  'Who reverses a transfer of more than this proves within five minutes before who they are. Null: nobody has to.';
comment on column public.wallet_currencies.starting_grant is 'What the issuance gives to an account when it is opened.';

-- Organisations: accounts that several people act for
create table public.wallet_organisations (
  tenant_id uuid not null references public.tenants (id) on delete restrict,
  id uuid not null default private.uuid_v7(),
  name text not null check (char_length(btrim(name)) between 1 and 80),
  created_at timestamptz not null default now(),
  primary key (tenant_id, id),
  unique (tenant_id, name)
);
comment on table public.wallet_organisations is 'Who holds accounts without being a person: a club, a shop, a project.';

create table public.wallet_agents (
  tenant_id uuid not null,
  organisation_id uuid not null,
  person_id uuid not null,
  created_at timestamptz not null default now(),
  primary key (tenant_id, organisation_id, person_id),
  foreign key (tenant_id, organisation_id)
    references public.wallet_organisations (tenant_id, id) on delete cascade,
  foreign key (tenant_id, person_id) references public.members (tenant_id, person_id) on delete restrict
);
comment on table public.wallet_agents is 'Members who read and use the accounts of an organisation.';
create index wallet_agents_person on public.wallet_agents (tenant_id, person_id);

-- Accounts. One condition guards what every payment touches, for each costs it some microseconds;
-- what changes seldom is judged by a trigger that only those changes fire.
create table public.wallet_ledger_accounts (
  tenant_id uuid not null,
  id uuid not null default private.uuid_v7(),
  currency text collate "C" not null,
  person_id uuid,
  organisation_id uuid,
  purpose text collate "C" not null default 'member',
  status text collate "C" not null default 'open',
  balance bigint not null default 0,
  held bigint not null default 0,
  debt bigint not null default 0,
  lowest_balance bigint,
  highest_balance bigint,
  transfer_limit bigint,
  daily_limit bigint,
  low_balance bigint,
  critical_balance bigint,
  high_balance bigint,
  own_limits text[] not null default '{}',
  spent_on date,
  spent bigint not null default 0,
  alert text collate "C",
  nudged_at timestamptz,
  deferred boolean not null default false,
  created_at timestamptz not null default now(),
  updated_at timestamptz not null default now(),
  primary key (tenant_id, id),
  unique nulls not distinct (tenant_id, person_id, organisation_id, currency, purpose),
  foreign key (tenant_id, currency) references public.wallet_currencies (tenant_id, code) on delete restrict,
  foreign key (tenant_id, person_id) references public.members (tenant_id, person_id) on delete restrict,
  foreign key (tenant_id, organisation_id)
    references public.wallet_organisations (tenant_id, id) on delete restrict,
  constraint wallet_ledger_accounts_covered check (
    held >= 0 and debt >= 0 and balance - held >= lowest_balance - debt
    and (deferred or balance between -9007199254740991 and 9007199254740991)
  )
)
with (fillfactor = 50); -- room for balance updates in place
comment on table public.wallet_ledger_accounts is
  'Accounts of members, organisations and the system. Balances change in private.wallet_post alone.';
comment on column public.wallet_ledger_accounts.lowest_balance is 'Null: no limit (issuance, which is the other side of all that exists).';
comment on column public.wallet_ledger_accounts.debt is
  'How far a reversal, or a limit that was raised, left the account below its lowest balance. Only what comes in can lessen it.';
comment on column public.wallet_ledger_accounts.own_limits is 'Names of the limits that are the account''s own; the others follow the currency.';
comment on column public.wallet_ledger_accounts.spent is 'What left on spent_on (a day of the tenant), kept where there is a daily_limit.';
comment on column public.wallet_ledger_accounts.deferred is
  'Entries wait in wallet_pending and are folded later, so that an account everybody touches makes nobody wait.';
create index wallet_ledger_accounts_currency on public.wallet_ledger_accounts (tenant_id, currency);
create index wallet_ledger_accounts_organisation on public.wallet_ledger_accounts (tenant_id, organisation_id);

insert into private.transitions (machine, from_state, to_state)
values
  ('wallet_ledger_accounts', 'open', 'frozen'), ('wallet_ledger_accounts', 'frozen', 'open'),
  ('wallet_ledger_accounts', 'open', 'closed'), ('wallet_ledger_accounts', 'frozen', 'closed'),
  ('wallet_ledger_accounts', 'closed', 'open');
create function private.wallet_check_account()
returns trigger
language plpgsql
volatile
security invoker
set search_path = ''
as $$
begin
  if (new.purpose = 'member') <> (new.person_id is not null)
    or (new.purpose = 'organisation') <> (new.organisation_id is not null)
    or new.purpose not in ('member', 'organisation', 'issuance', 'community_fund', 'fees', 'till', 'hold')
    or new.status not in ('open', 'frozen', 'closed')
    or new.status = 'closed' and (new.balance <> 0 or new.held <> 0)
  then
    raise exception 'No such account: %', to_jsonb(new);
  end if;
  return new;
end;
$$;
comment on function private.wallet_check_account() is
  'Before an account is made or its status changed: purpose fits holder, status is known, closed is empty.';
create trigger wallet_ledger_accounts_check
  before insert or update of purpose, person_id, organisation_id, status on public.wallet_ledger_accounts
  for each row execute function private.wallet_check_account();
create trigger wallet_ledger_accounts_transition before update of status on public.wallet_ledger_accounts
  for each row execute function private.enforce_transition();

-- Transfers and entries
create table public.wallet_transfers (
  tenant_id uuid not null,
  id uuid not null,
  kind text collate "C" not null,
  currency text collate "C" not null,
  amount bigint not null,
  from_account uuid,
  to_account uuid,
  actor uuid,
  part_of uuid,
  created_at timestamptz not null default now(),
  primary key (tenant_id, id)
);
comment on table public.wallet_transfers is 'What was moved, once and for good. actor is null for the system.';
comment on column public.wallet_transfers.kind is 'transfer, issue, grant, settlement, capture, reversal, closing.';
comment on column public.wallet_transfers.from_account is 'Null: several accounts paid, its entries name them. So with to_account.';
comment on column public.wallet_transfers.part_of is
  'The first transfer of the settlement or batch this one belongs to; null where it stands alone or is the first.';
create index wallet_transfers_part_of on public.wallet_transfers (tenant_id, part_of) where part_of is not null;

create table public.wallet_entries (
  tenant_id uuid not null,
  account_id uuid not null,
  id uuid not null,
  transfer_id uuid not null,
  amount bigint not null,
  balance_after bigint,
  created_at timestamptz not null default now(),
  primary key (tenant_id, account_id, id)
);
comment on table public.wallet_entries is
  'One side of a transfer, as the account''s holder sees it: signed, with the balance it left. Ids are made under the account''s lock, so their order is the order of balances.';
comment on column public.wallet_entries.balance_after is 'Null: the entry was deferred.';
create index wallet_entries_transfer on public.wallet_entries (tenant_id, transfer_id);

create table private.wallet_pending (
  tenant_id uuid not null,
  account_id uuid not null,
  transfer_id uuid not null,
  amount bigint not null,
  primary key (tenant_id, account_id, transfer_id)
);
comment on table private.wallet_pending is 'Deferred entries not yet in their account''s balance.';

create table public.wallet_memos (
  tenant_id uuid not null,
  transfer_id uuid not null,
  memo text check (char_length(memo) between 1 and 500),
  category text check (char_length(category) between 1 and 60),
  primary key (tenant_id, transfer_id),
  foreign key (tenant_id, transfer_id) references public.wallet_transfers (tenant_id, id) on delete restrict
);
comment on table public.wallet_memos is 'The erasable text of a transfer.';
create index wallet_memos_category on public.wallet_memos (tenant_id, category, transfer_id)
  where category is not null;

create table public.wallet_keys (
  tenant_id uuid not null,
  person_id uuid not null,
  operation text collate "C" not null,
  key text collate "C" not null,
  digest bytea not null,
  result_id uuid not null,
  primary key (tenant_id, person_id, operation, key)
);
comment on table public.wallet_keys is
  'Idempotency keys, kept for good. Written before what they name, in its transaction. person_id is the platform''s id for the system.';
comment on column public.wallet_keys.result_id is 'The transfer, hold or request that the first call made.';

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
create trigger wallet_ledger_accounts_kept before delete on public.wallet_ledger_accounts
  for each row execute function private.refuse_change();
