-- Invitations: a link for whoever has it, or a mail to one address. What is kept of its token is a
-- digest. An invitation is as good as its author: it gives what they may still give on the day.

create table public.invitations (
  tenant_id uuid not null references public.tenants (id) on delete restrict,
  id uuid not null default private.uuid_v7(),
  status text not null default 'open' check (status in ('open', 'used', 'revoked', 'expired')),
  role text not null,
  label text check (char_length(btrim(label)) between 1 and 80),
  email text check (email = lower(email) and email ~ '^[^@[:space:]]+@[^@[:space:]]+\.[^@[:space:]]+$'
    and char_length(email) <= 254),
  max_uses integer not null check (max_uses between 1 and 10000),
  uses integer not null default 0 check (uses between 0 and max_uses),
  created_by uuid not null,
  send_at timestamptz,
  expires_at timestamptz not null,
  ended_at timestamptz,
  created_at timestamptz not null default now(),
  primary key (tenant_id, id),
  check (email is null or max_uses = 1),
  check ((status = 'open') = (ended_at is null))
);
comment on table public.invitations is
  'Invitations into a tenant. Their tokens are shown or mailed once and kept as digests elsewhere.';
comment on column public.invitations.role is
  'As in members. Not a foreign key: a role that is gone by then makes the invitation void, and what was stays told.';
comment on column public.invitations.email is
  'The only address that may use it. Forgotten thirty days after it ended.';
comment on column public.invitations.send_at is 'When its mail goes out: many are sent one after the other.';
create unique index invitations_email on public.invitations (tenant_id, email) where status = 'open';
create index invitations_ends on public.invitations (expires_at) where status = 'open';

insert into private.transitions (machine, from_state, to_state)
values
  ('invitations', 'open', 'used'), ('invitations', 'open', 'revoked'), ('invitations', 'open', 'expired');
create trigger invitations_transition before update of status on public.invitations
  for each row execute function private.enforce_transition();

create table public.invitations_uses (
  tenant_id uuid not null,
  invitation_id uuid not null,
  person_id uuid not null,
  created_at timestamptz not null default now(),
  primary key (tenant_id, invitation_id, person_id),
  foreign key (tenant_id, invitation_id) references public.invitations (tenant_id, id) on delete cascade
);
comment on table public.invitations_uses is 'Who came in by which invitation.';
create index invitations_uses_person on public.invitations_uses (tenant_id, person_id);

create table private.invitations_tokens (
  tenant_id uuid not null,
  invitation_id uuid not null,
  digest bytea not null,
  event_id uuid,
  primary key (tenant_id, invitation_id),
  foreign key (tenant_id, invitation_id) references public.invitations (tenant_id, id) on delete cascade
);
comment on table private.invitations_tokens is
  'SHA-256 of each invitation''s secret, and the mail it went out by.';

create table private.invitations_pace (
  tenant_id uuid primary key references public.tenants (id) on delete cascade,
  next_at timestamptz not null
);
comment on table private.invitations_pace is
  'When a tenant''s next invitation may go out, so that a long list keeps within what mail providers take.';

insert into private.audit_actions (name, description)
values
  ('INVITATION_CREATED', 'Somebody made an invitation'),
  ('INVITATION_REVOKED', 'An invitation was taken back'),
  ('INVITATION_SENT', 'Invitations were mailed'),
  ('INVITATION_USED', 'Somebody came in by an invitation');

select private.declare_permission('invitations.manage', 'Invite people, see and revoke invitations', array['admin']);

alter table public.invitations enable row level security;
create policy invitations_select_manager on public.invitations
  for select to authenticated
  using (tenant_id = any (array(select private.tenants_with('invitations.manage'))));
alter table public.invitations_uses enable row level security;
create policy invitations_uses_select_manager on public.invitations_uses
  for select to authenticated
  using (tenant_id = any (array(select private.tenants_with('invitations.manage'))));
grant select on public.invitations, public.invitations_uses to authenticated, service_role;

-- Tokens: tenant, invitation, secret, 16 bytes each, in 64 characters. Found by key, never by digest.
create function private.invitations_renew_token(tenant_id uuid, invitation uuid)
returns text
language plpgsql
volatile
security definer -- nobody else writes tokens
set search_path = ''
as $$
#variable_conflict use_column
declare
  -- Two random ids, for each has six bits that are not.
  v_secret bytea := substring(
    sha256(uuid_send(gen_random_uuid()) || uuid_send(gen_random_uuid())) from 1 for 16
  );
begin
  insert into private.invitations_tokens (tenant_id, invitation_id, digest)
  values (invitations_renew_token.tenant_id, invitations_renew_token.invitation, sha256(v_secret))
  on conflict (tenant_id, invitation_id) do update set digest = excluded.digest;
  return translate(
    encode(
      uuid_send(invitations_renew_token.tenant_id) || uuid_send(invitations_renew_token.invitation) || v_secret,
      'base64'
    ),
    '+/', '-_'
  );
end;
$$;
comment on function private.invitations_renew_token(uuid, uuid) is
  'Gives an invitation a new token, and returns it this once: the one before is void.';

create type private.invitations_token as (tenant_id uuid, invitation_id uuid, digest bytea);

create function private.invitations_read_token(token text)
returns private.invitations_token
language plpgsql
immutable
security invoker
set search_path = ''
as $$
declare
  v_bytes bytea;
begin
  if token is null or token !~ '^[A-Za-z0-9_-]{64}$' then
    raise sqlstate 'PT404' using message = 'invitations.not_found';
  end if;
  v_bytes := decode(translate(token, '-_', '+/'), 'base64');
  return row(
    encode(substring(v_bytes from 1 for 16), 'hex')::uuid,
    encode(substring(v_bytes from 17 for 16), 'hex')::uuid,
    sha256(substring(v_bytes from 33 for 16))
  );
end;
$$;
comment on function private.invitations_read_token(text) is
  'What a token says, before anybody believed it. Raises invitations.not_found for what is none.';

create function private.invitations_author_may(invitation public.invitations)
returns boolean
language plpgsql
volatile
security definer -- reads and locks members past their policies
set search_path = ''
as $$
#variable_conflict use_column
begin
  -- Locked: who bans the author waits for the guest, or the guest finds the author banned.
  perform from public.members m
  join public.role_permissions rp
    on rp.tenant_id = m.tenant_id and rp.role = m.role and rp.permission = 'invitations.manage'
  where m.tenant_id = invitation.tenant_id and m.person_id = invitation.created_by and m.status = 'active'
  for share of m;
  if not found then
    return false;
  end if;
  perform private.members_guard_role(invitation.tenant_id, invitation.created_by, invitation.role);
  return true;
exception when sqlstate 'PT403' or sqlstate 'PT404' then
  return false;
end;
$$;
comment on function private.invitations_author_may(public.invitations) is
  'Whether the author of an invitation could still give its role.';
