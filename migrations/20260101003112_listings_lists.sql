-- Listings, lists: what the search answers, page by page.

create type public.listings_hit as (
  listing_id uuid,
  owner_id uuid,
  kind text,
  title text,
  excerpt text,
  tags text[],
  minutes integer,
  remote boolean,
  place text,
  km double precision,
  image uuid,
  featured boolean,
  favourite boolean,
  published_at timestamptz,
  cursor text
);
comment on type public.listings_hit is
  'A listing in a list: excerpt are the first 200 characters, km the distance from where it was asked, image its first picture. cursor continues after this line.';

create function private.listings_hits(
  tenant_id uuid, person uuid, lines private.listings_found[], keys double precision[]
)
returns setof public.listings_hit
language plpgsql
stable
security definer -- who may see them was asked where they were found
rows 50
set search_path = ''
set plan_cache_mode = force_generic_plan
as $$
#variable_conflict use_column
begin
  return query
  select l.id, l.owner_id, l.kind, l.title, left(l.description, 200), l.tags, l.minutes, l.remote, l.place,
    round(f.km::numeric, 1)::double precision,
    (
      select i.file_id from public.listings_images i
      where i.tenant_id = l.tenant_id and i.listing_id = l.id order by i.place limit 1
    ),
    l.featured_at is not null,
    exists (
      select from public.listings_favourites k
      where k.tenant_id = l.tenant_id and k.person_id = person and k.listing_id = l.id
    ),
    l.published_at,
    coalesce(
      keys[f.place]::text, to_char(f.published_at at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"')
    ) || ',' || l.id
  from unnest(lines) with ordinality f(listing_id, published_at, km, place)
  join public.listings l on l.tenant_id = listings_hits.tenant_id and l.id = f.listing_id
  order by f.place;
end;
$$;
comment on function private.listings_hits(uuid, uuid, private.listings_found[], double precision[]) is
  'The lines of a list, in the order of what was found; keys: what they are sorted by, where that is not the time.';

create function private.listings_page(
  wanted private.listings_wanted, person uuid, sort text, cursor text, page_size integer
)
returns setof public.listings_hit
language plpgsql
stable
security definer -- the index is closed to clients
rows 50
set search_path = ''
as $$
#variable_conflict use_column
declare
  v_found private.listings_found[];
  v_keys double precision[];
  v_after text := split_part(cursor, ',', 1);
  v_id uuid;
begin
  if cursor is not null then
    if not pg_input_is_valid(v_after, case sort when 'newest' then 'timestamptz' else 'float8' end)
      or not pg_input_is_valid(split_part(cursor, ',', 2), 'uuid')
    then
      raise sqlstate 'PT422' using message = 'request.invalid', detail = 'cursor';
    end if;
    v_id := split_part(cursor, ',', 2)::uuid;
  end if;
  if sort = 'newest' then
    select array_agg(f order by f.published_at desc, f.listing_id desc) into v_found
    from private.listings_find(
      wanted, coalesce(v_after::timestamptz, 'infinity'),
      coalesce(v_id, 'ffffffff-ffff-ffff-ffff-ffffffffffff'), page_size, page_size
    ) f;
  else
    select array_agg(row(f.listing_id, f.published_at, f.km)::private.listings_found order by f.key, f.listing_id),
      array_agg(f.key order by f.key, f.listing_id)
    into v_found, v_keys
    from (
      select k.* from (
        select a.*, case sort when 'nearest' then a.km else -ts_rank(i.words, wanted.text) end as key
        from private.listings_find(wanted, 'infinity', 'ffffffff-ffff-ffff-ffff-ffffffffffff', 1000, 100) a
        join private.listings_index i on i.tenant_id = wanted.tenant_id and i.listing_id = a.listing_id
      ) k
      where v_id is null or (k.key, k.listing_id) > (v_after::double precision, v_id)
      order by k.key, k.listing_id
      limit page_size
    ) f;
  end if;
  return query select * from private.listings_hits(wanted.tenant_id, person, v_found, v_keys);
end;
$$;
comment on function private.listings_page(private.listings_wanted, uuid, text, text, integer) is
  'A page of what is wanted. Raises request.invalid.';

create function public.listings_search(
  tenant_id uuid, query text default null, kind text default null, tags text[] default null,
  latitude numeric default null, longitude numeric default null, radius_km numeric default null,
  sort text default 'newest', cursor text default null, page_size integer default 50
)
returns setof public.listings_hit
language plpgsql
stable
security definer -- past the policies an index finds words; it holds what they let others see
rows 50
set search_path = ''
as $$
declare
  v_me uuid := private.require(listings_search.tenant_id, 'listings.read');
  v_wanted private.listings_wanted := private.listings_want(
    listings_search.tenant_id, v_me, query, kind, tags, latitude, longitude, radius_km
  );
begin
  perform private.check_page(page_size);
  if coalesce(sort not in ('newest', 'best', 'nearest'), true)
    or (sort = 'nearest' and v_wanted.latitude is null) or (sort = 'best' and v_wanted.text is null)
  then
    raise sqlstate 'PT422' using
      message = 'request.invalid', detail = 'sort: newest, best with a query, nearest with a place';
  end if;
  return query select * from private.listings_page(v_wanted, v_me, sort, cursor, page_size);
end;
$$;
comment on function public.listings_search(uuid, text, text, text[], numeric, numeric, numeric, text, text, integer) is
  'What the caller sees of others and of their own, with these words ("a phrase", or, -not; accents, endings and a slip of one letter do not matter), all these tags, within radius_km (1 to 200, 25) of a place (permission listings.read). sort: newest; best or nearest, of up to a thousand of the newest that fit. cursor: of the last line seen. page_size: 1 to 100. Raises request.invalid.';
grant execute on function public.listings_search(uuid, text, text, text[], numeric, numeric, numeric, text, text, integer)
  to authenticated;

create function public.listings_favourites_list(
  tenant_id uuid, cursor text default null, page_size integer default 50
)
returns setof public.listings_hit
language plpgsql
stable
security definer -- asks once what the policies of three tables would ask each; the conditions are theirs
rows 50
set search_path = ''
as $$
#variable_conflict use_column
declare
  v_me uuid := private.require(listings_favourites_list.tenant_id, 'listings.read');
  v_blocked uuid[] := private.messaging_blocked_people(listings_favourites_list.tenant_id, v_me);
  v_found private.listings_found[];
begin
  perform private.check_page(page_size);
  if cursor is not null and not (
    pg_input_is_valid(split_part(cursor, ',', 1), 'timestamptz') and pg_input_is_valid(split_part(cursor, ',', 2), 'uuid')
  ) then
    raise sqlstate 'PT422' using message = 'request.invalid', detail = 'cursor';
  end if;
  select array_agg(
    row(p.listing_id, p.created_at, null)::private.listings_found order by p.created_at desc, p.listing_id desc
  ) into v_found
  from (
    select k.listing_id, k.created_at
    from public.listings_favourites k
    join public.listings l on l.tenant_id = k.tenant_id and l.id = k.listing_id
    where k.tenant_id = listings_favourites_list.tenant_id and k.person_id = v_me
      and l.visible and l.owner_id <> all (v_blocked)
      and (cursor is null or (k.created_at, k.listing_id)
        < (split_part(cursor, ',', 1)::timestamptz, split_part(cursor, ',', 2)::uuid))
    order by k.created_at desc, k.listing_id desc
    limit page_size
  ) p;
  return query select * from private.listings_hits(listings_favourites_list.tenant_id, v_me, v_found, null);
end;
$$;
comment on function public.listings_favourites_list(uuid, text, integer) is
  'What the caller kept, the latest first, as far as they still see it (permission listings.read). cursor: of the last line seen. page_size: 1 to 100. Raises request.invalid.';
grant execute on function public.listings_favourites_list(uuid, text, integer) to authenticated;
