\set person random(1, 100)
select * from wallet_statement(bench.tenant_id(), 'hours') where (select set_config('request.jwt.claims', '{"sub":"' || bench.person(:person) || '","session_id":"' || bench.person(:person) || '"}', true)) is not null;
