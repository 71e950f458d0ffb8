-- Abuse: rules that look at payments every hour. What they find makes or joins a case; a reviewer decides
-- it, whom it is about reads why, and may object.

insert into private.audit_actions (name, description)
values
  ('ABUSE_RULE_CHANGED', 'An admin changed a rule against abuse'),
  ('ABUSE_CASE_DECIDED', 'A reviewer decided a case of abuse'),
  ('ABUSE_APPEALED', 'A member objected to a case of abuse'),
  ('ABUSE_APPEAL_DECIDED', 'An objection to a case of abuse was decided');

select private.declare_permission(
  'abuse.read', 'See what was found about oneself, and object', array['admin', 'staff', 'member', 'guest']
);
select private.declare_permission(
  'abuse.review', 'See what the rules found about others, and decide it', array['admin', 'staff'],
  own_cases => false
);
select private.declare_permission('abuse.manage', 'Set the rules against abuse', array['admin']);

select private.declare_notification('abuse.' || what)
from unnest(array['found', 'decided', 'appealed', 'appeal_decided']) what;

-- Rules
create table private.abuse_usual_rules (
  rule text primary key,
  minutes bigint not null,
  times integer,
  hours integer
);
comment on table private.abuse_usual_rules is 'The rules of a new tenant.';
insert into private.abuse_usual_rules (rule, minutes, times, hours)
values
  ('large_transfer', 3000, null, null), ('many_transfers', 1, 10, 1), ('circular', 60, null, 24),
  ('idle_balance', 600, null, 2160);

create table public.abuse_rules (
  tenant_id uuid not null references public.tenants (id) on delete restrict,
  rule text not null references private.abuse_usual_rules (rule),
  minutes bigint not null check (minutes between 1 and 1000000),
  times integer check (times between 2 and 1000),
  hours integer check (hours between 1 and 8760),
  active boolean not null default true,
  updated_at timestamptz not null default now(),
  primary key (tenant_id, rule)
);
comment on table public.abuse_rules is
  'What a tenant looks for. large_transfer: a payment of so many minutes; many_transfers: so many times within so many hours; circular: minutes that come back within so many hours, by two or three hands; idle_balance: a balance nobody touched for so many hours. A payment is a transfer, a captured hold or a settlement, those of exchanges too.';
create index abuse_rules_rule on public.abuse_rules (rule);
create trigger abuse_rules_touch before update on public.abuse_rules
  for each row execute function private.touch();

create function private.abuse_on_module_on()
returns trigger
language plpgsql
volatile
security definer -- clients may not write the rules
set search_path = ''
as $$
begin
  insert into public.abuse_rules (tenant_id, rule, minutes, times, hours)
  select new.id, u.rule, u.minutes, u.times, u.hours from private.abuse_usual_rules u
  on conflict do nothing;
  return null;
end;
$$;
comment on function private.abuse_on_module_on() is 'After the module was switched on: the usual rules, for the tenant to change.';
create trigger abuse_on_tenant_made after insert on public.tenants
  for each row when ('abuse' = any (new.modules)) execute function private.abuse_on_module_on();
create trigger abuse_on_module_on after update of modules on public.tenants
  for each row when ('abuse' = any (new.modules) and not 'abuse' = any (old.modules))
  execute function private.abuse_on_module_on();

-- Cases
create table public.abuse_cases (
  tenant_id uuid not null,
  id uuid not null default private.uuid_v7(),
  rule text not null,
  person_id uuid not null,
  status text not null default 'open'
    check (status in ('open', 'dismissed', 'confirmed', 'appealed', 'upheld', 'overturned')),
  findings integer not null default 0,
  action text check (action in ('confirm', 'warn', 'suspend')),
  note text check (char_length(note) between 1 and 1000),
  decided_by uuid,
  decided_at timestamptz,
  appeal text check (char_length(appeal) between 1 and 4000),
  appealed_at timestamptz,
  appeal_note text check (char_length(appeal_note) between 1 and 1000),
  appeal_decided_by uuid,
  created_at timestamptz not null default now(),
  updated_at timestamptz not null default now(),
  primary key (tenant_id, id),
  foreign key (tenant_id, rule) references public.abuse_rules (tenant_id, rule) on delete restrict,
  foreign key (tenant_id, person_id) references public.members (tenant_id, person_id) on delete restrict
);
comment on table public.abuse_cases is
  'What the rules found about a member, and what was decided. Reviewers see all; the member theirs, once decided against them.';
comment on column public.abuse_cases.note is 'The reason, as the member reads it.';
create unique index abuse_cases_open on public.abuse_cases (tenant_id, person_id, rule) where status = 'open';
create index abuse_cases_queue on public.abuse_cases (tenant_id, status, id);
create index abuse_cases_rule on public.abuse_cases (tenant_id, rule);
create index abuse_cases_person on public.abuse_cases (tenant_id, person_id);
insert into private.transitions (machine, from_state, to_state)
values
  ('abuse_cases', 'open', 'dismissed'), ('abuse_cases', 'open', 'confirmed'),
  ('abuse_cases', 'confirmed', 'appealed'), ('abuse_cases', 'appealed', 'upheld'),
  ('abuse_cases', 'appealed', 'overturned');
create trigger abuse_cases_transition before update of status on public.abuse_cases
  for each row execute function private.enforce_transition();
create trigger abuse_cases_touch before update on public.abuse_cases
  for each row execute function private.touch();

create table public.abuse_findings (
  tenant_id uuid not null,
  id uuid not null default private.uuid_v7(),
  case_id uuid not null,
  person_id uuid not null,
  rule text not null,
  finding text not null check (char_length(finding) <= 100),
  facts jsonb not null,
  created_at timestamptz not null default now(),
  primary key (tenant_id, id),
  unique (tenant_id, person_id, rule, finding),
  foreign key (tenant_id, case_id) references public.abuse_cases (tenant_id, id) on delete cascade
);
comment on table public.abuse_findings is 'What made a case, each once for good: found again, it opens nothing anew.';
comment on column public.abuse_findings.facts is
  'Ids, numbers and times, the rule''s own limits among them: what a reader needs to see why.';
create index abuse_findings_case on public.abuse_findings (tenant_id, case_id, id);

create table private.abuse_progress (
  tenant_id uuid primary key references public.tenants (id) on delete cascade,
  looked_at timestamptz not null,
  transfer_id uuid not null,
  account_id uuid not null default uuid '00000000-0000-0000-0000-000000000000'
);
comment on table private.abuse_progress is
  'When the rules looked last, and how far: at payments up to one for good, at balances up to an account.';

-- Row level security
alter table public.abuse_rules enable row level security;
create policy abuse_rules_select_member on public.abuse_rules
  for select to authenticated
  using (tenant_id = any (array(select private.tenants_with('abuse.read'))));

alter table public.abuse_cases enable row level security;
create policy abuse_cases_select_concerned on public.abuse_cases
  for select to authenticated
  using (
    (
      tenant_id = any (array(select private.tenants_with('abuse.review')))
      and person_id <> (select private.person())
    ) or (
      tenant_id = any (array(select private.tenants_with('abuse.read')))
      and person_id = (select private.person()) and status not in ('open', 'dismissed')
    )
  );

alter table public.abuse_findings enable row level security;
create policy abuse_findings_select_concerned on public.abuse_findings
  for select to authenticated
  using (
    (
      tenant_id = any (array(select private.tenants_with('abuse.review')))
      or tenant_id = any (array(select private.tenants_with('abuse.read')))
    ) and exists (
      select from public.abuse_cases c -- as far as the caller may see them
      where c.tenant_id = abuse_findings.tenant_id and c.id = abuse_findings.case_id
    )
  );
grant select on public.abuse_rules, public.abuse_cases, public.abuse_findings to authenticated, service_role;

create function private.abuse_on_person_erased()
returns trigger
language plpgsql
volatile
security definer -- people may not write cases
set search_path = ''
as $$
#variable_conflict use_column
begin
  update public.abuse_cases c set note = null, appeal = null, appeal_note = null
  where c.person_id = new.id
    and c.tenant_id = any (array(select m.tenant_id from public.members m where m.person_id = new.id));
  return null;
end;
$$;
comment on function private.abuse_on_person_erased() is
  'After a person is erased: that there was a case stays, what anybody wrote in it goes.';
create trigger abuse_on_person_erased after update of erased_at on public.people
  for each row when (old.erased_at is null and new.erased_at is not null)
  execute function private.abuse_on_person_erased();

select private.declare_metric(
  'abuse_cases_open', 'gauge', 'Cases of abuse that wait for a reviewer, appeals included.',
  $$select count(*) as value, '{}'::jsonb as labels from public.abuse_cases c
    where c.status in ('open', 'appealed')$$
);
