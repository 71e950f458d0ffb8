-- Accounts, sessions: what follows on a right password, how sessions end, and how one proves once
-- more whose it is before an act that is worth it.

create function private.accounts_login_refusal(tenant text, person uuid)
returns text
language sql
stable
security definer -- reads members past their policies
set search_path = ''
as $$
  select case coalesce(m.status, 'left')
    when 'pending' then 'members.pending'
    when 'suspended' then 'members.suspended'
    when 'banned' then 'members.banned'
    when 'left' then 'tenants.not_found'
  end
  from (select) one
  left join public.tenants t on t.slug = accounts_login_refusal.tenant
  left join public.members m on m.tenant_id = t.id and m.person_id = accounts_login_refusal.person
  where accounts_login_refusal.tenant is not null;
$$;
comment on function private.accounts_login_refusal(text, uuid) is
  'Why the person does not get into the tenant they named at login, as an error code; null where they do, or named none.';

create function private.accounts_require_entry(tenant text, person uuid)
returns void
language plpgsql
stable
security definer -- reads members past their policies
set search_path = ''
as $$
begin
  case private.accounts_login_refusal(accounts_require_entry.tenant, accounts_require_entry.person)
    when 'members.pending' then
      raise sqlstate 'PT403' using message = 'members.pending';
    when 'members.suspended' then
      raise sqlstate 'PT403' using message = 'members.suspended';
    when 'members.banned' then
      raise sqlstate 'PT403' using message = 'members.banned';
    when 'tenants.not_found' then
      raise sqlstate 'PT404' using message = 'tenants.not_found';
    else
      null; -- they get in, or named none
  end case;
end;
$$;
comment on function private.accounts_require_entry(text, uuid) is
  'For whoever opens a session past a password: raises why the person does not get into the tenant with this slug, if one is named: members.pending, members.suspended, members.banned, tenants.not_found.';

create function public.accounts_login_succeeded(
  email text, client text, session uuid default null, tenant text default null
)
returns jsonb
language plpgsql
volatile
security definer -- counts, reads members, ends sessions
set search_path = ''
as $$
#variable_conflict use_column
declare
  v_person uuid;
  v_refusal text;
begin
  perform private.accounts_forgive(email);
  perform private.uncount_attempt(private.accounts_attempt_key('login', 'ip', null, client));
  select s.user_id into v_person from auth.sessions s where s.id = accounts_login_succeeded.session;
  if not found then
    return jsonb_build_object('refusal', null, 'two_factor_required', false);
  end if;
  v_refusal := private.accounts_login_refusal(accounts_login_succeeded.tenant, v_person);
  if v_refusal is not null then
    -- Returned, not raised: the session has to be gone.
    delete from auth.sessions s where s.id = accounts_login_succeeded.session;
  end if;
  return jsonb_build_object(
    'refusal', v_refusal,
    'two_factor_required', exists (select from private.trust_factors f where f.person_id = v_person)
  );
end;
$$;
comment on function public.accounts_login_succeeded(text, text, uuid, text) is
  'For the function api: the password was right, so nothing counts as failed. Ends the session again where the tenant named at login does not let the person in: { refusal, two_factor_required }.';
grant execute on function public.accounts_login_succeeded(text, text, uuid, text) to service_role;

create function public.accounts_login_undecided(email text, client text)
returns void
language sql
volatile
security definer -- nobody else writes the counters
set search_path = ''
as $$
  select private.uncount_attempt(private.accounts_attempt_key('login', counted.by, email, client))
  from unnest(array['ip', 'address']) counted(by);
  update private.accounts_failures f set failures = greatest(f.failures - 1, 0)
  where f.address_key = private.accounts_address_key(accounts_login_undecided.email);
$$;
comment on function public.accounts_login_undecided(text, text) is
  'For the function api: Auth gave no answer about the password, so what accounts_attempt counted for this login is taken back.';
grant execute on function public.accounts_login_undecided(text, text) to service_role;

create function public.accounts_logout(scope text default 'local')
returns integer
language plpgsql
volatile
security definer -- ends sessions
set search_path = ''
as $$
#variable_conflict use_column
declare
  v_count integer;
  v_apart integer;
begin
  if accounts_logout.scope is distinct from 'local'
    or private.session_fault() in ('auth.required', 'auth.session_ended')
  then
    perform private.unverified_person();
  end if;
  if accounts_logout.scope is null or accounts_logout.scope not in ('local', 'others', 'global') then
    raise sqlstate 'PT422' using message = 'request.invalid', detail = 'scope: local, others or global';
  end if;
  -- Its own end is open to every session, one with bounds included; with a device's, the device's.
  if accounts_logout.scope = 'local' then
    select sum(private.end_devices(d.person_id, d.id)) into v_apart
    from private.trust_devices d where d.session_id = private.session_id();
    delete from private.trust_apart a where a.session_id = private.session_id();
    get diagnostics v_count = row_count;
    v_apart := coalesce(v_apart, 0) + v_count;
  else
    v_apart := private.end_devices(private.unverified_person());
    -- Whoever signs out elsewhere may have lost what was signed in there.
    perform private.two_factor_end_devices(private.unverified_person());
  end if;
  delete from auth.sessions s
  using auth.sessions own
  where own.id = private.session_id() and s.user_id = own.user_id and case accounts_logout.scope
    when 'local' then s.id = own.id
    when 'others' then s.id <> own.id
    else true
  end;
  get diagnostics v_count = row_count;
  return v_count + v_apart;
end;
$$;
comment on function public.accounts_logout(text) is
  'Ends this session of the caller (local), the others, or all (global), devices among them, before the second factor, too; with others and global no device is remembered any more. Returns how many. Raises auth.*, request.invalid.';
grant execute on function public.accounts_logout(text) to authenticated;

-- Step-up: a factor where the person has one, else the password or a mailed code.
create table private.accounts_proofs (
  session_id uuid primary key references auth.sessions (id) on delete cascade,
  person_id uuid not null references public.people (id) on delete cascade,
  method text not null check (method in ('password', 'code')),
  proved_at timestamptz not null default now()
);
comment on table private.accounts_proofs is
  'Sessions that gave the password or a mailed code once more, and when they last did.';
create index accounts_proofs_person on private.accounts_proofs (person_id, proved_at);

create function private.accounts_recently_proved(person uuid, session uuid default null)
returns boolean
language sql
stable
security definer -- reads factors and proofs, closed to clients
set search_path = ''
as $$
  select case
    when exists (select from private.trust_factors f where f.person_id = person) then exists (
      select from private.trust_sessions v
      where v.person_id = person and v.verified_at > now() - interval '5 minutes'
        and v.method not in ('delegated', 'device')
        and (session is null or v.session_id = session)
    )
    else exists (
      select from private.accounts_proofs p
      where p.person_id = person and p.proved_at > now() - interval '5 minutes'
        and (session is null or p.session_id = session)
    )
  end;
$$;
comment on function private.accounts_recently_proved(uuid, uuid) is
  'Whether the person proved themselves within five minutes, in this session, or in any where none is named: by their factor if they have one, else by password or mailed code.';

create function private.require_recent_proof()
returns uuid
language plpgsql
stable
security definer -- asks private.session_fault, factors and proofs
set search_path = ''
as $$
declare
  v_person uuid := private.require_person();
begin
  if private.accounts_recently_proved(v_person, private.session_id()) then
    return v_person;
  elsif exists (select from private.trust_factors f where f.person_id = v_person) then
    raise sqlstate 'PT403' using message = 'two_factor.recent_required';
  end if;
  raise sqlstate 'PT403' using message = 'accounts.reauthentication_required';
end;
$$;
comment on function private.require_recent_proof() is
  'The caller''s id, if their session proved within five minutes whose it is. Raises auth.*, two_factor.required, two_factor.recent_required, accounts.reauthentication_required.';

create function private.require_way_in(person uuid, session uuid)
returns void
language plpgsql
stable
security definer -- reads sessions, factors and proofs, closed to clients
set search_path = ''
as $$
begin
  -- Whoever found an open session must not make themselves a way in that outlives it, and locks its
  -- owner out. Who has just signed in has proved themselves by that, unless they have a factor.
  if private.accounts_recently_proved(require_way_in.person, require_way_in.session) then
    return;
  elsif exists (select from private.trust_factors f where f.person_id = require_way_in.person) then
    raise sqlstate 'PT403' using message = 'two_factor.recent_required';
  elsif not exists (
    select from auth.sessions s
    where s.id = require_way_in.session and s.created_at > now() - interval '5 minutes'
  ) then
    raise sqlstate 'PT403' using message = 'accounts.reauthentication_required';
  end if;
end;
$$;
comment on function private.require_way_in(uuid, uuid) is
  'Whether this session may make its owner a new way in, such as a factor: it began, or proved itself, within five minutes. Raises two_factor.recent_required, accounts.reauthentication_required.';

create function public.accounts_caller(recently_proved boolean default false)
returns jsonb
language plpgsql
stable
security definer -- reads the caller's login
set search_path = ''
as $$
declare
  v_person uuid := private.require_person();
begin
  if accounts_caller.recently_proved then
    perform private.require_recent_proof();
  end if;
  return (
    select jsonb_build_object(
      'person', v_person,
      'session', private.session_id(),
      'email', u.email,
      'has_password', coalesce(u.encrypted_password, '') <> ''
    )
    from auth.users u where u.id = v_person
  );
end;
$$;
comment on function public.accounts_caller(boolean) is
  'Who calls, as the functions need it: { person, session, email, has_password }; with recently_proved for acts that want a step-up. Raises auth.*, two_factor.required, two_factor.recent_required, accounts.reauthentication_required.';
grant execute on function public.accounts_caller(boolean) to authenticated;

create function public.accounts_prove(person uuid, session uuid, by_session uuid default null)
returns void
language plpgsql
volatile
security definer -- nobody else writes proofs
set search_path = ''
as $$
#variable_conflict use_column
begin
  if accounts_prove.by_session is not null then
    delete from auth.sessions s
    where s.id = accounts_prove.by_session and s.user_id = accounts_prove.person;
    if not found then
      raise sqlstate 'PT401' using message = 'auth.session_ended';
    end if;
  end if;
  insert into private.accounts_proofs (session_id, person_id, method)
  select s.id, s.user_id, case when accounts_prove.by_session is null then 'code' else 'password' end
  from auth.sessions s
  where s.id = accounts_prove.session and s.user_id = accounts_prove.person
  on conflict (session_id) do update set method = excluded.method, proved_at = now();
  if not found then
    raise sqlstate 'PT401' using message = 'auth.session_ended';
  end if;
  perform private.audit(
    'ACCOUNT_REAUTHENTICATED', 'people:' || accounts_prove.person, actor => accounts_prove.person
  );
end;
$$;
comment on function public.accounts_prove(uuid, uuid, uuid) is
  'For the function api: the session gave a code, or the password, by which Auth opened by_session; that one ends. Raises auth.session_ended.';
grant execute on function public.accounts_prove(uuid, uuid, uuid) to service_role;

create function public.accounts_replace_session(person uuid, session uuid, replacement uuid)
returns void
language plpgsql
volatile
security definer -- nobody else writes private.trust_sessions
set search_path = ''
as $$
#variable_conflict use_column
begin
  insert into private.trust_sessions (session_id, person_id, method, verified_at)
  select r.id, v.person_id, v.method, v.verified_at
  from private.trust_sessions v
  join auth.sessions r on r.id = accounts_replace_session.replacement and r.user_id = v.person_id
  where v.session_id = accounts_replace_session.session
    and v.person_id = accounts_replace_session.person
  on conflict (session_id) do nothing;
end;
$$;
comment on function public.accounts_replace_session(uuid, uuid, uuid) is
  'For the function api: a session of the person, to whom another one is handed, has shown its second factor for both.';
grant execute on function public.accounts_replace_session(uuid, uuid, uuid) to service_role;

create function public.accounts_send_code(person uuid)
returns void
language plpgsql
volatile
security definer -- issues a code
set search_path = ''
as $$
begin
  perform private.notify(
    accounts_send_code.person, 'accounts.reauthentication',
    jsonb_build_object(
      'code', private.accounts_issue(accounts_send_code.person, 'reauthentication', interval '10 minutes') ->> 'code'
    ),
    null, now() + interval '10 minutes'
  );
end;
$$;
comment on function public.accounts_send_code(uuid) is
  'For the function api: mails the person a code to prove themselves by.';
grant execute on function public.accounts_send_code(uuid) to service_role;
