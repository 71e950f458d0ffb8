-- Messaging: conversations of two or of a group, who is in them, and what each keeps to themselves.
-- What others may see of a member stands in messaging_members; how far one has read, what one muted
-- or archived, in messaging_states, which nobody else reads.

select private.declare_permission(
  'messaging.read', 'Take part in conversations', array['admin', 'staff', 'member', 'guest']
);
select private.declare_permission(
  'messaging.send', 'Begin conversations and write in them', array['admin', 'staff', 'member']
);

-- Conversations
create table public.messaging_conversations (
  tenant_id uuid not null references public.tenants (id) on delete restrict,
  id uuid not null default private.uuid_v7(),
  kind text not null check (kind in ('direct', 'group')),
  title text check (char_length(btrim(title)) between 1 and 120),
  context_kind text check (context_kind in ('listing', 'order', 'document')),
  context_id uuid,
  created_by uuid not null,
  retention_days integer check (retention_days between 1 and 3650),
  last_seq bigint not null default 0,
  removed_seq bigint not null default 0,
  last_message_at timestamptz,
  created_at timestamptz not null default now(),
  updated_at timestamptz not null default now(),
  primary key (tenant_id, id),
  check ((kind = 'group') = (title is not null)),
  check ((context_kind is null) = (context_id is null))
) with (fillfactor = 80); -- each message updates its row: room for that on the same page
comment on table public.messaging_conversations is
  'Conversations: direct between two people, once for each context, or a group with a title.';
comment on column public.messaging_conversations.context_kind is 'What the two talk about: a card in the client.';
comment on column public.messaging_conversations.retention_days is 'Messages older than that are removed; null: none. Its members see it.';
comment on column public.messaging_conversations.last_seq is 'The number of the last message; its row lock is what orders messages.';
comment on column public.messaging_conversations.removed_seq is 'Messages up to this number were removed by retention.';
create trigger messaging_conversations_touch before update of title, retention_days
  on public.messaging_conversations for each row execute function private.touch();

create table private.messaging_pairs (
  tenant_id uuid not null,
  low uuid not null,
  high uuid not null check (low < high),
  context text not null,
  conversation_id uuid not null,
  primary key (tenant_id, low, high, context),
  foreign key (tenant_id, conversation_id)
    references public.messaging_conversations (tenant_id, id) on delete cascade
);
comment on table private.messaging_pairs is 'Which direct conversation two people have, by context: there is never a second.';
create index messaging_pairs_conversation on private.messaging_pairs (tenant_id, conversation_id);

-- Members, as their fellows see them
create table public.messaging_members (
  tenant_id uuid not null,
  conversation_id uuid not null,
  person_id uuid not null,
  role text not null default 'member' check (role in ('owner', 'admin', 'member')),
  joined_at timestamptz not null default now(),
  left_at timestamptz,
  primary key (tenant_id, conversation_id, person_id),
  foreign key (tenant_id, conversation_id)
    references public.messaging_conversations (tenant_id, id) on delete cascade,
  foreign key (tenant_id, person_id) references public.members (tenant_id, person_id) on delete restrict
);
comment on table public.messaging_members is 'Who is, or was, in a conversation. Owner and admin of a group add, remove and delete for all.';
create index messaging_members_person on public.messaging_members (tenant_id, person_id);

-- What each keeps to themselves. A row means: in this conversation now.
create table public.messaging_states (
  tenant_id uuid not null,
  person_id uuid not null,
  conversation_id uuid not null,
  from_seq bigint not null,
  read_seq bigint not null,
  delivered_seq bigint not null,
  skipped integer not null default 0 check (skipped >= 0),
  muted_until timestamptz,
  archived_at timestamptz,
  primary key (tenant_id, person_id, conversation_id),
  foreign key (tenant_id, conversation_id, person_id)
    references public.messaging_members (tenant_id, conversation_id, person_id) on delete cascade
) with (fillfactor = 80);
comment on table public.messaging_states is
  'How far a person has read in each of their conversations. Unread are last_seq - read_seq - skipped messages.';
comment on column public.messaging_states.from_seq is 'They see what came after this number: who joins later does not read what was said before.';
comment on column public.messaging_states.skipped is 'Messages after read_seq that nobody has to read: their own, and those of people they blocked.';
create index messaging_states_conversation on public.messaging_states (tenant_id, conversation_id, person_id);

create table private.messaging_people (
  tenant_id uuid not null,
  person_id uuid not null,
  position bigint not null default 0,
  pruned_to bigint not null default 0,
  unread bigint not null default 0,
  primary key (tenant_id, person_id),
  foreign key (tenant_id, person_id) references public.members (tenant_id, person_id) on delete restrict
) with (fillfactor = 60);
comment on table private.messaging_people is
  'Per person: the number of the last change told to them, and the sum of their unread messages. Its row lock is what makes their changes one gapless row.';

create table public.messaging_preferences (
  tenant_id uuid not null,
  person_id uuid not null,
  receipts boolean not null default true,
  presence text not null default 'conversations' check (presence in ('nobody', 'conversations', 'tenant')),
  updated_at timestamptz not null default now(),
  primary key (tenant_id, person_id),
  foreign key (tenant_id, person_id) references public.members (tenant_id, person_id) on delete restrict
);
comment on table public.messaging_preferences is
  'Whether others learn how far a person has read, and to whom they may show themselves present. No row: the defaults.';
create trigger messaging_preferences_touch before update on public.messaging_preferences
  for each row execute function private.touch();

create table public.messaging_blocks (
  tenant_id uuid not null,
  person_id uuid not null,
  blocked_id uuid not null check (blocked_id <> person_id),
  created_at timestamptz not null default now(),
  primary key (tenant_id, person_id, blocked_id),
  foreign key (tenant_id, person_id) references public.members (tenant_id, person_id) on delete restrict,
  foreign key (tenant_id, blocked_id) references public.members (tenant_id, person_id) on delete restrict
);
comment on table public.messaging_blocks is 'Whom a person does not want to hear: known to themselves alone.';
create index messaging_blocks_blocked on public.messaging_blocks (tenant_id, blocked_id);

create function private.messaging_blocked(tenant_id uuid, one uuid, other uuid)
returns boolean
language plpgsql
stable
security definer -- blocks are their owner's secret
set search_path = ''
as $$
#variable_conflict use_column
begin
  return exists (
    select from public.messaging_blocks b
    where b.tenant_id = messaging_blocked.tenant_id and (b.person_id, b.blocked_id) in ((one, other), (other, one))
  );
end;
$$;
comment on function private.messaging_blocked(uuid, uuid, uuid) is
  'Whether one of the two blocked the other: asked wherever the one would reach the other.';

-- Row level security
alter table public.messaging_states enable row level security;
create policy messaging_states_select_owner on public.messaging_states
  for select to authenticated
  using (
    tenant_id = any (array(select private.tenants_with('messaging.read')))
    and person_id = (select private.person())
  );

alter table public.messaging_conversations enable row level security;
create policy messaging_conversations_select_member on public.messaging_conversations
  for select to authenticated
  using (
    tenant_id = any (array(select private.tenants_with('messaging.read')))
    and exists (
      select from public.messaging_states s
      where s.tenant_id = messaging_conversations.tenant_id and s.conversation_id = messaging_conversations.id
        and s.person_id = (select private.person())
    )
  );

alter table public.messaging_members enable row level security;
create policy messaging_members_select_member on public.messaging_members
  for select to authenticated
  using (
    tenant_id = any (array(select private.tenants_with('messaging.read')))
    and exists (
      select from public.messaging_states s
      where s.tenant_id = messaging_members.tenant_id and s.conversation_id = messaging_members.conversation_id
        and s.person_id = (select private.person())
    )
  );

alter table public.messaging_preferences enable row level security;
create policy messaging_preferences_select_owner on public.messaging_preferences
  for select to authenticated
  using (
    tenant_id = any (array(select private.tenants_with('messaging.read')))
    and person_id = (select private.person())
  );

alter table public.messaging_blocks enable row level security;
create policy messaging_blocks_select_owner on public.messaging_blocks
  for select to authenticated
  using (
    tenant_id = any (array(select private.tenants_with('messaging.read')))
    and person_id = (select private.person())
  );

grant select on
  public.messaging_conversations, public.messaging_members, public.messaging_states,
  public.messaging_preferences, public.messaging_blocks
to authenticated, service_role;
