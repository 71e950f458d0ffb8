-- Safeguarding, restrictions: what a member may not do for a while, with a reason that they read.

create table public.safeguarding_restrictions (
  tenant_id uuid not null,
  id uuid not null default private.uuid_v7(),
  person_id uuid not null,
  what text not null check (what in ('messages', 'listings', 'exchanges', 'copies')),
  reason text check (char_length(btrim(reason)) between 1 and 1000),
  set_by uuid not null check (set_by <> person_id),
  until timestamptz,
  lifted_at timestamptz,
  lifted_by uuid,
  created_at timestamptz not null default now(),
  primary key (tenant_id, id),
  foreign key (tenant_id, person_id) references public.members (tenant_id, person_id) on delete restrict
);
comment on table public.safeguarding_restrictions is
  'What members may not do: write messages in conversations, show listings, take part in new exchanges; or copies: brokers read their conversations. They see theirs, and why. What they post in public is for moderation.';
comment on column public.safeguarding_restrictions.reason is 'Null once the member is erased.';
create unique index safeguarding_restrictions_standing
  on public.safeguarding_restrictions (tenant_id, person_id, what) where lifted_at is null;
create index safeguarding_restrictions_person on public.safeguarding_restrictions (tenant_id, person_id);
create index safeguarding_restrictions_due on public.safeguarding_restrictions (until) where lifted_at is null;

alter table public.safeguarding_restrictions enable row level security;
create policy safeguarding_restrictions_select_concerned on public.safeguarding_restrictions
  for select to authenticated
  using (
    tenant_id = any (array(select private.tenants_with('safeguarding.manage')))
    or (
      tenant_id = any (array(select private.tenants_with('safeguarding.read')))
      and person_id = (select private.person())
    )
  );
grant select on public.safeguarding_restrictions to authenticated, service_role;

create function private.safeguarding_restricted(tenant_id uuid, person uuid, what text)
returns boolean
language plpgsql
stable
security definer -- reads restrictions past their policies
set search_path = ''
as $$
begin
  return exists (
    select from public.safeguarding_restrictions r
    join public.tenants t on t.id = r.tenant_id and 'safeguarding' = any (t.modules)
    where r.tenant_id = safeguarding_restricted.tenant_id and r.person_id = person
      and r.what = safeguarding_restricted.what and r.lifted_at is null and (r.until is null or r.until > now())
  );
end;
$$;
comment on function private.safeguarding_restricted(uuid, uuid, text) is 'Whether the member may not do it now.';

create function private.safeguarding_guard_act()
returns trigger
language plpgsql
volatile
security definer -- reads restrictions past their policies
set search_path = ''
as $$
declare
  v_person text;
begin
  foreach v_person in array tg_argv[1:] loop
    if private.safeguarding_restricted(
      new.tenant_id, (to_jsonb(new) ->> v_person)::uuid, tg_argv[0]
    ) then
      raise sqlstate 'PT403' using message = 'safeguarding.restricted', detail = tg_argv[0];
    end if;
  end loop;
  return new;
end;
$$;
comment on function private.safeguarding_guard_act() is
  'Before something is done, for trigger (what, column of the person, …): refuses who is restricted from it. Raises safeguarding.restricted.';
create trigger safeguarding_guard_message before insert on public.messaging_messages
  for each row when (new.kind = 'text')
  execute function private.safeguarding_guard_act('messages', 'sender_id');
-- The parts name everybody of an exchange, between two or in a group: who proposes and who is asked, and
-- who agrees later. What both agreed to before goes on.
create trigger safeguarding_guard_exchange before insert on public.exchanges_parts
  for each row execute function private.safeguarding_guard_act('exchanges', 'person_id');
create trigger safeguarding_guard_agreement before update of agreed_at on public.exchanges_parts
  for each row when (old.agreed_at is null and new.agreed_at is not null)
  execute function private.safeguarding_guard_act('exchanges', 'person_id');

create function public.safeguarding_restrict(
  tenant_id uuid, person uuid, what text, reason text, until timestamptz default null
)
returns public.safeguarding_restrictions
language plpgsql
volatile
security definer -- clients may not write restrictions
set search_path = ''
as $$
#variable_conflict use_column
declare
  v_me uuid := private.require_for(safeguarding_restrict.tenant_id, 'safeguarding.manage', person);
  v_row public.safeguarding_restrictions;
  v_fault text := case
    when coalesce(what not in ('messages', 'listings', 'exchanges', 'copies'), true) then 'what'
    when coalesce(char_length(btrim(reason)) not between 1 and 1000, true) then 'reason: 1 to 1,000 characters'
    when until <= now() then 'until'
  end;
begin
  if v_fault is not null then
    raise sqlstate 'PT422' using message = 'request.invalid', detail = v_fault;
  elsif not exists (
    select from public.members m
    join public.roles theirs on theirs.tenant_id = m.tenant_id and theirs.slug = m.role
    where m.tenant_id = safeguarding_restrict.tenant_id and m.person_id = safeguarding_restrict.person
      and theirs.rank < (
        select r.rank from public.members me
        join public.roles r on r.tenant_id = me.tenant_id and r.slug = me.role
        where me.tenant_id = safeguarding_restrict.tenant_id and me.person_id = v_me
      )
  ) then
    raise sqlstate 'PT404' using message = 'members.not_found', detail = 'nobody below you';
  end if;
  update public.safeguarding_restrictions r set lifted_at = now(), lifted_by = v_me
  where r.tenant_id = safeguarding_restrict.tenant_id and r.person_id = safeguarding_restrict.person
    and r.what = safeguarding_restrict.what and r.lifted_at is null;
  insert into public.safeguarding_restrictions (tenant_id, person_id, what, reason, set_by, until)
  values (
    safeguarding_restrict.tenant_id, person, safeguarding_restrict.what, btrim(safeguarding_restrict.reason),
    v_me, safeguarding_restrict.until
  )
  returning * into v_row;
  perform private.audit(
    'SAFEGUARDING_RESTRICTION_CHANGED', 'safeguarding_restrictions:' || v_row.id, null,
    jsonb_build_object('what', v_row.what, 'until', v_row.until), v_row.tenant_id, v_me
  );
  perform private.notify(
    person, 'safeguarding.restricted',
    jsonb_build_object('what', v_row.what, 'reason', v_row.reason, 'about', 'safeguarding_restrictions:' || v_row.id),
    v_row.tenant_id
  );
  if v_row.what = 'copies' then
    perform private.safeguarding_watch_person(v_row.tenant_id, v_row.person_id);
  end if;
  return v_row;
end;
$$;
comment on function public.safeguarding_restrict(uuid, uuid, text, text, timestamptz) is
  'Keeps a member of a lower role from messages, listings or exchanges, or has brokers read their conversations, until a time or until it is lifted; they read why (permission safeguarding.manage). In place of the one before. Raises members.not_found, members.not_yourself, request.invalid.';
grant execute on function public.safeguarding_restrict(uuid, uuid, text, text, timestamptz) to authenticated;

create function public.safeguarding_lift(tenant_id uuid, restriction uuid)
returns public.safeguarding_restrictions
language plpgsql
volatile
security definer -- clients may not write restrictions
set search_path = ''
as $$
#variable_conflict use_column
declare
  v_me uuid := private.require(safeguarding_lift.tenant_id, 'safeguarding.manage');
  v_row public.safeguarding_restrictions;
begin
  update public.safeguarding_restrictions r set lifted_at = now(), lifted_by = v_me
  where r.tenant_id = safeguarding_lift.tenant_id and r.id = restriction and r.lifted_at is null
    and r.person_id <> v_me
  returning * into v_row;
  if not found then
    raise sqlstate 'PT404' using message = 'safeguarding.not_found';
  end if;
  perform private.audit(
    'SAFEGUARDING_RESTRICTION_CHANGED', 'safeguarding_restrictions:' || v_row.id, null,
    jsonb_build_object('what', v_row.what, 'lifted', true), v_row.tenant_id, v_me
  );
  if v_row.what = 'copies' then
    perform private.safeguarding_watch_person(v_row.tenant_id, v_row.person_id);
  end if;
  return v_row;
end;
$$;
comment on function public.safeguarding_lift(uuid, uuid) is
  'Lifts a restriction of somebody else''s (permission safeguarding.manage). Raises safeguarding.not_found.';
grant execute on function public.safeguarding_lift(uuid, uuid) to authenticated;
