-- Listings, life: how they end. By the clock, by their owner, with the membership or with the person.

select private.declare_notification('listings.' || what, group_key => 'listing_id')
from unnest(array['expiring', 'expired']) what;

create function private.listings_end(listing public.listings, status text, actor uuid)
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
  if listing.status = listings_end.status then
    perform private.listings_refuse(listing);
  end if;
  update public.listings l set status = listings_end.status, featured_at = null
  where l.tenant_id = listing.tenant_id and l.id = listing.id
  returning * into v_listing;
  if v_listing.status = 'cancelled' then
    perform private.listings_drop_images(v_listing.tenant_id, v_listing.id, '{}');
  end if;
  perform private.audit(
    'LISTING_ENDED', 'listings:' || v_listing.id, null, jsonb_build_object('status', v_listing.status),
    v_listing.tenant_id, listings_end.actor
  );
  return v_listing;
end;
$$;
comment on function private.listings_end(public.listings, text, uuid) is
  'Ends a listing for good: fulfilled, or cancelled, with its pictures. Raises request.transition_refused.';

create function public.listings_fulfil(tenant_id uuid, listing uuid)
returns public.listings
language plpgsql
volatile
security definer -- clients may not write listings
set search_path = ''
as $$
#variable_conflict use_column
declare
  v_me uuid := private.require(listings_fulfil.tenant_id, 'listings.write');
begin
  return private.listings_end(
    private.listings_lock(listings_fulfil.tenant_id, listings_fulfil.listing, v_me), 'fulfilled', v_me
  );
end;
$$;
comment on function public.listings_fulfil(uuid, uuid) is
  'Says that the caller found what their listing was for; an active or expired one (permission listings.write). Raises listings.not_found, request.transition_refused.';
grant execute on function public.listings_fulfil(uuid, uuid) to authenticated;

create function public.listings_cancel(tenant_id uuid, listing uuid)
returns public.listings
language plpgsql
volatile
security definer -- clients may not write listings
set search_path = ''
as $$
#variable_conflict use_column
declare
  v_me uuid := private.require(listings_cancel.tenant_id, 'listings.write');
begin
  return private.listings_end(
    private.listings_lock(listings_cancel.tenant_id, listings_cancel.listing, v_me), 'cancelled', v_me
  );
end;
$$;
comment on function public.listings_cancel(uuid, uuid) is
  'Takes back a listing of the caller''s for good, with its pictures (permission listings.write). Raises listings.not_found, request.transition_refused.';
grant execute on function public.listings_cancel(uuid, uuid) to authenticated;

create function public.listings_renew(tenant_id uuid, listing uuid)
returns public.listings
language plpgsql
volatile
security definer -- clients may not write listings
set search_path = ''
as $$
#variable_conflict use_column
declare
  v_me uuid := private.require(listings_renew.tenant_id, 'listings.write');
  v_listing public.listings := private.listings_lock(listings_renew.tenant_id, listings_renew.listing, v_me);
begin
  if v_listing.status not in ('active', 'expired') then
    perform private.listings_refuse(v_listing);
  elsif v_listing.renewals >= 12 then
    raise sqlstate 'PT409' using message = 'listings.renewals_exhausted';
  end if;
  update public.listings l
  set renewals = l.renewals + 1,
    expires_at = now() + make_interval(days => private.listings_days(l.tenant_id))
  where l.tenant_id = v_listing.tenant_id and l.id = v_listing.id
  returning * into v_listing;
  -- Nobody saw what was written while it was expired.
  if v_listing.status = 'expired' and private.listings_needs_review(v_listing) then
    return private.listings_hand_in(v_listing);
  end if;
  return private.listings_activate(v_listing);
end;
$$;
comment on function public.listings_renew(uuid, uuid) is
  'Has a listing of the caller''s stand for another 30 days, or what the tenant says, from today; twelve times at most (permission listings.write). Raises listings.not_found, listings.renewals_exhausted, request.transition_refused.';
grant execute on function public.listings_renew(uuid, uuid) to authenticated;

create function public.listings_feature(tenant_id uuid, listing uuid, featured boolean default true)
returns public.listings
language plpgsql
volatile
security definer -- clients may not write listings
set search_path = ''
as $$
#variable_conflict use_column
declare
  v_listing public.listings := private.listings_review(listings_feature.tenant_id, listings_feature.listing);
begin
  if listings_feature.featured is null then
    raise sqlstate 'PT422' using message = 'request.invalid', detail = 'featured';
  elsif v_listing.status <> 'active' then
    perform private.listings_refuse(v_listing);
  end if;
  update public.listings l
  set featured_at = case when listings_feature.featured then coalesce(l.featured_at, now()) end
  where l.tenant_id = v_listing.tenant_id and l.id = v_listing.id
  returning * into v_listing;
  perform private.audit(
    'LISTING_FEATURED', 'listings:' || v_listing.id, null,
    jsonb_build_object('featured', listings_feature.featured), v_listing.tenant_id
  );
  return v_listing;
end;
$$;
comment on function public.listings_feature(uuid, uuid, boolean) is
  'Puts an active listing among the featured ones, or takes it out (permission listings.review, never one''s own). Raises listings.not_found, members.not_yourself, request.transition_refused, request.invalid.';
grant execute on function public.listings_feature(uuid, uuid, boolean) to authenticated;

-- The clock
create function private.listings_expire()
returns integer
language plpgsql
volatile
security definer -- nobody else writes listings
set search_path = ''
as $$
#variable_conflict use_column
declare
  v_listing public.listings;
  v_count integer := 0;
begin
  for v_listing in
    update public.listings l set status = 'expired', featured_at = null
    from (
      select d.tenant_id, d.id from public.listings d
      where d.status = 'active' and d.expires_at <= now()
      order by d.expires_at
      limit 500
      for no key update skip locked
    ) due
    where l.tenant_id = due.tenant_id and l.id = due.id
    returning l.*
  loop
    v_count := v_count + 1;
    continue when not private.may(v_listing.tenant_id, v_listing.owner_id, 'listings.read');
    perform private.notify(
      v_listing.owner_id, 'listings.expired',
      private.listings_notice(v_listing) || jsonb_build_object(
        'about', format('listings:%s:%s', v_listing.id, v_listing.renewals)
      ),
      v_listing.tenant_id
    );
  end loop;
  return v_count;
end;
$$;
comment on function private.listings_expire() is
  'Ends listings whose time is over and tells their owners, 500 at a time; returns how many.';

create function private.listings_remind()
returns integer
language plpgsql
volatile
security definer -- nobody else writes listings
set search_path = ''
as $$
#variable_conflict use_column
declare
  v_listing public.listings;
  v_count integer := 0;
begin
  for v_listing in
    with reminded as (
      update public.listings l set remind_at = private.listings_next_reminder(l.tenant_id, l.expires_at)
      from (
        select d.tenant_id, d.id from public.listings d
        where d.status = 'active' and d.remind_at <= now()
        order by d.remind_at
        limit 1000
        for no key update skip locked
      ) due
      where l.tenant_id = due.tenant_id and l.id = due.id
      returning l.*
    )
    -- In the order in which private.notify_all tells people, too.
    select r.* from reminded r order by r.owner_id
  loop
    v_count := v_count + 1;
    -- What ends within the hour is told when it has ended.
    continue when v_listing.expires_at < now() + interval '1 hour'
      or not private.may(v_listing.tenant_id, v_listing.owner_id, 'listings.read');
    perform private.notify(
      v_listing.owner_id, 'listings.expiring',
      private.listings_notice(v_listing) || jsonb_build_object(
        'days', ceil(extract(epoch from v_listing.expires_at - now()) / 86400)::integer::text,
        'about', format(
          'listings:%s:%s:%s', v_listing.id, extract(epoch from v_listing.expires_at)::bigint,
          extract(epoch from v_listing.remind_at)::bigint
        )
      ),
      v_listing.tenant_id
    );
  end loop;
  return v_count;
end;
$$;
comment on function private.listings_remind() is
  'Tells owners that a listing is about to expire, each time once, 1,000 at a time; returns how many.';

select private.schedule('listings-expire', '*/10 * * * *', 'select private.listings_expire()');
select private.schedule('listings-remind', '*/10 * * * *', 'select private.listings_remind()');
