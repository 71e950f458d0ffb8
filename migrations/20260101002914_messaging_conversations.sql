-- Messaging, conversations: beginning one, and being in it. What is said about the group itself (who
-- came, who went) is a message like any other, without words.

create function private.messaging_lock(tenant_id uuid, conversation_id uuid, person uuid)
returns public.messaging_conversations
language plpgsql
volatile
security definer -- locks a conversation past its policies
set search_path = ''
as $$
#variable_conflict use_column
declare
  v_conversation public.messaging_conversations;
begin
  select c.* into v_conversation
  from public.messaging_conversations c
  where c.tenant_id = messaging_lock.tenant_id and c.id = messaging_lock.conversation_id
  for no key update;
  -- Asked under the lock: who is removed meanwhile does nothing more.
  if not exists (
    select from public.messaging_states s
    where s.tenant_id = messaging_lock.tenant_id and s.person_id = messaging_lock.person
      and s.conversation_id = messaging_lock.conversation_id
  ) then
    raise sqlstate 'PT404' using message = 'messaging.conversation_not_found';
  end if;
  return v_conversation;
end;
$$;
comment on function private.messaging_lock(uuid, uuid, uuid) is
  'A conversation the person is in, locked. Raises messaging.conversation_not_found, alike where there is none and where it is not theirs.';

create function private.messaging_enter(conversation public.messaging_conversations, person uuid, role text)
returns void
language plpgsql
volatile
security definer -- nobody else writes members
set search_path = ''
as $$
#variable_conflict use_column
begin
  insert into public.messaging_members (tenant_id, conversation_id, person_id, role)
  values (conversation.tenant_id, conversation.id, person, messaging_enter.role)
  on conflict (tenant_id, conversation_id, person_id) do update
    set role = excluded.role, joined_at = now(), left_at = null;
  insert into public.messaging_states (tenant_id, person_id, conversation_id, from_seq, read_seq, delivered_seq)
  values (
    conversation.tenant_id, person, conversation.id,
    conversation.last_seq, conversation.last_seq, conversation.last_seq
  )
  on conflict do nothing;
  insert into private.messaging_people (tenant_id, person_id)
  values (conversation.tenant_id, person)
  on conflict do nothing;
end;
$$;
comment on function private.messaging_enter(public.messaging_conversations, uuid, text) is
  'Puts a person into a conversation, from its present end on.';

create function private.messaging_require_partner(tenant_id uuid, person uuid, partner uuid)
returns void
language plpgsql
stable
security definer -- reads members and blocks past their policies
set search_path = ''
as $$
#variable_conflict use_column
begin
  if partner is null or not exists (
    select from public.members m
    where m.tenant_id = messaging_require_partner.tenant_id and m.person_id = partner and m.status = 'active'
  ) then
    raise sqlstate 'PT404' using message = 'members.not_found';
  elsif private.messaging_blocked(messaging_require_partner.tenant_id, person, partner) then
    raise sqlstate 'PT403' using message = 'messaging.blocked';
  end if;
end;
$$;
comment on function private.messaging_require_partner(uuid, uuid, uuid) is
  'Raises members.not_found for whoever is no active member, messaging.blocked where one of the two blocked the other.';

create function private.messaging_usual_retention(tenant_id uuid)
returns integer
language plpgsql
stable
security definer -- asks setting
set search_path = ''
as $$
begin
  return nullif(private.setting(messaging_usual_retention.tenant_id, 'messaging', 'retention_days', 0, 1, 3650), 0);
end;
$$;
comment on function private.messaging_usual_retention(uuid) is 'After how many days new conversations forget; null: never.';

create function public.messaging_open(
  tenant_id uuid, person uuid, context_kind text default null, context_id uuid default null
)
returns public.messaging_conversations
language plpgsql
volatile
security definer -- clients may not write conversations
set search_path = ''
as $$
#variable_conflict use_column
declare
  v_me uuid := private.require(messaging_open.tenant_id, 'messaging.send');
  v_conversation public.messaging_conversations;
  v_context text := coalesce(messaging_open.context_kind || ':' || messaging_open.context_id, '');
begin
  if (messaging_open.context_kind is null) <> (messaging_open.context_id is null)
    or messaging_open.context_kind not in ('listing', 'order', 'document')
  then
    raise sqlstate 'PT422' using
      message = 'request.invalid', detail = 'context_kind: listing, order or document, with context_id';
  elsif messaging_open.person = v_me then
    raise sqlstate 'PT422' using message = 'request.invalid', detail = 'person: yourself';
  end if;
  v_conversation := private.messaging_pair(messaging_open.tenant_id, v_me, messaging_open.person, v_context);
  if v_conversation.id is not null then
    return v_conversation;
  end if;
  perform private.messaging_require_partner(messaging_open.tenant_id, v_me, messaging_open.person);
  perform private.require_rate('messaging-open:' || messaging_open.tenant_id || ':' || v_me, 60, interval '1 hour');

  insert into public.messaging_conversations
    (tenant_id, kind, context_kind, context_id, created_by, retention_days)
  values (
    messaging_open.tenant_id, 'direct', messaging_open.context_kind, messaging_open.context_id, v_me,
    private.messaging_usual_retention(messaging_open.tenant_id)
  )
  returning * into v_conversation;
  insert into private.messaging_pairs (tenant_id, low, high, context, conversation_id)
  values (
    messaging_open.tenant_id, least(v_me, messaging_open.person), greatest(v_me, messaging_open.person),
    v_context, v_conversation.id
  )
  on conflict do nothing;
  if not found then
    -- The other opened it at the same moment.
    delete from public.messaging_conversations c
    where c.tenant_id = v_conversation.tenant_id and c.id = v_conversation.id;
    return private.messaging_pair(messaging_open.tenant_id, v_me, messaging_open.person, v_context);
  end if;
  -- In one order for everybody: three who open one with each other could wait in a circle.
  perform private.messaging_enter(v_conversation, least(v_me, messaging_open.person), 'member');
  perform private.messaging_enter(v_conversation, greatest(v_me, messaging_open.person), 'member');
  return v_conversation;
end;
$$;
comment on function public.messaging_open(uuid, uuid, text, uuid) is
  'The conversation with a member, about a listing, order or document or about nothing in particular; begun if there is none (permission messaging.send). Raises members.not_found, messaging.blocked, limits.exceeded, request.invalid.';
grant execute on function public.messaging_open(uuid, uuid, text, uuid) to authenticated;

create function private.messaging_pair(tenant_id uuid, one uuid, other uuid, context text)
returns public.messaging_conversations
language plpgsql
volatile -- sees what another transaction committed while this one waited
security definer -- nobody else reads the pairs
set search_path = ''
as $$
#variable_conflict use_column
declare
  v_conversation public.messaging_conversations;
begin
  select c.* into v_conversation
  from private.messaging_pairs p
  join public.messaging_conversations c on c.tenant_id = p.tenant_id and c.id = p.conversation_id
  where p.tenant_id = messaging_pair.tenant_id and p.low = least(one, other) and p.high = greatest(one, other)
    and p.context = messaging_pair.context;
  return v_conversation;
end;
$$;
comment on function private.messaging_pair(uuid, uuid, uuid, text) is
  'The direct conversation of two people in a context; null where they have none.';

create function public.messaging_create_group(tenant_id uuid, title text, people uuid[])
returns public.messaging_conversations
language plpgsql
volatile
security definer -- clients may not write conversations
set search_path = ''
as $$
#variable_conflict use_column
declare
  v_me uuid := private.require(messaging_create_group.tenant_id, 'messaging.send');
  v_people uuid[] := array(
    select distinct p.id from unnest(coalesce(messaging_create_group.people, '{}')) p (id)
    where p.id is distinct from v_me order by p.id
  );
  v_conversation public.messaging_conversations;
  v_person uuid;
begin
  if coalesce(char_length(btrim(messaging_create_group.title)) not between 1 and 120, true) then
    raise sqlstate 'PT422' using message = 'request.invalid', detail = 'title';
  elsif cardinality(v_people) >= private.setting(messaging_create_group.tenant_id, 'messaging', 'group_size', 500, 2, 2000) then
    raise sqlstate 'PT409' using message = 'messaging.group_full';
  end if;
  perform private.require_rate('messaging-open:' || messaging_create_group.tenant_id || ':' || v_me, 60, interval '1 hour');
  insert into public.messaging_conversations (tenant_id, kind, title, created_by, retention_days)
  values (
    messaging_create_group.tenant_id, 'group', btrim(messaging_create_group.title), v_me,
    private.messaging_usual_retention(messaging_create_group.tenant_id)
  )
  returning * into v_conversation;
  foreach v_person in array v_people loop
    perform private.messaging_require_partner(v_conversation.tenant_id, v_me, v_person);
  end loop;
  -- In one order for everybody: two first groups of the same people could wait for each other.
  for v_person in select p.id from unnest(v_people || v_me) p (id) order by p.id loop
    perform private.messaging_enter(v_conversation, v_person, case v_person when v_me then 'owner' else 'member' end);
  end loop;
  perform private.messaging_post(private.messaging_draft(
    v_conversation.tenant_id, v_conversation.id, v_me, 'group_created', v_people
  ));
  select c.* into v_conversation from public.messaging_conversations c
  where c.tenant_id = v_conversation.tenant_id and c.id = v_conversation.id;
  return v_conversation;
end;
$$;
comment on function public.messaging_create_group(uuid, text, uuid[]) is
  'Begins a group with these members; the caller owns it (permission messaging.send). Raises members.not_found, messaging.blocked, messaging.group_full, limits.exceeded, request.invalid.';
grant execute on function public.messaging_create_group(uuid, text, uuid[]) to authenticated;
