-- Safeguarding: people who need somebody at their side have it by agreement. A supporter acts within the
-- rights they were granted and nothing else, the ward may refuse or end it at any time, and all of it is
-- in the trail. It is no impersonation: the supporter's own session asks, as themselves.

insert into private.audit_actions (name, description)
values
  ('SAFEGUARDING_GUARDIANSHIP_CHANGED', 'A guardianship was proposed, agreed to, refused or ended'),
  ('SAFEGUARDING_ACTED', 'A supporter acted for their ward'),
  ('SAFEGUARDING_READ', 'Somebody read copies of messages or notices'),
  ('SAFEGUARDING_VETTING_CHANGED', 'A vetting was recorded or revoked, or what asks for one changed'),
  ('SAFEGUARDING_RESTRICTION_CHANGED', 'A member was restricted, or a restriction was lifted'),
  ('SAFEGUARDING_RULE_CHANGED', 'Which conversations brokers get copies of was changed');

select private.declare_permission(
  'safeguarding.read', 'Have a supporter or be one, and see what concerns oneself',
  array['admin', 'staff', 'member', 'guest']
);
select private.declare_permission(
  'safeguarding.manage', 'Propose supporters, record vettings, restrict members', array['admin', 'staff'],
  own_cases => false
);
select private.declare_permission(
  'safeguarding.broker', 'Read copies of messages where the tenant''s rules give them', array['admin']
);
select private.declare_permission(
  'safeguarding.rules', 'Say what asks for a vetting, and which messages brokers get copies of', array['admin']
);

select private.declare_notification('safeguarding.' || what)
from unnest(array['proposed', 'answered', 'ended', 'vetting_expires', 'vetting_expired', 'restricted', 'copied']) what;

-- What may be granted, and what for
create table private.safeguarding_rights (
  name text primary key check (name ~ '^[a-z_]+$'),
  description text not null
);
comment on table private.safeguarding_rights is 'What a supporter may be granted.';
insert into private.safeguarding_rights (name, description)
values
  ('copies_of_messages', 'Read what is said in the ward''s conversations from then on'),
  ('copies_of_notices', 'Read the ward''s notices of this tenant'),
  ('send_messages', 'Write for the ward in their conversations, marked as written for them'),
  ('see_balance', 'See the ward''s accounts and their balance');

create table public.safeguarding_guardianships (
  tenant_id uuid not null,
  id uuid not null default private.uuid_v7(),
  ward_id uuid not null,
  supporter_id uuid not null check (supporter_id <> ward_id),
  purpose text not null check (purpose in ('care', 'minor', 'language', 'technology', 'accompaniment')),
  rights text[] not null check (cardinality(rights) between 1 and 10),
  status text not null default 'proposed'
    check (status in ('proposed', 'active', 'refused', 'withdrawn', 'resigned', 'ended', 'expired')),
  proposed_by uuid not null,
  ward_agreed_at timestamptz,
  supporter_agreed_at timestamptz,
  expires_at timestamptz not null,
  ended_by uuid,
  created_at timestamptz not null default now(),
  updated_at timestamptz not null default now(),
  primary key (tenant_id, id),
  foreign key (tenant_id, ward_id) references public.members (tenant_id, person_id) on delete restrict,
  foreign key (tenant_id, supporter_id) references public.members (tenant_id, person_id) on delete restrict,
  check (status <> 'active' or (ward_agreed_at is not null and supporter_agreed_at is not null))
);
comment on table public.safeguarding_guardianships is
  'Who supports whom, what for, with which rights, until when. Active once both have agreed.';
comment on column public.safeguarding_guardianships.status is
  'refused by either before; withdrawn by the ward, resigned by the supporter, ended by the tenant, expired by time after.';
create unique index safeguarding_guardianships_open
  on public.safeguarding_guardianships (tenant_id, ward_id, supporter_id) where status in ('proposed', 'active');
create index safeguarding_guardianships_ward on public.safeguarding_guardianships (tenant_id, ward_id);
create index safeguarding_guardianships_supporter on public.safeguarding_guardianships (tenant_id, supporter_id);
create index safeguarding_guardianships_due on public.safeguarding_guardianships (expires_at)
  where status in ('proposed', 'active');
insert into private.transitions (machine, from_state, to_state)
select 'safeguarding_guardianships', split_part(step, '>', 1), split_part(step, '>', 2)
from unnest(array[
  'proposed>active', 'proposed>refused', 'proposed>ended', 'proposed>expired',
  'active>withdrawn', 'active>resigned', 'active>ended', 'active>expired'
]) step;
create trigger safeguarding_guardianships_transition before update of status on public.safeguarding_guardianships
  for each row execute function private.enforce_transition();
create trigger safeguarding_guardianships_touch before update on public.safeguarding_guardianships
  for each row execute function private.touch();

alter table public.safeguarding_guardianships enable row level security;
create policy safeguarding_guardianships_select_party on public.safeguarding_guardianships
  for select to authenticated
  using (
    tenant_id = any (array(select private.tenants_with('safeguarding.manage')))
    or (
      tenant_id = any (array(select private.tenants_with('safeguarding.read')))
      and (select private.person()) in (ward_id, supporter_id)
    )
  );
grant select on public.safeguarding_guardianships to authenticated, service_role;

create function private.safeguarding_changed(matter public.safeguarding_guardianships, actor uuid, told uuid[], kind text)
returns void
language plpgsql
volatile
security definer -- writes the trail, and tells people
set search_path = ''
as $$
begin
  perform private.audit(
    'SAFEGUARDING_GUARDIANSHIP_CHANGED', 'safeguarding_guardianships:' || matter.id, null,
    jsonb_build_object('status', matter.status, 'rights', matter.rights), matter.tenant_id, actor
  );
  perform private.notify_all(
    array_remove(told, actor), kind,
    jsonb_build_object('guardianship_id', matter.id, 'status', matter.status), matter.tenant_id
  );
end;
$$;
comment on function private.safeguarding_changed(public.safeguarding_guardianships, uuid, uuid[], text) is
  'Audits a step of a guardianship, and tells the others of it.';

create function public.safeguarding_propose(
  tenant_id uuid, ward uuid, supporter uuid, purpose text, rights text[], expires_at timestamptz
)
returns public.safeguarding_guardianships
language plpgsql
volatile
security definer -- clients may not write guardianships
set search_path = ''
as $$
#variable_conflict use_column
declare
  v_me uuid := private.require(safeguarding_propose.tenant_id, 'safeguarding.read');
  v_row public.safeguarding_guardianships;
  v_fault text := case
    when purpose is null or purpose not in ('care', 'minor', 'language', 'technology', 'accompaniment') then 'purpose'
    when rights is null or cardinality(rights) not between 1 and 10 or exists (
      select from unnest(rights) r (name)
      where r.name is null or not exists (select from private.safeguarding_rights k where k.name = r.name)
    ) then 'rights'
    when expires_at is null or expires_at not between now() and now() + interval '3 years' then 'expires_at'
    when supporter is null or ward is null or supporter = ward then 'ward, supporter'
  end;
begin
  -- The ward's own proposal is their consent: nobody gives it while acting as them.
  perform private.require_no_impersonation();
  if v_fault is not null then
    raise sqlstate 'PT422' using message = 'request.invalid', detail = v_fault;
  elsif v_me <> ward then
    -- Who wants to support somebody asks the tenant to propose it: nobody offers themselves to the weak.
    perform private.require_for(safeguarding_propose.tenant_id, 'safeguarding.manage', supporter);
  end if;
  if (
    select count(*) from public.members m
    where m.tenant_id = safeguarding_propose.tenant_id and m.person_id in (ward, supporter) and m.status = 'active'
  ) < 2 then
    raise sqlstate 'PT404' using message = 'members.not_found';
  end if;
  insert into public.safeguarding_guardianships (
    tenant_id, ward_id, supporter_id, purpose, rights, proposed_by, ward_agreed_at, expires_at
  )
  values (
    safeguarding_propose.tenant_id, ward, supporter, safeguarding_propose.purpose,
    array(select distinct r.name from unnest(safeguarding_propose.rights) r (name) order by 1), v_me,
    case when v_me = ward then now() end, safeguarding_propose.expires_at
  )
  on conflict (tenant_id, ward_id, supporter_id) where status in ('proposed', 'active') do nothing
  returning * into v_row;
  if not found then
    raise sqlstate 'PT409' using message = 'safeguarding.already_proposed';
  end if;
  perform private.safeguarding_changed(v_row, v_me, array[ward, supporter], 'safeguarding.proposed');
  return v_row;
end;
$$;
comment on function public.safeguarding_propose(uuid, uuid, uuid, text, text[], timestamptz) is
  'Proposes a supporter: for oneself (permission safeguarding.read), or for others by who manages (safeguarding.manage), never with oneself as the supporter. Both have to agree. Raises members.not_found, members.not_yourself, safeguarding.already_proposed, request.invalid, auth.impersonated.';
grant execute on function public.safeguarding_propose(uuid, uuid, uuid, text, text[], timestamptz) to authenticated;

create function public.safeguarding_answer(tenant_id uuid, guardianship uuid, agree boolean)
returns public.safeguarding_guardianships
language plpgsql
volatile
security definer -- clients may not write guardianships
set search_path = ''
as $$
#variable_conflict use_column
declare
  v_me uuid := private.require(safeguarding_answer.tenant_id, 'safeguarding.read');
  v_row public.safeguarding_guardianships;
begin
  perform private.require_no_impersonation();
  select * into v_row from public.safeguarding_guardianships g
  where g.tenant_id = safeguarding_answer.tenant_id and g.id = guardianship and v_me in (g.ward_id, g.supporter_id)
  for no key update;
  if not found then
    raise sqlstate 'PT404' using message = 'safeguarding.not_found';
  elsif agree is null then
    raise sqlstate 'PT422' using message = 'request.invalid', detail = 'agree';
  elsif v_row.status <> 'proposed' or v_row.expires_at < now() then
    raise sqlstate 'PT409' using
      message = 'request.transition_refused', detail = 'safeguarding_guardianships: ' || v_row.status;
  end if;
  update public.safeguarding_guardianships g
  set ward_agreed_at = case when agree and v_me = g.ward_id then now() else g.ward_agreed_at end,
    supporter_agreed_at = case when agree and v_me = g.supporter_id then now() else g.supporter_agreed_at end,
    ended_by = case when not agree then v_me end,
    status = case
      when not agree then 'refused'
      when (v_me = g.ward_id or g.ward_agreed_at is not null)
        and (v_me = g.supporter_id or g.supporter_agreed_at is not null) then 'active'
      else 'proposed'
    end
  where g.tenant_id = v_row.tenant_id and g.id = v_row.id
  returning * into v_row;
  perform private.safeguarding_changed(
    v_row, v_me, array[v_row.ward_id, v_row.supporter_id, v_row.proposed_by], 'safeguarding.answered'
  );
  if v_row.status = 'active' then
    perform private.safeguarding_watch_person(v_row.tenant_id, v_row.ward_id);
  end if;
  return v_row;
end;
$$;
comment on function public.safeguarding_answer(uuid, uuid, boolean) is
  'The ward or the supporter agrees to a proposal, or refuses it; nobody answers for them (permission safeguarding.read). Raises safeguarding.not_found, request.transition_refused, request.invalid, auth.impersonated.';
grant execute on function public.safeguarding_answer(uuid, uuid, boolean) to authenticated;

create function public.safeguarding_end(tenant_id uuid, guardianship uuid)
returns public.safeguarding_guardianships
language plpgsql
volatile
security definer -- clients may not write guardianships
set search_path = ''
as $$
#variable_conflict use_column
declare
  v_me uuid := private.require(safeguarding_end.tenant_id, 'safeguarding.read');
  v_row public.safeguarding_guardianships;
begin
  select * into v_row from public.safeguarding_guardianships g
  where g.tenant_id = safeguarding_end.tenant_id and g.id = guardianship and (
    v_me in (g.ward_id, g.supporter_id) or private.can(safeguarding_end.tenant_id, 'safeguarding.manage')
  )
  for no key update;
  if not found then
    raise sqlstate 'PT404' using message = 'safeguarding.not_found';
  end if;
  update public.safeguarding_guardianships g
  set ended_by = v_me, status = case
      when g.status = 'proposed' then 'ended'
      when v_me = g.ward_id then 'withdrawn'
      when v_me = g.supporter_id then 'resigned'
      else 'ended'
    end
  where g.tenant_id = v_row.tenant_id and g.id = v_row.id and g.status in ('proposed', 'active')
  returning * into v_row;
  if not found then
    raise sqlstate 'PT409' using message = 'request.transition_refused', detail = 'safeguarding_guardianships: over';
  end if;
  perform private.safeguarding_watch_person(v_row.tenant_id, v_row.ward_id);
  perform private.safeguarding_changed(
    v_row, v_me, array[v_row.ward_id, v_row.supporter_id], 'safeguarding.ended'
  );
  return v_row;
end;
$$;
comment on function public.safeguarding_end(uuid, uuid) is
  'Ends a guardianship or takes its proposal back, at once: the ward withdraws, the supporter resigns, who manages ends it (permission safeguarding.read). Raises safeguarding.not_found, request.transition_refused.';
grant execute on function public.safeguarding_end(uuid, uuid) to authenticated;
