-- Trust: is the caller who the token says, now? Everything that asks about rights asks here first,
-- so ending a session or banning a person takes effect on the next statement, whatever the token
-- still promises. auth.uid() stands in this file alone.

create function private.session_id()
returns uuid
language sql
stable
security invoker
set search_path = ''
as $$
  select (nullif(current_setting('request.jwt.claims', true), '')::jsonb ->> 'session_id')::uuid;
$$;
comment on function private.session_id() is 'The session the caller''s token names; null without one.';

create function private.session_fault()
returns text
language sql
stable
security definer -- auth.sessions and auth.users are closed to clients
set search_path = ''
as $$
  select case
    when auth.uid() is null then 'auth.required'
    when s.id is null or s.not_after <= now() then 'auth.session_ended'
    when u.banned_until > now() or u.deleted_at is not null then 'auth.session_ended'
  end
  from (select) one
  left join auth.sessions s on s.id = private.session_id() and s.user_id = auth.uid()
  left join auth.users u on u.id = s.user_id;
$$;
comment on function private.session_fault() is
  'Why the caller''s session is not trusted, as an error code; null when it is.';

create function private.person()
returns uuid
language sql
stable
security definer -- asks private.session_fault
set search_path = ''
as $$
  select case when private.session_fault() is null then auth.uid() end;
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
