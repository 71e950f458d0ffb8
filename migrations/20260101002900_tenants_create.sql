-- Tenants, making one: the tenant with its roles, currencies, system accounts and owner, together or
-- not at all. Stands behind the capabilities whose parts it makes.

create function public.tenants_create(
  slug text,
  name text,
  modules text[] default '{}',
  owner uuid default null,
  currencies jsonb default '[]',
  time_zone text default 'UTC',
  locale text default 'en',
  registration_policy text default 'approval',
  app_url text default null,
  settings jsonb default '{}',
  parent uuid default null
)
returns public.tenants
language plpgsql
volatile
security definer -- nobody else inserts tenants
set search_path = ''
as $$
#variable_conflict use_column
declare
  v_owner uuid := tenants_create.owner;
  v_tenant public.tenants;
  v_constraint text;
begin
  if tenants_create.parent is not null and not private.is_system() then
    v_owner := private.tenants_require_parent(tenants_create.parent, v_owner);
  elsif not private.is_system() then
    v_owner := coalesce(v_owner, private.require(private.platform(), 'tenants.create'));
    perform private.require(private.platform(), 'tenants.create');
  end if;

  begin
    insert into public.tenants (
      parent_id, slug, name, modules, time_zone, locale, registration_policy, app_url, settings
    )
    values (
      tenants_create.parent, tenants_create.slug, btrim(tenants_create.name), tenants_create.modules,
      tenants_create.time_zone, tenants_create.locale, tenants_create.registration_policy, tenants_create.app_url,
      tenants_create.settings
    )
    returning * into v_tenant;
    perform private.wallet_add_currencies(v_tenant.id, tenants_create.currencies);
  exception
    when unique_violation then
      get stacked diagnostics v_constraint = constraint_name;
      if v_constraint = 'tenants_slug_key' then
        raise sqlstate 'PT409' using message = 'tenants.slug_taken', detail = tenants_create.slug;
      end if;
      raise sqlstate 'PT422' using message = 'request.invalid', detail = 'currencies: a code twice';
    when check_violation or not_null_violation or data_exception then
      raise sqlstate 'PT422' using message = 'request.invalid', detail = sqlerrm;
  end;
  if v_owner is not null then
    perform private.members_admit(v_tenant.id, v_owner, 'owner', 'active', admitted_by => 'operator');
  end if;
  perform private.audit(
    'TENANT_CREATED', 'tenants:' || v_tenant.id, null, to_jsonb(v_tenant), v_tenant.id
  );
  return v_tenant;
end;
$$;
comment on function public.tenants_create(text, text, text[], uuid, jsonb, text, text, text, text, jsonb, uuid) is
  'Makes a tenant, for the secret key and operators (permission tenants.create in platform); and below another, for who may there (permission tenants.branches). currencies: [{ code, kind, name?, decimals?, starting_grant?, and limits as in wallet_limit_currency }]. owner: a person, below another tenant one of its members; the caller where nobody is named. Raises tenants.slug_taken, tenants.not_found, tenants.too_many_branches, tenants.module_unknown, people.not_found, request.invalid.';
grant execute on function public.tenants_create(text, text, text[], uuid, jsonb, text, text, text, text, jsonb, uuid)
  to authenticated, service_role;
