\set me random(201, 300)
select count(*) from (select set_config('request.jwt.claims', '{"sub":"' || bench.person(:me) || '","session_id":"' || bench.person(:me) || '"}', true)) caller,
  messaging_catch_up(bench.tenant_id(), greatest(0, bench.position_of(:me) - 10));
