\set person random(1, 1000)
select a.balance from wallet_ledger_accounts a where a.tenant_id = bench.tenant_id() and a.person_id = bench.person(:person) and a.organisation_id is null and a.currency = 'hours';
