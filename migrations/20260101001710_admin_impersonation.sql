-- Admin, impersonation: an admin sees the tenant as a member sees it, for a quarter of an hour. The
-- session is one of the member's, opened by the function api, taken out of Auth and bound to this
-- tenant; it only reads unless asked otherwise, moves no value, and the member is told when it is over.

select private.declare_permission(
  'admin.impersonate', 'See the tenant as a member below oneself does', array['admin'], own_cases => false
);
select private.declare_notification('admin.impersonated', security => true, outsiders => true);
select private.declare_notification('admin.impersonated_writing', security => true, outsiders => true);

insert into private.audit_actions (name, description)
values
  ('IMPERSONATION_ENDED', 'An admin stopped acting as a member'),
  ('IMPERSONATION_STARTED', 'An admin began to act as a member');

create table private.admin_impersonations (
  tenant_id uuid not null,
  id uuid not null default private.uuid_v7(),
  person_id uuid not null,
  actor_id uuid not null,
  actor_session uuid not null,
  session_id uuid,
  reason text not null check (char_length(btrim(reason)) between 1 and 500),
  read_only boolean not null,
  created_at timestamptz not null default now(),
  expires_at timestamptz not null default now() + interval '15 minutes',
  ended_at timestamptz,
  primary key (tenant_id, id),
  foreign key (tenant_id, person_id) references public.members (tenant_id, person_id) on delete restrict,
  foreign key (tenant_id, actor_id) references public.members (tenant_id, person_id) on delete restrict
);
comment on table private.admin_impersonations is
  'Who acted as whom, why and until when. What the session may do stands in private.trust_apart.';
comment on column private.admin_impersonations.actor_session is
  'The admin''s own session. No foreign key: when it goes, the impersonation is ended and told of.';
comment on column private.admin_impersonations.session_id is 'The member''s session; null until it is opened.';
create index admin_impersonations_person on private.admin_impersonations (tenant_id, person_id);
create index admin_impersonations_actor on private.admin_impersonations (tenant_id, actor_id);
create index admin_impersonations_open on private.admin_impersonations (expires_at) where ended_at is null;
create index admin_impersonations_ended on private.admin_impersonations (ended_at);

-- Beginning
create function private.admin_guard_impersonation(member public.members, actor uuid)
returns void
language plpgsql
volatile
security definer -- reads roles and factors past their policies
set search_path = ''
as $$
#variable_conflict use_column
begin
  if member.status <> 'active' then
    raise sqlstate 'PT409' using
      message = 'request.transition_refused', detail = format('members: %s', member.status);
  elsif exists (
    select from public.people p where p.id = member.person_id and p.deletion_due_at is not null
  ) then
    -- To Auth its session is a sign-in, and by signing in they would stay.
    raise sqlstate 'PT409' using
      message = 'request.transition_refused', detail = 'people: about to be deleted';
  elsif not exists (
    select from public.members own
    join public.roles own_role on own_role.tenant_id = own.tenant_id and own_role.slug = own.role
    join public.roles role on role.tenant_id = own.tenant_id and role.slug = member.role
    where own.tenant_id = member.tenant_id and own.person_id = admin_guard_impersonation.actor
      and own_role.rank > role.rank
  ) then
    raise sqlstate 'PT403' using message = 'members.role_above_own', detail = member.role;
  end if;
  perform private.members_guard_role(member.tenant_id, admin_guard_impersonation.actor, member.role);
  -- The session counts as verified; whoever gets it must not have given less than its owner would.
  if not private.session_verified() and (
    private.factor_missing(member.tenant_id, member.person_id)
    or exists (select from private.trust_factors f where f.person_id = member.person_id)
  ) then
    raise sqlstate 'PT403' using message = 'two_factor.required';
  end if;
end;
$$;
comment on function private.admin_guard_impersonation(public.members, uuid) is
  'Raises unless the actor stands above the member (owners, too), may all that the member may, and gave a second factor where the member has one: request.transition_refused, members.role_above_own, members.permission_denied, two_factor.required.';

create function public.admin_impersonate(tenant_id uuid, person uuid, reason text, writes boolean default false)
returns jsonb
language plpgsql
volatile
security definer -- nobody else writes impersonations
set search_path = ''
as $$
#variable_conflict use_column
declare
  v_actor uuid := private.require_for(admin_impersonate.tenant_id, 'admin.impersonate', person);
  v_member public.members := private.admin_member(admin_impersonate.tenant_id, person);
  v_started private.admin_impersonations;
begin
  -- A session with bounds opens no other one: no impersonation out of an impersonation, none by a key.
  perform private.require_person();
  perform private.admin_guard_impersonation(v_member, v_actor);
  if coalesce(char_length(btrim(admin_impersonate.reason)), 0) not between 1 and 500 then
    raise sqlstate 'PT422' using message = 'request.invalid', detail = 'reason: 1 to 500 characters';
  end if;
  perform private.require_rate('impersonate:' || v_actor, 20, interval '1 hour');
  insert into private.admin_impersonations (tenant_id, person_id, actor_id, actor_session, reason, read_only)
  values (
    v_member.tenant_id, v_member.person_id, v_actor, private.session_id(), btrim(admin_impersonate.reason),
    not coalesce(admin_impersonate.writes, false)
  )
  returning * into v_started;
  perform private.audit(
    'IMPERSONATION_STARTED', 'members:' || v_started.person_id, null,
    jsonb_build_object('reason', v_started.reason, 'read_only', v_started.read_only), v_started.tenant_id
  );
  return to_jsonb(v_started) - '{actor_session,session_id,ended_at}'::text[];
end;
$$;
comment on function public.admin_impersonate(uuid, uuid, text, boolean) is
  'For POST /admin/users/{id}/impersonate, which opens the session: the caller will act as a member for 15 minutes (permission admin.impersonate), reading unless writes. Raises members.not_found, members.not_yourself, members.role_above_own, members.permission_denied, request.transition_refused, two_factor.required, auth.session_bounded, limits.exceeded, request.invalid.';
grant execute on function public.admin_impersonate(uuid, uuid, text, boolean) to authenticated;

create function public.admin_impersonation_opened(tenant_id uuid, impersonation uuid, session uuid)
returns void
language plpgsql
volatile
security definer -- nobody else writes impersonations
set search_path = ''
as $$
#variable_conflict use_column
begin
  -- The session is handed out only if it is bound as it was granted.
  update private.admin_impersonations i set session_id = admin_impersonation_opened.session
  from private.trust_bounds b
  where i.tenant_id = admin_impersonation_opened.tenant_id
    and i.id = admin_impersonation_opened.impersonation
    and i.session_id is null and i.ended_at is null and i.expires_at > now()
    and b.session_id = admin_impersonation_opened.session and b.person_id = i.person_id
    and b.actor_id = i.actor_id and b.only_tenant = i.tenant_id and b.read_only = i.read_only
    and b.expires_at <= i.expires_at;
  if not found then
    delete from auth.sessions s where s.id = admin_impersonation_opened.session;
    raise sqlstate 'PT404' using message = 'admin.impersonation_not_found';
  end if;
  perform private.set_session_apart(admin_impersonation_opened.session);
end;
$$;
comment on function public.admin_impersonation_opened(uuid, uuid, uuid) is
  'For the function api, before it hands out the session of an impersonation: notes which it is, and takes it out of Supabase Auth, where its token could change the login. Raises admin.impersonation_not_found where it is not bound as was granted, or ended meanwhile.';
grant execute on function public.admin_impersonation_opened(uuid, uuid, uuid) to service_role;

-- Ending
create function private.admin_end_impersonation(impersonation private.admin_impersonations)
returns void
language plpgsql
volatile
security definer -- ends sessions
set search_path = ''
as $$
#variable_conflict use_column
begin
  update private.admin_impersonations i set ended_at = now()
  where i.tenant_id = impersonation.tenant_id and i.id = impersonation.id and i.ended_at is null;
  if not found then
    return;
  end if;
  perform private.end_session_apart(impersonation.session_id);
  perform private.audit(
    'IMPERSONATION_ENDED', 'members:' || impersonation.person_id, null, null, impersonation.tenant_id,
    impersonation.actor_id
  );
  if impersonation.session_id is not null then
    perform private.notify(
      impersonation.person_id,
      case when impersonation.read_only then 'admin.impersonated' else 'admin.impersonated_writing' end,
      jsonb_build_object(
        'name', (
          select m.display_name from public.members m
          where m.tenant_id = impersonation.tenant_id and m.person_id = impersonation.actor_id
        ),
        'reason', impersonation.reason,
        'began', private.admin_moment(impersonation.created_at)
      ),
      impersonation.tenant_id
    );
  end if;
end;
$$;
comment on function private.admin_end_impersonation(private.admin_impersonations) is
  'Ends an impersonation and its session, and tells the member, if there was one.';
