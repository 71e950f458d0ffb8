-- Messaging, sending: the checks before a message is posted. They are asked for a person, not for the
-- caller, so that a message sent later by the clock passes the same.

create function private.messaging_check_body(tenant_id uuid, body text, files uuid[])
returns void
language plpgsql
stable
security definer -- asks setting
set search_path = ''
as $$
#variable_conflict use_column
declare
  v_most integer := private.setting(messaging_check_body.tenant_id, 'messaging', 'max_length', 4000, 1, 20000);
begin
  if coalesce(messaging_check_body.body !~ '\S', true)
    and (messaging_check_body.body is not null or cardinality(messaging_check_body.files) = 0)
  then
    raise sqlstate 'PT422' using message = 'request.invalid', detail = 'body';
  elsif char_length(messaging_check_body.body) > v_most then
    raise sqlstate 'PT422' using
      message = 'messaging.too_long', detail = format('at most %s characters', v_most);
  end if;
end;
$$;
comment on function private.messaging_check_body(uuid, text, uuid[]) is
  'Raises request.invalid for a message without words and files, messaging.too_long.';

create function private.messaging_require_rate(tenant_id uuid, person uuid)
returns void
language plpgsql
volatile
security definer -- nobody else writes the counters
set search_path = ''
as $$
#variable_conflict use_column
declare
  v_verdict public.limits_verdict := private.rate_limit(
    'messaging-send:' || messaging_require_rate.tenant_id || ':' || person,
    private.setting(messaging_require_rate.tenant_id, 'messaging', 'send_limit', 10, 1, 10000),
    make_interval(secs => private.setting(messaging_require_rate.tenant_id, 'messaging', 'send_seconds', 10, 1, 3600))
  );
begin
  if not v_verdict.allowed then
    raise sqlstate 'PGRST' using
      message = json_build_object(
        'code', 'PT429', 'message', 'messaging.rate_limited',
        'details', format('Try again in %s s.', v_verdict.retry_after), 'hint', v_verdict.retry_after::text
      ),
      detail = json_build_object(
        'status', 429, 'headers', json_build_object('Retry-After', v_verdict.retry_after::text)
      );
  end if;
end;
$$;
comment on function private.messaging_require_rate(uuid, uuid) is
  'Ten messages in ten seconds a person, or as the tenant says under settings.messaging. Raises messaging.rate_limited with Retry-After.';

create function private.messaging_require_open(tenant_id uuid, conversation_id uuid, person uuid)
returns void
language plpgsql
stable
security definer -- reads members and blocks past their policies
set search_path = ''
as $$
#variable_conflict use_column
declare
  v_partner uuid;
  v_active boolean;
begin
  if not exists (
    select from public.messaging_states s
    where s.tenant_id = messaging_require_open.tenant_id and s.person_id = person
      and s.conversation_id = messaging_require_open.conversation_id
  ) then
    raise sqlstate 'PT404' using message = 'messaging.conversation_not_found';
  end if;
  select other.person_id, m.status = 'active' into v_partner, v_active
  from public.messaging_conversations c
  join public.messaging_members other
    on other.tenant_id = c.tenant_id and other.conversation_id = c.id and other.person_id <> person
  join public.members m on m.tenant_id = other.tenant_id and m.person_id = other.person_id
  where c.tenant_id = messaging_require_open.tenant_id and c.id = messaging_require_open.conversation_id
    and c.kind = 'direct';
  if not v_active then
    raise sqlstate 'PT409' using message = 'messaging.partner_gone';
  elsif private.messaging_blocked(messaging_require_open.tenant_id, person, v_partner) then
    raise sqlstate 'PT403' using message = 'messaging.blocked';
  end if;
end;
$$;
comment on function private.messaging_require_open(uuid, uuid, uuid) is
  'Raises messaging.conversation_not_found unless the person is in it; of two, messaging.partner_gone where the other is no active member, messaging.blocked where one blocked the other.';

create function private.messaging_check_links(message public.messaging_messages)
returns void
language plpgsql
stable
security definer -- reads files and messages past their policies
set search_path = ''
as $$
#variable_conflict use_column
begin
  if cardinality(message.files) > 10 then
    raise sqlstate 'PT422' using message = 'request.invalid', detail = 'files: at most 10';
  elsif message.files <> array(
    -- In the order given: each the sender's own, there, and let go.
    select f.id from unnest(message.files) with ordinality given (id, place)
    join public.files f on f.tenant_id = message.tenant_id and f.id = given.id
    where f.person_id = message.sender_id and f.bucket = 'attachments' and f.status = 'released'
    order by given.place
  ) or cardinality(message.files) <> (select count(distinct g.id) from unnest(message.files) g (id)) then
    raise sqlstate 'PT404' using message = 'files.not_found', detail = 'files: your own, in attachments, each once';
  elsif message.reply_to is not null and not exists (
    select from public.messaging_messages m
    join public.messaging_states s
      on s.tenant_id = m.tenant_id and s.conversation_id = m.conversation_id and s.person_id = message.sender_id
    where m.tenant_id = message.tenant_id and m.id = message.reply_to
      and m.conversation_id = message.conversation_id and m.seq > s.from_seq and m.kind = 'text'
  ) then
    raise sqlstate 'PT404' using message = 'messaging.message_not_found', detail = 'reply_to';
  elsif cardinality(message.mentions) > 50 or exists (
    select from unnest(message.mentions) p (id)
    where p.id is null or not exists (
      select from public.messaging_members m
      where m.tenant_id = message.tenant_id and m.conversation_id = message.conversation_id
        and m.person_id = p.id and m.left_at is null
    )
  ) then
    raise sqlstate 'PT404' using message = 'members.not_found', detail = 'mentions';
  end if;
end;
$$;
comment on function private.messaging_check_links(public.messaging_messages) is
  'Raises files.not_found, messaging.message_not_found, members.not_found for files, reply or mentions that the message cannot name.';

create function private.messaging_send_as(message public.messaging_messages)
returns public.messaging_messages
language plpgsql
volatile
security definer -- nobody else writes messages
set search_path = ''
set plan_cache_mode = force_generic_plan
as $$
#variable_conflict use_column
declare
  v_message public.messaging_messages := message;
begin
  perform private.messaging_check_body(message.tenant_id, message.body, message.files);
  -- Whoever blocked the sender, or is blocked, is not called by them.
  v_message.mentions := array(
    select distinct p.id from unnest(message.mentions) p (id)
    where not private.messaging_blocked(message.tenant_id, message.sender_id, p.id)
  );
  perform private.messaging_require_open(message.tenant_id, message.conversation_id, message.sender_id);
  if message.reply_to is not null or cardinality(message.files) > 0 or cardinality(message.mentions) > 0 then
    perform private.messaging_check_links(v_message);
  end if;
  return private.messaging_post(v_message);
end;
$$;
comment on function private.messaging_send_as(public.messaging_messages) is
  'Posts a person''s message after every check but how often. Raises what messaging_send raises.';

create function public.messaging_send(
  tenant_id uuid,
  conversation_id uuid,
  client_id text,
  body text,
  reply_to uuid default null,
  mentions uuid[] default '{}',
  files uuid[] default '{}'
)
returns public.messaging_messages
language plpgsql
volatile
security definer -- clients may not write messages
set search_path = ''
as $$
#variable_conflict use_column
declare
  v_me uuid := private.require(messaging_send.tenant_id, 'messaging.send');
  v_message public.messaging_messages := private.messaging_draft(
    messaging_send.tenant_id, messaging_send.conversation_id, v_me, 'text', coalesce(messaging_send.mentions, '{}')
  );
  v_first public.messaging_messages;
begin
  if coalesce(char_length(messaging_send.client_id) not between 1 and 64, true) then
    raise sqlstate 'PT422' using message = 'request.invalid', detail = 'client_id: 1 to 64 characters';
  end if;
  v_message.client_id := messaging_send.client_id;
  v_message.body := messaging_send.body;
  v_message.reply_to := messaging_send.reply_to;
  v_message.files := coalesce(messaging_send.files, '{}');

  -- Sent again, it costs nothing of the limit, and no check that failed since can turn the answer.
  v_first := private.messaging_first(v_message);
  if v_first.id is not null then
    return v_first;
  end if;
  perform private.messaging_require_rate(messaging_send.tenant_id, v_me);
  return private.messaging_send_as(v_message);
end;
$$;
comment on function public.messaging_send(uuid, uuid, text, text, uuid, uuid[], uuid[]) is
  'Sends a message and returns it as stored: that is the acknowledgement. The same client_id again returns the first message, for good (permission messaging.send). Raises messaging.rate_limited, messaging.conversation_not_found, messaging.partner_gone, messaging.blocked, messaging.too_long, messaging.message_not_found, members.not_found, files.not_found, request.invalid.';
grant execute on function public.messaging_send(uuid, uuid, text, text, uuid, uuid[], uuid[]) to authenticated;
