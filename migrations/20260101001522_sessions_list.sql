-- Sessions, list: a person's own, by the device and the place they were begun from; and ending one.

create function private.sessions_device(user_agent text)
returns text
language sql
immutable
security invoker
set search_path = ''
as $$
  -- The order is the point: a browser claims to be those it descends from.
  select nullif(
    concat_ws(
      ', ',
      case
        when sessions_device.user_agent ~ 'Edg(e|A|iOS)?/' then 'Edge'
        when sessions_device.user_agent ~ '(OPR|Opera|OPT)[/ ]' then 'Opera'
        when sessions_device.user_agent ~ 'SamsungBrowser/' then 'Samsung Internet'
        when sessions_device.user_agent ~ '(Firefox|FxiOS)/' then 'Firefox'
        when sessions_device.user_agent ~ '(Chrome|CriOS|Chromium)/' then 'Chrome'
        when sessions_device.user_agent ~ 'Version/[\d.]+.* Safari/' then 'Safari'
        else substring(sessions_device.user_agent from '^(?!Mozilla)([[:alpha:]][[:alnum:] ._+-]{0,39})')
      end,
      case
        when sessions_device.user_agent ~ '\miPhone\M' then 'iPhone'
        when sessions_device.user_agent ~ '\miPad\M' then 'iPad'
        when sessions_device.user_agent ~ 'AppleTV|Apple TV|tvOS' then 'Apple TV'
        when sessions_device.user_agent ~ 'Tizen' then 'Tizen'
        when sessions_device.user_agent ~ 'Web0S|webOS' then 'webOS'
        when sessions_device.user_agent ~ 'PlayStation' then 'PlayStation'
        when sessions_device.user_agent ~ 'Xbox' then 'Xbox'
        when sessions_device.user_agent ~ '\mCrOS\M' then 'ChromeOS'
        when sessions_device.user_agent ~ 'Android' then 'Android'
        when sessions_device.user_agent ~ 'Windows' then 'Windows'
        when sessions_device.user_agent ~ 'Macintosh|Mac OS X|Darwin' then 'macOS'
        when sessions_device.user_agent ~ 'Linux|X11' then 'Linux'
      end
    ),
    ''
  );
$$;
comment on function private.sessions_device(text) is
  'Browser or app, and system, of a user agent: coarse, so that a new version is no new device. Null where it tells neither.';

-- Supabase Auth keeps the address of a session and not where that is.
create table private.sessions_places (
  session_id uuid primary key references auth.sessions (id) on delete cascade,
  place text not null check (place ~ '^[A-Z]{2}$')
);
comment on table private.sessions_places is
  'The country a session was last known to be used from, where the provider in front of the functions tells it.';

create function public.sessions_note_place(session uuid, person uuid, place text)
returns boolean
language plpgsql
volatile
security definer -- nobody else writes places
set search_path = ''
as $$
#variable_conflict use_column
begin
  insert into private.sessions_places (session_id, place)
  select s.id, sessions_note_place.place from auth.sessions s
  where s.id = sessions_note_place.session and s.user_id = sessions_note_place.person
    and sessions_note_place.place ~ '^[A-Z]{2}$'
  on conflict (session_id) do update set place = excluded.place;
  return found;
end;
$$;
comment on function public.sessions_note_place(uuid, uuid, text) is
  'For the functions: the country (ISO 3166, two letters) that a request of the session came from. False where there is no such session or country.';
grant execute on function public.sessions_note_place(uuid, uuid, text) to service_role;

create function public.sessions_current()
returns jsonb
language plpgsql
stable
security definer -- asks private.trust
set search_path = ''
as $$
declare
  v_person uuid := private.require_person();
begin
  return jsonb_build_object('person_id', v_person, 'session_id', private.session_id());
end;
$$;
comment on function public.sessions_current() is
  'Whose session calls, and which: { person_id, session_id }. For what a person does for themselves and in no tenant. Raises auth.required, auth.session_ended, auth.session_bounded, auth.read_only, two_factor.required.';
grant execute on function public.sessions_current() to authenticated;

create type public.session_card as (
  id uuid,
  device text,
  place text,
  last_seen_at timestamptz,
  current boolean
);

create function public.sessions_list()
returns setof public.session_card
language plpgsql
stable
security definer -- auth.sessions is closed to clients
set search_path = ''
rows 10
as $$
#variable_conflict use_column
declare
  v_person uuid := private.require_person();
begin
  return query
    select s.id, coalesce(b.label, private.sessions_device(s.user_agent)), p.place,
      coalesce(s.refreshed_at at time zone 'UTC', s.created_at) as seen_at,
      s.id = private.session_id() as current
    from auth.sessions s
    left join private.trust_bounds b on b.session_id = s.id
    left join private.sessions_places p on p.session_id = s.id
    where s.user_id = v_person
      and (s.not_after is null or s.not_after > now())
      and (b.expires_at is null or b.expires_at > now())
      and b.actor_id is null and b.purpose is distinct from 'api_key'
    union all
    select d.id, d.label, d.place, d.renewed_at, false
    from private.trust_devices d
    where d.person_id = v_person and d.expires_at > now()
    order by current desc, seen_at desc;
end;
$$;
comment on function public.sessions_list() is
  'The caller''s sessions: id, device, place (a country, null where it is not known), last_seen_at (its last login or refresh), current. A device has an id of its own, which stays when it is given another session. Those of their API keys are listed with the keys; of an impersonation the person is told when it is over. Raises auth.*, two_factor.required.';
grant execute on function public.sessions_list() to authenticated;

insert into private.audit_actions (name, description)
values
  ('SESSION_ENDED', 'Somebody ended one of their sessions from another, or from itself'),
  ('SESSION_REPLAYED', 'A session was ended because one of its refresh tokens was used twice');

create function public.sessions_end(session uuid)
returns jsonb
language plpgsql
volatile
security definer -- nobody else deletes sessions
set search_path = ''
as $$
#variable_conflict use_column
declare
  v_person uuid := private.require_person();
begin
  -- Audited first: the session that ends may be the one that the line is about to name.
  perform private.audit('SESSION_ENDED', 'sessions:' || sessions_end.session, actor => v_person)
  where exists (
    select from auth.sessions s
    left join private.trust_bounds b on b.session_id = s.id
    where s.id = sessions_end.session and s.user_id = v_person and b.actor_id is null
  ) or exists (
    select from private.trust_devices d where d.id = sessions_end.session and d.person_id = v_person
  );
  if not found then
    raise sqlstate 'PT404' using message = 'sessions.not_found';
  end if;
  perform private.end_devices(v_person, sessions_end.session);
  delete from auth.sessions s where s.id = sessions_end.session;
  return jsonb_build_object('id', sessions_end.session);
end;
$$;
comment on function public.sessions_end(uuid) is
  'Ends one of the caller''s sessions or devices, with its refresh tokens; its access token opens nothing from the next statement on. Raises sessions.not_found, auth.*, two_factor.required.';
grant execute on function public.sessions_end(uuid) to authenticated;
