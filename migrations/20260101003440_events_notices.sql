-- Events, notices: reminders as each chose them, seats that came free, changes and cancellations.

select private.declare_notification('events.' || what, outdated => 'events_notice_outdated')
from unnest(array['offered', 'changed', 'reminder']) what;
select private.declare_notification('events.cancelled');

create function private.events_notice(event public.events, occurrence public.events_occurrences)
returns jsonb
language plpgsql
stable
security definer -- reads tenants past their policies
set search_path = ''
as $$
#variable_conflict use_column
begin
  return jsonb_strip_nulls(jsonb_build_object(
    'event_id', event.id, 'occurrence_id', occurrence.id, 'title', coalesce(event.title, '–'),
    'time', to_char(occurrence.starts_at at time zone event.time_zone, 'YYYY-MM-DD HH24:MI'),
    'scope', coalesce(event.group_id::text, ''),
    'link', (
      select rtrim(t.app_url, '/') || '/events/' || event.id from public.tenants t where t.id = event.tenant_id
    )
  ));
end;
$$;
comment on function private.events_notice(public.events, public.events_occurrences) is
  'The values of a notice about an occurrence: which, and when on the clocks of where it is.';

create function private.events_notice_outdated(event private.notifications_events)
returns boolean
language plpgsql
stable
security definer -- reads events past their policies
set search_path = ''
as $$
#variable_conflict use_column
declare
  v_status text := (
    select a.status from public.events_attendances a
    where a.tenant_id = event.tenant_id and a.occurrence_id = (event.payload ->> 'occurrence_id')::uuid
      and a.person_id = event.person_id
  );
begin
  return not private.events_reads(event.tenant_id, (event.payload ->> 'event_id')::uuid, event.person_id)
    or not exists (
      select from public.events_occurrences o
      where o.tenant_id = event.tenant_id and o.id = (event.payload ->> 'occurrence_id')::uuid
        and o.status = 'scheduled' and o.ends_at > now()
    )
    or case event.kind
      when 'events.offered' then v_status is distinct from 'offered'
      else v_status is null or v_status in ('declined', 'lapsed')
    end;
end;
$$;
comment on function private.events_notice_outdated(private.notifications_events) is
  'Whether a notice about an occurrence is none any more: over, cancelled, answered, or not theirs to see.';

create function private.events_have_told(occurrence public.events_occurrences, kind text, change text default null)
returns void
language plpgsql
volatile
security definer -- nobody else writes the outbox
set search_path = ''
as $$
begin
  if exists (
    select from public.events_attendances a
    where a.tenant_id = occurrence.tenant_id and a.occurrence_id = occurrence.id
  ) then
    perform private.enqueue(
      events_have_told.kind, jsonb_strip_nulls(jsonb_build_object('occurrence', occurrence.id, 'change', events_have_told.change)),
      occurrence.tenant_id,
      'events_occurrences:' || occurrence.id, events_have_told.kind || ':' || occurrence.id
    );
  end if;
end;
$$;
comment on function private.events_have_told(public.events_occurrences, text, text) is
  'Has the worker tell those who answered that an occurrence was changed or cancelled; where many were by the same change, each person once.';

create function public.events_tell(
  tenant_id uuid, kind text, occurrence uuid, job uuid, after uuid default null, change text default null
)
returns uuid
language plpgsql
volatile
security definer -- reads attendances past their policies
set search_path = ''
as $$
#variable_conflict use_column
declare
  v_occurrence public.events_occurrences;
  v_event public.events;
  v_people uuid[];
begin
  select * into v_occurrence from public.events_occurrences o
  where o.tenant_id = events_tell.tenant_id and o.id = events_tell.occurrence;
  select * into v_event from public.events e where e.tenant_id = v_occurrence.tenant_id and e.id = v_occurrence.event_id;
  v_people := array(
    select a.person_id from public.events_attendances a
    where a.tenant_id = v_occurrence.tenant_id and a.occurrence_id = v_occurrence.id
      and a.status in ('going', 'maybe', 'waiting', 'offered')
      and a.person_id > coalesce(events_tell.after, uuid '00000000-0000-0000-0000-000000000000')
    order by a.person_id
    limit 200
  );
  perform private.notify_all(
    array(
      select p.id from unnest(v_people) p (id)
      where private.may(v_event.tenant_id, p.id, 'events.read')
        and (v_event.group_id is null or private.groups_reads(v_event.tenant_id, v_event.group_id, p.id))
        -- That it does not take place is told also of what is taken away.
        and (v_event.removed_at is null or events_tell.kind = 'events.cancelled')
    ),
    events_tell.kind,
    private.events_notice(v_event, v_occurrence)
      || jsonb_build_object('about', coalesce(events_tell.change, 'jobs:' || events_tell.job)),
    events_tell.tenant_id, v_occurrence.ends_at
  );
  return v_people[200];
end;
$$;
comment on function public.events_tell(uuid, text, uuid, uuid, uuid, text) is
  'For the worker: tells 200 of those who answered and see it what became of an occurrence, nobody twice for the same job or the same change of a whole event. Answers with the last of them while there may be more, to be given as after.';
grant execute on function public.events_tell(uuid, text, uuid, uuid, uuid, text) to service_role;

create function private.events_remind_due()
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
    select a.tenant_id, a.person_id, e as event, o as occurrence
    from (
      select d.tenant_id, d.occurrence_id, d.person_id, d.event_id from public.events_attendances d
      where d.remind_at <= now() order by d.remind_at limit 500 for no key update skip locked
    ) a
    join public.events_occurrences o on o.tenant_id = a.tenant_id and o.id = a.occurrence_id
    join public.events e on e.tenant_id = a.tenant_id and e.id = a.event_id
    order by a.person_id, o.id
  loop
    update public.events_attendances a set remind_at = null
    where a.tenant_id = v_due.tenant_id and a.occurrence_id = (v_due.occurrence).id and a.person_id = v_due.person_id;
    continue when (v_due.occurrence).status <> 'scheduled' or (v_due.occurrence).starts_at <= now()
      or not private.events_reads(v_due.tenant_id, (v_due.event).id, v_due.person_id);
    perform private.notify(
      v_due.person_id, 'events.reminder', private.events_notice(v_due.event, v_due.occurrence),
      v_due.tenant_id, (v_due.occurrence).starts_at
    );
    v_count := v_count + 1;
  end loop;
  return v_count;
end;
$$;
comment on function private.events_remind_due() is 'Reminds those whose time has come, 500 at most, each once. Returns how many.';

select private.schedule('events-reminders', '* * * * *', 'select private.events_remind_due()');

create function private.events_digest_items(tenant_id uuid, person uuid, until timestamptz)
returns jsonb
language plpgsql
stable
security definer -- reads events past their policies
set search_path = ''
as $$
#variable_conflict use_column
begin
  if not private.may(events_digest_items.tenant_id, events_digest_items.person, 'events.read') then
    return jsonb '[]';
  end if;
  return coalesce((
    select jsonb_agg(
      jsonb_build_object('template', 'events.reminder', 'count', 1, 'data', private.events_notice(l.event, l.occurrence))
      order by (l.occurrence).starts_at
    )
    from (
      select e as event, o as occurrence
      from public.groups_members m
      join public.events e on e.tenant_id = m.tenant_id and e.group_id = m.group_id
        and e.status = 'scheduled' and e.removed_at is null
      join public.events_occurrences o on o.tenant_id = e.tenant_id and o.event_id = e.id and o.status = 'scheduled'
      where m.tenant_id = events_digest_items.tenant_id and m.person_id = events_digest_items.person
        and m.status = 'active'
        -- Each in the digest of its week, and none that has begun.
        and o.starts_at > greatest(events_digest_items.until, now())
        and o.starts_at <= events_digest_items.until + interval '7 days'
        and private.groups_digest_wanted(m.tenant_id, m.person_id, m.group_id)
      order by o.starts_at
      limit 20
    ) l
  ), '[]');
end;
$$;
comment on function private.events_digest_items(uuid, uuid, timestamptz) is
  'What takes place in a person''s groups within the week after the digest, a line for each.';
