-- Notifications, telling: the one door, in the caller's transaction. Nothing here waits for anybody:
-- what leaves the database is a job.

create function private.notifications_enqueue(
  tenant_id uuid, event_id uuid, channel text, priority smallint default 0
)
returns uuid
language plpgsql
volatile
security definer -- nobody else writes the outbox
set search_path = ''
as $$
begin
  return private.enqueue(
    'notifications.' || notifications_enqueue.channel,
    jsonb_build_object('event_id', notifications_enqueue.event_id),
    notifications_enqueue.tenant_id,
    aggregate => 'notifications_events:' || notifications_enqueue.event_id,
    dedupe_key => notifications_enqueue.event_id::text,
    priority => notifications_enqueue.priority
  );
end;
$$;
comment on function private.notifications_enqueue(uuid, uuid, text, smallint) is
  'Hands a delivery to the worker, in the caller''s transaction.';

create function private.notifications_priority(tenant_id uuid, event_id uuid)
returns smallint
language plpgsql
stable
security definer -- reads events, which nobody else may
set search_path = ''
as $$
#variable_conflict use_column
begin
  return (
    select case when e.document_id is null then 0::smallint else -1::smallint end
    from private.notifications_events e
    where e.tenant_id = notifications_priority.tenant_id and e.id = notifications_priority.event_id
  );
end;
$$;
comment on function private.notifications_priority(uuid, uuid) is
  'What goes to many comes after what one person waits for.';

create function private.notifications_deliver(
  event private.notifications_events, kind private.notifications_kinds, choice private.notifications_choice,
  priority smallint
)
returns void
language plpgsql
volatile
security definer -- nobody else writes deliveries
set search_path = ''
as $$
declare
  v_delivery private.notifications_deliveries;
  v_quiet timestamptz;
begin
  v_delivery.status := 'waiting';
  v_delivery.due_at := now();
  if choice.setting in ('daily', 'weekly') then
    v_delivery.status := 'digest';
    v_delivery.due_at := private.notifications_next_digest(event.person_id, event.tenant_id, choice.setting);
  elsif not kind.security then
    v_quiet := private.notifications_quiet_until(event.person_id, event.tenant_id);
    if v_quiet is not null then
      v_delivery.status := 'held';
      v_delivery.due_at := v_quiet;
    end if;
  end if;
  insert into private.notifications_deliveries (
    tenant_id, event_id, channel, person_id, kind, status, due_at
  )
  values (
    event.tenant_id, event.id, choice.channel, event.person_id, event.kind, v_delivery.status,
    v_delivery.due_at
  );
  if v_delivery.status = 'waiting' then
    perform private.notifications_enqueue(event.tenant_id, event.id, choice.channel, priority);
  end if;
end;
$$;
comment on function private.notifications_deliver(private.notifications_events, private.notifications_kinds, private.notifications_choice, smallint) is
  'Has an event leave the database on a channel: now, after quiet hours, or in a digest.';

create function private.notifications_tell(event private.notifications_events, priority smallint default 0)
returns uuid
language plpgsql
volatile
security definer -- nobody else writes events
set search_path = ''
as $$
#variable_conflict use_column
declare
  v_kind private.notifications_kinds;
  v_event private.notifications_events;
  v_choice private.notifications_choice;
begin
  select k.* into v_kind from private.notifications_kinds k where k.kind = event.kind;
  if not found then
    raise exception 'nobody declared a notification of kind %', event.kind;
  end if;
  insert into private.notifications_events (
    tenant_id, person_id, kind, payload, about, scope, address, locale, document_id, expires_at
  )
  values (
    event.tenant_id, event.person_id, event.kind, event.payload, event.about, coalesce(event.scope, ''),
    event.address, event.locale, event.document_id, event.expires_at
  )
  on conflict (tenant_id, person_id, kind, about) where about is not null do nothing
  returning * into v_event;
  if not found then
    return (
      select e.id from private.notifications_events e
      where e.tenant_id = event.tenant_id and e.person_id = event.person_id
        and e.kind = event.kind and e.about = event.about
    );
  end if;
  for v_choice in
    select c.* from private.notifications_channels(
      v_kind, v_event.tenant_id, v_event.person_id, v_event.scope
    ) c
    where c.setting <> 'off'
  loop
    if v_choice.channel = 'inbox' then
      continue when not private.notifications_belongs(v_event.tenant_id, v_event.person_id);
      perform private.notifications_file(v_event, v_kind.group_key);
      insert into private.notifications_deliveries (
        tenant_id, event_id, channel, person_id, kind, status, settled_at
      )
      values (
        v_event.tenant_id, v_event.id, 'inbox', v_event.person_id, v_event.kind, 'sent', now()
      );
    elsif v_choice.channel = 'email' or private.push_reaches(v_event.person_id) then
      perform private.notifications_deliver(v_event, v_kind, v_choice, priority);
    end if;
  end loop;
  return v_event.id;
end;
$$;
comment on function private.notifications_tell(private.notifications_events, smallint) is
  'Keeps an event and brings it on its way on every channel that holds for the person. Returns its id, or that of the one that told them before.';

create function private.notify(
  person uuid,
  kind text,
  payload jsonb default '{}',
  tenant_id uuid default null,
  expires_at timestamptz default null
)
returns uuid
language plpgsql
volatile
security definer -- nobody else writes events
set search_path = ''
as $$
declare
  v_event private.notifications_events;
begin
  v_event.tenant_id := coalesce(notify.tenant_id, private.platform());
  v_event.person_id := notify.person;
  v_event.kind := notify.kind;
  v_event.payload := coalesce(notify.payload, '{}');
  v_event.about := notify.payload ->> 'about';
  v_event.scope := coalesce(notify.payload ->> 'scope', '');
  v_event.expires_at := notify.expires_at;
  return private.notifications_tell(v_event);
end;
$$;
comment on function private.notify(uuid, text, jsonb, uuid, timestamptz) is
  'Tells a person something, in the transaction of the act: in their inbox at once, by mail and push once it commits, as they chose. The kind was declared by private.declare_notification. The payload holds the values of its wording; of these, link becomes the button, code a line of its own, about (<table>:<id>) has them told once a kind, scope is the group within the tenant it comes from, items ([{ template, data, count }]) are lines of the mail. Without a tenant it is about the account itself. Whoever tells several people in one transaction goes by private.notify_all. Returns the event''s id.';

create function private.notify_all(
  persons uuid[],
  kind text,
  payload jsonb default '{}',
  tenant_id uuid default null,
  expires_at timestamptz default null
)
returns bigint
language plpgsql
volatile
security definer -- nobody else writes events
set search_path = ''
as $$
declare
  v_person uuid;
  v_count bigint := 0;
begin
  -- In one order everywhere: each writes the counter of whom it tells, and two who told the same
  -- people crosswise would wait for each other.
  for v_person in select distinct p.id from unnest(persons) p (id) where p.id is not null order by p.id loop
    perform private.notify(
      v_person, notify_all.kind, notify_all.payload, notify_all.tenant_id, notify_all.expires_at
    );
    v_count := v_count + 1;
  end loop;
  return v_count;
end;
$$;
comment on function private.notify_all(uuid[], text, jsonb, uuid, timestamptz) is
  'Tells several people the same, each as private.notify does. Returns how many.';
