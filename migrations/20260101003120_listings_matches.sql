-- Listings, matches: what of the other kind fits a listing, and why.

create type public.listings_match as (
  listing_id uuid,
  owner_id uuid,
  kind text,
  title text,
  for_listing uuid,
  score double precision,
  tags text[],
  words text[],
  km double precision,
  minutes integer
);
comment on type public.listings_match is
  'A listing that fits one of the caller''s (for_listing), and its reasons: tags and words that both have, how far apart they are, how long it takes where both say about the same.';

create function private.listings_score(match public.listings_match)
returns double precision
language plpgsql
immutable
security invoker
set search_path = ''
as $$
begin
  -- A tag was chosen, a word may be chance; near is better than far, unknown is neither.
  return 3 * cardinality(match.tags) + cardinality(match.words)
    + case when match.km <= 5 then 2 when match.km <= 25 then 1 when match.km > 100 then -2 else 0 end
    + case when match.minutes is not null then 0.5 else 0 end;
end;
$$;
comment on function private.listings_score(public.listings_match) is 'How well two listings fit, by their reasons.';

create function private.listings_counterparts(listing public.listings, blocked uuid[])
returns setof public.listings_match
language plpgsql
stable
security definer -- the index is closed to clients
rows 50
set search_path = ''
as $$
#variable_conflict use_column
declare
  v_mine private.listings_index;
  v_said text[];
  v_wanted private.listings_wanted;
begin
  select * into v_mine from private.listings_index i
  where i.tenant_id = listing.tenant_id and i.listing_id = listing.id;
  -- Of its words those of title and tags: what it is about.
  v_said := array(
    select u.lexeme from unnest(ts_filter(v_mine.words, '{a,b}')) u
    where u.lexeme !~ '^[#=@]' and char_length(u.lexeme) > 2 order by u.lexeme limit 20
  );
  v_wanted.tenant_id := listing.tenant_id;
  v_wanted.text := (
    select string_agg(format('%L', t.word), ' | ')
    from unnest(v_said || array(select '#' || tag from unnest(listing.tags) tag)) t(word)
  )::tsquery;
  if v_wanted.text is null then
    return;
  end if;
  v_wanted.words := v_wanted.text
    && format('%L', case listing.kind when 'offer' then '=request' else '=offer' end)::tsquery;
  v_wanted.scope := format('%L', '=' || listing.tenant_id)::tsquery;
  v_wanted.blocked := blocked || listing.owner_id;
  return query
    select l.id, l.owner_id, l.kind, l.title, listing.id, null::float8,
      array(select t.tag from unnest(l.tags) t(tag) where t.tag = any (listing.tags) order by t.tag),
      array(
        select w.word from unnest(v_said) w(word)
        where w.word = any (tsvector_to_array(ts_filter(i.words, '{a,b,c}'))) order by w.word
      ),
      round(private.listings_km(
        listing.latitude::float8, listing.longitude::float8, l.latitude, l.longitude
      )::numeric, 1)::float8,
      case when abs(l.minutes - listing.minutes) <= greatest(l.minutes, listing.minutes) / 4 then l.minutes end
    from private.listings_find(v_wanted, 'infinity', 'ffffffff-ffff-ffff-ffff-ffffffffffff', 200, 50) f
    join public.listings l on l.tenant_id = listing.tenant_id and l.id = f.listing_id
    join private.listings_index i on i.tenant_id = l.tenant_id and i.listing_id = l.id;
end;
$$;
comment on function private.listings_counterparts(public.listings, uuid[]) is
  'Of up to two hundred of the newest of the other kind that share a tag or a word with it: what they share.';

create function public.listings_matches(tenant_id uuid, listing uuid default null, page_size integer default 20)
returns setof public.listings_match
language plpgsql
stable
security definer -- the index is closed to clients, and holds what the policies let others see
rows 20
set search_path = ''
as $$
#variable_conflict use_column
declare
  v_me uuid := private.require(listings_matches.tenant_id, 'listings.read');
  v_blocked uuid[] := private.messaging_blocked_people(listings_matches.tenant_id, v_me);
begin
  perform private.check_page(page_size);
  if listings_matches.listing is not null and not exists (
    select from public.listings l
    where l.tenant_id = listings_matches.tenant_id and l.id = listings_matches.listing and l.owner_id = v_me
  ) then
    raise sqlstate 'PT404' using message = 'listings.not_found';
  end if;
  return query
    select s.listing_id, s.owner_id, s.kind, s.title, s.for_listing, s.score, s.tags, s.words, s.km, s.minutes
    from (
      select distinct on (c.listing_id) c.listing_id, c.owner_id, c.kind, c.title, c.for_listing,
        private.listings_score(c) as score, c.tags, c.words, c.km, c.minutes
      from (
        select l as own from public.listings l
        where l.tenant_id = listings_matches.tenant_id and l.owner_id = v_me and l.visible
          and (listings_matches.listing is null or l.id = listings_matches.listing)
        order by l.id desc
        limit 10
      ) mine
      cross join lateral private.listings_counterparts(mine.own, v_blocked) c
      order by c.listing_id, private.listings_score(c) desc
    ) s
    where s.score > 0
    order by s.score desc, s.listing_id desc
    limit page_size;
end;
$$;
comment on function public.listings_matches(uuid, uuid, integer) is
  'What fits a listing of the caller''s, or the ten newest of them, the best first, with the reasons (permission listings.read). page_size: 1 to 100. Raises listings.not_found, request.invalid.';
grant execute on function public.listings_matches(uuid, uuid, integer) to authenticated;
