-- Events, making: an event, its occurrences, and the worker's part in those of a rule.

create function private.events_add_occurrence(event public.events, local timestamp)
returns void
language plpgsql
volatile
security definer -- nobody else writes occurrences
set search_path = ''
as $$
#variable_conflict use_column
declare
  v_starts timestamptz := private.events_instant(events_add_occurrence.local, event.time_zone);
begin
  insert into public.events_occurrences (tenant_id, event_id, recurrence_id, starts_at, ends_at, capacity)
  select event.tenant_id, event.id, events_add_occurrence.local, v_starts,
    v_starts + make_interval(mins => event.minutes), event.capacity
  where not exists (
    select from public.events_occurrences o
    where o.tenant_id = event.tenant_id and o.event_id = event.id and o.recurrence_id = events_add_occurrence.local
  );
end;
$$;
comment on function private.events_add_occurrence(public.events, timestamp) is
  'Adds the occurrence of this local time, unless there is one; the event is locked.';

create function private.events_expand(event public.events)
returns void
language plpgsql
volatile
security definer -- nobody else writes the outbox
set search_path = ''
as $$
begin
  if event.rule is not null then
    perform private.enqueue(
      'events.expand', jsonb_build_object('event', event.id), event.tenant_id, 'events:' || event.id,
      'events.expand:' || event.id || ':' || event.version
    );
  end if;
end;
$$;
comment on function private.events_expand(public.events) is 'Has the worker make the occurrences that a rule says.';

create function public.events_create(
  tenant_id uuid, title text, starts_local timestamp, minutes integer default 60, time_zone text default null,
  rule text default null, group_id uuid default null, description text default null, place text default null,
  capacity integer default null, waitlist boolean default true, offer_minutes integer default 1440
)
returns public.events
language plpgsql
volatile
security definer -- clients may not write events
set search_path = ''
as $$
#variable_conflict use_column
declare
  v_me uuid := private.require(events_create.tenant_id, 'events.create');
  v_event public.events;
begin
  if events_create.group_id is not null then
    perform private.groups_require_member(
      private.groups_seen(events_create.tenant_id, events_create.group_id, v_me), v_me
    );
  end if;
  v_event.tenant_id := events_create.tenant_id;
  v_event.title := btrim(events_create.title);
  v_event.starts_local := events_create.starts_local;
  v_event.minutes := events_create.minutes;
  v_event.time_zone := coalesce(
    events_create.time_zone, (select t.time_zone from public.tenants t where t.id = events_create.tenant_id)
  );
  v_event.rule := events_create.rule;
  v_event.description := nullif(btrim(events_create.description), '');
  v_event.place := nullif(btrim(events_create.place), '');
  v_event.capacity := events_create.capacity;
  v_event.waitlist := events_create.waitlist;
  v_event.offer_minutes := events_create.offer_minutes;
  perform private.events_check(v_event);
  if private.events_instant(v_event.starts_local, v_event.time_zone) < now() - interval '1 day' then
    raise sqlstate 'PT422' using message = 'request.invalid', detail = 'starts_local: it is over';
  end if;
  perform private.require_rate('events-create:' || v_event.tenant_id || ':' || v_me, 60, interval '1 day');
  insert into public.events (
    tenant_id, group_id, organiser_id, title, description, place, starts_local, minutes, time_zone, rule, capacity,
    waitlist, offer_minutes
  )
  values (
    v_event.tenant_id, events_create.group_id, v_me, v_event.title, v_event.description, v_event.place,
    v_event.starts_local, v_event.minutes, v_event.time_zone, v_event.rule, v_event.capacity, v_event.waitlist,
    v_event.offer_minutes
  )
  returning * into v_event;
  -- The first one is there at once, whatever the rule (RFC 5545, 3.8.5.3).
  perform private.events_add_occurrence(v_event, v_event.starts_local);
  perform private.events_expand(v_event);
  perform private.audit('EVENT_CREATED', 'events:' || v_event.id, null, null, v_event.tenant_id, v_me);
  return v_event;
end;
$$;
comment on function public.events_create(uuid, text, timestamp, integer, text, text, uuid, text, text, integer, boolean, integer) is
  'Makes an event of the tenant, or of a group that the caller is in; with a rule (RFC 5545: FREQ, INTERVAL, COUNT or UNTIL, BYDAY, BYMONTHDAY, BYSETPOS, BYMONTH, WKST) its other occurrences follow within seconds (permission events.create). starts_local is on the clocks of time_zone, the tenant''s unless told. Raises groups.not_found, groups.role_missing, groups.closed, limits.exceeded, request.invalid.';
grant execute on function public.events_create(uuid, text, timestamp, integer, text, text, uuid, text, text, integer, boolean, integer) to authenticated;

-- The worker's part
create function private.events_local_rule(rule text, time_zone text)
returns text
language plpgsql
stable
security invoker
set search_path = ''
as $$
declare
  v_until text := substring(events_local_rule.rule from 'UNTIL=(\d{8}(?:T\d{6}Z?)?)');
  v_local timestamp;
begin
  if v_until is null then
    return events_local_rule.rule;
  end if;
  -- With a Z it is an instant, as RFC 5545 has it; without a time the whole day counts.
  v_local := case
    when v_until like '%Z' then (rtrim(v_until, 'Z')::timestamp at time zone 'UTC') at time zone events_local_rule.time_zone
    when char_length(v_until) = 8 then v_until::timestamp + time '23:59:59'
    else v_until::timestamp
  end;
  return replace(
    events_local_rule.rule, 'UNTIL=' || v_until, 'UNTIL=' || to_char(v_local, 'YYYYMMDD"T"HH24MISS')
  );
end;
$$;
comment on function private.events_local_rule(text, text) is
  'The rule with its end on the clocks of the time zone, as it is expanded.';

create type public.events_expansion as (
  rule text, local_rule text, starts_local timestamp, since timestamp, upto timestamp
);

create function public.events_expansion(tenant_id uuid, event_id uuid)
returns setof public.events_expansion
language plpgsql
stable
security definer -- reads events past their policies
rows 1
set search_path = ''
as $$
#variable_conflict use_column
begin
  return query
    select e.rule, private.events_local_rule(e.rule, e.time_zone), e.starts_local,
      greatest(e.starts_local, (now() at time zone e.time_zone) - interval '1 day'),
      (now() at time zone e.time_zone) + interval '400 days'
    from public.events e
    where e.tenant_id = events_expansion.tenant_id and e.id = events_expansion.event_id
      and e.rule is not null and e.status = 'scheduled' and e.removed_at is null;
end;
$$;
comment on function public.events_expansion(uuid, uuid) is
  'For the worker: the rule of an event, and from when up to when its occurrences are wanted; none where it is over.';
grant execute on function public.events_expansion(uuid, uuid) to service_role;

create function public.events_keep(
  tenant_id uuid, event_id uuid, rule text, starts_local timestamp, starts timestamp[], since timestamp,
  upto timestamp, finished boolean
)
returns integer
language plpgsql
volatile
security definer -- nobody else writes occurrences
set search_path = ''
as $$
#variable_conflict use_column
declare
  v_event public.events;
  v_occurrence public.events_occurrences;
  v_local timestamp;
  v_now timestamp;
begin
  select * into v_event from public.events e
  where e.tenant_id = events_keep.tenant_id and e.id = events_keep.event_id
  for no key update;
  -- Changed meanwhile: the job of that change is on its way.
  if v_event.rule is distinct from events_keep.rule or v_event.starts_local <> events_keep.starts_local
    or v_event.status <> 'scheduled'
  then
    return 0;
  end if;
  v_now := now() at time zone v_event.time_zone;
  for v_occurrence in
    select * from public.events_occurrences o
    where o.tenant_id = v_event.tenant_id and o.event_id = v_event.id and o.status = 'scheduled'
      and o.starts_at > now() and o.recurrence_id between events_keep.since and events_keep.upto
      and o.recurrence_id <> all (events_keep.starts)
    order by o.id for no key update
  loop
    perform private.events_drop(v_occurrence);
  end loop;
  foreach v_local in array events_keep.starts loop
    if v_local > v_now then
      perform private.events_add_occurrence(v_event, v_local);
    end if;
  end loop;
  update public.events e
  set expanded_until = case when events_keep.finished then timestamp 'infinity' else events_keep.upto end
  where e.tenant_id = v_event.tenant_id and e.id = v_event.id;
  return cardinality(events_keep.starts);
end;
$$;
comment on function public.events_keep(uuid, uuid, text, timestamp, timestamp[], timestamp, timestamp, boolean) is
  'For the worker: makes the occurrences that the rule gives between two times and are not there, and takes back those to come that it gives no more. What was moved or cancelled stays so.';
grant execute on function public.events_keep(uuid, uuid, text, timestamp, timestamp[], timestamp, timestamp, boolean) to service_role;

create function private.events_drop(occurrence public.events_occurrences)
returns void
language plpgsql
volatile
security definer -- nobody else writes occurrences
set search_path = ''
as $$
#variable_conflict use_column
begin
  if not exists (
    select from public.events_attendances a
    where a.tenant_id = occurrence.tenant_id and a.occurrence_id = occurrence.id
  ) then
    delete from public.events_occurrences o where o.tenant_id = occurrence.tenant_id and o.id = occurrence.id;
    return;
  end if;
  update public.events_occurrences o set status = 'cancelled', sequence = o.sequence + 1
  where o.tenant_id = occurrence.tenant_id and o.id = occurrence.id and o.status = 'scheduled';
  perform private.events_have_told(occurrence, 'events.cancelled');
end;
$$;
comment on function private.events_drop(public.events_occurrences) is
  'An occurrence that does not take place: nothing remains where nobody answered, else they are told.';

create function private.events_expand_due()
returns bigint
language sql
volatile
security definer -- nobody else writes the outbox
set search_path = ''
as $$
  select count(private.enqueue(
    'events.expand', jsonb_build_object('event', e.id), e.tenant_id, 'events:' || e.id,
    'events.expand:' || e.id || ':' || e.version, priority => -1::smallint
  ))
  from (
    select d.* from public.events d
    where d.rule is not null and d.status = 'scheduled' and d.removed_at is null
      and d.expanded_until < (now() at time zone 'UTC') + interval '370 days'
      -- Here, lest those whose turn never comes take up the thousand.
      and not private.jobs_closed(d.tenant_id, 'events.expand')
    order by d.expanded_until limit 1000
  ) e;
$$;
comment on function private.events_expand_due() is
  'Has the worker move the windows of recurring events on, a thousand of them at most: those that are furthest behind.';

select private.schedule('events-expand', '29 * * * *', 'select private.events_expand_due()');
