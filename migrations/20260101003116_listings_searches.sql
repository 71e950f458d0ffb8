-- Listings, searches: what people want to hear of as soon as somebody offers it. A listing that
-- becomes visible is held against the searches by an index of their words; who was told of it, or
-- will be in the morning, stands in private.listings_alerts, so that nobody is told twice.

select private.declare_notification('listings.alert', group_key => 'search_id');
select private.declare_notification('listings.alerts');

create table public.listings_searches (
  tenant_id uuid not null,
  id uuid not null default private.uuid_v7(),
  person_id uuid not null,
  name text not null check (char_length(btrim(name)) between 1 and 80),
  query text check (char_length(query) between 1 and 200),
  kind text check (kind in ('offer', 'request')),
  tags text[] not null default '{}' check (cardinality(tags) <= 10),
  latitude numeric(4, 2),
  longitude numeric(5, 2),
  radius_km numeric check (radius_km between 1 and 200),
  alert text not null default 'daily' check (alert in ('off', 'immediate', 'daily')),
  created_at timestamptz not null default now(),
  updated_at timestamptz not null default now(),
  primary key (tenant_id, id),
  foreign key (tenant_id, person_id) references public.members (tenant_id, person_id) on delete cascade
);
comment on table public.listings_searches is 'What a person looks for again and again: known to themselves alone.';
create index listings_searches_person on public.listings_searches (tenant_id, person_id, id);
create trigger listings_searches_touch before update on public.listings_searches
  for each row execute function private.touch();
alter table public.listings_searches enable row level security;
create policy listings_searches_select_owner on public.listings_searches
  for select to authenticated
  using (
    tenant_id = any (array(select private.tenants_with('listings.read')))
    and person_id = (select private.person())
  );
grant select on public.listings_searches to authenticated, service_role;

create table private.listings_searches_words (
  tenant_id uuid not null,
  search_id uuid not null,
  words tsquery not null,
  needed text[] not null,
  primary key (tenant_id, search_id),
  foreign key (tenant_id, search_id) references public.listings_searches (tenant_id, id) on delete cascade
);
comment on table private.listings_searches_words is 'Searches that alert, as listings are held against them.';
comment on column private.listings_searches_words.needed is
  'Lexemes without which no listing fits: among them always the tenant, so that there is one.';
create index listings_searches_words_needed on private.listings_searches_words using gin (needed);

create table private.listings_alerts (
  tenant_id uuid not null,
  person_id uuid not null,
  listing_id uuid not null,
  search_id uuid not null,
  told boolean not null,
  created_at timestamptz not null default now(),
  primary key (tenant_id, person_id, listing_id),
  foreign key (tenant_id, listing_id) references public.listings (tenant_id, id) on delete cascade
);
comment on table private.listings_alerts is 'Which listing a person was told of, or will be in the morning: once, whatever searches it fits.';
create index listings_alerts_listing on private.listings_alerts (tenant_id, listing_id);
create index listings_alerts_created on private.listings_alerts (created_at);
create index listings_alerts_waiting on private.listings_alerts (tenant_id, person_id) where not told;

create function private.listings_needed(words tsquery, tenant_id uuid)
returns text[]
language plpgsql
immutable
security invoker
set search_path = ''
as $$
begin
  -- Of or, not and phrases nothing is sure; then the words themselves decide alone.
  if words is null or words::text ~ '[|!<*]' then
    return array['=' || listings_needed.tenant_id];
  end if;
  return array['=' || listings_needed.tenant_id]
    || array(select m[1] from regexp_matches(words::text, '''([^'']+)''', 'g') m);
end;
$$;
comment on function private.listings_needed(tsquery, uuid) is 'The lexemes that every listing has that fits.';

create function public.listings_search_save(
  tenant_id uuid, name text, query text default null, kind text default null, tags text[] default null,
  latitude numeric default null, longitude numeric default null, radius_km numeric default null,
  alert text default 'daily', search uuid default null
)
returns public.listings_searches
language plpgsql
volatile
security definer -- clients may not write searches
set search_path = ''
as $$
#variable_conflict use_column
declare
  v_me uuid := private.require(listings_search_save.tenant_id, 'listings.read');
  v_wanted private.listings_wanted := private.listings_want(
    listings_search_save.tenant_id, v_me, nullif(btrim(listings_search_save.query), ''), listings_search_save.kind,
    listings_search_save.tags, listings_search_save.latitude, listings_search_save.longitude,
    listings_search_save.radius_km
  );
  v_id uuid := coalesce(listings_search_save.search, private.uuid_v7());
  v_search public.listings_searches;
begin
  if coalesce(char_length(btrim(listings_search_save.name)), 0) not between 1 and 80 then
    raise sqlstate 'PT422' using message = 'request.invalid', detail = 'name: 1 to 80 characters';
  elsif coalesce(listings_search_save.alert not in ('off', 'immediate', 'daily'), true) then
    raise sqlstate 'PT422' using message = 'request.invalid', detail = 'alert: off, immediate or daily';
  elsif v_wanted.words is null and v_wanted.latitude is null then
    raise sqlstate 'PT422' using message = 'request.invalid', detail = 'query, kind, tags or a place';
  end if;
  -- The member's row, so that of two at once the second counts the first.
  perform from public.members m
  where m.tenant_id = listings_search_save.tenant_id and m.person_id = v_me for no key update;
  if listings_search_save.search is null then
    if (
      select count(*) from public.listings_searches s
      where s.tenant_id = listings_search_save.tenant_id and s.person_id = v_me
    ) >= 50 then
      raise sqlstate 'PT409' using message = 'listings.too_many_searches';
    end if;
  elsif not exists (
    select from public.listings_searches s
    where s.tenant_id = listings_search_save.tenant_id and s.id = v_id and s.person_id = v_me
  ) then
    raise sqlstate 'PT404' using message = 'listings.search_not_found';
  end if;
  insert into public.listings_searches (
    tenant_id, id, person_id, name, query, kind, tags, latitude, longitude, radius_km, alert
  )
  values (
    listings_search_save.tenant_id, v_id, v_me, btrim(listings_search_save.name),
    nullif(btrim(listings_search_save.query), ''), listings_search_save.kind,
    private.listings_tags(to_jsonb(coalesce(listings_search_save.tags, '{}'))),
    listings_search_save.latitude, listings_search_save.longitude, v_wanted.radius_km::numeric,
    listings_search_save.alert
  )
  on conflict (tenant_id, id) do update
    set name = excluded.name, query = excluded.query, kind = excluded.kind, tags = excluded.tags,
      latitude = excluded.latitude, longitude = excluded.longitude, radius_km = excluded.radius_km,
      alert = excluded.alert
  returning * into v_search;
  delete from private.listings_searches_words w where w.tenant_id = v_search.tenant_id and w.search_id = v_id;
  if v_search.alert <> 'off' then
    insert into private.listings_searches_words (tenant_id, search_id, words, needed)
    values (
      v_search.tenant_id, v_id, v_wanted.scope && coalesce(v_wanted.words, ''),
      private.listings_needed(v_wanted.words, v_search.tenant_id)
    );
  end if;
  return v_search;
end;
$$;
comment on function public.listings_search_save(uuid, text, text, text, text[], numeric, numeric, numeric, text, uuid) is
  'Keeps a search of the caller''s, or changes the one named; at least one of query, kind, tags and place. alert: off, immediate, or daily in one notice (permission listings.read). Raises listings.search_not_found, listings.too_many_searches from 50 on, request.invalid.';
grant execute on function public.listings_search_save(uuid, text, text, text, text[], numeric, numeric, numeric, text, uuid)
  to authenticated;

create function public.listings_search_run(
  tenant_id uuid, search uuid, cursor text default null, page_size integer default 50
)
returns setof public.listings_hit
language plpgsql
stable
security definer -- past the policies an index finds words; it holds what they let others see
rows 50
set search_path = ''
as $$
#variable_conflict use_column
declare
  v_me uuid := private.require(listings_search_run.tenant_id, 'listings.read');
  v_search public.listings_searches;
begin
  perform private.check_page(page_size);
  select * into v_search from public.listings_searches s
  where s.tenant_id = listings_search_run.tenant_id and s.id = listings_search_run.search and s.person_id = v_me;
  if not found then
    raise sqlstate 'PT404' using message = 'listings.search_not_found';
  end if;
  return query select * from private.listings_page(
    private.listings_want(
      v_search.tenant_id, v_me, v_search.query, v_search.kind, v_search.tags, v_search.latitude,
      v_search.longitude, v_search.radius_km
    ),
    v_me, 'newest', cursor, page_size
  );
end;
$$;
comment on function public.listings_search_run(uuid, uuid, text, integer) is
  'What a kept search finds now, the newest first (permission listings.read). cursor: of the last line seen. page_size: 1 to 100. Raises listings.search_not_found, request.invalid.';
grant execute on function public.listings_search_run(uuid, uuid, text, integer) to authenticated;

create function public.listings_search_delete(tenant_id uuid, search uuid)
returns public.listings_searches
language plpgsql
volatile
security definer -- clients may not write searches
set search_path = ''
as $$
#variable_conflict use_column
declare
  v_me uuid := private.require(listings_search_delete.tenant_id, 'listings.read');
  v_search public.listings_searches;
begin
  delete from public.listings_searches s
  where s.tenant_id = listings_search_delete.tenant_id and s.id = listings_search_delete.search and s.person_id = v_me
  returning * into v_search;
  if not found then
    raise sqlstate 'PT404' using message = 'listings.search_not_found';
  end if;
  return v_search;
end;
$$;
comment on function public.listings_search_delete(uuid, uuid) is
  'Forgets a search of the caller''s (permission listings.read). Raises listings.search_not_found.';
grant execute on function public.listings_search_delete(uuid, uuid) to authenticated;
