-- Moderation: a report makes or joins a case, a moderator decides it, who is concerned may appeal, and
-- somebody else decides that. What can be reported is declared by the capability it belongs to.

insert into private.audit_actions (name, description)
values
  ('MODERATION_REPORTED', 'Something was reported to the moderators'),
  ('MODERATION_DECIDED', 'A moderator decided a case'),
  ('MODERATION_APPEALED', 'A decision was appealed'),
  ('MODERATION_APPEAL_DECIDED', 'An appeal was decided');

select private.declare_permission(
  'moderation.report', 'Report what breaks the rules', array['admin', 'staff', 'member', 'guest']
);
select private.declare_permission('moderation.review', 'See reports and decide them', array['admin', 'staff']);

select private.declare_notification('moderation.reported', group_key => 'case_id');
select private.declare_notification('moderation.' || what)
from unnest(array['decided', 'closed', 'appealed', 'appeal_decided']) what;

-- What can be reported
create type private.moderation_subject as (author_id uuid, excerpt text, moderators uuid[]);
comment on type private.moderation_subject is
  'What a capability says of a thing that is reported: whose it is, what it says, and who moderates there beside the tenant''s moderators.';

create table private.moderation_kinds (
  kind text primary key check (kind ~ '^[a-z_]+\.[a-z_]+$'),
  describe name not null,
  remove name not null,
  restore name not null,
  place name
);
comment on table private.moderation_kinds is
  'Kinds of things that can be reported, and the private functions of their capability that moderation calls.';

create function private.declare_reportable(
  kind text, describe name, remove name, restore name, place name default null
)
returns void
language sql
volatile
security invoker
set search_path = ''
as $$
  insert into private.moderation_kinds (kind, describe, remove, restore, place)
  values (
    declare_reportable.kind, declare_reportable.describe, declare_reportable.remove, declare_reportable.restore,
    declare_reportable.place
  );
$$;
comment on function private.declare_reportable(text, name, name, name, name) is
  'For migrations: a kind of thing that can be reported, with functions in private: describe(tenant_id, subject, reporter) returns moderation_subject, null for what the reporter does not see; remove(tenant_id, subject) returns jsonb, what restoring needs; restore(tenant_id, subject, jsonb); and place(tenant_id, subject), where it may stand in a group: whose moderators decide it, too; null: in none.';

-- Cases
create table public.moderation_cases (
  tenant_id uuid not null references public.tenants (id) on delete restrict,
  id uuid not null default private.uuid_v7(),
  kind text not null references private.moderation_kinds (kind),
  subject_id uuid not null,
  author_id uuid not null,
  place_id uuid,
  excerpt text check (char_length(excerpt) <= 500),
  status text not null default 'open'
    check (status in ('open', 'dismissed', 'actioned', 'appealed', 'upheld', 'overturned')),
  reports integer not null default 0,
  action text check (action in ('warn', 'remove', 'suspend')),
  decided_by uuid,
  decided_at timestamptz,
  note text check (char_length(note) <= 2000),
  appeal text check (char_length(appeal) <= 4000),
  appealed_at timestamptz,
  appeal_decided_by uuid,
  appeal_decided_at timestamptz,
  appeal_note text check (char_length(appeal_note) <= 2000),
  created_at timestamptz not null default now(),
  updated_at timestamptz not null default now(),
  primary key (tenant_id, id)
);
comment on table public.moderation_cases is
  'Reported things: what they said when they were reported, and what was decided. Moderators see all; the author what was decided about theirs.';
comment on column public.moderation_cases.place_id is 'The group it stands in: its moderators see the case and decide it, too.';
comment on column public.moderation_cases.note is 'The reason, as the author reads it.';
create unique index moderation_cases_open on public.moderation_cases (tenant_id, kind, subject_id)
  where status = 'open';
create index moderation_cases_queue on public.moderation_cases (tenant_id, status, id);
create index moderation_cases_author on public.moderation_cases (tenant_id, author_id);
create index moderation_cases_place on public.moderation_cases (tenant_id, place_id, status, id)
  where place_id is not null;
create index moderation_cases_kind on public.moderation_cases (kind);

insert into private.transitions (machine, from_state, to_state)
values
  ('moderation_cases', 'open', 'dismissed'), ('moderation_cases', 'open', 'actioned'),
  ('moderation_cases', 'actioned', 'appealed'), ('moderation_cases', 'appealed', 'upheld'),
  ('moderation_cases', 'appealed', 'overturned');
create trigger moderation_cases_transition before update of status on public.moderation_cases
  for each row execute function private.enforce_transition();
create trigger moderation_cases_touch before update on public.moderation_cases
  for each row execute function private.touch();

create table public.moderation_reports (
  tenant_id uuid not null,
  id uuid not null default private.uuid_v7(),
  case_id uuid not null,
  reporter_id uuid not null,
  reason text not null check (reason in (
    'spam', 'harassment', 'hate', 'sexual', 'violence', 'self_harm', 'fraud', 'privacy', 'other'
  )),
  note text check (char_length(note) <= 1000),
  created_at timestamptz not null default now(),
  primary key (tenant_id, id),
  unique (tenant_id, case_id, reporter_id),
  foreign key (tenant_id, case_id) references public.moderation_cases (tenant_id, id) on delete cascade
);
comment on table public.moderation_reports is 'Who reported a thing and why: known to them and to moderators, never to its author.';
create index moderation_reports_reporter on public.moderation_reports (tenant_id, reporter_id);

create table private.moderation_kept (
  tenant_id uuid not null,
  case_id uuid not null,
  snapshot jsonb not null,
  created_at timestamptz not null default now(),
  primary key (tenant_id, case_id),
  foreign key (tenant_id, case_id) references public.moderation_cases (tenant_id, id) on delete cascade
);
comment on table private.moderation_kept is
  'What was removed, as long as an appeal could bring it back: 30 days, or until the appeal is decided.';

-- Row level security
alter table public.moderation_cases enable row level security;
create policy moderation_cases_select_concerned on public.moderation_cases
  for select to authenticated
  using (
    tenant_id = any (array(select private.tenants_with('moderation.review')))
    or (
      tenant_id = any (array(select private.tenants_with('tenants.read')))
      and author_id = (select private.person()) and status not in ('open', 'dismissed')
    )
  );

alter table public.moderation_reports enable row level security;
create policy moderation_reports_select_reporter on public.moderation_reports
  for select to authenticated
  using (
    tenant_id = any (array(select private.tenants_with('moderation.review')))
    or (
      tenant_id = any (array(select private.tenants_with('tenants.read')))
      and reporter_id = (select private.person())
    )
  );
grant select on public.moderation_cases, public.moderation_reports to authenticated, service_role;

create function private.moderation_on_person_erased()
returns trigger
language plpgsql
volatile
security definer -- people may not write cases
set search_path = ''
as $$
#variable_conflict use_column
begin
  delete from private.moderation_kept k using public.moderation_cases c
  where c.tenant_id = k.tenant_id and c.id = k.case_id and c.author_id = new.id
    and c.tenant_id = any (array(select m.tenant_id from public.members m where m.person_id = new.id));
  update public.moderation_cases c set excerpt = null, appeal = null, note = null, appeal_note = null
  where c.author_id = new.id
    and c.tenant_id = any (array(select m.tenant_id from public.members m where m.person_id = new.id));
  update public.moderation_reports r set note = null
  where r.reporter_id = new.id
    and r.tenant_id = any (array(select m.tenant_id from public.members m where m.person_id = new.id));
  return null;
end;
$$;
comment on function private.moderation_on_person_erased() is
  'After a person is erased: that there was a case stays, what anybody wrote in it about or by them goes.';

create trigger moderation_on_person_erased after update of erased_at on public.people
  for each row when (old.erased_at is null and new.erased_at is not null)
  execute function private.moderation_on_person_erased();

select private.declare_metric(
  'moderation_cases_open', 'gauge', 'Cases that wait for a moderator, appeals included.',
  $$select count(*) as value, '{}'::jsonb as labels from public.moderation_cases c
    where c.status in ('open', 'appealed')$$
);
