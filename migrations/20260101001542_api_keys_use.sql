-- API keys, use: opening sessions with them, and their end.

create function public.api_keys_open(digest text)
returns jsonb
language plpgsql
volatile
security definer -- reads secrets, which nobody else may
set search_path = ''
as $$
#variable_conflict use_column
declare
  v_key public.api_keys;
  v_secret private.api_keys_secrets;
begin
  select s.* into v_secret from private.api_keys_secrets s where s.digest = api_keys_open.digest;
  select k.* into v_key from public.api_keys k
  where k.tenant_id = v_secret.tenant_id and k.id = v_secret.id
    and k.revoked_at is null and k.expires_at > now();
  if not found then
    raise sqlstate 'PT401' using
      message = 'auth.required', detail = 'The API key is unknown, revoked or past its time.';
  end if;
  return jsonb_build_object(
    'tenant_id', v_key.tenant_id,
    'id', v_key.id,
    'person', v_key.person_id,
    'name', v_key.name,
    'permissions', v_key.permissions,
    'read_only', v_key.read_only,
    'requests_per_minute', v_key.requests_per_minute,
    -- A session that nobody holds any more is swept away soon after its one access token.
    'session_until', least(v_key.expires_at, now() + interval '65 minutes'),
    'sealed', case
      when v_secret.good_until > now() + interval '2 minutes'
        and exists (select from private.trust_apart a where a.session_id = v_secret.session_id)
        then v_secret.sealed
    end
  );
end;
$$;
comment on function public.api_keys_open(text) is
  'For the functions: whose key this is and what it permits, and its present session (sealed by the key) where that is good for a while. Raises auth.required.';
grant execute on function public.api_keys_open(text) to service_role;

create function public.api_keys_opened(
  tenant_id uuid, api_key uuid, session uuid, sealed text, good_until timestamptz
)
returns boolean
language plpgsql
volatile
security definer -- nobody else writes secrets
set search_path = ''
as $$
#variable_conflict use_column
begin
  -- Whoever revokes the key at this moment waits and finds the session, or we find the key revoked.
  perform from public.api_keys k
  where k.tenant_id = api_keys_opened.tenant_id and k.id = api_keys_opened.api_key
    and k.revoked_at is null
  for key share;
  if not found then
    delete from auth.sessions s where s.id = api_keys_opened.session;
    return false;
  end if;
  perform private.set_session_apart(api_keys_opened.session);
  insert into private.api_keys_sessions (tenant_id, id, session_id)
  select api_keys_opened.tenant_id, api_keys_opened.api_key, a.session_id
  from private.trust_apart a where a.session_id = api_keys_opened.session;
  update private.api_keys_secrets s
  set session_id = api_keys_opened.session, sealed = api_keys_opened.sealed,
    good_until = api_keys_opened.good_until
  where s.tenant_id = api_keys_opened.tenant_id and s.id = api_keys_opened.api_key;
  return true;
end;
$$;
comment on function public.api_keys_opened(uuid, uuid, uuid, text, timestamptz) is
  'For the functions, which opened a session with the key: takes it out of Auth and keeps its token for the next, sealed by the key. False, and the session ended, where the key was revoked meanwhile.';
grant execute on function public.api_keys_opened(uuid, uuid, uuid, text, timestamptz) to service_role;

create function private.api_keys_end(key public.api_keys)
returns public.api_keys
language plpgsql
volatile
security definer -- nobody else writes keys
set search_path = ''
as $$
#variable_conflict use_column
declare
  v_key public.api_keys;
begin
  update public.api_keys k set revoked_at = now()
  where k.tenant_id = key.tenant_id and k.id = key.id and k.revoked_at is null
  returning * into v_key;
  if not found then
    return key;
  end if;
  delete from private.trust_apart a
  using private.api_keys_sessions opened
  where opened.tenant_id = key.tenant_id and opened.id = key.id and a.session_id = opened.session_id;
  delete from private.api_keys_secrets s where s.tenant_id = key.tenant_id and s.id = key.id;
  perform private.audit('API_KEY_REVOKED', 'api_keys:' || key.id, null, null, key.tenant_id);
  return v_key;
end;
$$;
comment on function private.api_keys_end(public.api_keys) is
  'Revokes a key and ends its sessions; one that was revoked stays as it is.';

create function public.api_keys_revoke(tenant_id uuid, api_key uuid)
returns public.api_keys
language plpgsql
volatile
security definer -- nobody else writes keys
set search_path = ''
as $$
#variable_conflict use_column
declare
  v_person uuid := private.require_member(api_keys_revoke.tenant_id);
  v_key public.api_keys;
begin
  select * into v_key from public.api_keys k
  where k.tenant_id = api_keys_revoke.tenant_id and k.id = api_keys_revoke.api_key
  for no key update;
  if v_key.id is null or (
    v_key.person_id <> v_person and not private.can(api_keys_revoke.tenant_id, 'api_keys.manage')
  ) then
    raise sqlstate 'PT404' using message = 'api_keys.not_found';
  end if;
  return private.api_keys_end(v_key);
end;
$$;
comment on function public.api_keys_revoke(uuid, uuid) is
  'Revokes an own API key, or anybody''s (permission api_keys.manage): it and the sessions it opened are over with the next statement. Raises api_keys.not_found.';
grant execute on function public.api_keys_revoke(uuid, uuid) to authenticated;

create function private.api_keys_on_member_gone()
returns trigger
language plpgsql
volatile
security definer -- nobody else writes keys
set search_path = ''
as $$
begin
  perform private.api_keys_end(k) from public.api_keys k
  where k.tenant_id = new.tenant_id and k.person_id = new.person_id and k.revoked_at is null;
  return null;
end;
$$;
comment on function private.api_keys_on_member_gone() is
  'After a membership ended: its keys do, too. Who comes back makes new ones.';

create trigger api_keys_on_member_gone after update of status on public.members
  for each row when (old.status is distinct from new.status and new.status in ('left', 'banned'))
  execute function private.api_keys_on_member_gone();

create function private.api_keys_on_person_erased()
returns trigger
language plpgsql
volatile
security definer -- nobody else writes keys
set search_path = ''
as $$
begin
  delete from public.api_keys k where k.person_id = new.id;
  return null;
end;
$$;
comment on function private.api_keys_on_person_erased() is 'After a person was erased: their keys go, names and all.';

create trigger api_keys_on_person_erased after update of erased_at on public.people
  for each row when (old.erased_at is null and new.erased_at is not null)
  execute function private.api_keys_on_person_erased();

select private.declare_metric(
  'api_keys_live', 'gauge', 'API keys that are neither revoked nor past their time.',
  $$select count(*) as value from public.api_keys k where k.revoked_at is null and k.expires_at > now()$$
);
