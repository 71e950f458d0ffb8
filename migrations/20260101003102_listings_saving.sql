-- Listings, saving: what an owner writes. Only what is named in the changes changes.

create function private.listings_setting(tenant_id uuid, name text)
returns jsonb
language plpgsql
stable
security definer -- reads tenants past their policies
set search_path = ''
as $$
#variable_conflict use_column
begin
  return (
    select t.settings -> 'listings' -> listings_setting.name
    from public.tenants t where t.id = listings_setting.tenant_id
  );
end;
$$;
comment on function private.listings_setting(uuid, text) is
  'What the tenant says under settings.listings: review (true, or "first" for who has published nothing yet), days, remind_days.';

create function private.listings_days(tenant_id uuid)
returns integer
language plpgsql
stable
security definer -- asks setting
set search_path = ''
as $$
begin
  return private.setting(listings_days.tenant_id, 'listings', 'days', 30, 1, 365);
end;
$$;
comment on function private.listings_days(uuid) is 'How many days a listing stands until it expires: 30, unless the tenant says otherwise.';

create function private.listings_tags(tags jsonb)
returns text[]
language plpgsql
immutable
security invoker
set search_path = ''
as $$
declare
  v_tags text[];
begin
  if jsonb_typeof(tags) is distinct from 'array' then
    raise sqlstate 'PT422' using message = 'request.invalid', detail = 'tags: an array';
  end if;
  select array_agg(t.tag order by t.place) into v_tags
  from (
    select lower(regexp_replace(btrim(e.tag), '\s+', ' ', 'g')) as tag, min(e.place) as place
    from jsonb_array_elements_text(tags) with ordinality e(tag, place)
    group by 1
  ) t;
  if cardinality(v_tags) > 10 or exists (
    select from unnest(v_tags) t(tag) where coalesce(t.tag !~ '^[[:alnum:]][[:alnum:] +#.-]{1,29}$', true)
  ) then
    raise sqlstate 'PT422' using
      message = 'request.invalid', detail = 'tags: at most 10, of 2 to 30 letters, digits, spaces and + # . -';
  end if;
  return coalesce(v_tags, '{}');
end;
$$;
comment on function private.listings_tags(jsonb) is 'Tags as they are kept: in small letters, each once. Raises request.invalid.';

create function private.listings_check_numbers(changes jsonb)
returns void
language plpgsql
immutable
security invoker
set search_path = ''
as $$
declare
  v_fault text;
begin
  select format('%s: a number from %s to %s', n.name, n.low, n.high) into v_fault
  from (
    values ('minutes', 15, 1440), ('latitude', -90, 90), ('longitude', -180, 180)
  ) n(name, low, high)
  where jsonb_typeof(changes -> n.name) not in ('number', 'null')
    or case when jsonb_typeof(changes -> n.name) = 'number'
      then (changes -> n.name)::numeric not between n.low and n.high end
  limit 1;
  if v_fault is not null then
    raise sqlstate 'PT422' using message = 'request.invalid', detail = v_fault;
  end if;
end;
$$;
comment on function private.listings_check_numbers(jsonb) is 'Raises request.invalid for numbers that no listing has.';

create function private.listings_apply(listing public.listings, changes jsonb)
returns public.listings
language plpgsql
stable
security invoker
set search_path = ''
as $$
declare
  v_listing public.listings := listing;
  v_fault text;
begin
  v_fault := (
    select k from jsonb_object_keys(changes) k
    where k not in (
      'kind', 'title', 'description', 'tags', 'minutes', 'remote', 'place', 'latitude', 'longitude', 'images'
    )
    limit 1
  );
  perform private.listings_check_numbers(changes);
  if changes ? 'kind' then v_listing.kind := changes ->> 'kind'; end if;
  if changes ? 'title' then v_listing.title := btrim(changes ->> 'title'); end if;
  if changes ? 'description' then v_listing.description := nullif(btrim(changes ->> 'description'), ''); end if;
  if changes ? 'tags' then v_listing.tags := private.listings_tags(changes -> 'tags'); end if;
  if changes ? 'minutes' then v_listing.minutes := round((changes ->> 'minutes')::numeric)::integer; end if;
  if changes ? 'remote' then v_listing.remote := changes -> 'remote' = 'true'; end if;
  if changes ? 'place' then v_listing.place := nullif(btrim(changes ->> 'place'), ''); end if;
  if changes ? 'latitude' then v_listing.latitude := (changes ->> 'latitude')::numeric; end if;
  if changes ? 'longitude' then v_listing.longitude := (changes ->> 'longitude')::numeric; end if;
  v_fault := coalesce(v_fault, case
    when v_listing.kind is null or v_listing.kind not in ('offer', 'request') then 'kind: offer or request'
    when coalesce(char_length(v_listing.title), 0) not between 3 and 120 then 'title: 3 to 120 characters'
    when char_length(v_listing.description) > 5000 then 'description: at most 5,000 characters'
    when char_length(v_listing.place) > 80 then 'place: at most 80 characters'
    when num_nonnulls(v_listing.latitude, v_listing.longitude) = 1 then 'latitude and longitude go together'
  end);
  if v_fault is not null then
    raise sqlstate 'PT422' using message = 'request.invalid', detail = v_fault;
  end if;
  return v_listing;
end;
$$;
comment on function private.listings_apply(public.listings, jsonb) is
  'The listing as the changes say. Raises request.invalid for unknown names and bad values.';

create function private.listings_drop_images(tenant_id uuid, listing uuid, but uuid[])
returns void
language plpgsql
volatile
security definer -- nobody else deletes files
set search_path = ''
as $$
#variable_conflict use_column
declare
  v_gone uuid[];
begin
  select array_agg(i.file_id) into v_gone
  from public.listings_images i
  where i.tenant_id = listings_drop_images.tenant_id and i.listing_id = listings_drop_images.listing
    and i.file_id <> all (but);
  delete from public.listings_images i
  where i.tenant_id = listings_drop_images.tenant_id and i.listing_id = listings_drop_images.listing;
  perform private.files_discard(f)
  from public.files f
  where f.tenant_id = listings_drop_images.tenant_id and f.id = any (v_gone) and f.status <> 'deleted';
end;
$$;
comment on function private.listings_drop_images(uuid, uuid, uuid[]) is
  'Takes all pictures off a listing; the files go, but for those named.';

create function private.listings_set_images(listing public.listings, images jsonb)
returns void
language plpgsql
volatile
security definer -- nobody else writes images
set search_path = ''
as $$
#variable_conflict use_column
declare
  v_ids uuid[];
begin
  if jsonb_typeof(images) is distinct from 'array' or jsonb_array_length(images) > 5 or exists (
    select from jsonb_array_elements_text(images) e(id) where coalesce(not pg_input_is_valid(e.id, 'uuid'), true)
  ) then
    raise sqlstate 'PT422' using message = 'request.invalid', detail = 'images: at most 5 ids of files';
  end if;
  v_ids := array(select e.id::uuid from jsonb_array_elements_text(images) with ordinality e(id, place) order by e.place);
  -- Locked, so that none is deleted, or given to another listing, in between.
  perform from public.files f
  where f.tenant_id = listing.tenant_id and f.id = any (v_ids) order by f.id for no key update;
  if cardinality(v_ids) <> (
    select count(*) from public.files f
    where f.tenant_id = listing.tenant_id and f.id = any (v_ids) and f.person_id = listing.owner_id
      and f.bucket = 'images' and f.status in ('held', 'released') and not exists (
        select from public.listings_images i
        where i.tenant_id = f.tenant_id and i.file_id = f.id and i.listing_id <> listing.id
      )
  ) then
    raise sqlstate 'PT404' using message = 'files.not_found';
  end if;
  perform private.listings_drop_images(listing.tenant_id, listing.id, v_ids);
  insert into public.listings_images (tenant_id, listing_id, place, file_id)
  select listing.tenant_id, listing.id, v.place, v.id from unnest(v_ids) with ordinality v(id, place);
end;
$$;
comment on function private.listings_set_images(public.listings, jsonb) is
  'Gives the listing these pictures, in this order: the owner''s own files in the bucket images, of no other listing. Those it had before go. Raises files.not_found, request.invalid.';

create function private.listings_lock(tenant_id uuid, listing uuid, owner uuid)
returns public.listings
language plpgsql
volatile
security definer -- locks a listing past its policies
set search_path = ''
as $$
#variable_conflict use_column
declare
  v_listing public.listings;
begin
  select * into v_listing from public.listings l
  where l.tenant_id = listings_lock.tenant_id and l.id = listings_lock.listing
    and l.owner_id = coalesce(listings_lock.owner, l.owner_id)
  for no key update;
  if not found then
    raise sqlstate 'PT404' using message = 'listings.not_found';
  end if;
  return v_listing;
end;
$$;
comment on function private.listings_lock(uuid, uuid, uuid) is
  'The listing, locked; of this owner, where one is named. Raises listings.not_found.';

create function private.listings_refuse(listing public.listings)
returns void
language plpgsql
immutable
security invoker
set search_path = ''
as $$
begin
  raise sqlstate 'PT409' using
    message = 'request.transition_refused', detail = 'listings: ' || listing.status;
end;
$$;
comment on function private.listings_refuse(public.listings) is 'Raises request.transition_refused, with the state it is in.';
