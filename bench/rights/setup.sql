-- A thousand communities of a hundred members each, all signed in.
create schema bench;
grant usage on schema bench to public;

create function bench.id(n bigint) returns uuid language sql immutable
return ('00000000-0000-4000-8000-' || lpad(n::text, 12, '0'))::uuid;

insert into auth.users (id, email)
select bench.id(n), 'member' || n || '@bench.test' from generate_series(1, 100000) n;
insert into auth.sessions (id, user_id)
select bench.id(n), bench.id(n) from generate_series(1, 100000) n;

create table bench.tenants as
select n, (tenants_create('bench-' || n, 'Bench ' || n)).id from generate_series(1, 1000) n;
insert into members (tenant_id, person_id, role, status, display_name)
select t.id, bench.id((t.n - 1) * 100 + m), 'member', 'active', 'Member ' || m
from bench.tenants t, generate_series(1, 100) m;
