-- Passkeys, adding: what a person asks for is granted to people; what needs an answer verified first,
-- to the functions alone.

create function public.passkeys_begin_registration(tenant text)
returns jsonb
language plpgsql
volatile
security definer -- nobody else writes handles and challenges
set search_path = ''
as $$
#variable_conflict use_column
declare
  v_person uuid := private.require_person();
  v_domain jsonb := private.passkeys_require_domain(passkeys_begin_registration.tenant);
begin
  perform private.passkeys_require_room(v_person);
  insert into private.passkeys_handles (person_id, handle)
  values (v_person, private.passkeys_random())
  on conflict (person_id) do nothing;
  return v_domain || jsonb_build_object(
    'challenge', private.passkeys_challenge('register', v_domain, v_person, private.session_id()),
    'user', (
      select jsonb_build_object(
        'id', h.handle, 'name', coalesce(u.email, p.display_name), 'display_name', p.display_name
      )
      from public.people p
      join private.passkeys_handles h on h.person_id = p.id
      join auth.users u on u.id = p.id
      where p.id = v_person
    ),
    'passkeys', private.passkeys_at(v_person, v_domain ->> 'rp_id')
  );
end;
$$;
comment on function public.passkeys_begin_registration(text) is
  'A challenge for making a passkey at the domain of a tenant''s app: { challenge, rp_id, rp_name, user, passkeys }. The session began, or proved itself, within five minutes. Raises auth.*, two_factor.required, two_factor.recent_required, accounts.reauthentication_required, tenants.not_found, passkeys.no_domain, passkeys.too_many.';
grant execute on function public.passkeys_begin_registration(text) to authenticated;

create function private.passkeys_require_room(person uuid)
returns void
language plpgsql
stable
security definer -- reads factors and credentials, closed to clients
set search_path = ''
as $$
#variable_conflict use_column
begin
  perform private.require_way_in(passkeys_require_room.person, private.session_id());
  if (select count(*) >= 20 from private.passkeys p where p.person_id = passkeys_require_room.person) then
    raise sqlstate 'PT409' using message = 'passkeys.too_many';
  end if;
end;
$$;
comment on function private.passkeys_require_room(uuid) is
  'Whether the person may add a passkey now. Raises two_factor.recent_required, accounts.reauthentication_required, passkeys.too_many.';

create function private.passkeys_at(person uuid, rp_id text)
returns jsonb
language sql
stable
security definer -- reads credentials, closed to clients
set search_path = ''
as $$
  select coalesce(
    jsonb_agg(
      jsonb_build_object('id', p.credential_id, 'transports', p.transports) order by p.created_at
    ),
    '[]'
  )
  from private.passkeys p
  where p.person_id = passkeys_at.person and p.rp_id = passkeys_at.rp_id;
$$;
comment on function private.passkeys_at(uuid, text) is
  'The person''s credentials of a domain, as browsers are told of them.';

create function private.passkeys_shown(passkey private.passkeys)
returns jsonb
language sql
immutable
security invoker
set search_path = ''
as $$
  select jsonb_build_object(
    'id', passkey.id,
    'name', passkey.name,
    'rp_id', passkey.rp_id,
    'synced', passkey.synced,
    'backed_up', passkey.backed_up,
    'transports', passkey.transports,
    'created_at', passkey.created_at,
    'last_used_at', passkey.last_used_at
  );
$$;
comment on function private.passkeys_shown(private.passkeys) is 'A passkey as its owner sees it.';

create function public.passkeys_take_registration(challenge text)
returns jsonb
language plpgsql
volatile
security definer -- nobody else reads challenges
set search_path = ''
as $$
declare
  v_person uuid := private.require_person();
begin
  return private.passkeys_take(
    passkeys_take_registration.challenge, 'register', v_person, private.session_id(), null
  ) || jsonb_build_object('has_backup', exists (
    select from private.two_factor_backup_sets b where b.person_id = v_person
  ));
end;
$$;
comment on function public.passkeys_take_registration(text) is
  'Spends a challenge for making a passkey, in the session that asked for it: what private.passkeys_take gives, and has_backup: whether there are backup codes. Raises passkeys.refused, auth.*, two_factor.required.';
grant execute on function public.passkeys_take_registration(text) to authenticated;

create function private.passkeys_prove(passkey private.passkeys, session uuid, opened boolean)
returns void
language plpgsql
volatile
security definer -- nobody else writes what sessions have proved
set search_path = ''
as $$
#variable_conflict use_column
begin
  perform private.lift_session(passkeys_prove.session, passkey.person_id, 'passkey');
  insert into private.passkeys_sessions as s (session_id, passkey_id, opened)
  values (passkeys_prove.session, passkey.id, passkeys_prove.opened)
  -- Given again, it is this one that the proof hangs on; who opened the session stays.
  on conflict (session_id) do update set passkey_id = excluded.passkey_id where not s.opened;
end;
$$;
comment on function private.passkeys_prove(private.passkeys, uuid, boolean) is
  'The session is verified from now on, by this passkey. Raises auth.session_ended.';

create function public.passkeys_add(
  person uuid, session uuid, passkey jsonb, backup jsonb default null
)
returns jsonb
language plpgsql
volatile
security definer -- nobody else writes credentials and factors
set search_path = ''
as $$
#variable_conflict use_column
declare
  v_passkey private.passkeys;
  v_codes_taken boolean;
begin
  -- One at a time, so that none comes in past the limit or past a factor that was added meanwhile.
  perform from private.passkeys_handles h where h.person_id = passkeys_add.person for update;
  perform private.two_factor_require_verified(passkeys_add.person, passkeys_add.session);
  if (select count(*) >= 20 from private.passkeys p where p.person_id = passkeys_add.person) then
    raise sqlstate 'PT409' using message = 'passkeys.too_many';
  end if;
  insert into private.passkeys (
    person_id, credential_id, rp_id, public_key, counter, aaguid, synced, backed_up, transports, name
  )
  select passkeys_add.person, n.credential_id, n.rp_id, n.public_key, n.counter, n.aaguid, n.synced,
    n.backed_up, n.transports, n.name
  from jsonb_populate_record(null::private.passkeys, passkeys_add.passkey) n
  on conflict (credential_id) do nothing
  returning * into v_passkey;
  if not found then
    raise sqlstate 'PT409' using message = 'passkeys.already_registered';
  end if;
  insert into private.trust_factors (person_id, kind) values (passkeys_add.person, 'passkey')
  on conflict do nothing;
  -- Whoever loses their only authenticator has to have another way in. Shown are codes that are kept.
  v_codes_taken := passkeys_add.backup is not null and not exists (
    select from private.two_factor_backup_sets b where b.person_id = passkeys_add.person
  );
  if v_codes_taken then
    perform private.two_factor_keep_backup(passkeys_add.person, passkeys_add.backup);
  end if;
  -- Its user was verified just now, which is what a factor is asked for.
  perform private.passkeys_prove(v_passkey, passkeys_add.session, false);
  perform private.audit(
    'PASSKEY_ADDED', 'passkeys:' || v_passkey.id, after => private.passkeys_shown(v_passkey),
    actor => passkeys_add.person
  );
  perform private.notify(
    passkeys_add.person, 'passkeys.added',
    jsonb_build_object('name', v_passkey.name, 'domain', v_passkey.rp_id)
  );
  return jsonb_build_object(
    'passkey', private.passkeys_shown(v_passkey), 'codes_taken', v_codes_taken
  );
end;
$$;
comment on function public.passkeys_add(uuid, uuid, jsonb, jsonb) is
  'For the function api, which verified the answer to a challenge of this session: keeps the passkey, which counts as a second factor from now on, and backup codes unless there are some: { passkey, codes_taken }. Raises passkeys.already_registered, passkeys.too_many, two_factor.required, auth.session_ended.';
grant execute on function public.passkeys_add(uuid, uuid, jsonb, jsonb) to service_role;
