-- Members, composed roles: a member has one role, and a role may be made of several. cashier+staff is a
-- row like any other, with what its parts permit together, so the questions about rights know nothing
-- of it and cost what they cost. It follows its parts.

create function private.members_compose_permissions(tenant_id uuid, parts text[])
returns void
language plpgsql
volatile
security definer -- nobody else writes roles
set search_path = ''
as $$
#variable_conflict use_column
begin
  with composed as (
    select r.slug, r.parts from public.roles r
    where r.tenant_id = members_compose_permissions.tenant_id
      and r.parts && members_compose_permissions.parts
  ), gone as (
    delete from public.role_permissions rp
    using composed c
    where rp.tenant_id = members_compose_permissions.tenant_id and rp.role = c.slug
      and not exists (
        select from public.role_permissions part
        where part.tenant_id = rp.tenant_id and part.role = any (c.parts)
          and part.permission = rp.permission
      )
  )
  insert into public.role_permissions (tenant_id, role, permission)
  select distinct part.tenant_id, c.slug, part.permission
  from composed c
  join public.role_permissions part
    on part.tenant_id = members_compose_permissions.tenant_id and part.role = any (c.parts)
  on conflict do nothing;
end;
$$;
comment on function private.members_compose_permissions(uuid, text[]) is
  'Gives every role that is made of one of these parts what its parts permit, and no more.';

create function private.members_parts_changed()
returns trigger
language plpgsql
volatile
security definer -- nobody else writes roles
set search_path = ''
as $$
#variable_conflict use_column
-- @plpgsql_check_options: newtable = changed
declare
  v_tenant uuid;
  v_parts text[];
begin
  for v_tenant, v_parts in
    select c.tenant_id, array_agg(distinct c.role)
    from changed c
    where exists (select from public.roles r where r.tenant_id = c.tenant_id and c.role = any (r.parts))
    group by c.tenant_id
  loop
    perform private.members_compose_permissions(v_tenant, v_parts);
  end loop;
  return null;
end;
$$;
comment on function private.members_parts_changed() is
  'After a change of what roles permit: the roles made of them follow.';

create trigger members_parts_gained after insert on public.role_permissions
  referencing new table as changed
  for each statement execute function private.members_parts_changed();
create trigger members_parts_lost after delete on public.role_permissions
  referencing old table as changed
  for each statement execute function private.members_parts_changed();

create function private.members_compose_role(tenant_id uuid, parts text[])
returns void
language plpgsql
volatile
security definer -- nobody else writes roles
set search_path = ''
as $$
#variable_conflict use_column
begin
  insert into public.roles (tenant_id, slug, name, rank, parts, two_factor_from, everywhere)
  select r.tenant_id, array_to_string(members_compose_role.parts, '+'),
    string_agg(r.name, ', ' order by r.rank desc, r.slug), max(r.rank), members_compose_role.parts,
    min(r.two_factor_from), bool_and(r.everywhere)
  from public.roles r
  where r.tenant_id = members_compose_role.tenant_id and r.slug = any (members_compose_role.parts)
  group by r.tenant_id
  on conflict (tenant_id, slug) do update
    set name = excluded.name, rank = excluded.rank, two_factor_from = excluded.two_factor_from,
      everywhere = excluded.everywhere
    where (roles.name, roles.rank, roles.two_factor_from, roles.everywhere)
      is distinct from (excluded.name, excluded.rank, excluded.two_factor_from, excluded.everywhere);
end;
$$;
comment on function private.members_compose_role(uuid, text[]) is
  'Makes the role of these parts, or brings its row up to date: it ranks as its highest part, asks for a second factor as soon as one of them does, and acts everywhere where all do.';

create function private.members_part_changed()
returns trigger
language plpgsql
volatile
security definer -- nobody else writes roles
set search_path = ''
as $$
#variable_conflict use_column
begin
  perform private.members_compose_role(r.tenant_id, r.parts)
  from public.roles r
  where r.tenant_id = new.tenant_id and new.slug = any (r.parts);
  return null;
end;
$$;
comment on function private.members_part_changed() is
  'After a role changed its name, rank, rule or reach: the roles made of it follow.';

create trigger members_part_changed after update of name, rank, two_factor_from, everywhere on public.roles
  for each row when (
    new.parts is null
    and (old.name, old.rank, old.two_factor_from, old.everywhere)
      is distinct from (new.name, new.rank, new.two_factor_from, new.everywhere)
  )
  execute function private.members_part_changed();

create function private.members_role_of(tenant_id uuid, role text)
returns text
language plpgsql
volatile
security definer -- reads and makes roles whatever the caller may
set search_path = ''
as $$
#variable_conflict use_column
declare
  v_wanted text[] := string_to_array(members_role_of.role, '+');
  v_parts text[];
begin
  if cardinality(v_wanted) < 2 or members_role_of.role is null then
    return members_role_of.role;
  end if;
  -- Locked as long as they are given: a part that is deleted meanwhile waits, and is found in use.
  perform from public.roles r
  where r.tenant_id = members_role_of.tenant_id and r.slug = any (v_wanted)
  order by r.slug
  for key share;
  select array_agg(r.slug order by r.slug) into v_parts
  from public.roles r
  where r.tenant_id = members_role_of.tenant_id and r.slug = any (v_wanted) and r.parts is null
    -- Owner permits everything already, and who is one is asked by this very name.
    and r.slug <> 'owner';
  if cardinality(v_parts) is distinct from cardinality(v_wanted) or cardinality(v_parts) > 5 then
    raise sqlstate 'PT404' using message = 'members.role_not_found', detail = members_role_of.role;
  end if;

  perform private.members_compose_role(members_role_of.tenant_id, v_parts);
  perform private.members_compose_permissions(members_role_of.tenant_id, v_parts);
  return array_to_string(v_parts, '+');
end;
$$;
comment on function private.members_role_of(uuid, text) is
  'The slug of a role as it is stored. Of several with + between, in any order, up to five, it makes the one role that they are together. Raises members.role_not_found.';
