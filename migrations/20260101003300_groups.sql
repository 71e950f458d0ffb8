-- Groups: circles within a tenant, with members, roles and a visibility that no circle below exceeds.
-- Here are the tables and the questions others ask: what a person may see of a group, and as what.

insert into private.audit_actions (name, description)
values
  ('GROUP_CREATED', 'A group was made'),
  ('GROUP_UPDATED', 'A group was changed, closed or opened again'),
  ('GROUP_MEMBER_REMOVED', 'Somebody was taken out of a group or banned from it'),
  ('GROUP_ROLE_CHANGED', 'Somebody got another role in a group'),
  ('GROUP_POST_REMOVED', 'A moderator removed what somebody wrote in a group');

select private.declare_permission('groups.read', 'See groups', array['admin', 'staff', 'member']);
select private.declare_permission('groups.join', 'Join groups and write in them', array['admin', 'staff', 'member']);
select private.declare_permission('groups.create', 'Make groups', array['admin', 'staff', 'member']);
select private.declare_permission('groups.manage', 'Moderate every group that is not secret', array['admin']);

create table public.groups (
  tenant_id uuid not null references public.tenants (id) on delete restrict,
  id uuid not null default private.uuid_v7(),
  parent_id uuid,
  path uuid[] not null,
  name text not null check (char_length(btrim(name)) between 1 and 120),
  description text check (char_length(description) <= 4000),
  visibility text not null check (visibility in ('public', 'private', 'secret')),
  status text not null default 'active' check (status in ('active', 'closed')),
  members integer not null default 0 check (members >= 0),
  threads integer not null default 0 check (threads >= 0),
  created_by uuid not null,
  version integer not null default 1,
  created_at timestamptz not null default now(),
  updated_at timestamptz not null default now(),
  primary key (tenant_id, id),
  foreign key (tenant_id, parent_id) references public.groups (tenant_id, id) on delete restrict,
  check (cardinality(path) between 1 and 4 and path[cardinality(path)] = id),
  check (coalesce(path[cardinality(path) - 1] = parent_id, parent_id is null and cardinality(path) = 1))
) with (fillfactor = 80); -- its counters change with every member and thread
comment on table public.groups is
  'Circles of members. public: every member of the tenant reads, joins at will; private: known to all, read by its members, joined by request; secret: known to its members and those invited alone.';
comment on column public.groups.path is 'From the topmost group down to this one itself.';
comment on column public.groups.members is 'How many are in it, kept with every change: nobody counts.';
comment on column public.groups.version is 'Counts changes of what people edit, not of the counters.';
create index groups_parent on public.groups (tenant_id, parent_id) where parent_id is not null;
create index groups_listed on public.groups (tenant_id, visibility, id);

insert into private.transitions (machine, from_state, to_state)
values ('groups', 'active', 'closed'), ('groups', 'closed', 'active');
create trigger groups_transition before update of status on public.groups
  for each row execute function private.enforce_transition();
create trigger groups_version before update of name, description, visibility, status on public.groups
  for each row execute function private.bump_version();

create function private.groups_closeness(visibility text)
returns integer
language sql
immutable
security invoker
set search_path = ''
as $$
  select array_position(array['public', 'private', 'secret'], groups_closeness.visibility);
$$;
comment on function private.groups_closeness(text) is 'How closed a visibility is: 1 public, 2 private, 3 secret.';

create function private.groups_place()
returns trigger
language plpgsql
volatile
security definer -- reads the group above whatever the writer may see
set search_path = ''
as $$
#variable_conflict use_column
declare
  v_parent public.groups;
begin
  if tg_op = 'UPDATE' then
    -- Rights hang on where it stands.
    new.parent_id := old.parent_id;
    new.path := old.path;
  end if;
  if new.parent_id is not null then
    -- Locked: it must not become more closed while this one is written.
    select * into v_parent from public.groups g
    where g.tenant_id = new.tenant_id and g.id = new.parent_id for share;
    if private.groups_closeness(new.visibility) < private.groups_closeness(v_parent.visibility) then
      raise sqlstate 'PT409' using message = 'groups.too_visible', detail = v_parent.visibility;
    elsif new.status = 'active' and v_parent.status <> 'active' then
      raise sqlstate 'PT409' using message = 'groups.closed', detail = 'parent_id';
    elsif tg_op = 'INSERT' and cardinality(v_parent.path) >= 4 then
      raise sqlstate 'PT409' using message = 'groups.too_deep', detail = 'four levels';
    end if;
  end if;
  if tg_op = 'INSERT' then
    new.path := coalesce(v_parent.path, '{}') || new.id;
  end if;
  return new;
end;
$$;
comment on function private.groups_place() is
  'Before insert or update: a group stands where it was made, and is never more visible than the one above it. Raises groups.too_visible, groups.closed, groups.too_deep.';

create trigger groups_place before insert on public.groups
  for each row execute function private.groups_place();
-- Not where these stay what they are: it locks the group above.
create trigger groups_place_changed before update of parent_id, path, visibility, status on public.groups
  for each row when (
    (old.parent_id, old.path, old.visibility, old.status)
      is distinct from (new.parent_id, new.path, new.visibility, new.status)
  )
  execute function private.groups_place();

-- Members
create table public.groups_members (
  tenant_id uuid not null,
  group_id uuid not null,
  person_id uuid not null,
  role text not null default 'member' check (role in ('owner', 'moderator', 'member')),
  status text not null check (status in ('requested', 'invited', 'active', 'left', 'banned')),
  note text check (char_length(note) between 1 and 500),
  invited_by uuid,
  joined_at timestamptz,
  created_at timestamptz not null default now(),
  updated_at timestamptz not null default now(),
  primary key (tenant_id, group_id, person_id),
  check (role = 'member' or status = 'active'),
  foreign key (tenant_id, group_id) references public.groups (tenant_id, id) on delete cascade,
  foreign key (tenant_id, person_id) references public.members (tenant_id, person_id) on delete restrict
);
comment on table public.groups_members is
  'Who is in a group, as what, and who wants to be, is invited, was or must not be any more.';
comment on column public.groups_members.note is 'What somebody says who asks to join, for its moderators.';
create unique index groups_members_owner on public.groups_members (tenant_id, group_id) where role = 'owner';
create index groups_members_person on public.groups_members (tenant_id, person_id, status);
create index groups_members_status on public.groups_members (tenant_id, group_id, status, person_id);

insert into private.transitions (machine, from_state, to_state)
select 'groups_members', split_part(step, '>', 1), split_part(step, '>', 2)
from unnest(array[
  'requested>active', 'requested>left', 'requested>banned', 'requested>invited',
  'invited>active', 'invited>left', 'invited>banned',
  'active>left', 'active>banned', 'left>requested', 'left>invited', 'left>active', 'left>banned',
  'banned>left'
]) step;
create trigger groups_members_transition before update of status on public.groups_members
  for each row execute function private.enforce_transition();
create trigger groups_members_touch before update on public.groups_members
  for each row execute function private.touch();

create function private.groups_count_members()
returns trigger
language plpgsql
volatile
security definer -- nobody else writes the counter
set search_path = ''
as $$
#variable_conflict use_column
declare
  v_change integer := (tg_op <> 'DELETE' and new.status = 'active')::integer
    - (tg_op <> 'INSERT' and old.status = 'active')::integer;
begin
  if v_change <> 0 then
    update public.groups g set members = g.members + v_change
    where g.tenant_id = coalesce(new.tenant_id, old.tenant_id) and g.id = coalesce(new.group_id, old.group_id);
  end if;
  return null;
end;
$$;
comment on function private.groups_count_members() is 'After a change of members: keeps groups.members.';

create trigger groups_members_count after insert or delete or update of status on public.groups_members
  for each row execute function private.groups_count_members();

-- The questions
create function private.groups_with(statuses text[])
returns setof uuid
language plpgsql
stable
security definer -- policies on groups_members ask it, so it must read them past these
rows 20
set search_path = ''
as $$
#variable_conflict use_column
declare
  v_person uuid := private.person();
begin
  return query
    select m.group_id from public.groups_members m
    where m.tenant_id = any (array(select private.tenants_with('groups.read')))
      and m.person_id = v_person and m.status = any (groups_with.statuses);
end;
$$;
comment on function private.groups_with(text[]) is
  'Groups of the caller by where they stand in them, in tenants where they see groups.';

create function private.groups_mine()
returns setof uuid
language plpgsql
stable
security definer -- asks groups_with
rows 20
set search_path = ''
as $$
begin
  return query select private.groups_with(array['active']);
end;
$$;
comment on function private.groups_mine() is
  'Groups that the caller is in. In policies: group_id = any (array(select private.groups_mine())).';
grant execute on function private.groups_mine() to authenticated, service_role;

create function private.groups_known()
returns setof uuid
language plpgsql
stable
security definer -- asks groups_with
rows 20
set search_path = ''
as $$
begin
  return query select private.groups_with(array['active', 'invited']);
end;
$$;
comment on function private.groups_known() is 'Groups that the caller is in or invited to: those they know of even if secret.';
grant execute on function private.groups_known() to authenticated, service_role;

create function private.groups_barred()
returns setof uuid
language plpgsql
stable
security definer -- asks groups_with
rows 20
set search_path = ''
as $$
begin
  return query select private.groups_with(array['banned']);
end;
$$;
comment on function private.groups_barred() is 'Groups that the caller was banned from.';
grant execute on function private.groups_barred() to authenticated, service_role;
