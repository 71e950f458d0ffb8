-- Members: who belongs to which tenant, in which role, and what the role permits. Clients read
-- these tables; members_functions holds the acts that change them.

-- Permissions: one list for all tenants, written by the capabilities' migrations.
create table public.permissions (
  name text primary key check (name ~ '^[a-z_]+\.[a-z_]+$'),
  module text not null references public.modules (slug),
  operators_only boolean not null default false,
  own_cases boolean not null default true,
  description text not null
);
comment on table public.permissions is
  'What a role can permit, as <capability>.<verb>. operators_only ones work in the tenant platform alone.';
comment on column public.permissions.module is
  'The module that has to be on: that of the name, but for names that people know from elsewhere.';
comment on column public.permissions.own_cases is
  'Whether it may be used where the case is one''s own; private.require_for asks. False: nobody approves themselves.';
create index permissions_module on public.permissions (module);

-- Roles
create table public.roles (
  tenant_id uuid not null references public.tenants (id) on delete restrict,
  slug text not null check (slug ~ '^[a-z][a-z0-9_]{1,30}(\+[a-z][a-z0-9_]{1,30}){0,4}$'),
  name text not null check (char_length(btrim(name)) between 1 and 320),
  rank smallint not null check (rank between 1 and 100),
  built_in boolean not null default false,
  parts text[] check (cardinality(parts) > 1 and slug = array_to_string(parts, '+')),
  two_factor_from timestamptz,
  everywhere boolean not null default true,
  created_at timestamptz not null default now(),
  primary key (tenant_id, slug)
);
comment on column public.roles.everywhere is
  'Whether it acts at all locations; else at those that the member was given.';
comment on column public.roles.parts is
  'The roles this one is made of, by name: cashier+staff permits what either does. Null for a role of its own.';
comment on column public.roles.two_factor_from is
  'From when on a session needs a second factor to open the tenant in this role; null: never.';
comment on table public.roles is
  'Roles of a tenant: owner, admin, staff, member, guest, and its own. A higher rank stands above a lower one.';

create table public.role_permissions (
  tenant_id uuid not null,
  role text not null,
  permission text not null references public.permissions (name),
  primary key (tenant_id, role, permission),
  foreign key (tenant_id, role) references public.roles (tenant_id, slug) on delete cascade
);
comment on table public.role_permissions is 'What each role of a tenant permits.';
create index role_permissions_permission on public.role_permissions (permission);

create table private.built_in_roles (
  slug text primary key,
  name text not null,
  rank smallint not null unique
);
comment on table private.built_in_roles is 'The roles every tenant starts with.';
insert into private.built_in_roles (slug, name, rank)
values ('owner', 'Owner', 100), ('admin', 'Admin', 80), ('staff', 'Staff', 60),
  ('member', 'Member', 40), ('guest', 'Guest', 20);

create table private.built_in_role_permissions (
  role text not null references private.built_in_roles (slug),
  permission text not null references public.permissions (name),
  primary key (role, permission)
);
comment on table private.built_in_role_permissions is 'What the built-in roles permit in a new tenant.';
create index built_in_role_permissions_permission on private.built_in_role_permissions (permission);

create function private.declare_permission(
  name text,
  description text,
  roles text[],
  operators_only boolean default false,
  module text default null,
  own_cases boolean default true
)
returns void
language sql
volatile
security invoker
set search_path = ''
as $$
  insert into public.permissions (name, module, operators_only, own_cases, description)
  values (
    declare_permission.name,
    coalesce(declare_permission.module, split_part(declare_permission.name, '.', 1)),
    declare_permission.operators_only, declare_permission.own_cases, declare_permission.description
  );

  insert into private.built_in_role_permissions (role, permission)
  select unnest(array_append(declare_permission.roles, 'owner')), declare_permission.name;

  insert into public.role_permissions (tenant_id, role, permission)
  select r.tenant_id, r.slug, declare_permission.name
  from public.roles r
  where r.built_in and r.slug = any (array_append(declare_permission.roles, 'owner'))
    and (r.tenant_id = private.platform() or not declare_permission.operators_only);
$$;
comment on function private.declare_permission(text, text, text[], boolean, text, boolean) is
  'For migrations: adds a permission, gives it to owner and the named built-in roles, in existing tenants too.';

-- Members
create table public.members (
  tenant_id uuid not null references public.tenants (id) on delete restrict,
  person_id uuid not null references public.people (id) on delete restrict,
  role text not null default 'member',
  status text not null default 'pending'
    check (status in ('pending', 'active', 'suspended', 'banned', 'left')),
  waiting_for text check (waiting_for in ('email', 'approval', 'documents')),
  waiting_since timestamptz,
  admitted_by text check (
    admitted_by in ('open', 'approval', 'invitation', 'domain', 'documents', 'operator')
  ),
  display_name text not null check (char_length(btrim(display_name)) between 1 and 80),
  avatar_url text,
  created_at timestamptz not null default now(),
  updated_at timestamptz not null default now(),
  primary key (tenant_id, person_id),
  check ((status = 'pending') = (waiting_for is not null)),
  foreign key (tenant_id, role) references public.roles (tenant_id, slug) on delete restrict
);
comment on table public.members is
  'A person in a tenant. Name and picture are copied from people, so that a tenant''s rows stand alone.';
comment on column public.members.waiting_for is
  'What a pending member still lacks: the confirmation of their address, an admin''s decision, documents.';
comment on column public.members.admitted_by is
  'What decided that they may come in; set before they are active where only the address is lacking.';
create index members_person on public.members (person_id, status);
create index members_role on public.members (tenant_id, role);
create index members_waiting on public.members (tenant_id, waiting_since, person_id) where status = 'pending';

insert into private.transitions (machine, from_state, to_state)
values
  ('members', 'pending', 'active'), ('members', 'pending', 'banned'), ('members', 'pending', 'left'),
  ('members', 'active', 'suspended'), ('members', 'active', 'banned'), ('members', 'active', 'left'),
  ('members', 'suspended', 'active'), ('members', 'suspended', 'banned'), ('members', 'suspended', 'left'),
  ('members', 'banned', 'active'), ('members', 'left', 'pending'), ('members', 'left', 'active'),
  ('members', 'left', 'banned');

create function private.members_wait()
returns trigger
language plpgsql
volatile
security invoker
set search_path = ''
as $$
begin
  if new.status <> 'pending' then
    new.waiting_for := null;
    new.waiting_since := null;
  else
    new.waiting_for := coalesce(new.waiting_for, 'approval');
    if tg_op = 'INSERT' or old.waiting_for is distinct from new.waiting_for then
      new.waiting_since := now();
    end if;
  end if;
  return new;
end;
$$;
comment on function private.members_wait() is
  'Before insert or update on members: who is pending waits for something, since then; nobody else does.';

create trigger members_wait before insert or update of status, waiting_for on public.members
  for each row execute function private.members_wait();
create trigger members_transition before update of status on public.members
  for each row execute function private.enforce_transition();
create trigger members_touch before update on public.members
  for each row execute function private.touch();

create function private.members_follow_person()
returns trigger
language plpgsql
volatile
security definer -- people may not write members
set search_path = ''
as $$
declare
  v_member public.members;
begin
  update public.members m
  set display_name = new.display_name, avatar_url = new.avatar_url
  where m.person_id = new.id;

  if new.erased_at is not null then
    for v_member in
      update public.members m set status = 'left'
      where m.person_id = new.id and m.status not in ('left', 'banned')
      returning m.*
    loop
      perform private.audit(
        'MEMBER_LEFT', 'members:' || v_member.person_id, null, null, v_member.tenant_id
      );
    end loop;
  end if;
  return null;
end;
$$;
comment on function private.members_follow_person() is
  'After update on people: copies name and picture to every membership; erasing a person ends them.';

create trigger members_follow_person
  after update of display_name, avatar_url, erased_at on public.people
  for each row execute function private.members_follow_person();

-- A tenant begins with the built-in roles
create function private.members_on_tenant_created()
returns trigger
language plpgsql
volatile
security definer -- writes roles for whoever may make a tenant
set search_path = ''
as $$
begin
  insert into public.roles (tenant_id, slug, name, rank, built_in)
  select new.id, b.slug, b.name, b.rank, true from private.built_in_roles b;

  insert into public.role_permissions (tenant_id, role, permission)
  select new.id, b.role, b.permission
  from private.built_in_role_permissions b
  join public.permissions p on p.name = b.permission
  where not p.operators_only or new.id = private.platform();
  return null;
end;
$$;
comment on function private.members_on_tenant_created() is 'After insert on tenants: the built-in roles.';

create trigger members_on_tenant_created after insert on public.tenants
  for each row execute function private.members_on_tenant_created();

insert into public.roles (tenant_id, slug, name, rank, built_in)
select private.platform(), b.slug, b.name, b.rank, true from private.built_in_roles b;
