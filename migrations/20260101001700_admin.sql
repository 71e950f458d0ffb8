-- Admin: what admins decide about members: warnings, suspensions, bans, a lesser role for a while.
-- The acts are those of members; here is why, until when, and how it ends.

create table public.admin_decisions (
  tenant_id uuid not null,
  id uuid not null default private.uuid_v7(),
  person_id uuid not null,
  kind text not null check (kind in ('warning', 'suspension', 'ban', 'restriction')),
  status text not null default 'standing'
    check (status in ('standing', 'expired', 'lifted', 'overturned', 'replaced')),
  reason text not null check (char_length(btrim(reason)) between 1 and 1000),
  decided_by uuid not null,
  until timestamptz,
  former_role text,
  former_status text not null,
  created_at timestamptz not null default now(),
  ended_at timestamptz,
  ended_by uuid,
  primary key (tenant_id, id),
  foreign key (tenant_id, person_id) references public.members (tenant_id, person_id) on delete restrict,
  foreign key (tenant_id, former_role) references public.roles (tenant_id, slug)
    on delete set null (former_role),
  check ((status = 'standing') = (ended_at is null)),
  check (kind <> 'ban' or until is null)
);
comment on table public.admin_decisions is
  'What admins decided about members, and why. While a suspension, ban or restriction stands, the membership is what it says.';
comment on column public.admin_decisions.until is 'When it ends by itself; null: when somebody ends it.';
comment on column public.admin_decisions.former_role is
  'The role before a restriction, given back at its end; null where the tenant has no such role any more.';
comment on column public.admin_decisions.ended_by is 'Null: its time was over, or the system did it.';

create index admin_decisions_person on public.admin_decisions (person_id, tenant_id, id);
create index admin_decisions_former_role on public.admin_decisions (tenant_id, former_role);
create index admin_decisions_due on public.admin_decisions (until) where status = 'standing';
create unique index admin_decisions_standing on public.admin_decisions (tenant_id, person_id, kind)
  where status = 'standing' and kind <> 'warning';

insert into private.transitions (machine, from_state, to_state)
select 'admin_decisions', 'standing', unnest(array['expired', 'lifted', 'overturned', 'replaced']);
create trigger admin_decisions_transition before update of status on public.admin_decisions
  for each row execute function private.enforce_transition();
-- Who was no member before a ban is not made one when it is overturned.
insert into private.transitions (machine, from_state, to_state) values ('members', 'banned', 'pending');

alter table public.admin_decisions enable row level security;
create policy admin_decisions_select_admin on public.admin_decisions
  for select to authenticated
  using (tenant_id = any (array(select private.tenants_with('members.manage'))));
grant select on public.admin_decisions to authenticated, service_role;

-- Nobody switches off being told why; and who was banned is told outside of the app.
select private.declare_notification('admin.' || kind, security => true, outsiders => true)
from unnest(array['warning', 'suspension', 'ban', 'restriction']) kind;
select private.declare_notification('admin.ended', outsiders => true);

create function private.admin_moment(moment timestamptz)
returns text
language sql
stable
security invoker
set search_path = ''
as $$
  select coalesce(to_char(admin_moment.moment at time zone 'UTC', 'YYYY-MM-DD HH24:MI "UTC"'), '–');
$$;
comment on function private.admin_moment(timestamptz) is 'A time as notices tell it; a dash where there is none.';

-- Deciding
create function private.admin_decide(
  member public.members, kind text, actor uuid, reason text, until timestamptz
)
returns public.admin_decisions
language plpgsql
volatile
security definer -- nobody else writes decisions
set search_path = ''
as $$
#variable_conflict use_column
declare
  v_replaced public.admin_decisions;
  v_decision public.admin_decisions;
begin
  if coalesce(char_length(btrim(admin_decide.reason)), 0) not between 1 and 1000 then
    raise sqlstate 'PT422' using message = 'request.invalid', detail = 'reason: 1 to 1,000 characters';
  elsif admin_decide.until <= now() or admin_decide.until > now() + interval '1 year'
    or admin_decide.kind = 'ban' and admin_decide.until is not null
  then
    raise sqlstate 'PT422' using
      message = 'request.invalid', detail = 'until: within a year from now; a ban has none';
  end if;
  update public.admin_decisions d
  set status = 'replaced', ended_at = now(), ended_by = admin_decide.actor
  where d.tenant_id = member.tenant_id and d.person_id = member.person_id
    and d.kind = admin_decide.kind and d.kind <> 'warning' and d.status = 'standing'
  returning * into v_replaced;

  insert into public.admin_decisions (
    tenant_id, person_id, kind, reason, decided_by, until, former_role, former_status
  )
  values (
    member.tenant_id, member.person_id, admin_decide.kind, btrim(admin_decide.reason),
    admin_decide.actor, admin_decide.until,
    -- One restriction after another: what comes back is the role before the first.
    case when admin_decide.kind = 'restriction' then coalesce(v_replaced.former_role, member.role) end,
    coalesce(v_replaced.former_status, member.status)
  )
  returning * into v_decision;
  perform private.notify(
    v_decision.person_id, 'admin.' || v_decision.kind,
    jsonb_build_object(
      'reason', left(v_decision.reason, 500),
      'until', private.admin_moment(v_decision.until)
    ),
    v_decision.tenant_id
  );
  return v_decision;
end;
$$;
comment on function private.admin_decide(public.members, text, uuid, text, timestamptz) is
  'Keeps a decision about a member, as the membership was before it, and tells them. One of the same kind that stood is replaced; warnings add up. Raises request.invalid.';

-- Ending. A decision holds the membership where it put it, so whatever moves the membership ends it.
create function private.admin_on_member_changed()
returns trigger
language plpgsql
volatile
security definer -- nobody else writes decisions
set search_path = ''
as $$
#variable_conflict use_column
begin
  update public.admin_decisions d
  set status = case when new.status = 'banned' and d.kind = 'suspension' then 'replaced' else 'lifted' end,
    ended_at = now(), ended_by = private.person()
  where d.tenant_id = new.tenant_id and d.person_id = new.person_id and d.status = 'standing'
    -- Not what this very act decided.
    and d.created_at < now()
    and (
      d.kind = 'suspension' and new.status <> 'suspended'
      or d.kind = 'ban' and new.status <> 'banned'
      or d.kind = 'restriction' and new.role is distinct from old.role
    );
  return null;
end;
$$;
comment on function private.admin_on_member_changed() is
  'After a change of status or role: ends the decisions that no longer hold.';

create trigger admin_on_member_changed after update of status, role on public.members
  for each row when ((old.status, old.role) is distinct from (new.status, new.role))
  execute function private.admin_on_member_changed();

create function private.admin_end(decision public.admin_decisions, status text, actor uuid)
returns void
language plpgsql
volatile
security definer -- nobody else writes decisions and members
set search_path = ''
as $$
#variable_conflict use_column
declare
  v_before public.members;
  v_member public.members;
begin
  update public.admin_decisions d
  set status = admin_end.status, ended_at = now(), ended_by = admin_end.actor
  where d.tenant_id = decision.tenant_id and d.id = decision.id;
  select * into v_before from public.members m
  where m.tenant_id = decision.tenant_id and m.person_id = decision.person_id;
  update public.members m
  set status = case
      when decision.kind not in ('suspension', 'ban') then m.status
      -- Their wish to join is open again.
      when decision.former_status in ('pending', 'left') then 'pending'
      else 'active'
    end,
    role = case when decision.kind = 'restriction' then coalesce(decision.former_role, m.role) else m.role end
  where m.tenant_id = decision.tenant_id and m.person_id = decision.person_id
  returning * into v_member;

  if v_member.status <> v_before.status then
    perform private.audit(
      'MEMBER_STATUS_CHANGED', 'members:' || v_member.person_id,
      jsonb_build_object('status', v_before.status), jsonb_build_object('status', v_member.status),
      v_member.tenant_id, admin_end.actor
    );
  elsif v_member.role <> v_before.role then
    perform private.audit(
      'MEMBER_ROLE_CHANGED', 'members:' || v_member.person_id,
      jsonb_build_object('role', v_before.role), jsonb_build_object('role', v_member.role),
      v_member.tenant_id, admin_end.actor
    );
  end if;
end;
$$;
comment on function private.admin_end(public.admin_decisions, text, uuid) is
  'Ends a standing decision and takes its effect back. The caller has locked the member.';

create function private.admin_expire()
returns bigint
language plpgsql
volatile
security definer -- nobody else writes decisions
set search_path = ''
as $$
#variable_conflict use_column
declare
  v_due public.admin_decisions;
  v_decision public.admin_decisions;
  v_count bigint := 0;
begin
  for v_due in
    select * from public.admin_decisions d
    where d.status = 'standing' and d.until <= now()
    order by d.tenant_id, d.person_id, d.id limit 500
  loop
    -- The member before the decision, as every act on members locks them.
    perform private.members_lock_owners(v_due.tenant_id, v_due.person_id);
    select * into v_decision from public.admin_decisions d
    where d.tenant_id = v_due.tenant_id and d.id = v_due.id and d.status = 'standing' and d.until <= now()
    for update;
    continue when not found;
    perform private.admin_end(v_decision, 'expired', null);
    v_count := v_count + 1;
  end loop;
  return v_count;
end;
$$;
comment on function private.admin_expire() is
  'Ends the decisions whose time is over. Returns how many.';
select private.schedule('admin-expire', '* * * * *', 'select private.admin_expire()');

create function private.admin_tell_ended()
returns trigger
language plpgsql
volatile
security definer -- reads members past their policies
set search_path = ''
as $$
begin
  if exists (
    select from public.members m
    where m.tenant_id = new.tenant_id and m.person_id = new.person_id and m.status <> 'left'
  ) then
    perform private.notify(
      new.person_id, 'admin.ended', jsonb_build_object('reason', left(new.reason, 500)), new.tenant_id
    );
  end if;
  return null;
end;
$$;
comment on function private.admin_tell_ended() is 'After a decision was lifted or ran out: tells its member, unless they have left.';
create trigger admin_tell_ended after update of status on public.admin_decisions
  for each row when (new.status in ('lifted', 'expired') and old.status = 'standing')
  execute function private.admin_tell_ended();
