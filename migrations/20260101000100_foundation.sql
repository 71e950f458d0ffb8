-- Foundation: closed by default, the private schema, time-ordered ids, and the triggers every
-- capability uses. Nothing here knows a tenant.

-- Closed by default: every later file grants what it means to grant, service_role included.
-- Only the form without `in schema` takes EXECUTE from PUBLIC; the others undo what some projects
-- grant to the API roles on everything new in public.
alter default privileges revoke execute on functions from public;
alter default privileges in schema public revoke all on tables from anon, authenticated, service_role;
alter default privileges in schema public revoke all on functions from anon, authenticated, service_role;
alter default privileges in schema public revoke all on sequences from anon, authenticated, service_role;

-- Helpers that policies and RPCs call; the Data API does not expose this schema.
create schema private;
grant usage on schema private to anon, authenticated, service_role;

-- Ids
create function private.uuid_v7()
returns uuid
language plpgsql -- a function in sql is planned anew at each call from plpgsql, ten times slower here
volatile
security invoker
set search_path = ''
as $$
declare
  v_micros bigint := date_part('epoch', clock_timestamp()) * 1000000;
begin
  -- RFC 9562 version 7 with the microseconds in rand_a (its method 3): ids made one after the other
  -- sort in that order. 28672 is the version nibble; the variant comes with the random half.
  return encode(
    int8send((v_micros / 1000) << 16 | 28672 + v_micros % 1000 * 4096 / 1000)
      || substring(uuid_send(gen_random_uuid()) from 9),
    'hex'
  )::uuid;
end;
$$;
comment on function private.uuid_v7() is 'A time-ordered UUID (RFC 9562 version 7), precise to the microsecond.';
grant execute on function private.uuid_v7() to authenticated, service_role;

create function private.uuid_v7_of(micros bigint)
returns uuid
language plpgsql
volatile
security invoker
set search_path = ''
as $$
begin
  return encode(
    int8send((micros / 1000) << 16 | 28672 + micros % 1000 * 4096 / 1000)
      || substring(uuid_send(gen_random_uuid()) from 9),
    'hex'
  )::uuid;
end;
$$;
comment on function private.uuid_v7_of(bigint) is
  'As private.uuid_v7, for a moment in microseconds: ids that are made at once and must keep an order.';

-- Who calls, as far as the connection tells
create function private.is_system()
returns boolean
language sql
stable
security invoker
set search_path = ''
as $$
  -- The role a request switched to stays visible here inside security definer functions.
  select coalesce(nullif(current_setting('role'), 'none'), session_user)
    in ('service_role', 'postgres', 'supabase_admin');
$$;
comment on function private.is_system() is
  'True for the secret key and for work inside the database (schedules, migrations), never for a person.';
grant execute on function private.is_system() to authenticated, service_role;

create function private.request_header(name text)
returns text
language plpgsql
stable
security invoker
set search_path = ''
as $$
begin
  return nullif(current_setting('request.headers', true), '')::jsonb ->> lower(request_header.name);
end;
$$;
comment on function private.request_header(text) is 'A header of the request that runs this statement; null outside requests.';

-- Triggers
create function private.touch()
returns trigger
language plpgsql
volatile
security invoker
set search_path = ''
as $$
begin
  new.updated_at := now();
  return new;
end;
$$;
comment on function private.touch() is 'Before update: keeps updated_at.';

create function private.bump_version()
returns trigger
language plpgsql
volatile
security invoker
set search_path = ''
as $$
begin
  new.version := old.version + 1;
  new.updated_at := now();
  return new;
end;
$$;
comment on function private.bump_version() is
  'Before update: counts the versions of a row that people edit together (ETag, If-Match).';

create function private.refuse_change()
returns trigger
language plpgsql
volatile
security invoker
set search_path = ''
as $$
begin
  raise sqlstate 'PT409' using
    message = 'request.append_only',
    detail = format('%s on %s', lower(tg_op), tg_table_name);
end;
$$;
comment on function private.refuse_change() is
  'Before update, delete or truncate: keeps a table append-only, for its owner too. Raises request.append_only.';

-- State machines: one table of allowed steps, one trigger that holds every machine to it.
create table private.transitions (
  machine text not null,
  from_state text not null,
  to_state text not null,
  primary key (machine, from_state, to_state),
  check (from_state <> to_state)
);
comment on table private.transitions is
  'Allowed steps of every state machine; machine is the table''s name, states are values of its status column.';

create function private.enforce_transition()
returns trigger
language plpgsql
volatile
security definer -- writers of the row have no right on private.transitions
set search_path = ''
as $$
begin
  if new.status is distinct from old.status and not exists (
    select from private.transitions t
    where t.machine = tg_table_name and t.from_state = old.status and t.to_state = new.status
  ) then
    raise sqlstate 'PT409' using
      message = 'request.transition_refused',
      detail = format('%s: %s to %s', tg_table_name, old.status, new.status);
  end if;
  return new;
end;
$$;
comment on function private.enforce_transition() is
  'Before update: refuses a change of status that private.transitions does not list. Raises request.transition_refused.';

create function private.check_page(page_size integer)
returns void
language plpgsql
immutable
security invoker
set search_path = ''
as $$
begin
  if page_size is null or page_size not between 1 and 100 then
    raise sqlstate 'PT422' using message = 'request.invalid', detail = 'page_size: 1 to 100';
  end if;
end;
$$;
comment on function private.check_page(integer) is 'Raises request.invalid for a page that cannot be.';
