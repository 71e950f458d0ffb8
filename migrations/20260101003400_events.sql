-- Events: what a tenant or a group meets for. An event has one occurrence, or a rule (RFC 5545) by
-- which the worker makes a rolling window of them; from then on the rows are the truth, exceptions
-- included. Local time and time zone are what people mean; the instant is worked out here.

insert into private.audit_actions (name, description)
values
  ('EVENT_CREATED', 'An event was made'),
  ('EVENT_CHANGED', 'An event was changed, moved or cancelled'),
  ('EVENT_CHECKED_IN', 'Somebody was checked in at an event'),
  ('EVENT_FEED_CREATED', 'Somebody made a calendar address');

select private.declare_permission('events.read', 'See events', array['admin', 'staff', 'member']);
select private.declare_permission('events.join', 'Say that one comes to events', array['admin', 'staff', 'member']);
select private.declare_permission('events.create', 'Make events', array['admin', 'staff', 'member']);
select private.declare_permission('events.manage', 'Change events of others', array['admin', 'staff']);

create table public.events (
  tenant_id uuid not null references public.tenants (id) on delete restrict,
  id uuid not null default private.uuid_v7(),
  group_id uuid,
  organiser_id uuid not null,
  title text check (char_length(btrim(title)) between 1 and 200),
  description text check (char_length(description) <= 10000),
  place text check (char_length(place) <= 500),
  starts_local timestamp not null,
  minutes integer not null check (minutes between 1 and 44640),
  time_zone text not null,
  rule text,
  capacity integer check (capacity between 1 and 100000),
  waitlist boolean not null default true,
  offer_minutes integer not null default 1440 check (offer_minutes between 5 and 10080),
  status text not null default 'scheduled' check (status in ('scheduled', 'cancelled')),
  expanded_until timestamp,
  removed_at timestamptz,
  version integer not null default 1,
  created_at timestamptz not null default now(),
  updated_at timestamptz not null default now(),
  primary key (tenant_id, id),
  check (title is not null or removed_at is not null),
  foreign key (tenant_id, group_id) references public.groups (tenant_id, id) on delete cascade,
  foreign key (tenant_id, organiser_id) references public.members (tenant_id, person_id) on delete restrict
);
comment on table public.events is
  'Events of a tenant or of a group, which then says who sees them.';
comment on column public.events.starts_local is 'On the clocks of time_zone: what stays when these change.';
comment on column public.events.rule is 'An RRULE of RFC 5545; null: it takes place once.';
comment on column public.events.capacity is 'Of each occurrence; null: as many as come.';
comment on column public.events.offer_minutes is 'How long somebody from the waiting list has to take a seat.';
comment on column public.events.expanded_until is 'Up to when its occurrences have been made; infinity: all of them.';
comment on column public.events.removed_at is 'Since when moderation keeps it from everybody.';
create index events_group on public.events (tenant_id, group_id) where group_id is not null;
create index events_organiser on public.events (tenant_id, organiser_id);
create index events_recurring on public.events (expanded_until) 
  where rule is not null and status = 'scheduled' and removed_at is null;

create table public.events_occurrences (
  tenant_id uuid not null,
  id uuid not null default private.uuid_v7(),
  event_id uuid not null,
  recurrence_id timestamp not null,
  starts_at timestamptz not null,
  ends_at timestamptz not null,
  place text check (char_length(place) <= 500),
  moved boolean not null default false,
  status text not null default 'scheduled' check (status in ('scheduled', 'cancelled')),
  capacity integer,
  taken integer not null default 0 check (taken >= 0),
  waiting integer not null default 0 check (waiting >= 0),
  sequence integer not null default 0,
  created_at timestamptz not null default now(),
  updated_at timestamptz not null default now(),
  primary key (tenant_id, id),
  unique (tenant_id, event_id, recurrence_id) deferrable initially immediate,
  check (ends_at > starts_at),
  check (taken <= capacity),
  foreign key (tenant_id, event_id) references public.events (tenant_id, id) on delete cascade
) with (fillfactor = 80); -- its counters change with every answer
comment on table public.events_occurrences is
  'Each time an event takes place. What was moved or cancelled by itself stays so whatever the rule says.';
comment on column public.events_occurrences.recurrence_id is 'The local time the rule gave it, by which it is known (RECURRENCE-ID).';
comment on column public.events_occurrences.place is 'Where this one takes place; null: where the event does.';
comment on column public.events_occurrences.taken is 'Seats of those who come and those offered to the waiting list.';
comment on column public.events_occurrences.sequence is 'Counts changes that calendars are to show (SEQUENCE).';
create index events_occurrences_time on public.events_occurrences (tenant_id, starts_at, id);
create index events_occurrences_free on public.events_occurrences (starts_at)
  where waiting > 0 and (capacity is null or taken < capacity);

create table public.events_attendances (
  tenant_id uuid not null,
  occurrence_id uuid not null,
  person_id uuid not null,
  event_id uuid not null,
  status text not null check (status in ('going', 'maybe', 'declined', 'waiting', 'offered', 'lapsed')),
  queued_at timestamptz,
  offer_expires_at timestamptz,
  remind_minutes integer default 1440 check (remind_minutes between 5 and 40320),
  remind_at timestamptz,
  checked_in_at timestamptz,
  checked_in_by uuid,
  check_in_id text check (char_length(check_in_id) between 1 and 64),
  created_at timestamptz not null default now(),
  updated_at timestamptz not null default now(),
  primary key (tenant_id, occurrence_id, person_id),
  check ((status = 'waiting') = (queued_at is not null)),
  check ((status = 'offered') = (offer_expires_at is not null)),
  check (checked_in_at is null or status = 'going'),
  foreign key (tenant_id, occurrence_id) references public.events_occurrences (tenant_id, id) on delete cascade,
  foreign key (tenant_id, person_id) references public.members (tenant_id, person_id) on delete restrict
);
comment on table public.events_attendances is
  'Who comes to an occurrence, may come or does not; who waits for a seat, and to whom one is offered until when.';
comment on column public.events_attendances.remind_minutes is 'How long before it they want to be reminded; null: not.';
comment on column public.events_attendances.remind_at is 'When the reminder is due; null once told.';
comment on column public.events_attendances.check_in_id is 'The checking device''s own id of the act: sent again, it is the same one.';
create index events_attendances_person on public.events_attendances (tenant_id, person_id, occurrence_id);
create index events_attendances_waiting on public.events_attendances (tenant_id, occurrence_id, queued_at)
  where status = 'waiting';
create index events_attendances_offers on public.events_attendances (offer_expires_at) where status = 'offered';
create index events_attendances_reminders on public.events_attendances (remind_at) where remind_at is not null;

create table private.events_codes (
  tenant_id uuid not null,
  occurrence_id uuid not null,
  person_id uuid not null,
  code text not null,
  primary key (tenant_id, occurrence_id, person_id),
  unique (tenant_id, occurrence_id, code),
  foreign key (tenant_id, occurrence_id, person_id)
    references public.events_attendances (tenant_id, occurrence_id, person_id) on delete cascade
);
comment on table private.events_codes is 'What somebody shows at the door: good for themselves, this occurrence and once.';

create table private.events_feeds (
  tenant_id uuid not null,
  id uuid not null default private.uuid_v7(),
  person_id uuid not null,
  group_id uuid,
  token_hash bytea not null,
  created_at timestamptz not null default now(),
  primary key (tenant_id, id),
  unique nulls not distinct (tenant_id, person_id, group_id),
  unique (tenant_id, token_hash),
  foreign key (tenant_id, person_id) references public.members (tenant_id, person_id) on delete restrict,
  foreign key (tenant_id, group_id) references public.groups (tenant_id, id) on delete cascade
);
comment on table private.events_feeds is
  'Calendars that programs fetch by a secret address: of a person''s own events, or of a group''s. Known by a hash alone.';
create index events_feeds_group on private.events_feeds (tenant_id, group_id) where group_id is not null;

insert into private.transitions (machine, from_state, to_state)
select split_part(step, ':', 1), split_part(split_part(step, ':', 2), '>', 1), split_part(step, '>', 2)
from unnest(array[
  'events:scheduled>cancelled', 'events:cancelled>scheduled',
  'events_occurrences:scheduled>cancelled', 'events_occurrences:cancelled>scheduled',
  'events_attendances:going>maybe', 'events_attendances:going>declined',
  'events_attendances:maybe>going', 'events_attendances:maybe>declined', 'events_attendances:maybe>waiting',
  'events_attendances:declined>going', 'events_attendances:declined>maybe', 'events_attendances:declined>waiting',
  'events_attendances:waiting>offered', 'events_attendances:waiting>maybe', 'events_attendances:waiting>declined',
  'events_attendances:waiting>going', 'events_attendances:offered>going', 'events_attendances:offered>maybe',
  'events_attendances:offered>declined', 'events_attendances:offered>lapsed', 'events_attendances:lapsed>going',
  'events_attendances:lapsed>maybe', 'events_attendances:lapsed>declined', 'events_attendances:lapsed>waiting'
]) step;
create trigger events_transition before update of status on public.events
  for each row execute function private.enforce_transition();
create trigger events_occurrences_transition before update of status on public.events_occurrences
  for each row execute function private.enforce_transition();
create trigger events_attendances_transition before update of status on public.events_attendances
  for each row execute function private.enforce_transition();
create trigger events_version before update of title, description, place, starts_local, minutes, time_zone, rule,
  capacity, waitlist, offer_minutes, status on public.events
  for each row execute function private.bump_version();
create trigger events_occurrences_touch before update of starts_at, ends_at, place, status, sequence
  on public.events_occurrences
  for each row execute function private.touch();
create trigger events_attendances_touch before update on public.events_attendances
  for each row execute function private.touch();

-- Row level security: an event is seen by whoever reads in its group, or by the tenant; who comes, by
-- whoever sees the event; who waits or declined, by themselves and who organises.
alter table public.events enable row level security;
create policy events_select_reader on public.events
  for select to authenticated
  using (
    tenant_id = any (array(select private.tenants_with('events.read')))
    and removed_at is null
    and (
      group_id is null
      or group_id = any (array(select private.groups_mine()))
      or (
        group_id <> all (array(select private.groups_barred()))
        and exists (
          select from public.groups g
          where g.tenant_id = events.tenant_id and g.id = events.group_id
            and g.visibility = 'public' and g.status = 'active'
        )
      )
    )
  );

alter table public.events_occurrences enable row level security;
create policy events_occurrences_select_reader on public.events_occurrences
  for select to authenticated
  using (
    tenant_id = any (array(select private.tenants_with('events.read')))
    and exists (
      select from public.events e
      where e.tenant_id = events_occurrences.tenant_id and e.id = events_occurrences.event_id
    )
  );

alter table public.events_attendances enable row level security;
create policy events_attendances_select_reader on public.events_attendances
  for select to authenticated
  using (
    tenant_id = any (array(select private.tenants_with('events.read')))
    and (
      person_id = (select private.person())
      or exists (
        select from public.events e
        where e.tenant_id = events_attendances.tenant_id and e.id = events_attendances.event_id
          and (
            events_attendances.status = 'going'
            or e.organiser_id = (select private.person())
            or e.group_id = any (array(select private.groups_moderated()))
          )
      )
    )
  );
grant select on public.events, public.events_occurrences, public.events_attendances to authenticated, service_role;
