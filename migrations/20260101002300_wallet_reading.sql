-- Wallet, reading: the own accounts and their statement; for admins every account and transfer.

create view public.wallet_accounts
with (security_invoker = true)
as
select
  a.tenant_id,
  a.id,
  a.currency,
  a.organisation_id,
  a.status,
  a.balance,
  a.held,
  a.debt,
  a.balance - a.held - a.lowest_balance as available,
  a.lowest_balance,
  a.highest_balance,
  a.transfer_limit,
  a.daily_limit,
  a.alert
from public.wallet_ledger_accounts a
where a.person_id = (select private.person())
  or a.organisation_id is not null and a.id = any (array(select private.wallet_own_accounts()));
comment on view public.wallet_accounts is
  'The caller''s accounts, and those of organisations they act for. available is what a transfer may spend: balance less holds, down to the account''s limit; below zero while there is debt.';
grant select on public.wallet_accounts to authenticated;

create type public.wallet_payee as (
  account_id uuid,
  purpose text,
  name text
);
comment on type public.wallet_payee is 'An account that is not a person''s: name is the organisation''s, null for the system.';

create function public.wallet_payees(tenant_id uuid, currency text)
returns setof public.wallet_payee
language plpgsql
stable
security definer -- members may not read the accounts of others
set search_path = ''
as $$
#variable_conflict use_column
begin
  perform private.require(wallet_payees.tenant_id, 'wallet.read');
  perform private.wallet_require_currency(wallet_payees.tenant_id, wallet_payees.currency);
  return query
  select a.id, a.purpose, o.name
  from public.wallet_ledger_accounts a
  left join public.wallet_organisations o on o.tenant_id = a.tenant_id and o.id = a.organisation_id
  where a.tenant_id = wallet_payees.tenant_id and a.currency = wallet_payees.currency
    and a.status = 'open' and a.purpose in ('organisation', 'community_fund', 'till')
  order by a.purpose, o.name;
end;
$$;
comment on function public.wallet_payees(uuid, text) is
  'What members may pay besides each other: organisations, the community fund (donations) and the till (permission wallet.read). Raises wallet.currency_unknown.';
grant execute on function public.wallet_payees(uuid, text) to authenticated;

create type public.wallet_statement_line as (
  id uuid,
  transfer_id uuid,
  kind text,
  created_at timestamptz,
  amount bigint,
  balance_after bigint,
  counterpart uuid,
  category text,
  memo text,
  reverses uuid,
  reversed_by uuid,
  cursor text
);
comment on type public.wallet_statement_line is
  'One entry of an account: amount is signed, counterpart is the other person (null for organisations, the system and several), cursor continues after this line. reversed_by: null while the transfer stands.';

create function private.wallet_check_page(page_size int, cursor text)
returns void
language plpgsql
immutable
security invoker
set search_path = ''
as $$
begin
  if page_size is null or page_size not between 1 and 100 then
    raise sqlstate 'PT422' using message = 'request.invalid', detail = 'page_size: 1 to 100';
  elsif wallet_check_page.cursor is not null and not pg_input_is_valid(wallet_check_page.cursor, 'uuid') then
    raise sqlstate 'PT422' using message = 'request.invalid', detail = 'cursor';
  end if;
end;
$$;
comment on function private.wallet_check_page(int, text) is 'Raises request.invalid for a page that cannot be.';

create function public.wallet_statement(
  tenant_id uuid,
  currency text,
  cursor text default null,
  page_size int default 50,
  "from" timestamptz default null,
  "to" timestamptz default null,
  category text default null,
  counterpart uuid default null,
  account uuid default null
)
returns setof public.wallet_statement_line
language plpgsql
stable
security definer -- names the counterpart of an entry, whose account the caller cannot read
set search_path = ''
as $$
#variable_conflict use_column
declare
  v_person uuid := private.require(wallet_statement.tenant_id, 'wallet.read');
  v_account uuid;
begin
  perform private.wallet_check_page(page_size, wallet_statement.cursor);
  if wallet_statement.account is not null and private.can(wallet_statement.tenant_id, 'wallet.read_all') then
    select a.id into v_account
    from public.wallet_ledger_accounts a
    where a.tenant_id = wallet_statement.tenant_id and a.id = wallet_statement.account
      and a.currency = wallet_statement.currency;
  end if;
  v_account := coalesce(
    v_account,
    private.wallet_payer(
      wallet_statement.tenant_id, v_person, wallet_statement.currency, wallet_statement.account
    )
  );

  -- Ids are times: a period is a range of the index, as the cursor is.
  return query
  select e.id, e.transfer_id, t.kind, e.created_at, e.amount, e.balance_after, other.person_id,
    memo.category, memo.memo, undone.transfer_id, undoing.reversal_id, e.id::text
  from public.wallet_entries e
  join public.wallet_transfers t on t.tenant_id = e.tenant_id and t.id = e.transfer_id
  left join public.wallet_ledger_accounts other
    on other.tenant_id = t.tenant_id
    and other.id = case when t.from_account = e.account_id then t.to_account else t.from_account end
  left join public.wallet_memos memo on memo.tenant_id = t.tenant_id and memo.transfer_id = t.id
  left join public.wallet_reversals undone on undone.tenant_id = t.tenant_id and undone.reversal_id = t.id
  left join public.wallet_reversals undoing on undoing.tenant_id = t.tenant_id and undoing.transfer_id = t.id
  where e.tenant_id = wallet_statement.tenant_id and e.account_id = v_account
    and e.id < coalesce(wallet_statement.cursor::uuid, 'ffffffff-ffff-ffff-ffff-ffffffffffff')
    and e.id >= private.uuid_floor(coalesce(wallet_statement."from", 'epoch'))
    and e.id < private.uuid_floor(coalesce(wallet_statement."to", '9999-01-01'))
    and (wallet_statement.category is null or memo.category = wallet_statement.category)
    and (wallet_statement.counterpart is null or other.person_id = wallet_statement.counterpart)
  order by e.id desc
  limit page_size;
end;
$$;
comment on function public.wallet_statement(uuid, text, text, int, timestamptz, timestamptz, text, uuid, uuid) is
  'The entries of the caller''s account in a currency, newest first (permission wallet.read). account: another one they act for; any with wallet.read_all. cursor: of the last line seen. page_size: 1 to 100. Raises wallet.currency_unknown, wallet.not_found, request.invalid.';
grant execute on function public.wallet_statement(uuid, text, text, int, timestamptz, timestamptz, text, uuid, uuid)
  to authenticated;

create type public.wallet_found_transfer as (
  id uuid,
  kind text,
  created_at timestamptz,
  currency text,
  amount bigint,
  from_account uuid,
  from_person uuid,
  to_account uuid,
  to_person uuid,
  actor uuid,
  category text,
  memo text,
  part_of uuid,
  reverses uuid,
  reversed_by uuid,
  cursor text
);
comment on type public.wallet_found_transfer is 'A transfer as admins see it. from_person and to_person are null for organisations, the system and several.';

create function public.wallet_search(
  tenant_id uuid,
  currency text default null,
  cursor text default null,
  page_size int default 50,
  "from" timestamptz default null,
  "to" timestamptz default null,
  category text default null,
  person uuid default null
)
returns setof public.wallet_found_transfer
language plpgsql
stable
security definer -- names both sides of a transfer
set search_path = ''
as $$
#variable_conflict use_column
begin
  perform private.require(wallet_search.tenant_id, 'wallet.read_all');
  perform private.wallet_check_page(page_size, wallet_search.cursor);
  return query
  select t.id, t.kind, t.created_at, t.currency, t.amount, t.from_account, payer.person_id, t.to_account,
    payee.person_id, t.actor, memo.category, memo.memo, t.part_of, undone.transfer_id, undoing.reversal_id,
    t.id::text
  from public.wallet_transfers t
  left join public.wallet_ledger_accounts payer on payer.tenant_id = t.tenant_id and payer.id = t.from_account
  left join public.wallet_ledger_accounts payee on payee.tenant_id = t.tenant_id and payee.id = t.to_account
  left join public.wallet_memos memo on memo.tenant_id = t.tenant_id and memo.transfer_id = t.id
  left join public.wallet_reversals undone on undone.tenant_id = t.tenant_id and undone.reversal_id = t.id
  left join public.wallet_reversals undoing on undoing.tenant_id = t.tenant_id and undoing.transfer_id = t.id
  where t.tenant_id = wallet_search.tenant_id
    and t.id < coalesce(wallet_search.cursor::uuid, 'ffffffff-ffff-ffff-ffff-ffffffffffff')
    and t.id >= private.uuid_floor(coalesce(wallet_search."from", 'epoch'))
    and t.id < private.uuid_floor(coalesce(wallet_search."to", '9999-01-01'))
    and (wallet_search.currency is null or t.currency = wallet_search.currency)
    and (wallet_search.category is null or memo.category = wallet_search.category)
    and (
      wallet_search.person is null
      or exists (
        select from public.wallet_entries e
        join public.wallet_ledger_accounts a on a.tenant_id = e.tenant_id and a.id = e.account_id
        where e.tenant_id = t.tenant_id and e.transfer_id = t.id and a.person_id = wallet_search.person
      )
    )
  order by t.id desc
  limit page_size;
end;
$$;
comment on function public.wallet_search(uuid, text, text, int, timestamptz, timestamptz, text, uuid) is
  'Every transfer of the tenant, newest first (permission wallet.read_all), with the statement''s filters; person: with an entry of theirs. Raises request.invalid.';
grant execute on function public.wallet_search(uuid, text, text, int, timestamptz, timestamptz, text, uuid)
  to authenticated;

-- Counting millions of rows at every scrape would cost more than the transfers: the server's own
-- count of live rows is exact for a table that only grows, until a crash makes it an estimate.
select private.declare_metric(
  'wallet_transactions_total', 'counter', 'Transfers in the ledger.',
  $$select pg_stat_get_live_tuples('public.wallet_transfers'::regclass) as value$$
);
