-- Messaging, acts: what becomes of a message afterwards, and of a person one does not want to hear.

create function private.messaging_message_of(tenant_id uuid, message_id uuid, person uuid)
returns public.messaging_messages
language plpgsql
volatile
security definer -- locks a conversation past its policies
set search_path = ''
as $$
#variable_conflict use_column
declare
  v_message public.messaging_messages;
begin
  perform from public.messaging_conversations c
  join public.messaging_messages m on m.tenant_id = c.tenant_id and m.conversation_id = c.id
  where m.tenant_id = messaging_message_of.tenant_id and m.id = messaging_message_of.message_id
  for no key update of c;
  select m.* into v_message
  from public.messaging_messages m
  join public.messaging_states s
    on s.tenant_id = m.tenant_id and s.conversation_id = m.conversation_id and s.person_id = person
  where m.tenant_id = messaging_message_of.tenant_id and m.id = messaging_message_of.message_id
    and m.seq > s.from_seq
    and not exists (
      select from public.messaging_hidden h
      where h.tenant_id = m.tenant_id and h.person_id = person and h.message_id = m.id
    )
    and not exists (
      select from public.messaging_blocks b
      where b.tenant_id = m.tenant_id and b.person_id = person and b.blocked_id = m.sender_id
    );
  if not found then
    raise sqlstate 'PT404' using message = 'messaging.message_not_found';
  end if;
  return v_message;
end;
$$;
comment on function private.messaging_message_of(uuid, uuid, uuid) is
  'A message that the person sees, its conversation locked. Raises messaging.message_not_found, alike where there is none and where it is not for them.';

create function public.messaging_edit(tenant_id uuid, message_id uuid, body text)
returns public.messaging_messages
language plpgsql
volatile
security definer -- clients may not write messages
set search_path = ''
as $$
#variable_conflict use_column
declare
  v_me uuid := private.require(messaging_edit.tenant_id, 'messaging.send');
  v_message public.messaging_messages :=
    private.messaging_message_of(messaging_edit.tenant_id, messaging_edit.message_id, v_me);
  v_minutes integer := private.setting(messaging_edit.tenant_id, 'messaging', 'edit_minutes', 1440, 0, 525600);
begin
  if v_message.sender_id <> v_me or v_message.kind <> 'text' then
    raise sqlstate 'PT403' using message = 'messaging.not_the_sender';
  elsif v_message.deleted_at is not null then
    raise sqlstate 'PT409' using message = 'messaging.deleted';
  elsif v_message.created_at < now() - make_interval(mins => v_minutes) then
    raise sqlstate 'PT409' using
      message = 'messaging.edit_window_over', detail = format('%s minutes', v_minutes);
  end if;
  perform private.messaging_check_body(messaging_edit.tenant_id, messaging_edit.body, v_message.files);
  perform private.messaging_require_open(messaging_edit.tenant_id, v_message.conversation_id, v_me);
  perform private.require_rate('messaging-edit:' || messaging_edit.tenant_id || ':' || v_me, 60, interval '1 minute');
  insert into public.messaging_edits (tenant_id, message_id, version, body)
  values (v_message.tenant_id, v_message.id, v_message.version, v_message.body);
  update public.messaging_messages m
  set body = messaging_edit.body, version = m.version + 1, edited_at = clock_timestamp()
  where m.tenant_id = v_message.tenant_id and m.id = v_message.id
  returning * into v_message;
  perform private.messaging_tell(
    v_message, 'message:edited', private.messaging_reach(v_message.tenant_id, v_message.conversation_id, v_me), 0
  );
  return v_message;
end;
$$;
comment on function public.messaging_edit(uuid, uuid, text) is
  'Changes what the caller''s own message says, for a day or as the tenant says; what it said before is kept in messaging_edits (permission messaging.send). Raises messaging.message_not_found, messaging.not_the_sender, messaging.deleted, messaging.edit_window_over, messaging.too_long, messaging.partner_gone, messaging.blocked, limits.exceeded, request.invalid.';
grant execute on function public.messaging_edit(uuid, uuid, text) to authenticated;

create function private.messaging_discard_files(message public.messaging_messages)
returns void
language plpgsql
volatile
security definer -- nobody else deletes files
set search_path = ''
as $$
#variable_conflict use_column
begin
  delete from public.messaging_attachments a
  where a.tenant_id = message.tenant_id and a.message_id = message.id;
  perform private.files_discard(f)
  from public.files f
  where f.tenant_id = message.tenant_id and f.id = any (message.files) and f.status <> 'deleted'
    and not exists (
      select from public.messaging_attachments a where a.tenant_id = f.tenant_id and a.file_id = f.id
    )
    and not exists (
      select from public.feed_attachments a where a.tenant_id = f.tenant_id and a.file_id = f.id
    )
    and not exists (
      select from public.groups_files s where s.tenant_id = f.tenant_id and s.file_id = f.id
    );
end;
$$;
comment on function private.messaging_discard_files(public.messaging_messages) is
  'Deletes the files that no other message carries, no post shows and no group shares.';

create function private.messaging_erase(message public.messaging_messages)
returns public.messaging_messages
language plpgsql
volatile
security definer -- nobody else writes messages
set search_path = ''
as $$
#variable_conflict use_column
declare
  v_message public.messaging_messages;
begin
  perform private.messaging_discard_files(message);
  delete from public.messaging_edits e where e.tenant_id = message.tenant_id and e.message_id = message.id;
  update public.messaging_messages m
  set body = null, files = '{}', mentions = case m.kind when 'text' then '{}' else m.mentions end,
    reply_to = null, version = m.version + 1, deleted_at = clock_timestamp()
  where m.tenant_id = message.tenant_id and m.id = message.id
  returning * into v_message;
  perform private.messaging_tell(
    v_message, 'message:deleted',
    private.messaging_reach(v_message.tenant_id, v_message.conversation_id, v_message.sender_id), 0
  );
  return v_message;
end;
$$;
comment on function private.messaging_erase(public.messaging_messages) is
  'Takes from a message what it said, to whom and with what, and tells everybody; its number stays.';

create function public.messaging_delete(tenant_id uuid, message_id uuid, for_all boolean default false)
returns public.messaging_messages
language plpgsql
volatile
security definer -- clients may not write messages
set search_path = ''
as $$
#variable_conflict use_column
declare
  v_me uuid := private.require(messaging_delete.tenant_id, 'messaging.read');
  v_message public.messaging_messages :=
    private.messaging_message_of(messaging_delete.tenant_id, messaging_delete.message_id, v_me);
begin
  if not coalesce(messaging_delete.for_all, false) then
    insert into public.messaging_hidden (tenant_id, person_id, message_id)
    values (v_message.tenant_id, v_me, v_message.id);
    perform private.messaging_skip(v_message, v_me);
    perform private.messaging_tell_self(v_message, v_me, 'message:deleted');
    return v_message;
  end if;
  if v_message.deleted_at is not null then
    return v_message;
  elsif v_message.kind <> 'text' or v_message.sender_id <> v_me and not exists (
    select from public.messaging_members m
    join public.messaging_conversations c
      on c.tenant_id = m.tenant_id and c.id = m.conversation_id and c.kind = 'group'
    where m.tenant_id = v_message.tenant_id and m.conversation_id = v_message.conversation_id
      and m.person_id = v_me and m.role in ('owner', 'admin')
  ) then
    raise sqlstate 'PT403' using message = 'messaging.not_the_sender';
  end if;
  return private.messaging_erase(v_message);
end;
$$;
comment on function public.messaging_delete(uuid, uuid, boolean) is
  'Deletes a message for the caller, or for all: their own, or any in a group they manage (permission messaging.read). Deleted for all, it keeps its place without words, files and history. Raises messaging.message_not_found, messaging.not_the_sender.';
grant execute on function public.messaging_delete(uuid, uuid, boolean) to authenticated;

create function private.messaging_skip(message public.messaging_messages, person uuid)
returns void
language plpgsql
volatile
security definer -- nobody else writes states
set search_path = ''
as $$
#variable_conflict use_column
begin
  update public.messaging_states s set skipped = s.skipped + 1
  where s.tenant_id = message.tenant_id and s.person_id = person
    and s.conversation_id = message.conversation_id
    and s.read_seq < message.seq and message.sender_id <> person;
  update private.messaging_people p set unread = p.unread - 1
  where p.tenant_id = message.tenant_id and p.person_id = person and found;
end;
$$;
comment on function private.messaging_skip(public.messaging_messages, uuid) is
  'Takes a message that the person deleted unread out of their sums: nobody can read it any more.';

create function private.messaging_tell_self(message public.messaging_messages, person uuid, event text)
returns void
language plpgsql
volatile
security definer -- nobody else writes the rows of changes
set search_path = ''
as $$
#variable_conflict use_column
declare
  v_position bigint;
begin
  update private.messaging_people p set position = p.position + 1
  where p.tenant_id = message.tenant_id and p.person_id = person
  returning p.position into v_position;
  insert into public.messaging_inbox (tenant_id, person_id, position, conversation_id, message_id, version)
  values (message.tenant_id, person, v_position, message.conversation_id, message.id, 0);
  perform private.announce_to(
    array[person], messaging_tell_self.event,
    jsonb_build_object(
      'tenant_id', message.tenant_id, 'conversation_id', message.conversation_id, 'message_id', message.id,
      'seq', message.seq
    ),
    'messaging.read', array[v_position]
  );
end;
$$;
comment on function private.messaging_tell_self(public.messaging_messages, uuid, text) is
  'Tells a person''s own devices that a message is no more for them.';

-- Muting and archiving
create function public.messaging_mute(tenant_id uuid, conversation_id uuid, until timestamptz)
returns public.messaging_states
language plpgsql
volatile
security definer -- clients may not write states
set search_path = ''
as $$
#variable_conflict use_column
declare
  v_me uuid := private.require(messaging_mute.tenant_id, 'messaging.read');
  v_state public.messaging_states;
begin
  update public.messaging_states s set muted_until = messaging_mute.until
  where s.tenant_id = messaging_mute.tenant_id and s.person_id = v_me
    and s.conversation_id = messaging_mute.conversation_id
  returning * into v_state;
  if not found then
    raise sqlstate 'PT404' using message = 'messaging.conversation_not_found';
  end if;
  return v_state;
end;
$$;
comment on function public.messaging_mute(uuid, uuid, timestamptz) is
  'Until when the conversation tells the caller nothing outside the app, but where they are mentioned; null: it does (permission messaging.read). Raises messaging.conversation_not_found.';
grant execute on function public.messaging_mute(uuid, uuid, timestamptz) to authenticated;

create function public.messaging_archive(tenant_id uuid, conversation_id uuid, archived boolean)
returns public.messaging_states
language plpgsql
volatile
security definer -- clients may not write states
set search_path = ''
as $$
#variable_conflict use_column
declare
  v_me uuid := private.require(messaging_archive.tenant_id, 'messaging.read');
  v_state public.messaging_states;
begin
  update public.messaging_states s
  set archived_at = case when messaging_archive.archived then coalesce(s.archived_at, now()) end
  where s.tenant_id = messaging_archive.tenant_id and s.person_id = v_me
    and s.conversation_id = messaging_archive.conversation_id
  returning * into v_state;
  if not found then
    raise sqlstate 'PT404' using message = 'messaging.conversation_not_found';
  end if;
  return v_state;
end;
$$;
comment on function public.messaging_archive(uuid, uuid, boolean) is
  'Puts a conversation into the caller''s archive, or back (permission messaging.read). Raises messaging.conversation_not_found.';
grant execute on function public.messaging_archive(uuid, uuid, boolean) to authenticated;
