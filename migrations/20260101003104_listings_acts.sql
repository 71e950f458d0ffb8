-- Listings, acts: from draft to done. Where the tenant wants to look first, publishing hands in.

select private.declare_notification('listings.' || what, group_key => 'listing_id')
from unnest(array['approved', 'rejected']) what;
select private.declare_notification('listings.waiting', email => 'off', push => 'off', group_key => 'queue');

create function private.listings_notice(listing public.listings)
returns jsonb
language plpgsql
stable
security definer -- reads tenants past their policies
set search_path = ''
as $$
#variable_conflict use_column
begin
  return jsonb_strip_nulls(jsonb_build_object(
    'listing_id', listing.id, 'title', listing.title, 'reason', listing.reason,
    'link', (
      select rtrim(t.app_url, '/') || '/listings/' || listing.id
      from public.tenants t where t.id = listing.tenant_id
    )
  ));
end;
$$;
comment on function private.listings_notice(public.listings) is 'The values of a notice about a listing.';

create function private.listings_needs_review(listing public.listings)
returns boolean
language plpgsql
stable
security definer -- reads the tenant's settings and the owner's other listings
set search_path = ''
as $$
#variable_conflict use_column
declare
  v_review jsonb := private.listings_setting(listing.tenant_id, 'review');
begin
  -- What was rejected once does not come back past a reviewer.
  if listing.status = 'rejected' then
    return true;
  elsif private.may(listing.tenant_id, listing.owner_id, 'listings.review') then
    return false;
  end if;
  return coalesce(v_review = 'true', false) or coalesce(v_review = '"first"', false) and not exists (
    select from public.listings l
    where l.tenant_id = listing.tenant_id and l.owner_id = listing.owner_id and l.published_at is not null
  );
end;
$$;
comment on function private.listings_needs_review(public.listings) is
  'Whether somebody looks at it before others see it, as the tenant wants. Who reviews need not ask themselves.';

create function private.listings_hand_in(listing public.listings)
returns public.listings
language plpgsql
volatile
security definer -- nobody else writes listings
set search_path = ''
as $$
#variable_conflict use_column
declare
  v_listing public.listings;
begin
  update public.listings l set status = 'pending', submitted_at = now(), reason = null, featured_at = null
  where l.tenant_id = listing.tenant_id and l.id = listing.id
  returning * into v_listing;
  perform private.notify_all(
    array(
      select m.person_id from public.members m
      join public.role_permissions rp
        on rp.tenant_id = m.tenant_id and rp.role = m.role and rp.permission = 'listings.review'
      where m.tenant_id = v_listing.tenant_id and m.status = 'active' and m.person_id <> v_listing.owner_id
    ),
    'listings.waiting', private.listings_notice(v_listing) || jsonb_build_object('queue', 'listings'),
    v_listing.tenant_id
  );
  return v_listing;
end;
$$;
comment on function private.listings_hand_in(public.listings) is 'Puts a listing into the queue, and tells those who review.';

create function private.listings_next_reminder(tenant_id uuid, expires_at timestamptz)
returns timestamptz
language plpgsql
stable
security definer -- asks listings_setting
set search_path = ''
as $$
declare
  v_days jsonb := private.listings_setting(listings_next_reminder.tenant_id, 'remind_days');
begin
  if jsonb_typeof(v_days) is distinct from 'array' or jsonb_array_length(v_days) > 5
    or jsonb_path_exists(v_days, '$[*] ? (@.type() != "number" || @ < 1 || @ > 90)')
  then
    v_days := '[7, 1]';
  end if;
  return (
    select min(t.at)
    from jsonb_array_elements(v_days) e(value)
    cross join lateral (
      select listings_next_reminder.expires_at - make_interval(days => e.value::numeric::integer) as at
    ) t
    where t.at > now()
  );
end;
$$;
comment on function private.listings_next_reminder(uuid, timestamptz) is
  'When to tell the owner next that a listing expires: 7 days before and 1, unless the tenant says otherwise; null when there is no next time.';

create function private.listings_activate(listing public.listings)
returns public.listings
language plpgsql
volatile
security definer -- nobody else writes listings
set search_path = ''
as $$
#variable_conflict use_column
declare
  v_listing public.listings;
  v_end timestamptz := now() + make_interval(days => private.listings_days(listing.tenant_id));
begin
  -- Time that is left stays; waiting for a reviewer costs none.
  v_end := case when listing.expires_at > now() then listing.expires_at else v_end end;
  update public.listings l
  set status = 'active', reason = null, published_at = coalesce(l.published_at, now()),
    expires_at = v_end, remind_at = private.listings_next_reminder(l.tenant_id, v_end)
  where l.tenant_id = listing.tenant_id and l.id = listing.id
  returning * into v_listing;
  return v_listing;
end;
$$;
comment on function private.listings_activate(public.listings) is 'Lets others see a listing.';

create function public.listings_save(tenant_id uuid, listing uuid default null, changes jsonb default '{}')
returns public.listings
language plpgsql
volatile
security definer -- clients may not write listings
set search_path = ''
as $$
#variable_conflict use_column
declare
  v_me uuid := private.require(listings_save.tenant_id, 'listings.write');
  v_before public.listings;
  v_listing public.listings;
begin
  if jsonb_typeof(changes) is distinct from 'object' then
    raise sqlstate 'PT422' using message = 'request.invalid', detail = 'changes: an object';
  elsif listings_save.listing is null then
    perform private.require_rate('listings-save:' || listings_save.tenant_id || ':' || v_me, 60, interval '1 hour');
    v_before.tenant_id := listings_save.tenant_id;
    v_before.owner_id := v_me;
    v_before.status := 'draft';
    v_listing := private.listings_apply(v_before, changes);
    insert into public.listings (tenant_id, owner_id, kind, title, description)
    values (v_listing.tenant_id, v_me, v_listing.kind, v_listing.title, v_listing.description)
    returning * into v_before;
    insert into public.listings_counts (tenant_id, listing_id, owner_id)
    values (v_before.tenant_id, v_before.id, v_me);
  else
    v_before := private.listings_lock(listings_save.tenant_id, listings_save.listing, v_me);
    if v_before.status in ('fulfilled', 'cancelled') then
      perform private.listings_refuse(v_before);
    end if;
  end if;
  v_listing := private.listings_apply(v_before, changes);
  update public.listings l
  set kind = v_listing.kind, title = v_listing.title, description = v_listing.description, tags = v_listing.tags,
    minutes = v_listing.minutes, remote = v_listing.remote, place = v_listing.place,
    latitude = v_listing.latitude, longitude = v_listing.longitude
  where l.tenant_id = v_before.tenant_id and l.id = v_before.id
  returning * into v_listing;
  if changes ? 'images' then
    perform private.listings_set_images(v_listing, changes -> 'images');
  end if;
  -- What was approved is what was read: other words or pictures are looked at again.
  if v_before.status = 'active' and private.listings_needs_review(v_listing) and (
    changes ? 'images' or (v_before.title, v_before.description, v_before.tags, v_before.place)
      is distinct from (v_listing.title, v_listing.description, v_listing.tags, v_listing.place)
  ) then
    v_listing := private.listings_hand_in(v_listing);
  end if;
  return v_listing;
end;
$$;
comment on function public.listings_save(uuid, uuid, jsonb) is
  'Makes a draft of the caller''s, or changes a listing of theirs: { kind, title, description, tags, minutes, remote, place, latitude, longitude, images }, each optional, null takes it back (permission listings.write). Places are kept to a hundredth of a degree. Where the tenant looks first, a changed one waits anew. Raises listings.not_found, files.not_found, request.transition_refused, request.invalid, limits.exceeded.';
grant execute on function public.listings_save(uuid, uuid, jsonb) to authenticated;

create function public.listings_publish(tenant_id uuid, listing uuid)
returns public.listings
language plpgsql
volatile
security definer -- clients may not write listings
set search_path = ''
as $$
#variable_conflict use_column
declare
  v_me uuid := private.require(listings_publish.tenant_id, 'listings.write');
  v_listing public.listings := private.listings_lock(listings_publish.tenant_id, listings_publish.listing, v_me);
begin
  if v_listing.status not in ('draft', 'rejected') then
    perform private.listings_refuse(v_listing);
  end if;
  perform private.require_rate('listings-publish:' || v_listing.tenant_id || ':' || v_me, 30, interval '1 day');
  if private.listings_needs_review(v_listing) then
    v_listing := private.listings_hand_in(v_listing);
  else
    v_listing := private.listings_activate(v_listing);
  end if;
  perform private.audit(
    'LISTING_PUBLISHED', 'listings:' || v_listing.id, null,
    jsonb_build_object('status', v_listing.status), v_listing.tenant_id, v_me
  );
  return v_listing;
end;
$$;
comment on function public.listings_publish(uuid, uuid) is
  'Publishes a draft of the caller''s, or hands it in where the tenant looks first; what was rejected is always looked at again (permission listings.write). Raises listings.not_found, request.transition_refused, limits.exceeded.';
grant execute on function public.listings_publish(uuid, uuid) to authenticated;

-- Reviewers
create function private.listings_review(tenant_id uuid, listing uuid)
returns public.listings
language plpgsql
volatile
security definer -- locks a listing past its policies
set search_path = ''
as $$
#variable_conflict use_column
declare
  v_actor uuid := private.require(listings_review.tenant_id, 'listings.review');
  v_listing public.listings := private.listings_lock(listings_review.tenant_id, listings_review.listing, null);
begin
  -- A draft is its owner's alone.
  if v_listing.status = 'draft' and v_listing.owner_id <> v_actor then
    raise sqlstate 'PT404' using message = 'listings.not_found';
  end if;
  perform private.require_for(v_listing.tenant_id, 'listings.review', v_listing.owner_id);
  return v_listing;
end;
$$;
comment on function private.listings_review(uuid, uuid) is
  'The listing, locked, for a reviewer who is not its owner. Raises listings.not_found, members.not_yourself, members.permission_denied.';

create function public.listings_approve(tenant_id uuid, listing uuid)
returns public.listings
language plpgsql
volatile
security definer -- clients may not write listings
set search_path = ''
as $$
#variable_conflict use_column
declare
  v_listing public.listings := private.listings_review(listings_approve.tenant_id, listings_approve.listing);
begin
  if v_listing.status <> 'pending' then
    perform private.listings_refuse(v_listing);
  end if;
  v_listing := private.listings_activate(v_listing);
  perform private.audit(
    'LISTING_REVIEWED', 'listings:' || v_listing.id, null, jsonb_build_object('status', 'active'),
    v_listing.tenant_id
  );
  perform private.notify(
    v_listing.owner_id, 'listings.approved', private.listings_notice(v_listing), v_listing.tenant_id
  );
  return v_listing;
end;
$$;
comment on function public.listings_approve(uuid, uuid) is
  'Lets others see a listing that waits (permission listings.review, never one''s own). Raises listings.not_found, members.not_yourself, request.transition_refused.';
grant execute on function public.listings_approve(uuid, uuid) to authenticated;

create function public.listings_reject(tenant_id uuid, listing uuid, reason text)
returns public.listings
language plpgsql
volatile
security definer -- clients may not write listings
set search_path = ''
as $$
#variable_conflict use_column
declare
  v_listing public.listings := private.listings_review(listings_reject.tenant_id, listings_reject.listing);
  v_reason text := btrim(listings_reject.reason);
begin
  if coalesce(char_length(v_reason), 0) not between 1 and 500 then
    raise sqlstate 'PT422' using message = 'request.invalid', detail = 'reason: 1 to 500 characters';
  elsif v_listing.status not in ('pending', 'active') then
    perform private.listings_refuse(v_listing);
  end if;
  update public.listings l set status = 'rejected', reason = v_reason, featured_at = null
  where l.tenant_id = v_listing.tenant_id and l.id = v_listing.id
  returning * into v_listing;
  perform private.audit(
    'LISTING_REVIEWED', 'listings:' || v_listing.id, null, jsonb_build_object('status', 'rejected'),
    v_listing.tenant_id
  );
  perform private.notify(
    v_listing.owner_id, 'listings.rejected', private.listings_notice(v_listing), v_listing.tenant_id
  );
  return v_listing;
end;
$$;
comment on function public.listings_reject(uuid, uuid, text) is
  'Refuses a listing that waits, or takes an active one out of sight, with the reason for its owner (permission listings.review, never one''s own). Raises listings.not_found, members.not_yourself, request.transition_refused, request.invalid.';
grant execute on function public.listings_reject(uuid, uuid, text) to authenticated;
