-- Audit: one append-only trail for API, SQL and jobs. The trail holds ids and codes; what may have
-- to be erased one day (addresses, before and after) stands in audit_details.

create table private.audit_log (
  tenant_id uuid not null,
  id uuid not null default private.uuid_v7(),
  action text not null check (action ~ '^[A-Z][A-Z_]{2,60}$'),
  resource text not null check (char_length(resource) between 1 and 200),
  actor uuid,
  session_id uuid,
  request_id text check (char_length(request_id) <= 64),
  created_at timestamptz not null default now(),
  primary key (tenant_id, id)
);
comment on table private.audit_log is
  'Who did what to which resource. tenant_id is the tenant platform where there is none; actor is null for the system.';
comment on column private.audit_log.resource is '<table>:<id>.';

create table private.audit_details (
  tenant_id uuid not null,
  id uuid not null,
  ip inet,
  user_agent text,
  before jsonb,
  after jsonb,
  primary key (tenant_id, id),
  foreign key (tenant_id, id) references private.audit_log (tenant_id, id)
);
comment on table private.audit_details is 'The erasable side of audit_log.';

create trigger audit_log_append_only before update or delete on private.audit_log
  for each row execute function private.refuse_change();
create trigger audit_log_not_truncated before truncate on private.audit_log
  for each statement execute function private.refuse_change();

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

create function private.audit(
  action text,
  resource text,
  before jsonb default null,
  after jsonb default null,
  tenant_id uuid default null,
  actor uuid default null
)
returns void
language plpgsql
volatile
security definer -- nobody else writes the trail
set search_path = ''
as $$
#variable_conflict use_column
declare
  v_tenant uuid := coalesce(audit.tenant_id, private.platform());
  v_id uuid := private.uuid_v7();
  v_ip inet := private.client_address();
  v_user_agent text := left(private.request_header('user-agent'), 300);
begin
  insert into private.audit_log (tenant_id, id, action, resource, actor, session_id, request_id)
  values (
    v_tenant, v_id, audit.action, audit.resource,
    coalesce(audit.actor, private.person()), private.session_id(),
    left(private.request_header('x-request-id'), 64)
  );
  if num_nonnulls(v_ip, v_user_agent, audit.before, audit.after) > 0 then
    insert into private.audit_details (tenant_id, id, ip, user_agent, before, after)
    values (v_tenant, v_id, v_ip, v_user_agent, private.capped(audit.before), private.capped(audit.after));
  end if;
end;
$$;
comment on function private.audit(text, text, jsonb, jsonb, uuid, uuid) is
  'Writes one line of the trail in the caller''s transaction. Actor: the calling person unless named.';
