-- Messaging, messages: what was said, what it said before, with which files, who has had it, and the
-- row of changes from which each person catches up.

create table public.messaging_messages (
  tenant_id uuid not null,
  id uuid not null,
  conversation_id uuid not null,
  seq bigint not null,
  sender_id uuid not null,
  client_id text,
  kind text not null default 'text' check (kind in (
    'text', 'group_created', 'member_added', 'member_removed', 'member_left', 'renamed', 'retention_changed'
  )),
  body text check (char_length(body) between 1 and 20000),
  reply_to uuid,
  mentions uuid[] not null default '{}',
  files uuid[] not null default '{}',
  version integer not null default 1,
  created_at timestamptz not null default now(),
  edited_at timestamptz,
  deleted_at timestamptz,
  primary key (tenant_id, id),
  unique (tenant_id, conversation_id, seq),
  foreign key (tenant_id, conversation_id)
    references public.messaging_conversations (tenant_id, id) on delete cascade
);
comment on table public.messaging_messages is
  'Messages, numbered in their conversation without gaps by the server. Deleted for all they keep their number and lose what they said.';
comment on column public.messaging_messages.kind is 'text, or what happened in the conversation; mentions then names whom it happened to.';
comment on column public.messaging_messages.version is 'Counts the changes its readers are told of: edits and the deletion.';

-- Apart from the messages: a message may go, that it was sent is kept for good.
create table private.messaging_keys (
  tenant_id uuid not null,
  conversation_id uuid not null,
  sender_id uuid not null,
  client_id text not null check (char_length(client_id) between 1 and 64),
  message_id uuid not null,
  primary key (tenant_id, conversation_id, sender_id, client_id)
);
comment on table private.messaging_keys is 'The client''s own id of each message: sent again, it is answered with the first one.';

create table public.messaging_attachments (
  tenant_id uuid not null,
  file_id uuid not null,
  message_id uuid not null,
  primary key (tenant_id, file_id, message_id),
  foreign key (tenant_id, message_id) references public.messaging_messages (tenant_id, id) on delete cascade,
  foreign key (tenant_id, file_id) references public.files (tenant_id, id) on delete cascade
);
comment on table public.messaging_attachments is 'Which messages carry a file: who sees one of them sees the file.';
create index messaging_attachments_message on public.messaging_attachments (tenant_id, message_id);

create table public.messaging_edits (
  tenant_id uuid not null,
  message_id uuid not null,
  version integer not null,
  body text,
  created_at timestamptz not null default now(),
  primary key (tenant_id, message_id, version),
  foreign key (tenant_id, message_id) references public.messaging_messages (tenant_id, id) on delete cascade
);
comment on table public.messaging_edits is 'What edited messages said before, for whoever sees the message. Deleting it deletes these.';

create table public.messaging_hidden (
  tenant_id uuid not null,
  person_id uuid not null,
  message_id uuid not null,
  created_at timestamptz not null default now(),
  primary key (tenant_id, person_id, message_id),
  foreign key (tenant_id, message_id) references public.messaging_messages (tenant_id, id) on delete cascade
);
comment on table public.messaging_hidden is 'Messages that a person deleted for themselves.';
create index messaging_hidden_message on public.messaging_hidden (tenant_id, message_id);

create table public.messaging_receipts (
  tenant_id uuid not null,
  conversation_id uuid not null,
  person_id uuid not null,
  kind text not null check (kind in ('delivered', 'read')),
  seq bigint not null,
  at timestamptz not null,
  primary key (tenant_id, conversation_id, person_id, kind, seq),
  foreign key (tenant_id, conversation_id, person_id)
    references public.messaging_members (tenant_id, conversation_id, person_id) on delete cascade
);
comment on table public.messaging_receipts is
  'When a member had all messages up to a number, and when they had read them: the first row at or after a message is its own. Whoever switched receipts off writes none.';

create table public.messaging_inbox (
  tenant_id uuid not null,
  person_id uuid not null,
  position bigint not null,
  conversation_id uuid,
  message_id uuid,
  version integer not null,
  erased_id uuid,
  primary key (tenant_id, person_id, position)
);
comment on table public.messaging_inbox is
  'The changes told to each person, numbered without gaps in the order they were committed. version: that of the message; 0 where they deleted it for themselves.';
comment on column public.messaging_inbox.erased_id is
  'A person who was erased, and all they wrote with them: one change for all of it, of no single message.';

create table private.messaging_waiting (
  tenant_id uuid not null,
  person_id uuid not null,
  conversation_id uuid not null,
  message_id uuid not null,
  mentioned boolean not null,
  due_at timestamptz not null,
  primary key (tenant_id, person_id, conversation_id)
);
comment on table private.messaging_waiting is
  'Who has to be told of a message outside the app, unless a device of theirs says in time that it arrived.';
create index messaging_waiting_due on private.messaging_waiting (due_at);

-- Row level security
alter table public.messaging_hidden enable row level security;
create policy messaging_hidden_select_owner on public.messaging_hidden
  for select to authenticated
  using (
    tenant_id = any (array(select private.tenants_with('messaging.read')))
    and person_id = (select private.person())
  );

alter table public.messaging_messages enable row level security;
create policy messaging_messages_select_member on public.messaging_messages
  for select to authenticated
  using (
    tenant_id = any (array(select private.tenants_with('messaging.read')))
    and exists (
      select from public.messaging_states s
      where s.tenant_id = messaging_messages.tenant_id and s.person_id = (select private.person())
        and s.conversation_id = messaging_messages.conversation_id and s.from_seq < messaging_messages.seq
    )
    and not exists (
      select from public.messaging_hidden h
      where h.tenant_id = messaging_messages.tenant_id and h.person_id = (select private.person())
        and h.message_id = messaging_messages.id
    )
    and not exists (
      select from public.messaging_blocks b
      where b.tenant_id = messaging_messages.tenant_id and b.person_id = (select private.person())
        and b.blocked_id = messaging_messages.sender_id
    )
  );

alter table public.messaging_attachments enable row level security;
create policy messaging_attachments_select_member on public.messaging_attachments
  for select to authenticated
  using (
    tenant_id = any (array(select private.tenants_with('messaging.read')))
    and exists (
      select from public.messaging_messages m
      where m.tenant_id = messaging_attachments.tenant_id and m.id = messaging_attachments.message_id
    )
  );

alter table public.messaging_edits enable row level security;
create policy messaging_edits_select_member on public.messaging_edits
  for select to authenticated
  using (
    tenant_id = any (array(select private.tenants_with('messaging.read')))
    and exists (
      select from public.messaging_messages m
      where m.tenant_id = messaging_edits.tenant_id and m.id = messaging_edits.message_id
    )
  );

alter table public.messaging_receipts enable row level security;
create policy messaging_receipts_select_member on public.messaging_receipts
  for select to authenticated
  using (
    tenant_id = any (array(select private.tenants_with('messaging.read')))
    and exists (
      select from public.messaging_states s
      where s.tenant_id = messaging_receipts.tenant_id and s.person_id = (select private.person())
        and s.conversation_id = messaging_receipts.conversation_id
    )
  );

alter table public.messaging_inbox enable row level security;
create policy messaging_inbox_select_owner on public.messaging_inbox
  for select to authenticated
  using (
    tenant_id = any (array(select private.tenants_with('messaging.read')))
    and person_id = (select private.person())
  );

grant select on
  public.messaging_messages, public.messaging_attachments, public.messaging_edits, public.messaging_hidden,
  public.messaging_receipts, public.messaging_inbox
to authenticated, service_role;

-- A file in attachments is its owner's until a message carries it.
alter policy files_select_member on public.files
  using (
    tenant_id = any (array(select private.tenants_with('tenants.read')))
    and status <> 'deleted'
    and (
      person_id = (select private.person())
      or (
        bucket in ('avatars', 'images') and status = 'released'
        and tenant_id = any (array(select private.tenants_with('files.read')))
      )
      or (
        bucket not in ('exports', 'attachments') and status <> 'pending' and not sealed
        and tenant_id = any (array(select private.tenants_with('files.review')))
      )
      or (
        bucket = 'attachments' and status = 'released' and exists (
          select from public.messaging_attachments a
          where a.tenant_id = files.tenant_id and a.file_id = files.id
        )
      )
    )
  );
