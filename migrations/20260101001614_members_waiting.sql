-- Members, waiting: who asked to come in and is not in yet, whatever the reason, so that nobody is
-- forgotten at the door.

select private.declare_notification('members.admitted', outsiders => true);
select private.declare_notification('members.confirm_address', inbox => null, push => null, outsiders => true);
select private.declare_notification('members.send_documents', inbox => null, push => null, outsiders => true);
select private.declare_notification('members.people_wait');

insert into private.audit_actions (name, description)
values ('MEMBER_NUDGED', 'A person who waits was reminded of what they still have to do');

create table private.members_nudges (
  tenant_id uuid not null,
  person_id uuid not null,
  nudged_at timestamptz not null default now(),
  primary key (tenant_id, person_id),
  foreign key (tenant_id, person_id) references public.members (tenant_id, person_id) on delete cascade
);
comment on table private.members_nudges is 'When people who wait were last reminded.';

create type public.members_waiter as (
  person_id uuid,
  display_name text,
  email text,
  waiting_for text,
  waiting_since timestamptz,
  stuck boolean,
  nudged_at timestamptz,
  cursor text
);
comment on type public.members_waiter is
  'Somebody who waits to come in. stuck: for three days or more. cursor continues after this line.';

create function public.members_waiting(
  tenant_id uuid, waiting_for text default null, cursor text default null, page_size int default 50
)
returns setof public.members_waiter
language plpgsql
stable
security definer -- tells addresses, which are closed to clients
set search_path = ''
as $$
#variable_conflict use_column
declare
  v_since timestamptz := timestamptz '-infinity';
  v_after uuid := uuid '00000000-0000-0000-0000-000000000000';
begin
  perform private.require(members_waiting.tenant_id, 'members.manage');
  if page_size is null or page_size not between 1 and 100 then
    raise sqlstate 'PT422' using message = 'request.invalid', detail = 'page_size: 1 to 100';
  elsif members_waiting.cursor is not null then
    if not pg_input_is_valid(split_part(members_waiting.cursor, ' ', 1), 'timestamptz')
      or not pg_input_is_valid(split_part(members_waiting.cursor, ' ', 2), 'uuid')
    then
      raise sqlstate 'PT422' using message = 'request.invalid', detail = 'cursor';
    end if;
    v_since := split_part(members_waiting.cursor, ' ', 1)::timestamptz;
    v_after := split_part(members_waiting.cursor, ' ', 2)::uuid;
  end if;
  return query
    select m.person_id, m.display_name, u.email::text, m.waiting_for, m.waiting_since,
      m.waiting_since < now() - interval '3 days', n.nudged_at,
      to_json(m.waiting_since) #>> '{}' || ' ' || m.person_id
    from public.members m
    left join auth.users u on u.id = m.person_id
    left join private.members_nudges n on n.tenant_id = m.tenant_id and n.person_id = m.person_id
    where m.tenant_id = members_waiting.tenant_id and m.status = 'pending'
      and (m.waiting_since, m.person_id) > (v_since, v_after)
      and (members_waiting.waiting_for is null or m.waiting_for = members_waiting.waiting_for)
    order by m.waiting_since, m.person_id
    limit page_size;
end;
$$;
comment on function public.members_waiting(uuid, text, text, int) is
  'Who waits to come in, the longest first, with their address and what they wait for: email, approval or documents (permission members.manage). Raises request.invalid.';
grant execute on function public.members_waiting(uuid, text, text, int) to authenticated;

create function public.members_nudge(tenant_id uuid, person uuid)
returns public.members
language plpgsql
volatile
security definer -- sends mail
set search_path = ''
as $$
#variable_conflict use_column
declare
  v_member public.members;
  v_app text;
begin
  perform private.require(members_nudge.tenant_id, 'members.manage');
  select * into v_member from public.members m
  where m.tenant_id = members_nudge.tenant_id and m.person_id = members_nudge.person
    and m.status = 'pending'
  for update;
  if not found then
    raise sqlstate 'PT404' using message = 'members.not_found';
  elsif v_member.waiting_for = 'approval' then
    -- They did their part: what is lacking is the decision of whoever reads this.
    raise sqlstate 'PT409' using message = 'members.waits_for_you';
  end if;
  perform private.require_rate(
    format('members_nudge:%s:%s', v_member.tenant_id, v_member.person_id), 1, interval '1 day'
  );
  select rtrim(t.app_url, '/') into v_app from public.tenants t where t.id = v_member.tenant_id;
  if v_member.waiting_for = 'email' and v_app is not null then
    -- What they were sent when they registered may be lost, or too old by now.
    perform private.accounts_mail_verification(v_member.person_id, v_app);
  else
    perform private.notify(
      v_member.person_id,
      case v_member.waiting_for when 'email' then 'members.confirm_address' else 'members.send_documents' end,
      case when v_app is null then '{}' else jsonb_build_object('link', v_app) end,
      v_member.tenant_id, now() + interval '7 days'
    );
  end if;
  insert into private.members_nudges (tenant_id, person_id)
  values (v_member.tenant_id, v_member.person_id)
  on conflict (tenant_id, person_id) do update set nudged_at = now();
  perform private.audit('MEMBER_NUDGED', 'members:' || v_member.person_id, null, null, v_member.tenant_id);
  return v_member;
end;
$$;
comment on function public.members_nudge(uuid, uuid) is
  'Reminds somebody who waits by mail of what they still have to do, once a day (permission members.manage); who has to prove their address gets the mail for it anew. Raises members.not_found for who does not wait, members.waits_for_you where an admin has to decide, limits.exceeded.';
grant execute on function public.members_nudge(uuid, uuid) to authenticated;

create function private.members_with(tenant_id uuid, permission text)
returns uuid[]
language sql
stable
security definer -- reads members past their policies
set search_path = ''
as $$
  select coalesce(array_agg(m.person_id), '{}')
  from public.members m
  join public.role_permissions rp
    on rp.tenant_id = m.tenant_id and rp.role = m.role and rp.permission = members_with.permission
  where m.tenant_id = members_with.tenant_id and m.status = 'active';
$$;
comment on function private.members_with(uuid, text) is
  'The active members whose role has the permission: whom to tell of what is theirs to do.';

create function private.members_remind(tenant_id uuid default null)
returns bigint
language sql
volatile
security definer -- tells people
set search_path = ''
as $$
  select coalesce(sum(private.notify_all(
    private.members_with(w.tenant_id, 'members.manage'), 'members.people_wait',
    jsonb_build_object('count', w.count::text) || case
      when t.app_url is null then '{}' else jsonb_build_object('link', rtrim(t.app_url, '/'))
    end,
    w.tenant_id, now() + interval '1 day'
  )), 0)
  from (
    select m.tenant_id, count(*) from public.members m
    where m.status = 'pending' and m.waiting_for = 'approval' and m.waiting_since < now() - interval '1 day'
      and (members_remind.tenant_id is null or m.tenant_id = members_remind.tenant_id)
    group by m.tenant_id
    -- The day it becomes a day for one of them, and every third one after it.
    having bool_or(floor(extract(epoch from now() - m.waiting_since) / 86400)::integer % 3 = 1)
  ) w
  join public.tenants t on t.id = w.tenant_id;
$$;
comment on function private.members_remind(uuid) is
  'Tells those who admit, in one tenant or in all, that people have waited for them for a day or more; every third day again. Returns how many were told.';
select private.schedule('members-remind', '7 9 * * *', 'select private.members_remind()');

select private.declare_metric(
  'members_waiting', 'gauge', 'People who wait to come into a tenant, by what they wait for.',
  $$select count(m.person_id) as value, jsonb_build_object('waiting_for', reason.name) as labels
    from unnest(array['email', 'approval', 'documents']) reason(name)
    left join public.members m on m.status = 'pending' and m.waiting_for = reason.name
    group by reason.name$$
);
