-- Admin, one user: what was decided about a member, and what they did.

create function private.admin_member(tenant_id uuid, person uuid)
returns public.members
language plpgsql
stable
security definer -- reads members past their policies
set search_path = ''
as $$
#variable_conflict use_column
declare
  v_member public.members;
begin
  select * into v_member from public.members m
  where m.tenant_id = admin_member.tenant_id and m.person_id = admin_member.person;
  if not found then
    raise sqlstate 'PT404' using message = 'members.not_found';
  end if;
  return v_member;
end;
$$;
comment on function private.admin_member(uuid, uuid) is 'The member. Raises members.not_found.';

create function public.admin_user(tenant_id uuid, person uuid)
returns jsonb
language plpgsql
stable
security definer -- reads logins past what members may see of each other
set search_path = ''
as $$
#variable_conflict use_column
declare
  v_member public.members;
  v_decisions jsonb;
begin
  perform private.require(admin_user.tenant_id, 'members.manage');
  v_member := private.admin_member(admin_user.tenant_id, person);
  select jsonb_agg(
    to_jsonb(d) - '{tenant_id,person_id,former_role,former_status}'::text[] || jsonb_build_object(
      'appeal', case when a.id is not null then to_jsonb(a) - '{tenant_id,person_id,decision_id}'::text[] end
    )
    order by d.id desc
  )
  into v_decisions
  from (
    select * from public.admin_decisions d
    where d.person_id = v_member.person_id and d.tenant_id = v_member.tenant_id
    order by d.id desc limit 100
  ) d
  left join public.admin_appeals a on a.tenant_id = d.tenant_id and a.decision_id = d.id;
  return to_jsonb(private.admin_user_of(v_member, 'null')) - 'cursor'
    || jsonb_build_object('decisions', coalesce(v_decisions, '[]'));
end;
$$;
comment on function public.admin_user(uuid, uuid) is
  'A member as admin_users shows them, with the last hundred decisions about them and their appeals (permission members.manage). Raises members.not_found.';
grant execute on function public.admin_user(uuid, uuid) to authenticated;

create function public.admin_activity(
  tenant_id uuid, person uuid, cursor text default null, page_size int default 50
)
returns setof public.audit_line
language plpgsql
volatile
security definer -- nobody may read the trail past its searches
set search_path = ''
as $$
#variable_conflict use_column
declare
  v_actor uuid := private.require(admin_activity.tenant_id, 'members.manage');
  v_member public.members := private.admin_member(admin_activity.tenant_id, person);
  v_below uuid;
begin
  perform private.require(v_member.tenant_id, 'audit.read');
  if page_size is null or page_size not between 1 and 100 then
    raise sqlstate 'PT422' using message = 'request.invalid', detail = 'page_size: 1 to 100';
  elsif admin_activity.cursor is not null and not pg_input_is_valid(admin_activity.cursor, 'uuid') then
    raise sqlstate 'PT422' using message = 'request.invalid', detail = 'cursor';
  end if;
  v_below := coalesce(admin_activity.cursor, 'ffffffff-ffff-ffff-ffff-ffffffffffff')::uuid;
  return query
    select l.id, l.created_at, l.action, l.resource, l.actor, l.impersonator, l.session_id, l.request_id,
      host(d.ip), d.user_agent, d.before, d.after, l.id::text
    from (
      -- What they did, and what was done to them: each by its own index.
      (
        select * from private.audit_log l
        where l.tenant_id = v_member.tenant_id and l.actor = v_member.person_id and l.id < v_below
        order by l.id desc limit page_size
      )
      union
      (
        select * from private.audit_log l
        where l.tenant_id = v_member.tenant_id and l.resource = 'members:' || v_member.person_id
          and l.id < v_below
        order by l.id desc limit page_size
      )
    ) l
    left join private.audit_details d on d.tenant_id = l.tenant_id and d.id = l.id
    order by l.id desc limit page_size;
  perform private.audit(
    'AUDIT_READ', 'members:' || v_member.person_id, null,
    jsonb_strip_nulls(jsonb_build_object('cursor', admin_activity.cursor)), v_member.tenant_id, v_actor
  );
end;
$$;
comment on function public.admin_activity(uuid, uuid, text, int) is
  'What the trail of the tenant says of a member, newest first: what they did and what was done to them (permissions members.manage and audit.read). The read is itself audited. Raises members.not_found, request.invalid.';
grant execute on function public.admin_activity(uuid, uuid, text, int) to authenticated;
