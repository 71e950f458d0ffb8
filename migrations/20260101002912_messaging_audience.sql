-- Messaging, audience: presence-conversation-{id} is the channel of a conversation. On it go ids and
-- kinds of what happened, who is typing, and who is there.

create function private.messaging_state_of(topic text)
returns public.messaging_states
language plpgsql
stable
security definer -- asked by realtime's policies, for whatever topic a client names
set search_path = ''
as $$
#variable_conflict use_column
declare
  v_id text := substr(topic, 23);
  v_state public.messaging_states;
begin
  if pg_input_is_valid(v_id, 'uuid') then
    select s.* into v_state
    from public.messaging_states s
    where s.person_id = private.person() and s.conversation_id = v_id::uuid
      and s.tenant_id = any (array(select private.tenants_with('messaging.read')));
  end if;
  return v_state;
end;
$$;
comment on function private.messaging_state_of(text) is
  'What the caller keeps of the conversation whose channel it is; null where they are not in it.';

create function private.messaging_hears(topic text)
returns boolean
language plpgsql
stable
security definer -- asks messaging_state_of
set search_path = ''
as $$
begin
  return (private.messaging_state_of(topic)).conversation_id is not null;
end;
$$;
comment on function private.messaging_hears(text) is 'Whether the caller is in the conversation whose channel it is.';

create function private.messaging_speaks(topic text)
returns boolean
language plpgsql
stable
security definer -- asks messaging_state_of
set search_path = ''
as $$
declare
  v_state public.messaging_states := private.messaging_state_of(topic);
begin
  return v_state.conversation_id is not null and private.can(v_state.tenant_id, 'messaging.send')
    and private.messaging_meets(topic);
end;
$$;
comment on function private.messaging_speaks(text) is 'Whether the caller may say on a conversation''s channel that they are typing.';

create function private.messaging_meets(topic text)
returns boolean
language plpgsql
stable
security definer -- reads the blocks of others
set search_path = ''
as $$
#variable_conflict use_column
declare
  v_state public.messaging_states := private.messaging_state_of(topic);
begin
  return v_state.conversation_id is not null and not exists (
    select from public.messaging_conversations c
    join public.messaging_members other
      on other.tenant_id = c.tenant_id and other.conversation_id = c.id
      and other.person_id <> v_state.person_id
    where c.tenant_id = v_state.tenant_id and c.id = v_state.conversation_id and c.kind = 'direct'
      and private.messaging_blocked(c.tenant_id, v_state.person_id, other.person_id)
  );
end;
$$;
comment on function private.messaging_meets(text) is
  'Whether the caller is in the conversation, and it is no direct one in which one blocked the other.';

create function private.messaging_shows_presence(topic text)
returns boolean
language plpgsql
stable
security definer -- reads a preference
set search_path = ''
as $$
#variable_conflict use_column
declare
  v_person uuid := private.person();
  v_state public.messaging_states := private.messaging_state_of(topic);
  v_tenant uuid := coalesce(
    v_state.tenant_id,
    case when topic like 'private-tenant-%' and pg_input_is_valid(substr(topic, 16), 'uuid')
      then substr(topic, 16)::uuid end
  );
  v_choice text;
begin
  select p.presence into v_choice
  from public.messaging_preferences p
  where p.tenant_id = v_tenant and p.person_id = v_person;
  return case coalesce(v_choice, 'conversations')
    when 'tenant' then true
    when 'conversations' then topic like 'presence-conversation-%'
    else false
  end and not exists (
    -- A channel shows all of them to all: whoever is hidden from one there is not on it.
    select from public.messaging_blocks b
    where b.tenant_id = v_tenant and b.person_id = v_person and (
      topic like 'private-tenant-%' or exists (
        select from public.messaging_states s
        where s.tenant_id = b.tenant_id and s.person_id = b.blocked_id
          and s.conversation_id = v_state.conversation_id
      )
    )
  );
end;
$$;
comment on function private.messaging_shows_presence(text) is
  'Whether the caller chose to be seen there: nowhere, in their conversations, or in the whole tenant; and not where somebody is whom they blocked.';

-- An admin who acts as a member sees the tenant as they do, but reads none of their letters.
create function private.messaging_close_to_actors()
returns trigger
language plpgsql
volatile
security definer -- reads the permissions whatever the writer may see
set search_path = ''
as $$
#variable_conflict use_column
begin
  new.permissions := array(
    select p.name from public.permissions p
    where p.module <> 'messaging' and (new.permissions is null or p.name = any (new.permissions))
  );
  return new;
end;
$$;
comment on function private.messaging_close_to_actors() is
  'Before insert on trust_bounds: the session of an impersonation has every permission but those of messaging.';

create trigger messaging_close_to_actors before insert on private.trust_bounds
  for each row when (new.actor_id is not null)
  execute function private.messaging_close_to_actors();

create function private.messaging_signal(
  tenant_id uuid, conversation_id uuid, event text, payload jsonb default '{}'
)
returns void
language plpgsql
volatile
security definer -- clients may not write realtime.messages
set search_path = ''
as $$
#variable_conflict use_column
begin
  perform realtime.send(
    messaging_signal.payload || jsonb_build_object(
      'tenant_id', messaging_signal.tenant_id, 'conversation_id', messaging_signal.conversation_id
    ),
    messaging_signal.event, 'presence-conversation-' || messaging_signal.conversation_id, true
  );
end;
$$;
comment on function private.messaging_signal(uuid, uuid, text, jsonb) is
  'Says on the conversation''s channel that something happened: ids and numbers, never what was said.';

create function public.messaging_set_preferences(
  tenant_id uuid, receipts boolean default null, presence text default null
)
returns public.messaging_preferences
language plpgsql
volatile
security definer -- clients may not write preferences
set search_path = ''
as $$
#variable_conflict use_column
declare
  v_person uuid := private.require(messaging_set_preferences.tenant_id, 'messaging.read');
  v_row public.messaging_preferences;
begin
  if messaging_set_preferences.presence not in ('nobody', 'conversations', 'tenant') then
    raise sqlstate 'PT422' using
      message = 'request.invalid', detail = 'presence: nobody, conversations or tenant';
  end if;
  insert into public.messaging_preferences as p (tenant_id, person_id, receipts, presence)
  values (
    messaging_set_preferences.tenant_id, v_person, coalesce(messaging_set_preferences.receipts, true),
    coalesce(messaging_set_preferences.presence, 'conversations')
  )
  on conflict (tenant_id, person_id) do update
    set receipts = coalesce(messaging_set_preferences.receipts, p.receipts),
      presence = coalesce(messaging_set_preferences.presence, p.presence)
  returning * into v_row;
  return v_row;
end;
$$;
comment on function public.messaging_set_preferences(uuid, boolean, text) is
  'Switches the caller''s receipts on or off and says who may see them present; null leaves one as it is (permission messaging.read). Raises request.invalid.';
grant execute on function public.messaging_set_preferences(uuid, boolean, text) to authenticated;
