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

-- Rows as transfers leave them, without the transfers: a ledger of any size in bearable time. Two a
-- second, until a minute ago; pairs of neighbours pay each other by turns, so that balances stay what they
-- are; a hundred members do, so that the first page of each is full in the smallest ledger, too.
create function bench.id(second numeric, n bigint) returns uuid language sql immutable
return (
  lpad(to_hex((second * 1000)::bigint), 12, '0') || '7' || lpad(to_hex(n % 4096), 3, '0') || '8'
  || substr(md5(n::text), 1, 15)
)::uuid;

create table bench.traders as
select row_number() over (order by a.person_id) as n, a.id, a.person_id
from wallet_ledger_accounts a where a.person_id <= bench.person(100);

create function bench.grow(transfers bigint) returns void language plpgsql as $$
declare
  v_start numeric := extract(epoch from now()) - transfers / 2.0 - 60;
  v_index record;
  v_again text[] := '{}';
begin
  -- Indexes are made once the rows are there, at a part of the price.
  for v_index in
    select i.indexrelid::regclass as name, i.indrelid::regclass as on_table, c.conname,
      pg_get_indexdef(i.indexrelid) as definition, pg_get_constraintdef(c.oid) as constraint
    from pg_index i
    left join pg_constraint c on c.conindid = i.indexrelid and c.contype = 'p' and c.conrelid = i.indrelid
    where i.indrelid in ('wallet_entries'::regclass, 'wallet_keys'::regclass)
      and transfers > 100000
    order by c.conname nulls last
  loop
    if v_index.conname is null then
      execute format('drop index %s', v_index.name);
      v_again := v_again || v_index.definition;
    else
      execute format('alter table %s drop constraint %I', v_index.on_table, v_index.conname);
      v_again := format('alter table %s add constraint %I %s', v_index.on_table, v_index.conname, v_index.constraint) || v_again;
    end if;
  end loop;
  with made as (
    insert into wallet_transfers (tenant_id, id, kind, currency, amount, from_account, to_account, actor)
    select bench.tenant_id(), bench.id(v_start + g / 2.0, g), 'transfer', 'hours', 1, payer.id, payee.id,
      payer.person_id
    from generate_series(1, transfers) g
    join bench.traders payer on payer.n = 1 + g * 7919 % 50 * 2 + g % 2
    join bench.traders payee on payee.n = 1 + g * 7919 % 50 * 2 + 1 - g % 2
    returning tenant_id, id, from_account, to_account, actor
  ),
  entries as (
    insert into wallet_entries (tenant_id, account_id, id, transfer_id, amount, balance_after)
    select m.tenant_id, leg.account, m.id, m.id, leg.amount, 0
    from made m, lateral (values (m.from_account, -1), (m.to_account, 1)) leg(account, amount)
  )
  insert into wallet_keys (tenant_id, person_id, operation, key, digest, result_id)
  select m.tenant_id, m.actor, 'wallet_transfer', md5(m.id::text), decode(md5(m.id::text), 'hex'), m.id
  from made m;
  foreach v_index.definition in array v_again loop
    execute v_index.definition;
  end loop;
end;
$$;
