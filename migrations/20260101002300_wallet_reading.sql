-- Wallet, reading: the own accounts, and their statement.

create view public.wallet_accounts
with (security_invoker = true)
as
select
  a.tenant_id,
  a.id,
  a.currency,
  a.balance,
  a.held,
  a.balance - a.held - a.lowest_balance as available
from public.wallet_ledger_accounts a
where a.person_id = (select private.person());
comment on view public.wallet_accounts is
  'The caller''s accounts. available is what a transfer may spend: balance less holds, down to the account''s limit.';
grant select on public.wallet_accounts to authenticated;

create type public.wallet_statement_line as (
  id uuid,
  transfer_id uuid,
  created_at timestamptz,
  amount bigint,
  balance_after bigint,
  counterpart uuid,
  category text,
  memo text,
  cursor text
);
comment on type public.wallet_statement_line is
  'One entry of the own account: amount is signed, counterpart is the other person (null for the system), cursor continues after this line.';

create function public.wallet_statement(
  tenant_id uuid, currency text, cursor text default null, page_size int default 50
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
  if page_size is null or page_size not between 1 and 100 then
    raise sqlstate 'PT422' using message = 'request.invalid', detail = 'page_size: 1 to 100';
  elsif wallet_statement.cursor is not null and not pg_input_is_valid(wallet_statement.cursor, 'uuid') then
    raise sqlstate 'PT422' using message = 'request.invalid', detail = 'cursor';
  end if;
  v_account := private.wallet_account_of(wallet_statement.tenant_id, v_person, wallet_statement.currency);
  if v_account is null then
    perform private.wallet_require_currency(wallet_statement.tenant_id, wallet_statement.currency);
    raise sqlstate 'PT404' using message = 'wallet.not_found';
  end if;

  return query
  select e.id, e.transfer_id, e.created_at, e.amount, e.balance_after, other.person_id, memo.category,
    memo.memo, e.id::text
  from public.wallet_entries e
  join public.wallet_transfers t on t.tenant_id = e.tenant_id and t.id = e.transfer_id
  join public.wallet_ledger_accounts other
    on other.tenant_id = t.tenant_id
    and other.id = case t.from_account when e.account_id then t.to_account else t.from_account end
  left join public.wallet_memos memo on memo.tenant_id = t.tenant_id and memo.transfer_id = t.id
  where e.tenant_id = wallet_statement.tenant_id and e.account_id = v_account
    and e.id < coalesce(wallet_statement.cursor::uuid, 'ffffffff-ffff-ffff-ffff-ffffffffffff')
  order by e.id desc
  limit page_size;
end;
$$;
comment on function public.wallet_statement(uuid, text, text, int) is
  'The caller''s entries in a currency, newest first (permission wallet.read). cursor: of the last line seen. page_size: 1 to 100. Raises wallet.currency_unknown, wallet.not_found, request.invalid.';
grant execute on function public.wallet_statement(uuid, text, text, int) to authenticated;

-- Counting millions of rows at every scrape would cost more than the transfers: the server's own
-- count of live rows is exact for a table that only grows, until a crash makes it an estimate.
select private.declare_metric(
  'wallet_transactions_total', 'counter', 'Transfers in the ledger.',
  $$select pg_stat_get_live_tuples('public.wallet_transfers'::regclass) as value$$
);
