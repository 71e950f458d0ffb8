-- Notifications: what people are told. Whoever has something to say calls private.notify in the
-- transaction of the act; where and when it reaches the person is decided here, by what they chose.

insert into private.audit_actions (name, description)
values
  ('NOTIFICATION_SETTING_CHANGED', 'Somebody changed which notices reach them, and how'),
  ('NOTIFICATION_ADDRESS_RELEASED', 'An address that gets no mail gets mail again');

select private.declare_permission(
  'notifications.read', 'Get notices of the tenant', array['admin', 'staff', 'member', 'guest']
);

-- Kinds: written by the capabilities' migrations
create table private.notifications_kinds (
  kind text primary key check (kind ~ '^[a-z_]+\.[a-z_]+$'),
  inbox text check (inbox in ('instant', 'off')),
  email text check (email in ('instant', 'daily', 'weekly', 'off')),
  push text check (push in ('instant', 'off')),
  security boolean not null,
  outsiders boolean not null,
  group_key text check (group_key ~ '^[a-z_]+$'),
  template text not null check (template ~ '^[a-z_]+\.[a-z_]+$'),
  outdated name,
  track name,
  check (coalesce(inbox, email, push) is not null)
);
comment on table private.notifications_kinds is
  'Everything that people can be told of: per channel what holds until somebody chooses otherwise; null: never on that channel.';
comment on column private.notifications_kinds.security is
  'About the safety of the account: nobody switches it off, and quiet hours do not hold it.';
comment on column private.notifications_kinds.outsiders is
  'Told to people outside the tenant, too: invited, refused, suspended.';
comment on column private.notifications_kinds.group_key is
  'The value of the payload by which unread notices stand together in the inbox, such as conversation_id.';
comment on column private.notifications_kinds.template is 'Its wording in shared/email/locales.';
comment on column private.notifications_kinds.track is
  'The private function of its capability that says of an event what its mail carries to be counted: { token, links, opens }; null: its mails are not.';
comment on column private.notifications_kinds.outdated is
  'The private function of its capability that says of an event whether it needs no telling any more; null: only expires_at says so.';

create function private.declare_notification(
  kind text,
  inbox text default 'instant',
  email text default 'instant',
  push text default 'instant',
  security boolean default false,
  outsiders boolean default false,
  group_key text default null,
  template text default null,
  outdated name default null
)
returns void
language sql
volatile
security invoker
set search_path = ''
as $$
  insert into private.notifications_kinds (
    kind, inbox, email, push, security, outsiders, group_key, template, outdated
  )
  values (
    declare_notification.kind, declare_notification.inbox, declare_notification.email,
    declare_notification.push, declare_notification.security, declare_notification.outsiders,
    declare_notification.group_key, coalesce(declare_notification.template, declare_notification.kind),
    declare_notification.outdated
  );
$$;
comment on function private.declare_notification(text, text, text, text, boolean, boolean, text, text, name) is
  'For migrations: a kind of notice, <capability>.<what>, and what holds for it on each channel unless a person chooses otherwise: instant, daily or weekly (e-mail alone), off; null: never there. outdated: a function in private, (notifications_events) returns boolean, asked before anything of it leaves the database.';

-- Events: one thing told to one person
create table private.notifications_events (
  tenant_id uuid not null references public.tenants (id) on delete cascade,
  id uuid not null default private.uuid_v7(),
  person_id uuid not null,
  kind text not null,
  payload jsonb not null default '{}'
    check (jsonb_typeof(payload) = 'object' and octet_length(payload::text) <= 16384),
  about text check (char_length(about) between 1 and 200),
  scope text not null default '' check (char_length(scope) <= 100),
  address text check (char_length(address) between 3 and 254),
  locale text check (char_length(locale) <= 35),
  document_id uuid,
  expires_at timestamptz,
  created_at timestamptz not null default now(),
  primary key (tenant_id, id)
);
comment on table private.notifications_events is
  'One thing told to one person. What it says and where it goes is forgotten once no channel needs it any more.';
comment on column private.notifications_events.person_id is
  'No foreign key: Auth sends its first mail before the person''s own transaction commits.';
comment on column private.notifications_events.about is
  'What it is about, as <table>:<id>: a person is told of it once a kind. Null: nothing to tell it apart by.';
comment on column private.notifications_events.scope is
  'The group within the tenant that it comes from, for preferences; empty: the tenant as a whole.';
comment on column private.notifications_events.address is
  'Null: the person''s address at the time of sending.';
comment on column private.notifications_events.locale is 'Where the person has chosen none.';
comment on column private.notifications_events.document_id is
  'What it says where somebody wrote it for many readers; null: the wording of its kind.';
comment on column private.notifications_events.expires_at is 'After this there is no use in telling it.';

create unique index notifications_events_once
  on private.notifications_events (tenant_id, person_id, kind, about) where about is not null;
create index notifications_events_person on private.notifications_events (person_id);
create index notifications_events_created on private.notifications_events (created_at);

-- Deliveries: the evidence, one row a channel
create table private.notifications_deliveries (
  tenant_id uuid not null,
  event_id uuid not null,
  channel text not null check (channel in ('inbox', 'email', 'push')),
  person_id uuid not null,
  kind text not null,
  status text not null check (status in (
    'waiting', 'held', 'digest', 'sent', 'delivered', 'bounced', 'complained', 'digested', 'skipped',
    'refused'
  )),
  reason text check (char_length(reason) <= 200),
  due_at timestamptz not null default now(),
  retry_at timestamptz not null default now() + interval '5 minutes',
  digest_id uuid,
  provider text check (char_length(provider) <= 40),
  provider_id text check (char_length(provider_id) <= 200),
  settled_at timestamptz,
  created_at timestamptz not null default now(),
  primary key (tenant_id, event_id, channel),
  foreign key (tenant_id, event_id)
    references private.notifications_events (tenant_id, id) on delete cascade
);
comment on table private.notifications_deliveries is
  'What became of an event on each channel: one row for each, so that nobody is told twice, and it can be shown that they were told.';
comment on column private.notifications_deliveries.status is
  'waiting: with the worker; held: until quiet hours are over; digest: until the next one; sent; delivered, bounced, complained: as the provider says later; digested; skipped and refused: see reason.';
comment on column private.notifications_deliveries.retry_at is
  'When to hand it to the worker again, where its job died meanwhile.';
comment on column private.notifications_deliveries.provider is
  'Who took it. While it waits: who may have taken it, so that nobody else is asked.';
comment on column private.notifications_deliveries.digest_id is 'The digest that told of it.';

create index notifications_deliveries_waiting on private.notifications_deliveries (retry_at)
  where status = 'waiting';
create index notifications_deliveries_due on private.notifications_deliveries (due_at)
  where status in ('held', 'digest');
create index notifications_deliveries_provider on private.notifications_deliveries (provider, provider_id)
  where provider_id is not null;
create index notifications_deliveries_digest on private.notifications_deliveries (tenant_id, digest_id)
  where digest_id is not null;

insert into private.transitions (machine, from_state, to_state)
select 'notifications_deliveries', split_part(step, '>', 1), split_part(step, '>', 2)
from unnest(array[
  'waiting>held', 'waiting>sent', 'waiting>skipped', 'waiting>refused',
  'held>waiting', 'digest>digested', 'digest>skipped',
  'sent>delivered', 'sent>bounced', 'sent>complained', 'delivered>bounced', 'delivered>complained',
  'refused>sent', 'refused>skipped', 'refused>held'
]) step;

create trigger notifications_deliveries_transition before update of status
  on private.notifications_deliveries
  for each row execute function private.enforce_transition();
