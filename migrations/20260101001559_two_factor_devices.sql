-- Two factor, devices: one of a person's own, named by them, that stands in for the second factor of
-- their next logins for thirty days. It gives what the person asks of themselves: not what a tenant
-- asks of a role, and never the fresh factor that an act wants.

select private.declare_notification('two_factor.device_remembered', security => true);

insert into private.audit_actions (name, description)
values
  ('TWO_FACTOR_DEVICE_FORGOTTEN', 'Somebody had a device of theirs asked for the second factor again'),
  ('TWO_FACTOR_DEVICE_RECALLED', 'A session was let in without its second factor, by a remembered device'),
  ('TWO_FACTOR_DEVICE_REMEMBERED', 'Somebody had a device of theirs remembered');

create table private.two_factor_devices (
  id uuid primary key default private.uuid_v7(),
  person_id uuid not null references public.people (id) on delete cascade,
  digest bytea not null unique check (octet_length(digest) = 32),
  name text not null check (char_length(btrim(name)) between 1 and 60),
  created_at timestamptz not null default now(),
  last_used_at timestamptz,
  expires_at timestamptz not null default now() + interval '30 days'
);
comment on table private.two_factor_devices is
  'Devices that people had remembered, each by the digest of a secret that it alone keeps.';
create index two_factor_devices_person on private.two_factor_devices (person_id);
create index two_factor_devices_expires_at on private.two_factor_devices (expires_at);

create table private.two_factor_recalls (
  session_id uuid primary key references auth.sessions (id) on delete cascade,
  device_id uuid not null references private.two_factor_devices (id) on delete cascade
);
comment on table private.two_factor_recalls is
  'Which sessions a remembered device let in: they lose that with it, unless they gave the factor since.';
create index two_factor_recalls_device on private.two_factor_recalls (device_id);

-- Remembering
create function public.two_factor_remember_device(name text)
returns jsonb
language plpgsql
volatile
security definer -- nobody else writes devices
set search_path = ''
as $$
#variable_conflict use_column
declare
  v_person uuid := private.require_recent_factor();
  -- 244 random bits.
  v_token text := replace(gen_random_uuid()::text || gen_random_uuid(), '-', '');
  v_device private.two_factor_devices;
begin
  if coalesce(char_length(btrim(two_factor_remember_device.name)), 0) not between 1 and 60 then
    raise sqlstate 'PT422' using message = 'request.invalid', detail = 'name: 1 to 60 characters';
  end if;
  -- Locked: the last factor may be removed at this moment, and a device of none must not stay behind.
  perform from private.trust_factors f where f.person_id = v_person order by f.kind for update;
  if not found then
    raise sqlstate 'PT409' using message = 'two_factor.not_enabled';
  elsif (select count(*) >= 10 from private.two_factor_devices d
    where d.person_id = v_person and d.expires_at > now())
  then
    raise sqlstate 'PT409' using message = 'two_factor.too_many_devices';
  end if;
  insert into private.two_factor_devices (person_id, digest, name)
  values (v_person, private.accounts_digest(v_token), btrim(two_factor_remember_device.name))
  returning * into v_device;
  perform private.audit('TWO_FACTOR_DEVICE_REMEMBERED', 'two_factor_devices:' || v_device.id);
  perform private.notify(
    v_person, 'two_factor.device_remembered',
    jsonb_build_object('device', v_device.name, 'date', to_char(v_device.expires_at at time zone 'UTC', 'YYYY-MM-DD'))
  );
  return private.two_factor_device_shown(v_device) || jsonb_build_object('token', v_token);
end;
$$;
comment on function public.two_factor_remember_device(text) is
  'Has the caller''s device remembered for thirty days, within five minutes of a second factor: { id, name, created_at, last_used_at, expires_at, current, token }. The token is shown this once; the device keeps it for two_factor_recall_device. Raises auth.*, two_factor.required, two_factor.recent_required, two_factor.not_enabled, two_factor.too_many_devices, request.invalid.';
grant execute on function public.two_factor_remember_device(text) to authenticated;

create function private.two_factor_device_shown(device private.two_factor_devices)
returns jsonb
language sql
stable
security definer -- reads what is closed to clients
set search_path = ''
as $$
  select jsonb_build_object(
    'id', device.id,
    'name', device.name,
    'created_at', device.created_at,
    'last_used_at', device.last_used_at,
    'expires_at', device.expires_at,
    'current', exists (
      select from private.two_factor_recalls r
      where r.session_id = private.session_id() and r.device_id = device.id
    )
  );
$$;
comment on function private.two_factor_device_shown(private.two_factor_devices) is
  'A remembered device as its owner sees it; current: it let this session in.';

-- Recalling
create function public.two_factor_recall_device(token text)
returns jsonb
language plpgsql
volatile
security definer -- nobody else lifts sessions
set search_path = ''
as $$
#variable_conflict use_column
declare
  v_person uuid := private.unverified_person();
  v_device private.two_factor_devices;
begin
  -- No tries to count: of so many bits nobody guesses one. Locked until the session hangs on it.
  update private.two_factor_devices d set last_used_at = now()
  where d.digest = private.accounts_digest(coalesce(two_factor_recall_device.token, ''))
    and d.person_id = v_person and d.expires_at > now()
  returning * into v_device;
  if not found then
    raise sqlstate 'PT422' using message = 'two_factor.device_refused';
  end if;
  -- What a session gave itself is worth more than what stands in for it.
  if not exists (select from private.trust_sessions v where v.session_id = private.session_id()) then
    perform private.lift_session(private.session_id(), v_person, 'device');
    insert into private.two_factor_recalls (session_id, device_id)
    values (private.session_id(), v_device.id);
    perform private.audit(
      'TWO_FACTOR_DEVICE_RECALLED', 'two_factor_devices:' || v_device.id, actor => v_person
    );
  end if;
  return public.two_factor_status();
end;
$$;
comment on function public.two_factor_recall_device(text) is
  'A session that waits for its second factor is let in by the token of a remembered device of the caller''s, whichever way it began. Tenants whose rule asks the caller''s role for a factor stay closed, as do acts that want a fresh one. Returns what two_factor_status does. Raises auth.*, two_factor.device_refused.';
grant execute on function public.two_factor_recall_device(text) to authenticated;

create function public.two_factor_devices()
returns jsonb
language sql
stable
security definer -- reads devices, closed to clients
set search_path = ''
as $$
  select jsonb_build_object(
    'data', coalesce(
      jsonb_agg(private.two_factor_device_shown(d) order by d.created_at, d.id)
        filter (where d.id is not null),
      '[]'
    ),
    'next_cursor', null
  )
  from (select private.require_person()) one(person)
  left join private.two_factor_devices d on d.person_id = one.person and d.expires_at > now();
$$;
comment on function public.two_factor_devices() is
  'The caller''s remembered devices, at most ten: { data, next_cursor }. Raises auth.*, two_factor.required.';
grant execute on function public.two_factor_devices() to authenticated;

-- Forgetting
create function private.two_factor_end_devices(person uuid, device uuid default null)
returns void
language plpgsql
volatile
security definer -- nobody else writes devices
set search_path = ''
as $$
#variable_conflict use_column
begin
  -- Locked first: a session that is being let in at this moment is found below.
  perform from private.two_factor_devices d
  where d.person_id = two_factor_end_devices.person
  order by d.id
  for update;
  delete from private.trust_sessions v
  where v.person_id = two_factor_end_devices.person and v.method = 'device'
    and (two_factor_end_devices.device is null or v.session_id in (
      select r.session_id from private.two_factor_recalls r
      where r.device_id = two_factor_end_devices.device
    ));
  delete from private.two_factor_devices d
  where d.person_id = two_factor_end_devices.person
    and (two_factor_end_devices.device is null or d.id = two_factor_end_devices.device);
end;
$$;
comment on function private.two_factor_end_devices(uuid, uuid) is
  'Forgets a remembered device of the person, or all of them where none is named; sessions that it let in wait for their factor.';

create function public.two_factor_forget_device(device uuid)
returns jsonb
language plpgsql
volatile
security definer -- nobody else writes devices
set search_path = ''
as $$
#variable_conflict use_column
declare
  v_person uuid := private.require_person();
  v_shown jsonb;
begin
  select private.two_factor_device_shown(d) into v_shown
  from private.two_factor_devices d
  where d.id = two_factor_forget_device.device and d.person_id = v_person
  for update;
  if not found then
    raise sqlstate 'PT404' using message = 'two_factor.device_not_found';
  end if;
  -- Audited first: it may be this session that waits for its factor from now on.
  perform private.audit(
    'TWO_FACTOR_DEVICE_FORGOTTEN', 'two_factor_devices:' || two_factor_forget_device.device,
    actor => v_person
  );
  perform private.two_factor_end_devices(v_person, two_factor_forget_device.device);
  return v_shown;
end;
$$;
comment on function public.two_factor_forget_device(uuid) is
  'Has a remembered device of the caller''s asked for the second factor again, and the sessions that it let in. Raises auth.*, two_factor.required, two_factor.device_not_found.';
grant execute on function public.two_factor_forget_device(uuid) to authenticated;

create function private.two_factor_on_proof_changed()
returns trigger
language plpgsql
volatile
security definer -- nobody else writes devices
set search_path = ''
as $$
begin
  perform private.two_factor_end_devices(coalesce(new.person_id, old.person_id));
  return null;
end;
$$;
comment on function private.two_factor_on_proof_changed() is
  'After a factor, a passkey or the backup codes came or went: no device is remembered any more.';
create trigger two_factor_on_factor_changed after insert or delete on private.trust_factors
  for each row execute function private.two_factor_on_proof_changed();
create trigger two_factor_on_passkey_changed after insert or delete on private.passkeys
  for each row execute function private.two_factor_on_proof_changed();
create trigger two_factor_on_backup_changed after insert or delete on private.two_factor_backup_sets
  for each row execute function private.two_factor_on_proof_changed();

create function private.two_factor_on_login_changed()
returns trigger
language plpgsql
volatile
security definer -- nobody else writes devices
set search_path = ''
as $$
begin
  perform private.two_factor_end_devices(new.id);
  return null;
end;
$$;
comment on function private.two_factor_on_login_changed() is
  'After another password or address, a ban, or the end of the login: no device is remembered any more.';
create trigger two_factor_on_login_changed
  after update of encrypted_password, email, banned_until, deleted_at on auth.users
  for each row when (
    (old.encrypted_password, old.email, old.banned_until, old.deleted_at)
      is distinct from (new.encrypted_password, new.email, new.banned_until, new.deleted_at)
  )
  execute function private.two_factor_on_login_changed();

create function private.two_factor_forget_devices()
returns bigint
language sql
volatile
security definer -- nobody else writes devices
set search_path = ''
as $$
  with gone as (
    delete from private.two_factor_devices d where d.expires_at <= now() returning 1
  )
  select count(*) from gone;
$$;
comment on function private.two_factor_forget_devices() is
  'Forgets devices whose thirty days are over; sessions they let in go on. Returns how many went.';
select private.schedule('two_factor-forget-devices', '37 4 * * *', 'select private.two_factor_forget_devices()');
