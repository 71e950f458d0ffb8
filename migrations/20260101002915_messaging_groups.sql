-- Messaging, groups: who is added and removed, who manages, what it is called and how long it remembers.

create function private.messaging_role(conversation public.messaging_conversations, person uuid)
returns text
language plpgsql
stable
security definer -- reads members past their policies
set search_path = ''
as $$
#variable_conflict use_column
begin
  return (
    select m.role from public.messaging_members m
    where m.tenant_id = conversation.tenant_id and m.conversation_id = conversation.id
      and m.person_id = person and m.left_at is null
  );
end;
$$;
comment on function private.messaging_role(public.messaging_conversations, uuid) is
  'The person''s role in the conversation; null where they are not in it.';

create function private.messaging_lock_group(tenant_id uuid, conversation_id uuid, person uuid)
returns public.messaging_conversations
language plpgsql
volatile
security definer -- locks a conversation past its policies
set search_path = ''
as $$
#variable_conflict use_column
declare
  v_conversation public.messaging_conversations := private.messaging_lock(
    messaging_lock_group.tenant_id, messaging_lock_group.conversation_id, person
  );
begin
  if v_conversation.kind <> 'group' then
    raise sqlstate 'PT409' using message = 'messaging.not_a_group';
  elsif private.messaging_role(v_conversation, person) not in ('owner', 'admin') then
    raise sqlstate 'PT403' using message = 'messaging.not_a_manager';
  end if;
  return v_conversation;
end;
$$;
comment on function private.messaging_lock_group(uuid, uuid, uuid) is
  'A group that the person manages, locked. Raises messaging.conversation_not_found, messaging.not_a_group, messaging.not_a_manager.';

create function private.messaging_exit(conversation public.messaging_conversations, person uuid)
returns void
language plpgsql
volatile
security definer -- nobody else writes members
set search_path = ''
as $$
#variable_conflict use_column
begin
  perform private.messaging_advance(conversation, person, conversation.last_seq);
  delete from private.messaging_waiting w
  where w.tenant_id = conversation.tenant_id and w.person_id = person and w.conversation_id = conversation.id;
  delete from public.messaging_states s
  where s.tenant_id = conversation.tenant_id and s.person_id = person and s.conversation_id = conversation.id;
  update public.messaging_members m set left_at = now(), role = 'member'
  where m.tenant_id = conversation.tenant_id and m.conversation_id = conversation.id and m.person_id = person;
  -- A group is never without somebody who manages it.
  update public.messaging_members m set role = 'owner'
  from (
    select o.person_id from public.messaging_members o
    where o.tenant_id = conversation.tenant_id and o.conversation_id = conversation.id and o.left_at is null
    order by (o.role = 'admin') desc, o.joined_at, o.person_id
    limit 1
  ) heir
  where m.tenant_id = conversation.tenant_id and m.conversation_id = conversation.id
    and m.person_id = heir.person_id and conversation.kind = 'group'
    and not exists (
      select from public.messaging_members o
      where o.tenant_id = conversation.tenant_id and o.conversation_id = conversation.id
        and o.left_at is null and o.role = 'owner'
    );
end;
$$;
comment on function private.messaging_exit(public.messaging_conversations, uuid) is
  'Takes a person out of a conversation they hold no more: nothing of it is unread or shown to them. The last owner is followed by the one who is there longest, admins first.';

create function public.messaging_add(tenant_id uuid, conversation_id uuid, person uuid)
returns public.messaging_members
language plpgsql
volatile
security definer -- clients may not write members
set search_path = ''
as $$
#variable_conflict use_column
declare
  v_me uuid := private.require(messaging_add.tenant_id, 'messaging.send');
  v_conversation public.messaging_conversations :=
    private.messaging_lock_group(messaging_add.tenant_id, messaging_add.conversation_id, v_me);
  v_member public.messaging_members;
begin
  perform private.messaging_require_partner(v_conversation.tenant_id, v_me, messaging_add.person);
  if private.messaging_role(v_conversation, messaging_add.person) is null then
    if (
      select count(*) from public.messaging_members m
      where m.tenant_id = v_conversation.tenant_id and m.conversation_id = v_conversation.id and m.left_at is null
    ) >= private.setting(v_conversation.tenant_id, 'messaging', 'group_size', 500, 2, 2000) then
      raise sqlstate 'PT409' using message = 'messaging.group_full';
    end if;
    perform private.messaging_enter(v_conversation, messaging_add.person, 'member');
    perform private.messaging_post(private.messaging_draft(
      v_conversation.tenant_id, v_conversation.id, v_me, 'member_added', array[messaging_add.person]
    ));
  end if;
  select m.* into v_member from public.messaging_members m
  where m.tenant_id = v_conversation.tenant_id and m.conversation_id = v_conversation.id
    and m.person_id = messaging_add.person;
  return v_member;
end;
$$;
comment on function public.messaging_add(uuid, uuid, uuid) is
  'Adds a member to a group that the caller manages; who is in it already stays as they are (permission messaging.send). Raises messaging.conversation_not_found, messaging.not_a_group, messaging.not_a_manager, members.not_found, messaging.blocked, messaging.group_full.';
grant execute on function public.messaging_add(uuid, uuid, uuid) to authenticated;

create function public.messaging_remove(tenant_id uuid, conversation_id uuid, person uuid)
returns public.messaging_members
language plpgsql
volatile
security definer -- clients may not write members
set search_path = ''
as $$
#variable_conflict use_column
declare
  v_me uuid := private.require(messaging_remove.tenant_id, 'messaging.read');
  v_conversation public.messaging_conversations :=
    private.messaging_lock(messaging_remove.tenant_id, messaging_remove.conversation_id, v_me);
  v_role text := private.messaging_role(v_conversation, messaging_remove.person);
  v_member public.messaging_members;
begin
  if v_conversation.kind <> 'group' then
    raise sqlstate 'PT409' using message = 'messaging.not_a_group';
  elsif v_role is null then
    raise sqlstate 'PT404' using message = 'members.not_found';
  elsif messaging_remove.person <> v_me and (
    private.messaging_role(v_conversation, v_me) = 'member'
    or v_role = 'owner' and private.messaging_role(v_conversation, v_me) <> 'owner'
  ) then
    raise sqlstate 'PT403' using message = 'messaging.not_a_manager';
  end if;
  -- States are locked before people: whoever is reading meanwhile takes them so.
  perform from public.messaging_states st
  where st.tenant_id = v_conversation.tenant_id and st.conversation_id = v_conversation.id
    and st.person_id = messaging_remove.person
  for no key update;
  -- Told while they still hear it.
  perform private.messaging_post(private.messaging_draft(
    v_conversation.tenant_id, v_conversation.id, v_me,
    case messaging_remove.person when v_me then 'member_left' else 'member_removed' end,
    array[messaging_remove.person]
  ));
  v_conversation.last_seq := v_conversation.last_seq + 1;
  perform private.messaging_exit(v_conversation, messaging_remove.person);
  select m.* into v_member from public.messaging_members m
  where m.tenant_id = v_conversation.tenant_id and m.conversation_id = v_conversation.id
    and m.person_id = messaging_remove.person;
  return v_member;
end;
$$;
comment on function public.messaging_remove(uuid, uuid, uuid) is
  'Takes a member out of a group that the caller manages, or the caller out of any (permission messaging.read). Raises messaging.conversation_not_found, messaging.not_a_group, messaging.not_a_manager, members.not_found.';
grant execute on function public.messaging_remove(uuid, uuid, uuid) to authenticated;

create function public.messaging_set_role(tenant_id uuid, conversation_id uuid, person uuid, role text)
returns public.messaging_members
language plpgsql
volatile
security definer -- clients may not write members
set search_path = ''
as $$
#variable_conflict use_column
declare
  v_me uuid := private.require(messaging_set_role.tenant_id, 'messaging.read');
  v_conversation public.messaging_conversations :=
    private.messaging_lock_group(messaging_set_role.tenant_id, messaging_set_role.conversation_id, v_me);
  v_member public.messaging_members;
begin
  if messaging_set_role.role is null or messaging_set_role.role not in ('owner', 'admin', 'member') then
    raise sqlstate 'PT422' using message = 'request.invalid', detail = 'role: owner, admin or member';
  elsif private.messaging_role(v_conversation, v_me) <> 'owner' then
    raise sqlstate 'PT403' using message = 'messaging.not_a_manager', detail = 'owner';
  elsif messaging_set_role.person = v_me then
    -- An owner ends by leaving, or by making another one who takes it from them.
    raise sqlstate 'PT422' using message = 'request.invalid', detail = 'person: yourself';
  end if;
  update public.messaging_members m set role = messaging_set_role.role
  where m.tenant_id = v_conversation.tenant_id and m.conversation_id = v_conversation.id
    and m.person_id = messaging_set_role.person and m.left_at is null
  returning * into v_member;
  if not found then
    raise sqlstate 'PT404' using message = 'members.not_found';
  end if;
  return v_member;
end;
$$;
comment on function public.messaging_set_role(uuid, uuid, uuid, text) is
  'Gives a member of a group another role, by its owner (permission messaging.read). Raises messaging.conversation_not_found, messaging.not_a_group, messaging.not_a_manager, members.not_found, request.invalid.';
grant execute on function public.messaging_set_role(uuid, uuid, uuid, text) to authenticated;

create function public.messaging_rename(tenant_id uuid, conversation_id uuid, title text)
returns public.messaging_conversations
language plpgsql
volatile
security definer -- clients may not write conversations
set search_path = ''
as $$
#variable_conflict use_column
declare
  v_me uuid := private.require(messaging_rename.tenant_id, 'messaging.send');
  v_conversation public.messaging_conversations :=
    private.messaging_lock_group(messaging_rename.tenant_id, messaging_rename.conversation_id, v_me);
begin
  if coalesce(char_length(btrim(messaging_rename.title)) not between 1 and 120, true) then
    raise sqlstate 'PT422' using message = 'request.invalid', detail = 'title';
  end if;
  update public.messaging_conversations c set title = btrim(messaging_rename.title)
  where c.tenant_id = v_conversation.tenant_id and c.id = v_conversation.id;
  perform private.messaging_post(
    private.messaging_draft(v_conversation.tenant_id, v_conversation.id, v_me, 'renamed')
  );
  select c.* into v_conversation from public.messaging_conversations c
  where c.tenant_id = v_conversation.tenant_id and c.id = v_conversation.id;
  return v_conversation;
end;
$$;
comment on function public.messaging_rename(uuid, uuid, text) is
  'Gives a group that the caller manages another title (permission messaging.send). Raises messaging.conversation_not_found, messaging.not_a_group, messaging.not_a_manager, request.invalid.';
grant execute on function public.messaging_rename(uuid, uuid, text) to authenticated;

create function public.messaging_set_retention(tenant_id uuid, conversation_id uuid, days integer)
returns public.messaging_conversations
language plpgsql
volatile
security definer -- clients may not write conversations
set search_path = ''
as $$
#variable_conflict use_column
declare
  v_me uuid := private.require(messaging_set_retention.tenant_id, 'messaging.send');
  v_conversation public.messaging_conversations :=
    private.messaging_lock(messaging_set_retention.tenant_id, messaging_set_retention.conversation_id, v_me);
begin
  if messaging_set_retention.days not between 1 and 3650 then
    raise sqlstate 'PT422' using message = 'request.invalid', detail = 'days: 1 to 3650, or null for ever';
  elsif v_conversation.kind = 'group' and private.messaging_role(v_conversation, v_me) = 'member' then
    raise sqlstate 'PT403' using message = 'messaging.not_a_manager';
  end if;
  if messaging_set_retention.days is distinct from v_conversation.retention_days then
    update public.messaging_conversations c set retention_days = messaging_set_retention.days
    where c.tenant_id = v_conversation.tenant_id and c.id = v_conversation.id;
    perform private.messaging_post(
      private.messaging_draft(v_conversation.tenant_id, v_conversation.id, v_me, 'retention_changed')
    );
  end if;
  select c.* into v_conversation from public.messaging_conversations c
  where c.tenant_id = v_conversation.tenant_id and c.id = v_conversation.id;
  return v_conversation;
end;
$$;
comment on function public.messaging_set_retention(uuid, uuid, integer) is
  'How many days the conversation remembers, null for ever: by either of two, by a group''s managers; its members are told (permission messaging.send). Raises messaging.conversation_not_found, messaging.not_a_manager, request.invalid.';
grant execute on function public.messaging_set_retention(uuid, uuid, integer) to authenticated;
