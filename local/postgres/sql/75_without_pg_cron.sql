-- Schema cron as pg_cron has it: its tables, its functions with their signatures and refusals. The
-- jobs are run by local/extensions/cron.ts.
set local role supabase_admin;

create schema if not exists cron authorization supabase_admin;

create sequence if not exists cron.jobid_seq;
create sequence if not exists cron.runid_seq;

create table if not exists cron.job (
  jobid bigint primary key default nextval('cron.jobid_seq'),
  schedule text not null,
  command text not null,
  nodename text not null default 'localhost',
  nodeport int not null default coalesce(inet_server_port(), 5432),
  database text not null default current_database(),
  username text not null default current_user,
  active boolean not null default true,
  jobname text,
  constraint jobname_username_uniq unique (jobname, username)
);

create table if not exists cron.job_run_details (
  jobid bigint,
  runid bigint primary key default nextval('cron.runid_seq'),
  job_pid int,
  database text,
  username text,
  command text,
  status text,
  return_message text,
  start_time timestamptz,
  end_time timestamptz
);

alter table cron.job enable row level security;
alter table cron.job_run_details enable row level security;
do $$
begin
  if not exists (select from pg_policy where polname = 'cron_job_policy') then
    create policy cron_job_policy on cron.job using (username = current_user);
    create policy cron_job_run_details_policy on cron.job_run_details using (username = current_user);
  end if;
end;
$$;

-- Five fields of lists of `*`, numbers, names and ranges with steps, or `N seconds`.
create or replace function cron._is_schedule(schedule text) returns boolean
language plpgsql immutable set search_path = '' as $$
declare
  fields text[] := regexp_split_to_array(btrim(lower(schedule)), '\s+');
  lowest int[] := array[0, 0, 1, 1, 0];
  highest int[] := array[59, 23, 31, 12, 7];
  names text[] := array[
    '', '', '', ' jan feb mar apr may jun jul aug sep oct nov dec ', ' sun mon tue wed thu fri sat '
  ];
  part text;
  ends text[];
begin
  if cardinality(fields) = 2 and fields[2] ~ '^seconds?$' and fields[1] ~ '^\d{1,2}$' then
    return fields[1]::int between 1 and 59;
  end if;
  if cardinality(fields) <> 5 then
    return false;
  end if;
  for field in 1..5 loop
    foreach part in array string_to_array(fields[field], ',') loop
      if part ~ '^\*(/[1-9]\d?)?$' or (field = 3 and part = '$') then
        continue;
      end if;
      ends := regexp_match(part, '^([a-z]{3}|\d{1,2})(?:-([a-z]{3}|\d{1,2}))?(?:/[1-9]\d?)?$');
      if ends is null then
        return false;
      end if;
      foreach part in array array_remove(ends, null) loop
        if part ~ '^\d' and part::int not between lowest[field] and highest[field]
          or part ~ '^[a-z]' and strpos(names[field], ' ' || part || ' ') = 0 then
          return false;
        end if;
      end loop;
    end loop;
  end loop;
  return true;
end;
$$;

create or replace function cron._require_schedule(schedule text) returns void
language plpgsql immutable set search_path = '' as $$
begin
  if schedule is null or not cron._is_schedule(schedule) then
    raise invalid_parameter_value using message = format('invalid schedule: %s', schedule),
      hint = 'Use cron format (e.g. 5 4 * * *), or interval format ''[1-59] seconds''';
  end if;
end;
$$;

-- The extension's functions write for whoever calls them: these do it for the user they are told.
create or replace function cron._schedule(
  job_name text, schedule text, command text, database text, username text, active boolean
) returns bigint language plpgsql security definer set search_path = '' as $$
#variable_conflict use_column
declare
  id bigint;
begin
  perform cron._require_schedule(_schedule.schedule);
  insert into cron.job (schedule, command, database, username, active, jobname)
  values (
    _schedule.schedule, _schedule.command, _schedule.database, _schedule.username,
    _schedule.active, _schedule.job_name
  )
  on conflict on constraint jobname_username_uniq do update
    set schedule = excluded.schedule, command = excluded.command, database = excluded.database,
      active = excluded.active
  returning jobid into id;
  return id;
end;
$$;

create or replace function cron._unschedule(job_id bigint, job_name text, username text)
returns boolean language plpgsql security definer set search_path = '' as $$
#variable_conflict use_column
begin
  delete from cron.job j
  where (j.jobid = _unschedule.job_id or j.jobname = _unschedule.job_name)
    and j.username = _unschedule.username;
  if not found then
    raise exception 'could not find valid entry for job %',
      coalesce(job_id::text, quote_literal(job_name));
  end if;
  return true;
end;
$$;

create or replace function cron._alter_job(
  job_id bigint, schedule text, command text, database text, username text, active boolean,
  caller text
) returns void language plpgsql security definer set search_path = '' as $$
#variable_conflict use_column
begin
  if _alter_job.schedule is not null then
    perform cron._require_schedule(_alter_job.schedule);
  end if;
  if coalesce(_alter_job.username, caller) <> caller then
    raise insufficient_privilege using message = 'must be superuser to alter username';
  end if;
  update cron.job j
  set schedule = coalesce(_alter_job.schedule, j.schedule),
    command = coalesce(_alter_job.command, j.command),
    database = coalesce(_alter_job.database, j.database),
    active = coalesce(_alter_job.active, j.active)
  where j.jobid = _alter_job.job_id and j.username = caller;
  if not found then
    raise exception 'Job % does not exist or you don''t own it', job_id;
  end if;
end;
$$;

create or replace function cron.schedule(schedule text, command text) returns bigint
language sql as $$
  select cron._schedule(null, schedule, command, current_database(), current_user, true)
$$;

create or replace function cron.schedule(job_name text, schedule text, command text) returns bigint
language sql as $$
  select cron._schedule(job_name, schedule, command, current_database(), current_user, true)
$$;

create or replace function cron.schedule_in_database(
  job_name text, schedule text, command text, database text, username text default null,
  active boolean default true
) returns bigint language plpgsql as $$
begin
  if coalesce(username, current_user) <> current_user then
    raise insufficient_privilege using message = 'must be superuser to create a job for another role';
  end if;
  return cron._schedule(job_name, schedule, command, database, current_user, active);
end;
$$;

create or replace function cron.unschedule(job_id bigint) returns boolean language sql as $$
  select cron._unschedule(job_id, null, current_user)
$$;

create or replace function cron.unschedule(job_name text) returns boolean language sql as $$
  select cron._unschedule(null, job_name, current_user)
$$;

create or replace function cron.alter_job(
  job_id bigint, schedule text default null, command text default null,
  database text default null, username text default null, active boolean default null
) returns void language sql as $$
  select cron._alter_job(job_id, schedule, command, database, username, active, current_user)
$$;

grant usage on schema cron to postgres with grant option;
grant all on all functions in schema cron to postgres with grant option;
grant all on all tables in schema cron to postgres with grant option;
revoke all on table cron.job from postgres;
grant select on table cron.job to postgres with grant option;

reset role;
