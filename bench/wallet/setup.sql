-- A thousand members who are signed in, each with an account and every limit on.
create schema bench;
grant usage on schema bench to public;

create function bench.person(n bigint) returns uuid language sql immutable
return ('00000000-0000-4000-8000-' || lpad(n::text, 12, '0'))::uuid;

insert into auth.users (id, email)
select bench.person(n), 'member' || n || '@bench.test' from generate_series(1, 1000) n;
insert into auth.sessions (id, user_id)
select bench.person(n), bench.person(n) from generate_series(1, 1000) n;

create table bench.tenant as
select (tenants_create(
  'bench', 'Bench', modules => array['wallet'], currencies => jsonb_build_array(jsonb_build_object(
    'code', 'hours', 'kind', 'time', 'highest_balance', 1000000000000,
    'low_balance', 60, 'critical_balance', 0, 'starting_grant', 100000000
  ))
)).id;
insert into members (tenant_id, person_id, role, status, display_name)
select t.id, bench.person(n), 'member', 'active', 'Member ' || n
from bench.tenant t, generate_series(1, 1000) n;

-- Constants of the run, so that the scripts' statements look up nothing of their own.
do $$
begin
  execute format(
    'create function bench.tenant_id() returns uuid language sql immutable return %L::uuid',
    (select id from bench.tenant)
  );
  execute format(
    'create function bench.till() returns uuid language sql immutable return %L::uuid',
    (select a.id from wallet_ledger_accounts a join bench.tenant t on t.id = a.tenant_id where a.purpose = 'till')
  );
end;
$$;
select private.wallet_fold_all();

-- Rows as transfers leave them, without the transfers: a ledger of any size in bearable time. Pairs of
-- neighbours pay each other by turns, so that balances stay what they are.
create function bench.grow(transfers int) returns void language plpgsql as $$
begin
  create temp table made on commit drop as
  select private.uuid_v7() as id, private.uuid_v7() as debit, private.uuid_v7() as credit,
    payer.id as payer, payee.id as payee
  from (select n, 1 + floor(random() * 500)::int * 2 as member from generate_series(1, transfers) n) g
  join wallet_ledger_accounts payer
    on payer.tenant_id = bench.tenant_id() and payer.person_id = bench.person(g.member + g.n % 2)
  join wallet_ledger_accounts payee
    on payee.tenant_id = bench.tenant_id() and payee.person_id = bench.person(g.member + 1 - g.n % 2);
  insert into wallet_transfers (tenant_id, id, kind, currency, amount, from_account, to_account)
  select bench.tenant_id(), id, 'transfer', 'hours', 1, payer, payee from made;
  insert into wallet_entries (tenant_id, account_id, id, transfer_id, amount, balance_after)
  select bench.tenant_id(), payer, debit, id, -1, 0 from made
  union all
  select bench.tenant_id(), payee, credit, id, 1, 0 from made;
end;
$$;
