-- Events, rights and times: who sees an event, who runs it, and which instant a local time is.

create function private.events_instant(local timestamp, time_zone text)
returns timestamptz
language plpgsql
stable
security invoker
set search_path = ''
as $$
declare
  v_at timestamptz := events_instant.local at time zone events_instant.time_zone;
  v_step interval;
begin
  -- A time that the clocks skip comes as much later as they skip; of one that they repeat Postgres
  -- takes the second and RFC 5545 means the first.
  foreach v_step in array array[interval '30 minutes', interval '1 hour', interval '2 hours'] loop
    if (v_at - v_step) at time zone events_instant.time_zone = events_instant.local then
      return v_at - v_step;
    end if;
  end loop;
  return v_at;
end;
$$;
comment on function private.events_instant(timestamp, text) is
  'The instant of a local time: the first of two, and past the gap where there is none.';

create function private.events_seen(tenant_id uuid, event_id uuid, person uuid)
returns public.events
language plpgsql
stable
security definer -- reads events past their policies
set search_path = ''
as $$
#variable_conflict use_column
declare
  v_event public.events;
begin
  select * into v_event from public.events e
  where e.tenant_id = events_seen.tenant_id and e.id = events_seen.event_id and e.removed_at is null;
  if v_event.id is null
    or (v_event.group_id is not null
      and not private.groups_reads(v_event.tenant_id, v_event.group_id, events_seen.person))
  then
    raise sqlstate 'PT404' using message = 'events.not_found';
  end if;
  return v_event;
end;
$$;
comment on function private.events_seen(uuid, uuid, uuid) is 'An event that the person sees. Raises events.not_found.';

create function private.events_reads(tenant_id uuid, event_id uuid, person uuid)
returns boolean
language plpgsql
stable
security definer -- reads events past their policies
set search_path = ''
as $$
#variable_conflict use_column
begin
  return private.may(events_reads.tenant_id, events_reads.person, 'events.read') and exists (
    select from public.events e
    where e.tenant_id = events_reads.tenant_id and e.id = events_reads.event_id and e.removed_at is null
      and (e.group_id is null or private.groups_reads(e.tenant_id, e.group_id, events_reads.person))
  );
end;
$$;
comment on function private.events_reads(uuid, uuid, uuid) is
  'Whether a person sees the event by what holds now: for notices, feeds and whatever happens without their session.';

create function private.events_lock(tenant_id uuid, occurrence_id uuid, person uuid)
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
  select * into v_occurrence from public.events_occurrences o
  where o.tenant_id = events_lock.tenant_id and o.id = events_lock.occurrence_id
  for no key update;
  perform private.events_seen(events_lock.tenant_id, v_occurrence.event_id, events_lock.person);
  return v_occurrence;
end;
$$;
comment on function private.events_lock(uuid, uuid, uuid) is
  'An occurrence that the person sees, locked: answers come one after the other. Raises events.not_found.';

create function private.events_require_manager(event public.events, person uuid)
returns void
language plpgsql
stable
security definer -- reads members of groups past their policies
set search_path = ''
as $$
begin
  if event.organiser_id <> events_require_manager.person
    and not private.can(event.tenant_id, 'events.manage')
    and not private.groups_moderates(event.tenant_id, event.group_id, events_require_manager.person)
  then
    raise sqlstate 'PT403' using message = 'events.not_the_organiser';
  end if;
end;
$$;
comment on function private.events_require_manager(public.events, uuid) is
  'Raises events.not_the_organiser unless it is the caller''s event, in a group they moderate, or they manage all.';

create function private.events_lock_event(tenant_id uuid, event_id uuid, person uuid)
returns public.events
language plpgsql
volatile
security definer -- locks events past their policies
set search_path = ''
as $$
#variable_conflict use_column
declare
  v_event public.events;
begin
  perform from public.events e
  where e.tenant_id = events_lock_event.tenant_id and e.id = events_lock_event.event_id
  for no key update;
  v_event := private.events_seen(events_lock_event.tenant_id, events_lock_event.event_id, events_lock_event.person);
  perform private.events_require_manager(v_event, events_lock_event.person);
  if v_event.status <> 'scheduled' then
    raise sqlstate 'PT409' using message = 'events.cancelled';
  end if;
  return v_event;
end;
$$;
comment on function private.events_lock_event(uuid, uuid, uuid) is
  'A scheduled event that the caller runs, locked. Raises events.not_found, events.not_the_organiser, events.cancelled.';

create function private.events_rule_fault(rule text)
returns text
language plpgsql
immutable
security invoker
set search_path = ''
as $$
declare
  v_day constant text := '(?:MO|TU|WE|TH|FR|SA|SU)';
  v_nth constant text := '(?:-?[1-5])?' || v_day;
  v_end constant text := '(;(COUNT=[1-9]\d{0,2}|UNTIL=\d{8}(T\d{6}Z?)?))?';
  v_interval constant text := '(;INTERVAL=[1-9]\d{0,2})?';
  v_shapes constant text[] := array[
    'FREQ=DAILY' || v_interval || v_end,
    'FREQ=WEEKLY' || v_interval || v_end || '(;BYDAY=' || v_day || '(,' || v_day || '){0,6})?(;WKST=' || v_day || ')?',
    'FREQ=MONTHLY' || v_interval || v_end || '(;BYMONTHDAY=-?[1-9]\d?(,-?[1-9]\d?){0,30}|;BYDAY=' || v_nth || '(,'
      || v_nth || '){0,6}(;BYSETPOS=-?[1-4])?)?',
    'FREQ=YEARLY' || v_interval || v_end || '(;BYMONTH=[1-9]\d?(,[1-9]\d?){0,11}(;BYMONTHDAY=-?[1-9]\d?|;BYDAY='
      || v_nth || ')?)?'
  ];
  v_shape text;
begin
  -- One order of parts, and none of the combinations that never come true, on which a search for the
  -- next occurrence would run for ever.
  foreach v_shape in array v_shapes loop
    if events_rule_fault.rule ~ ('^' || v_shape || '$') and pg_input_is_valid(
      coalesce(substring(events_rule_fault.rule from 'UNTIL=(\d{8}(?:T\d{6})?)'), '20260101'), 'timestamp'
    ) then
      return null;
    end if;
  end loop;
  return 'rule: FREQ (DAILY, WEEKLY, MONTHLY, YEARLY), INTERVAL, COUNT or UNTIL, and what belongs to the frequency, in this order';
end;
$$;
comment on function private.events_rule_fault(text) is
  'What is wrong with a rule; null for the part of RFC 5545 that people meet by.';

create function private.events_check(event public.events)
returns void
language plpgsql
stable
security invoker
set search_path = ''
as $$
declare
  v_fault text := case
    when coalesce(char_length(btrim(event.title)) not between 1 and 200, true) then 'title'
    when char_length(event.description) > 10000 then 'description'
    when char_length(event.place) > 500 then 'place'
    when event.starts_local is null or not isfinite(event.starts_local)
      or event.starts_local not between timestamp '1970-01-02' and timestamp '2200-01-01' then 'starts_local'
    when event.minutes is null or event.minutes not between 1 and 44640 then 'minutes'
    when event.capacity not between 1 and 100000 then 'capacity'
    when event.waitlist is null then 'waitlist'
    when event.offer_minutes is null or event.offer_minutes not between 5 and 10080 then 'offer_minutes'
    when event.rule is not null then private.events_rule_fault(event.rule)
  end;
begin
  if v_fault is not null then
    raise sqlstate 'PT422' using message = 'request.invalid', detail = v_fault;
  end if;
  perform private.check_time_zone(event.time_zone);
end;
$$;
comment on function private.events_check(public.events) is 'Raises request.invalid for what no event can be.';
