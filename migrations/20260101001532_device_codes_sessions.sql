-- Device codes, sessions: what an approved device is given, and how it goes on. Each session is taken
-- out of Supabase Auth before its token is handed over, and renewed for a secret that is good once.

create function public.device_codes_opened(
  device uuid, session uuid, secret text, used text default null
)
returns boolean
language plpgsql
volatile
security definer -- nobody else writes devices
set search_path = ''
as $$
#variable_conflict use_column
declare
  v_before uuid;
begin
  if device_codes_opened.used is null then
    insert into private.trust_devices
      (id, person_id, only_tenant, label, place, verified, session_id, digest)
    select c.id, c.person_id, c.tenant_id, c.client, c.place, c.verified,
      device_codes_opened.session, device_codes_opened.secret
    from private.device_codes c
    where c.id = device_codes_opened.device and c.status = 'used'
    on conflict (id) do nothing;
  else
    -- Locked: who signs the device out at this moment waits and finds its new session, or we find none.
    select d.session_id into v_before from private.trust_devices d
    where d.id = device_codes_opened.device for update;
    update private.trust_devices d
    set session_id = device_codes_opened.session, digest = device_codes_opened.secret,
      digest_before = device_codes_opened.used, expires_at = now() + interval '90 days',
      -- A client that lost an answer does not get another minute by asking again.
      renewed_at = case when d.digest = device_codes_opened.used then now() else d.renewed_at end
    where d.id = device_codes_opened.device and d.expires_at > now() and (
      d.digest = device_codes_opened.used
      or (d.digest_before = device_codes_opened.used and d.renewed_at > now() - interval '1 minute')
    );
  end if;
  if not found then
    delete from auth.sessions s where s.id = device_codes_opened.session;
    return false;
  end if;
  perform private.set_session_apart(device_codes_opened.session);
  perform private.end_session_apart(v_before);
  return true;
end;
$$;
comment on function public.device_codes_opened(uuid, uuid, text, text) is
  'For the function api, which opened a session for a device: takes it out of Auth, in the place of the one before, and keeps the digest of what the next is given for (secret) in the place of that it was opened for (used; none: the device has just been approved). False, and the session ended, where the device was signed out meanwhile.';
grant execute on function public.device_codes_opened(uuid, uuid, text, text) to service_role;

create function public.device_codes_renew(digest text, client text)
returns jsonb
language plpgsql
volatile
security definer -- nobody else reads devices
set search_path = ''
as $$
#variable_conflict use_column
declare
  v_device private.trust_devices;
begin
  select * into v_device from private.trust_devices d
  where (d.digest = device_codes_renew.digest or d.digest_before = device_codes_renew.digest)
    and d.label = device_codes_renew.client and d.expires_at > now()
  for update;
  if not found then
    return jsonb_build_object('error', 'invalid_grant');
  elsif v_device.digest <> device_codes_renew.digest
    and v_device.renewed_at <= now() - interval '1 minute'
  then
    perform private.end_devices(v_device.person_id, v_device.id);
    perform private.audit('SESSION_REPLAYED', 'sessions:' || v_device.id, actor => v_device.person_id);
    perform private.notify(
      v_device.person_id, 'sessions.replayed', jsonb_build_object('device', v_device.label)
    );
    return jsonb_build_object('error', 'invalid_grant');
  end if;
  perform private.device_codes_require_entry(v_device.only_tenant, v_device.person_id);
  return jsonb_build_object(
    'device', v_device.id, 'person', v_device.person_id, 'tenant_id', v_device.only_tenant,
    'verified', v_device.verified
  );
end;
$$;
comment on function public.device_codes_renew(text, text) is
  'For the function api: the device whose refresh token this is, for which to open its next session: { device, person, tenant_id, verified }, or { error } as RFC 6749 names it. One that was used before signs the device out, and its person is told. Raises members.pending, members.suspended, members.banned, tenants.not_found while the person is no active member; the token stays good.';
grant execute on function public.device_codes_renew(text, text) to service_role;
