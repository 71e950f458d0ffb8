-- Accounts, logins: what has to hold on auth.users whoever changes it, a client that talks to Auth
-- directly included.

create function private.accounts_on_password_changed()
returns trigger
language plpgsql
volatile
security definer -- writes tokens and counters, sends mail for Auth's role
set search_path = ''
as $$
begin
  -- A verification, too: only what is mailed from now on may prove the address with this password.
  -- What Auth itself mailed, Auth voids with the password.
  delete from private.accounts_tokens t
  where t.person_id = new.id
    and (t.purpose in ('reset', 'reauthentication') or new.email_confirmed_at is null);
  delete from private.accounts_proofs p where p.person_id = new.id;
  perform private.accounts_forgive(new.email);
  if new.email_confirmed_at is not null and new.deleted_at is null then
    perform private.notify(
      new.id, 'accounts.password_changed', '{}', null, now() + interval '7 days'
    );
  end if;
  return null;
end;
$$;
comment on function private.accounts_on_password_changed() is
  'After a password was changed: what was mailed or proved before is void, and the person is told. Auth itself ends the other sessions.';

create trigger accounts_on_password_changed after update of encrypted_password on auth.users
  for each row when (old.encrypted_password is distinct from new.encrypted_password)
  execute function private.accounts_on_password_changed();

create function private.accounts_guard_address()
returns trigger
language plpgsql
stable
security definer -- reads factors and proofs for Auth's role
set search_path = ''
as $$
begin
  -- Auth does not say which session asks, so any of theirs will do.
  if not private.accounts_recently_proved(new.id) then
    raise sqlstate 'PT403' using message = 'accounts.reauthentication_required';
  end if;
  return new;
end;
$$;
comment on function private.accounts_guard_address() is
  'Before a person asks Auth for another address: they proved themselves within five minutes. Raises accounts.reauthentication_required.';

create trigger accounts_guard_address before update of email_change on auth.users
  for each row when (coalesce(new.email_change, '') not in ('', coalesce(old.email_change, '')))
  execute function private.accounts_guard_address();

create function private.accounts_on_address_changed()
returns trigger
language plpgsql
volatile
security definer -- writes tokens and mails for Auth's role
set search_path = ''
as $$
declare
  v_event private.notifications_events;
begin
  delete from private.accounts_tokens t where t.person_id = new.id;
  -- To where the person read until now: who took an account over must not be the one who is told.
  v_event.tenant_id := private.platform();
  v_event.person_id := new.id;
  v_event.kind := 'accounts.email_changed';
  v_event.address := old.email;
  v_event.payload := jsonb_build_object('old_email', old.email);
  v_event.expires_at := now() + interval '7 days';
  perform private.notifications_tell(v_event);
  return null;
end;
$$;
comment on function private.accounts_on_address_changed() is
  'After a proved address was changed: what was mailed to the old one is void, and it is told.';

create trigger accounts_on_address_changed after update of email on auth.users
  for each row when (
    old.email is distinct from new.email and old.email_confirmed_at is not null
    and old.email <> '' and new.deleted_at is null
  )
  execute function private.accounts_on_address_changed();

create function private.accounts_on_person_erased()
returns trigger
language plpgsql
volatile
security definer -- nobody else writes what accounts keep
set search_path = ''
as $$
begin
  delete from private.accounts_tokens t where t.person_id = new.id;
  delete from private.accounts_proofs p where p.person_id = new.id;
  return null;
end;
$$;
comment on function private.accounts_on_person_erased() is 'After a person was erased: their tokens and proofs go.';

create trigger accounts_on_person_erased after update of erased_at on public.people
  for each row when (old.erased_at is null and new.erased_at is not null)
  execute function private.accounts_on_person_erased();

-- Deletion: thirty days in which signing in is enough to stay.
create function public.accounts_request_deletion()
returns public.people
language plpgsql
volatile
security definer -- writes people, ends sessions
set search_path = ''
as $$
#variable_conflict use_column
declare
  v_person uuid := private.require_recent_proof();
  v_tenant uuid;
  v_row public.people;
begin
  for v_tenant in
    select m.tenant_id from public.members m
    where m.person_id = v_person and m.role = 'owner' and m.status = 'active'
    order by m.tenant_id
  loop
    perform private.members_lock_owners(v_tenant, v_person);
    perform private.members_guard_last_owner(v_tenant, v_person);
  end loop;

  update public.people p set deletion_due_at = now() + interval '30 days'
  where p.id = v_person and p.deletion_due_at is null
  returning * into v_row;
  if not found then
    select * into v_row from public.people p where p.id = v_person;
    return v_row;
  end if;
  delete from auth.sessions s where s.user_id = v_person and s.id <> private.session_id();
  perform private.end_devices(v_person);
  -- What a program goes on doing must not pass for the person coming back.
  perform private.api_keys_end(k) from public.api_keys k
  where k.person_id = v_person and k.revoked_at is null;
  perform private.audit('ACCOUNT_DELETION_OPENED', 'people:' || v_person);
  perform private.notify(
    v_person, 'accounts.deletion_opened',
    jsonb_build_object('date', to_char(v_row.deletion_due_at at time zone 'UTC', 'YYYY-MM-DD'))
  );
  return v_row;
end;
$$;
comment on function public.accounts_request_deletion() is
  'Opens thirty days after which the caller is erased, unless they sign in or call accounts_cancel_deletion; asked again, the days go on. Ends their other sessions and revokes their API keys. Raises accounts.reauthentication_required, two_factor.recent_required, members.last_owner.';
grant execute on function public.accounts_request_deletion() to authenticated;

create function private.accounts_keep(person uuid)
returns boolean
language plpgsql
volatile
security definer -- writes people for Auth's role
set search_path = ''
as $$
#variable_conflict use_column
begin
  update public.people p set deletion_due_at = null
  where p.id = accounts_keep.person and p.deletion_due_at is not null and p.erased_at is null;
  if not found then
    return false;
  end if;
  perform private.audit('ACCOUNT_DELETION_CANCELLED', 'people:' || person, actor => person);
  perform private.notify(person, 'accounts.deletion_cancelled');
  return true;
end;
$$;
comment on function private.accounts_keep(uuid) is
  'Ends the days of grace: the person stays, and is told. False where none were open.';

create function public.accounts_cancel_deletion()
returns boolean
language plpgsql
volatile
security definer -- writes people
set search_path = ''
as $$
begin
  return private.accounts_keep(private.require_person());
end;
$$;
comment on function public.accounts_cancel_deletion() is
  'The caller stays after all. False where they had not asked for deletion. Raises auth.*.';
grant execute on function public.accounts_cancel_deletion() to authenticated;

create function private.accounts_on_signed_in()
returns trigger
language plpgsql
volatile
security definer -- writes people for Auth's role
set search_path = ''
as $$
begin
  perform private.accounts_keep(new.id);
  return null;
end;
$$;
comment on function private.accounts_on_signed_in() is 'After a sign-in, by whichever door: whoever comes back stays.';

create trigger accounts_on_signed_in after update of last_sign_in_at on auth.users
  for each row when (new.last_sign_in_at is distinct from old.last_sign_in_at)
  execute function private.accounts_on_signed_in();
