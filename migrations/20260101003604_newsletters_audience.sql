-- Newsletters, audience: whom a segment means, by a declared list of criteria that SQL decides.

create table private.newsletters_criteria (
  field text primary key check (field ~ '^[a-z_]+$'),
  takes text not null check (takes in ('texts', 'ids', 'days', 'time'))
);
comment on table private.newsletters_criteria is
  'By what members can be chosen, and what values that takes. What each means stands in private.newsletters_readers.';

insert into private.newsletters_criteria (field, takes)
values
  ('role', 'texts'), ('tag', 'texts'), ('language', 'texts'), ('time_zone', 'texts'), ('group', 'ids'),
  ('joined_since', 'time'), ('joined_before', 'time'), ('active_within', 'days');

create function private.newsletters_criterion_fault(criterion jsonb)
returns text
language plpgsql
stable
security definer -- nobody else reads the list
set search_path = ''
as $$
#variable_conflict use_column
declare
  v_takes text;
  v_value jsonb := criterion -> 'value';
begin
  select c.takes into v_takes from private.newsletters_criteria c where c.field = criterion ->> 'field';
  return case
    when v_takes is null then 'field'
    when coalesce(jsonb_typeof(criterion -> 'not'), 'boolean') <> 'boolean' then 'not'
    when v_value is null then 'value'
    when v_takes = 'days' and (
      jsonb_typeof(v_value) <> 'number' or (v_value #>> '{}')::numeric not between 1 and 3650
      or (v_value #>> '{}')::numeric % 1 <> 0
    ) then 'value: 1 to 3650 days'
    when v_takes = 'time' and (
      jsonb_typeof(v_value) <> 'string' or not pg_input_is_valid(v_value #>> '{}', 'timestamptz')
    ) then 'value: a time'
    when v_takes in ('texts', 'ids') and (
      jsonb_typeof(v_value) <> 'array' or jsonb_array_length(v_value) not between 1 and 50
    ) then 'value: 1 to 50 of them'
    when v_takes in ('texts', 'ids') and exists (
      select from jsonb_array_elements(v_value) v
      where jsonb_typeof(v) <> 'string' or char_length(v #>> '{}') > 64
        or v_takes = 'ids' and not pg_input_is_valid(v #>> '{}', 'uuid')
    ) then 'value: texts or ids'
  end;
end;
$$;
comment on function private.newsletters_criterion_fault(jsonb) is
  'What is wrong with a criterion { field, value, not? }; null when nothing is.';

create function private.newsletters_check_criteria(tenant_id uuid, criteria jsonb, person uuid)
returns void
language plpgsql
stable
security definer -- asks groups for the person
set search_path = ''
as $$
declare
  v_fault text := case
    when jsonb_typeof(criteria) is distinct from 'array' or jsonb_array_length(criteria) > 10
      then 'criteria: a list of ten at most'
    else (
      select format('criteria[%s].%s', c.place - 1, private.newsletters_criterion_fault(c.criterion))
      from jsonb_array_elements(criteria) with ordinality c (criterion, place)
      where private.newsletters_criterion_fault(c.criterion) is not null
      order by c.place limit 1
    )
  end;
begin
  if v_fault is not null then
    raise sqlstate 'PT422' using message = 'request.invalid', detail = v_fault;
  elsif exists (
    -- A count would tell who is in a circle that the asker knows nothing of.
    select from jsonb_array_elements(criteria) c
    cross join lateral jsonb_array_elements_text(
      case c ->> 'field' when 'group' then c -> 'value' else '[]' end
    ) g (id)
    where not private.groups_reads(newsletters_check_criteria.tenant_id, g.id::uuid, person)
  ) then
    raise sqlstate 'PT404' using message = 'groups.not_found';
  end if;
end;
$$;
comment on function private.newsletters_check_criteria(uuid, jsonb, uuid) is
  'Raises request.invalid for criteria that cannot be, groups.not_found for a group that the person does not read.';

create function private.newsletters_readers(
  tenant_id uuid, criteria jsonb, after uuid default null, most integer default null, among uuid[] default null
)
returns setof uuid
language plpgsql
stable
security definer -- reads members past their policies
set search_path = ''
as $$
#variable_conflict use_column
begin
  return query
    select m.person_id from public.members m
    join public.people p on p.id = m.person_id
    join public.tenants t on t.id = m.tenant_id
    where m.tenant_id = newsletters_readers.tenant_id and m.status = 'active'
      and m.person_id > coalesce(newsletters_readers.after, uuid '00000000-0000-0000-0000-000000000000')
      and (newsletters_readers.among is null or m.person_id = any (newsletters_readers.among))
      and exists (
        select from public.role_permissions rp
        where rp.tenant_id = m.tenant_id and rp.role = m.role and rp.permission = 'newsletters.receive'
      )
      -- None that does not hold; null is a field that nobody declared, and lets nobody through.
      and not exists (
        select from jsonb_array_elements(newsletters_readers.criteria) c (one)
        where coalesce(
          case c.one ->> 'field'
            when 'role' then c.one -> 'value' ?| (string_to_array(m.role, '+') || m.role)
            when 'tag' then exists (
              select from public.newsletters_tags x
              where x.tenant_id = m.tenant_id and x.person_id = m.person_id and c.one -> 'value' ? x.tag
            )
            when 'language' then c.one -> 'value' ? split_part(coalesce(p.locale, t.locale), '-', 1)
            when 'time_zone' then c.one -> 'value' ? coalesce(p.time_zone, t.time_zone)
            when 'group' then exists (
              select from public.groups_members x
              where x.tenant_id = m.tenant_id and x.person_id = m.person_id and x.status = 'active'
                and c.one -> 'value' ? x.group_id::text
            )
            when 'joined_since' then m.created_at >= (c.one ->> 'value')::timestamptz
            when 'joined_before' then m.created_at < (c.one ->> 'value')::timestamptz
            -- By the tenant's own trail: when somebody uses others is not its business.
            when 'active_within' then coalesce((
              select x.created_at from private.audit_log x
              where x.tenant_id = m.tenant_id and x.actor = m.person_id and x.impersonator is null
              order by x.id desc limit 1
            ) > now() - make_interval(days => (c.one ->> 'value')::integer), false)
          end = coalesce((c.one -> 'not')::boolean, false),
          true
        )
      )
    order by m.person_id limit newsletters_readers.most;
end;
$$;
comment on function private.newsletters_readers(uuid, jsonb, uuid, integer, uuid[]) is
  'The active members for whom all criteria hold, all of them where there are none; in the order of their ids, after one, so many at most, among those named.';

create function public.newsletters_audience(tenant_id uuid, criteria jsonb)
returns integer
language plpgsql
stable
security definer -- reads members past their policies
set search_path = ''
as $$
declare
  v_me uuid := private.require(newsletters_audience.tenant_id, 'newsletters.read');
begin
  perform private.newsletters_check_criteria(newsletters_audience.tenant_id, newsletters_audience.criteria, v_me);
  -- Below five a count says of one person what they have in common with nobody else.
  return (
    select case when count(*) >= 5 then count(*) end
    from private.newsletters_readers(newsletters_audience.tenant_id, newsletters_audience.criteria)
  );
end;
$$;
comment on function public.newsletters_audience(uuid, jsonb) is
  'How many members the criteria mean now, null for fewer than five: [{ field, value, not? }], field being role, tag, language, time_zone (texts), group (ids), joined_since, joined_before (time), active_within (days since they did something in the tenant that its trail tells of) (permission newsletters.read). Raises groups.not_found, request.invalid.';
grant execute on function public.newsletters_audience(uuid, jsonb) to authenticated;

create function private.newsletters_note_audience(tenant_id uuid, resource text)
returns void
language plpgsql
volatile
security definer -- nobody else writes the trail
set search_path = ''
as $$
begin
  perform private.audit(
    'NEWSLETTER_AUDIENCE_CHANGED', newsletters_note_audience.resource, null, null,
    newsletters_note_audience.tenant_id
  );
end;
$$;
comment on function private.newsletters_note_audience(uuid, text) is 'That somebody changed who gets newsletters, or which.';

create function private.newsletters_check_name(name text, longest integer)
returns void
language plpgsql
immutable
security invoker
set search_path = ''
as $$
begin
  if coalesce(char_length(btrim(newsletters_check_name.name)), 0) not between 1 and longest then
    raise sqlstate 'PT422' using message = 'request.invalid', detail = 'name';
  end if;
end;
$$;
comment on function private.newsletters_check_name(text, integer) is 'Raises request.invalid for what is no name.';

create function public.newsletters_save_segment(
  tenant_id uuid, name text, criteria jsonb, segment_id uuid default null
)
returns public.newsletters_segments
language plpgsql
volatile
security definer -- clients may not write segments
set search_path = ''
as $$
#variable_conflict use_column
declare
  v_me uuid := private.require(newsletters_save_segment.tenant_id, 'newsletters.write');
  v_segment public.newsletters_segments;
begin
  perform private.newsletters_check_name(newsletters_save_segment.name, 80);
  perform private.newsletters_check_criteria(
    newsletters_save_segment.tenant_id, newsletters_save_segment.criteria, v_me
  );
  if newsletters_save_segment.segment_id is null then
    insert into public.newsletters_segments (tenant_id, name, criteria)
    values (
      newsletters_save_segment.tenant_id, btrim(newsletters_save_segment.name),
      newsletters_save_segment.criteria
    )
    returning * into v_segment;
  else
    update public.newsletters_segments s
    set name = btrim(newsletters_save_segment.name), criteria = newsletters_save_segment.criteria
    where s.tenant_id = newsletters_save_segment.tenant_id and s.id = newsletters_save_segment.segment_id
    returning * into v_segment;
    if not found then
      raise sqlstate 'PT404' using message = 'newsletters.segment_not_found';
    end if;
  end if;
  perform private.newsletters_note_audience(v_segment.tenant_id, 'newsletters_segments:' || v_segment.id);
  return v_segment;
exception when unique_violation then
  raise sqlstate 'PT409' using message = 'newsletters.name_taken';
end;
$$;
comment on function public.newsletters_save_segment(uuid, text, jsonb, uuid) is
  'Makes a segment of criteria as newsletters_audience takes them, or changes one (permission newsletters.write). Raises newsletters.segment_not_found, newsletters.name_taken, groups.not_found, request.invalid.';
grant execute on function public.newsletters_save_segment(uuid, text, jsonb, uuid) to authenticated;

create function public.newsletters_delete_segment(tenant_id uuid, segment_id uuid)
returns public.newsletters_segments
language plpgsql
volatile
security definer -- clients may not write segments
set search_path = ''
as $$
#variable_conflict use_column
declare
  v_segment public.newsletters_segments;
begin
  perform private.require(newsletters_delete_segment.tenant_id, 'newsletters.write');
  delete from public.newsletters_segments s
  where s.tenant_id = newsletters_delete_segment.tenant_id and s.id = newsletters_delete_segment.segment_id
  returning * into v_segment;
  if not found then
    raise sqlstate 'PT404' using message = 'newsletters.segment_not_found';
  end if;
  perform private.newsletters_note_audience(v_segment.tenant_id, 'newsletters_segments:' || v_segment.id);
  return v_segment;
exception when foreign_key_violation then
  -- Without its segment a newsletter would go to everybody.
  raise sqlstate 'PT409' using message = 'newsletters.segment_in_use';
end;
$$;
comment on function public.newsletters_delete_segment(uuid, uuid) is
  'Deletes a segment that nothing refers to (permission newsletters.write). Raises newsletters.segment_not_found, newsletters.segment_in_use.';
grant execute on function public.newsletters_delete_segment(uuid, uuid) to authenticated;

create function public.newsletters_tag(tenant_id uuid, people uuid[], tag text, tagged boolean default true)
returns integer
language plpgsql
volatile
security definer -- clients may not write tags
set search_path = ''
as $$
#variable_conflict use_column
declare
  v_count integer;
begin
  perform private.require(newsletters_tag.tenant_id, 'newsletters.write');
  if coalesce(newsletters_tag.tag !~ '^[a-z0-9][a-z0-9_-]{0,39}$', true) then
    raise sqlstate 'PT422' using message = 'request.invalid', detail = 'tag';
  elsif coalesce(cardinality(newsletters_tag.people), 0) not between 1 and 1000 then
    raise sqlstate 'PT422' using message = 'request.invalid', detail = 'people: 1 to 1000';
  end if;
  if coalesce(newsletters_tag.tagged, true) then
    insert into public.newsletters_tags (tenant_id, tag, person_id)
    select m.tenant_id, newsletters_tag.tag, m.person_id
    from public.members m
    where m.tenant_id = newsletters_tag.tenant_id and m.person_id = any (newsletters_tag.people)
      and m.status = 'active'
    on conflict do nothing;
  else
    delete from public.newsletters_tags x
    where x.tenant_id = newsletters_tag.tenant_id and x.tag = newsletters_tag.tag
      and x.person_id = any (newsletters_tag.people);
  end if;
  get diagnostics v_count = row_count;
  perform private.newsletters_note_audience(newsletters_tag.tenant_id, 'newsletters_tags:' || newsletters_tag.tag);
  return v_count;
end;
$$;
comment on function public.newsletters_tag(uuid, uuid[], text, boolean) is
  'Gives active members a label to write to them by, or takes it from them (permission newsletters.write). Returns for how many that was new. Raises request.invalid.';
grant execute on function public.newsletters_tag(uuid, uuid[], text, boolean) to authenticated;
