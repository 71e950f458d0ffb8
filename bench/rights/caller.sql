\set person random(1, 100000)
select bench.id(:person) from (select set_config('request.jwt.claims', '{"sub":"' || bench.id(:person) || '","session_id":"' || bench.id(:person) || '"}', true)) caller;
