-- Notifications, addresses: mail to somebody who is nobody here yet, such as who is invited. Of an
-- address alone no choices are known, so this is for what it is asked for only.

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
  -- Nobody's id: an address is not a person, and nobody's inbox, choices or erasure are theirs.
  v_nobody uuid := uuid '00000000-0000-0000-0000-000000000000';
  v_event uuid;
begin
  if not exists (
    select from private.notifications_kinds k
    where k.kind = notify_address.kind and k.email = 'instant' and k.outsiders
  ) then
    raise exception 'kind % is not one that is mailed to outsiders', notify_address.kind;
  end if;
  insert into private.notifications_events (tenant_id, person_id, kind, payload, address, expires_at)
  values (
    notify_address.tenant_id, v_nobody, notify_address.kind, notify_address.payload,
    notify_address.address, notify_address.expires_at
  )
  returning id into v_event;
  insert into private.notifications_deliveries (
    tenant_id, event_id, channel, person_id, kind, status, due_at, retry_at
  )
  values (
    notify_address.tenant_id, v_event, 'email', v_nobody, notify_address.kind, 'waiting',
    notify_address.send_at, notify_address.send_at + interval '5 minutes'
  );
  perform private.enqueue(
    'notifications.email', jsonb_build_object('event_id', v_event), notify_address.tenant_id,
    aggregate => 'notifications_events:' || v_event, dedupe_key => v_event::text,
    run_at => notify_address.send_at
  );
  return v_event;
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
