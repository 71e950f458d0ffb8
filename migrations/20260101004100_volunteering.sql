-- Volunteering: what the community, a group or an organisation needs hands for, who signs up, and the
-- hours they gave, approved by somebody else. Where the tenant wants it, approved hours are paid, minute
-- for minute, by the community fund or the organisation.

insert into private.audit_actions (name, description)
values
  ('VOLUNTEERING_OPPORTUNITY_SAVED', 'A call for volunteers was made or changed'),
  ('VOLUNTEERING_HOURS_DECIDED', 'Hours of a volunteer were approved, rejected or revoked');

select private.declare_permission(
  'volunteering.read', 'See where hands are needed', array['admin', 'staff', 'member', 'guest']
);
select private.declare_permission('volunteering.help', 'Sign up and log hours', array['admin', 'staff', 'member']);
select private.declare_permission(
  'volunteering.manage', 'Call for volunteers and approve hours', array['admin', 'staff'], own_cases => false
);

create table public.volunteering_opportunities (
  tenant_id uuid not null,
  id uuid not null default private.uuid_v7(),
  organiser_id uuid not null,
  group_id uuid,
  organisation_id uuid,
  status text not null default 'draft' check (status in ('draft', 'open', 'closed', 'cancelled')),
  title text not null check (char_length(btrim(title)) between 3 and 120),
  description text check (char_length(description) between 1 and 5000),
  place text check (char_length(btrim(place)) between 1 and 120),
  starts_at timestamptz,
  ends_at timestamptz,
  capacity integer check (capacity between 1 and 10000),
  by_hand boolean not null default false,
  accepted integer not null default 0 check (accepted >= 0),
  paid_from text check (paid_from in ('community_fund', 'organisation')),
  currency text,
  budget_minutes bigint check (budget_minutes between 1 and 100000000),
  paid_minutes bigint not null default 0 check (paid_minutes >= 0 and paid_minutes <= budget_minutes),
  removed_at timestamptz,
  created_at timestamptz not null default now(),
  updated_at timestamptz not null default now(),
  primary key (tenant_id, id),
  check (ends_at > starts_at),
  check (accepted <= capacity),
  check (num_nonnulls(paid_from, currency, budget_minutes) in (0, 3)),
  check (paid_from <> 'organisation' or organisation_id is not null),
  foreign key (tenant_id, organiser_id) references public.members (tenant_id, person_id) on delete restrict,
  foreign key (tenant_id, group_id) references public.groups (tenant_id, id) on delete restrict,
  foreign key (tenant_id, organisation_id) references public.wallet_organisations (tenant_id, id) on delete restrict
);
comment on table public.volunteering_opportunities is
  'Calls for volunteers: of the community, of a group (seen by whoever reads there), of an organisation.';
comment on column public.volunteering_opportunities.by_hand is 'Whoever runs it says who helps; else places go as they come.';
comment on column public.volunteering_opportunities.accepted is 'How many places are taken, kept with every change.';
comment on column public.volunteering_opportunities.paid_from is
  'Who pays approved hours, minute for minute, up to budget_minutes; null: nobody, as is usual.';
create index volunteering_opportunities_list on public.volunteering_opportunities (tenant_id, status, id desc);
create index volunteering_opportunities_organiser on public.volunteering_opportunities (tenant_id, organiser_id);
create index volunteering_opportunities_group on public.volunteering_opportunities (tenant_id, group_id)
  where group_id is not null;
create index volunteering_opportunities_organisation
  on public.volunteering_opportunities (tenant_id, organisation_id) where organisation_id is not null;
create index volunteering_opportunities_ending on public.volunteering_opportunities (ends_at) where status = 'open';

create table public.volunteering_signups (
  tenant_id uuid not null,
  opportunity_id uuid not null,
  person_id uuid not null,
  status text not null default 'applied' check (status in ('applied', 'accepted', 'declined', 'withdrawn')),
  note text check (char_length(note) between 1 and 500),
  created_at timestamptz not null default now(),
  updated_at timestamptz not null default now(),
  primary key (tenant_id, opportunity_id, person_id),
  foreign key (tenant_id, opportunity_id)
    references public.volunteering_opportunities (tenant_id, id) on delete cascade,
  foreign key (tenant_id, person_id) references public.members (tenant_id, person_id) on delete restrict
);
comment on table public.volunteering_signups is 'Who offers to help: known to them and to whoever runs it.';
create index volunteering_signups_person on public.volunteering_signups (tenant_id, person_id, opportunity_id);

create table public.volunteering_hours (
  tenant_id uuid not null,
  id uuid not null default private.uuid_v7(),
  opportunity_id uuid not null,
  person_id uuid not null,
  day date not null,
  minutes integer not null check (minutes between 15 and 1440),
  note text check (char_length(note) between 1 and 500),
  status text not null default 'submitted'
    check (status in ('submitted', 'approved', 'rejected', 'withdrawn', 'revoked')),
  reason text check (char_length(reason) between 1 and 500),
  decided_by uuid,
  decided_at timestamptz,
  transfer_id uuid,
  created_at timestamptz not null default now(),
  updated_at timestamptz not null default now(),
  primary key (tenant_id, id),
  check (decided_by <> person_id),
  foreign key (tenant_id, opportunity_id)
    references public.volunteering_opportunities (tenant_id, id) on delete restrict,
  foreign key (tenant_id, person_id) references public.members (tenant_id, person_id) on delete restrict
);
comment on table public.volunteering_hours is
  'Time that somebody gave. It counts once somebody else approved it; revoked, it counts no more.';
comment on column public.volunteering_hours.transfer_id is 'By which it was paid; null where it was not.';
create index volunteering_hours_person on public.volunteering_hours (tenant_id, person_id, day desc, id desc);
create index volunteering_hours_opportunity on public.volunteering_hours (tenant_id, opportunity_id, status, id);

create table public.volunteering_totals (
  tenant_id uuid not null,
  person_id uuid not null,
  minutes bigint not null default 0 check (minutes >= 0),
  entries bigint not null default 0 check (entries >= 0),
  last_day date,
  primary key (tenant_id, person_id),
  foreign key (tenant_id, person_id) references public.members (tenant_id, person_id) on delete restrict
) with (fillfactor = 80); -- each approval updates a row: room for that on the same page
comment on table public.volunteering_totals is 'What each gave, as approved: kept as sums.';

insert into private.transitions (machine, from_state, to_state)
values
  ('volunteering_opportunities', 'draft', 'open'), ('volunteering_opportunities', 'draft', 'cancelled'),
  ('volunteering_opportunities', 'open', 'closed'), ('volunteering_opportunities', 'closed', 'open'),
  ('volunteering_opportunities', 'open', 'cancelled'), ('volunteering_opportunities', 'closed', 'cancelled'),
  ('volunteering_signups', 'applied', 'accepted'), ('volunteering_signups', 'applied', 'declined'),
  ('volunteering_signups', 'applied', 'withdrawn'), ('volunteering_signups', 'accepted', 'withdrawn'),
  ('volunteering_signups', 'accepted', 'declined'), ('volunteering_signups', 'declined', 'accepted'),
  ('volunteering_signups', 'withdrawn', 'applied'), ('volunteering_signups', 'withdrawn', 'accepted'),
  ('volunteering_hours', 'submitted', 'approved'), ('volunteering_hours', 'submitted', 'rejected'),
  ('volunteering_hours', 'submitted', 'withdrawn'), ('volunteering_hours', 'rejected', 'submitted'),
  ('volunteering_hours', 'rejected', 'withdrawn'), ('volunteering_hours', 'approved', 'revoked');
create trigger volunteering_opportunities_transition before update of status on public.volunteering_opportunities
  for each row execute function private.enforce_transition();
create trigger volunteering_opportunities_touch before update on public.volunteering_opportunities
  for each row execute function private.touch();
create trigger volunteering_signups_transition before update of status on public.volunteering_signups
  for each row execute function private.enforce_transition();
create trigger volunteering_signups_touch before update on public.volunteering_signups
  for each row execute function private.touch();
create trigger volunteering_hours_transition before update of status on public.volunteering_hours
  for each row execute function private.enforce_transition();
create trigger volunteering_hours_touch before update on public.volunteering_hours
  for each row execute function private.touch();

-- Row level security
create function private.volunteering_run()
returns setof uuid
language plpgsql
stable
security definer -- reads opportunities past their policies
rows 20
set search_path = ''
as $$
#variable_conflict use_column
declare
  v_me uuid := private.person();
  v_tenants uuid[] := array(select private.tenants_with('volunteering.read'));
begin
  return query
    select o.id from public.volunteering_opportunities o
    where o.tenant_id = any (v_tenants) and o.organiser_id = v_me
    union
    select o.id from public.volunteering_opportunities o
    where o.tenant_id = any (v_tenants) and o.group_id = any (array(select private.groups_moderated()))
    union
    select o.id from public.wallet_agents a
    join public.volunteering_opportunities o
      on o.tenant_id = a.tenant_id and o.organisation_id = a.organisation_id
    where a.tenant_id = any (v_tenants) and a.person_id = v_me;
end;
$$;
comment on function private.volunteering_run() is
  'Opportunities that the caller runs: as organiser, as moderator of the group, as agent of the organisation.';
grant execute on function private.volunteering_run() to authenticated, service_role;

alter table public.volunteering_signups enable row level security;
create policy volunteering_signups_select_concerned on public.volunteering_signups
  for select to authenticated
  using (
    tenant_id = any (array(select private.tenants_with('volunteering.read')))
    and (
      person_id = (select private.person())
      or opportunity_id = any (array(select private.volunteering_run()))
      or tenant_id = any (array(select private.tenants_with('volunteering.manage')))
    )
  );

alter table public.volunteering_opportunities enable row level security;
create policy volunteering_opportunities_select_member on public.volunteering_opportunities
  for select to authenticated
  using (
    tenant_id = any (array(select private.tenants_with('volunteering.read')))
    and (
      id = any (array(select private.volunteering_run()))
      or tenant_id = any (array(select private.tenants_with('volunteering.manage')))
      or (
        status <> 'draft' and removed_at is null
        and (
          group_id is null or group_id = any (array(select private.groups_mine()))
          or (
            group_id <> all (array(select private.groups_barred()))
            and exists (
              select from public.groups g
              where g.tenant_id = volunteering_opportunities.tenant_id and g.id = volunteering_opportunities.group_id
                and g.visibility = 'public' and g.status = 'active'
            )
          )
        )
      )
    )
  );

alter table public.volunteering_hours enable row level security;
create policy volunteering_hours_select_concerned on public.volunteering_hours
  for select to authenticated
  using (
    tenant_id = any (array(select private.tenants_with('volunteering.read')))
    and (
      person_id = (select private.person())
      or opportunity_id = any (array(select private.volunteering_run()))
      or tenant_id = any (array(select private.tenants_with('volunteering.manage')))
    )
  );

alter table public.volunteering_totals enable row level security;
create policy volunteering_totals_select_concerned on public.volunteering_totals
  for select to authenticated
  using (
    tenant_id = any (array(select private.tenants_with('volunteering.read')))
    and (
      person_id = (select private.person())
      or tenant_id = any (array(select private.tenants_with('volunteering.manage')))
    )
  );

grant select on
  public.volunteering_opportunities, public.volunteering_signups, public.volunteering_hours, public.volunteering_totals
to authenticated, service_role;
