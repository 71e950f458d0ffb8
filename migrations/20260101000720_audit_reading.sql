-- Audit, reading: one search for the tenant's own people and for operators, itself on the trail.

select private.declare_permission('audit.read', 'Read the trail of the tenant', array['admin']);

create type public.audit_line as (
  id uuid,
  created_at timestamptz,
  action text,
  resource text,
  actor uuid,
  impersonator uuid,
  session_id uuid,
  request_id text,
  ip text,
  user_agent text,
  before jsonb,
  after jsonb,
  cursor text
);
comment on type public.audit_line is
  'One line of the trail; ip, user_agent, before and after are null once erased. cursor continues after this line.';

create function public.audit_search(
  tenant_id uuid,
  "from" timestamptz default null,
  "to" timestamptz default null,
  actor uuid default null,
  action text default null,
  resource text default null,
  cursor text default null,
  page_size int default 50
)
returns setof public.audit_line
language plpgsql
volatile
security definer -- nobody may read the trail past this search
set search_path = ''
as $$
#variable_conflict use_column
declare
  v_person uuid := private.require(audit_search.tenant_id, 'audit.read');
  v_below uuid;
begin
  if page_size is null or page_size not between 1 and 100 then
    raise sqlstate 'PT422' using message = 'request.invalid', detail = 'page_size: 1 to 100';
  elsif audit_search.cursor is not null and not pg_input_is_valid(audit_search.cursor, 'uuid') then
    raise sqlstate 'PT422' using message = 'request.invalid', detail = 'cursor';
  end if;
  v_below := least(
    coalesce(audit_search.cursor::uuid, 'ffffffff-ffff-ffff-ffff-ffffffffffff'),
    coalesce(private.uuid_floor(audit_search."to"), 'ffffffff-ffff-ffff-ffff-ffffffffffff')
  );

  -- Planned for the filters that are given: one plan for all would read the whole tenant.
  return query execute format(
    'select l.id, l.created_at, l.action, l.resource, l.actor, l.impersonator, l.session_id, l.request_id,
      host(d.ip), d.user_agent, d.before, d.after, l.id::text
    from private.audit_log l
    left join private.audit_details d on d.tenant_id = l.tenant_id and d.id = l.id
    where l.tenant_id = $1 and l.id < $2 and l.id >= $3 %s %s %s
    order by l.id desc limit $7',
    case when audit_search.actor is not null then 'and l.actor = $4' end,
    case when audit_search.action is not null then 'and l.action = $5' end,
    case when audit_search.resource is not null then 'and l.resource = $6' end
  )
  using audit_search.tenant_id, v_below,
    coalesce(private.uuid_floor(audit_search."from"), '00000000-0000-0000-0000-000000000000'),
    audit_search.actor, audit_search.action, audit_search.resource, page_size;

  perform private.audit(
    'AUDIT_READ', 'tenants:' || audit_search.tenant_id, null,
    jsonb_strip_nulls(jsonb_build_object(
      'from', audit_search."from", 'to', audit_search."to", 'actor', audit_search.actor,
      'action', audit_search.action, 'resource', audit_search.resource, 'cursor', audit_search.cursor
    )),
    audit_search.tenant_id, v_person
  );
end;
$$;
comment on function public.audit_search(uuid, timestamptz, timestamptz, uuid, text, text, text, int) is
  'The tenant''s trail, newest first (permission audit.read); "to" is exclusive, page_size 1 to 100. The read is itself audited. Raises request.invalid.';
grant execute on function public.audit_search(uuid, timestamptz, timestamptz, uuid, text, text, text, int)
  to authenticated;
