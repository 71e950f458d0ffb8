-- Trust: is the caller who the token says, now, and how much of them is this session? Everything that
-- asks about rights asks here first, so ending a session, banning a person or narrowing what a session
-- stands for takes effect on the next statement, whatever the token still promises. The token is read
-- in this file alone.

-- What a session has proved beyond its login. Whoever checks a factor (two_factor, passkeys) writes
-- here; the token's own level stays as it is, and says nothing.
create table private.trust_factors (
  person_id uuid not null references public.people (id) on delete cascade,
  kind text not null check (kind in ('totp', 'passkey')),
  confirmed_at timestamptz not null default now(),
  primary key (person_id, kind)
);
comment on table private.trust_factors is
  'Second factors that people have confirmed. With one, a session opens nothing before it is verified.';

create table private.trust_sessions (
  session_id uuid primary key references auth.sessions (id) on delete cascade,
  person_id uuid not null references public.people (id) on delete cascade,
  method text not null check (method in ('totp', 'backup_code', 'passkey', 'device', 'delegated')),
  verified_at timestamptz not null default now()
);
comment on table private.trust_sessions is 'Sessions that gave a second factor, and when they last did.';
comment on column private.trust_sessions.method is
  'device: a remembered device stood in for it, which does for the person''s own factor and not for one that a role asks for; delegated: whoever had this session opened for them (by an API key, a device code, an impersonation) had given theirs.';
create index trust_sessions_person on private.trust_sessions (person_id);

create table private.trust_bounds (
  session_id uuid primary key references auth.sessions (id) on delete cascade,
  person_id uuid not null references public.people (id) on delete cascade,
  purpose text not null check (purpose ~ '^[a-z][a-z_]{1,29}$'),
  label text check (char_length(label) between 1 and 80),
  only_tenant uuid references public.tenants (id) on delete cascade,
  permissions text[],
  read_only boolean not null default false,
  expires_at timestamptz,
  actor_id uuid references public.people (id) on delete cascade
);
comment on table private.trust_bounds is
  'Sessions that we opened for somebody, what for, and how much of the person they stand for at most. A session without a row, or with nulls, stands for all.';
comment on column private.trust_bounds.label is 'What its owner knows it by, where its user agent would not tell.';
comment on column private.trust_bounds.only_tenant is 'The one tenant it opens; null: all of the person''s.';
comment on column private.trust_bounds.permissions is
  'What it permits of what the person''s role does; null: all of it.';
comment on column private.trust_bounds.read_only is 'It opens nothing in a transaction that may write.';
comment on column private.trust_bounds.actor_id is 'Who really sits there, where it is an impersonation.';
create index trust_bounds_person on private.trust_bounds (person_id);
create index trust_bounds_tenant on private.trust_bounds (only_tenant);
create index trust_bounds_actor on private.trust_bounds (actor_id);
create index trust_bounds_expires on private.trust_bounds (expires_at);

create type private.trust as (
  person_id uuid,
  session_id uuid,
  fault text,
  verified boolean,
  bounded boolean,
  only_tenant uuid,
  permissions text[],
  actor_id uuid
);
comment on type private.trust is
  'The caller''s session: why it is not trusted, as an error code (fault), or what it has proved and its bounds.';

create function private.trust()
returns private.trust
language plpgsql -- every call asks here, and a function in sql would be planned anew each time
stable
security definer -- auth.sessions and auth.users are closed to clients
set search_path = ''
as $$
declare
  v_claims jsonb := nullif(current_setting('request.jwt.claims', true), '')::jsonb;
  v_trust private.trust;
begin
  if v_claims ->> 'sub' is null then
    -- A schedule, or the service: nobody to look for, and null for a key would be planned anew each time.
    v_trust.session_id := (v_claims ->> 'session_id')::uuid;
    v_trust.fault := 'auth.required';
    return v_trust;
  end if;
  -- One statement says it all: every step apart would cost each call of everybody.
  select s.user_id, s.id,
    case
      -- The Data API reads in transactions that cannot write. In any other a session that only reads
      -- opens nothing at all, so there is no act, of whatever capability, that could forget to ask.
      when b.read_only and current_setting('transaction_read_only') = 'off' then 'auth.read_only'
      -- A session waits five minutes for its factor, from its login or from when there was one to give.
      when v.session_id is null and exists (select from private.trust_factors f where f.person_id = s.user_id)
        then case
          when s.created_at > now() - interval '5 minutes' or exists (
            select from private.trust_factors f
            where f.person_id = s.user_id and f.confirmed_at > now() - interval '5 minutes'
          ) then 'two_factor.required'
          else 'auth.session_ended'
        end
    end,
    -- A remembered device lets the person in, and is not what a tenant's rule asks for.
    v.session_id is not null and v.method <> 'device',
    b.session_id is not null
      and (b.read_only or num_nonnulls(b.only_tenant, b.permissions, b.actor_id) > 0),
    b.only_tenant, b.permissions,
    -- Left for the rest of the transaction, so that the trail and the wallet ask without a read of their own.
    nullif(set_config('nexus.impersonator', coalesce(b.actor_id::text, 'none'), true), 'none')::uuid
  into v_trust
  from auth.sessions s
  join auth.users u on u.id = s.user_id
  left join private.trust_sessions v on v.session_id = s.id
  left join private.trust_bounds b on b.session_id = s.id
  where s.id = (v_claims ->> 'session_id')::uuid and s.user_id = (v_claims ->> 'sub')::uuid
    and (s.not_after is null or s.not_after > now())
    and (u.banned_until is null or u.banned_until <= now()) and u.deleted_at is null
    and (b.expires_at is null or b.expires_at > now())
    -- Where Auth has revoked all its refresh tokens, one was used again by somebody who should not
    -- have it. The index gives one that is not revoked first.
    and (
      select t.revoked from auth.refresh_tokens t where t.session_id = s.id order by t.revoked limit 1
    ) is not true;
  if not found then
    v_trust.person_id := (v_claims ->> 'sub')::uuid;
    v_trust.session_id := (v_claims ->> 'session_id')::uuid;
    v_trust.fault := 'auth.session_ended';
    -- Or it is one that Auth does not know any more.
    return private.trust_apart_of(v_trust);
  end if;
  return v_trust;
end;
$$;
comment on function private.trust() is
  'Who calls, and whether their session is trusted now: auth.required without a token, auth.session_ended, auth.read_only, two_factor.required, or no fault.';

create function private.session_id()
returns uuid
language plpgsql
stable
security invoker
set search_path = ''
as $$
begin
  return (nullif(current_setting('request.jwt.claims', true), '')::jsonb ->> 'session_id')::uuid;
end;
$$;
comment on function private.session_id() is 'The session the caller''s token names; null without one.';

create function private.session_fault()
returns text
language plpgsql
stable
security definer -- asks private.trust
set search_path = ''
as $$
begin
  return (private.trust()).fault;
end;
$$;
comment on function private.session_fault() is
  'Why the caller''s session is not trusted, as an error code; null when it is.';

create function private.person()
returns uuid
language plpgsql
stable
security definer -- asks private.trust
set search_path = ''
as $$
declare
  v_trust private.trust := private.trust();
begin
  return case when v_trust.fault is null then v_trust.person_id end;
end;
$$;
comment on function private.person() is
  'The caller, if their session is trusted now; else null. In policies, beside the tenants it opens: person_id = (select private.person()).';
grant execute on function private.person() to authenticated, service_role;

create function private.whole_person()
returns uuid
language plpgsql
stable
security definer -- asks private.trust
set search_path = ''
as $$
declare
  v_trust private.trust := private.trust();
begin
  return case when v_trust.fault is null and not v_trust.bounded then v_trust.person_id end;
end;
$$;
comment on function private.whole_person() is
  'The caller, if their session is trusted and without bounds; else null. In policies of what belongs to a person and to no tenant: person_id = (select private.whole_person()).';
grant execute on function private.whole_person() to authenticated;

-- Refusing
create function private.refuse_session(fault text)
returns void
language plpgsql
stable
security invoker
set search_path = ''
as $$
begin
  case fault
    when 'auth.required' then
      raise sqlstate 'PT401' using message = 'auth.required';
    when 'auth.session_ended' then
      raise sqlstate 'PT401' using message = 'auth.session_ended';
    when 'auth.read_only' then
      raise sqlstate 'PT403' using message = 'auth.read_only';
    when 'two_factor.required' then
      raise sqlstate 'PT403' using message = 'two_factor.required';
    else
      raise sqlstate 'PT403' using message = 'auth.session_bounded';
  end case;
end;
$$;
comment on function private.refuse_session(text) is
  'Raises the fault of a session: auth.required, auth.session_ended, auth.read_only, two_factor.required, else auth.session_bounded.';

create function private.require_session()
returns private.trust
language plpgsql
stable
security definer -- asks private.trust
set search_path = ''
as $$
declare
  v_trust private.trust := private.trust();
begin
  if v_trust.fault is not null then
    perform private.refuse_session(v_trust.fault);
  end if;
  return v_trust;
end;
$$;
comment on function private.require_session() is
  'The caller''s trusted session, with bounds or without: who calls it keeps to them. Raises auth.*, two_factor.required.';

create function private.require_person()
returns uuid
language plpgsql
stable
security definer -- asks private.trust
set search_path = ''
as $$
declare
  v_trust private.trust := private.trust();
begin
  if v_trust.fault is not null or v_trust.bounded then
    perform private.refuse_session(coalesce(v_trust.fault, 'auth.session_bounded'));
  end if;
  return v_trust.person_id;
end;
$$;
comment on function private.require_person() is
  'The caller''s id, for what they do as a person and in no tenant. Raises auth.required without a token, auth.session_ended for one that is no longer trusted, auth.session_bounded for a session that stands for a part of them, auth.read_only, two_factor.required before the second factor.';

-- Before the second factor: for what leads to giving it, and for nothing else.
create function private.unverified_person()
returns uuid
language plpgsql
stable
security definer -- asks private.trust
set search_path = ''
as $$
declare
  v_trust private.trust := private.trust();
begin
  if v_trust.bounded or v_trust.fault <> 'two_factor.required' then
    perform private.refuse_session(coalesce(v_trust.fault, 'auth.session_bounded'));
  end if;
  return v_trust.person_id;
end;
$$;
comment on function private.unverified_person() is
  'The caller''s id, whether their session gave its second factor or not. Raises auth.required, auth.session_ended, auth.session_bounded, auth.read_only.';

-- Standing in for somebody
create function private.impersonator()
returns uuid
language plpgsql
stable
security definer -- reads private.trust_bounds and private.trust_apart
set search_path = ''
as $$
declare
  v_session uuid := private.session_id();
  v_known text := nullif(current_setting('nexus.impersonator', true), '');
begin
  -- Asked of private.trust before, in this transaction.
  if v_session is null or v_known is not null then
    return case when v_session is not null and v_known <> 'none' then v_known::uuid end;
  end if;
  return coalesce(
    (select b.actor_id from private.trust_bounds b where b.session_id = v_session),
    (select a.actor_id from private.trust_apart a where a.session_id = v_session)
  );
end;
$$;
comment on function private.impersonator() is
  'Who sits behind the caller''s session, where it is an impersonation; else null.';

create function private.require_no_impersonation()
returns void
language plpgsql
stable
security definer -- reads private.trust_bounds
set search_path = ''
as $$
begin
  if private.impersonator() is not null then
    raise sqlstate 'PT403' using message = 'auth.impersonated';
  end if;
end;
$$;
comment on function private.require_no_impersonation() is
  'For acts that nobody does for somebody else, such as moving value. Raises auth.impersonated.';
