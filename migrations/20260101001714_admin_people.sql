-- Admin, people: what operators decide about somebody as a person, across all tenants. A tenant's
-- admins act on the membership alone.

select private.declare_permission(
  'admin.people', 'Look people up, ban them from every tenant and readmit them', array['admin'],
  operators_only => true, own_cases => false
);
select private.declare_notification(
  'admin.person_banned', inbox => null, push => null, security => true, outsiders => true
);
select private.declare_notification(
  'admin.person_readmitted', inbox => null, push => null, security => true, outsiders => true
);

insert into private.audit_actions (name, description)
values
  ('PERSON_BANNED', 'An operator banned a person from every tenant'),
  ('PERSON_LOOKED_UP', 'An operator looked a person up'),
  ('PERSON_READMITTED', 'An operator took back the ban of a person');

create function private.admin_person_of(person uuid)
returns jsonb
language plpgsql
stable
security definer -- auth.users is closed to clients
set search_path = ''
as $$
#variable_conflict use_column
declare
  v_document jsonb;
begin
  select jsonb_build_object(
    'id', p.id, 'display_name', p.display_name, 'email', u.email,
    'email_verified', u.email_confirmed_at is not null, 'created_at', p.created_at,
    'last_sign_in_at', u.last_sign_in_at,
    'banned_until', case when u.banned_until > now() then u.banned_until end,
    'tenants', coalesce(
      (
        select jsonb_agg(
          jsonb_build_object('id', t.id, 'slug', t.slug, 'role', m.role, 'status', m.status) order by t.slug
        )
        from public.members m
        join public.tenants t on t.id = m.tenant_id
        where m.person_id = p.id
      ),
      '[]'
    )
  )
  into v_document
  from public.people p
  join auth.users u on u.id = p.id and u.deleted_at is null
  where p.id = admin_person_of.person;
  if v_document is null then
    raise sqlstate 'PT404' using message = 'people.not_found';
  end if;
  return v_document;
end;
$$;
comment on function private.admin_person_of(uuid) is 'A person as operators see them. Raises people.not_found.';

create function public.admin_find_person(search text)
returns jsonb
language plpgsql
volatile
security definer -- auth.users is closed to clients
set search_path = ''
as $$
#variable_conflict use_column
declare
  v_search text := lower(btrim(admin_find_person.search));
  v_person uuid;
  v_document jsonb;
begin
  perform private.require(private.platform(), 'admin.people');
  if pg_input_is_valid(v_search, 'uuid') then
    v_person := v_search::uuid;
  else
    select u.id into v_person from auth.users u where u.email = v_search and u.is_sso_user = false;
  end if;
  v_document := private.admin_person_of(v_person);
  perform private.audit('PERSON_LOOKED_UP', 'people:' || v_person);
  return v_document;
end;
$$;
comment on function public.admin_find_person(text) is
  'A person by id or whole e-mail address, with their tenants, for operators (permission admin.people). The look is itself audited. Raises people.not_found.';
grant execute on function public.admin_find_person(text) to authenticated;

create function private.admin_guard_person(person uuid)
returns uuid
language plpgsql
volatile
security definer -- reads members past their policies
set search_path = ''
as $$
#variable_conflict use_column
declare
  v_operator uuid := private.require_for(private.platform(), 'admin.people', person);
begin
  -- Among themselves operators keep to the ranks of their tenant.
  if exists (
    select from public.members m
    where m.tenant_id = private.platform() and m.person_id = admin_guard_person.person
  ) then
    perform private.members_guard_target(private.platform(), v_operator, admin_guard_person.person);
    perform private.members_guard_last_owner(private.platform(), admin_guard_person.person);
  end if;
  return v_operator;
end;
$$;
comment on function private.admin_guard_person(uuid) is
  'The operator who calls, if they may act on the person. Raises members.permission_denied, members.not_yourself, members.role_above_own, members.last_owner.';

create function public.admin_ban_person(person uuid, reason text, until timestamptz default null)
returns jsonb
language plpgsql
volatile
security definer -- writes auth.users, ends sessions
set search_path = ''
as $$
#variable_conflict use_column
declare
  -- Auth reads this into a type that knows no infinity.
  v_until timestamptz := coalesce(admin_ban_person.until, now() + interval '100 years');
begin
  perform private.admin_guard_person(person);
  if coalesce(char_length(btrim(admin_ban_person.reason)), 0) not between 1 and 1000 then
    raise sqlstate 'PT422' using message = 'request.invalid', detail = 'reason: 1 to 1,000 characters';
  elsif v_until <= now() or v_until > now() + interval '100 years' then
    raise sqlstate 'PT422' using message = 'request.invalid', detail = 'until: within a hundred years from now';
  end if;
  update auth.users u set banned_until = v_until
  where u.id = admin_ban_person.person and u.deleted_at is null;
  delete from auth.sessions s where s.user_id = admin_ban_person.person;
  perform private.end_devices(admin_ban_person.person);
  perform private.admin_person_of(admin_ban_person.person);
  perform private.audit(
    'PERSON_BANNED', 'people:' || admin_ban_person.person, null,
    jsonb_build_object('reason', btrim(admin_ban_person.reason), 'until', admin_ban_person.until)
  );
  perform private.notify(
    admin_ban_person.person, 'admin.person_banned',
    jsonb_build_object(
      'reason', left(btrim(admin_ban_person.reason), 500),
      'until', private.admin_moment(admin_ban_person.until)
    )
  );
  return private.admin_person_of(admin_ban_person.person);
end;
$$;
comment on function public.admin_ban_person(uuid, text, timestamptz) is
  'Bans a person from every tenant and ends all their sessions, for good or until a time (permission admin.people). They are told why, by mail. Raises people.not_found, members.not_yourself, members.role_above_own, members.last_owner, request.invalid.';
grant execute on function public.admin_ban_person(uuid, text, timestamptz) to authenticated;

create function public.admin_readmit_person(person uuid)
returns jsonb
language plpgsql
volatile
security definer -- writes auth.users
set search_path = ''
as $$
#variable_conflict use_column
begin
  perform private.admin_guard_person(person);
  update auth.users u set banned_until = null
  where u.id = admin_readmit_person.person and u.banned_until > now() and u.deleted_at is null;
  if found then
    perform private.audit('PERSON_READMITTED', 'people:' || admin_readmit_person.person);
    perform private.notify(admin_readmit_person.person, 'admin.person_readmitted');
  end if;
  return private.admin_person_of(admin_readmit_person.person);
end;
$$;
comment on function public.admin_readmit_person(uuid) is
  'Takes back the ban of a person (permission admin.people); whoever is not banned stays so. Raises people.not_found, members.not_yourself, members.role_above_own, members.last_owner.';
grant execute on function public.admin_readmit_person(uuid) to authenticated;
