-- Groups, acts: making a group, changing it, closing it and opening it again.

create function private.groups_check(name text, description text, visibility text)
returns void
language plpgsql
immutable
security invoker
set search_path = ''
as $$
declare
  v_fault text := case
    when coalesce(char_length(btrim(groups_check.name)) not between 1 and 120, true) then 'name'
    when char_length(groups_check.description) > 4000 then 'description'
    when groups_check.visibility is null or groups_check.visibility not in ('public', 'private', 'secret')
      then 'visibility: public, private or secret'
  end;
begin
  if v_fault is not null then
    raise sqlstate 'PT422' using message = 'request.invalid', detail = v_fault;
  end if;
end;
$$;
comment on function private.groups_check(text, text, text) is 'Raises request.invalid for what no group can be.';

create function public.groups_create(
  tenant_id uuid, name text, visibility text default 'public', description text default null,
  parent_id uuid default null
)
returns public.groups
language plpgsql
volatile
security definer -- clients may not write groups
set search_path = ''
as $$
#variable_conflict use_column
declare
  v_me uuid := private.require(groups_create.tenant_id, 'groups.create');
  v_group public.groups;
begin
  perform private.groups_check(groups_create.name, groups_create.description, groups_create.visibility);
  perform private.require_rate('groups-create:' || groups_create.tenant_id || ':' || v_me, 30, interval '1 day');
  if groups_create.parent_id is not null then
    perform private.groups_require_role(
      private.groups_seen(groups_create.tenant_id, groups_create.parent_id, v_me), v_me, array['owner', 'moderator']
    );
  end if;
  insert into public.groups (tenant_id, parent_id, path, name, description, visibility, created_by)
  values (
    groups_create.tenant_id, groups_create.parent_id, array[]::uuid[], btrim(groups_create.name),
    nullif(btrim(groups_create.description), ''), groups_create.visibility, v_me
  )
  returning * into v_group;
  insert into public.groups_members (tenant_id, group_id, person_id, role, status, joined_at)
  values (v_group.tenant_id, v_group.id, v_me, 'owner', 'active', now());
  perform private.audit(
    'GROUP_CREATED', 'groups:' || v_group.id, null,
    jsonb_build_object('visibility', v_group.visibility, 'parent_id', v_group.parent_id), v_group.tenant_id, v_me
  );
  return private.groups_seen(v_group.tenant_id, v_group.id, v_me);
end;
$$;
comment on function public.groups_create(uuid, text, text, text, uuid) is
  'Makes a group that the caller owns; below another one by who moderates that (permission groups.create). Raises groups.not_found, groups.role_missing, groups.too_visible, groups.too_deep, groups.closed, limits.exceeded, request.invalid.';
grant execute on function public.groups_create(uuid, text, text, text, uuid) to authenticated;

create function public.groups_update(
  tenant_id uuid, group_id uuid, name text default null, description text default null,
  visibility text default null, version integer default null
)
returns public.groups
language plpgsql
volatile
security definer -- clients may not write groups
set search_path = ''
as $$
#variable_conflict use_column
declare
  v_me uuid := private.require(groups_update.tenant_id, 'groups.join');
  v_group public.groups := private.groups_lock(
    groups_update.tenant_id, groups_update.group_id, v_me, above => groups_update.visibility is not null
  );
  v_name text := coalesce(btrim(groups_update.name), v_group.name);
  v_description text := coalesce(groups_update.description, v_group.description);
  v_visibility text := coalesce(groups_update.visibility, v_group.visibility);
begin
  perform private.groups_require_role(
    v_group, v_me, case v_visibility when v_group.visibility then array['owner', 'moderator'] else array['owner'] end
  );
  perform private.groups_require_open(v_group);
  perform private.groups_check(v_name, v_description, v_visibility);
  if groups_update.version <> v_group.version then
    raise sqlstate 'PT412' using message = 'request.precondition_failed', detail = 'version: ' || v_group.version;
  end if;
  update public.groups g
  set name = v_name, description = nullif(btrim(v_description), ''), visibility = v_visibility
  where g.tenant_id = v_group.tenant_id and g.id = v_group.id
  returning * into v_group;
  perform private.audit(
    'GROUP_UPDATED', 'groups:' || v_group.id, null, jsonb_build_object('visibility', v_group.visibility),
    v_group.tenant_id, v_me
  );
  return private.groups_seen(v_group.tenant_id, v_group.id, v_me);
end;
$$;
comment on function public.groups_update(uuid, uuid, text, text, text, integer) is
  'Changes what is given: name and description by who moderates the group, its visibility by its owner; groups below become as closed as it is (permission groups.join). version: of what the caller saw. Raises groups.not_found, groups.role_missing, groups.closed, groups.too_visible, request.precondition_failed, request.invalid.';
grant execute on function public.groups_update(uuid, uuid, text, text, text, integer) to authenticated;

create function private.groups_narrow()
returns trigger
language plpgsql
volatile
security definer -- closes groups below whatever the writer may see
set search_path = ''
as $$
#variable_conflict use_column
declare
  v_child public.groups;
  v_person uuid;
begin
  for v_child in
    select * from public.groups g where g.tenant_id = new.tenant_id and g.parent_id = new.id
    order by g.id for no key update
  loop
    update public.groups g
    set visibility = case
        when private.groups_closeness(g.visibility) < private.groups_closeness(new.visibility)
          then new.visibility else g.visibility
      end,
      status = case new.status when 'closed' then 'closed' else g.status end
    where g.tenant_id = v_child.tenant_id and g.id = v_child.id;
    continue when new.visibility = 'public';
    -- Below what is not open to all there is nobody who is not in it.
    for v_person in
      select m.person_id from public.groups_members m
      where m.tenant_id = v_child.tenant_id and m.group_id = v_child.id and m.status = 'active'
        and private.groups_role(new.tenant_id, new.id, m.person_id) is null
      order by m.person_id
    loop
      perform private.groups_exit(v_child, v_person, 'left');
    end loop;
  end loop;
  return null;
end;
$$;
comment on function private.groups_narrow() is
  'After a group became more closed: so do the groups below it, and who was in them alone is not any more.';

create trigger groups_narrow after update of visibility, status on public.groups
  for each row when ((old.visibility, old.status) is distinct from (new.visibility, new.status))
  execute function private.groups_narrow();

create function public.groups_close(tenant_id uuid, group_id uuid, closed boolean default true)
returns public.groups
language plpgsql
volatile
security definer -- clients may not write groups
set search_path = ''
as $$
#variable_conflict use_column
declare
  v_me uuid := private.require(groups_close.tenant_id, 'groups.join');
  v_group public.groups := private.groups_lock(
    groups_close.tenant_id, groups_close.group_id, v_me, above => true
  );
  v_status text := case when groups_close.closed then 'closed' else 'active' end;
begin
  if groups_close.closed is null then
    raise sqlstate 'PT422' using message = 'request.invalid', detail = 'closed';
  end if;
  perform private.groups_require_role(v_group, v_me, array['owner']);
  update public.groups g set status = v_status
  where g.tenant_id = v_group.tenant_id and g.id = v_group.id and g.status <> v_status;
  perform private.audit(
    'GROUP_UPDATED', 'groups:' || v_group.id, null, jsonb_build_object('status', v_status), v_group.tenant_id, v_me
  );
  return private.groups_seen(v_group.tenant_id, v_group.id, v_me);
end;
$$;
comment on function public.groups_close(uuid, uuid, boolean) is
  'Closes a group of the caller''s and those below it: its members read on, nobody writes, nobody else sees it; or opens it again (permission groups.join). Raises groups.not_found, groups.role_missing, groups.closed, request.invalid.';
grant execute on function public.groups_close(uuid, uuid, boolean) to authenticated;
