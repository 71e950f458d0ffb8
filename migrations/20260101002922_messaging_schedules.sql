-- Messaging, schedules: messages that are sent later, and reminders of messages. The queue holds the
-- time; when it comes, everything is asked anew, for the person who wanted it.

create table public.messaging_schedules (
  tenant_id uuid not null,
  id uuid not null default private.uuid_v7(),
  person_id uuid not null,
  kind text not null check (kind in ('send', 'remind')),
  conversation_id uuid not null,
  message_id uuid,
  client_id text check (char_length(client_id) between 1 and 64),
  body text check (char_length(body) between 1 and 20000),
  reply_to uuid,
  mentions uuid[] not null default '{}',
  files uuid[] not null default '{}',
  due_at timestamptz not null,
  status text not null default 'pending' check (status in ('pending', 'done', 'cancelled', 'failed')),
  failure text,
  created_at timestamptz not null default now(),
  updated_at timestamptz not null default now(),
  primary key (tenant_id, id),
  unique (tenant_id, conversation_id, person_id, client_id),
  foreign key (tenant_id, conversation_id, person_id)
    references public.messaging_members (tenant_id, conversation_id, person_id) on delete cascade
);
comment on table public.messaging_schedules is
  'What a person wants to send later or to be reminded of. message_id: of the reminder, or the message that was sent.';
comment on column public.messaging_schedules.failure is 'The code by which it was refused when its time came.';
create index messaging_schedules_person on public.messaging_schedules (tenant_id, person_id, id);

insert into private.transitions (machine, from_state, to_state)
values
  ('messaging_schedules', 'pending', 'done'), ('messaging_schedules', 'pending', 'cancelled'),
  ('messaging_schedules', 'pending', 'failed');
create trigger messaging_schedules_transition before update of status on public.messaging_schedules
  for each row execute function private.enforce_transition();
create trigger messaging_schedules_touch before update on public.messaging_schedules
  for each row execute function private.touch();

alter table public.messaging_schedules enable row level security;
create policy messaging_schedules_select_owner on public.messaging_schedules
  for select to authenticated
  using (
    tenant_id = any (array(select private.tenants_with('messaging.read')))
    and person_id = (select private.person())
  );
grant select on public.messaging_schedules to authenticated, service_role;

create function private.messaging_schedule(schedule public.messaging_schedules)
returns public.messaging_schedules
language plpgsql
volatile
security definer -- nobody else writes schedules
set search_path = ''
as $$
#variable_conflict use_column
declare
  v_schedule public.messaging_schedules;
begin
  if coalesce(schedule.due_at not between now() and now() + interval '1 year', true) then
    raise sqlstate 'PT422' using message = 'request.invalid', detail = 'at: within a year';
  elsif (
    select count(*) from public.messaging_schedules s
    where s.tenant_id = schedule.tenant_id and s.person_id = schedule.person_id and s.status = 'pending'
  ) >= 100 then
    raise sqlstate 'PT409' using message = 'messaging.too_many_schedules';
  end if;
  insert into public.messaging_schedules
    (tenant_id, person_id, kind, conversation_id, message_id, client_id, body, reply_to, mentions, files, due_at)
  values (
    schedule.tenant_id, schedule.person_id, schedule.kind, schedule.conversation_id, schedule.message_id,
    schedule.client_id, schedule.body, schedule.reply_to, coalesce(schedule.mentions, '{}'),
    coalesce(schedule.files, '{}'), schedule.due_at
  )
  on conflict do nothing
  returning * into v_schedule;
  if not found then
    select * into v_schedule from public.messaging_schedules s
    where s.tenant_id = schedule.tenant_id and s.conversation_id = schedule.conversation_id
      and s.person_id = schedule.person_id and s.client_id = schedule.client_id;
    return v_schedule;
  end if;
  perform private.enqueue(
    'messaging.due', jsonb_build_object('schedule', v_schedule.id), v_schedule.tenant_id,
    'messaging_schedules:' || v_schedule.id, run_at => v_schedule.due_at
  );
  return v_schedule;
end;
$$;
comment on function private.messaging_schedule(public.messaging_schedules) is
  'Keeps a schedule and hands it to the queue; the same client id again is answered with the first. Raises request.invalid, messaging.too_many_schedules.';

create function public.messaging_send_later(
  tenant_id uuid,
  conversation_id uuid,
  client_id text,
  body text,
  at timestamptz,
  reply_to uuid default null,
  mentions uuid[] default '{}',
  files uuid[] default '{}'
)
returns public.messaging_schedules
language plpgsql
volatile
security definer -- clients may not write schedules
set search_path = ''
as $$
#variable_conflict use_column
declare
  v_me uuid := private.require(messaging_send_later.tenant_id, 'messaging.send');
  v_message public.messaging_messages := private.messaging_draft(
    messaging_send_later.tenant_id, messaging_send_later.conversation_id, v_me, 'text',
    coalesce(messaging_send_later.mentions, '{}')
  );
  v_schedule public.messaging_schedules;
begin
  if coalesce(char_length(messaging_send_later.client_id) not between 1 and 64, true) then
    raise sqlstate 'PT422' using message = 'request.invalid', detail = 'client_id: 1 to 64 characters';
  end if;
  v_message.files := coalesce(messaging_send_later.files, '{}');
  v_message.reply_to := messaging_send_later.reply_to;
  perform private.messaging_check_body(messaging_send_later.tenant_id, messaging_send_later.body, v_message.files);
  perform private.messaging_require_open(messaging_send_later.tenant_id, messaging_send_later.conversation_id, v_me);
  perform private.messaging_check_links(v_message);

  v_schedule.tenant_id := messaging_send_later.tenant_id;
  v_schedule.person_id := v_me;
  v_schedule.kind := 'send';
  v_schedule.conversation_id := messaging_send_later.conversation_id;
  v_schedule.client_id := messaging_send_later.client_id;
  v_schedule.body := messaging_send_later.body;
  v_schedule.reply_to := v_message.reply_to;
  v_schedule.mentions := v_message.mentions;
  v_schedule.files := v_message.files;
  v_schedule.due_at := messaging_send_later.at;
  return private.messaging_schedule(v_schedule);
end;
$$;
comment on function public.messaging_send_later(uuid, uuid, text, text, timestamptz, uuid, uuid[], uuid[]) is
  'Sends a message at a time within a year, if the caller may then (permission messaging.send). Raises messaging.conversation_not_found, messaging.partner_gone, messaging.blocked, messaging.too_long, messaging.message_not_found, messaging.too_many_schedules, members.not_found, files.not_found, request.invalid.';
grant execute on function public.messaging_send_later(uuid, uuid, text, text, timestamptz, uuid, uuid[], uuid[])
  to authenticated;

create function public.messaging_remind(tenant_id uuid, message_id uuid, at timestamptz)
returns public.messaging_schedules
language plpgsql
volatile
security definer -- clients may not write schedules
set search_path = ''
as $$
#variable_conflict use_column
declare
  v_me uuid := private.require(messaging_remind.tenant_id, 'messaging.read');
  v_message public.messaging_messages :=
    private.messaging_message_of(messaging_remind.tenant_id, messaging_remind.message_id, v_me);
  v_schedule public.messaging_schedules;
begin
  v_schedule.tenant_id := v_message.tenant_id;
  v_schedule.person_id := v_me;
  v_schedule.kind := 'remind';
  v_schedule.conversation_id := v_message.conversation_id;
  v_schedule.message_id := v_message.id;
  v_schedule.due_at := messaging_remind.at;
  return private.messaging_schedule(v_schedule);
end;
$$;
comment on function public.messaging_remind(uuid, uuid, timestamptz) is
  'Reminds the caller of a message at a time within a year (permission messaging.read). Raises messaging.message_not_found, messaging.too_many_schedules, request.invalid.';
grant execute on function public.messaging_remind(uuid, uuid, timestamptz) to authenticated;

create function public.messaging_unschedule(tenant_id uuid, schedule uuid)
returns public.messaging_schedules
language plpgsql
volatile
security definer -- clients may not write schedules
set search_path = ''
as $$
#variable_conflict use_column
declare
  v_me uuid := private.require(messaging_unschedule.tenant_id, 'messaging.read');
  v_schedule public.messaging_schedules;
begin
  select * into v_schedule from public.messaging_schedules s
  where s.tenant_id = messaging_unschedule.tenant_id and s.id = messaging_unschedule.schedule and s.person_id = v_me
  for no key update;
  if not found then
    raise sqlstate 'PT404' using message = 'messaging.schedule_not_found';
  end if;
  -- What was written is erased with it: only that it was cancelled stays.
  update public.messaging_schedules s set status = 'cancelled', body = null, files = '{}', mentions = '{}'
  where s.tenant_id = v_schedule.tenant_id and s.id = v_schedule.id
  returning * into v_schedule;
  return v_schedule;
end;
$$;
comment on function public.messaging_unschedule(uuid, uuid) is
  'Takes back what the caller scheduled (permission messaging.read). Raises messaging.schedule_not_found, request.transition_refused.';
grant execute on function public.messaging_unschedule(uuid, uuid) to authenticated;
