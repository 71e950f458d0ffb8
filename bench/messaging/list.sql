\set me 1001
select count(*) from (select set_config('request.jwt.claims', '{"sub":"' || bench.person(:me) || '","session_id":"' || bench.person(:me) || '"}', true)) caller, messaging_list(bench.tenant_id());
