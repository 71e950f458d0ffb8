-- Newsletters: what a community writes to many of its members. One newsletter is an issue: its words,
-- whom it goes to, when, and what became of it. Who may get it, refuses it or bounced is asked by
-- notifications at the sending of each mail.

select private.declare_permission(
  'newsletters.read', 'See newsletters, whom they go to and what became of them', array['admin', 'staff']
);
select private.declare_permission(
  'newsletters.write', 'Write newsletters, templates and segments', array['admin', 'staff']
);
select private.declare_permission('newsletters.send', 'Have newsletters sent, or stopped', array['admin']);
select private.declare_permission(
  'newsletters.receive', 'Get newsletters', array['admin', 'staff', 'member', 'guest']
);

select private.declare_notification('newsletters.issue', inbox => null, push => null);
select private.declare_notification('newsletters.test', inbox => null, push => null);
select private.declare_notification('newsletters.stopped', push => 'instant');

insert into private.audit_actions (name, description)
values
  ('NEWSLETTER_MOVED', 'A newsletter was scheduled, sent, stopped, resumed or cancelled'),
  ('NEWSLETTER_AUDIENCE_CHANGED', 'A segment, a sequence or a recurring newsletter was changed'),
  ('NEWSLETTER_CONSENT_CHANGED', 'Somebody said whether it may be noted that they read a newsletter');

-- Whom they go to
create table public.newsletters_segments (
  tenant_id uuid not null references public.tenants (id) on delete cascade,
  id uuid not null default private.uuid_v7(),
  name text not null check (char_length(btrim(name)) between 1 and 80),
  criteria jsonb not null,
  created_at timestamptz not null default now(),
  updated_at timestamptz not null default now(),
  primary key (tenant_id, id),
  unique (tenant_id, name)
);
comment on table public.newsletters_segments is
  'Members by what they have in common: a list of criteria, all of which hold. Who is in it is asked when it is used.';
create trigger newsletters_segments_touch before update on public.newsletters_segments
  for each row execute function private.touch();

create table public.newsletters_tags (
  tenant_id uuid not null,
  tag text not null check (tag ~ '^[a-z0-9][a-z0-9_-]{0,39}$'),
  person_id uuid not null,
  created_at timestamptz not null default now(),
  primary key (tenant_id, tag, person_id),
  foreign key (tenant_id, person_id) references public.members (tenant_id, person_id) on delete cascade
);
comment on table public.newsletters_tags is 'Labels that those who write newsletters give to members, to write to them by.';
create index newsletters_tags_person on public.newsletters_tags (tenant_id, person_id);

-- Words to start from
create table public.newsletters_templates (
  tenant_id uuid not null references public.tenants (id) on delete cascade,
  id uuid not null default private.uuid_v7(),
  name text not null check (char_length(btrim(name)) between 1 and 80),
  content jsonb not null,
  version integer not null default 1,
  created_at timestamptz not null default now(),
  updated_at timestamptz not null default now(),
  primary key (tenant_id, id),
  unique (tenant_id, name)
);
comment on table public.newsletters_templates is
  'Documents to begin a newsletter with: { subject, preview, greeting, blocks }, text alone and no HTML.';
create trigger newsletters_templates_version before update on public.newsletters_templates
  for each row execute function private.bump_version();

-- Newsletters that come again
create table public.newsletters_recurring (
  tenant_id uuid not null references public.tenants (id) on delete cascade,
  id uuid not null default private.uuid_v7(),
  name text not null check (char_length(btrim(name)) between 1 and 80),
  content jsonb not null,
  segment_id uuid,
  cron text not null,
  active boolean not null default true,
  next_at timestamptz not null,
  last_at timestamptz,
  created_by uuid not null,
  created_at timestamptz not null default now(),
  updated_at timestamptz not null default now(),
  primary key (tenant_id, id),
  foreign key (tenant_id, segment_id) references public.newsletters_segments (tenant_id, id) on delete restrict
);
comment on table public.newsletters_recurring is
  'Newsletters that are made anew when a cron expression falls due on the clocks of the tenant. {date} in the subject is the day.';
create index newsletters_recurring_due on public.newsletters_recurring (next_at) where active;
create index newsletters_recurring_segment on public.newsletters_recurring (tenant_id, segment_id);
create trigger newsletters_recurring_touch before update on public.newsletters_recurring
  for each row execute function private.touch();

-- Newsletters
create table public.newsletters (
  tenant_id uuid not null references public.tenants (id) on delete cascade,
  id uuid not null default private.uuid_v7(),
  name text not null check (char_length(btrim(name)) between 1 and 120),
  content jsonb not null,
  segment_id uuid,
  subjects text[] not null default '{}' check (cardinality(subjects) <= 3),
  test_share integer not null default 20 check (test_share between 5 and 50),
  test_hours integer not null default 4 check (test_hours between 1 and 72),
  status text not null default 'draft'
    check (status in ('draft', 'scheduled', 'sending', 'paused', 'sent', 'cancelled')),
  paused_for text check (paused_for in ('asked', 'bounces')),
  send_at timestamptz,
  local_time timestamp,
  winner_id uuid,
  recurring_id uuid,
  enlisted_to uuid,
  enlisted boolean not null default false,
  started_at timestamptz,
  ended_at timestamptz,
  created_by uuid not null,
  version integer not null default 1,
  created_at timestamptz not null default now(),
  updated_at timestamptz not null default now(),
  primary key (tenant_id, id),
  foreign key (tenant_id, segment_id) references public.newsletters_segments (tenant_id, id) on delete restrict,
  foreign key (tenant_id, recurring_id)
    references public.newsletters_recurring (tenant_id, id) on delete set null (recurring_id),
  check ((status = 'paused') = (paused_for is not null)),
  check (local_time is null or cardinality(subjects) = 0)
);
comment on table public.newsletters is 'One issue of a newsletter: draft, scheduled, sending, paused, sent or cancelled.';
comment on column public.newsletters.segment_id is 'Null: every active member.';
comment on column public.newsletters.subjects is
  'Other subjects than that of the content, tried on test_share percent of the readers; the rest get the one that was opened most after test_hours.';
comment on column public.newsletters.send_at is 'When the first mail leaves.';
comment on column public.newsletters.enlisted is
  'Whether all its readers were found; enlisted_to: up to which person, so that many are found in bounded steps.';
comment on column public.newsletters.local_time is 'The time on the clocks of each reader; null: at send_at for all.';
create index newsletters_status on public.newsletters (tenant_id, status, id);
create index newsletters_due on public.newsletters (send_at) where status in ('scheduled', 'sending');
create index newsletters_calendar on public.newsletters (tenant_id, send_at);
create index newsletters_segment on public.newsletters (tenant_id, segment_id);
create index newsletters_of_recurring on public.newsletters (tenant_id, recurring_id);

insert into private.transitions (machine, from_state, to_state)
select 'newsletters', split_part(step, '>', 1), split_part(step, '>', 2)
from unnest(array[
  'draft>scheduled', 'draft>cancelled', 'scheduled>draft', 'scheduled>sending', 'scheduled>cancelled',
  'sending>sent', 'sending>paused', 'sending>cancelled', 'paused>sending', 'paused>cancelled'
]) step;
create trigger newsletters_transition before update of status on public.newsletters
  for each row execute function private.enforce_transition();
create trigger newsletters_version before update of name, content, segment_id, subjects, test_share, test_hours
  on public.newsletters for each row execute function private.bump_version();

-- What is mailed: the issue under each of its subjects
create table public.newsletters_variants (
  tenant_id uuid not null,
  id uuid not null default private.uuid_v7(),
  newsletter_id uuid not null,
  place integer not null,
  subject text not null,
  links text[] not null,
  recipients integer not null default 0,
  sent integer not null default 0,
  delivered integer not null default 0,
  opened integer not null default 0,
  clicked integer not null default 0,
  bounced integer not null default 0,
  complained integer not null default 0,
  skipped integer not null default 0,
  unsubscribed integer not null default 0,
  primary key (tenant_id, id),
  unique (tenant_id, newsletter_id, place),
  foreign key (tenant_id, newsletter_id) references public.newsletters (tenant_id, id) on delete cascade
) with (fillfactor = 70);
comment on table public.newsletters_variants is
  'A newsletter under one of its subjects, as a document of notifications under the same id, and its figures, kept as sums.';
comment on column public.newsletters_variants.links is 'Where its links lead: a click names a place in this list, never an address.';
comment on column public.newsletters_variants.opened is
  'By how many who let it be noted. clicked counts every click.';

-- Who gets it: each once
create table private.newsletters_recipients (
  tenant_id uuid not null,
  newsletter_id uuid not null,
  person_id uuid not null,
  variant_id uuid,
  due_at timestamptz not null,
  handed_at timestamptz,
  opened_at timestamptz,
  primary key (tenant_id, newsletter_id, person_id),
  foreign key (tenant_id, newsletter_id) references public.newsletters (tenant_id, id) on delete cascade
);
comment on table private.newsletters_recipients is
  'The readers of an issue as they were found when it began, each once. variant_id null: they get the winner.';
create index newsletters_recipients_due on private.newsletters_recipients (tenant_id, newsletter_id, due_at)
  where handed_at is null;
create index newsletters_recipients_person on private.newsletters_recipients (tenant_id, person_id, handed_at);

create table private.newsletters_marks (
  tenant_id uuid not null,
  id uuid not null default private.uuid_v7(),
  variant_id uuid not null,
  what text not null check (what in (
    'sent', 'delivered', 'opened', 'clicked', 'bounced', 'complained', 'skipped', 'unsubscribed'
  )),
  primary key (tenant_id, id)
);
comment on table private.newsletters_marks is
  'What is still to be added to the sums: thousands of mails that end at once do not wait for one row.';
create index newsletters_marks_variant on private.newsletters_marks (tenant_id, variant_id);

create table private.newsletters_consents (
  tenant_id uuid not null,
  person_id uuid not null,
  given_at timestamptz not null default now(),
  primary key (tenant_id, person_id),
  foreign key (tenant_id, person_id) references public.members (tenant_id, person_id) on delete cascade
);
comment on table private.newsletters_consents is 'Members who let it be noted that they opened a newsletter. No row: nothing is.';
