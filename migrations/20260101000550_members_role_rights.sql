-- Members, what roles open: every call asks whether a role permits something here and now, which is
-- six tables' say (the role, its permissions, their modules, the tenant's). They change seldom, so the
-- answer is worked out when they do.

create table private.role_rights (
  tenant_id uuid not null,
  role text not null,
  permissions text[] not null,
  two_factor_from timestamptz,
  primary key (tenant_id, role),
  foreign key (tenant_id, role) references public.roles (tenant_id, slug) on delete cascade
);
comment on table private.role_rights is
  'The permissions that a role gives now: those whose module is part of every tenant, or switched on in this one.';

create function private.set_role_rights(tenant_id uuid, roles text[] default null)
returns void
language plpgsql
volatile
security definer -- nobody else writes private.role_rights
set search_path = ''
as $$
#variable_conflict use_column
begin
  -- One at a time a tenant, and read after the lock: of two who change role and modules at the same
  -- moment, the second works out what both leave.
  perform from public.tenants t where t.id = set_role_rights.tenant_id for no key update;
  insert into private.role_rights as known (tenant_id, role, permissions, two_factor_from)
  select r.tenant_id, r.slug,
    array(
      select rp.permission
      from public.role_permissions rp
      join public.permissions p on p.name = rp.permission
      join public.modules module on module.slug = p.module
      where rp.tenant_id = r.tenant_id and rp.role = r.slug
        and (not module.switchable or module.slug = any (t.modules))
      order by rp.permission
    ),
    r.two_factor_from
  from public.roles r
  join public.tenants t on t.id = r.tenant_id
  where r.tenant_id = set_role_rights.tenant_id
    and (set_role_rights.roles is null or r.slug = any (set_role_rights.roles))
  on conflict (tenant_id, role) do update
    set permissions = excluded.permissions, two_factor_from = excluded.two_factor_from
    where (known.permissions, known.two_factor_from)
      is distinct from (excluded.permissions, excluded.two_factor_from);
end;
$$;
comment on function private.set_role_rights(uuid, text[]) is
  'Works out what these roles of a tenant open, or all of them.';

create function private.role_rights_on_role()
returns trigger
language plpgsql
volatile
security definer -- nobody else writes private.role_rights
set search_path = ''
as $$
begin
  perform private.set_role_rights(new.tenant_id, array[new.slug]);
  return null;
end;
$$;
comment on function private.role_rights_on_role() is 'After a role is made, or asks for another factor: what it opens.';

create trigger roles_rights after insert or update of two_factor_from on public.roles
  for each row execute function private.role_rights_on_role();

create function private.role_rights_on_permissions()
returns trigger
language plpgsql
volatile
security definer -- nobody else writes private.role_rights
set search_path = ''
as $$
-- @plpgsql_check_options: newtable = changed
declare
  v_tenant record;
begin
  for v_tenant in
    select c.tenant_id as id, array_agg(distinct c.role) as roles
    from changed c
    group by c.tenant_id
    order by c.tenant_id
  loop
    perform private.set_role_rights(v_tenant.id, v_tenant.roles);
  end loop;
  return null;
end;
$$;
comment on function private.role_rights_on_permissions() is
  'After roles were given permissions, or lost some: what they open.';

create trigger role_permissions_given after insert on public.role_permissions
  referencing new table as changed
  for each statement execute function private.role_rights_on_permissions();
create trigger role_permissions_taken after delete on public.role_permissions
  referencing old table as changed
  for each statement execute function private.role_rights_on_permissions();

create function private.role_rights_on_modules()
returns trigger
language plpgsql
volatile
security definer -- nobody else writes private.role_rights
set search_path = ''
as $$
begin
  perform private.set_role_rights(new.id);
  return null;
end;
$$;
comment on function private.role_rights_on_modules() is 'After a tenant switched modules on or off: what its roles open.';

create trigger tenants_rights after update of modules on public.tenants
  for each row when (old.modules is distinct from new.modules)
  execute function private.role_rights_on_modules();

create function private.role_rights_on_declarations()
returns trigger
language plpgsql
volatile
security definer -- nobody else writes private.role_rights
set search_path = ''
as $$
begin
  perform private.set_role_rights(t.id) from public.tenants t order by t.id;
  return null;
end;
$$;
comment on function private.role_rights_on_declarations() is
  'After a migration changed what belongs to which module: what all roles open.';

create trigger modules_rights after update on public.modules
  for each statement execute function private.role_rights_on_declarations();
create trigger permissions_rights after update on public.permissions
  for each statement execute function private.role_rights_on_declarations();

select private.set_role_rights(private.platform());
