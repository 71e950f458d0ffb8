-- Audit: one append-only trail for API, SQL and jobs. The trail holds ids and codes; what may have
-- to be erased one day (addresses, before and after) stands in audit_details. Reading, sealing and
-- retention follow in chapters of their own.

-- Actions: one list, so that a trail can be searched without guessing.
create table private.audit_actions (
  name text primary key check (name ~ '^[A-Z][A-Z_]{2,60}$'),
  description text not null
);
comment on table private.audit_actions is 'Every action the trail may name; capabilities declare theirs.';

insert into private.audit_actions (name, description)
values
  ('ADMIN_ACTION', 'An administrator did what has no name of its own'),
  ('AUDIT_BROKEN', 'The nightly verifier found the trail changed'),
  ('AUDIT_READ', 'Somebody read the trail'),
  ('AUTH_LOGIN', 'A session began'),
  ('AUTH_LOGOUT', 'A session ended'),
  ('MEMBER_JOINED', 'A person became a member, or asked to'),
  ('MEMBER_LEFT', 'A member left'),
  ('MEMBER_ROLE_CHANGED', 'A member was given another role'),
  ('MEMBER_STATUS_CHANGED', 'A member was admitted, suspended, banned or removed'),
  ('ROLE_DELETED', 'A role of the tenant was deleted'),
  ('ROLE_SAVED', 'A role of the tenant was made or changed'),
  ('TENANT_CREATED', 'A tenant was made'),
  ('TENANT_UPDATED', 'A tenant''s name, look, settings or modules were changed'),
  ('USER_CREATED', 'A login was made'),
  ('USER_DELETED', 'A login was deleted'),
  ('USER_UPDATED', 'A login or a profile was changed'),
  ('WALLET_TRANSFER', 'Value was moved');

-- The trail, by month: a partition is dropped when the longest retention is over.
create table private.audit_log (
  tenant_id uuid not null,
  id uuid not null default private.uuid_v7(),
  action text collate "C" not null,
  resource text collate "C" not null,
  actor uuid,
  impersonator uuid,
  session_id uuid,
  request_id text,
  details_digest bytea,
  transaction_id bigint not null default pg_current_xact_id()::text::bigint,
  created_at timestamptz not null default now(),
  primary key (tenant_id, id)
)
partition by range (id);
comment on table private.audit_log is
  'Who did what to which resource. tenant_id is the tenant platform where there is none; actor is null for the system.';
comment on column private.audit_log.action is
  'One of audit_actions, as the only writer checks: a foreign key would have every writer lock the same row.';
comment on column private.audit_log.resource is '<table>:<id>, at most 200 characters, as the only writer sees to: a check would be made ready anew for each line.';
comment on column private.audit_log.details_digest is
  'Salted SHA-256 of the details as they were written; null where there were none. It outlives them.';
comment on column private.audit_log.transaction_id is 'Tells the sealing job which lines can have no more neighbours.';

create index audit_log_actor on private.audit_log (tenant_id, actor, id);
-- Not for the most frequent one, whose lines are found without: each index is a tenth of a payment's line.
create index audit_log_action on private.audit_log (tenant_id, action, id) where action <> 'WALLET_TRANSFER';
create index audit_log_resource on private.audit_log (tenant_id, resource, id);
-- Lines come in the order of transactions, nearly: a range index is small and costs the writer nothing.
create index audit_log_transaction on private.audit_log using brin (transaction_id)
  with (pages_per_range = 16, autosummarize = on);

create table private.audit_details (
  tenant_id uuid not null,
  id uuid not null,
  salt bytea not null,
  ip inet,
  user_agent text,
  before jsonb,
  after jsonb,
  primary key (tenant_id, id)
)
partition by range (id);
comment on table private.audit_details is
  'The erasable side of audit_log. Without a foreign key, so that details may be cleared and months dropped on their own.';

create table private.audit_log_rest partition of private.audit_log default;
comment on table private.audit_log_rest is 'What no month takes: empty, unless the months were not made in time.';
create table private.audit_details_rest partition of private.audit_details default;
comment on table private.audit_details_rest is 'What no month takes: empty, unless the months were not made in time.';

create trigger audit_log_append_only before update or delete on private.audit_log
  for each row execute function private.refuse_change();
create trigger audit_log_not_truncated before truncate on private.audit_log
  for each statement execute function private.refuse_change();
create trigger audit_log_rest_not_truncated before truncate on private.audit_log_rest
  for each statement execute function private.refuse_change();

create function private.uuid_floor(moment timestamptz)
returns uuid
language sql
immutable
strict
security invoker
set search_path = ''
as $$
  -- Moments before 1970, after 10889 and infinite ones become the nearest that 48 bits hold.
  select (
    lpad(
      to_hex(
        least(greatest(extract(epoch from uuid_floor.moment) * 1000, 0), 281474976710655)::bigint
      ),
      12, '0'
    )
    || '70008000000000000000'
  )::uuid;
$$;
comment on function private.uuid_floor(timestamptz) is 'The smallest version 7 UUID of a moment: bounds of partitions and date ranges.';

create function private.audit_make_month(month timestamp)
returns integer
language plpgsql
volatile
security invoker
set search_path = ''
as $$
declare
  v_suffix text := to_char(audit_make_month.month, 'YYYY_MM');
  v_from uuid := private.uuid_floor(audit_make_month.month at time zone 'UTC');
  v_to uuid := private.uuid_floor((audit_make_month.month + interval '1 month') at time zone 'UTC');
begin
  if to_regclass('private.audit_log_' || v_suffix) is not null then
    return 0;
  end if;
  execute format(
    'create table private.audit_log_%1$s partition of private.audit_log for values from (%2$L) to (%3$L);
    create table private.audit_details_%1$s partition of private.audit_details for values from (%2$L) to (%3$L);
    create trigger audit_log_not_truncated before truncate on private.audit_log_%1$s
      for each statement execute function private.refuse_change();
    comment on table private.audit_log_%1$s is ''One month of audit_log.'';
    comment on table private.audit_details_%1$s is ''One month of audit_details.'';',
    v_suffix, v_from, v_to
  );
  return 1;
end;
$$;
comment on function private.audit_make_month(timestamp) is
  'Makes the partitions of one month (UTC); returns 1, or 0 when they are there.';

create function private.audit_make_months()
returns integer
language sql
volatile
security invoker
set search_path = ''
as $$
  select sum(private.audit_make_month(this.month + ahead * interval '1 month'))::integer
  from (select date_trunc('month', now() at time zone 'UTC') as month) this,
    generate_series(0, 2) ahead;
$$;
comment on function private.audit_make_months() is
  'Makes the partitions of this month and the next two, and says how many were missing.';

select private.audit_make_months();

-- What may be kept of before and after
create function private.masked(document jsonb)
returns jsonb
language plpgsql -- it calls itself, and a function in sql would be planned anew each time
immutable
security invoker
set search_path = ''
as $$
begin
  return case jsonb_typeof(document)
    when 'object' then (
      select coalesce(
        jsonb_object_agg(
          key,
          case
            when key ~* '(password|secret|token|salt|digest|_hash$|api_key|private_key)' then '"[secret]"'::jsonb
            when key ~* 'phone' and jsonb_typeof(value) = 'string'
              then to_jsonb(regexp_replace(value #>> '{}', '\d(?=.*\d\d)', '*', 'g'))
            else private.masked(value)
          end
        ),
        '{}'
      )
      from jsonb_each(document)
    )
    when 'array' then (
      select coalesce(jsonb_agg(private.masked(value)), '[]') from jsonb_array_elements(document)
    )
    when 'string' then to_jsonb(
      regexp_replace(
        document #>> '{}',
        '([[:alnum:]])[[:alnum:]._%+-]*@([[:alnum:]])[[:alnum:].-]*(\.[[:alpha:]]{2,})', '\1***@\2***\3', 'g'
      )
    )
    else document
  end;
end;
$$;
comment on function private.masked(jsonb) is
  'The document without secrets, with e-mail addresses and phone numbers masked, at any depth.';

create function private.capped(document jsonb)
returns jsonb
language sql
immutable
security invoker
set search_path = ''
as $$
  select case
    when octet_length(document::text) <= 8192 then document
    when document is not null then jsonb_build_object('truncated_bytes', octet_length(document::text))
  end;
$$;
comment on function private.capped(jsonb) is 'The document, or where it is above 8 kB its size.';

create function private.client_address()
returns inet
language plpgsql
stable
security invoker
set search_path = ''
as $$
begin
  return btrim(split_part(private.request_header('x-forwarded-for'), ',', 1))::inet;
exception when invalid_text_representation then
  return null; -- a header is only ever a claim, and no reason to fail the act
end;
$$;
comment on function private.client_address() is 'The client''s address as the gateway tells it; null where there is none.';

-- Writing
create function private.audit_digest(details private.audit_details)
returns bytea
language sql
immutable
security invoker
set search_path = ''
as $$
  select sha256(
    details.salt
    || convert_to(jsonb_build_array(host(details.ip), details.user_agent, details.before, details.after)::text, 'UTF8')
  );
$$;
comment on function private.audit_digest(private.audit_details) is
  'What audit_log keeps of the details: it proves them while they are there and tells nothing once they are erased.';

create function private.audit_write(line private.audit_log, details private.audit_details)
returns uuid
language plpgsql
volatile
security definer -- nobody else writes the trail
set search_path = ''
as $$
begin
  line.id := private.uuid_v7();
  if num_nonnulls(details.ip, details.user_agent, details.before, details.after) > 0 then
    details.tenant_id := coalesce(line.tenant_id, private.platform());
    details.id := line.id;
    details.salt := uuid_send(gen_random_uuid());
    details.user_agent := left(details.user_agent, 300);
    if details.before is not null or details.after is not null then
      details.before := private.capped(private.masked(details.before));
      details.after := private.capped(private.masked(details.after));
    end if;
    line.details_digest := private.audit_digest(details);
  end if;
  -- The trail before its details, as retention locks them.
  insert into private.audit_log (
    tenant_id, id, action, resource, actor, impersonator, session_id, request_id, details_digest
  )
  select coalesce(line.tenant_id, private.platform()), line.id, a.name, left(line.resource, 200), line.actor,
    line.impersonator, line.session_id, left(line.request_id, 64), line.details_digest
  from private.audit_actions a
  where a.name = line.action;
  if not found then
    raise exception 'action % is not declared', line.action using errcode = 'foreign_key_violation';
  end if;
  if line.details_digest is not null then
    insert into private.audit_details values (details.*);
  end if;
  return line.id;
end;
$$;
comment on function private.audit_write(private.audit_log, private.audit_details) is
  'The only writer of the trail: gives the line its id and returns it, masks and caps its details.';

create function private.audit(
  action text,
  resource text,
  before jsonb default null,
  after jsonb default null,
  tenant_id uuid default null,
  actor uuid default null
)
returns uuid
language plpgsql
volatile
security definer -- nobody else writes the trail
set search_path = ''
as $$
declare
  v_headers jsonb := nullif(current_setting('request.headers', true), '')::jsonb;
  v_id uuid;
begin
  if v_headers is not null or audit.before is not null or audit.after is not null then
    return private.audit_write(
      row(
        audit.tenant_id, null, audit.action, audit.resource, coalesce(audit.actor, private.person()),
        private.impersonator(), private.session_id(), v_headers ->> 'x-request-id', null, null, null
      )::private.audit_log,
      row(
        null, null, null, case when v_headers ? 'x-forwarded-for' then private.client_address() end,
        v_headers ->> 'user-agent', audit.before, audit.after
      )::private.audit_details
    );
  end if;
  -- Without details there is nothing to mask or to prove.
  insert into private.audit_log (tenant_id, id, action, resource, actor, impersonator, session_id)
  select coalesce(audit.tenant_id, private.platform()), private.uuid_v7(), a.name, left(audit.resource, 200),
    coalesce(audit.actor, private.person()), private.impersonator(), private.session_id()
  from private.audit_actions a
  where a.name = audit.action
  returning id into v_id;
  if v_id is null then
    raise exception 'action % is not declared', audit.action using errcode = 'foreign_key_violation';
  end if;
  return v_id;
end;
$$;
comment on function private.audit(text, text, jsonb, jsonb, uuid, uuid) is
  'Writes one line of the trail in the caller''s transaction and returns its id. Actor: the calling person unless named.';
