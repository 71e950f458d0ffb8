-- Sessions, watch: what their owner is told of. Supabase Auth lets clients log in and refresh past
-- all functions of ours, and no trigger may be put on its sessions: a login is seen by the sign-in
-- time, at commit, and the rest is looked for each minute.

select private.declare_notification('sessions.' || what, security => true, outsiders => true)
from unnest(array['new_device', 'replayed']) what;

create table private.sessions_devices (
  person_id uuid not null references public.people (id) on delete cascade,
  device text not null,
  seen_at timestamptz not null default now(),
  primary key (person_id, device)
);
comment on table private.sessions_devices is
  'Devices, as far as sessions_device tells them apart, that a person has logged in from within a year.';

create table private.sessions_arrivals (
  session_id uuid primary key references auth.sessions (id) on delete cascade,
  person_id uuid not null,
  arrived_at timestamptz not null default now(),
  greeted_at timestamptz
);
comment on table private.sessions_arrivals is
  'Sessions that began. They are greeted a little later, when it is known whether it was we who opened them.';
create index sessions_arrivals_waiting on private.sessions_arrivals (arrived_at) where greeted_at is null;

create function private.sessions_on_sign_in()
returns trigger
language plpgsql
volatile
security definer -- reads auth.sessions and writes for Auth's role
set search_path = ''
as $$
begin
  -- Deferred to the end of the transaction: the session may be written after the sign-in time.
  -- Others of theirs may be ending at this moment, and are not waited for: a login must not fail by that.
  insert into private.sessions_arrivals (session_id, person_id)
  select s.id, s.user_id from auth.sessions s where s.user_id = new.id
  for key share skip locked
  on conflict do nothing;
  return null;
end;
$$;
comment on function private.sessions_on_sign_in() is 'After a sign-in, at commit: the sessions that are new.';

create constraint trigger sessions_on_sign_in after update of last_sign_in_at on auth.users
  deferrable initially deferred
  for each row when (new.last_sign_in_at is distinct from old.last_sign_in_at)
  execute function private.sessions_on_sign_in();

create function private.sessions_greet(wait interval default '10 seconds')
returns integer
language plpgsql
volatile
security definer -- reads auth.sessions
set search_path = ''
as $$
#variable_conflict use_column
declare
  v_session record;
  v_new integer := 0;
begin
  for v_session in
    with arrived as (
      update private.sessions_arrivals a set greeted_at = now()
      where a.greeted_at is null and a.arrived_at <= now() - sessions_greet.wait
      returning a.session_id
    )
    select s.user_id as person_id, s.created_at, p.place,
      coalesce(private.sessions_device(s.user_agent), '?') as device
    from arrived a
    join auth.sessions s on s.id = a.session_id
    left join private.sessions_places p on p.session_id = s.id
    left join private.trust_bounds b on b.session_id = s.id
    -- Whoever had one opened with bounds was told of it in words of its own.
    where num_nonnulls(b.only_tenant, b.permissions, b.actor_id) = 0
    order by s.created_at
  loop
    v_new := v_new + private.sessions_meet(
      v_session.person_id, v_session.device, v_session.place, v_session.created_at
    )::integer;
  end loop;
  return v_new;
end;
$$;
comment on function private.sessions_greet(interval) is
  'Tells people of logins from devices they had not used before. Returns how many.';

create function private.sessions_meet(person uuid, device text, place text, since timestamptz)
returns boolean
language plpgsql
volatile
security definer -- nobody else writes devices
set search_path = ''
as $$
#variable_conflict use_column
declare
  -- The first device of all is the one they joined with.
  v_first boolean := not exists (
    select from private.sessions_devices d where d.person_id = sessions_meet.person
  );
begin
  update private.sessions_devices d set seen_at = now()
  where d.person_id = sessions_meet.person and d.device = sessions_meet.device;
  if found then
    return false;
  end if;
  insert into private.sessions_devices (person_id, device)
  values (sessions_meet.person, sessions_meet.device);
  if v_first then
    return false;
  end if;
  perform private.notify(
    sessions_meet.person, 'sessions.new_device',
    jsonb_build_object(
      'device', sessions_meet.device, 'place', coalesce(sessions_meet.place, '?'),
      'time', to_char(sessions_meet.since at time zone 'UTC', 'YYYY-MM-DD HH24:MI "UTC"')
    )
  );
  return true;
end;
$$;
comment on function private.sessions_meet(uuid, text, text, timestamptz) is
  'Remembers a device of a person, and tells them unless they have used it before or it is their first. Returns whether it told them.';

-- A refresh token used again, later than a client that lost an answer would, is in two hands. Auth
-- then revokes every token of the session and leaves the session: from that moment it is not
-- trusted any more (private.trust), and here it ends and its owner learns of it.
create function private.sessions_end_replayed()
returns integer
language plpgsql
volatile
security definer -- deletes from auth.sessions
set search_path = ''
as $$
#variable_conflict use_column
declare
  v_session record;
  v_ended integer := 0;
begin
  for v_session in
    delete from auth.sessions s
    where s.id in (
      select t.session_id from auth.refresh_tokens t
      where t.revoked and t.updated_at > now() - interval '1 hour'
    ) and not exists (
      select from auth.refresh_tokens live where live.session_id = s.id and not live.revoked
    )
    returning s.id, s.user_id, s.user_agent
  loop
    v_ended := v_ended + 1;
    perform private.audit(
      'SESSION_REPLAYED', 'sessions:' || v_session.id, actor => v_session.user_id
    );
    perform private.notify(
      v_session.user_id, 'sessions.replayed',
      jsonb_build_object('device', coalesce(private.sessions_device(v_session.user_agent), '?'))
    );
  end loop;
  return v_ended;
end;
$$;
comment on function private.sessions_end_replayed() is
  'Ends sessions whose refresh tokens Auth has all revoked, and tells their owners. Returns how many.';

create function private.sessions_end_expired()
returns integer
language plpgsql
volatile
security definer -- deletes from auth.sessions
set search_path = ''
as $$
#variable_conflict use_column
declare
  v_ended integer;
begin
  delete from auth.sessions s
  using private.trust_bounds b
  where b.session_id = s.id and b.expires_at < now();
  get diagnostics v_ended = row_count;
  -- These opened nothing any more.
  delete from private.trust_apart a where a.expires_at < now();
  delete from private.trust_devices d where d.expires_at < now();
  return v_ended;
end;
$$;
comment on function private.sessions_end_expired() is
  'Ends sessions past the time they were opened for. Returns how many.';

create function private.sessions_forget_devices()
returns integer
language plpgsql
volatile
security invoker
set search_path = ''
as $$
#variable_conflict use_column
declare
  v_forgotten integer;
begin
  delete from private.sessions_devices d where d.seen_at < now() - interval '1 year';
  get diagnostics v_forgotten = row_count;
  return v_forgotten;
end;
$$;
comment on function private.sessions_forget_devices() is
  'Forgets devices that nobody has logged in from for a year. Returns how many.';

create function private.sessions_on_person_erased()
returns trigger
language plpgsql
volatile
security definer -- nobody else writes devices
set search_path = ''
as $$
begin
  delete from private.sessions_devices d where d.person_id = new.id;
  return null;
end;
$$;
comment on function private.sessions_on_person_erased() is 'After a person was erased: their devices go.';

create trigger sessions_on_person_erased after update of erased_at on public.people
  for each row when (old.erased_at is null and new.erased_at is not null)
  execute function private.sessions_on_person_erased();

select private.schedule(
  'sessions-watch', '* * * * *',
  'select private.sessions_greet(), private.sessions_end_replayed(), private.sessions_end_expired()'
);
select private.schedule('sessions-forget-devices', '27 4 * * *', 'select private.sessions_forget_devices()');
