-- Passkeys, life: what their owners see and change, and how they go.

create function public.passkeys_list()
returns jsonb
language sql
stable
security definer -- reads credentials, closed to clients
set search_path = ''
as $$
  select jsonb_build_object(
    'data', coalesce(jsonb_agg(private.passkeys_shown(p) order by p.created_at, p.id)
      filter (where p.id is not null), '[]'),
    'next_cursor', null
  )
  from (select private.require_person()) one(person)
  left join private.passkeys p on p.person_id = one.person;
$$;
comment on function public.passkeys_list() is
  'The caller''s passkeys, at most twenty: { data, next_cursor }. Raises auth.*, two_factor.required.';
grant execute on function public.passkeys_list() to authenticated;

create function public.passkeys_rename(passkey uuid, name text)
returns jsonb
language plpgsql
volatile
security definer -- nobody else writes credentials
set search_path = ''
as $$
#variable_conflict use_column
declare
  v_person uuid := private.require_person();
  v_before text;
  v_passkey private.passkeys;
begin
  if coalesce(char_length(btrim(passkeys_rename.name)), 0) not between 1 and 60 then
    raise sqlstate 'PT422' using message = 'request.invalid', detail = 'name';
  end if;
  select p.name into v_before from private.passkeys p
  where p.id = passkeys_rename.passkey and p.person_id = v_person
  for update;
  if not found then
    raise sqlstate 'PT404' using message = 'passkeys.not_found';
  end if;
  update private.passkeys p set name = btrim(passkeys_rename.name)
  where p.id = passkeys_rename.passkey
  returning * into v_passkey;
  perform private.audit(
    'PASSKEY_RENAMED', 'passkeys:' || v_passkey.id, jsonb_build_object('name', v_before),
    jsonb_build_object('name', v_passkey.name)
  );
  return private.passkeys_shown(v_passkey);
end;
$$;
comment on function public.passkeys_rename(uuid, text) is
  'Gives a passkey of the caller another name. Raises auth.*, two_factor.required, request.invalid, passkeys.not_found.';
grant execute on function public.passkeys_rename(uuid, text) to authenticated;

create function public.passkeys_delete(passkey uuid)
returns jsonb
language plpgsql
volatile
security definer -- nobody else writes credentials and factors
set search_path = ''
as $$
#variable_conflict use_column
declare
  v_person uuid := private.require_person();
  v_passkey private.passkeys;
begin
  -- Against somebody who adds one, or removes the last but one, at the same moment.
  perform from private.passkeys_handles h where h.person_id = v_person for update;
  select * into v_passkey from private.passkeys p
  where p.id = passkeys_delete.passkey and p.person_id = v_person;
  if not found then
    raise sqlstate 'PT404' using message = 'passkeys.not_found';
  end if;
  perform private.require_recent_factor();

  perform private.passkeys_end_sessions(v_passkey.id, private.session_id());
  delete from private.passkeys p where p.id = v_passkey.id;
  delete from private.trust_factors f
  where f.person_id = v_person and f.kind = 'passkey'
    and not exists (select from private.passkeys p where p.person_id = v_person);
  perform private.two_factor_drop_backup(v_person);
  perform private.audit(
    'PASSKEY_REMOVED', 'passkeys:' || v_passkey.id, private.passkeys_shown(v_passkey),
    actor => v_person
  );
  perform private.notify(
    v_person, 'passkeys.removed',
    jsonb_build_object('name', v_passkey.name, 'domain', v_passkey.rp_id)
  );
  return private.passkeys_shown(v_passkey);
end;
$$;
comment on function public.passkeys_delete(uuid) is
  'Removes a passkey of the caller, who gave a second factor within five minutes. Other sessions that it opened end; what it had proved is void. Raises auth.*, two_factor.required, two_factor.recent_required, passkeys.not_found.';
grant execute on function public.passkeys_delete(uuid) to authenticated;

create function private.passkeys_end_sessions(passkey uuid, but uuid)
returns void
language plpgsql
volatile
security definer -- nobody else ends sessions
set search_path = ''
as $$
#variable_conflict use_column
begin
  delete from private.trust_sessions v
  using private.passkeys_sessions s
  where s.passkey_id = passkeys_end_sessions.passkey and v.session_id = s.session_id
    and v.method = 'passkey';
  delete from auth.sessions a
  using private.passkeys_sessions s
  where s.passkey_id = passkeys_end_sessions.passkey and s.opened and a.id = s.session_id
    and a.id is distinct from passkeys_end_sessions.but;
end;
$$;
comment on function private.passkeys_end_sessions(uuid, uuid) is
  'Ends the sessions that the passkey opened, but for one, and voids what it had proved in others: whoever has the device must not stay in.';

create function private.passkeys_on_person_erased()
returns trigger
language plpgsql
volatile
security definer -- nobody else writes credentials
set search_path = ''
as $$
begin
  delete from private.passkeys p where p.person_id = new.id;
  delete from private.passkeys_handles h where h.person_id = new.id;
  delete from private.passkeys_challenges c where c.person_id = new.id;
  delete from private.trust_factors f where f.person_id = new.id and f.kind = 'passkey';
  perform private.two_factor_drop_backup(new.id);
  return null;
end;
$$;
comment on function private.passkeys_on_person_erased() is 'After a person was erased: their passkeys go.';

create trigger passkeys_on_person_erased after update of erased_at on public.people
  for each row when (old.erased_at is null and new.erased_at is not null)
  execute function private.passkeys_on_person_erased();

create function private.passkeys_forget_challenges()
returns bigint
language sql
volatile
security definer -- nobody else writes challenges
set search_path = ''
as $$
  with gone as (
    delete from private.passkeys_challenges c where c.expires_at <= now() returning 1
  )
  select count(*) from gone;
$$;
comment on function private.passkeys_forget_challenges() is
  'Removes challenges that nobody answered in time. Returns how many.';

select private.schedule(
  'passkeys-forget-challenges', '*/10 * * * *', 'select private.passkeys_forget_challenges()'
);

select private.declare_metric(
  'passkeys_registered', 'gauge', 'Passkeys, by whether they are synced between devices.',
  $$select count(p.id) as value, jsonb_build_object('synced', kinds.synced::text) as labels
    from (values (true), (false)) kinds(synced)
    left join private.passkeys p on p.synced = kinds.synced
    group by kinds.synced$$
);
