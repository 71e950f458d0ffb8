\set from random(1, 1000)
select wallet_transfer(bench.tenant_id(), null, 1, 'hours', gen_random_uuid()::text, to_account => bench.till()) from (select set_config('request.jwt.claims', '{"sub":"' || bench.person(:from) || '","session_id":"' || bench.person(:from) || '"}', true)) caller;
