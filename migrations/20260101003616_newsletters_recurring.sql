-- Newsletters, recurring: those that come again and again, and the calendar of all that is to come.

create function private.newsletters_next(tenant_id uuid, cron text)
returns timestamptz
language plpgsql
stable
security definer -- reads tenants past their policies
set search_path = ''
as $$
#variable_conflict use_column
declare
  v_zone text;
  v_times timestamptz[] := '{}'::timestamptz[];
begin
  select t.time_zone into v_zone from public.tenants t where t.id = newsletters_next.tenant_id;
  for v_ahead in 1..3 loop
    v_times := v_times || private.next_time(
      newsletters_next.cron, v_zone, coalesce(v_times[v_ahead - 1], now())
    );
  end loop;
  -- Three in a row show both gaps of a day.
  if (least(v_times[2] - v_times[1], v_times[3] - v_times[2]) >= interval '12 hours') is not true then
    raise sqlstate 'PT422' using message = 'request.invalid', detail = 'cron: at most twice a day';
  end if;
  return v_times[1];
exception when raise_exception then
  raise sqlstate 'PT422' using message = 'request.invalid', detail = 'cron';
end;
$$;
comment on function private.newsletters_next(uuid, text) is
  'When a cron expression falls due next on the clocks of the tenant. Raises request.invalid.';

create function public.newsletters_save_recurring(
  tenant_id uuid, name text, content jsonb, cron text, segment_id uuid default null,
  active boolean default true, recurring_id uuid default null
)
returns public.newsletters_recurring
language plpgsql
volatile
security definer -- clients may not write them
set search_path = ''
as $$
#variable_conflict use_column
declare
  v_me uuid := private.require(newsletters_save_recurring.tenant_id, 'newsletters.send');
  v_next timestamptz;
  v_recurring public.newsletters_recurring;
begin
  perform private.newsletters_check_name(newsletters_save_recurring.name, 80);
  perform private.newsletters_check_content(newsletters_save_recurring.content);
  perform private.newsletters_check_segment(
    newsletters_save_recurring.tenant_id, newsletters_save_recurring.segment_id
  );
  v_next := private.newsletters_next(
    newsletters_save_recurring.tenant_id, coalesce(newsletters_save_recurring.cron, '')
  );
  if newsletters_save_recurring.recurring_id is null then
    insert into public.newsletters_recurring (
      tenant_id, name, content, segment_id, cron, active, next_at, created_by
    )
    values (
      newsletters_save_recurring.tenant_id, btrim(newsletters_save_recurring.name),
      newsletters_save_recurring.content, newsletters_save_recurring.segment_id,
      newsletters_save_recurring.cron, coalesce(newsletters_save_recurring.active, true), v_next, v_me
    )
    returning * into v_recurring;
  else
    update public.newsletters_recurring r
    set name = btrim(newsletters_save_recurring.name), content = newsletters_save_recurring.content,
      segment_id = newsletters_save_recurring.segment_id, cron = newsletters_save_recurring.cron,
      active = coalesce(newsletters_save_recurring.active, true), next_at = v_next
    where r.tenant_id = newsletters_save_recurring.tenant_id and r.id = newsletters_save_recurring.recurring_id
    returning * into v_recurring;
    if not found then
      raise sqlstate 'PT404' using message = 'newsletters.recurring_not_found';
    end if;
  end if;
  perform private.newsletters_note_audience(v_recurring.tenant_id, 'newsletters_recurring:' || v_recurring.id);
  return v_recurring;
end;
$$;
comment on function public.newsletters_save_recurring(uuid, text, jsonb, text, uuid, boolean, uuid) is
  'Has a newsletter made and sent again and again, when the cron expression falls due on the clocks of the tenant (permission newsletters.send). Raises newsletters.recurring_not_found, newsletters.segment_not_found, request.invalid.';
grant execute on function public.newsletters_save_recurring(uuid, text, jsonb, text, uuid, boolean, uuid) to authenticated;

create function private.newsletters_recur()
returns bigint
language plpgsql
volatile
security definer -- nobody else writes newsletters
set search_path = ''
as $$
#variable_conflict use_column
declare
  v_recurring public.newsletters_recurring;
  v_zone text;
  v_subject text;
  v_id uuid;
  v_count bigint := 0;
begin
  for v_recurring in
    select r.* from public.newsletters_recurring r
    join public.tenants t on t.id = r.tenant_id and 'newsletters' = any (t.modules)
    where r.active and r.next_at <= now()
    order by r.next_at limit 100
    for no key update of r skip locked
  loop
    select t.time_zone into v_zone from public.tenants t where t.id = v_recurring.tenant_id;
    v_subject := left(replace(
      v_recurring.content ->> 'subject', '{date}', to_char(now() at time zone v_zone, 'YYYY-MM-DD')
    ), 200);
    insert into public.newsletters (
      tenant_id, name, content, segment_id, status, send_at, recurring_id, created_by
    )
    values (
      v_recurring.tenant_id, v_recurring.name, v_recurring.content || jsonb_build_object('subject', v_subject),
      v_recurring.segment_id, 'scheduled', now(), v_recurring.id, v_recurring.created_by
    )
    returning id into v_id;
    perform private.newsletters_enqueue(v_recurring.tenant_id, v_id);
    -- Whatever was missed while the clock stood still is made up for once.
    update public.newsletters_recurring r
    set last_at = now(), next_at = private.next_time(r.cron, v_zone)
    where r.tenant_id = v_recurring.tenant_id and r.id = v_recurring.id;
    v_count := v_count + 1;
  end loop;
  return v_count;
end;
$$;
comment on function private.newsletters_recur() is 'Makes the newsletters that are due again, a hundred a run. Returns how many.';
select private.schedule('newsletters-recurring', '*/15 * * * *', 'select private.newsletters_recur()');

create type public.newsletters_date as (
  at timestamptz,
  kind text,
  id uuid,
  name text,
  status text
);
comment on type public.newsletters_date is
  'A line of the calendar: newsletter, or recurring for one that will be made then.';

create function private.newsletters_occurrences(recurring public.newsletters_recurring, since timestamptz, until timestamptz)
returns setof timestamptz
language plpgsql
stable
security definer -- reads tenants past their policies
set search_path = ''
as $$
#variable_conflict use_column
declare
  v_at timestamptz := recurring.next_at;
begin
  while v_at <= until loop
    if v_at >= since then
      return next v_at;
    end if;
    select private.next_time(recurring.cron, t.time_zone, v_at) into v_at
    from public.tenants t where t.id = recurring.tenant_id;
  end loop;
end;
$$;
comment on function private.newsletters_occurrences(public.newsletters_recurring, timestamptz, timestamptz) is
  'When a recurring newsletter falls due within a time.';

create function public.newsletters_calendar(tenant_id uuid, since timestamptz, until timestamptz)
returns setof public.newsletters_date
language plpgsql
stable
security definer -- reads newsletters past their policies, once
set search_path = ''
as $$
#variable_conflict use_column
begin
  perform private.require(newsletters_calendar.tenant_id, 'newsletters.read');
  if (newsletters_calendar.since < newsletters_calendar.until
    and newsletters_calendar.until <= newsletters_calendar.since + interval '93 days'
    -- How far a recurring one is reckoned ahead.
    and newsletters_calendar.until <= now() + interval '2 years') is not true
  then
    raise sqlstate 'PT422' using message = 'request.invalid', detail = 'since, until: three months at most, two years ahead';
  end if;
  return query
    select n.send_at, 'newsletter', n.id, n.name, n.status
    from public.newsletters n
    where n.tenant_id = newsletters_calendar.tenant_id and n.status <> 'draft'
      and n.send_at between newsletters_calendar.since and newsletters_calendar.until
    union all
    select o.at, 'recurring', r.id, r.name, 'planned'
    from public.newsletters_recurring r
    cross join lateral private.newsletters_occurrences(
      r, newsletters_calendar.since, newsletters_calendar.until
    ) o (at)
    where r.tenant_id = newsletters_calendar.tenant_id and r.active
    order by 1, 3 limit 1000;
end;
$$;
comment on function public.newsletters_calendar(uuid, timestamptz, timestamptz) is
  'What was sent and what is to come between two times, three months at most and two years ahead (permission newsletters.read). Raises request.invalid.';
grant execute on function public.newsletters_calendar(uuid, timestamptz, timestamptz) to authenticated;
