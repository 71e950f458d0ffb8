-- Trust, factors: what a session has proved, asked by those who want more than trust, and written by
-- those who have checked a factor.

create function private.session_verified()
returns boolean
language sql
stable
security definer -- reads private.trust_sessions
set search_path = ''
as $$
  select exists (
    select from private.trust_sessions v
    where v.session_id = private.session_id() and v.method <> 'device'
  );
$$;
comment on function private.session_verified() is
  'Whether the caller''s session gave a second factor itself. Asked beside private.person(), which says whether it is trusted at all.';

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
      -- Opened by what a factor was given for earlier: nobody has given one here.
      and v.method not in ('delegated', 'device')
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
  'sessions_active', 'gauge', 'Sessions begun or refreshed within the last hour, by what they were opened for.',
  $$select count(s.id) as value, jsonb_build_object('kind', kinds.kind) as labels
    from (select 'login' as kind union select distinct b.purpose from private.trust_bounds b) kinds
    left join (
      auth.sessions s left join private.trust_bounds b on b.session_id = s.id
    ) on coalesce(b.purpose, 'login') = kinds.kind
      and coalesce(s.refreshed_at at time zone 'UTC', s.created_at) > now() - interval '1 hour'
      and (s.not_after is null or s.not_after > now())
    group by kinds.kind$$
);
