-- Invitations, acts: making them, using them, taking them back.

create function private.invitations_make(
  tenant_id uuid, author uuid, role text, email text, uses integer, expires_at timestamptz, label text
)
returns public.invitations
language plpgsql
volatile
security definer -- nobody else writes invitations
set search_path = ''
as $$
#variable_conflict use_column
declare
  v_invitation public.invitations;
begin
  insert into public.invitations (tenant_id, role, email, max_uses, expires_at, label, created_by)
  values (
    invitations_make.tenant_id, invitations_make.role, invitations_make.email, invitations_make.uses,
    invitations_make.expires_at, btrim(invitations_make.label), invitations_make.author
  )
  returning * into v_invitation;
  return v_invitation;
end;
$$;
comment on function private.invitations_make(uuid, uuid, text, text, integer, timestamptz, text) is
  'Writes an invitation; its author''s rights are checked before.';

create function private.invitations_guard(
  tenant_id uuid, author uuid, role text, uses integer, expires_at timestamptz, label text
)
returns void
language plpgsql
volatile
security definer -- reads roles past their policies
set search_path = ''
as $$
#variable_conflict use_column
declare
  v_fault text := case
    when uses is null or uses not between 1 and 10000 then 'uses'
    when expires_at is null or expires_at <= now() or expires_at > now() + interval '366 days' then 'expires_at'
    when char_length(btrim(label)) not between 1 and 80 then 'label'
  end;
begin
  if v_fault is not null then
    raise sqlstate 'PT422' using message = 'request.invalid', detail = v_fault;
  end if;
  perform private.members_guard_role(invitations_guard.tenant_id, author, invitations_guard.role);
  if invitations_guard.role = 'owner' then
    raise sqlstate 'PT409' using message = 'members.ownership_is_offered';
  end if;
end;
$$;
comment on function private.invitations_guard(uuid, uuid, text, integer, timestamptz, text) is
  'Raises unless the author may invite to this role on these terms: request.invalid, members.role_not_found, members.role_above_own, members.permission_denied, members.ownership_is_offered.';

create function public.invitations_create(
  tenant_id uuid,
  role text default 'member',
  uses integer default 1,
  expires_at timestamptz default now() + interval '14 days',
  label text default null
)
returns jsonb
language plpgsql
volatile
security definer -- nobody else writes invitations
set search_path = ''
as $$
#variable_conflict use_column
declare
  v_author uuid := private.require(invitations_create.tenant_id, 'invitations.manage');
  v_role text := private.members_role_of(invitations_create.tenant_id, invitations_create.role);
  v_invitation public.invitations;
begin
  perform private.invitations_guard(
    invitations_create.tenant_id, v_author, v_role, invitations_create.uses,
    invitations_create.expires_at, invitations_create.label
  );
  v_invitation := private.invitations_make(
    invitations_create.tenant_id, v_author, v_role, null, invitations_create.uses,
    invitations_create.expires_at, invitations_create.label
  );
  perform private.audit(
    'INVITATION_CREATED', 'invitations:' || v_invitation.id, null, to_jsonb(v_invitation),
    v_invitation.tenant_id
  );
  return to_jsonb(v_invitation) || jsonb_build_object(
    'token', private.invitations_renew_token(v_invitation.tenant_id, v_invitation.id)
  );
end;
$$;
comment on function public.invitations_create(uuid, text, integer, timestamptz, text) is
  'An invitation for whoever has its token, so many times (permission invitations.manage). role may be several with + between. Answers with the invitation and, this once, its token of 64 characters. Raises request.invalid, members.role_not_found, members.role_above_own, members.permission_denied, members.ownership_is_offered.';
grant execute on function public.invitations_create(uuid, text, integer, timestamptz, text) to authenticated;

-- Using one
create function private.invitations_find(tenant_id uuid, email text, token text)
returns public.invitations
language plpgsql
volatile
security definer -- nobody else reads tokens
set search_path = ''
as $$
#variable_conflict use_column
declare
  v_token private.invitations_token := private.invitations_read_token(invitations_find.token);
  v_invitation public.invitations;
begin
  -- Locked, so that the last use is one person's, however many come at once.
  select i.* into v_invitation
  from public.invitations i
  join private.invitations_tokens t on t.tenant_id = i.tenant_id and t.invitation_id = i.id
  where i.tenant_id = invitations_find.tenant_id and v_token.tenant_id = i.tenant_id
    and i.id = v_token.invitation_id and t.digest = v_token.digest
  for update of i;
  if not found then
    raise sqlstate 'PT404' using message = 'invitations.not_found';
  elsif v_invitation.status = 'open' and v_invitation.expires_at <= now() then
    raise sqlstate 'PT409' using message = 'invitations.ended', detail = 'expired';
  elsif v_invitation.status <> 'open' then
    raise sqlstate 'PT409' using message = 'invitations.ended', detail = v_invitation.status;
  elsif v_invitation.email is distinct from lower(invitations_find.email) and v_invitation.email is not null then
    raise sqlstate 'PT403' using message = 'invitations.other_address';
  elsif not private.invitations_author_may(v_invitation) then
    raise sqlstate 'PT409' using message = 'invitations.ended', detail = 'void';
  end if;
  return v_invitation;
end;
$$;
comment on function private.invitations_find(uuid, text, text) is
  'The open invitation of this token, locked, if somebody with this address may use it. Raises invitations.not_found, invitations.ended (detail: used, revoked, expired or void), invitations.other_address.';

create function private.invitations_redeem(tenant_id uuid, person uuid, email text, token text)
returns text
language plpgsql
volatile
security definer -- nobody else writes invitations
set search_path = ''
as $$
#variable_conflict use_column
declare
  v_invitation public.invitations := private.invitations_find(tenant_id, email, token);
  v_used boolean := v_invitation.uses + 1 = v_invitation.max_uses;
begin
  insert into public.invitations_uses (tenant_id, invitation_id, person_id)
  values (v_invitation.tenant_id, v_invitation.id, invitations_redeem.person)
  on conflict do nothing;
  if not found then
    -- Used by this person before: neither counted again nor a way back in for who left.
    raise sqlstate 'PT409' using message = 'invitations.ended', detail = 'used';
  end if;
  update public.invitations i
  set uses = i.uses + 1, status = case when v_used then 'used' else 'open' end,
    ended_at = case when v_used then now() end
  where i.tenant_id = v_invitation.tenant_id and i.id = v_invitation.id;
  perform private.audit(
    'INVITATION_USED', 'invitations:' || v_invitation.id, null,
    jsonb_build_object('person_id', invitations_redeem.person), v_invitation.tenant_id,
    invitations_redeem.person
  );
  return v_invitation.role;
end;
$$;
comment on function private.invitations_redeem(uuid, uuid, text, text) is
  'Uses an invitation once and returns the role it gives; part of private.admit. Raises what invitations_find raises.';

create function public.invitations_accept(token text)
returns public.members
language plpgsql
volatile
security definer -- a stranger sees neither tenant nor invitations
set search_path = ''
as $$
#variable_conflict use_column
declare
  v_person uuid := private.require_person();
begin
  return private.admit(
    (private.invitations_read_token(invitations_accept.token)).tenant_id, v_person,
    invitation => invitations_accept.token
  );
exception when sqlstate 'PT404' then
  -- A tenant that is not there tells no more than a token that is not.
  raise sqlstate 'PT404' using message = 'invitations.not_found';
end;
$$;
comment on function public.invitations_accept(text) is
  'The caller comes in by an invitation: with its role, at once. Raises invitations.not_found, invitations.ended (detail: used, revoked, expired, or void where its author may no longer give the role), invitations.other_address, members.already_member.';
grant execute on function public.invitations_accept(text) to authenticated;

create function private.invitations_check(tenant_id uuid, email text, token text)
returns void
language plpgsql
volatile
security definer -- nobody else reads tokens
set search_path = ''
as $$
begin
  perform private.invitations_find(
    invitations_check.tenant_id, invitations_check.email, invitations_check.token
  );
end;
$$;
comment on function private.invitations_check(uuid, text, text) is
  'Whether somebody with this address could use the invitation now. Raises what invitations_find raises.';

create function public.invitations_revoke(tenant_id uuid, invitation uuid)
returns public.invitations
language plpgsql
volatile
security definer -- nobody else writes invitations
set search_path = ''
as $$
#variable_conflict use_column
declare
  v_invitation public.invitations;
begin
  perform private.require(invitations_revoke.tenant_id, 'invitations.manage');
  select * into v_invitation from public.invitations i
  where i.tenant_id = invitations_revoke.tenant_id and i.id = invitations_revoke.invitation
  for update;
  if not found then
    raise sqlstate 'PT404' using message = 'invitations.not_found';
  elsif v_invitation.status <> 'open' then
    raise sqlstate 'PT409' using message = 'invitations.ended', detail = v_invitation.status;
  end if;
  update public.invitations i set status = 'revoked', ended_at = now()
  where i.tenant_id = v_invitation.tenant_id and i.id = v_invitation.id
  returning * into v_invitation;
  perform private.invitations_unsend(v_invitation.tenant_id, v_invitation.id);
  perform private.audit(
    'INVITATION_REVOKED', 'invitations:' || v_invitation.id, null, null, v_invitation.tenant_id
  );
  return v_invitation;
end;
$$;
comment on function public.invitations_revoke(uuid, uuid) is
  'Takes back an open invitation, and its mail if that still waits (permission invitations.manage). Raises invitations.not_found, invitations.ended.';
grant execute on function public.invitations_revoke(uuid, uuid) to authenticated;
