-- Events, exceptions: one occurrence that does not take place, or elsewhere or at another time. It
-- stays as it was decided, whatever the rule says of it later.

create function private.events_lock_run(tenant_id uuid, occurrence_id uuid, person uuid)
returns public.events_occurrences
language plpgsql
volatile
security definer -- locks occurrences past their policies
set search_path = ''
as $$
#variable_conflict use_column
declare
  v_occurrence public.events_occurrences;
begin
  -- The event first: whoever changes all of it takes it so, too.
  perform from public.events e
  join public.events_occurrences o on o.tenant_id = e.tenant_id and o.event_id = e.id
  where o.tenant_id = events_lock_run.tenant_id and o.id = events_lock_run.occurrence_id
  for no key update of e;
  v_occurrence := private.events_lock(events_lock_run.tenant_id, events_lock_run.occurrence_id, events_lock_run.person);
  perform private.events_lock_event(v_occurrence.tenant_id, v_occurrence.event_id, events_lock_run.person);
  if v_occurrence.status <> 'scheduled' then
    raise sqlstate 'PT409' using message = 'events.cancelled';
  elsif v_occurrence.ends_at <= now() then
    raise sqlstate 'PT409' using message = 'events.over';
  end if;
  return v_occurrence;
end;
$$;
comment on function private.events_lock_run(uuid, uuid, uuid) is
  'An occurrence to come of an event that the caller runs, both locked. Raises events.not_found, events.not_the_organiser, events.cancelled, events.over.';

create function public.events_cancel_occurrence(tenant_id uuid, occurrence_id uuid)
returns public.events_occurrences
language plpgsql
volatile
security definer -- clients may not write occurrences
set search_path = ''
as $$
#variable_conflict use_column
declare
  v_me uuid := private.require(events_cancel_occurrence.tenant_id, 'events.join');
  v_occurrence public.events_occurrences := private.events_lock_run(
    events_cancel_occurrence.tenant_id, events_cancel_occurrence.occurrence_id, v_me
  );
begin
  update public.events_occurrences o set status = 'cancelled', sequence = o.sequence + 1
  where o.tenant_id = v_occurrence.tenant_id and o.id = v_occurrence.id
  returning * into v_occurrence;
  perform private.events_have_told(v_occurrence, 'events.cancelled');
  perform private.audit(
    'EVENT_CHANGED', 'events_occurrences:' || v_occurrence.id, null, jsonb_build_object('status', 'cancelled'),
    v_occurrence.tenant_id, v_me
  );
  return v_occurrence;
end;
$$;
comment on function public.events_cancel_occurrence(uuid, uuid) is
  'Cancels one occurrence, by who runs the event; who answered is told (permission events.join). Raises events.not_found, events.not_the_organiser, events.cancelled, events.over.';
grant execute on function public.events_cancel_occurrence(uuid, uuid) to authenticated;

create function public.events_move_occurrence(
  tenant_id uuid, occurrence_id uuid, starts_local timestamp, minutes integer default null, place text default null
)
returns public.events_occurrences
language plpgsql
volatile
security definer -- clients may not write occurrences
set search_path = ''
as $$
#variable_conflict use_column
declare
  v_me uuid := private.require(events_move_occurrence.tenant_id, 'events.join');
  v_occurrence public.events_occurrences := private.events_lock_run(
    events_move_occurrence.tenant_id, events_move_occurrence.occurrence_id, v_me
  );
  v_event public.events := private.events_seen(v_occurrence.tenant_id, v_occurrence.event_id, v_me);
  v_starts timestamptz;
begin
  perform private.require_rate('events-change:' || v_occurrence.tenant_id || ':' || v_me, 100, interval '1 hour');
  v_event.starts_local := events_move_occurrence.starts_local;
  v_event.minutes := coalesce(
    events_move_occurrence.minutes, (extract(epoch from v_occurrence.ends_at - v_occurrence.starts_at) / 60)::integer
  );
  v_event.place := events_move_occurrence.place;
  perform private.events_check(v_event);
  v_starts := private.events_instant(v_event.starts_local, v_event.time_zone);
  if v_starts <= now() then
    raise sqlstate 'PT422' using message = 'request.invalid', detail = 'starts_local: it is over';
  end if;
  update public.events_occurrences o
  set moved = true, place = coalesce(nullif(btrim(events_move_occurrence.place), ''), o.place)
  where o.tenant_id = v_occurrence.tenant_id and o.id = v_occurrence.id;
  perform private.audit(
    'EVENT_CHANGED', 'events_occurrences:' || v_occurrence.id, null, jsonb_build_object('starts_at', v_starts),
    v_occurrence.tenant_id, v_me
  );
  return private.events_move(v_occurrence, v_starts, v_event.minutes);
end;
$$;
comment on function public.events_move_occurrence(uuid, uuid, timestamp, integer, text) is
  'Moves one occurrence to another time, on the clocks of the event, or elsewhere, by who runs the event; who answered is told (permission events.join). Raises events.not_found, events.not_the_organiser, events.cancelled, events.over, limits.exceeded, request.invalid.';
grant execute on function public.events_move_occurrence(uuid, uuid, timestamp, integer, text) to authenticated;
