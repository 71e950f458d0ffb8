-- Groups, rights: what of a group whom it shows, for its own tables and for what others keep in it.

create function private.groups_visible(tenant_id uuid)
returns setof uuid
language plpgsql
stable
security definer -- reads groups past their policies
set search_path = ''
as $$
#variable_conflict use_column
begin
  if not private.can(groups_visible.tenant_id, 'groups.read') then
    return;
  end if;
  return query
    select g.id from public.groups g
    where g.tenant_id = groups_visible.tenant_id and g.visibility = 'public' and g.status = 'active'
      and g.id <> all (array(select private.groups_barred()))
    union
    select m.group_id from public.groups_members m
    where m.tenant_id = groups_visible.tenant_id and m.person_id = private.person() and m.status = 'active';
end;
$$;
comment on function private.groups_visible(uuid) is
  'Groups of the tenant in which the caller reads: the public ones and their own. Where rows are many, ask groups_mine and the group''s own visibility instead.';
grant execute on function private.groups_visible(uuid) to authenticated, service_role;

create function private.groups_role(tenant_id uuid, group_id uuid, person uuid)
returns text
language plpgsql
stable
security definer -- reads members of groups past their policies
set search_path = ''
as $$
#variable_conflict use_column
begin
  return (
    select m.role from public.groups_members m
    where m.tenant_id = groups_role.tenant_id and m.group_id = groups_role.group_id
      and m.person_id = groups_role.person and m.status = 'active'
  );
end;
$$;
comment on function private.groups_role(uuid, uuid, uuid) is 'The person''s role in the group; null where they are not in it.';

create function private.groups_reads(tenant_id uuid, group_id uuid, person uuid)
returns boolean
language plpgsql
stable
security definer -- reads groups past their policies
set search_path = ''
as $$
#variable_conflict use_column
begin
  return private.may(groups_reads.tenant_id, groups_reads.person, 'groups.read') and exists (
    select from public.groups g
    left join public.groups_members m
      on m.tenant_id = g.tenant_id and m.group_id = g.id and m.person_id = groups_reads.person
    where g.tenant_id = groups_reads.tenant_id and g.id = groups_reads.group_id
      and (
        m.status = 'active'
        or (g.visibility = 'public' and g.status = 'active' and m.status is distinct from 'banned')
      )
  );
end;
$$;
comment on function private.groups_reads(uuid, uuid, uuid) is
  'Whether a person reads what is in the group, by what holds now: for notices, feeds and whatever happens without their session.';

create function private.groups_moderates(tenant_id uuid, group_id uuid, person uuid)
returns boolean
language plpgsql
stable
security definer -- asks groups_role
set search_path = ''
as $$
begin
  return coalesce(
    private.groups_role(groups_moderates.tenant_id, groups_moderates.group_id, groups_moderates.person)
      in ('owner', 'moderator'),
    false
  );
end;
$$;
comment on function private.groups_moderates(uuid, uuid, uuid) is 'Whether the person is the group''s owner or a moderator of it.';

create function private.groups_moderators(tenant_id uuid, group_id uuid)
returns uuid[]
language plpgsql
stable
security definer -- reads members of groups past their policies
set search_path = ''
as $$
#variable_conflict use_column
begin
  return array(
    select m.person_id from public.groups_members m
    where m.tenant_id = groups_moderators.tenant_id and m.group_id = groups_moderators.group_id
      and m.status = 'active' and m.role in ('owner', 'moderator')
  );
end;
$$;
comment on function private.groups_moderators(uuid, uuid) is 'The group''s owner and moderators.';

create function private.groups_moderated()
returns setof uuid
language plpgsql
stable
security definer -- reads members of groups past their policies
rows 5
set search_path = ''
as $$
#variable_conflict use_column
declare
  v_person uuid := private.person();
begin
  return query
    select m.group_id from public.groups_members m
    where m.tenant_id = any (array(select private.tenants_with('groups.read')))
      and m.person_id = v_person and m.status = 'active' and m.role in ('owner', 'moderator');
end;
$$;
comment on function private.groups_moderated() is 'Groups that the caller moderates.';
grant execute on function private.groups_moderated() to authenticated, service_role;

create function private.groups_seen(tenant_id uuid, group_id uuid, person uuid)
returns public.groups
language plpgsql
stable
security definer -- reads groups past their policies
set search_path = ''
as $$
#variable_conflict use_column
declare
  v_group public.groups;
  v_status text;
begin
  select * into v_group from public.groups g
  where g.tenant_id = groups_seen.tenant_id and g.id = groups_seen.group_id;
  select m.status into v_status from public.groups_members m
  where m.tenant_id = v_group.tenant_id and m.group_id = v_group.id and m.person_id = groups_seen.person;
  -- A secret group answers outsiders as one that does not exist, a closed one everybody else.
  if v_group.id is null
    or (v_group.visibility = 'secret' and coalesce(v_status not in ('active', 'invited'), true))
    or (v_group.status = 'closed' and v_status is distinct from 'active')
  then
    raise sqlstate 'PT404' using message = 'groups.not_found';
  end if;
  return v_group;
end;
$$;
comment on function private.groups_seen(uuid, uuid, uuid) is
  'A group that the person knows of. Raises groups.not_found.';

create function private.groups_lock(tenant_id uuid, group_id uuid, person uuid, above boolean default false)
returns public.groups
language plpgsql
volatile
security definer -- locks a group past its policies
set search_path = ''
as $$
#variable_conflict use_column
begin
  if groups_lock.above then
    perform from public.groups g
    where g.tenant_id = groups_lock.tenant_id and g.id = (
      select b.parent_id from public.groups b
      where b.tenant_id = groups_lock.tenant_id and b.id = groups_lock.group_id
    )
    for share;
  end if;
  perform from public.groups g
  where g.tenant_id = groups_lock.tenant_id and g.id = groups_lock.group_id
  for no key update;
  return private.groups_seen(groups_lock.tenant_id, groups_lock.group_id, groups_lock.person);
end;
$$;
comment on function private.groups_lock(uuid, uuid, uuid, boolean) is
  'A group that the person knows of, locked: who comes and goes does so one after the other. Where what is to be changed hangs on the group above, that one first, as who closes it does. Raises groups.not_found.';

create function private.groups_require_open(grp public.groups)
returns void
language plpgsql
immutable
security invoker
set search_path = ''
as $$
begin
  if grp.status <> 'active' then
    raise sqlstate 'PT409' using message = 'groups.closed';
  end if;
end;
$$;
comment on function private.groups_require_open(public.groups) is 'Raises groups.closed.';

create function private.groups_require_role(grp public.groups, person uuid, roles text[])
returns void
language plpgsql
stable
security definer -- reads members of groups past their policies
set search_path = ''
as $$
begin
  if coalesce(private.groups_role(grp.tenant_id, grp.id, groups_require_role.person) = any (roles), false)
    -- Whoever manages all groups does what moderators do, but not where nobody knows of it.
    or ('moderator' = any (roles) and grp.visibility <> 'secret' and private.can(grp.tenant_id, 'groups.manage'))
  then
    return;
  end if;
  raise sqlstate 'PT403' using message = 'groups.role_missing', detail = array_to_string(roles, ' or ');
end;
$$;
comment on function private.groups_require_role(public.groups, uuid, text[]) is
  'Raises groups.role_missing unless the caller has one of the roles in the group, or manages all groups.';

-- Row level security
alter table public.groups enable row level security;
create policy groups_select_member on public.groups
  for select to authenticated
  using (
    tenant_id = any (array(select private.tenants_with('groups.read')))
    and (
      id = any (array(select private.groups_mine()))
      or (
        status = 'active'
        and (visibility <> 'secret' or id = any (array(select private.groups_known())))
      )
    )
  );

alter table public.groups_members enable row level security;
create policy groups_members_select_member on public.groups_members
  for select to authenticated
  using (
    tenant_id = any (array(select private.tenants_with('groups.read')))
    and (
      (person_id = (select private.person()) and status in ('requested', 'invited', 'active'))
      or group_id = any (array(select private.groups_moderated()))
      or (
        status = 'active' and (
          group_id = any (array(select private.groups_mine()))
          or (
            group_id <> all (array(select private.groups_barred()))
            and exists (
              select from public.groups g
              where g.tenant_id = groups_members.tenant_id and g.id = groups_members.group_id
                and g.visibility = 'public' and g.status = 'active'
            )
          )
        )
      )
    )
  );
grant select on public.groups, public.groups_members to authenticated, service_role;
