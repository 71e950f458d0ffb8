-- Trust, devices: a session apart ends with its token, and a device stays for longer. So it has a
-- secret of ours, good once, for which it is given its next session: what Supabase Auth does with
-- refresh tokens, but Auth's own doors stay closed to who holds the device.

create table private.trust_devices (
  id uuid primary key,
  person_id uuid not null references public.people (id) on delete cascade,
  only_tenant uuid not null references public.tenants (id) on delete cascade,
  label text not null check (char_length(label) between 1 and 80),
  place text,
  verified boolean not null,
  session_id uuid not null,
  digest text not null check (digest ~ '^[0-9a-f]{64}$'),
  digest_before text,
  renewed_at timestamptz not null default now(),
  expires_at timestamptz not null default now() + interval '90 days'
);
comment on table private.trust_devices is
  'Devices that are signed in for a person at one tenant, and what their next session is given for. Without its row a device is signed out.';
comment on column private.trust_devices.verified is
  'Whether who let it in had given a second factor: its sessions count as they did.';
comment on column private.trust_devices.session_id is 'Its present session, in private.trust_apart.';
comment on column private.trust_devices.digest is 'SHA-256 of the refresh token that is good.';
comment on column private.trust_devices.digest_before is
  'That of the one before: once more within a minute it is a client that lost an answer, later it is in two hands.';
comment on column private.trust_devices.expires_at is 'A device that was off for so long signs in anew.';
create index trust_devices_person on private.trust_devices (person_id);
create index trust_devices_tenant on private.trust_devices (only_tenant);
create unique index trust_devices_digest on private.trust_devices (digest);
create index trust_devices_digest_before on private.trust_devices (digest_before);
create index trust_devices_session on private.trust_devices (session_id);
create index trust_devices_expires on private.trust_devices (expires_at);

create function private.end_devices(person uuid, device uuid default null)
returns integer
language plpgsql
volatile
security definer -- nobody else writes devices
set search_path = ''
as $$
#variable_conflict use_column
declare
  v_session uuid;
  v_count integer := 0;
begin
  for v_session in
    delete from private.trust_devices d
    where d.person_id = end_devices.person
      and (end_devices.device is null or d.id = end_devices.device)
    returning d.session_id
  loop
    perform private.end_session_apart(v_session);
    v_count := v_count + 1;
  end loop;
  return v_count;
end;
$$;
comment on function private.end_devices(uuid, uuid) is
  'Signs a device of the person out, or all of them where none is named. Returns how many.';

create function private.trust_on_login_changed()
returns trigger
language plpgsql
volatile
security definer -- ends devices for Auth's role
set search_path = ''
as $$
begin
  perform private.end_devices(new.id);
  return null;
end;
$$;
comment on function private.trust_on_login_changed() is
  'After another password, or the end of the login: devices are signed out, as Auth signs out its own sessions.';
create trigger trust_on_login_changed after update of encrypted_password, deleted_at on auth.users
  for each row when (
    old.encrypted_password is distinct from new.encrypted_password
    or (old.deleted_at is null and new.deleted_at is not null)
  )
  execute function private.trust_on_login_changed();

create function private.trust_on_person_erased()
returns trigger
language plpgsql
volatile
security definer -- ends devices
set search_path = ''
as $$
begin
  perform private.end_devices(new.id);
  return null;
end;
$$;
comment on function private.trust_on_person_erased() is 'After a person was erased: their devices go.';
create trigger trust_on_person_erased after update of erased_at on public.people
  for each row when (old.erased_at is null and new.erased_at is not null)
  execute function private.trust_on_person_erased();
