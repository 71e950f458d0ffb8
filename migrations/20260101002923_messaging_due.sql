-- Messaging, due: what the worker does when a schedule's time has come, and who is told outside the
-- app. One schedule a transaction: each takes the locks of its own conversation, never of two.

select private.declare_notification(
  'messaging.message', inbox => null, email => 'daily', group_key => 'conversation_id',
  outdated => 'messaging_notice_outdated'
);
select private.declare_notification(
  'messaging.mention', group_key => 'conversation_id', outdated => 'messaging_notice_outdated'
);
select private.declare_notification('messaging.reminder', email => 'off', group_key => 'conversation_id');
select private.declare_notification('messaging.not_sent', group_key => 'conversation_id');

create function private.messaging_notice_outdated(event private.notifications_events)
returns boolean
language plpgsql
stable
security definer -- reads messages past their policies
set search_path = ''
as $$
#variable_conflict use_column
begin
  return not exists (
    select from public.messaging_messages m
    join public.messaging_states s
      on s.tenant_id = m.tenant_id and s.person_id = event.person_id
      and s.conversation_id = m.conversation_id and s.read_seq < m.seq
    where m.tenant_id = event.tenant_id and m.id = (event.payload ->> 'message_id')::uuid
      and m.deleted_at is null
      and not private.messaging_blocked(m.tenant_id, event.person_id, m.sender_id)
  );
end;
$$;
comment on function private.messaging_notice_outdated(private.notifications_events) is
  'Whether the message was read, deleted or blocked since: nobody is woken for it in the morning, and no digest tells of it.';

create function private.messaging_link(tenant_id uuid, conversation_id uuid)
returns jsonb
language plpgsql
stable
security definer -- reads tenants past their policies
set search_path = ''
as $$
#variable_conflict use_column
begin
  return jsonb_strip_nulls(jsonb_build_object(
    'conversation_id', messaging_link.conversation_id,
    'link', (
      select rtrim(t.app_url, '/') || '/conversations/' || messaging_link.conversation_id
      from public.tenants t where t.id = messaging_link.tenant_id
    )
  ));
end;
$$;
comment on function private.messaging_link(uuid, uuid) is
  'The values of a notice about a conversation: its id, and where the tenant''s app shows it.';

create function private.messaging_send_due(schedule public.messaging_schedules)
returns uuid
language plpgsql
volatile
security definer -- nobody else writes messages
set search_path = ''
as $$
#variable_conflict use_column
declare
  v_message public.messaging_messages := private.messaging_draft(
    schedule.tenant_id, schedule.conversation_id, schedule.person_id, 'text', schedule.mentions
  );
begin
  if not private.may(schedule.tenant_id, schedule.person_id, 'messaging.send') then
    raise sqlstate 'PT403' using message = 'members.permission_denied', detail = 'messaging.send';
  end if;
  v_message.client_id := schedule.client_id;
  v_message.body := schedule.body;
  v_message.reply_to := schedule.reply_to;
  v_message.files := schedule.files;
  return (private.messaging_send_as(v_message)).id;
end;
$$;
comment on function private.messaging_send_due(public.messaging_schedules) is
  'Sends what a person scheduled, with every check of messaging_send but how often. Raises what that raises.';

create function public.messaging_run_schedule(tenant_id uuid, schedule uuid)
returns public.messaging_schedules
language plpgsql
volatile
security definer -- nobody else writes schedules
set search_path = ''
as $$
#variable_conflict use_column
declare
  v_schedule public.messaging_schedules;
  v_failure text;
begin
  select * into v_schedule from public.messaging_schedules s
  where s.tenant_id = messaging_run_schedule.tenant_id and s.id = messaging_run_schedule.schedule
    and s.status = 'pending' and s.due_at <= now()
  for no key update;
  if not found then
    return null;
  elsif v_schedule.kind = 'remind' then
    perform private.notify(
      v_schedule.person_id, 'messaging.reminder',
      private.messaging_link(v_schedule.tenant_id, v_schedule.conversation_id)
        || jsonb_build_object('message_id', v_schedule.message_id, 'about', 'messaging_schedules:' || v_schedule.id),
      v_schedule.tenant_id
    );
  else
    begin
      v_schedule.message_id := private.messaging_send_due(v_schedule);
    exception when sqlstate 'PT403' or sqlstate 'PT404' or sqlstate 'PT409' or sqlstate 'PT422' then
      v_failure := sqlerrm;
    end;
    if v_failure is not null then
      perform private.notify(
        v_schedule.person_id, 'messaging.not_sent',
        private.messaging_link(v_schedule.tenant_id, v_schedule.conversation_id)
          || jsonb_build_object('about', 'messaging_schedules:' || v_schedule.id),
        v_schedule.tenant_id
      );
    end if;
  end if;
  -- A message of one's own stands in the conversation now, and nowhere else.
  update public.messaging_schedules s
  set status = case when v_failure is null then 'done' else 'failed' end, failure = v_failure,
    message_id = v_schedule.message_id, body = case when v_failure is not null then s.body end
  where s.tenant_id = v_schedule.tenant_id and s.id = v_schedule.id
  returning * into v_schedule;
  return v_schedule;
end;
$$;
comment on function public.messaging_run_schedule(uuid, uuid) is
  'For the worker: sends or reminds, once, if it is time and nobody took it back; null else. A refusal is kept as failure and told to the person.';
grant execute on function public.messaging_run_schedule(uuid, uuid) to service_role;

create function private.messaging_notify_waiting()
returns integer
language plpgsql
volatile
security definer -- nobody else reads the list
set search_path = ''
as $$
#variable_conflict use_column
declare
  v_waiting record;
  v_count integer := 0;
begin
  for v_waiting in
    with due as (
      delete from private.messaging_waiting w
      where (w.tenant_id, w.person_id, w.conversation_id) in (
        select d.tenant_id, d.person_id, d.conversation_id from private.messaging_waiting d
        where d.due_at <= clock_timestamp() order by d.due_at limit 500 for update skip locked
      )
      returning w.*
    )
    select d.tenant_id, d.person_id, d.conversation_id, told.id as message_id,
      d.person_id = any (told.mentions) as mentioned, sender.display_name as sender_name
    from due d
    join public.messaging_messages waited on waited.tenant_id = d.tenant_id and waited.id = d.message_id
    join public.messaging_states s
      on s.tenant_id = d.tenant_id and s.person_id = d.person_id and s.conversation_id = d.conversation_id
    -- What was waited for may be deleted; then the next one is told.
    cross join lateral (
      select m.id, m.sender_id, m.mentions from public.messaging_messages m
      where m.tenant_id = d.tenant_id and m.conversation_id = d.conversation_id
        and m.seq >= waited.seq and m.seq > s.delivered_seq and m.sender_id <> d.person_id
        and m.deleted_at is null
        and not private.messaging_blocked(d.tenant_id, d.person_id, m.sender_id)
        and (s.muted_until is null or s.muted_until <= now() or d.person_id = any (m.mentions))
      order by (m.id = d.message_id) desc, m.seq limit 1
    ) told
    join public.members sender on sender.tenant_id = d.tenant_id and sender.person_id = told.sender_id
    where private.may(d.tenant_id, d.person_id, 'messaging.read')
    order by d.person_id
  loop
    perform private.notify(
      v_waiting.person_id, case when v_waiting.mentioned then 'messaging.mention' else 'messaging.message' end,
      private.messaging_link(v_waiting.tenant_id, v_waiting.conversation_id) || jsonb_build_object(
        'message_id', v_waiting.message_id, 'name', v_waiting.sender_name,
        'about', 'messaging_messages:' || v_waiting.message_id
      ),
      v_waiting.tenant_id
    );
    v_count := v_count + 1;
  end loop;
  return v_count;
end;
$$;
comment on function private.messaging_notify_waiting() is
  'Tells people outside the app of messages that no device of theirs has had in time: once for all that wait in a conversation, and never what they say.';

select private.schedule('messaging-notify-waiting', '10 seconds', 'select private.messaging_notify_waiting()');
