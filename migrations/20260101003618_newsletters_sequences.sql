-- Newsletters, sequences: each new member gets the mails one after the other; and what becomes of all
-- this when somebody goes.

create function private.newsletters_check_steps(steps jsonb)
returns void
language plpgsql
immutable
security invoker
set search_path = ''
as $$
declare
  v_fault text := case
    when jsonb_typeof(steps) is distinct from 'array' or jsonb_array_length(steps) not between 1 and 20
      then 'steps: 1 to 20'
    else (
      select format('steps[%s].%s', s.place - 1, s.fault) from (
        select place, case
          when coalesce(step ->> 'after_hours' !~ '^\d{1,4}$', true) or (step ->> 'after_hours')::integer > 8760
            then 'after_hours: 0 to 8760'
          when private.notifications_document_fault(step -> 'content') is not null
            then 'content.' || private.notifications_document_fault(step -> 'content')
        end as fault
        from jsonb_array_elements(steps) with ordinality e (step, place)
      ) s
      where s.fault is not null order by s.place limit 1
    )
  end;
begin
  if v_fault is not null then
    raise sqlstate 'PT422' using message = 'request.invalid', detail = v_fault;
  end if;
end;
$$;
comment on function private.newsletters_check_steps(jsonb) is 'Raises request.invalid for what is no list of { after_hours, content }.';

create function public.newsletters_save_sequence(
  tenant_id uuid, name text, steps jsonb, segment_id uuid default null, active boolean default false,
  sequence_id uuid default null
)
returns public.newsletters_sequences
language plpgsql
volatile
security definer -- clients may not write sequences
set search_path = ''
as $$
#variable_conflict use_column
declare
  v_active boolean := coalesce(newsletters_save_sequence.active, false);
  v_sequence public.newsletters_sequences;
begin
  perform private.require(newsletters_save_sequence.tenant_id, 'newsletters.send');
  perform private.newsletters_check_name(newsletters_save_sequence.name, 80);
  perform private.newsletters_check_steps(newsletters_save_sequence.steps);
  perform private.newsletters_check_segment(
    newsletters_save_sequence.tenant_id, newsletters_save_sequence.segment_id
  );
  if newsletters_save_sequence.sequence_id is null then
    insert into public.newsletters_sequences (tenant_id, name, segment_id, active, active_since)
    values (
      newsletters_save_sequence.tenant_id, btrim(newsletters_save_sequence.name),
      newsletters_save_sequence.segment_id, v_active, case when v_active then now() end
    )
    returning * into v_sequence;
  else
    update public.newsletters_sequences s
    set name = btrim(newsletters_save_sequence.name), segment_id = newsletters_save_sequence.segment_id,
      active = v_active,
      active_since = case when v_active then case when s.active then s.active_since else now() end end
    where s.tenant_id = newsletters_save_sequence.tenant_id and s.id = newsletters_save_sequence.sequence_id
    returning * into v_sequence;
    if not found then
      raise sqlstate 'PT404' using message = 'newsletters.sequence_not_found';
    end if;
  end if;
  delete from public.newsletters_steps s
  where s.tenant_id = v_sequence.tenant_id and s.sequence_id = v_sequence.id
    and s.place > jsonb_array_length(newsletters_save_sequence.steps);
  -- Changed, a step keeps its id: who had it does not get it again.
  insert into public.newsletters_steps (tenant_id, sequence_id, place, after_hours, content)
  select v_sequence.tenant_id, v_sequence.id, e.place, (e.step ->> 'after_hours')::integer, e.step -> 'content'
  from jsonb_array_elements(newsletters_save_sequence.steps) with ordinality e (step, place)
  on conflict (tenant_id, sequence_id, place) do update
  set after_hours = excluded.after_hours, content = excluded.content;
  perform private.newsletters_note_audience(v_sequence.tenant_id, 'newsletters_sequences:' || v_sequence.id);
  return v_sequence;
exception when unique_violation then
  raise sqlstate 'PT409' using message = 'newsletters.name_taken';
end;
$$;
comment on function public.newsletters_save_sequence(uuid, text, jsonb, uuid, boolean, uuid) is
  'Makes or changes a sequence of mails for whoever joins from now on: steps [{ after_hours, content }], each counted from the one before; whoever is not in the segment when a mail is due leaves the sequence (permission newsletters.send). Raises newsletters.sequence_not_found, newsletters.segment_not_found, newsletters.name_taken, request.invalid.';
grant execute on function public.newsletters_save_sequence(uuid, text, jsonb, uuid, boolean, uuid) to authenticated;

create function private.newsletters_on_joined()
returns trigger
language plpgsql
volatile
security definer -- nobody else writes followers
set search_path = ''
as $$
#variable_conflict use_column
begin
  insert into private.newsletters_followers (tenant_id, sequence_id, person_id, place, due_at)
  select s.tenant_id, s.id, new.person_id, 1, now() + make_interval(hours => first.after_hours)
  from public.newsletters_sequences s
  join public.newsletters_steps first
    on first.tenant_id = s.tenant_id and first.sequence_id = s.id and first.place = 1
  where s.tenant_id = new.tenant_id and s.active
  -- Who comes back was welcomed already.
  on conflict do nothing;
  return null;
end;
$$;
comment on function private.newsletters_on_joined() is 'After somebody became a member: the first mail of each sequence is due in its time.';

create trigger newsletters_on_joined after insert on public.members
  for each row when (new.status = 'active') execute function private.newsletters_on_joined();
create trigger newsletters_on_admitted after update of status on public.members
  for each row when (new.status = 'active' and old.status in ('pending', 'left'))
  execute function private.newsletters_on_joined();

create function private.newsletters_follow()
returns bigint
language plpgsql
volatile
security definer -- nobody else writes followers
set search_path = ''
as $$
#variable_conflict use_column
declare
  v_group record;
  v_step public.newsletters_steps;
  v_readers uuid[];
  v_count bigint := 0;
begin
  for v_group in
    with due as (
      select f.tenant_id, f.sequence_id, f.person_id, f.place
      from private.newsletters_followers f
      join public.newsletters_sequences s
        on s.tenant_id = f.tenant_id and s.id = f.sequence_id and s.active
      join public.tenants t on t.id = f.tenant_id and 'newsletters' = any (t.modules)
      where f.due_at <= now() order by f.due_at limit 500
      for no key update of f skip locked
    )
    select d.tenant_id, d.sequence_id, d.place, array_agg(d.person_id) as people, max(s.criteria::text)::jsonb as criteria
    from due d
    join public.newsletters_sequences q on q.tenant_id = d.tenant_id and q.id = d.sequence_id
    left join public.newsletters_segments s on s.tenant_id = q.tenant_id and s.id = q.segment_id
    group by d.tenant_id, d.sequence_id, d.place
    order by d.tenant_id, d.sequence_id, d.place
  loop
    select * into v_step from public.newsletters_steps s
    where s.tenant_id = v_group.tenant_id and s.sequence_id = v_group.sequence_id and s.place = v_group.place;
    v_readers := array(
      select private.newsletters_readers(
        v_group.tenant_id, coalesce(v_group.criteria, '[]'), among => v_group.people
      )
    );
    if cardinality(v_readers) > 0 and v_step.id is not null then
      perform private.notify_document(v_step.tenant_id, v_step.id, 'newsletters.issue', v_step.content);
      perform private.notify_bulk(v_step.tenant_id, v_step.id, v_readers);
    end if;
    update private.newsletters_followers f
    set place = v_group.place + 1, due_at = case when f.person_id = any (v_readers) then now() + (
      select make_interval(hours => n.after_hours) from public.newsletters_steps n
      where n.tenant_id = f.tenant_id and n.sequence_id = f.sequence_id and n.place = v_group.place + 1
    ) end
    where f.tenant_id = v_group.tenant_id and f.sequence_id = v_group.sequence_id
      and f.person_id = any (v_group.people);
    v_count := v_count + cardinality(v_readers);
  end loop;
  return v_count;
end;
$$;
comment on function private.newsletters_follow() is
  'Sends the mails of sequences that are due, to 500 people a run at most, and notes when the next one is. Returns how many.';
