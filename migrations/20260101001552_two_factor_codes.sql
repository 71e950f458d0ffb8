-- Two factor, codes: the functions' doors. They decrypt and hash; here a code is taken once, whoever
-- asks at the same moment, and the session it was given in is lifted in the same transaction.

create function public.two_factor_read(person uuid, session uuid)
returns jsonb
language plpgsql
volatile
security definer -- reads secrets, which nobody else may
set search_path = ''
as $$
#variable_conflict use_column
declare
  v_found jsonb;
begin
  select jsonb_build_object(
    'secret', e.secret, 'confirmed', e.confirmed_at is not null, 'backup', to_jsonb(b)
  )
  into v_found
  from auth.sessions s
  left join private.two_factor_enrolments e
    on e.person_id = s.user_id
    and (e.confirmed_at is not null or e.created_at > now() - interval '10 minutes')
  left join private.two_factor_backup_sets b on b.person_id = s.user_id
  where s.user_id = two_factor_read.person and s.id = two_factor_read.session
    and (e.person_id is not null or b.person_id is not null);
  if not found then
    raise sqlstate 'PT409' using message = 'two_factor.not_enabled';
  end if;
  return v_found;
end;
$$;
comment on function public.two_factor_read(uuid, uuid) is
  'For the function api: the encrypted secret, null for a set-up older than ten minutes, and how backup codes are hashed, null where there are none. Raises two_factor.not_enabled where there is neither.';
grant execute on function public.two_factor_read(uuid, uuid) to service_role;

create function private.two_factor_require_verified(person uuid, session uuid)
returns void
language plpgsql
stable
security definer -- reads factors and sessions, closed to clients
set search_path = ''
as $$
begin
  if exists (
    select from private.trust_factors f where f.person_id = two_factor_require_verified.person
  ) and not exists (
    select from private.trust_sessions v where v.session_id = two_factor_require_verified.session
  ) then
    raise sqlstate 'PT403' using message = 'two_factor.required';
  end if;
end;
$$;
comment on function private.two_factor_require_verified(uuid, uuid) is
  'Raises two_factor.required where the person has a factor, of whatever kind, that the session has not given.';

create function public.two_factor_begin(person uuid, session uuid, secret text)
returns void
language plpgsql
volatile
security definer -- nobody else writes enrolments
set search_path = ''
as $$
#variable_conflict use_column
begin
  perform private.two_factor_require_verified(person, session);
  if exists (
    select from private.two_factor_enrolments e
    where e.person_id = two_factor_begin.person and e.confirmed_at is not null
  ) then
    raise sqlstate 'PT409' using message = 'two_factor.already_enabled';
  end if;
  perform private.require_way_in(person, session);
  insert into private.two_factor_enrolments as e (person_id, secret)
  values (two_factor_begin.person, two_factor_begin.secret)
  on conflict (person_id) do update
  set secret = excluded.secret, last_step = null, created_at = now()
  where e.confirmed_at is null;
  if not found then
    raise sqlstate 'PT409' using message = 'two_factor.already_enabled';
  end if;
end;
$$;
comment on function public.two_factor_begin(uuid, uuid, text) is
  'For the function api: keeps the encrypted secret of a set-up, in place of one that was not confirmed. Raises two_factor.already_enabled, two_factor.required, two_factor.recent_required, accounts.reauthentication_required.';
grant execute on function public.two_factor_begin(uuid, uuid, text) to service_role;

create function public.two_factor_accept(
  person uuid, session uuid, secret_read text, secret text, step bigint, backup jsonb default null
)
returns jsonb
language plpgsql
volatile
security definer -- nobody else writes enrolments
set search_path = ''
as $$
#variable_conflict use_column
declare
  v_before private.two_factor_enrolments;
begin
  -- Whoever comes with the same code at the same moment waits here, and then finds it used.
  select * into v_before from private.two_factor_enrolments e
  where e.person_id = two_factor_accept.person
  for update;
  -- A secret that changed since it was read is another one, or this one under another key.
  if not found or v_before.secret <> secret_read or v_before.last_step >= step then
    raise sqlstate 'PT422' using message = 'two_factor.code_refused';
  end if;
  update private.two_factor_enrolments e
  set last_step = two_factor_accept.step, secret = two_factor_accept.secret,
    confirmed_at = coalesce(e.confirmed_at, now())
  where e.person_id = v_before.person_id;

  if v_before.confirmed_at is null then
    perform private.two_factor_confirm(v_before.person_id, session, backup);
  else
    perform private.audit('TWO_FACTOR_VERIFIED', 'people:' || v_before.person_id, actor => v_before.person_id);
  end if;
  perform private.lift_session(session, v_before.person_id, 'totp');
  return jsonb_build_object('confirmed', v_before.confirmed_at is null);
end;
$$;
comment on function public.two_factor_accept(uuid, uuid, text, text, bigint, jsonb) is
  'For the function api, which found the code of this time step right: takes the step once, confirms a set-up (with its backup codes), lifts the session, and keeps the secret as encrypted anew. Raises two_factor.code_refused, two_factor.required, auth.session_ended.';
grant execute on function public.two_factor_accept(uuid, uuid, text, text, bigint, jsonb) to service_role;

create function private.two_factor_confirm(person uuid, session uuid, backup jsonb)
returns void
language plpgsql
volatile
security definer -- nobody else writes factors
set search_path = ''
as $$
begin
  -- A factor of another kind may have come since the set-up began; then it has to be given first.
  perform private.two_factor_require_verified(two_factor_confirm.person, two_factor_confirm.session);
  insert into private.trust_factors (person_id, kind) values (two_factor_confirm.person, 'totp');
  perform private.two_factor_keep_backup(two_factor_confirm.person, two_factor_confirm.backup);
  perform private.audit(
    'TWO_FACTOR_ENABLED', 'people:' || two_factor_confirm.person, actor => two_factor_confirm.person
  );
  perform private.notify(two_factor_confirm.person, 'two_factor.enabled');
end;
$$;
comment on function private.two_factor_confirm(uuid, uuid, jsonb) is
  'Makes a set-up count: from now on the person''s sessions open nothing before they are verified.';

-- Backup codes
create function private.two_factor_keep_backup(person uuid, backup jsonb)
returns void
language sql
volatile
security definer -- nobody else writes backup codes
set search_path = ''
as $$
  delete from private.two_factor_backup_sets s where s.person_id = two_factor_keep_backup.person;

  insert into private.two_factor_backup_sets (person_id, salt, memory_kib, passes)
  select two_factor_keep_backup.person, b.salt, b.memory_kib, b.passes
  from jsonb_to_record(two_factor_keep_backup.backup) b(salt text, memory_kib int, passes int);

  insert into private.two_factor_backup_codes (person_id, digest)
  select two_factor_keep_backup.person, jsonb_array_elements_text(two_factor_keep_backup.backup -> 'digests');
$$;
comment on function private.two_factor_keep_backup(uuid, jsonb) is
  'Replaces the person''s backup codes by { salt, memory_kib, passes, digests }.';

create function public.two_factor_use_backup_code(person uuid, session uuid, digest text)
returns jsonb
language plpgsql
volatile
security definer -- nobody else writes backup codes
set search_path = ''
as $$
#variable_conflict use_column
declare
  v_left integer;
begin
  update private.two_factor_backup_codes c
  set used_at = now()
  where c.person_id = two_factor_use_backup_code.person
    and c.digest = two_factor_use_backup_code.digest and c.used_at is null;
  if not found then
    raise sqlstate 'PT422' using message = 'two_factor.code_refused';
  end if;
  perform private.lift_session(session, person, 'backup_code');
  select count(*) into v_left from private.two_factor_backup_codes c
  where c.person_id = two_factor_use_backup_code.person and c.used_at is null;
  perform private.audit('TWO_FACTOR_BACKUP_USED', 'people:' || person, actor => person);
  perform private.notify(
    person, 'two_factor.backup_code_used', jsonb_build_object('left', v_left::text)
  );
  return jsonb_build_object('backup_codes_left', v_left);
end;
$$;
comment on function public.two_factor_use_backup_code(uuid, uuid, text) is
  'For the function api: uses up the backup code of this digest and lifts the session. Raises two_factor.code_refused, auth.session_ended.';
grant execute on function public.two_factor_use_backup_code(uuid, uuid, text) to service_role;

create function public.two_factor_replace_backup_codes(person uuid, session uuid, backup jsonb)
returns void
language plpgsql
volatile
security definer -- nobody else writes backup codes
set search_path = ''
as $$
#variable_conflict use_column
begin
  -- Locked: the last factor may be removed at this moment, and codes of none must not stay behind.
  perform from private.trust_factors f
  where f.person_id = two_factor_replace_backup_codes.person
  for update;
  if not found then
    raise sqlstate 'PT409' using message = 'two_factor.not_enabled';
  elsif not exists (
    select from private.trust_sessions v
    where v.session_id = session and v.person_id = two_factor_replace_backup_codes.person
  ) or not private.recent_factor(session) then
    raise sqlstate 'PT403' using message = 'two_factor.recent_required';
  end if;
  perform private.two_factor_keep_backup(person, backup);
  perform private.audit('TWO_FACTOR_BACKUP_REPLACED', 'people:' || person, actor => person);
  perform private.notify(person, 'two_factor.backup_codes_replaced');
end;
$$;
comment on function public.two_factor_replace_backup_codes(uuid, uuid, jsonb) is
  'For the function api: makes all earlier backup codes void. Raises two_factor.not_enabled, two_factor.recent_required.';
grant execute on function public.two_factor_replace_backup_codes(uuid, uuid, jsonb) to service_role;

-- Keys change: what is still encrypted with an old one is found by its name.
create function public.two_factor_secrets_under(
  keys text[], after uuid default null, batch integer default 200
)
returns jsonb
language sql
stable
security definer -- reads secrets, which nobody else may
set search_path = ''
as $$
  select coalesce(jsonb_agg(to_jsonb(e) order by e.person_id), '[]')
  from (
    select e.person_id, e.secret from private.two_factor_enrolments e
    where split_part(e.secret, '.', 2) = any (two_factor_secrets_under.keys)
      and (two_factor_secrets_under.after is null or e.person_id > two_factor_secrets_under.after)
    order by e.person_id limit batch
  ) e;
$$;
comment on function public.two_factor_secrets_under(text[], uuid, integer) is
  'For the worker: secrets that are encrypted with the keys of these names, by person, after the one named.';
grant execute on function public.two_factor_secrets_under(text[], uuid, integer) to service_role;

create function public.two_factor_reencrypt(person uuid, secret_read text, secret text)
returns boolean
language plpgsql
volatile
security definer -- nobody else writes enrolments
set search_path = ''
as $$
#variable_conflict use_column
begin
  update private.two_factor_enrolments e set secret = two_factor_reencrypt.secret
  where e.person_id = two_factor_reencrypt.person and e.secret = secret_read;
  return found;
end;
$$;
comment on function public.two_factor_reencrypt(uuid, text, text) is
  'For the worker: the same secret under another key, unless it changed meanwhile.';
grant execute on function public.two_factor_reencrypt(uuid, text, text) to service_role;

select private.schedule(
  'two_factor-rotate', '41 3 * * *',
  $$select private.enqueue('two_factor.rotate', '{}', private.platform(), dedupe_key => 'two_factor.rotate')
    where exists (select from private.two_factor_enrolments)$$
);
