-- Events, changes: what who runs an event does with it, all of it or one occurrence; who answered is
-- told, and calendars see it by the sequence.

create function public.events_update(
  tenant_id uuid, event_id uuid, title text default null, description text default null, place text default null,
  capacity integer default null, waitlist boolean default null, offer_minutes integer default null,
  version integer default null
)
returns public.events
language plpgsql
volatile
security definer -- clients may not write events
set search_path = ''
as $$
#variable_conflict use_column
declare
  v_me uuid := private.require(events_update.tenant_id, 'events.join');
  v_event public.events := private.events_lock_event(events_update.tenant_id, events_update.event_id, v_me);
  v_before public.events := v_event;
begin
  perform private.require_rate('events-change:' || v_event.tenant_id || ':' || v_me, 100, interval '1 hour');
  if events_update.version <> v_event.version then
    raise sqlstate 'PT412' using message = 'request.precondition_failed', detail = 'version: ' || v_event.version;
  end if;
  v_event.title := coalesce(btrim(events_update.title), v_event.title);
  v_event.description := nullif(btrim(coalesce(events_update.description, v_event.description)), '');
  v_event.place := nullif(btrim(coalesce(events_update.place, v_event.place)), '');
  v_event.capacity := nullif(coalesce(events_update.capacity, v_event.capacity), 0);
  v_event.waitlist := coalesce(events_update.waitlist, v_event.waitlist);
  v_event.offer_minutes := coalesce(events_update.offer_minutes, v_event.offer_minutes);
  perform private.events_check(v_event);
  update public.events e
  set title = v_event.title, description = v_event.description, place = v_event.place, capacity = v_event.capacity,
    waitlist = v_event.waitlist, offer_minutes = v_event.offer_minutes
  where e.tenant_id = v_event.tenant_id and e.id = v_event.id
  returning * into v_event;
  if v_event.capacity is distinct from v_before.capacity then
    perform private.events_set_capacity(v_event);
  end if;
  if (v_event.title, v_event.place) is distinct from (v_before.title, v_before.place) then
    perform private.events_touch_all(v_event);
  end if;
  perform private.audit('EVENT_CHANGED', 'events:' || v_event.id, null, null, v_event.tenant_id, v_me);
  return v_event;
end;
$$;
comment on function public.events_update(uuid, uuid, text, text, text, integer, boolean, integer, integer) is
  'Changes what is given of an event, by who runs it; a capacity of 0 means none (permission events.join). version: of what the caller saw. Raises events.not_found, events.not_the_organiser, events.cancelled, events.capacity_taken, limits.exceeded, request.precondition_failed, request.invalid.';
grant execute on function public.events_update(uuid, uuid, text, text, text, integer, boolean, integer, integer) to authenticated;

create function private.events_set_capacity(event public.events)
returns void
language plpgsql
volatile
security definer -- nobody else writes occurrences
set search_path = ''
as $$
#variable_conflict use_column
declare
  v_occurrence public.events_occurrences;
begin
  for v_occurrence in
    select * from public.events_occurrences o
    where o.tenant_id = event.tenant_id and o.event_id = event.id and o.status = 'scheduled' and o.starts_at > now()
    order by o.id for no key update
  loop
    if v_occurrence.taken > event.capacity then
      raise sqlstate 'PT409' using message = 'events.capacity_taken', detail = 'taken: ' || v_occurrence.taken;
    end if;
    update public.events_occurrences o set capacity = event.capacity
    where o.tenant_id = v_occurrence.tenant_id and o.id = v_occurrence.id;
    if v_occurrence.waiting > 0 then
      perform private.events_pass_on(v_occurrence.tenant_id, v_occurrence.id);
    end if;
  end loop;
end;
$$;
comment on function private.events_set_capacity(public.events) is
  'Gives the occurrences to come the event''s capacity; what is free then goes down the waiting list. Raises events.capacity_taken.';

create function private.events_touch_all(event public.events)
returns void
language plpgsql
volatile
security definer -- nobody else writes occurrences
set search_path = ''
as $$
#variable_conflict use_column
declare
  v_occurrence public.events_occurrences;
begin
  for v_occurrence in
    update public.events_occurrences o set sequence = o.sequence + 1
    where o.tenant_id = event.tenant_id and o.event_id = event.id and o.status = 'scheduled' and o.starts_at > now()
    returning o.*
  loop
    perform private.events_have_told(v_occurrence, 'events.changed', 'events:' || event.id || ':' || event.version);
  end loop;
end;
$$;
comment on function private.events_touch_all(public.events) is
  'Has calendars and those who answered see that the occurrences to come have changed.';

create function private.events_move(
  occurrence public.events_occurrences, starts_at timestamptz, minutes integer, change text default null
)
returns public.events_occurrences
language plpgsql
volatile
security definer -- nobody else writes occurrences
set search_path = ''
as $$
#variable_conflict use_column
declare
  v_occurrence public.events_occurrences;
begin
  update public.events_occurrences o
  set starts_at = events_move.starts_at, ends_at = events_move.starts_at + make_interval(mins => events_move.minutes),
    sequence = o.sequence + 1
  where o.tenant_id = occurrence.tenant_id and o.id = occurrence.id
  returning * into v_occurrence;
  -- The reminders move along.
  update public.events_attendances a set remind_minutes = a.remind_minutes
  where a.tenant_id = v_occurrence.tenant_id and a.occurrence_id = v_occurrence.id and a.status in ('going', 'maybe');
  update public.events_attendances a set offer_expires_at = least(a.offer_expires_at, v_occurrence.starts_at)
  where a.tenant_id = v_occurrence.tenant_id and a.occurrence_id = v_occurrence.id and a.status = 'offered';
  perform private.events_have_told(v_occurrence, 'events.changed', events_move.change);
  return v_occurrence;
end;
$$;
comment on function private.events_move(public.events_occurrences, timestamptz, integer, text) is
  'Moves an occurrence, and with it reminders and offers; by a change of many that each is told of once.';

create function public.events_reschedule(
  tenant_id uuid, event_id uuid, starts_local timestamp, minutes integer default null, time_zone text default null,
  rule text default null
)
returns public.events
language plpgsql
volatile
security definer -- clients may not write events
set search_path = ''
as $$
#variable_conflict use_column
declare
  v_me uuid := private.require(events_reschedule.tenant_id, 'events.join');
  v_event public.events := private.events_lock_event(events_reschedule.tenant_id, events_reschedule.event_id, v_me);
  v_shift interval := events_reschedule.starts_local - v_event.starts_local;
  v_occurrence public.events_occurrences;
begin
  perform private.require_rate('events-change:' || v_event.tenant_id || ':' || v_me, 100, interval '1 hour');
  if v_event.rule is null and events_reschedule.rule is not null then
    raise sqlstate 'PT422' using message = 'request.invalid', detail = 'rule: the event takes place once';
  end if;
  v_event.starts_local := events_reschedule.starts_local;
  v_event.minutes := coalesce(events_reschedule.minutes, v_event.minutes);
  v_event.time_zone := coalesce(events_reschedule.time_zone, v_event.time_zone);
  v_event.rule := coalesce(events_reschedule.rule, v_event.rule);
  perform private.events_check(v_event);
  -- A series that runs keeps its day of beginning, which is past, and gets another hour.
  if (v_event.rule is null or abs(extract(epoch from v_shift)) >= 86400)
    and private.events_instant(v_event.starts_local, v_event.time_zone) < now() - interval '1 day'
  then
    raise sqlstate 'PT422' using message = 'request.invalid', detail = 'starts_local: it is over';
  end if;
  update public.events e
  set starts_local = v_event.starts_local, minutes = v_event.minutes, time_zone = v_event.time_zone, rule = v_event.rule
  where e.tenant_id = v_event.tenant_id and e.id = v_event.id
  returning * into v_event;
  -- Another hour keeps the answers; on other days it is another meeting, to which nobody said yes.
  for v_occurrence in
    select * from public.events_occurrences o
    where o.tenant_id = v_event.tenant_id and o.event_id = v_event.id and o.status = 'scheduled'
      and o.starts_at > now() and not o.moved
      and (v_event.rule is null or abs(extract(epoch from v_shift)) < 86400)
    order by o.id for no key update
  loop
    update public.events_occurrences o set recurrence_id = o.recurrence_id + v_shift
    where o.tenant_id = v_occurrence.tenant_id and o.id = v_occurrence.id;
    perform private.events_move(
      v_occurrence, private.events_instant(v_occurrence.recurrence_id + v_shift, v_event.time_zone), v_event.minutes,
      'events:' || v_event.id || ':' || v_event.version
    );
  end loop;
  perform private.events_expand(v_event);
  perform private.audit('EVENT_CHANGED', 'events:' || v_event.id, null, null, v_event.tenant_id, v_me);
  return v_event;
end;
$$;
comment on function public.events_reschedule(uuid, uuid, timestamp, integer, text, text) is
  'Gives an event another time, and a recurring one another rule, by who runs it (permission events.join). Within a day the occurrences to come move with their answers; a start further off must not be over; those that the new rule does not give are cancelled. Raises events.not_found, events.not_the_organiser, events.cancelled, limits.exceeded, request.invalid.';
grant execute on function public.events_reschedule(uuid, uuid, timestamp, integer, text, text) to authenticated;

create function public.events_cancel(tenant_id uuid, event_id uuid)
returns public.events
language plpgsql
volatile
security definer -- clients may not write events
set search_path = ''
as $$
#variable_conflict use_column
declare
  v_me uuid := private.require(events_cancel.tenant_id, 'events.join');
  v_event public.events := private.events_lock_event(events_cancel.tenant_id, events_cancel.event_id, v_me);
begin
  v_event := private.events_call_off(v_event);
  perform private.audit(
    'EVENT_CHANGED', 'events:' || v_event.id, null, jsonb_build_object('status', v_event.status), v_event.tenant_id, v_me
  );
  return v_event;
end;
$$;
comment on function public.events_cancel(uuid, uuid) is
  'Cancels an event with all that is to come of it, by who runs it (permission events.join). Raises events.not_found, events.not_the_organiser, events.cancelled.';
grant execute on function public.events_cancel(uuid, uuid) to authenticated;

create function private.events_call_off(event public.events)
returns public.events
language plpgsql
volatile
security definer -- nobody else writes events
set search_path = ''
as $$
#variable_conflict use_column
declare
  v_event public.events;
  v_occurrence public.events_occurrences;
begin
  update public.events e set status = 'cancelled'
  where e.tenant_id = event.tenant_id and e.id = event.id
  returning * into v_event;
  for v_occurrence in
    update public.events_occurrences o set status = 'cancelled', sequence = o.sequence + 1
    where o.tenant_id = event.tenant_id and o.event_id = event.id and o.status = 'scheduled' and o.ends_at > now()
    returning o.*
  loop
    perform private.events_have_told(v_occurrence, 'events.cancelled', 'events:' || v_event.id || ':' || v_event.version);
  end loop;
  return v_event;
end;
$$;
comment on function private.events_call_off(public.events) is 'Cancels an event and what is to come of it; who answered is told.';
