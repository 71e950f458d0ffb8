-- Events, answers: who comes, how many fit, and how a free seat goes down the waiting list: offered
-- to the first for a time, taken once, or passed on, by the clock and at every act.

create function private.events_count()
returns trigger
language plpgsql
volatile
security definer -- nobody else writes the counters
set search_path = ''
as $$
#variable_conflict use_column
declare
  v_taken integer := (new.status in ('going', 'offered'))::integer;
  v_waiting integer := (new.status = 'waiting')::integer;
begin
  if tg_op = 'UPDATE' then
    v_taken := v_taken - (old.status in ('going', 'offered'))::integer;
    v_waiting := v_waiting - (old.status = 'waiting')::integer;
  end if;
  if v_taken <> 0 or v_waiting <> 0 then
    update public.events_occurrences o set taken = o.taken + v_taken, waiting = o.waiting + v_waiting
    where o.tenant_id = new.tenant_id and o.id = new.occurrence_id;
  end if;
  return null;
end;
$$;
comment on function private.events_count() is
  'After an answer: keeps how many seats are taken and how many wait; the table''s check is the last word on capacity.';

create trigger events_attendances_count after insert or update of status on public.events_attendances
  for each row execute function private.events_count();

create function private.events_set_reminder()
returns trigger
language plpgsql
volatile
security definer -- reads occurrences past their policies
set search_path = ''
as $$
#variable_conflict use_column
begin
  new.remind_at := case when new.status in ('going', 'maybe') then (
    select nullif(greatest(o.starts_at - make_interval(mins => new.remind_minutes), now()), now())
    from public.events_occurrences o where o.tenant_id = new.tenant_id and o.id = new.occurrence_id
  ) end;
  return new;
end;
$$;
comment on function private.events_set_reminder() is
  'Before an answer or a choice of reminder: when it is due; never where that is past.';

create trigger events_attendances_reminder before insert or update of status, remind_minutes on public.events_attendances
  for each row execute function private.events_set_reminder();

create function private.events_set_status(
  occurrence public.events_occurrences, person uuid, status text, offer_expires_at timestamptz default null
)
returns public.events_attendances
language plpgsql
volatile
security definer -- nobody else writes attendances
set search_path = ''
as $$
#variable_conflict use_column
declare
  v_attendance public.events_attendances;
begin
  insert into public.events_attendances as a (
    tenant_id, occurrence_id, person_id, event_id, status, queued_at, offer_expires_at
  )
  values (
    occurrence.tenant_id, occurrence.id, events_set_status.person, occurrence.event_id, events_set_status.status,
    case events_set_status.status when 'waiting' then clock_timestamp() end, events_set_status.offer_expires_at
  )
  on conflict (tenant_id, occurrence_id, person_id) do update
    set status = excluded.status, queued_at = excluded.queued_at, offer_expires_at = excluded.offer_expires_at
  returning * into v_attendance;
  return v_attendance;
end;
$$;
comment on function private.events_set_status(public.events_occurrences, uuid, text, timestamptz) is
  'A person''s answer from now on; the occurrence is locked.';

create function private.events_pass_on(tenant_id uuid, occurrence_id uuid)
returns integer
language plpgsql
volatile
security definer -- nobody else writes attendances
set search_path = ''
as $$
#variable_conflict use_column
declare
  v_occurrence public.events_occurrences;
  v_event public.events;
  v_person uuid;
  v_free integer;
  v_count integer := 0;
begin
  select * into v_occurrence from public.events_occurrences o
  where o.tenant_id = events_pass_on.tenant_id and o.id = events_pass_on.occurrence_id
  for no key update;
  select * into v_event from public.events e where e.tenant_id = v_occurrence.tenant_id and e.id = v_occurrence.event_id;
  for v_person in
    select a.person_id from public.events_attendances a
    where a.tenant_id = v_occurrence.tenant_id and a.occurrence_id = v_occurrence.id
      and a.status = 'offered' and a.offer_expires_at <= now()
    order by a.person_id
  loop
    perform private.events_set_status(v_occurrence, v_person, 'lapsed');
    v_count := v_count + 1;
  end loop;
  if v_occurrence.status <> 'scheduled' or v_occurrence.starts_at <= now() then
    return v_count;
  end if;
  select coalesce(o.capacity - o.taken, 200) into v_free from public.events_occurrences o
  where o.tenant_id = v_occurrence.tenant_id and o.id = v_occurrence.id;
  for v_person in
    select a.person_id from public.events_attendances a
    where a.tenant_id = v_occurrence.tenant_id and a.occurrence_id = v_occurrence.id and a.status = 'waiting'
    order by a.queued_at, a.person_id
    limit case when v_free > 0 then v_free + 200 else 0 end
  loop
    exit when v_free = 0;
    -- Whoever may not see the event any more does not wait for it either.
    if private.events_reads(v_event.tenant_id, v_event.id, v_person) then
      perform private.events_offer(v_event, v_occurrence, v_person);
      v_free := v_free - 1;
    else
      perform private.events_set_status(v_occurrence, v_person, 'declined');
    end if;
    v_count := v_count + 1;
  end loop;
  return v_count;
end;
$$;
comment on function private.events_pass_on(uuid, uuid) is
  'Takes back offers of an occurrence whose time is over, and offers what is free to the first who wait. Returns how many changed.';

create function private.events_offer(event public.events, occurrence public.events_occurrences, person uuid)
returns void
language plpgsql
volatile
security definer -- nobody else writes attendances
set search_path = ''
as $$
declare
  v_until timestamptz := least(now() + make_interval(mins => event.offer_minutes), occurrence.starts_at);
begin
  perform private.events_set_status(occurrence, events_offer.person, 'offered', v_until);
  perform private.notify(
    events_offer.person, 'events.offered',
    private.events_notice(event, occurrence) || jsonb_build_object(
      'until', to_char(v_until at time zone event.time_zone, 'YYYY-MM-DD HH24:MI')
    ),
    event.tenant_id, v_until
  );
end;
$$;
comment on function private.events_offer(public.events, public.events_occurrences, uuid) is
  'Offers a seat to somebody who waits, until it is passed on.';

create function private.events_pass_on_due()
returns bigint
language plpgsql
volatile
security definer -- nobody else writes attendances
set search_path = ''
as $$
#variable_conflict use_column
declare
  v_due record;
  v_count bigint := 0;
begin
  for v_due in
    select o.tenant_id, o.id from public.events_occurrences o
    join (
      (
        select a.tenant_id, a.occurrence_id from public.events_attendances a
        where a.status = 'offered' and a.offer_expires_at <= now()
        order by a.offer_expires_at limit 500
      )
      union
      (
        select f.tenant_id, f.id from public.events_occurrences f
        where f.waiting > 0 and (f.capacity is null or f.taken < f.capacity)
          and f.starts_at > now() and f.status = 'scheduled'
        order by f.starts_at limit 100
      )
    ) due on due.tenant_id = o.tenant_id and due.occurrence_id = o.id
    order by o.tenant_id, o.id
    for no key update of o skip locked
  loop
    v_count := v_count + private.events_pass_on(v_due.tenant_id, v_due.id);
  end loop;
  return v_count;
end;
$$;
comment on function private.events_pass_on_due() is 'Passes on the offers that ran out, 500 of them at most.';

select private.schedule('events-offers', '* * * * *', 'select private.events_pass_on_due()');

create function public.events_respond(
  tenant_id uuid, occurrence_id uuid, response text, wait boolean default true
)
returns public.events_attendances
language plpgsql
volatile
security definer -- clients may not write attendances
set search_path = ''
as $$
#variable_conflict use_column
declare
  v_me uuid := private.require(events_respond.tenant_id, 'events.join');
  v_occurrence public.events_occurrences :=
    private.events_lock(events_respond.tenant_id, events_respond.occurrence_id, v_me);
  v_attendance public.events_attendances;
  v_waitlist boolean;
begin
  if events_respond.response is null or events_respond.response not in ('going', 'maybe', 'declined') then
    raise sqlstate 'PT422' using message = 'request.invalid', detail = 'response: going, maybe or declined';
  elsif v_occurrence.status <> 'scheduled' then
    raise sqlstate 'PT409' using message = 'events.cancelled';
  elsif v_occurrence.ends_at <= now() then
    raise sqlstate 'PT409' using message = 'events.over';
  end if;
  perform private.events_pass_on(v_occurrence.tenant_id, v_occurrence.id);
  select * into v_occurrence from public.events_occurrences o
  where o.tenant_id = v_occurrence.tenant_id and o.id = v_occurrence.id;
  select * into v_attendance from public.events_attendances a
  where a.tenant_id = v_occurrence.tenant_id and a.occurrence_id = v_occurrence.id and a.person_id = v_me;
  if v_attendance.status = events_respond.response then
    return v_attendance;
  elsif v_attendance.checked_in_at is not null then
    raise sqlstate 'PT409' using message = 'events.already_checked_in';
  elsif events_respond.response <> 'going' then
    v_attendance := private.events_set_status(v_occurrence, v_me, events_respond.response);
    perform private.events_pass_on(v_occurrence.tenant_id, v_occurrence.id);
    return v_attendance;
  elsif v_attendance.status is not distinct from 'offered'
    or coalesce(v_occurrence.taken < v_occurrence.capacity, true)
  then
    return private.events_set_status(v_occurrence, v_me, 'going');
  elsif v_attendance.status is not distinct from 'waiting' then
    return v_attendance;
  end if;
  select e.waitlist into v_waitlist from public.events e
  where e.tenant_id = v_occurrence.tenant_id and e.id = v_occurrence.event_id;
  if not v_waitlist or not coalesce(events_respond.wait, true) then
    raise sqlstate 'PT409' using message = 'events.full';
  end if;
  return private.events_set_status(v_occurrence, v_me, 'waiting');
end;
$$;
comment on function public.events_respond(uuid, uuid, text, boolean) is
  'Says whether the caller comes to an occurrence: going, maybe or declined (permission events.join). Where nothing is free, going means waiting, unless wait is false; to who waits a free seat is offered for a time, and going takes it, once. Raises events.not_found, events.cancelled, events.over, events.full, events.already_checked_in, request.invalid.';
grant execute on function public.events_respond(uuid, uuid, text, boolean) to authenticated;

create function public.events_remind(tenant_id uuid, occurrence_id uuid, minutes integer)
returns public.events_attendances
language plpgsql
volatile
security definer -- clients may not write attendances
set search_path = ''
as $$
#variable_conflict use_column
declare
  v_me uuid := private.require(events_remind.tenant_id, 'events.join');
  v_attendance public.events_attendances;
begin
  perform private.events_lock(events_remind.tenant_id, events_remind.occurrence_id, v_me);
  if events_remind.minutes not between 5 and 40320 then
    raise sqlstate 'PT422' using message = 'request.invalid', detail = 'minutes: 5 to 40320, or null for none';
  end if;
  update public.events_attendances a set remind_minutes = events_remind.minutes
  where a.tenant_id = events_remind.tenant_id and a.occurrence_id = events_remind.occurrence_id
    and a.person_id = v_me
  returning * into v_attendance;
  if not found then
    raise sqlstate 'PT404' using message = 'events.attendance_not_found';
  end if;
  return v_attendance;
end;
$$;
comment on function public.events_remind(uuid, uuid, integer) is
  'So many minutes before an occurrence the caller wants to be reminded; null: not at all (permission events.join). Raises events.not_found, events.attendance_not_found, request.invalid.';
grant execute on function public.events_remind(uuid, uuid, integer) to authenticated;
