-- A thousand communities of a hundred members each, all signed in; each has the rights of one that was
-- made as tenants are. What triggers would write besides is not asked here, and takes minutes.
create schema bench;
grant usage on schema bench to public;

create function bench.id(n bigint) returns uuid language sql immutable
return ('00000000-0000-4000-8000-' || lpad(n::text, 12, '0'))::uuid;

create table bench.model as
select * from tenants_create('bench-model', 'Bench', array['wallet', 'messaging']);

set session_replication_role = replica;

insert into tenants (id, path, slug, name, modules)
select bench.id(n), array[bench.id(n)], 'bench-' || n, 'Bench ' || n, model.modules
from bench.model, generate_series(1, 1000) n;
insert into roles (tenant_id, slug, name, rank, built_in)
select bench.id(n), r.slug, r.name, r.rank, r.built_in
from bench.model join roles r on r.tenant_id = model.id, generate_series(1, 1000) n;
insert into role_permissions (tenant_id, role, permission)
select bench.id(n), rp.role, rp.permission
from bench.model join role_permissions rp on rp.tenant_id = model.id, generate_series(1, 1000) n;

insert into private.role_rights (tenant_id, role, permissions)
select bench.id(n), r.role, r.permissions
from bench.model join private.role_rights r on r.tenant_id = model.id, generate_series(1, 1000) n;

insert into auth.users (id, email)
select bench.id(n), 'member' || n || '@bench.test' from generate_series(1, 100000) n;
insert into people (id, display_name)
select bench.id(n), 'Member ' || n from generate_series(1, 100000) n;
insert into auth.sessions (id, user_id, created_at)
select bench.id(n), bench.id(n), now() from generate_series(1, 100000) n;
insert into auth.refresh_tokens (session_id, user_id, token, revoked)
select bench.id(n), bench.id(n), 'bench-' || n, false from generate_series(1, 100000) n;
insert into members (tenant_id, person_id, role, status, display_name)
select bench.id((n - 1) / 100 + 1), bench.id(n), 'member', 'active', 'Member ' || n
from generate_series(1, 100000) n;

reset session_replication_role;
