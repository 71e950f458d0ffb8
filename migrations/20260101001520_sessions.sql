-- Sessions: those that we open for somebody who proved themselves to us and not to Supabase Auth (a
-- passkey, a device code, an API key, an impersonation). Auth makes the session; here stands whom it
-- may be made for, and what it stands for is written before anybody is handed its tokens.

create function public.sessions_opening(person uuid, tenant text default null)
returns jsonb
language plpgsql
stable
security definer -- auth.users is closed to clients
set search_path = ''
as $$
#variable_conflict use_column
declare
  v_login auth.users;
begin
  select * into v_login from auth.users u
  where u.id = sessions_opening.person and u.deleted_at is null and u.email is not null;
  if not found then
    raise sqlstate 'PT404' using message = 'people.not_found';
  elsif v_login.banned_until > now() then
    raise sqlstate 'PT403' using message = 'auth.banned';
  elsif v_login.email_confirmed_at is null then
    raise sqlstate 'PT403' using message = 'auth.email_unconfirmed';
  end if;
  perform private.accounts_require_entry(sessions_opening.tenant, v_login.id);
  return jsonb_build_object('email', v_login.email);
end;
$$;
comment on function public.sessions_opening(uuid, text) is
  'For the functions, before they open a session for a person: the address that Auth knows them by. With the slug of a tenant only where that tenant lets them in, as at POST /auth/login. Raises people.not_found, auth.banned, auth.email_unconfirmed, members.pending, members.suspended, members.banned, tenants.not_found.';
grant execute on function public.sessions_opening(uuid, text) to service_role;

create function public.sessions_opened(
  session uuid, person uuid, purpose text, bounds jsonb default '{}', factor text default null
)
returns jsonb
language plpgsql
volatile
security definer -- nobody else writes private.trust_bounds
set search_path = ''
as $$
#variable_conflict use_column
begin
  insert into private.trust_bounds (
    session_id, person_id, purpose, label, only_tenant, permissions, read_only, expires_at, actor_id
  )
  select s.id, s.user_id, sessions_opened.purpose, b.label, b.tenant_id, b.permissions,
    coalesce(b.read_only, false), b.expires_at,
    b.actor_id
  from auth.sessions s
  cross join jsonb_to_record(coalesce(sessions_opened.bounds, '{}')) b(
    label text, tenant_id uuid, permissions text[], read_only boolean, expires_at timestamptz, actor_id uuid
  )
  where s.id = sessions_opened.session and s.user_id = sessions_opened.person;
  if not found then
    raise sqlstate 'PT401' using message = 'auth.session_ended';
  end if;
  if sessions_opened.factor is not null then
    perform private.lift_session(sessions_opened.session, sessions_opened.person, sessions_opened.factor);
  end if;
  return jsonb_build_object('session_id', sessions_opened.session);
end;
$$;
comment on function public.sessions_opened(uuid, uuid, text, jsonb, text) is
  'For the functions, which have just opened the session and not handed it out: what for, its bounds { label, tenant_id, permissions, read_only, expires_at, actor_id }, and the second factor that opening it was. Raises auth.session_ended.';
grant execute on function public.sessions_opened(uuid, uuid, text, jsonb, text) to service_role;
