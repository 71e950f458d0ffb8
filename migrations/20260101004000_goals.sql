-- Goals: what somebody wants to reach, alone, with buddies, or the whole community together: so much of
-- something, by a day if they like, in check-ins that add up.

insert into private.audit_actions (name, description)
values ('GOAL_SET', 'A goal of the community was set or changed');

select private.declare_permission('goals.read', 'See goals that are shown to members', array['admin', 'staff', 'member', 'guest']);
select private.declare_permission(
  'goals.write', 'Set goals, check in, and help others with theirs', array['admin', 'staff', 'member']
);
select private.declare_permission('goals.manage', 'Set goals of the community', array['admin', 'staff']);

create table public.goals (
  tenant_id uuid not null,
  id uuid not null default private.uuid_v7(),
  owner_id uuid not null,
  scope text not null default 'personal' check (scope in ('personal', 'community')),
  status text not null default 'active' check (status in ('active', 'reached', 'missed', 'abandoned')),
  title text not null check (char_length(btrim(title)) between 3 and 120),
  description text check (char_length(description) between 1 and 2000),
  target bigint not null check (target between 1 and 1000000000),
  unit text check (char_length(btrim(unit)) between 1 and 30),
  progress bigint not null default 0 check (progress between 0 and 9007199254740991),
  deadline date,
  every_days smallint check (every_days between 1 and 90),
  due_at timestamptz,
  reminded boolean not null default false,
  visibility text not null default 'private' check (visibility in ('private', 'buddies', 'members')),
  owner_active boolean not null default true,
  removed_at timestamptz,
  shown boolean not null generated always as (
    visibility = 'members' and removed_at is null and status <> 'abandoned'
    and (scope = 'community' or owner_active)
  ) stored,
  reached_at timestamptz,
  created_at timestamptz not null default now(),
  updated_at timestamptz not null default now(),
  primary key (tenant_id, id),
  check (scope = 'personal' or visibility = 'members'),
  foreign key (tenant_id, owner_id) references public.members (tenant_id, person_id) on delete restrict
);
comment on table public.goals is 'Goals of members, and of the community: how much of what, and how far it has come.';
comment on column public.goals.progress is 'The sum of its check-ins.';
comment on column public.goals.every_days is 'The owner wants to check in this often, and is told when they have not.';
comment on column public.goals.due_at is 'When they are told next.';
comment on column public.goals.shown is 'Whether members see it who neither own nor help it.';
comment on column public.goals.owner_active is 'False while the owner is suspended, banned or gone.';
create index goals_owner on public.goals (tenant_id, owner_id, id);
create index goals_newest on public.goals (tenant_id, id desc) where shown;
create index goals_due on public.goals (due_at) where status = 'active' and due_at is not null;
create index goals_deadline on public.goals (deadline) where status = 'active' and deadline is not null;

insert into private.transitions (machine, from_state, to_state)
values
  ('goals', 'active', 'reached'), ('goals', 'active', 'missed'), ('goals', 'active', 'abandoned'),
  ('goals', 'reached', 'active'), ('goals', 'missed', 'active'), ('goals', 'missed', 'abandoned'),
  ('goals', 'abandoned', 'active');
create trigger goals_transition before update of status on public.goals
  for each row execute function private.enforce_transition();
create trigger goals_touch before update on public.goals
  for each row execute function private.touch();

create table public.goals_buddies (
  tenant_id uuid not null,
  goal_id uuid not null,
  person_id uuid not null,
  owner_id uuid not null,
  status text not null default 'invited' check (status in ('invited', 'accepted', 'declined', 'left')),
  created_at timestamptz not null default now(),
  updated_at timestamptz not null default now(),
  primary key (tenant_id, goal_id, person_id),
  foreign key (tenant_id, goal_id) references public.goals (tenant_id, id) on delete cascade,
  foreign key (tenant_id, person_id) references public.members (tenant_id, person_id) on delete cascade
);
comment on table public.goals_buddies is 'Who helps with a goal, or was asked to: known to them and its owner.';
create index goals_buddies_person on public.goals_buddies (tenant_id, person_id, goal_id);
insert into private.transitions (machine, from_state, to_state)
values
  ('goals_buddies', 'invited', 'accepted'), ('goals_buddies', 'invited', 'declined'),
  ('goals_buddies', 'invited', 'left'), ('goals_buddies', 'accepted', 'left'),
  ('goals_buddies', 'declined', 'invited'), ('goals_buddies', 'left', 'invited');
create trigger goals_buddies_transition before update of status on public.goals_buddies
  for each row execute function private.enforce_transition();
create trigger goals_buddies_touch before update on public.goals_buddies
  for each row execute function private.touch();

create table public.goals_check_ins (
  tenant_id uuid not null,
  id uuid not null default private.uuid_v7(),
  goal_id uuid not null,
  person_id uuid not null,
  amount bigint not null check (amount between -1000000000 and 1000000000),
  note text check (char_length(note) between 1 and 500),
  created_at timestamptz not null default now(),
  primary key (tenant_id, id),
  foreign key (tenant_id, goal_id) references public.goals (tenant_id, id) on delete cascade
);
comment on table public.goals_check_ins is
  'What brought a goal forward, or back where somebody corrects themselves; of buddies, words alone. Seen by who sees the goal.';
create index goals_check_ins_goal on public.goals_check_ins (tenant_id, goal_id, id desc);
create index goals_check_ins_person on public.goals_check_ins (tenant_id, person_id, id desc);

-- Row level security
alter table public.goals_buddies enable row level security;
create policy goals_buddies_select_concerned on public.goals_buddies
  for select to authenticated
  using (
    tenant_id = any (array(select private.tenants_with('goals.read')))
    and (person_id = (select private.person()) or owner_id = (select private.person()))
  );

alter table public.goals enable row level security;
create policy goals_select_member on public.goals
  for select to authenticated
  using (
    tenant_id = any (array(select private.tenants_with('goals.read')))
    and (
      owner_id = (select private.person())
      or (
        (
          shown
          or (
            removed_at is null and owner_active and visibility <> 'private' and exists (
              select from public.goals_buddies b
              where b.tenant_id = goals.tenant_id and b.goal_id = goals.id
                and b.person_id = (select private.person()) and b.status in ('invited', 'accepted')
            )
          )
        )
        and (
          scope = 'community'
          or (tenant_id, owner_id) not in (select p.tenant_id, p.blocked_id from private.messaging_blocked_pairs() p)
        )
      )
    )
  );

alter table public.goals_check_ins enable row level security;
create policy goals_check_ins_select_member on public.goals_check_ins
  for select to authenticated
  using (
    tenant_id = any (array(select private.tenants_with('goals.read')))
    and (tenant_id, person_id) not in (select p.tenant_id, p.blocked_id from private.messaging_blocked_pairs() p)
    and exists (
      select from public.goals g where g.tenant_id = goals_check_ins.tenant_id and g.id = goals_check_ins.goal_id
    )
  );
grant select on public.goals, public.goals_buddies, public.goals_check_ins to authenticated, service_role;

-- The same rule for one goal and one person, who need not be the caller
create function private.goals_sees(goal public.goals, person uuid)
returns boolean
language plpgsql
stable
security definer -- reads buddies past their policies
set search_path = ''
as $$
#variable_conflict use_column
begin
  return private.may(goal.tenant_id, person, 'goals.read') and (
    goal.owner_id = person
    or (
      (
        goal.shown
        or (
          goal.removed_at is null and goal.owner_active and goal.visibility <> 'private' and exists (
            select from public.goals_buddies b
            where b.tenant_id = goal.tenant_id and b.goal_id = goal.id and b.person_id = goals_sees.person
              and b.status in ('invited', 'accepted')
          )
        )
      )
      and (goal.scope = 'community' or not private.messaging_blocked(goal.tenant_id, goal.owner_id, person))
    )
  );
end;
$$;
comment on function private.goals_sees(public.goals, uuid) is 'Whether the person sees the goal, as its policy says.';
