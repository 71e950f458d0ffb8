\set from :client_id * 30 + random(1, 15)
\set to :client_id * 30 + random(16, 30)
select wallet_transfer(bench.tenant_id(), bench.person(:to), 1, 'hours', gen_random_uuid()::text) from (select set_config('request.jwt.claims', '{"sub":"' || bench.person(:from) || '","session_id":"' || bench.person(:from) || '"}', true)) caller;
