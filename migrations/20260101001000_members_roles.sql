-- Members, roles: a tenant's own roles. The built-in ones keep their slugs and ranks; what they
-- permit may be changed, except for owner, who permits everything.

create function public.members_role_save(
  tenant_id uuid, slug text, name text, rank smallint, permissions text[]
)
returns public.roles
language plpgsql
volatile
security definer -- nobody else writes roles
set search_path = ''
as $$
#variable_conflict use_column
declare
  v_actor uuid := private.require(members_role_save.tenant_id, 'members.roles');
  v_before public.roles;
  v_role public.roles;
begin
  select * into v_before from public.roles r
  where r.tenant_id = members_role_save.tenant_id and r.slug = members_role_save.slug
  for update;
  if v_before.slug = 'owner' then
    raise sqlstate 'PT409' using message = 'members.role_built_in', detail = 'owner';
  elsif v_before.built_in and v_before.rank is distinct from members_role_save.rank then
    raise sqlstate 'PT409' using message = 'members.role_built_in', detail = 'rank';
  end if;
  if v_before.slug is not null then
    perform private.members_guard_role(v_before.tenant_id, v_actor, v_before.slug);
    -- Whose own role it is could lift it, and the guard below would find it no higher than itself.
    if not exists (
      select from public.members m
      join public.roles own on own.tenant_id = m.tenant_id and own.slug = m.role
      where m.tenant_id = v_before.tenant_id and m.person_id = v_actor
        and (own.slug = 'owner' or own.rank > v_before.rank)
        and v_before.slug <> all (coalesce(own.parts, '{}'))
    ) then
      raise sqlstate 'PT403' using message = 'members.role_above_own', detail = v_before.slug;
    end if;
  end if;
  perform private.members_check_role(members_role_save.slug, name, rank, permissions, tenant_id);

  insert into public.roles (tenant_id, slug, name, rank)
  values (members_role_save.tenant_id, members_role_save.slug, btrim(members_role_save.name), members_role_save.rank)
  on conflict (tenant_id, slug) do update set name = excluded.name, rank = excluded.rank
  returning * into v_role;
  delete from public.role_permissions rp
  where rp.tenant_id = v_role.tenant_id and rp.role = v_role.slug
    and rp.permission <> all (members_role_save.permissions);
  insert into public.role_permissions (tenant_id, role, permission)
  select distinct v_role.tenant_id, v_role.slug, p.permission
  from unnest(members_role_save.permissions) p(permission)
  on conflict do nothing;

  -- The guard reads what was just written: a role above the actor's own, or with a permission they
  -- lack, takes the whole statement back.
  perform private.members_guard_role(v_role.tenant_id, v_actor, v_role.slug);
  perform private.audit(
    'ROLE_SAVED', 'roles:' || v_role.slug, to_jsonb(v_before),
    to_jsonb(v_role) || jsonb_build_object('permissions', members_role_save.permissions), v_role.tenant_id
  );
  return v_role;
end;
$$;
comment on function public.members_role_save(uuid, text, text, smallint, text[]) is
  'Makes a role of the tenant, or changes one below the actor''s own (permission members.roles); owners change all but their own. Raises members.role_built_in, members.role_above_own, members.permission_denied, members.permission_unknown, request.invalid.';
grant execute on function public.members_role_save(uuid, text, text, smallint, text[]) to authenticated;

create function private.members_check_role(
  slug text, name text, rank smallint, permissions text[], tenant_id uuid
)
returns void
language plpgsql
stable
security definer -- reads permissions whatever the caller may see
set search_path = ''
as $$
#variable_conflict use_column
declare
  v_fault text := case
    when members_check_role.slug is null or members_check_role.slug !~ '^[a-z][a-z0-9_]{1,30}$' then 'slug'
    when members_check_role.name is null or char_length(btrim(members_check_role.name)) not between 1 and 60
      then 'name'
    when members_check_role.rank is null or members_check_role.rank not between 1 and 99 then 'rank'
    when members_check_role.permissions is null then 'permissions'
  end;
  v_unknown text;
begin
  if v_fault is not null then
    raise sqlstate 'PT422' using message = 'request.invalid', detail = v_fault;
  end if;
  select given.permission into v_unknown
  from unnest(members_check_role.permissions) given(permission)
  where not exists (
    select from public.permissions p
    where p.name = given.permission
      and (not p.operators_only or members_check_role.tenant_id = private.platform())
  )
  limit 1;
  if found then
    raise sqlstate 'PT422' using
      message = 'members.permission_unknown', detail = coalesce(v_unknown, 'null');
  end if;
end;
$$;
comment on function private.members_check_role(text, text, smallint, text[], uuid) is
  'Raises request.invalid (detail: the field) or members.permission_unknown (detail: the name).';

create function public.members_role_delete(tenant_id uuid, slug text)
returns public.roles
language plpgsql
volatile
security definer -- nobody else writes roles
set search_path = ''
as $$
#variable_conflict use_column
declare
  v_actor uuid := private.require(members_role_delete.tenant_id, 'members.roles');
  v_role public.roles;
begin
  select * into v_role from public.roles r
  where r.tenant_id = members_role_delete.tenant_id and r.slug = members_role_delete.slug
  for update;
  perform private.members_guard_role(members_role_delete.tenant_id, v_actor, members_role_delete.slug);
  if v_role.built_in then
    raise sqlstate 'PT409' using message = 'members.role_built_in', detail = v_role.slug;
  elsif exists (
    select from public.members m
    join public.roles r on r.tenant_id = m.tenant_id and r.slug = m.role
    where m.tenant_id = v_role.tenant_id and (r.slug = v_role.slug or v_role.slug = any (r.parts))
  ) or exists (
    select from public.invitations i
    where i.tenant_id = v_role.tenant_id and i.status = 'open'
      and v_role.slug = any (string_to_array(i.role, '+') || i.role)
  ) then
    raise sqlstate 'PT409' using message = 'members.role_in_use', detail = v_role.slug;
  end if;

  delete from public.roles r
  where r.tenant_id = v_role.tenant_id and (r.slug = v_role.slug or v_role.slug = any (r.parts));
  perform private.audit('ROLE_DELETED', 'roles:' || v_role.slug, to_jsonb(v_role), null, v_role.tenant_id);
  return v_role;
end;
$$;
comment on function public.members_role_delete(uuid, text) is
  'Deletes one of the tenant''s own roles that nobody has or is invited to, and those made of it (permission members.roles). Raises members.role_not_found, members.role_built_in, members.role_in_use.';
grant execute on function public.members_role_delete(uuid, text) to authenticated;
