-- Notifications, addresses: mail to somebody who is nobody here yet, such as who is invited. Of an
-- address alone one choice is known: whether it wants no more mail of a kind.

create function private.notifications_nobody()
returns uuid
language sql
immutable
security invoker
set search_path = ''
return uuid '00000000-0000-0000-0000-000000000000';
comment on function private.notifications_nobody() is
  'Stands for an address alone: it is not a person, and nobody''s inbox, choices or erasure are its own.';

create function private.notifications_mail_address(
  event private.notifications_events, send_at timestamptz, priority smallint default 0
)
returns uuid
language plpgsql
volatile
security definer -- nobody else writes events
set search_path = ''
as $$
#variable_conflict use_column
declare
  v_event uuid;
begin
  insert into private.notifications_events (
    tenant_id, person_id, kind, payload, about, address, document_id, expires_at
  )
  values (
    event.tenant_id, private.notifications_nobody(), event.kind, event.payload, event.about,
    event.address, event.document_id, event.expires_at
  )
  on conflict (tenant_id, person_id, kind, about) where about is not null do nothing
  returning id into v_event;
  if not found then
    return null;
  end if;
  insert into private.notifications_deliveries (
    tenant_id, event_id, channel, person_id, kind, status, due_at, retry_at
  )
  values (
    event.tenant_id, v_event, 'email', private.notifications_nobody(), event.kind, 'waiting',
    notifications_mail_address.send_at, notifications_mail_address.send_at + interval '5 minutes'
  );
  perform private.enqueue(
    'notifications.email', jsonb_build_object('event_id', v_event), event.tenant_id,
    aggregate => 'notifications_events:' || v_event, dedupe_key => v_event::text,
    priority => notifications_mail_address.priority, run_at => notifications_mail_address.send_at
  );
  return v_event;
end;
$$;
comment on function private.notifications_mail_address(private.notifications_events, timestamptz, smallint) is
  'Keeps an event for an address and hands it to the worker. Returns its id; null where the address was told before.';

create function private.notify_address(
  address text,
  kind text,
  payload jsonb,
  tenant_id uuid,
  expires_at timestamptz,
  send_at timestamptz default now()
)
returns uuid
language plpgsql
volatile
security definer -- nobody else writes events
set search_path = ''
as $$
#variable_conflict use_column
declare
  v_event private.notifications_events;
begin
  if not exists (
    select from private.notifications_kinds k
    where k.kind = notify_address.kind and k.email = 'instant' and k.outsiders
  ) then
    raise exception 'kind % is not one that is mailed to outsiders', notify_address.kind;
  end if;
  v_event.tenant_id := notify_address.tenant_id;
  v_event.kind := notify_address.kind;
  v_event.payload := notify_address.payload;
  v_event.address := notify_address.address;
  v_event.expires_at := notify_address.expires_at;
  return private.notifications_mail_address(v_event, notify_address.send_at);
end;
$$;
comment on function private.notify_address(text, text, jsonb, uuid, timestamptz, timestamptz) is
  'Mails an address, at that time: values of the wording as in private.notify. The kind is one for outsiders. Returns the event''s id.';

create function private.notify_withdraw(tenant_id uuid, event_id uuid)
returns void
language sql
volatile
security definer -- nobody else writes events
set search_path = ''
as $$
  update private.notifications_events e set expires_at = now(), payload = '{}'
  where e.tenant_id = notify_withdraw.tenant_id and e.id = notify_withdraw.event_id;
$$;
comment on function private.notify_withdraw(uuid, uuid) is
  'What was said is true no more: what has not left yet stays, and says nothing.';
