\set me random(1, 100)
\set c (:me - 1) * 50 + random(1, 50)
select messaging_send(bench.tenant_id(), bench.conversation(:c), gen_random_uuid()::text, 'Words of a message') from (select set_config('request.jwt.claims', '{"sub":"' || bench.person(:me) || '","session_id":"' || bench.person(:me) || '"}', true)) caller;
