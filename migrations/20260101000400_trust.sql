-- Trust: is the caller who the token says, now? Everything that asks about rights asks here first,
-- so ending a session or banning a person takes effect on the next statement, whatever the token
-- still promises. auth.uid() stands in this file alone.

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
begin
  if v_person is null then
    return 'auth.required';
  end if;
  perform from auth.sessions s
  join auth.users u on u.id = s.user_id
  where s.id = v_session and s.user_id = v_person and (s.not_after is null or s.not_after > now())
    and (u.banned_until is null or u.banned_until <= now()) and u.deleted_at is null;
  return case when not found then 'auth.session_ended' end;
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
    else
      return auth.uid();
  end case;
end;
$$;
comment on function private.require_person() is
  'The caller''s id. Raises auth.required without a token, auth.session_ended for one that is no longer trusted.';

select private.declare_metric(
  'sessions_active', 'gauge', 'Sessions begun or refreshed within the last hour, by kind.',
  $$select count(*) as value, jsonb_build_object('kind', 'login') as labels
    from auth.sessions s
    where coalesce(s.refreshed_at at time zone 'UTC', s.created_at) > now() - interval '1 hour'
      and (s.not_after is null or s.not_after > now())$$
);
