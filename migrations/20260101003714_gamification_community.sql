-- Gamification, sources of the community: what listings, exchanges and what people do together deserve.

create function private.gamification_of_listing(tenant_id uuid, key text[])
returns setof private.gamification_claim
language plpgsql
stable
security definer -- reads listings past their policies
set search_path = ''
as $$
#variable_conflict use_column
begin
  -- What is put up to be taken down again is worth nothing, nor what moderators took down.
  return query
  select l.owner_id, 'create_listing', 1, 1::bigint, null::bigint
  from public.listings l
  where l.tenant_id = gamification_of_listing.tenant_id and l.id = key[1]::uuid
    and l.published_at is not null and l.status <> 'rejected'
    and (l.status <> 'cancelled' or l.updated_at > l.published_at + interval '7 days');
end;
$$;
comment on function private.gamification_of_listing(uuid, text[]) is
  'A listing that was published, was not rejected since, and stood for a week or longer if it was cancelled.';
select private.declare_gamification_source('listings', 'gamification_of_listing');
create trigger gamification_on_listing after insert on public.listings
  for each row when (new.published_at is not null)
  execute function private.gamification_touched('listings', 'id');
create trigger gamification_on_listing_changed after update of status on public.listings
  for each row when (new.status <> old.status and new.published_at is not null)
  execute function private.gamification_touched('listings', 'id');

-- Groups
create function private.gamification_of_group(tenant_id uuid, key text[])
returns setof private.gamification_claim
language plpgsql
stable
security definer -- reads groups past their policies
set search_path = ''
as $$
#variable_conflict use_column
begin
  -- Making one is easy: it takes two others who come.
  return query
  select g.created_by, 'create_group', 1, 1::bigint, null::bigint
  from public.groups g
  where g.tenant_id = gamification_of_group.tenant_id and g.id = key[1]::uuid and g.members >= 3;
end;
$$;
comment on function private.gamification_of_group(uuid, text[]) is 'A group of three or more.';
select private.declare_gamification_source('groups', 'gamification_of_group');

create function private.gamification_of_group_member(tenant_id uuid, key text[])
returns setof private.gamification_claim
language plpgsql
stable
security definer -- reads groups past their policies
set search_path = ''
as $$
#variable_conflict use_column
begin
  return query
  select m.person_id, 'join_group', 1, 1::bigint, null::bigint
  from public.groups_members m
  join public.groups g on g.tenant_id = m.tenant_id and g.id = m.group_id
  where m.tenant_id = gamification_of_group_member.tenant_id and m.group_id = key[1]::uuid
    and m.person_id = key[2]::uuid and m.status = 'active' and m.person_id <> g.created_by;
end;
$$;
comment on function private.gamification_of_group_member(uuid, text[]) is
  'Somebody in a group that they have not made.';
select private.declare_gamification_source('groups_members', 'gamification_of_group_member');
create trigger gamification_on_group_joined after insert on public.groups_members
  for each row when (new.status = 'active')
  execute function private.gamification_touched('groups_members', 'group_id', 'person_id');
create trigger gamification_on_group_member_changed after update of status on public.groups_members
  for each row when ((new.status = 'active') <> (old.status = 'active'))
  execute function private.gamification_touched('groups_members', 'group_id', 'person_id');
create trigger gamification_on_group_grown after update of members on public.groups
  for each row when ((new.members >= 3) <> (old.members >= 3))
  execute function private.gamification_touched('groups', 'id');
