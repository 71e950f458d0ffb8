-- Events, life: what is said live, what can be reported, and what becomes of events and answers when
-- somebody leaves a group or the tenant, or is erased.

create function private.events_signal()
returns trigger
language plpgsql
volatile
security definer -- clients may not write realtime.messages
set search_path = ''
as $$
#variable_conflict use_column
declare
  v_event public.events;
  v_payload jsonb;
begin
  v_payload := case tg_table_name
    when 'events' then jsonb_build_object('event_id', new.id)
    else jsonb_build_object('event_id', to_jsonb(new) ->> 'event_id', 'occurrence_id', new.id)
  end;
  select * into v_event from public.events e
  where e.tenant_id = new.tenant_id and e.id = (v_payload ->> 'event_id')::uuid;
  if v_event.group_id is not null then
    perform private.groups_signal(v_event.tenant_id, v_event.group_id, 'events:changed', v_payload);
  else
    perform realtime.send(
      v_payload || jsonb_build_object('tenant_id', v_event.tenant_id), 'events:changed',
      'private-tenant-' || v_event.tenant_id, true
    );
  end if;
  return null;
end;
$$;
comment on function private.events_signal() is
  'After an event or an occurrence was made or changed: says so to its group or the tenant, by ids.';

create trigger events_signal after insert or update of version on public.events
  for each row execute function private.events_signal();
create trigger events_occurrences_signal after update of sequence on public.events_occurrences
  for each row execute function private.events_signal();

create function private.events_signal_answer()
returns trigger
language plpgsql
volatile
security definer -- clients may not write realtime.messages
set search_path = ''
as $$
begin
  perform private.announce(
    new.person_id, 'events:attendance',
    jsonb_build_object(
      'tenant_id', new.tenant_id, 'event_id', new.event_id, 'occurrence_id', new.occurrence_id, 'status', new.status
    )
  );
  return null;
end;
$$;
comment on function private.events_signal_answer() is 'After an answer or an offer: tells the person''s own devices.';

create trigger events_attendances_signal after insert or update of status, checked_in_at on public.events_attendances
  for each row execute function private.events_signal_answer();

-- Moderation
create function private.events_describe(tenant_id uuid, subject uuid, reporter uuid)
returns private.moderation_subject
language plpgsql
stable
security definer -- reads events past their policies
set search_path = ''
as $$
#variable_conflict use_column
declare
  v_subject private.moderation_subject;
begin
  select e.organiser_id, concat_ws(E'\n', e.title, e.description), private.groups_moderators(e.tenant_id, e.group_id)
  into v_subject
  from public.events e
  where e.tenant_id = events_describe.tenant_id and e.id = events_describe.subject
    and e.organiser_id <> events_describe.reporter
    and private.events_reads(e.tenant_id, e.id, events_describe.reporter);
  return v_subject;
end;
$$;
comment on function private.events_describe(uuid, uuid, uuid) is 'An event of somebody else, as its reporter sees it.';

create function private.events_place(tenant_id uuid, subject uuid)
returns uuid
language plpgsql
stable
security definer -- reads events past their policies
set search_path = ''
as $$
#variable_conflict use_column
begin
  return (
    select e.group_id from public.events e
    where e.tenant_id = events_place.tenant_id and e.id = events_place.subject
  );
end;
$$;
comment on function private.events_place(uuid, uuid) is 'The group whose event it is; null: the tenant''s.';

create function private.events_remove_reported(tenant_id uuid, subject uuid)
returns jsonb
language plpgsql
volatile
security definer -- nobody else writes events
set search_path = ''
as $$
#variable_conflict use_column
begin
  update public.events e set removed_at = now()
  where e.tenant_id = events_remove_reported.tenant_id and e.id = events_remove_reported.subject
    and e.removed_at is null;
  return jsonb '{}';
end;
$$;
comment on function private.events_remove_reported(uuid, uuid) is 'Keeps a reported event from everybody; its answers stay.';

create function private.events_restore_reported(tenant_id uuid, subject uuid, snapshot jsonb)
returns void
language plpgsql
volatile
security definer -- nobody else writes events
set search_path = ''
as $$
#variable_conflict use_column
begin
  update public.events e set removed_at = null
  where e.tenant_id = events_restore_reported.tenant_id and e.id = events_restore_reported.subject
    and e.title is not null and events_restore_reported.snapshot is not null;
end;
$$;
comment on function private.events_restore_reported(uuid, uuid, jsonb) is 'Shows an event again that was removed.';

select private.declare_reportable(
  'events.event', 'events_describe', 'events_remove_reported', 'events_restore_reported', 'events_place'
);

-- Going
create function private.events_give_up(tenant_id uuid, person uuid)
returns void
language plpgsql
volatile
security definer -- nobody else writes attendances
set search_path = ''
as $$
#variable_conflict use_column
declare
  v_occurrence public.events_occurrences;
begin
  for v_occurrence in
    select o.* from public.events_occurrences o
    join public.events_attendances a on a.tenant_id = o.tenant_id and a.occurrence_id = o.id
    where a.tenant_id = events_give_up.tenant_id and a.person_id = events_give_up.person
      and a.status in ('going', 'maybe', 'waiting', 'offered') and a.checked_in_at is null and o.ends_at > now()
      and not private.events_reads(o.tenant_id, o.event_id, events_give_up.person)
    order by o.id
    for no key update of o
  loop
    perform private.events_set_status(v_occurrence, events_give_up.person, 'declined');
    perform private.events_pass_on(v_occurrence.tenant_id, v_occurrence.id);
  end loop;
end;
$$;
comment on function private.events_give_up(uuid, uuid) is
  'Frees the seats of a person at events that they do not see any more.';

create function public.events_narrow(tenant_id uuid, group_id uuid)
returns integer
language plpgsql
volatile
security definer -- nobody else writes attendances
set search_path = ''
as $$
#variable_conflict use_column
declare
  v_occurrence public.events_occurrences;
  v_person uuid;
  v_count integer := 0;
begin
  for v_occurrence in
    select o.* from public.groups g
    join public.events e on e.tenant_id = g.tenant_id and e.group_id = g.id
    join public.events_occurrences o on o.tenant_id = e.tenant_id and o.event_id = e.id and o.ends_at > now()
    where g.tenant_id = events_narrow.tenant_id and g.id = events_narrow.group_id
      -- Opened again meanwhile, it is everybody's.
      and (g.visibility <> 'public' or g.status <> 'active')
      and exists (select from private.events_strangers(o.tenant_id, o.id, g.id))
    order by o.id limit 10
    for no key update of o
  loop
    for v_person in
      select s.id from private.events_strangers(v_occurrence.tenant_id, v_occurrence.id, events_narrow.group_id) s (id)
      limit 200
    loop
      perform private.events_set_status(v_occurrence, v_person, 'declined');
      v_count := v_count + 1;
    end loop;
    perform private.events_pass_on(v_occurrence.tenant_id, v_occurrence.id);
  end loop;
  return v_count;
end;
$$;
comment on function public.events_narrow(uuid, uuid) is
  'For the worker: frees the seats at a group''s events of those who are not in it, once it is not open to them any more; of ten occurrences at most. Answers with how many, to be called until there are none.';
grant execute on function public.events_narrow(uuid, uuid) to service_role;

create function private.events_strangers(tenant_id uuid, occurrence_id uuid, group_id uuid)
returns setof uuid
language plpgsql
stable
security definer -- reads attendances past their policies
rows 10
set search_path = ''
as $$
#variable_conflict use_column
begin
  return query
    select a.person_id from public.events_attendances a
    where a.tenant_id = events_strangers.tenant_id and a.occurrence_id = events_strangers.occurrence_id
      and a.status in ('going', 'maybe', 'waiting', 'offered') and a.checked_in_at is null
      and not exists (
        select from public.groups_members m
        where m.tenant_id = a.tenant_id and m.group_id = events_strangers.group_id and m.person_id = a.person_id
          and m.status = 'active'
      )
    order by a.person_id;
end;
$$;
comment on function private.events_strangers(uuid, uuid, uuid) is
  'Who comes to an occurrence, or may, and is not in the group.';

create function private.events_on_group_narrowed()
returns trigger
language plpgsql
volatile
security definer -- nobody else writes the outbox
set search_path = ''
as $$
begin
  perform private.enqueue(
    'events.narrow', jsonb_build_object('group', new.id), new.tenant_id, 'groups:' || new.id,
    'events.narrow:' || new.id
  );
  return null;
end;
$$;
comment on function private.events_on_group_narrowed() is
  'After a group is not open to all any more: has the worker free the seats at its events of who is not in it.';

create trigger events_on_group_narrowed after update of visibility, status on public.groups
  for each row when (
    old.visibility = 'public' and old.status = 'active' and (new.visibility <> 'public' or new.status <> 'active')
  )
  execute function private.events_on_group_narrowed();

create function private.events_on_group_left()
returns trigger
language plpgsql
volatile
security definer -- nobody else writes attendances
set search_path = ''
as $$
begin
  perform private.events_give_up(new.tenant_id, new.person_id);
  return null;
end;
$$;
comment on function private.events_on_group_left() is 'After somebody left a group: they are at none of its events that are not open to them.';

create trigger events_on_group_left after update of status on public.groups_members
  for each row when (old.status = 'active' and new.status <> 'active')
  execute function private.events_on_group_left();

create function private.events_on_member_gone()
returns trigger
language plpgsql
volatile
security definer -- nobody else writes attendances
set search_path = ''
as $$
#variable_conflict use_column
begin
  perform private.events_give_up(new.tenant_id, new.person_id);
  delete from private.events_feeds f where f.tenant_id = new.tenant_id and f.person_id = new.person_id;
  return null;
end;
$$;
comment on function private.events_on_member_gone() is
  'After a member left or was banned: their seats are free, their calendars closed. Their events are run by who manages or moderates.';

create trigger events_on_member_gone after update of status on public.members
  for each row when (new.status in ('left', 'banned') and old.status is distinct from new.status)
  execute function private.events_on_member_gone();

create function private.events_on_person_erased()
returns trigger
language plpgsql
volatile
security definer -- nobody else writes events
set search_path = ''
as $$
#variable_conflict use_column
declare
  v_event public.events;
begin
  for v_event in
    select e.* from public.events e
    join public.members m on m.tenant_id = e.tenant_id and m.person_id = new.id
    where e.organiser_id = new.id
    order by e.id
    for no key update of e
  loop
    perform private.events_call_off(v_event);
    update public.events e set title = null, description = null, place = null, removed_at = coalesce(e.removed_at, now())
    where e.tenant_id = v_event.tenant_id and e.id = v_event.id;
    update public.events_occurrences o set place = null
    where o.tenant_id = v_event.tenant_id and o.event_id = v_event.id and o.place is not null;
  end loop;
  return null;
end;
$$;
comment on function private.events_on_person_erased() is
  'After a person is erased: what they wrote of their events goes, and what was to come of them does not take place.';

create trigger events_on_person_erased after update of erased_at on public.people
  for each row when (old.erased_at is null and new.erased_at is not null)
  execute function private.events_on_person_erased();

select private.declare_metric(
  'events_answers_total', 'counter', 'Answers given to invitations to events.',
  $$select pg_stat_get_tuples_inserted('public.events_attendances'::regclass) as value$$
);
