-- Trust: is the caller who the token says, now? Everything that asks about rights asks here first,
-- so ending a session or banning a person takes effect on the next statement, whatever the token
-- still promises. auth.uid() stands in this file alone.

-- What a session has proved beyond its login. Whoever checks a factor (two_factor, passkeys) writes
-- here; the token's own level stays as it is, and says nothing.
create table private.trust_factors (
  person_id uuid not null references public.people (id) on delete cascade,
  kind text not null check (kind in ('totp', 'passkey')),
  confirmed_at timestamptz not null default now(),
  primary key (person_id, kind)
);
comment on table private.trust_factors is
  'Second factors that people have confirmed. With one, a session opens nothing before it is verified.';

create table private.trust_sessions (
  session_id uuid primary key references auth.sessions (id) on delete cascade,
  person_id uuid not null references public.people (id) on delete cascade,
  method text not null check (method in ('totp', 'backup_code', 'passkey')),
  verified_at timestamptz not null default now()
);
comment on table private.trust_sessions is 'Sessions that gave a second factor, and when they last did.';
create index trust_sessions_person on private.trust_sessions (person_id);

create function private.session_id()
returns uuid
language plpgsql -- every call asks here, and a function in sql would be planned anew each time
stable
security invoker
set search_path = ''
as $$
begin
  return (nullif(current_setting('request.jwt.claims', true), '')::jsonb ->> 'session_id')::uuid;
end;
$$;
comment on function private.session_id() is 'The session the caller''s token names; null without one.';

create function private.session_fault()
returns text
language plpgsql
stable
security definer -- auth.sessions and auth.users are closed to clients
set search_path = ''
as $$
declare
  v_person uuid := auth.uid();
  v_session uuid := private.session_id();
  v_unverified boolean;
begin
  if v_person is null then
    return 'auth.required';
  end if;
  select v.session_id is null and exists (select from private.trust_factors f where f.person_id = u.id)
  into v_unverified
  from auth.sessions s
  join auth.users u on u.id = s.user_id
  left join private.trust_sessions v on v.session_id = s.id
  where s.id = v_session and s.user_id = v_person and (s.not_after is null or s.not_after > now())
    and (u.banned_until is null or u.banned_until <= now()) and u.deleted_at is null;
  return case
    when v_unverified is null then 'auth.session_ended'
    when v_unverified then 'two_factor.required'
  end;
end;
$$;
comment on function private.session_fault() is
  'Why the caller''s session is not trusted, as an error code; null when it is.';

create function private.person()
returns uuid
language plpgsql
stable
security definer -- asks private.session_fault
set search_path = ''
as $$
begin
  return case when private.session_fault() is null then auth.uid() end;
end;
$$;
comment on function private.person() is
  'The caller, if their session is trusted now; else null. In policies: person_id = (select private.person()).';
grant execute on function private.person() to authenticated, service_role;

create function private.require_person()
returns uuid
language plpgsql
stable
security definer -- asks private.session_fault
set search_path = ''
as $$
begin
  case private.session_fault()
    when 'auth.required' then
      raise sqlstate 'PT401' using message = 'auth.required';
    when 'auth.session_ended' then
      raise sqlstate 'PT401' using message = 'auth.session_ended';
    when 'two_factor.required' then
      raise sqlstate 'PT403' using message = 'two_factor.required';
    else
      return auth.uid();
  end case;
end;
$$;
comment on function private.require_person() is
  'The caller''s id. Raises auth.required without a token, auth.session_ended for one that is no longer trusted, two_factor.required before the second factor.';

-- Before the second factor: for what leads to giving it, and for nothing else.
create function private.unverified_person()
returns uuid
language plpgsql
stable
security definer -- asks private.session_fault
set search_path = ''
as $$
begin
  if private.session_fault() = 'two_factor.required' then
    return auth.uid();
  end if;
  return private.require_person();
end;
$$;
comment on function private.unverified_person() is
  'The caller''s id, whether their session gave its second factor or not. Raises auth.required, auth.session_ended.';

create function private.session_verified()
returns boolean
language sql
stable
security definer -- reads private.trust_sessions
set search_path = ''
as $$
  select exists (select from private.trust_sessions v where v.session_id = private.session_id());
$$;
comment on function private.session_verified() is
  'Whether the caller''s session gave a second factor. Asked beside private.person(), which says whether it is trusted at all.';

create function private.recent_factor(session_id uuid, minutes integer default 5)
returns boolean
language sql
stable
security definer -- reads private.trust_sessions
set search_path = ''
as $$
  select exists (
    select from private.trust_sessions v
    where v.session_id = recent_factor.session_id
      and v.verified_at > now() - make_interval(mins => recent_factor.minutes)
  );
$$;
comment on function private.recent_factor(uuid, integer) is
  'Whether the session gave a second factor within the last minutes.';

create function private.require_recent_factor(minutes integer default 5)
returns uuid
language plpgsql
stable
security definer -- asks private.session_fault and private.trust_sessions
set search_path = ''
as $$
declare
  v_person uuid := private.require_person();
begin
  -- Not waived for those who have no factor: an act worth it is not open to whoever found a session.
  if not private.recent_factor(private.session_id(), require_recent_factor.minutes) then
    raise sqlstate 'PT403' using message = 'two_factor.recent_required';
  end if;
  return v_person;
end;
$$;
comment on function private.require_recent_factor(integer) is
  'The caller''s id, if their session gave a second factor within the last minutes. Raises auth.*, two_factor.required, two_factor.recent_required.';

create function private.lift_session(session_id uuid, person uuid, method text)
returns void
language plpgsql
volatile
security definer -- nobody else writes private.trust_sessions
set search_path = ''
as $$
#variable_conflict use_column
begin
  insert into private.trust_sessions (session_id, person_id, method)
  select s.id, s.user_id, lift_session.method
  from auth.sessions s
  where s.id = lift_session.session_id and s.user_id = lift_session.person
    and (s.not_after is null or s.not_after > now())
  on conflict (session_id) do update set method = excluded.method, verified_at = now();
  if not found then
    raise sqlstate 'PT401' using message = 'auth.session_ended';
  end if;
end;
$$;
comment on function private.lift_session(uuid, uuid, text) is
  'For who has checked a second factor: the session is verified from now on. Raises auth.session_ended.';

select private.declare_metric(
  'sessions_active', 'gauge', 'Sessions begun or refreshed within the last hour, by kind.',
  $$select count(*) as value, jsonb_build_object('kind', 'login') as labels
    from auth.sessions s
    where coalesce(s.refreshed_at at time zone 'UTC', s.created_at) > now() - interval '1 hour'
      and (s.not_after is null or s.not_after > now())$$
);
