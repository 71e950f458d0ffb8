-- Listings, search: by words, tags, kind and distance, the newest first, or the best or nearest of the
-- thousand newest. Common words fill a page from the newest listings alone; what is rare among those
-- is mostly rare among all, and comes from the index of words. Neither grows with what does not fit.

create type private.listings_wanted as (
  tenant_id uuid,
  text tsquery,
  words tsquery,
  scope tsquery,
  latitude double precision,
  longitude double precision,
  radius_km double precision,
  south numeric,
  north numeric,
  blocked uuid[]
);
comment on type private.listings_wanted is
  'What is looked for. words: text, kind and tags; scope: tenant and cells around the place, for the index; south and north: beyond these no distance has to be reckoned; blocked: whose listings the one who looks does not see.';

create type private.listings_found as (
  listing_id uuid,
  published_at timestamptz,
  km double precision
);

create function private.listings_km(
  latitude double precision, longitude double precision, to_latitude numeric, to_longitude numeric
)
returns double precision
language plpgsql
immutable
returns null on null input
security invoker
set search_path = ''
as $$
begin
  return 12742 * asin(least(1, sqrt(
    sind((to_latitude::float8 - latitude) / 2) ^ 2
    + cosd(latitude) * cosd(to_latitude::float8) * sind((to_longitude::float8 - longitude) / 2) ^ 2
  )));
end;
$$;
comment on function private.listings_km(double precision, double precision, numeric, numeric) is
  'Kilometres between two places, as the crow flies (haversine).';

create function private.listings_cells(latitude double precision, longitude double precision, radius_km double precision)
returns tsquery
language plpgsql
immutable
security invoker
set search_path = ''
as $$
declare
  v_grain integer := case when radius_km <= 5 then 100 when radius_km <= 25 then 20 else 4 end;
  v_height double precision := radius_km / 111.1;
  v_width double precision := radius_km / 111.1 / cosd(least(abs(latitude) + v_height, 89));
begin
  -- Around a pole a circle touches too many cells to name them; then distance alone decides.
  if v_width * v_height * v_grain * v_grain > 300 then
    return null;
  end if;
  return (
    select string_agg(distinct format(
      '%L', private.listings_cell(v_grain, y::numeric / v_grain, x::numeric / v_grain)
    ), ' | ')::tsquery
    from generate_series(
      floor((latitude - v_height) * v_grain)::integer, floor((latitude + v_height) * v_grain)::integer
    ) y
    cross join generate_series(
      floor((longitude - v_width) * v_grain)::integer, floor((longitude + v_width) * v_grain)::integer
    ) x
  );
end;
$$;
comment on function private.listings_cells(double precision, double precision, double precision) is
  'The cells that a circle touches, any of them; null where they are too many.';

create function private.listings_query(tenant_id uuid, said text)
returns tsquery
language plpgsql
stable
security definer -- reads the tenant's words past clients' rights
set search_path = ''
as $$
#variable_conflict use_column
declare
  v_config regconfig := private.listings_config(listings_query.tenant_id);
  v_said text := private.listings_fold(said);
  v_query tsquery := websearch_to_tsquery(v_config, v_said);
  v_word text;
  v_others tsquery;
begin
  for v_word in
    select w.word from unnest(tsvector_to_array(to_tsvector('simple', v_said))) w(word)
    where w.word ~ '^[[:alpha:]]{3,24}$' and not exists (
      select from private.listings_words k where k.tenant_id = listings_query.tenant_id and k.word = w.word
    )
    limit 10
  loop
    -- Nobody wrote this word: what begins with it is meant, or a word that is one slip away.
    v_others := (v_word || ':*')::tsquery || coalesce((
      select string_agg(format('(%s)', o.query), ' | ')::tsquery
      from (
        select distinct plainto_tsquery(v_config, t.word)::text as query
        from private.listings_rests(v_word) r(rest)
        join private.listings_typos t on t.tenant_id = listings_query.tenant_id and t.rest = r.rest
        where char_length(v_word) > 3
        limit 10
      ) o
      where o.query <> ''
    ), '');
    v_query := ts_rewrite(
      v_query, plainto_tsquery(v_config, v_word), plainto_tsquery(v_config, v_word) || v_others
    );
  end loop;
  return v_query;
end;
$$;
comment on function private.listings_query(uuid, text) is
  'The words looked for ("a phrase", or, -not), without accents and endings; of a word that no listing has, what begins with it and what is one letter away.';

create function private.listings_want(
  tenant_id uuid, person uuid, said text, kind text, tags text[], latitude numeric, longitude numeric,
  radius_km numeric
)
returns private.listings_wanted
language plpgsql
stable
security definer -- asks listings_query and messaging_blocked_people
set search_path = ''
as $$
declare
  v_wanted private.listings_wanted;
  v_tags text[] := private.listings_tags(to_jsonb(coalesce(tags, '{}')));
  v_fault text := case
    when char_length(said) > 200 then 'query: at most 200 characters'
    when kind not in ('offer', 'request') then 'kind: offer or request'
    when num_nonnulls(latitude, longitude) = 1 then 'latitude and longitude go together'
    when latitude not between -90 and 90 then 'latitude'
    when longitude not between -180 and 180 then 'longitude'
    when radius_km not between 1 and 200 then 'radius_km: 1 to 200'
  end;
begin
  if v_fault is not null then
    raise sqlstate 'PT422' using message = 'request.invalid', detail = v_fault;
  end if;
  v_wanted.tenant_id := listings_want.tenant_id;
  v_wanted.blocked := private.messaging_blocked_people(listings_want.tenant_id, person);
  v_wanted.text := nullif(private.listings_query(listings_want.tenant_id, said), '');
  v_wanted.words := nullif(
    coalesce(v_wanted.text, '')
    && case when kind is null then '' else format('%L', '=' || kind)::tsquery end
    && coalesce((select string_agg(format('%L', '#' || t.tag), ' & ') from unnest(v_tags) t(tag))::tsquery, ''),
    ''
  );
  v_wanted.scope := format('%L', '=' || listings_want.tenant_id)::tsquery;
  if latitude is not null then
    -- What is asked from where somebody stands is as coarse as what is stored.
    v_wanted.latitude := latitude::numeric(4, 2);
    v_wanted.longitude := longitude::numeric(5, 2);
    v_wanted.radius_km := coalesce(radius_km, 25);
    v_wanted.south := v_wanted.latitude - v_wanted.radius_km / 111;
    v_wanted.north := v_wanted.latitude + v_wanted.radius_km / 111;
    v_wanted.scope := v_wanted.scope && coalesce(
      private.listings_cells(v_wanted.latitude, v_wanted.longitude, v_wanted.radius_km), ''
    );
  end if;
  return v_wanted;
end;
$$;
comment on function private.listings_want(uuid, uuid, text, text, text[], numeric, numeric, numeric) is
  'What a person looks for. Raises request.invalid.';

create function private.listings_find(
  wanted private.listings_wanted, before_at timestamptz, before_id uuid, most integer, enough integer
)
returns setof private.listings_found
language plpgsql
stable
security definer -- the index is closed to clients
rows 50
set search_path = ''
set plan_cache_mode = force_generic_plan
set enable_seqscan = off
as $$
#variable_conflict use_column
declare
  v_all boolean := wanted.words is null and wanted.latitude is null;
  v_window integer := case when v_all then 2147483647 else 10000 end;
  v_found integer;
  v_edge record;
begin
  return query
    select i.listing_id, i.published_at,
      private.listings_km(wanted.latitude, wanted.longitude, i.latitude, i.longitude)
    from (
      select x.* from private.listings_index x
      where x.tenant_id = wanted.tenant_id and (x.published_at, x.listing_id) < (before_at, before_id)
      order by x.published_at desc, x.listing_id desc
      limit v_window
    ) i
    where (wanted.words is null or i.words @@ wanted.words) and i.owner_id <> all (wanted.blocked)
      and (
        wanted.latitude is null
        or i.latitude between wanted.south and wanted.north
          and private.listings_km(wanted.latitude, wanted.longitude, i.latitude, i.longitude) <= wanted.radius_km
      )
    order by i.published_at desc, i.listing_id desc
    limit most;
  get diagnostics v_found = row_count;
  if v_found >= enough or v_all then
    return;
  end if;
  -- Rare among the newest, so few among the others, too: those that the words name, and behind the window.
  select w.published_at, w.listing_id into v_edge
  from (
    select x.published_at, x.listing_id from private.listings_index x
    where x.tenant_id = wanted.tenant_id and (x.published_at, x.listing_id) < (before_at, before_id)
    order by x.published_at desc, x.listing_id desc
    limit v_window
  ) w
  order by w.published_at, w.listing_id
  limit 1;
  return query
    with named as materialized (
      select i.listing_id, i.published_at, i.owner_id, i.latitude, i.longitude
      from private.listings_index i
      where i.words @@ (wanted.scope && coalesce(wanted.words, ''))
    )
    select i.listing_id, i.published_at,
      private.listings_km(wanted.latitude, wanted.longitude, i.latitude, i.longitude)
    from named i
    where (i.published_at, i.listing_id) < (v_edge.published_at, v_edge.listing_id)
      and i.owner_id <> all (wanted.blocked)
      and (
        wanted.latitude is null
        or i.latitude between wanted.south and wanted.north
          and private.listings_km(wanted.latitude, wanted.longitude, i.latitude, i.longitude) <= wanted.radius_km
      )
    order by i.published_at desc, i.listing_id desc
    limit most - v_found;
end;
$$;
comment on function private.listings_find(private.listings_wanted, timestamptz, uuid, integer, integer) is
  'Listings that are wanted, the newest first, before one: most of them, or those of the newest ten thousand where they are enough.';
