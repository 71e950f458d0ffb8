-- Members, admission: how people come in by themselves. The tenant's policy decides, once, for every
-- door: joining, registering, an invitation, documents that were checked.

-- Which addresses belong to the tenant, where its policy is domain
create table public.members_domains (
  tenant_id uuid not null references public.tenants (id) on delete cascade,
  domain text not null check (
    domain ~ '^(\*\.)?([a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?\.)+[a-z][a-z0-9-]{0,61}[a-z0-9]$'
    and char_length(domain) <= 253
  ),
  primary key (tenant_id, domain)
);
comment on table public.members_domains is
  'Domains whose confirmed addresses are admitted under the policy domain: example.edu for that one, *.example.edu for all below it.';

alter table public.members_domains enable row level security;
create policy members_domains_select_manager on public.members_domains
  for select to authenticated
  using (tenant_id = any (array(select private.tenants_with('members.manage'))));
grant select on public.members_domains to authenticated, service_role;

create function public.members_set_domains(tenant_id uuid, domains text[])
returns setof public.members_domains
language plpgsql
volatile
security definer -- nobody else writes domains
set search_path = ''
as $$
#variable_conflict use_column
declare
  v_before text[];
begin
  perform private.require(members_set_domains.tenant_id, 'tenants.update');
  if domains is null or cardinality(domains) > 200 then
    raise sqlstate 'PT422' using message = 'request.invalid', detail = 'domains: a list of at most 200';
  end if;
  select array_agg(d.domain) into v_before
  from public.members_domains d where d.tenant_id = members_set_domains.tenant_id;

  delete from public.members_domains d where d.tenant_id = members_set_domains.tenant_id;
  begin
    insert into public.members_domains (tenant_id, domain)
    select distinct members_set_domains.tenant_id, lower(btrim(d.domain))
    from unnest(domains) d(domain);
  exception when check_violation or not_null_violation then
    raise sqlstate 'PT422' using message = 'request.invalid', detail = 'domains: not a domain';
  end;
  perform private.audit(
    'TENANT_UPDATED', 'tenants:' || tenant_id, jsonb_build_object('domains', v_before),
    jsonb_build_object('domains', domains), tenant_id
  );
  return query
    select d.* from public.members_domains d
    where d.tenant_id = members_set_domains.tenant_id order by d.domain;
end;
$$;
comment on function public.members_set_domains(uuid, text[]) is
  'Says which domains'' addresses belong to the tenant (permission tenants.update). An address outside them waits for an admin. Raises request.invalid.';
grant execute on function public.members_set_domains(uuid, text[]) to authenticated;

create function private.members_in_domains(tenant_id uuid, email text)
returns boolean
language sql
stable
security definer -- reads domains past their policies
set search_path = ''
as $$
  -- The part behind the last @, whole: evil-example.edu is not example.edu.
  select exists (
    select from public.members_domains d,
      lower(substring(members_in_domains.email from '@([^@]+)$')) as domain_of(address)
    where d.tenant_id = members_in_domains.tenant_id
      and case
        when d.domain like '*.%' then right(address, char_length(d.domain) - 1) = substr(d.domain, 2)
        else address = d.domain
      end
  );
$$;
comment on function private.members_in_domains(uuid, text) is 'Whether the address belongs to the tenant, by its domain.';

-- The policy
create function private.members_wait_for(tenant public.tenants, person uuid, email text)
returns text
language plpgsql
stable
security definer -- reads domains and documents past their policies
set search_path = ''
as $$
begin
  if tenant.registration_policy = 'open' then
    return null;
  elsif tenant.registration_policy = 'documents' then
    if private.documents_complete(tenant.id, members_wait_for.person) then
      return null;
    end if;
    return 'documents';
  elsif tenant.registration_policy = 'domain' then
    -- The domain admits. Who belongs here by another address is not refused, but decided about.
    if private.members_in_domains(tenant.id, members_wait_for.email) then
      return null;
    end if;
    return 'approval';
  end if;
  return tenant.registration_policy; -- approval, or invitation
end;
$$;
comment on function private.members_wait_for(public.tenants, uuid, text) is
  'What the tenant''s policy still asks of the person, who has proved this address; null when nothing.';

create function private.require_admission(tenant text, email text, invitation text default null)
returns uuid
language plpgsql
volatile
security definer -- a stranger sees neither tenant nor invitations
set search_path = ''
as $$
#variable_conflict use_column
declare
  v_tenant public.tenants;
begin
  select * into v_tenant from public.tenants t where t.slug = require_admission.tenant;
  if not found or (v_tenant.id = private.platform() and invitation is null) then
    raise sqlstate 'PT404' using message = 'tenants.not_found';
  elsif invitation is not null then
    perform private.invitations_check(v_tenant.id, require_admission.email, invitation);
  elsif v_tenant.registration_policy = 'invitation' then
    raise sqlstate 'PT403' using
      message = 'members.registration_closed', detail = v_tenant.registration_policy;
  end if;
  return v_tenant.id;
end;
$$;
comment on function private.require_admission(text, text, text) is
  'Before a login is made for an address: the id of the tenant with this slug, if it would take them, with this invitation or none. Raises tenants.not_found, members.registration_closed, invitations.not_found, invitations.ended, invitations.other_address.';

create function private.is_confirmed(login auth.users)
returns boolean
language sql
immutable
security invoker
set search_path = ''
as $$
  select coalesce(login.email_confirmed_at, login.phone_confirmed_at) is not null;
$$;
comment on function private.is_confirmed(auth.users) is 'Whether somebody can sign in with this login at all.';

create function private.confirmed_email(login auth.users)
returns text
language sql
immutable
security invoker
set search_path = ''
as $$
  select case when login.email_confirmed_at is not null then login.email end;
$$;
comment on function private.confirmed_email(auth.users) is 'The address that the person has proved to be theirs; else null.';

create function private.admit(tenant_id uuid, person uuid, invitation text default null)
returns public.members
language plpgsql
volatile
security definer -- nobody else writes members
set search_path = ''
as $$
#variable_conflict use_column
declare
  v_tenant public.tenants;
  v_login auth.users;
  v_role text := 'member';
  v_settled text;
  v_waiting_for text;
begin
  select * into v_tenant from public.tenants t where t.id = admit.tenant_id;
  if not found then
    raise sqlstate 'PT404' using message = 'tenants.not_found';
  end if;
  select * into v_login from auth.users u where u.id = admit.person and u.deleted_at is null;
  if not found then
    raise sqlstate 'PT404' using message = 'people.not_found';
  end if;

  if admit.invitation is not null then
    v_role := private.invitations_redeem(v_tenant.id, v_login.id, v_login.email, admit.invitation);
    v_settled := 'invitation';
  else
    v_waiting_for := private.members_wait_for(v_tenant, v_login.id, private.confirmed_email(v_login));
    if v_waiting_for = 'invitation' then
      raise sqlstate 'PT403' using
        message = 'members.registration_closed', detail = v_tenant.registration_policy;
    elsif v_waiting_for is null and private.is_confirmed(v_login) then
      v_settled := v_tenant.registration_policy;
    end if;
  end if;
  if not private.is_confirmed(v_login) then
    v_waiting_for := 'email';
  end if;
  return private.members_admit(
    v_tenant.id, admit.person, v_role, case when v_waiting_for is null then 'active' else 'pending' end,
    v_waiting_for, v_settled
  );
end;
$$;
comment on function private.admit(uuid, uuid, text) is
  'The way in, for everybody who comes by themselves: by an invitation''s token, or as the policy says. Active, or pending with what is waited for: the address first, then what the policy asks. Who waits comes in by the same call once they have more to show. Raises tenants.not_found, people.not_found, members.registration_closed, members.already_member, and for a token invitations.not_found, invitations.ended, invitations.other_address.';

create function public.members_join(tenant text)
returns public.members
language plpgsql
volatile
security definer -- a stranger sees neither tenant nor members
set search_path = ''
as $$
#variable_conflict use_column
declare
  v_person uuid := private.require_person();
  v_tenant uuid;
begin
  select t.id into v_tenant from public.tenants t
  where t.slug = members_join.tenant and t.id <> private.platform();
  return private.admit(v_tenant, v_person);
end;
$$;
comment on function public.members_join(text) is
  'The caller asks to join the tenant with this slug: active or pending, as its policy says. With an invitation: invitations_accept. Raises tenants.not_found, members.registration_closed, members.already_member.';
grant execute on function public.members_join(text) to authenticated;

-- Once the address is confirmed
create function private.members_on_login_confirmed()
returns trigger
language plpgsql
volatile
security definer -- Auth's role has no right on members
set search_path = ''
as $$
declare
  v_member public.members;
  v_tenant public.tenants;
  v_waiting_for text;
begin
  for v_member in
    select * from public.members m
    where m.person_id = new.id and m.status = 'pending' and m.waiting_for = 'email'
    order by m.tenant_id
    for update
  loop
    v_waiting_for := null;
    if v_member.admitted_by is null then
      select * into v_tenant from public.tenants t where t.id = v_member.tenant_id;
      v_waiting_for := private.members_wait_for(v_tenant, new.id, private.confirmed_email(new));
      if v_waiting_for is null then
        v_member.admitted_by := v_tenant.registration_policy;
      elsif v_waiting_for = 'invitation' then
        -- The policy changed meanwhile. They had asked in time: an admin decides.
        v_waiting_for := 'approval';
      end if;
    end if;
    update public.members m
    set status = case when v_waiting_for is null then 'active' else 'pending' end,
      waiting_for = v_waiting_for, admitted_by = v_member.admitted_by
    where m.tenant_id = v_member.tenant_id and m.person_id = v_member.person_id;
  end loop;
  return null;
end;
$$;
comment on function private.members_on_login_confirmed() is
  'After an address or number was confirmed: who waited for that alone is in, others wait for what the policy asks.';

create trigger members_on_login_confirmed
  after update of email_confirmed_at, phone_confirmed_at on auth.users
  -- Spelled out: Auth's role may call no function of ours.
  for each row when (
    coalesce(old.email_confirmed_at, old.phone_confirmed_at) is null
    and coalesce(new.email_confirmed_at, new.phone_confirmed_at) is not null
  )
  execute function private.members_on_login_confirmed();
