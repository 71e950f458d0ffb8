-- Passkeys, using: a passkey opens a session of its owner, or verifies the one they are in.

create function public.passkeys_begin_login(tenant text)
returns jsonb
language plpgsql
volatile
security definer -- nobody else writes challenges
set search_path = ''
as $$
declare
  v_domain jsonb := private.passkeys_require_domain(passkeys_begin_login.tenant);
begin
  return v_domain || jsonb_build_object('challenge', private.passkeys_challenge('login', v_domain));
end;
$$;
comment on function public.passkeys_begin_login(text) is
  'For the function api: a challenge for whoever comes with a passkey of the tenant''s domain: { challenge, rp_id, rp_name, origins }. Raises tenants.not_found, passkeys.no_domain.';
grant execute on function public.passkeys_begin_login(text) to service_role;

create function public.passkeys_begin_step_up(tenant text)
returns jsonb
language plpgsql
volatile
security definer -- nobody else writes challenges
set search_path = ''
as $$
declare
  v_person uuid := private.unverified_person();
  v_domain jsonb := private.passkeys_require_domain(passkeys_begin_step_up.tenant);
  v_passkeys jsonb := private.passkeys_at(v_person, v_domain ->> 'rp_id');
begin
  if v_passkeys = '[]' then
    raise sqlstate 'PT404' using message = 'passkeys.not_found';
  end if;
  return v_domain || jsonb_build_object(
    'challenge', private.passkeys_challenge('step_up', v_domain, v_person, private.session_id()),
    'passkeys', v_passkeys
  );
end;
$$;
comment on function public.passkeys_begin_step_up(text) is
  'A challenge for giving a passkey as the second factor of this session: { challenge, rp_id, rp_name, passkeys }. Raises auth.*, tenants.not_found, passkeys.no_domain, passkeys.not_found.';
grant execute on function public.passkeys_begin_step_up(text) to authenticated;

create function public.passkeys_take_step_up(challenge text, credential text)
returns jsonb
language plpgsql
volatile
security definer -- nobody else reads challenges and credentials
set search_path = ''
as $$
begin
  return private.passkeys_take(
    passkeys_take_step_up.challenge, 'step_up', private.unverified_person(), private.session_id(),
    passkeys_take_step_up.credential
  );
end;
$$;
comment on function public.passkeys_take_step_up(text, text) is
  'Spends a challenge for giving a passkey, in the session that asked for it. Raises passkeys.refused, auth.*.';
grant execute on function public.passkeys_take_step_up(text, text) to authenticated;

create function public.passkeys_take_login(challenge text, credential text)
returns jsonb
language sql
volatile
security definer -- nobody else reads challenges and credentials
set search_path = ''
as $$
  select private.passkeys_take(
    passkeys_take_login.challenge, 'login', null, null, passkeys_take_login.credential
  );
$$;
comment on function public.passkeys_take_login(text, text) is
  'For the function api: spends a challenge for signing in, and tells whose the credential is. Raises passkeys.refused.';
grant execute on function public.passkeys_take_login(text, text) to service_role;

create function public.passkeys_accept(passkey uuid, counter bigint, backed_up boolean)
returns boolean
language plpgsql
volatile
security definer -- nobody else writes credentials
set search_path = ''
as $$
#variable_conflict use_column
declare
  v_passkey private.passkeys;
begin
  -- Two who come with the same counter at the same moment meet here, and the second is refused.
  update private.passkeys p
  set counter = passkeys_accept.counter, backed_up = passkeys_accept.backed_up, last_used_at = now()
  where p.id = passkeys_accept.passkey
    and (p.counter < passkeys_accept.counter or (p.counter = 0 and passkeys_accept.counter = 0));
  if found then
    return true;
  end if;
  select * into v_passkey from private.passkeys p where p.id = passkeys_accept.passkey;
  if found then
    perform private.audit(
      'PASSKEY_COUNTER_REFUSED', 'passkeys:' || v_passkey.id,
      jsonb_build_object('counter', v_passkey.counter),
      jsonb_build_object('counter', passkeys_accept.counter), actor => v_passkey.person_id
    );
    perform private.notify(
      v_passkey.person_id, 'passkeys.copied',
      jsonb_build_object('name', v_passkey.name, 'domain', v_passkey.rp_id)
    );
  end if;
  return false;
end;
$$;
comment on function public.passkeys_accept(uuid, bigint, boolean) is
  'For the function api, which verified the signature: whether the counter has grown. One that has not (other than from zero to zero) is refused, told to its owner, and kept in the trail, so it does not raise.';
grant execute on function public.passkeys_accept(uuid, bigint, boolean) to service_role;

create function public.passkeys_verified(passkey uuid, session uuid, opened boolean)
returns void
language plpgsql
volatile
security definer -- nobody else writes what sessions have proved
set search_path = ''
as $$
#variable_conflict use_column
declare
  v_passkey private.passkeys;
begin
  -- Locked: it may be removed at this moment, and must not prove anything afterwards.
  select * into v_passkey from private.passkeys p where p.id = passkeys_verified.passkey for key share;
  if not found then
    raise sqlstate 'PT422' using message = 'passkeys.refused';
  end if;
  perform private.passkeys_prove(v_passkey, passkeys_verified.session, passkeys_verified.opened);
  perform private.audit('PASSKEY_VERIFIED', 'passkeys:' || v_passkey.id, actor => v_passkey.person_id);
end;
$$;
comment on function public.passkeys_verified(uuid, uuid, boolean) is
  'For the function api: the accepted passkey verifies this session of its owner; opened: it began with it. Raises passkeys.refused, auth.session_ended.';
grant execute on function public.passkeys_verified(uuid, uuid, boolean) to service_role;
