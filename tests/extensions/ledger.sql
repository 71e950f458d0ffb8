-- What the ledger and the extensions promise, asked by pgTAP as `postgres`.
begin;
select plan(9);

select ok(not rolsuper, 'postgres is no superuser') from pg_roles where rolname = 'postgres';
select has_extension('pg_cron');
select has_extension('extensions', 'vector', 'vector is where hosted has it');
select is(
  (select word from (values ('near', '[1,1]'::vector), ('far', '[9,9]')) v (word, at) order by at <-> '[0,0]' limit 1),
  'near', 'vectors are ordered by distance'
);

select throws_ok(
  format('truncate %s cascade', name), 'PT409', null, format('%s cannot be emptied by its owner', name)
)
from unnest(array['public.wallet_transfers', 'public.wallet_entries', 'public.wallet_keys']) name;

select col_is_pk('public', 'wallet_entries', array['tenant_id', 'account_id', 'id'], 'entries are keyed by tenant');
select policies_are(
  'public', 'wallet_entries',
  array(select policyname from pg_policies where tablename = 'wallet_entries' and cmd = 'SELECT'),
  'clients only read entries'
);

select * from finish();
rollback;
