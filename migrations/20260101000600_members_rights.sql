-- Members, rights: the questions that policies and RPCs ask. tenants_with for policies (once a
-- statement), require for RPCs (raises), can where a yes or no is wanted.

create function private.tenants_with(permission text)
returns setof uuid
language plpgsql
stable
security definer -- policies on members ask it, so it must read members past them
rows 4
set search_path = ''
as $$
#variable_conflict use_column
declare
  v_trust private.trust := private.trust();
begin
  if v_trust.fault is not null or tenants_with.permission <> all (v_trust.permissions) then
    return;
  end if;
  return query
    select m.tenant_id
    from public.members m
    join private.role_rights r on r.tenant_id = m.tenant_id and r.role = m.role
    where m.person_id = v_trust.person_id and m.status = 'active'
      and tenants_with.permission = any (r.permissions)
      and (v_trust.only_tenant is null or m.tenant_id = v_trust.only_tenant)
      and (r.two_factor_from is null or r.two_factor_from > now() or v_trust.verified);
end;
$$;
comment on function private.tenants_with(text) is
  'Tenants in which the caller has the permission now: trusted session and within its bounds, active member, the factor that the role asks for, module on. In policies: tenant_id = any (array(select private.tenants_with(''…''))).';
grant execute on function private.tenants_with(text) to authenticated, service_role;

create function private.can(tenant_id uuid, permission text)
returns boolean
language sql
stable
security definer -- asks tenants_with
set search_path = ''
as $$
  select can.tenant_id in (select private.tenants_with(can.permission));
$$;
comment on function private.can(uuid, text) is 'Whether the caller has the permission in the tenant.';
grant execute on function private.can(uuid, text) to authenticated, service_role;

create function private.may(tenant_id uuid, person uuid, permission text)
returns boolean
language plpgsql
stable
security definer -- reads members past their policies
set search_path = ''
as $$
#variable_conflict use_column
begin
  return exists (
    select from public.members m
    join private.role_rights r on r.tenant_id = m.tenant_id and r.role = m.role
    where m.tenant_id = may.tenant_id and m.person_id = may.person and m.status = 'active'
      and may.permission = any (r.permissions)
  );
end;
$$;
comment on function private.may(uuid, uuid, text) is
  'Whether a person, who need not be the caller, has the permission in the tenant: an active member whose role has it, module on. What their session is worth is asked where they call.';

create function private.require_member(tenant_id uuid, whoever boolean default false)
returns uuid
language plpgsql
stable
security definer -- reads members past their policies
set search_path = ''
as $$
#variable_conflict use_column
declare
  v_trust private.trust := private.require_session();
  v_status text;
  v_factor_from timestamptz;
begin
  -- What needs no permission is not among those that a session was given.
  if v_trust.permissions is not null and not require_member.whoever then
    perform private.refuse_session('auth.session_bounded');
  end if;
  select m.status, r.two_factor_from into v_status, v_factor_from
  from public.members m
  join public.roles r on r.tenant_id = m.tenant_id and r.slug = m.role
  where m.tenant_id = require_member.tenant_id and m.person_id = v_trust.person_id;

  if v_status is null or v_trust.only_tenant <> require_member.tenant_id then
    raise sqlstate 'PT404' using message = 'tenants.not_found';
  elsif v_status <> 'active' then
    raise sqlstate 'PT403' using message = 'members.not_active', detail = v_status;
  elsif v_factor_from <= now() and not v_trust.verified then
    raise sqlstate 'PT403' using message = 'two_factor.required';
  end if;
  return v_trust.person_id;
end;
$$;
comment on function private.require_member(uuid, boolean) is
  'The caller, an active member of the tenant, for what every member may. Raises auth.*, tenants.not_found (unknown or not mine), members.not_active, two_factor.required; and auth.session_bounded for a session of single permissions, unless it is only asked who they are (whoever).';

create function private.require(tenant_id uuid, permission text)
returns uuid
language plpgsql
stable
security definer -- reads members and roles past their policies
set search_path = ''
as $$
#variable_conflict use_column
declare
  v_trust private.trust := private.trust();
  v_status text;
  v_module_on boolean;
  v_permitted boolean;
  v_factor_from timestamptz;
begin
  if v_trust.fault is not null then
    perform private.refuse_session(v_trust.fault);
  end if;
  -- What nearly always settles it, as RPCs on the hot path come through here.
  if (
    select m.status = 'active' and require.permission = any (r.permissions)
      and (r.two_factor_from is null or r.two_factor_from > now() or v_trust.verified)
      and coalesce(v_trust.only_tenant = m.tenant_id, true)
      and coalesce(require.permission = any (v_trust.permissions), true)
    from public.members m
    join private.role_rights r on r.tenant_id = m.tenant_id and r.role = m.role
    where m.tenant_id = require.tenant_id and m.person_id = v_trust.person_id
  ) then
    return v_trust.person_id;
  end if;

  -- Else why not.
  select m.status, r.two_factor_from, not module.switchable or module.slug = any (t.modules),
    rp.role is not null and coalesce(p.name = any (v_trust.permissions), true)
  into v_status, v_factor_from, v_module_on, v_permitted
  from public.members m
  join public.roles r on r.tenant_id = m.tenant_id and r.slug = m.role
  join public.tenants t on t.id = m.tenant_id
  join public.permissions p on p.name = require.permission
  join public.modules module on module.slug = p.module
  left join public.role_permissions rp
    on rp.tenant_id = m.tenant_id and rp.role = m.role and rp.permission = p.name
  where m.tenant_id = require.tenant_id and m.person_id = v_trust.person_id;
  if v_status is null or v_trust.only_tenant <> require.tenant_id then
    raise sqlstate 'PT404' using message = 'tenants.not_found';
  elsif v_status <> 'active' then
    raise sqlstate 'PT403' using message = 'members.not_active', detail = v_status;
  elsif v_factor_from <= now() and not v_trust.verified then
    raise sqlstate 'PT403' using message = 'two_factor.required';
  elsif not v_module_on then
    raise sqlstate 'PT404' using
      message = 'tenants.module_off', detail = split_part(require.permission, '.', 1);
  elsif not v_permitted then
    raise sqlstate 'PT403' using
      message = 'members.permission_denied', detail = require.permission;
  end if;
  raise exception 'no reason to refuse % to %', require.permission, v_trust.person_id;
end;
$$;
comment on function private.require(uuid, text) is
  'The caller, if they and their session have the permission in the tenant. Raises auth.*, tenants.not_found, members.not_active, two_factor.required, tenants.module_off, members.permission_denied (detail names it).';

create function private.require_for(tenant_id uuid, permission text, person uuid)
returns uuid
language plpgsql
stable
security definer -- asks require
set search_path = ''
as $$
#variable_conflict use_column
declare
  v_actor uuid := private.require(require_for.tenant_id, require_for.permission);
begin
  if v_actor = require_for.person and exists (
    select from public.permissions p where p.name = require_for.permission and not p.own_cases
  ) then
    raise sqlstate 'PT403' using message = 'members.not_yourself', detail = require_for.permission;
  end if;
  return v_actor;
end;
$$;
comment on function private.require_for(uuid, text, uuid) is
  'As private.require, for an act about the person: where the permission is not for own cases, nobody decides about themselves. Raises members.not_yourself, and what require raises.';

create function private.factor_missing(tenant_id uuid, person uuid)
returns boolean
language sql
stable
security definer -- reads members past their policies
set search_path = ''
as $$
  select exists (
    select from public.members m
    join public.roles r on r.tenant_id = m.tenant_id and r.slug = m.role
    where m.tenant_id = factor_missing.tenant_id and m.person_id = factor_missing.person
      and r.two_factor_from <= now()
  ) and not exists (
    select from private.trust_factors f where f.person_id = factor_missing.person
  );
$$;
comment on function private.factor_missing(uuid, uuid) is
  'Whether the person''s role in the tenant asks for a second factor and they have none, so that no session of theirs opens it.';

-- The core's permissions
select private.declare_permission(
  'tenants.read', 'See the tenant itself', array['admin', 'staff', 'member', 'guest']
);
select private.declare_permission('tenants.update', 'Change name, look, settings and modules', array['admin']);
select private.declare_permission('tenants.create', 'Make a tenant', array['admin'], operators_only => true);
select private.declare_permission(
  'members.read', 'See the other active members', array['admin', 'staff', 'member']
);
select private.declare_permission(
  'members.manage', 'Admit, suspend, ban and change roles', array['admin'], own_cases => false
);
select private.declare_permission('members.roles', 'Make and change the tenant''s own roles', array['admin']);

-- Names that the systems we serve gave their permissions, each under the module it belongs to. Who may
-- pay back is the owner's to say: give it by a role of its own.
select private.declare_permission(
  'inventory.manage', 'Change products, stock and suppliers', array['admin'], module => 'shop'
);
select private.declare_permission(
  'stations.manage', 'Set up stations and end other people''s sessions', array['admin']
);
select private.declare_permission(
  'financials.view', 'See takings, costs and daily reports', array['admin'], module => 'wallet'
);
select private.declare_permission(
  'refunds.issue', 'Pay back what was paid', '{}', module => 'wallet', own_cases => false
);

-- Row level security
create policy tenants_select_member on public.tenants
  for select to authenticated
  using (id = any (array(select private.tenants_with('tenants.read'))));
create policy tenants_update_admin on public.tenants
  for update to authenticated
  using (id = any (array(select private.tenants_with('tenants.update'))))
  with check (id = any (array(select private.tenants_with('tenants.update'))));

create policy people_select_self on public.people
  for select to authenticated
  using (id = (select private.whole_person()));

alter table public.permissions enable row level security;
create policy permissions_select_everybody on public.permissions
  for select to authenticated
  using (true);

alter table public.roles enable row level security;
create policy roles_select_member on public.roles
  for select to authenticated
  using (tenant_id = any (array(select private.tenants_with('tenants.read'))));

alter table public.role_permissions enable row level security;
create policy role_permissions_select_member on public.role_permissions
  for select to authenticated
  using (tenant_id = any (array(select private.tenants_with('tenants.read'))));

alter table public.members enable row level security;
create policy members_select_member on public.members
  for select to authenticated
  using (
    tenant_id = any (array(select private.tenants_with('tenants.read')))
    and (
      person_id = (select private.person())
      or tenant_id = any (array(select private.tenants_with('members.manage')))
      or (status = 'active' and tenant_id = any (array(select private.tenants_with('members.read'))))
    )
  );

-- Grants
grant select on
  public.tenants, public.people, public.permissions, public.roles, public.role_permissions, public.members
to authenticated, service_role;
grant update (name, logo_url, time_zone, locale, modules, settings, registration_policy, app_url)
  on public.tenants to authenticated, service_role;
