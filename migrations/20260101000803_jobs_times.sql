-- Jobs, their times: when a cron expression falls due, in UTC or where a tenant lives. The clock
-- itself (pg_cron) knows UTC only.

create function private.jobs_cron_values(field text, lowest integer, highest integer, words text[] default '{}')
returns integer[]
language plpgsql
immutable
security invoker
set search_path = ''
as $$
declare
  v_part text;
  v_range text[];
  v_from integer;
  v_to integer;
  v_values integer[] := '{}'::integer[];
begin
  foreach v_part in array string_to_array(lower(field), ',') loop
    v_range := regexp_match(v_part, '^(\*|[a-z]{3}|\d{1,2})(?:-([a-z]{3}|\d{1,2}))?(?:/([1-9]\d?))?$');
    if v_range is null then
      raise exception 'not a field of a schedule: %', field;
    end if;
    v_from := case
      when v_range[1] = '*' then lowest
      when v_range[1] ~ '^\d' then v_range[1]::int
      else array_position(words, v_range[1]) - 1 + lowest
    end;
    v_to := case
      when v_range[1] = '*' or (v_range[2] is null and v_range[3] is not null) then highest
      when v_range[2] is null then v_from
      when v_range[2] ~ '^\d' then v_range[2]::int
      else array_position(words, v_range[2]) - 1 + lowest
    end;
    if v_from is null or v_to is null or v_from < lowest or v_to > highest then
      raise exception 'not a field of a schedule: %', field;
    end if;
    v_values := v_values || array(select generate_series(v_from, v_to, coalesce(v_range[3]::int, 1)));
  end loop;
  return v_values;
end;
$$;
comment on function private.jobs_cron_values(text, integer, integer, text[]) is
  'The values that one field of a cron expression allows: lists, ranges, steps and three-letter names.';

-- A cron expression, read once
create type private.jobs_cron as (
  minutes integer[],
  hours integer[],
  days integer[],
  months integer[],
  weekdays integer[],
  either_day boolean
);
comment on type private.jobs_cron is
  'What a cron expression allows; either_day: where day and weekday are both restricted, one of them is enough.';

create function private.jobs_read_cron(cron text)
returns private.jobs_cron
language plpgsql
immutable
security invoker
set search_path = ''
as $$
declare
  v_fields text[] := regexp_split_to_array(btrim(cron), '\s+');
begin
  if cardinality(v_fields) <> 5 then
    raise exception 'a schedule has five fields: %', cron;
  end if;
  return (
    private.jobs_cron_values(v_fields[1], 0, 59),
    private.jobs_cron_values(v_fields[2], 0, 23),
    private.jobs_cron_values(v_fields[3], 1, 31),
    private.jobs_cron_values(
      v_fields[4], 1, 12,
      '{jan,feb,mar,apr,may,jun,jul,aug,sep,oct,nov,dec}'
    ),
    private.jobs_cron_values(v_fields[5], 0, 7, '{sun,mon,tue,wed,thu,fri,sat}'),
    v_fields[3] !~ '^\*' and v_fields[5] !~ '^\*'
  )::private.jobs_cron;
end;
$$;
comment on function private.jobs_read_cron(text) is 'Reads a cron expression of five fields.';

create function private.jobs_cron_on(cron private.jobs_cron, day date)
returns boolean
language plpgsql
immutable
security invoker
set search_path = ''
as $$
declare
  v_day boolean := extract(day from day)::int = any (cron.days);
  v_weekday boolean := extract(dow from day)::int = any (cron.weekdays)
    or (extract(dow from day) = 0 and 7 = any (cron.weekdays));
begin
  return extract(month from day)::int = any (cron.months)
    and case when cron.either_day then v_day or v_weekday else v_day and v_weekday end;
end;
$$;
comment on function private.jobs_cron_on(private.jobs_cron, date) is 'Whether the expression is due at some time of this day.';

create function private.jobs_times_of(cron private.jobs_cron, day date, time_zone text)
returns setof timestamptz
language sql
stable
security invoker
set search_path = ''
as $$
  -- A time that the clocks skip comes as much later as they skip; one that they repeat comes once.
  select (jobs_times_of.day + make_interval(hours => h.hour, mins => m.minute)) at time zone time_zone
  from unnest((jobs_times_of.cron).hours) h (hour) cross join unnest((jobs_times_of.cron).minutes) m (minute);
$$;
comment on function private.jobs_times_of(private.jobs_cron, date, text) is 'Every time of that day in the zone that the expression names.';

create function private.next_time(cron text, time_zone text default 'UTC', after timestamptz default now())
returns timestamptz
language plpgsql
stable
security invoker
set search_path = ''
as $$
declare
  v_cron private.jobs_cron := private.jobs_read_cron(next_time.cron);
  v_day date := (next_time.after at time zone next_time.time_zone)::date;
  v_time timestamptz;
begin
  -- Eight years hold the rarest day there is: a 29th of February around a year like 2100.
  for v_ahead in 0..2922 loop
    continue when not private.jobs_cron_on(v_cron, v_day + v_ahead);
    select min(t.at) into v_time
    from private.jobs_times_of(v_cron, v_day + v_ahead, next_time.time_zone) t (at)
    where t.at > next_time.after;
    exit when v_time is not null;
  end loop;
  return v_time;
end;
$$;
comment on function private.next_time(text, text, timestamptz) is
  'When a cron expression falls due next, on the clocks of that time zone. "Monday 9:00 where the tenant lives" is next_time(''0 9 * * mon'', tenants.time_zone).';

create function private.last_time(cron text, time_zone text default 'UTC', until timestamptz default now())
returns timestamptz
language plpgsql
stable
security invoker
set search_path = ''
as $$
declare
  v_cron private.jobs_cron := private.jobs_read_cron(last_time.cron);
  v_day date := (last_time.until at time zone last_time.time_zone)::date;
  v_time timestamptz;
begin
  for v_back in 0..2922 loop
    continue when not private.jobs_cron_on(v_cron, v_day - v_back);
    select max(t.at) into v_time
    from private.jobs_times_of(v_cron, v_day - v_back, last_time.time_zone) t (at)
    where t.at <= last_time.until;
    exit when v_time is not null;
  end loop;
  return v_time;
end;
$$;
comment on function private.last_time(text, text, timestamptz) is
  'When a cron expression fell due last, on the clocks of that time zone.';
