-- Trust, apart: sessions of which Supabase Auth knows nothing any more. Whoever holds a token of a
-- session can ask Auth, past our bounds, for another password, address or login of its person. A
-- session that stands for a part of somebody (an impersonation, an API key) is taken out of Auth before
-- its token is handed over: the token opens this database, as far as is said here, and nothing at Auth.

create table private.trust_apart (
  session_id uuid primary key,
  person_id uuid not null references public.people (id) on delete cascade,
  actor_id uuid references public.people (id) on delete cascade,
  only_tenant uuid references public.tenants (id) on delete cascade,
  permissions text[],
  read_only boolean not null,
  verified boolean not null,
  expires_at timestamptz not null
);
comment on table private.trust_apart is
  'Sessions apart from Auth: of whom, who really sits there where it is an impersonation (actor_id), the one tenant it opens and with which permissions (null: all), whether it only reads, whether it counts as having given a second factor, and until when. Without its row a session has ended.';
create index trust_apart_person on private.trust_apart (person_id);
create index trust_apart_actor on private.trust_apart (actor_id);
create index trust_apart_tenant on private.trust_apart (only_tenant);
create index trust_apart_expires on private.trust_apart (expires_at);

create function private.trust_apart_of(claimed private.trust)
returns private.trust
language plpgsql
stable
security definer -- auth.users is closed to clients
set search_path = ''
as $$
declare
  v_apart private.trust_apart;
begin
  select a.* into v_apart
  from private.trust_apart a
  join auth.users u on u.id = a.person_id
  where a.session_id = claimed.session_id and a.person_id = claimed.person_id and a.expires_at > now()
    and (u.banned_until is null or u.banned_until <= now()) and u.deleted_at is null;
  if not found then
    return claimed;
  end if;
  claimed.fault := case
    when v_apart.read_only and current_setting('transaction_read_only') = 'off' then 'auth.read_only'
    when not v_apart.verified
      and exists (select from private.trust_factors f where f.person_id = v_apart.person_id)
      then 'two_factor.required'
  end;
  claimed.verified := v_apart.verified;
  claimed.bounded := true;
  claimed.only_tenant := v_apart.only_tenant;
  claimed.permissions := v_apart.permissions;
  -- Left for the rest of the transaction, as by private.trust.
  claimed.actor_id := nullif(
    set_config('nexus.impersonator', coalesce(v_apart.actor_id::text, 'none'), true), 'none'
  )::uuid;
  return claimed;
end;
$$;
comment on function private.trust_apart_of(private.trust) is
  'For private.trust, of a session that Auth does not know: what it is trusted with if it is one apart, else as it came.';

create function private.set_session_apart(session_id uuid)
returns void
language plpgsql
volatile
security definer -- ends the session at Auth
set search_path = ''
as $$
#variable_conflict use_column
begin
  insert into private.trust_apart
    (session_id, person_id, actor_id, only_tenant, permissions, read_only, verified, expires_at)
  select b.session_id, b.person_id, b.actor_id, b.only_tenant, b.permissions, b.read_only,
    exists (select from private.trust_sessions v where v.session_id = b.session_id), b.expires_at
  from private.trust_bounds b
  where b.session_id = set_session_apart.session_id;
  delete from auth.sessions s where s.id = set_session_apart.session_id;
end;
$$;
comment on function private.set_session_apart(uuid) is
  'Takes a session with bounds and an end out of Auth, before its token is handed over. It cannot be refreshed.';

create function private.end_session_apart(session_id uuid)
returns void
language sql
volatile
security definer -- nobody else writes private.trust_apart
set search_path = ''
as $$
  delete from private.trust_apart a where a.session_id = end_session_apart.session_id;
$$;
comment on function private.end_session_apart(uuid) is 'Ends a session apart: its token opens nothing from the next statement on.';
