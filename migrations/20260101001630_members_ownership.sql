-- Members, ownership: it is offered by an owner who proves themselves once more, and accepted by who is
-- to have it. Nobody becomes an owner unasked, and no tenant loses its last one in silence.

create table public.members_ownership_offers (
  tenant_id uuid not null,
  person_id uuid not null,
  offered_by uuid not null,
  stays boolean not null,
  expires_at timestamptz not null default now() + interval '7 days',
  created_at timestamptz not null default now(),
  primary key (tenant_id, person_id),
  foreign key (tenant_id, person_id) references public.members (tenant_id, person_id) on delete cascade,
  foreign key (tenant_id, offered_by) references public.members (tenant_id, person_id) on delete cascade
);
comment on table public.members_ownership_offers is
  'Ownership that was offered and not yet accepted: at most one offer a person.';
comment on column public.members_ownership_offers.stays is
  'Whether who offers stays an owner beside them; else they become an admin.';
create index members_ownership_offers_by on public.members_ownership_offers (tenant_id, offered_by);

alter table public.members_ownership_offers enable row level security;
create policy members_ownership_offers_select_party on public.members_ownership_offers
  for select to authenticated
  using (
    tenant_id = any (array(select private.tenants_with('tenants.read')))
    and (select private.person()) in (person_id, offered_by)
  );
grant select on public.members_ownership_offers to authenticated, service_role;

insert into private.audit_actions (name, description)
values
  ('OWNERSHIP_OFFERED', 'An owner offered ownership of the tenant'),
  ('OWNERSHIP_ACCEPTED', 'Ownership of the tenant was accepted'),
  ('OWNERSHIP_OFFER_ENDED', 'An offer of ownership was declined or taken back'),
  ('TENANT_OWNERLESS', 'A tenant lost its last owner');

select private.declare_notification('members.ownership_offered', security => true);
select private.declare_notification('members.ownership_moved', security => true, outsiders => true);
select private.declare_notification('tenants.ownerless', security => true);

create function private.members_require_owner(tenant_id uuid, person uuid)
returns void
language plpgsql
stable
security definer -- reads members past their policies
set search_path = ''
as $$
#variable_conflict use_column
begin
  if not exists (
    select from public.members m
    where m.tenant_id = members_require_owner.tenant_id and m.person_id = members_require_owner.person
      and m.role = 'owner' and m.status = 'active'
  ) then
    raise sqlstate 'PT403' using message = 'members.permission_denied', detail = 'owner';
  end if;
end;
$$;
comment on function private.members_require_owner(uuid, uuid) is
  'Raises members.permission_denied unless the person owns the tenant now.';

create function public.members_offer_ownership(tenant_id uuid, person uuid, stays boolean default false)
returns public.members_ownership_offers
language plpgsql
volatile
security definer -- nobody else writes offers
set search_path = ''
as $$
#variable_conflict use_column
declare
  v_owner uuid := private.require_person(); -- not by a key, nor by somebody who stands in for them
  v_member public.members;
  v_offer public.members_ownership_offers;
begin
  perform private.require_member(members_offer_ownership.tenant_id);
  perform private.members_require_owner(members_offer_ownership.tenant_id, v_owner);
  perform private.require_recent_proof();
  select * into v_member from public.members m
  where m.tenant_id = members_offer_ownership.tenant_id and m.person_id = members_offer_ownership.person
    and m.status = 'active';
  if not found then
    raise sqlstate 'PT404' using message = 'members.not_found';
  elsif v_member.person_id = v_owner then
    raise sqlstate 'PT403' using message = 'members.not_yourself';
  elsif v_member.role = 'owner' then
    raise sqlstate 'PT409' using message = 'members.already_owner';
  elsif members_offer_ownership.stays is null then
    raise sqlstate 'PT422' using message = 'request.invalid', detail = 'stays';
  end if;

  insert into public.members_ownership_offers (tenant_id, person_id, offered_by, stays)
  values (v_member.tenant_id, v_member.person_id, v_owner, members_offer_ownership.stays)
  on conflict (tenant_id, person_id) do update
    set offered_by = excluded.offered_by, stays = excluded.stays, created_at = now(),
      expires_at = excluded.expires_at
  returning * into v_offer;
  perform private.audit(
    'OWNERSHIP_OFFERED', 'members:' || v_member.person_id, null,
    jsonb_build_object('stays', v_offer.stays), v_member.tenant_id
  );
  perform private.notify(
    v_member.person_id, 'members.ownership_offered', '{}', v_member.tenant_id, v_offer.expires_at
  );
  return v_offer;
end;
$$;
comment on function public.members_offer_ownership(uuid, uuid, boolean) is
  'An owner who proved within five minutes that it is them (by their second factor where they have one, else by their password) offers ownership to an active member, for seven days. stays: they remain an owner, too. Raises members.permission_denied, two_factor.recent_required, accounts.reauthentication_required, auth.session_bounded, members.not_found, members.not_yourself, members.already_owner, request.invalid.';
grant execute on function public.members_offer_ownership(uuid, uuid, boolean) to authenticated;

create function public.members_accept_ownership(tenant_id uuid)
returns public.members
language plpgsql
volatile
security definer -- nobody else writes members
set search_path = ''
as $$
#variable_conflict use_column
declare
  v_person uuid := private.require_person();
  v_offer public.members_ownership_offers;
  v_member public.members;
begin
  perform private.require_member(members_accept_ownership.tenant_id);
  perform private.members_lock_owners(members_accept_ownership.tenant_id, v_person);
  delete from public.members_ownership_offers o
  where o.tenant_id = members_accept_ownership.tenant_id and o.person_id = v_person
  returning * into v_offer;
  if not found or v_offer.expires_at <= now() then
    raise sqlstate 'PT404' using message = 'members.offer_not_found';
  end if;
  -- Under the lock: an offer of somebody who is no owner any more gives nothing.
  perform private.require_member(v_offer.tenant_id);
  if not exists (
    select from public.members m
    where m.tenant_id = v_offer.tenant_id and m.person_id = v_offer.offered_by
      and m.role = 'owner' and m.status = 'active'
  ) then
    raise sqlstate 'PT404' using message = 'members.offer_not_found';
  end if;

  update public.members m set role = 'owner'
  where m.tenant_id = v_offer.tenant_id and m.person_id = v_person
  returning * into v_member;
  if not v_offer.stays then
    update public.members m set role = 'admin'
    where m.tenant_id = v_offer.tenant_id and m.person_id = v_offer.offered_by;
  end if;
  perform private.audit(
    'OWNERSHIP_ACCEPTED', 'members:' || v_person, jsonb_build_object('owner', v_offer.offered_by),
    jsonb_build_object('owner', v_person, 'stays', v_offer.stays), v_offer.tenant_id
  );
  perform private.notify(
    v_offer.offered_by, 'members.ownership_moved',
    jsonb_build_object('name', v_member.display_name), v_offer.tenant_id
  );
  return v_member;
end;
$$;
comment on function public.members_accept_ownership(uuid) is
  'The caller accepts the ownership that they were offered; who offered it becomes an admin unless they said that they stay. Raises members.offer_not_found, also where who offered it is no owner any more, auth.session_bounded.';
grant execute on function public.members_accept_ownership(uuid) to authenticated;

create function public.members_drop_ownership_offer(tenant_id uuid, person uuid)
returns public.members_ownership_offers
language plpgsql
volatile
security definer -- nobody else writes offers
set search_path = ''
as $$
#variable_conflict use_column
declare
  v_actor uuid := private.require_member(members_drop_ownership_offer.tenant_id);
  v_offer public.members_ownership_offers;
begin
  delete from public.members_ownership_offers o
  where o.tenant_id = members_drop_ownership_offer.tenant_id
    and o.person_id = members_drop_ownership_offer.person
    and (
      v_actor in (o.person_id, o.offered_by)
      or exists (
        select from public.members m
        where m.tenant_id = o.tenant_id and m.person_id = v_actor and m.role = 'owner' and m.status = 'active'
      )
    )
  returning * into v_offer;
  if not found then
    raise sqlstate 'PT404' using message = 'members.offer_not_found';
  end if;
  perform private.audit(
    'OWNERSHIP_OFFER_ENDED', 'members:' || v_offer.person_id, null, null, v_offer.tenant_id
  );
  return v_offer;
end;
$$;
comment on function public.members_drop_ownership_offer(uuid, uuid) is
  'Declines the ownership that the caller was offered, or takes back what an owner offered to the person. Raises members.offer_not_found.';
grant execute on function public.members_drop_ownership_offer(uuid, uuid) to authenticated;
