-- Messaging, posting: the one function that adds a message, and the one that tells of a change. The
-- order of locks is conversation, states, people: whoever needs several takes them so.

create function private.messaging_reach(tenant_id uuid, conversation_id uuid, sender uuid)
returns uuid[]
language plpgsql
stable
security definer -- blocks are their owner's secret
set search_path = ''
as $$
#variable_conflict use_column
begin
  return array(
    select c.person_id
    from public.messaging_members c
    where c.tenant_id = messaging_reach.tenant_id and c.conversation_id = messaging_reach.conversation_id
      and c.left_at is null and not exists (
        select from public.messaging_blocks b
        where b.tenant_id = c.tenant_id and b.person_id = c.person_id and b.blocked_id = messaging_reach.sender
      )
    order by c.person_id
  );
end;
$$;
comment on function private.messaging_reach(uuid, uuid, uuid) is
  'Whom what the sender does in the conversation reaches: its members, without those who blocked the sender.';

create function private.messaging_payload(message public.messaging_messages)
returns jsonb
language plpgsql
immutable
security invoker
set search_path = ''
as $$
begin
  return jsonb_build_object(
    'tenant_id', message.tenant_id, 'conversation_id', message.conversation_id, 'message_id', message.id,
    'seq', message.seq, 'sender_id', message.sender_id, 'client_id', message.client_id, 'kind', message.kind,
    'body', message.body, 'reply_to', message.reply_to, 'mentions', message.mentions, 'files', message.files,
    'version', message.version, 'created_at', message.created_at, 'edited_at', message.edited_at,
    'deleted_at', message.deleted_at
  );
end;
$$;
comment on function private.messaging_payload(public.messaging_messages) is
  'A message as events carry it; its id is message_id, because id is the event''s own.';

create function private.messaging_tell(message public.messaging_messages, event text, people uuid[], unread integer)
returns void
language plpgsql
volatile
security definer -- nobody else writes the rows of changes
set search_path = ''
as $$
#variable_conflict use_column
declare
  v_people uuid[];
  v_positions bigint[];
begin
  -- In one order for everybody, or two messages in two conversations could wait for each other.
  perform from private.messaging_people p
  where p.tenant_id = message.tenant_id and p.person_id = any (messaging_tell.people)
  order by p.person_id
  for no key update;

  with moved as (
    update private.messaging_people p
    set position = p.position + 1,
      unread = p.unread + case when p.person_id = message.sender_id then 0 else messaging_tell.unread end
    where p.tenant_id = message.tenant_id and p.person_id = any (messaging_tell.people)
    returning p.person_id, p.position
  ), kept as (
    insert into public.messaging_inbox (tenant_id, person_id, position, conversation_id, message_id, version)
    select message.tenant_id, m.person_id, m.position, message.conversation_id, message.id, message.version
    from moved m
  )
  select array_agg(m.person_id order by m.person_id), array_agg(m.position order by m.person_id)
  into v_people, v_positions
  from moved m;

  perform private.announce_to(
    v_people, messaging_tell.event, private.messaging_payload(message), 'messaging.read', v_positions
  );
  perform private.messaging_signal(
    message.tenant_id, message.conversation_id, messaging_tell.event,
    jsonb_build_object('message_id', message.id, 'seq', message.seq)
  );
end;
$$;
comment on function private.messaging_tell(public.messaging_messages, text, uuid[], integer) is
  'Gives each of the people the next number in their row of changes, sends them the event with the content, and says on the conversation''s channel that it happened.';

create function private.messaging_await(message public.messaging_messages, people uuid[])
returns void
language plpgsql
volatile
security definer -- nobody else writes the list
set search_path = ''
as $$
#variable_conflict use_column
begin
  insert into private.messaging_waiting as w
    (tenant_id, person_id, conversation_id, message_id, mentioned, due_at)
  select s.tenant_id, s.person_id, s.conversation_id, message.id, s.person_id = any (message.mentions),
    clock_timestamp() + interval '20 seconds'
  from public.messaging_states s
  where s.tenant_id = message.tenant_id and s.conversation_id = message.conversation_id
    and s.person_id = any (messaging_await.people) and s.person_id <> message.sender_id
    and (s.muted_until is null or s.muted_until <= now() or s.person_id = any (message.mentions))
  order by s.person_id
  on conflict (tenant_id, person_id, conversation_id) do update
    set message_id = excluded.message_id, mentioned = true
    where excluded.mentioned and not w.mentioned;
end;
$$;
comment on function private.messaging_await(public.messaging_messages, uuid[]) is
  'Notes who is to be told outside the app if no device of theirs has the message in 20 seconds. Whoever muted the conversation only where they are mentioned.';

create function private.messaging_count(message public.messaging_messages)
returns void
language plpgsql
volatile
security definer -- nobody else writes states
set search_path = ''
as $$
#variable_conflict use_column
begin
  -- Whoever writes had read up to here, or has one more of their own among the unread; whoever does not
  -- hear the sender has one more to skip.
  update public.messaging_states s
  set read_seq = case when s.person_id = message.sender_id and s.read_seq = message.seq - 1
      then message.seq else s.read_seq end,
    skipped = s.skipped + case when s.person_id = message.sender_id and s.read_seq = message.seq - 1
      then 0 else 1 end,
    delivered_seq = case when s.person_id = message.sender_id then message.seq else s.delivered_seq end
  where s.tenant_id = message.tenant_id and s.conversation_id = message.conversation_id
    and (s.person_id = message.sender_id or s.person_id = any (array(
      select b.person_id from public.messaging_blocks b
      where b.tenant_id = message.tenant_id and b.blocked_id = message.sender_id
    )));
end;
$$;
comment on function private.messaging_count(public.messaging_messages) is
  'Keeps the sums of unread messages true for those for whom a new message is none.';

create function private.messaging_draft(tenant_id uuid, conversation_id uuid, sender uuid, kind text, about uuid[] default '{}')
returns public.messaging_messages
language plpgsql
immutable
security invoker
set search_path = ''
as $$
declare
  v_message public.messaging_messages;
begin
  v_message.tenant_id := messaging_draft.tenant_id;
  v_message.conversation_id := messaging_draft.conversation_id;
  v_message.sender_id := messaging_draft.sender;
  v_message.kind := messaging_draft.kind;
  v_message.mentions := messaging_draft.about;
  v_message.files := '{}';
  v_message.version := 1;
  return v_message;
end;
$$;
comment on function private.messaging_draft(uuid, uuid, uuid, text, uuid[]) is
  'A message to be posted, as yet without words and number.';

create function private.messaging_post(message public.messaging_messages)
returns public.messaging_messages
language plpgsql
volatile
security definer -- nobody else writes messages
set search_path = ''
set plan_cache_mode = force_generic_plan -- for all it calls: planning would cost more than sending
as $$
#variable_conflict use_column
declare
  v_message public.messaging_messages := message;
  v_people uuid[];
begin
  -- The lock that orders the conversation; whoever comes here after it sees all that came before.
  perform from public.messaging_conversations c
  where c.tenant_id = message.tenant_id and c.id = message.conversation_id
  for no key update;
  v_message.id := private.uuid_v7();
  if v_message.client_id is not null then
    insert into private.messaging_keys (tenant_id, conversation_id, sender_id, client_id, message_id)
    values (v_message.tenant_id, v_message.conversation_id, v_message.sender_id, v_message.client_id, v_message.id)
    on conflict do nothing;
    if not found then
      return private.messaging_first(v_message);
    end if;
  end if;
  update public.messaging_conversations c
  set last_seq = c.last_seq + 1, last_message_at = clock_timestamp()
  where c.tenant_id = v_message.tenant_id and c.id = v_message.conversation_id
  returning c.last_seq, c.last_message_at into v_message.seq, v_message.created_at;
  insert into public.messaging_messages values (v_message.*);
  insert into public.messaging_attachments (tenant_id, file_id, message_id)
  select v_message.tenant_id, f.id, v_message.id from unnest(v_message.files) f (id);

  v_people := private.messaging_reach(v_message.tenant_id, v_message.conversation_id, v_message.sender_id);
  perform private.messaging_count(v_message);
  perform private.messaging_tell(v_message, 'message:new', v_people, 1);
  perform private.messaging_await(v_message, v_people);
  return v_message;
end;
$$;
comment on function private.messaging_post(public.messaging_messages) is
  'Adds a message: numbered, told to whom it reaches, in one transaction. Sent before under the same client id, it answers with that one. Raises messaging.message_not_found where that one is gone.';

create function private.messaging_first(message public.messaging_messages)
returns public.messaging_messages
language plpgsql
volatile -- sees what another transaction committed while this one waited
security definer -- nobody else reads the keys
set search_path = ''
as $$
#variable_conflict use_column
declare
  v_key private.messaging_keys;
  v_message public.messaging_messages;
begin
  select * into v_key from private.messaging_keys k
  where k.tenant_id = message.tenant_id and k.conversation_id = message.conversation_id
    and k.sender_id = message.sender_id and k.client_id = message.client_id;
  if not found then
    return null;
  end if;
  select * into v_message from public.messaging_messages m
  where m.tenant_id = v_key.tenant_id and m.id = v_key.message_id;
  if not found then
    raise sqlstate 'PT404' using message = 'messaging.message_not_found', detail = 'It was sent, and is gone.';
  end if;
  return v_message;
end;
$$;
comment on function private.messaging_first(public.messaging_messages) is
  'The message that was sent before under the same client id; null where none was. Raises messaging.message_not_found where it is gone.';
