-- Messaging, reports: a message can be reported by who sees it; the group's managers are told beside
-- the tenant's moderators.

create function private.messaging_describe(tenant_id uuid, subject uuid, reporter uuid)
returns private.moderation_subject
language plpgsql
stable
security definer -- reads messages past their policies
set search_path = ''
as $$
#variable_conflict use_column
declare
  v_subject private.moderation_subject;
begin
  select m.sender_id, m.body, array(
    select g.person_id from public.messaging_members g
    where g.tenant_id = m.tenant_id and g.conversation_id = m.conversation_id
      and g.left_at is null and g.role in ('owner', 'admin')
  )
  into v_subject
  from public.messaging_messages m
  join public.messaging_states s
    on s.tenant_id = m.tenant_id and s.conversation_id = m.conversation_id and s.person_id = reporter
    and s.from_seq < m.seq
  where m.tenant_id = messaging_describe.tenant_id and m.id = messaging_describe.subject
    and m.kind = 'text' and m.deleted_at is null and m.sender_id <> reporter
    and private.may(m.tenant_id, reporter, 'messaging.read');
  return v_subject;
end;
$$;
comment on function private.messaging_describe(uuid, uuid, uuid) is
  'A message of somebody else, as its reporter sees it, blocked senders included: whoever was harassed has mostly blocked already.';

create function private.messaging_remove_reported(tenant_id uuid, subject uuid)
returns jsonb
language plpgsql
volatile
security definer -- nobody else writes messages
set search_path = ''
as $$
#variable_conflict use_column
declare
  v_message public.messaging_messages;
begin
  perform from public.messaging_conversations c
  join public.messaging_messages m on m.tenant_id = c.tenant_id and m.conversation_id = c.id
  where m.tenant_id = messaging_remove_reported.tenant_id and m.id = messaging_remove_reported.subject
  for no key update of c;
  select * into v_message from public.messaging_messages m
  where m.tenant_id = messaging_remove_reported.tenant_id and m.id = messaging_remove_reported.subject;
  if v_message.deleted_at is not null or v_message.id is null then
    return null;
  end if;
  perform private.messaging_erase(v_message);
  return jsonb_build_object('body', v_message.body, 'mentions', v_message.mentions, 'reply_to', v_message.reply_to);
end;
$$;
comment on function private.messaging_remove_reported(uuid, uuid) is
  'Deletes a reported message for all; answers what it said. Its files are gone for good.';

create function private.messaging_restore_reported(tenant_id uuid, subject uuid, snapshot jsonb)
returns void
language plpgsql
volatile
security definer -- nobody else writes messages
set search_path = ''
as $$
#variable_conflict use_column
declare
  v_message public.messaging_messages;
begin
  perform from public.messaging_conversations c
  join public.messaging_messages m on m.tenant_id = c.tenant_id and m.conversation_id = c.id
  where m.tenant_id = messaging_restore_reported.tenant_id and m.id = messaging_restore_reported.subject
  for no key update of c;
  update public.messaging_messages m
  set body = snapshot ->> 'body', deleted_at = null, version = m.version + 1,
    reply_to = (snapshot ->> 'reply_to')::uuid,
    mentions = array(select (jsonb_array_elements_text(snapshot -> 'mentions'))::uuid)
  where m.tenant_id = messaging_restore_reported.tenant_id and m.id = messaging_restore_reported.subject
    and m.deleted_at is not null and snapshot ->> 'body' is not null
  returning * into v_message;
  if found then
    perform private.messaging_tell(
      v_message, 'message:edited',
      private.messaging_reach(v_message.tenant_id, v_message.conversation_id, v_message.sender_id), 0
    );
  end if;
end;
$$;
comment on function private.messaging_restore_reported(uuid, uuid, jsonb) is
  'Has a message that was removed say again what it said.';

select private.declare_reportable(
  'messaging.message', 'messaging_describe', 'messaging_remove_reported', 'messaging_restore_reported'
);
