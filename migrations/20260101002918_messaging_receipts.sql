-- Messaging, receipts: how far each has had and read a conversation, and the sums of what is unread,
-- which no reader has to add up.

create function private.messaging_countable(
  tenant_id uuid, conversation_id uuid, person uuid, after bigint, upto bigint
)
returns bigint
language sql
stable
security definer -- reads messages past their policies
set search_path = ''
as $$
  select count(*) from public.messaging_messages m
  where m.tenant_id = messaging_countable.tenant_id and m.conversation_id = messaging_countable.conversation_id
    and m.seq > after and m.seq <= upto and m.sender_id <> person
    and not exists (
      select from public.messaging_hidden h
      where h.tenant_id = m.tenant_id and h.person_id = person and h.message_id = m.id
    )
    and not exists (
      select from public.messaging_blocks b
      where b.tenant_id = m.tenant_id and b.person_id = person and b.blocked_id = m.sender_id
    );
$$;
comment on function private.messaging_countable(uuid, uuid, uuid, bigint, bigint) is
  'How many messages within these numbers are there for the person to read.';

create function private.messaging_advance(
  conversation public.messaging_conversations, person uuid, upto bigint
)
returns bigint
language plpgsql
volatile
security definer -- nobody else writes states
set search_path = ''
as $$
#variable_conflict use_column
declare
  v_state public.messaging_states;
  v_counted bigint;
begin
  select s.* into v_state from public.messaging_states s
  where s.tenant_id = conversation.tenant_id and s.person_id = person and s.conversation_id = conversation.id
  for no key update;
  if upto <= v_state.read_seq then
    return 0;
  end if;
  -- Mostly there is nothing to skip; only else the messages themselves are looked at.
  v_counted := case v_state.skipped when 0 then upto - v_state.read_seq
    else private.messaging_countable(conversation.tenant_id, conversation.id, person, v_state.read_seq, upto) end;
  update public.messaging_states s
  set read_seq = upto, delivered_seq = greatest(s.delivered_seq, upto),
    skipped = s.skipped - (upto - s.read_seq - v_counted)
  where s.tenant_id = v_state.tenant_id and s.person_id = person and s.conversation_id = v_state.conversation_id;
  update private.messaging_people p set unread = p.unread - v_counted
  where p.tenant_id = v_state.tenant_id and p.person_id = person and v_counted > 0;
  return upto - v_state.read_seq;
end;
$$;
comment on function private.messaging_advance(public.messaging_conversations, uuid, bigint) is
  'Moves how far the person has read, and both sums with it; answers by how many numbers.';

create function private.messaging_shows_receipts(conversation public.messaging_conversations, person uuid)
returns boolean
language plpgsql
stable
security definer -- reads a preference, and the blocks of others
set search_path = ''
as $$
#variable_conflict use_column
begin
  return not exists (
    select from public.messaging_preferences p
    where p.tenant_id = conversation.tenant_id and p.person_id = person and not p.receipts
  ) and (
    conversation.kind <> 'direct' or not exists (
      select from public.messaging_members other
      where other.tenant_id = conversation.tenant_id and other.conversation_id = conversation.id
        and other.person_id <> person
        and private.messaging_blocked(conversation.tenant_id, person, other.person_id)
    )
  );
end;
$$;
comment on function private.messaging_shows_receipts(public.messaging_conversations, uuid) is
  'Whether others may learn how far the person has read: not where they switched it off, nor where one of two blocked the other.';

create function private.messaging_await_next(
  conversation public.messaging_conversations, person uuid, after bigint
)
returns void
language plpgsql
volatile
security definer -- nobody else writes the list
set search_path = ''
as $$
#variable_conflict use_column
declare
  v_next public.messaging_messages;
begin
  for v_next in
    select m.* from public.messaging_messages m
    where m.tenant_id = conversation.tenant_id and m.conversation_id = conversation.id
      and m.seq > after and m.sender_id <> person and m.deleted_at is null
      and not private.messaging_blocked(m.tenant_id, person, m.sender_id)
    order by m.seq limit 100
  loop
    perform private.messaging_await(v_next, array[person]);
  end loop;
end;
$$;
comment on function private.messaging_await_next(public.messaging_conversations, uuid, bigint) is
  'After a device had some of what waits: what came after that waits on.';

create function private.messaging_acknowledge(
  conversation public.messaging_conversations, person uuid, kind text, seq bigint, at timestamptz
)
returns void
language plpgsql
volatile
security definer -- nobody else writes receipts
set search_path = ''
as $$
#variable_conflict use_column
declare
  v_payload jsonb := jsonb_build_object(
    'person_id', person, 'seq', messaging_acknowledge.seq, 'at', messaging_acknowledge.at
  );
  v_event text := 'receipt:' || messaging_acknowledge.kind;
  v_shown boolean := private.messaging_shows_receipts(conversation, person);
begin
  delete from private.messaging_waiting w
  where w.tenant_id = conversation.tenant_id and w.person_id = person and w.conversation_id = conversation.id;
  if found then
    perform private.messaging_await_next(conversation, person, messaging_acknowledge.seq);
  end if;
  -- The person's other devices learn it in any case.
  perform private.announce_to(
    array[person] || case
      when conversation.kind = 'direct' and v_shown
      then array_remove(private.messaging_reach(conversation.tenant_id, conversation.id, person), person)
      else '{}' end,
    v_event,
    v_payload || jsonb_build_object('tenant_id', conversation.tenant_id, 'conversation_id', conversation.id),
    'messaging.read'
  );
  if v_shown then
    insert into public.messaging_receipts (tenant_id, conversation_id, person_id, kind, seq, at)
    values (
      conversation.tenant_id, conversation.id, person, messaging_acknowledge.kind,
      messaging_acknowledge.seq, messaging_acknowledge.at
    )
    on conflict do nothing;
    perform private.messaging_signal(conversation.tenant_id, conversation.id, v_event, v_payload);
  end if;
end;
$$;
comment on function private.messaging_acknowledge(public.messaging_conversations, uuid, text, bigint, timestamptz) is
  'Keeps a receipt and tells it: the person''s devices always, others where the person lets them know; in a group on its channel, so that reading costs the same in any.';

create function private.messaging_conversation_of_mine(tenant_id uuid, conversation_id uuid, person uuid)
returns public.messaging_conversations
language plpgsql
volatile -- sees what was committed a moment ago
security definer -- reads conversations past their policies
set search_path = ''
as $$
#variable_conflict use_column
declare
  v_conversation public.messaging_conversations;
begin
  select c.* into v_conversation
  from public.messaging_conversations c
  join public.messaging_states s
    on s.tenant_id = c.tenant_id and s.conversation_id = c.id and s.person_id = person
  where c.tenant_id = messaging_conversation_of_mine.tenant_id
    and c.id = messaging_conversation_of_mine.conversation_id;
  if not found then
    raise sqlstate 'PT404' using message = 'messaging.conversation_not_found';
  end if;
  return v_conversation;
end;
$$;
comment on function private.messaging_conversation_of_mine(uuid, uuid, uuid) is
  'A conversation the person is in. Raises messaging.conversation_not_found.';

create type public.messaging_progress as (
  conversation_id uuid,
  read_seq bigint,
  delivered_seq bigint,
  unread bigint,
  unread_total bigint
);
comment on type public.messaging_progress is 'How far the caller is in a conversation, and what is left to read: there, and in all.';

create function private.messaging_progress_of(tenant_id uuid, conversation_id uuid, person uuid)
returns public.messaging_progress
language plpgsql
volatile
security definer -- reads states past their policies
set search_path = ''
as $$
#variable_conflict use_column
declare
  v_progress public.messaging_progress;
begin
  select s.conversation_id, s.read_seq, s.delivered_seq, c.last_seq - s.read_seq - s.skipped, p.unread
  into v_progress
  from public.messaging_states s
  join public.messaging_conversations c on c.tenant_id = s.tenant_id and c.id = s.conversation_id
  join private.messaging_people p on p.tenant_id = s.tenant_id and p.person_id = s.person_id
  where s.tenant_id = messaging_progress_of.tenant_id and s.person_id = person
    and s.conversation_id = messaging_progress_of.conversation_id;
  return v_progress;
end;
$$;
comment on function private.messaging_progress_of(uuid, uuid, uuid) is 'How far a person is in a conversation of theirs.';

create function public.messaging_mark_delivered(tenant_id uuid, conversation_id uuid, seq bigint)
returns public.messaging_progress
language plpgsql
volatile
security definer -- clients may not write states
set search_path = ''
as $$
#variable_conflict use_column
declare
  v_me uuid := private.require(messaging_mark_delivered.tenant_id, 'messaging.read');
  v_conversation public.messaging_conversations := private.messaging_conversation_of_mine(
    messaging_mark_delivered.tenant_id, messaging_mark_delivered.conversation_id, v_me
  );
  v_seq bigint := least(messaging_mark_delivered.seq, v_conversation.last_seq);
begin
  update public.messaging_states s set delivered_seq = v_seq
  where s.tenant_id = v_conversation.tenant_id and s.person_id = v_me
    and s.conversation_id = v_conversation.id and s.delivered_seq < v_seq;
  if found then
    perform private.messaging_acknowledge(v_conversation, v_me, 'delivered', v_seq, clock_timestamp());
  end if;
  return private.messaging_progress_of(v_conversation.tenant_id, v_conversation.id, v_me);
end;
$$;
comment on function public.messaging_mark_delivered(uuid, uuid, bigint) is
  'A device of the caller has all messages up to this number; never goes back (permission messaging.read). Raises messaging.conversation_not_found.';
grant execute on function public.messaging_mark_delivered(uuid, uuid, bigint) to authenticated;

create function public.messaging_mark_read(
  tenant_id uuid, conversation_id uuid, seq bigint, at timestamptz default null
)
returns public.messaging_progress
language plpgsql
volatile
security definer -- clients may not write states
set search_path = ''
as $$
#variable_conflict use_column
declare
  v_me uuid := private.require(messaging_mark_read.tenant_id, 'messaging.read');
  v_conversation public.messaging_conversations := private.messaging_conversation_of_mine(
    messaging_mark_read.tenant_id, messaging_mark_read.conversation_id, v_me
  );
  v_seq bigint := least(messaging_mark_read.seq, v_conversation.last_seq);
  -- Read offline, it was read when the device says, but neither tomorrow nor before it was written.
  v_at timestamptz := greatest(
    least(coalesce(messaging_mark_read.at, clock_timestamp()), clock_timestamp()),
    (
      select m.created_at from public.messaging_messages m
      where m.tenant_id = v_conversation.tenant_id and m.conversation_id = v_conversation.id and m.seq = v_seq
    )
  );
begin
  if private.messaging_advance(v_conversation, v_me, v_seq) > 0 then
    perform private.messaging_acknowledge(v_conversation, v_me, 'read', v_seq, v_at);
  end if;
  return private.messaging_progress_of(v_conversation.tenant_id, v_conversation.id, v_me);
end;
$$;
comment on function public.messaging_mark_read(uuid, uuid, bigint, timestamptz) is
  'The caller has read up to this number; never goes back. at: when, if that was offline (permission messaging.read). Raises messaging.conversation_not_found.';
grant execute on function public.messaging_mark_read(uuid, uuid, bigint, timestamptz) to authenticated;
