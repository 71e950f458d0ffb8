-- Listings, index: what search reads, a row for each listing that others see and for no other. Words,
-- tenant, kind, tags and place are lexemes of one vector, so that one index answers all of them
-- together: a common word of other tenants, or of a far town, costs nothing.

create function private.listings_fold(said text)
returns text
language plpgsql
immutable
security invoker
set search_path = ''
as $$
begin
  -- Decomposed, without the marks that were on the letters; some letters do not decompose.
  return replace(replace(translate(
    regexp_replace(normalize(lower(said), nfkd), '[\u0300-\u036f]', '', 'g'), 'øłđðħıþ', 'olddhit'
  ), 'ß', 'ss'), 'æ', 'ae');
end;
$$;
comment on function private.listings_fold(text) is 'Text as it is searched: small letters without accents.';

create function private.listings_config(tenant_id uuid)
returns regconfig
language plpgsql
stable
security definer -- reads tenants past their policies
set search_path = ''
as $$
#variable_conflict use_column
begin
  return (
    select case split_part(t.locale, '-', 1)
      when 'da' then 'danish' when 'de' then 'german' when 'en' then 'english' when 'es' then 'spanish'
      when 'fi' then 'finnish' when 'fr' then 'french' when 'hu' then 'hungarian' when 'it' then 'italian'
      when 'nb' then 'norwegian' when 'nl' then 'dutch' when 'no' then 'norwegian' when 'pt' then 'portuguese'
      when 'ro' then 'romanian' when 'sv' then 'swedish' when 'tr' then 'turkish' else 'simple'
    end
    from public.tenants t where t.id = listings_config.tenant_id
  )::text::regconfig;
end;
$$;
comment on function private.listings_config(uuid) is 'The language whose endings are taken off words: the tenant''s.';

-- Three grids, of a hundredth, a twentieth and a quarter of a degree: of each circle one of them tells
-- with few cells, and not many times its own ground.
create function private.listings_cell(grain integer, latitude numeric, longitude numeric)
returns text
language plpgsql
immutable
security invoker
set search_path = ''
as $$
begin
  return format(
    '@%s:%s,%s', grain, floor(latitude * grain)::integer,
    mod(floor(longitude * grain)::integer + 540 * grain, 360 * grain)
  );
end;
$$;
comment on function private.listings_cell(integer, numeric, numeric) is
  'The lexeme of the cell a place lies in; grain: 100, 20 or 4 cells a degree.';

create table private.listings_index (
  tenant_id uuid not null,
  listing_id uuid not null,
  owner_id uuid not null,
  kind text not null,
  latitude numeric(4, 2),
  longitude numeric(5, 2),
  published_at timestamptz not null,
  config text not null,
  words tsvector not null,
  primary key (tenant_id, listing_id),
  foreign key (tenant_id, listing_id) references public.listings (tenant_id, id) on delete cascade
);
comment on table private.listings_index is 'Listings that others see, as search reads them.';
comment on column private.listings_index.words is
  'What it says, and as lexemes that no text can hold: =tenant, =kind, #tag, @cell.';
create index listings_index_newest on private.listings_index (tenant_id, published_at desc, listing_id desc);
create index listings_index_words on private.listings_index using gin (words);

create table private.listings_words (
  tenant_id uuid not null references public.tenants (id) on delete cascade,
  word text not null,
  primary key (tenant_id, word)
);
comment on table private.listings_words is 'The words of a tenant''s listings, for whoever mistypes one.';

create table private.listings_typos (
  tenant_id uuid not null,
  rest text not null,
  word text not null,
  primary key (tenant_id, rest, word),
  foreign key (tenant_id, word) references private.listings_words (tenant_id, word) on delete cascade
);
comment on table private.listings_typos is
  'Each word with one letter left out, and whole: two words that share a rest are one slip apart.';
create index listings_typos_word on private.listings_typos (tenant_id, word);

create function private.listings_rests(word text)
returns setof text
language plpgsql
immutable
security invoker
rows 8
set search_path = ''
as $$
begin
  return query
    select word union select overlay(word placing '' from at for 1) from generate_series(1, char_length(word)) at;
end;
$$;
comment on function private.listings_rests(text) is 'A word, and the word with each one of its letters left out.';

create function private.listings_learn(tenant_id uuid, words tsvector)
returns void
language plpgsql
volatile
security definer -- nobody else writes words
set search_path = ''
as $$
#variable_conflict use_column
begin
  -- In one order, so that two who publish the same words do not wait for each other crosswise.
  with fresh as (
    insert into private.listings_words (tenant_id, word)
    select listings_learn.tenant_id, w.word
    from unnest(tsvector_to_array(listings_learn.words)) w(word)
    where w.word ~ '^[[:alpha:]]{4,24}$' and not exists (
      select from private.listings_words known
      where known.tenant_id = listings_learn.tenant_id and known.word = w.word
    )
    order by w.word
    on conflict do nothing
    returning word
  )
  insert into private.listings_typos (tenant_id, rest, word)
  select listings_learn.tenant_id, r.rest, f.word from fresh f cross join lateral private.listings_rests(f.word) r(rest);
end;
$$;
comment on function private.listings_learn(uuid, tsvector) is 'Remembers words that are new in the tenant.';

create function private.listings_vector(listing public.listings, config regconfig)
returns tsvector
language plpgsql
stable
security invoker
set search_path = ''
as $$
begin
  return setweight(to_tsvector(config, private.listings_fold(listing.title)), 'A')
    || setweight(to_tsvector(config, private.listings_fold(array_to_string(listing.tags, ' , '))), 'B')
    || setweight(to_tsvector(config, private.listings_fold(coalesce(listing.description, ''))), 'C')
    || setweight(to_tsvector(config, private.listings_fold(coalesce(listing.place, ''))), 'D')
    || array_to_tsvector(
      array(select '#' || t.tag from unnest(listing.tags) t(tag))
      || array['=' || listing.tenant_id, '=' || listing.kind]
      || case when listing.latitude is not null
        then array(select private.listings_cell(g.grain, listing.latitude, listing.longitude)
          from unnest(array[100, 20, 4]) g(grain))
        else '{}'::text[] end
    );
end;
$$;
comment on function private.listings_vector(public.listings, regconfig) is 'What of a listing can be found.';

create function private.listings_put(listing public.listings)
returns void
language plpgsql
volatile
security definer -- nobody else writes the index
set search_path = ''
as $$
#variable_conflict use_column
declare
  v_config regconfig := private.listings_config(listing.tenant_id);
  v_words tsvector := private.listings_vector(listing, v_config);
begin
  insert into private.listings_index (
    tenant_id, listing_id, owner_id, kind, latitude, longitude, published_at, config, words
  )
  values (
    listing.tenant_id, listing.id, listing.owner_id, listing.kind, listing.latitude, listing.longitude,
    listing.published_at, v_config::text, v_words
  )
  on conflict (tenant_id, listing_id) do update
    set kind = excluded.kind, latitude = excluded.latitude, longitude = excluded.longitude,
      published_at = excluded.published_at, config = excluded.config, words = excluded.words;
  perform private.listings_learn(listing.tenant_id, to_tsvector('simple', private.listings_fold(
    concat_ws(' ', listing.title, array_to_string(listing.tags, ' '), listing.description)
  )));
end;
$$;
comment on function private.listings_put(public.listings) is 'Writes what search reads of a listing.';

create function private.listings_follow()
returns trigger
language plpgsql
volatile
security definer -- nobody else writes the index
set search_path = ''
as $$
begin
  if new.visible then
    perform private.listings_put(new);
  else
    delete from private.listings_index i where i.tenant_id = new.tenant_id and i.listing_id = new.id;
  end if;
  return null;
end;
$$;
comment on function private.listings_follow() is 'After insert or update on listings: search finds what others see, and nothing else.';

create trigger listings_follow_insert after insert on public.listings
  for each row when (new.visible) execute function private.listings_follow();
create trigger listings_follow_update after update on public.listings
  for each row when (
    (old.visible, old.kind, old.title, old.description, old.tags, old.place, old.latitude, old.longitude, old.published_at)
    is distinct from
    (new.visible, new.kind, new.title, new.description, new.tags, new.place, new.latitude, new.longitude, new.published_at)
  )
  execute function private.listings_follow();
