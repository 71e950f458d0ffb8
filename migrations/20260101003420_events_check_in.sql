-- Events, check-in: at the door, by name or by the code that somebody shows. The device may be offline
-- and say it later: with the time it saw, and an id by which the same act is the same one.

create function public.events_code(tenant_id uuid, occurrence_id uuid)
returns jsonb
language plpgsql
volatile
security definer -- nobody else writes codes
set search_path = ''
as $$
#variable_conflict use_column
declare
  v_me uuid := private.require(events_code.tenant_id, 'events.join');
  v_occurrence public.events_occurrences :=
    private.events_lock(events_code.tenant_id, events_code.occurrence_id, v_me);
  v_code text;
begin
  if not exists (
    select from public.events_attendances a
    where a.tenant_id = v_occurrence.tenant_id and a.occurrence_id = v_occurrence.id and a.person_id = v_me
      and a.status = 'going'
  ) then
    raise sqlstate 'PT404' using message = 'events.attendance_not_found';
  end if;
  insert into private.events_codes (tenant_id, occurrence_id, person_id, code)
  values (v_occurrence.tenant_id, v_occurrence.id, v_me, upper(encode(extensions.gen_random_bytes(6), 'hex')))
  on conflict (tenant_id, occurrence_id, person_id) do nothing;
  select c.code into v_code from private.events_codes c
  where c.tenant_id = v_occurrence.tenant_id and c.occurrence_id = v_occurrence.id and c.person_id = v_me;
  return jsonb_build_object('code', v_code);
end;
$$;
comment on function public.events_code(uuid, uuid) is
  'The code that the caller shows at the door of an occurrence they come to, always the same; good once (permission events.join). Raises events.not_found, events.attendance_not_found.';
grant execute on function public.events_code(uuid, uuid) to authenticated;

create function private.events_who(occurrence public.events_occurrences, person uuid, code text)
returns public.events_attendances
language plpgsql
stable
security definer -- nobody else reads codes
set search_path = ''
as $$
#variable_conflict use_column
declare
  v_attendance public.events_attendances;
begin
  select a.* into v_attendance
  from public.events_attendances a
  left join private.events_codes c
    on c.tenant_id = a.tenant_id and c.occurrence_id = a.occurrence_id and c.person_id = a.person_id
  where a.tenant_id = occurrence.tenant_id and a.occurrence_id = occurrence.id and a.status = 'going'
    and case when events_who.code is null then a.person_id = events_who.person
      else c.code = upper(btrim(events_who.code)) end;
  if not found then
    raise sqlstate 'PT404' using message = 'events.attendance_not_found';
  end if;
  return v_attendance;
end;
$$;
comment on function private.events_who(public.events_occurrences, uuid, text) is
  'Whose code it is, or the person''s own, among those who come. Raises events.attendance_not_found.';

create function public.events_check_in(
  tenant_id uuid, occurrence_id uuid, person uuid default null, code text default null,
  at timestamptz default now(), client_id text default null
)
returns public.events_attendances
language plpgsql
volatile
security definer -- clients may not write attendances
set search_path = ''
as $$
#variable_conflict use_column
declare
  v_me uuid := private.require(events_check_in.tenant_id, 'events.join');
  v_occurrence public.events_occurrences :=
    private.events_lock(events_check_in.tenant_id, events_check_in.occurrence_id, v_me);
  v_attendance public.events_attendances;
begin
  perform private.events_require_manager(
    private.events_seen(v_occurrence.tenant_id, v_occurrence.event_id, v_me), v_me
  );
  if v_occurrence.status <> 'scheduled' then
    raise sqlstate 'PT409' using message = 'events.cancelled';
  elsif (events_check_in.person is null) = (events_check_in.code is null) then
    raise sqlstate 'PT422' using message = 'request.invalid', detail = 'person or code';
  elsif char_length(events_check_in.client_id) not between 1 and 64 then
    raise sqlstate 'PT422' using message = 'request.invalid', detail = 'client_id';
  elsif events_check_in.at is null or events_check_in.at > now() + interval '5 minutes'
    or events_check_in.at < v_occurrence.starts_at - interval '1 day'
    or events_check_in.at > v_occurrence.ends_at + interval '1 day'
  then
    raise sqlstate 'PT409' using message = 'events.door_closed';
  end if;
  v_attendance := private.events_who(v_occurrence, events_check_in.person, events_check_in.code);
  if v_attendance.checked_in_at is not null then
    if v_attendance.check_in_id = events_check_in.client_id then
      return v_attendance;
    end if;
    raise sqlstate 'PT409' using message = 'events.already_checked_in';
  end if;
  update public.events_attendances a
  set checked_in_at = least(events_check_in.at, now()), checked_in_by = v_me, check_in_id = events_check_in.client_id
  where a.tenant_id = v_attendance.tenant_id and a.occurrence_id = v_attendance.occurrence_id
    and a.person_id = v_attendance.person_id
  returning * into v_attendance;
  perform private.audit(
    'EVENT_CHECKED_IN', 'events_occurrences:' || v_occurrence.id, null,
    jsonb_build_object('person_id', v_attendance.person_id), v_occurrence.tenant_id, v_me
  );
  return v_attendance;
end;
$$;
comment on function public.events_check_in(uuid, uuid, uuid, text, timestamptz, text) is
  'Checks in somebody who comes, by name or by their code, by who runs the event, once (permission events.join). A device that was offline says later at what time, from a day before it to a day after; the same client_id again is answered with the first. Raises events.not_found, events.not_the_organiser, events.cancelled, events.door_closed, events.attendance_not_found, events.already_checked_in, request.invalid.';
grant execute on function public.events_check_in(uuid, uuid, uuid, text, timestamptz, text) to authenticated;
