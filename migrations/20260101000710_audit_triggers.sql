-- Audit, triggers: changes that no function of ours stands in front of. A tenant is changed through
-- the Data API, a login by Supabase Auth.

create function private.audit_tenant_updated()
returns trigger
language plpgsql
volatile
security definer -- writes the trail
set search_path = ''
as $$
begin
  perform private.audit(
    'TENANT_UPDATED', 'tenants:' || new.id, private.changed(to_jsonb(old), to_jsonb(new)),
    private.changed(to_jsonb(new), to_jsonb(old)), new.id
  );
  return null;
end;
$$;
comment on function private.audit_tenant_updated() is 'After update on tenants: what was changed.';

create function private.changed(this jsonb, other jsonb)
returns jsonb
language sql
immutable
security invoker
set search_path = ''
as $$
  select coalesce(jsonb_object_agg(key, value), '{}')
  from jsonb_each(this)
  where other -> key is distinct from value and key not in ('updated_at', 'version');
$$;
comment on function private.changed(jsonb, jsonb) is 'The fields of this that differ in other.';

create trigger audit_tenant_updated after update on public.tenants
  for each row execute function private.audit_tenant_updated();

create function private.audit_login_changed()
returns trigger
language plpgsql
volatile
security definer -- writes the trail for Auth's role
set search_path = ''
as $$
declare
  v_line private.audit_log;
  v_details private.audit_details;
begin
  v_line.resource := 'people:' || coalesce(new.id, old.id);
  case tg_op
    when 'INSERT' then
      v_line.action := 'USER_CREATED';
      v_line.actor := new.id;
      v_details.after := jsonb_build_object('email', new.email, 'phone', new.phone);
    when 'DELETE' then
      v_line.action := 'USER_DELETED';
      v_details.before := jsonb_build_object('email', old.email, 'phone', old.phone);
    else
      v_line.action := 'USER_UPDATED';
      v_details.before := private.audit_login_facts(old);
      v_details.after := private.audit_login_facts(new)
        || jsonb_build_object('password_changed', new.encrypted_password is distinct from old.encrypted_password);
  end case;
  perform private.audit_write(v_line, v_details);
  return null;
end;
$$;
comment on function private.audit_login_changed() is 'After a change on auth.users: who came, went, or was changed.';

create function private.audit_login_facts(login auth.users)
returns jsonb
language sql
stable
security invoker
set search_path = ''
as $$
  select jsonb_build_object(
    'email', login.email,
    'phone', login.phone,
    'banned_until', login.banned_until,
    'deleted_at', login.deleted_at
  );
$$;
comment on function private.audit_login_facts(auth.users) is 'What the trail tells of a login.';

create trigger audit_login_created after insert or delete on auth.users
  for each row execute function private.audit_login_changed();
create trigger audit_login_updated
  after update of email, phone, encrypted_password, banned_until, deleted_at on auth.users
  for each row when (
    (old.email, old.phone, old.encrypted_password, old.banned_until, old.deleted_at)
    is distinct from (new.email, new.phone, new.encrypted_password, new.banned_until, new.deleted_at)
  )
  execute function private.audit_login_changed();

-- Logins and logouts. No trigger may be put on auth.sessions, so a login is told by the sign-in
-- time, and a logout by a session that is known and no longer there.
create table private.audit_sessions (
  id uuid primary key,
  person_id uuid not null
);
comment on table private.audit_sessions is 'Sessions whose AUTH_LOGIN was written and whose AUTH_LOGOUT was not.';

create function private.audit_signed_in()
returns trigger
language plpgsql
volatile
security definer -- reads auth.sessions and writes the trail for Auth's role
set search_path = ''
as $$
declare
  v_session record;
  v_line private.audit_log;
  v_details private.audit_details;
begin
  -- Deferred to the end of the transaction: the session may be written after the sign-in time.
  for v_session in
    insert into private.audit_sessions (id, person_id)
    select s.id, s.user_id from auth.sessions s where s.user_id = new.id
    on conflict do nothing
    returning id
  loop
    v_line.action := 'AUTH_LOGIN';
    v_line.resource := 'people:' || new.id;
    v_line.actor := new.id;
    v_line.session_id := v_session.id;
    select s.ip, s.user_agent into v_details.ip, v_details.user_agent
    from auth.sessions s where s.id = v_session.id;
    perform private.audit_write(v_line, v_details);
  end loop;
  return null;
end;
$$;
comment on function private.audit_signed_in() is 'After a sign-in, at commit: AUTH_LOGIN for each session not yet told.';

create constraint trigger audit_signed_in after update of last_sign_in_at on auth.users
  deferrable initially deferred
  for each row when (new.last_sign_in_at is distinct from old.last_sign_in_at)
  execute function private.audit_signed_in();

create function private.audit_signed_out()
returns integer
language plpgsql
volatile
security definer -- reads auth.sessions and writes the trail
set search_path = ''
as $$
declare
  v_session record;
  v_line private.audit_log;
  v_count integer := 0;
begin
  for v_session in
    delete from private.audit_sessions known
    where not exists (select from auth.sessions s where s.id = known.id)
    returning known.id, known.person_id
  loop
    v_line.action := 'AUTH_LOGOUT';
    v_line.resource := 'people:' || v_session.person_id;
    v_line.actor := v_session.person_id;
    v_line.session_id := v_session.id;
    perform private.audit_write(v_line, null);
    v_count := v_count + 1;
  end loop;
  return v_count;
end;
$$;
comment on function private.audit_signed_out() is
  'AUTH_LOGOUT for each session that is gone, however it ended; returns how many. Runs each minute.';
