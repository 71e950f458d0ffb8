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

-- Exchanges and their reviews
create function private.gamification_of_exchange(tenant_id uuid, key text[])
returns setof private.gamification_claim
language plpgsql
stable
security definer -- reads exchanges past their policies
set search_path = ''
as $$
#variable_conflict use_column
begin
  return query
  select p.person_id, 'complete_transaction', 1, 1::bigint, null::bigint
  from public.exchanges x
  join public.exchanges_parts p on p.tenant_id = x.tenant_id and p.exchange_id = x.id
  where x.tenant_id = gamification_of_exchange.tenant_id and x.id = key[1]::uuid and x.status = 'completed'
    and p.final_minutes > 0;
end;
$$;
comment on function private.gamification_of_exchange(uuid, text[]) is
  'A completed exchange that was not reversed: an exchange for everybody in it.';
select private.declare_gamification_source('exchanges', 'gamification_of_exchange');
create trigger gamification_on_exchange after update of status on public.exchanges
  for each row when ((new.status = 'completed') <> (old.status = 'completed'))
  execute function private.gamification_touched('exchanges', 'id');

create function private.gamification_of_review(tenant_id uuid, key text[])
returns setof private.gamification_claim
language plpgsql
stable
security definer -- reads reviews past their policies
set search_path = ''
as $$
#variable_conflict use_column
begin
  return query
  select c.person_id, c.action, c.units, c.amount, null::bigint
  from public.exchanges_reviews r
  cross join lateral (
    values (r.reviewer_id, 'leave_review', 1, 1::bigint), (r.reviewee_id, 'be_reviewed', 1, 1::bigint),
      (r.reviewee_id, 'receive_stars', 0, r.rating::bigint)
  ) c (person_id, action, units, amount)
  where r.tenant_id = gamification_of_review.tenant_id and r.id = key[1]::uuid and r.removed_at is null;
end;
$$;
comment on function private.gamification_of_review(uuid, text[]) is
  'A review that stands: one left, one received, and its stars.';
select private.declare_gamification_source('exchanges_reviews', 'gamification_of_review');
create trigger gamification_on_review after insert on public.exchanges_reviews
  for each row execute function private.gamification_touched('exchanges_reviews', 'id');
create trigger gamification_on_review_removed after update of removed_at on public.exchanges_reviews
  for each row when ((new.removed_at is null) <> (old.removed_at is null))
  execute function private.gamification_touched('exchanges_reviews', 'id');

-- Posts
create function private.gamification_of_post(tenant_id uuid, key text[])
returns setof private.gamification_claim
language plpgsql
stable
security definer -- reads posts past their policies
set search_path = ''
as $$
#variable_conflict use_column
begin
  return query
  select p.author_id, 'create_post', 1, 1::bigint, null::bigint
  from public.feed_posts p
  where p.tenant_id = gamification_of_post.tenant_id and p.id = key[1]::uuid and (
    p.deleted_at is null
    -- What its author deletes after a week has done its work; what others delete was none.
    or p.deleted_at > p.created_at + interval '7 days'
  );
end;
$$;
comment on function private.gamification_of_post(uuid, text[]) is 'A post that was not deleted within a week.';
select private.declare_gamification_source('feed_posts', 'gamification_of_post');
create trigger gamification_on_post after insert on public.feed_posts
  for each row execute function private.gamification_touched('feed_posts', 'id');
create trigger gamification_on_post_deleted after update of deleted_at on public.feed_posts
  for each row when ((new.deleted_at is null) <> (old.deleted_at is null))
  execute function private.gamification_touched('feed_posts', 'id');

-- Events
create function private.gamification_of_attendance(tenant_id uuid, key text[])
returns setof private.gamification_claim
language plpgsql
stable
security definer -- reads attendances past their policies
set search_path = ''
as $$
#variable_conflict use_column
begin
  return query
  select a.person_id, 'attend_event', 1, 1::bigint, null::bigint
  from public.events_attendances a
  join public.events e on e.tenant_id = a.tenant_id and e.id = a.event_id
  where a.tenant_id = gamification_of_attendance.tenant_id and a.occurrence_id = key[1]::uuid
    and a.person_id = key[2]::uuid and a.checked_in_at is not null and a.person_id <> e.organiser_id;
end;
$$;
comment on function private.gamification_of_attendance(uuid, text[]) is
  'Somebody who was checked in at an event of somebody else.';
select private.declare_gamification_source('events_attendances', 'gamification_of_attendance');
create trigger gamification_on_attendance after update of checked_in_at on public.events_attendances
  for each row when ((new.checked_in_at is null) <> (old.checked_in_at is null))
  execute function private.gamification_touched('events_attendances', 'occurrence_id', 'person_id');

create function private.gamification_of_event(tenant_id uuid, key text[])
returns setof private.gamification_claim
language plpgsql
stable
security definer -- reads events past their policies
set search_path = ''
as $$
#variable_conflict use_column
begin
  -- An event is made by those who come.
  return query
  select e.organiser_id, 'create_event', 1, 1::bigint, null::bigint
  from public.events e
  where e.tenant_id = gamification_of_event.tenant_id and e.id = key[1]::uuid and (
    select count(*) from (
      select from public.events_attendances a
      where a.tenant_id = e.tenant_id and a.event_id = e.id and a.checked_in_at is not null
        and a.person_id <> e.organiser_id
      limit 2
    ) came
  ) = 2;
end;
$$;
comment on function private.gamification_of_event(uuid, text[]) is
  'An event at which two others were checked in.';
select private.declare_gamification_source('events', 'gamification_of_event');
create trigger gamification_on_event after update of checked_in_at on public.events_attendances
  for each row when ((new.checked_in_at is null) <> (old.checked_in_at is null))
  execute function private.gamification_touched('events', 'event_id');
create index gamification_attended on public.events_attendances (tenant_id, event_id) where checked_in_at is not null;
