-- Tenants, branches: a tenant below another. It has members, roles and rows of its own, and whoever runs
-- the one above sees that it is there. Membership alone opens it: nothing is inherited.

select private.declare_permission('tenants.branches', 'Make tenants below this one, and run those that lost their owner', '{}');

insert into private.audit_actions (name, description)
values ('TENANT_TAKEN_OVER', 'Somebody from above became owner of a tenant that had none');

create function private.tenants_below(tenant_id uuid)
returns setof uuid
language sql
stable
security definer -- reads tenants past their policies
set search_path = ''
rows 10
as $$
  select t.id from public.tenants t
  where t.parent_id is not null and tenants_below.tenant_id = any (t.path[:cardinality(t.path) - 1]);
$$;
comment on function private.tenants_below(uuid) is
  'The tenants below this one, at any depth; below null there is none.';

create function private.tenants_require_parent(parent uuid, owner uuid)
returns uuid
language plpgsql
stable
security definer -- reads members past their policies
set search_path = ''
as $$
#variable_conflict use_column
declare
  v_person uuid := private.require(tenants_require_parent.parent, 'tenants.branches');
  v_owner uuid := coalesce(tenants_require_parent.owner, v_person);
begin
  if tenants_require_parent.parent = private.platform() then
    raise sqlstate 'PT422' using message = 'request.invalid', detail = 'parent';
  elsif not exists (
    select from public.members m
    where m.tenant_id = tenants_require_parent.parent and m.person_id = v_owner and m.status = 'active'
  ) then
    -- Nobody is made the owner of something who has nothing to do with it.
    raise sqlstate 'PT404' using message = 'people.not_found';
  elsif (
    select count(*) from public.tenants t where t.parent_id = tenants_require_parent.parent
  ) >= 200 then
    raise sqlstate 'PT409' using message = 'tenants.too_many_branches';
  end if;
  return v_owner;
end;
$$;
comment on function private.tenants_require_parent(uuid, uuid) is
  'Who is to own a new tenant below this one, if the caller may make it. Raises what require raises, people.not_found, tenants.too_many_branches, request.invalid.';

create type public.tenant_branch as (
  id uuid,
  parent_id uuid,
  slug text,
  name text,
  owned boolean,
  members bigint
);
comment on type public.tenant_branch is 'A tenant as the one above sees it: that it is there, whether it has an owner, how many belong to it.';

create function public.tenants_branches(tenant_id uuid)
returns setof public.tenant_branch
language plpgsql
stable
security definer -- members of the one above are none below
set search_path = ''
as $$
#variable_conflict use_column
begin
  perform private.require(tenants_branches.tenant_id, 'tenants.branches');
  return query
    select t.id, t.parent_id, t.slug, t.name,
      exists (
        select from public.members m
        where m.tenant_id = t.id and m.role = 'owner' and m.status = 'active'
      ),
      (select count(*) from public.members m where m.tenant_id = t.id and m.status = 'active')
    from public.tenants t
    where t.id in (select private.tenants_below(tenants_branches.tenant_id))
    order by t.path;
end;
$$;
comment on function public.tenants_branches(uuid) is
  'The tenants below this one, at any depth (permission tenants.branches).';
grant execute on function public.tenants_branches(uuid) to authenticated;

create function public.tenants_take_over(tenant_id uuid, branch uuid)
returns public.members
language plpgsql
volatile
security definer -- nobody else writes members
set search_path = ''
as $$
#variable_conflict use_column
declare
  v_person uuid := private.require(tenants_take_over.tenant_id, 'tenants.branches');
  v_member public.members;
begin
  -- The tenant's row, so that two who come at once do not both find it without an owner.
  perform from public.tenants t
  where t.id = tenants_take_over.branch and t.id in (select private.tenants_below(tenants_take_over.tenant_id))
  for update;
  if not found then
    raise sqlstate 'PT404' using message = 'tenants.not_found';
  end if;
  if exists (
    select from public.members m
    where m.tenant_id = tenants_take_over.branch and m.role = 'owner' and m.status = 'active'
  ) then
    raise sqlstate 'PT403' using message = 'members.permission_denied', detail = 'owner';
  end if;
  perform private.audit(
    'TENANT_TAKEN_OVER', 'tenants:' || branch, null, jsonb_build_object('by', v_person), branch
  );
  update public.members m set role = 'owner', status = 'active'
  where m.tenant_id = tenants_take_over.branch and m.person_id = v_person
    and m.status in ('active', 'pending', 'left')
  returning * into v_member;
  if not found then
    v_member := private.members_admit(branch, v_person, 'owner', 'active', admitted_by => 'operator');
  end if;
  return v_member;
end;
$$;
comment on function public.tenants_take_over(uuid, uuid) is
  'The caller becomes owner of a tenant below this one that has none (permission tenants.branches). Raises tenants.not_found, members.permission_denied where it has one, members.already_member where they are banned there.';
grant execute on function public.tenants_take_over(uuid, uuid) to authenticated;
