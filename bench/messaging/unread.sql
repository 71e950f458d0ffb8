\set me random(201, 300)
select messaging_unread(bench.tenant_id()) from (select set_config('request.jwt.claims', '{"sub":"' || bench.person(:me) || '","session_id":"' || bench.person(:me) || '"}', true)) caller;
