-- Members, ownerless: a person may be erased whatever they own. Then operators are told, who may put an
-- owner in (members_add), and those who run the tenant above, who may take over.

create function private.tenants_ownerless()
returns setof public.tenants
language sql
stable
security definer -- reads tenants and members past their policies
set search_path = ''
as $$
  -- A tenant that never had an owner (made by the secret key, say) is nobody's loss.
  select t.* from public.tenants t
  where t.id <> private.platform()
    and exists (select from public.members m where m.tenant_id = t.id and m.role = 'owner')
    and not exists (
      select from public.members m
      where m.tenant_id = t.id and m.role = 'owner' and m.status = 'active'
    );
$$;
comment on function private.tenants_ownerless() is 'Tenants that had an owner and have none.';

create function private.members_owner_gone()
returns trigger
language plpgsql
volatile
security definer -- tells operators, whoever caused it
set search_path = ''
as $$
declare
  v_tenant public.tenants;
  v_payload jsonb;
begin
  if exists (
    select from public.members m
    where m.tenant_id = old.tenant_id and m.role = 'owner' and m.status = 'active'
  ) then
    return null;
  end if;
  select * into v_tenant from public.tenants t where t.id = old.tenant_id;
  v_payload := jsonb_build_object('tenant', v_tenant.name, 'slug', v_tenant.slug);
  perform private.audit('TENANT_OWNERLESS', 'tenants:' || v_tenant.id, null, null, v_tenant.id);
  perform private.notify_all(
    private.members_with(private.platform(), 'tenants.create'), 'tenants.ownerless',
    v_payload, private.platform()
  );
  -- Whoever runs the one above may take it over.
  perform private.notify_all(
    private.members_with(v_tenant.parent_id, 'tenants.branches'), 'tenants.ownerless', v_payload,
    v_tenant.parent_id
  );
  return null;
end;
$$;
comment on function private.members_owner_gone() is
  'After an owner went or was demoted: where that was the last one, operators are told.';

create trigger members_owner_gone after update of role, status on public.members
  for each row when (
    old.role = 'owner' and old.status = 'active' and (new.role <> 'owner' or new.status <> 'active')
  )
  execute function private.members_owner_gone();

select private.declare_metric(
  'tenants_ownerless', 'gauge', 'Tenants that lost their last owner.',
  $$select count(*) as value from private.tenants_ownerless()$$
);
