-- Listings, alerts: who looks for what has just become visible. The worker asks, a hundred people at a
-- time, and each is asked about anew when they are told: rights, blocks and whether it is still there.

create function private.listings_on_visible()
returns trigger
language plpgsql
volatile
security definer -- nobody else writes the outbox
set search_path = ''
as $$
begin
  perform private.enqueue(
    'listings.alert', jsonb_build_object('listing', new.id), new.tenant_id, 'listings:' || new.id,
    'listings.alert:' || new.id
  );
  return null;
end;
$$;
comment on function private.listings_on_visible() is 'After a listing became visible, or says something else: the worker looks who waits for it.';
create trigger listings_on_visible after update on public.listings
  for each row when (
    new.visible and (
      not old.visible
      or (old.title, old.description, old.tags, old.kind, old.latitude, old.longitude)
        is distinct from (new.title, new.description, new.tags, new.kind, new.latitude, new.longitude)
    )
  )
  execute function private.listings_on_visible();

create function public.listings_alert(tenant_id uuid, listing uuid)
returns integer
language plpgsql
volatile
security definer -- reads searches past their policies
set search_path = ''
as $$
#variable_conflict use_column
declare
  v_listing public.listings;
  v_alert private.listings_alerts;
  v_found integer := 0;
begin
  select * into v_listing from public.listings l
  where l.tenant_id = listings_alert.tenant_id and l.id = listings_alert.listing and l.visible;
  for v_alert in
    insert into private.listings_alerts (tenant_id, person_id, listing_id, search_id, told)
    select distinct on (s.person_id) s.tenant_id, s.person_id, v_listing.id, s.id, s.alert = 'immediate'
    from private.listings_index i
    join private.listings_searches_words w
      on w.needed <@ tsvector_to_array(i.words) and w.tenant_id = i.tenant_id and i.words @@ w.words
    join public.listings_searches s on s.tenant_id = w.tenant_id and s.id = w.search_id
    where i.tenant_id = v_listing.tenant_id and i.listing_id = v_listing.id and s.person_id <> i.owner_id
      and (
        s.latitude is null
        or private.listings_km(s.latitude::float8, s.longitude::float8, i.latitude, i.longitude) <= s.radius_km
      )
      and not exists (
        select from private.listings_alerts a
        where a.tenant_id = s.tenant_id and a.person_id = s.person_id and a.listing_id = i.listing_id
      )
      and private.listings_sees(s.tenant_id, i.listing_id, s.person_id)
    order by s.person_id, s.alert desc, s.id -- immediate before daily
    limit 100
    on conflict do nothing
    returning *
  loop
    v_found := v_found + 1;
    continue when not v_alert.told;
    perform private.notify(
      v_alert.person_id, 'listings.alert',
      private.listings_notice(v_listing) || jsonb_build_object(
        'search_id', v_alert.search_id, 'about', 'listings:' || v_listing.id,
        'name', (
          select s.name from public.listings_searches s
          where s.tenant_id = v_alert.tenant_id and s.id = v_alert.search_id
        )
      ),
      v_alert.tenant_id
    );
  end loop;
  return v_found;
end;
$$;
comment on function public.listings_alert(uuid, uuid) is
  'For the worker: tells people of a listing that they look for, or notes it for the morning, a hundred at a time, everybody once; returns how many.';
grant execute on function public.listings_alert(uuid, uuid) to service_role;

create function public.listings_tell_found(tenant_id uuid)
returns integer
language plpgsql
volatile
security definer -- reads alerts past everybody's rights
set search_path = ''
as $$
#variable_conflict use_column
declare
  v_person uuid;
  v_titles text[];
  v_people integer := 0;
begin
  for v_person in
    select distinct a.person_id from private.listings_alerts a
    where a.tenant_id = listings_tell_found.tenant_id and not a.told
    order by a.person_id
    limit 100
  loop
    -- As they are now: what is gone, or of somebody blocked since, is not told.
    with due as (
      update private.listings_alerts a set told = true
      where a.tenant_id = listings_tell_found.tenant_id and a.person_id = v_person and not a.told
      returning a.listing_id
    )
    select array_agg(l.title order by l.published_at desc) into v_titles
    from due d
    join public.listings l on l.tenant_id = listings_tell_found.tenant_id and l.id = d.listing_id
    where private.listings_sees(l.tenant_id, l.id, v_person);
    v_people := v_people + 1;
    continue when v_titles is null;
    perform private.notify(
      v_person, 'listings.alerts',
      jsonb_build_object(
        'count', cardinality(v_titles)::text, 'titles', array_to_string(v_titles[1:5], ' · ')
      ),
      listings_tell_found.tenant_id
    );
  end loop;
  return v_people;
end;
$$;
comment on function public.listings_tell_found(uuid) is
  'For the worker: tells a hundred people what was found for them since yesterday, each in one notice; returns how many there were.';
grant execute on function public.listings_tell_found(uuid) to service_role;

select private.schedule_local('listings-tell-found', '0 8 * * *', 'listings.tell_found');

create function private.listings_forget_alerts()
returns integer
language plpgsql
volatile
security definer -- nobody else writes alerts
set search_path = ''
as $$
#variable_conflict use_column
declare
  v_count integer;
begin
  -- Twelve renewals of thirty days later a listing is another one.
  delete from private.listings_alerts a
  where a.ctid = any (array(
    select o.ctid from private.listings_alerts o
    where o.created_at < now() - interval '400 days'
    order by o.created_at
    limit 5000
  ));
  get diagnostics v_count = row_count;
  return v_count;
end;
$$;
comment on function private.listings_forget_alerts() is
  'Forgets who was told of listings more than 400 days ago, 5,000 at a time; returns how many.';
select private.schedule('listings-forget-alerts', '51 * * * *', 'select private.listings_forget_alerts()');
