\set me random(1, 100)
\set c (:me - 1) * 50 + 1
select count(*) from (select set_config('request.jwt.claims', '{"sub":"' || bench.person(:me) || '","session_id":"' || bench.person(:me) || '"}', true)) caller, messaging_page(bench.tenant_id(), bench.conversation(:c), page_size => 2);
