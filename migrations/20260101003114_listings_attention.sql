-- Listings, attention: keeping, looking, asking. Each is counted once a person and day, as a sum that
-- costs the same however many there are; who looked is forgotten after a week. Only members see
-- listings, so there is no address to keep, hashed or not.

create table private.listings_attention (
  tenant_id uuid not null,
  day date not null,
  listing_id uuid not null,
  person_id uuid not null,
  kind text not null check (kind in ('view', 'contact')),
  primary key (tenant_id, day, listing_id, person_id, kind),
  foreign key (tenant_id, listing_id) references public.listings (tenant_id, id) on delete cascade
);
comment on table private.listings_attention is 'Who looked at a listing or asked about it on which day, for a week.';
create index listings_attention_listing on private.listings_attention (tenant_id, listing_id);
create index listings_attention_day on private.listings_attention (day);

create table public.listings_trending (
  tenant_id uuid not null,
  place smallint not null check (place between 1 and 50),
  listing_id uuid not null,
  primary key (tenant_id, place),
  foreign key (tenant_id, listing_id) references public.listings (tenant_id, id) on delete cascade
);
comment on table public.listings_trending is
  'What most people looked at and asked about in a week, by the hour: shown as far as the listing is.';
create index listings_trending_listing on public.listings_trending (tenant_id, listing_id);
alter table public.listings_trending enable row level security;
create policy listings_trending_select_member on public.listings_trending
  for select to authenticated
  using (
    tenant_id = any (array(select private.tenants_with('listings.read')))
    and exists (
      select from public.listings l
      where l.tenant_id = listings_trending.tenant_id and l.id = listings_trending.listing_id
    )
  );
grant select on public.listings_trending to authenticated, service_role;

create function private.listings_attend(tenant_id uuid, listing uuid, person uuid, kind text)
returns void
language plpgsql
volatile
security definer -- nobody else writes the counts
set search_path = ''
as $$
#variable_conflict use_column
begin
  insert into private.listings_attention (tenant_id, day, listing_id, person_id, kind)
  select l.tenant_id, (now() at time zone 'UTC')::date, l.id, listings_attend.person, listings_attend.kind
  from public.listings l
  where l.tenant_id = listings_attend.tenant_id and l.id = listings_attend.listing
    and l.owner_id <> listings_attend.person
  on conflict do nothing;
  if found then
    update public.listings_counts c
    set views = c.views + (listings_attend.kind = 'view')::integer,
      contacts = c.contacts + (listings_attend.kind = 'contact')::integer
    where c.tenant_id = listings_attend.tenant_id and c.listing_id = listings_attend.listing;
  end if;
end;
$$;
comment on function private.listings_attend(uuid, uuid, uuid, text) is
  'Counts somebody''s look or question, once a day; never the owner''s own.';

create function public.listings_view(tenant_id uuid, listing uuid)
returns public.listings
language plpgsql
volatile
security definer -- counts, which clients may not
set search_path = ''
as $$
#variable_conflict use_column
declare
  v_me uuid := private.require(listings_view.tenant_id, 'listings.read');
  v_listing public.listings;
begin
  if not private.listings_sees(listings_view.tenant_id, listings_view.listing, v_me) then
    raise sqlstate 'PT404' using message = 'listings.not_found';
  end if;
  perform private.listings_attend(listings_view.tenant_id, listings_view.listing, v_me, 'view');
  select * into v_listing from public.listings l
  where l.tenant_id = listings_view.tenant_id and l.id = listings_view.listing;
  return v_listing;
end;
$$;
comment on function public.listings_view(uuid, uuid) is
  'A listing that the caller looks at, counted (permission listings.read). Raises listings.not_found.';
grant execute on function public.listings_view(uuid, uuid) to authenticated;

create function public.listings_favourite(tenant_id uuid, listing uuid, favourite boolean default true)
returns boolean
language plpgsql
volatile
security definer -- clients may not write favourites
set search_path = ''
as $$
#variable_conflict use_column
declare
  v_me uuid := private.require(listings_favourite.tenant_id, 'listings.read');
begin
  if listings_favourite.favourite is null then
    raise sqlstate 'PT422' using message = 'request.invalid', detail = 'favourite';
  elsif not listings_favourite.favourite then
    delete from public.listings_favourites k
    where k.tenant_id = listings_favourite.tenant_id and k.person_id = v_me
      and k.listing_id = listings_favourite.listing;
  elsif not private.listings_sees(listings_favourite.tenant_id, listings_favourite.listing, v_me) then
    raise sqlstate 'PT404' using message = 'listings.not_found';
  else
    insert into public.listings_favourites (tenant_id, person_id, listing_id)
    values (listings_favourite.tenant_id, v_me, listings_favourite.listing)
    on conflict do nothing;
  end if;
  return listings_favourite.favourite;
end;
$$;
comment on function public.listings_favourite(uuid, uuid, boolean) is
  'Keeps a listing for the caller, or no longer (permission listings.read). Raises listings.not_found, request.invalid.';
grant execute on function public.listings_favourite(uuid, uuid, boolean) to authenticated;

create function private.listings_count_favourites()
returns trigger
language plpgsql
volatile
security definer -- nobody else writes the counts
set search_path = ''
as $$
declare
  v_favourite public.listings_favourites := coalesce(new, old);
begin
  update public.listings_counts c
  set favourites = c.favourites + case when tg_op = 'INSERT' then 1 else -1 end
  where c.tenant_id = v_favourite.tenant_id and c.listing_id = v_favourite.listing_id
    and c.owner_id <> v_favourite.person_id;
  return null;
end;
$$;
comment on function private.listings_count_favourites() is 'After insert or delete on favourites: the sum, without the owner''s own.';
create trigger listings_favourites_count after insert or delete on public.listings_favourites
  for each row execute function private.listings_count_favourites();

-- Messages about a listing
create function private.listings_on_conversation()
returns trigger
language plpgsql
volatile
security definer -- reads listings past their policies
set search_path = ''
as $$
#variable_conflict use_column
declare
  v_listing uuid := split_part(new.context, ':', 2)::uuid;
  v_conversation public.messaging_conversations;
begin
  if not private.listings_sees(new.tenant_id, v_listing, new.low)
    or not private.listings_sees(new.tenant_id, v_listing, new.high)
  then
    raise sqlstate 'PT404' using message = 'listings.not_found';
  end if;
  select * into v_conversation from public.messaging_conversations c
  where c.tenant_id = new.tenant_id and c.id = new.conversation_id;
  -- Who is asked, counts; a listing shown to a third does not.
  if exists (
    select from public.listings l
    where l.tenant_id = new.tenant_id and l.id = v_listing and l.owner_id in (new.low, new.high)
  ) then
    perform private.listings_attend(new.tenant_id, v_listing, v_conversation.created_by, 'contact');
  end if;
  return new;
end;
$$;
comment on function private.listings_on_conversation() is
  'Before two begin to talk about a listing: both see it, and it is counted. Raises listings.not_found.';
create trigger listings_on_conversation before insert on private.messaging_pairs
  for each row when (new.context like 'listing:%') execute function private.listings_on_conversation();

-- The clock
create function private.listings_trend()
returns integer
language plpgsql
volatile
security definer -- nobody else writes what trends
set search_path = ''
as $$
#variable_conflict use_column
declare
  v_count integer;
begin
  delete from private.listings_attention a where a.day < (now() at time zone 'UTC')::date - 7;
  delete from public.listings_trending t where t.place > 0;
  insert into public.listings_trending (tenant_id, place, listing_id)
  select r.tenant_id, r.place, r.listing_id
  from (
    select a.tenant_id, a.listing_id,
      row_number() over (
        partition by a.tenant_id
        -- A question says more than a look; of equals the newer one.
        order by sum(case a.kind when 'contact' then 5 else 1 end) desc, a.listing_id desc
      ) as place
    from private.listings_attention a
    join private.listings_index i on i.tenant_id = a.tenant_id and i.listing_id = a.listing_id
    group by a.tenant_id, a.listing_id
  ) r
  where r.place <= 50;
  get diagnostics v_count = row_count;
  return v_count;
end;
$$;
comment on function private.listings_trend() is
  'Says anew what trends, up to fifty listings a tenant, and forgets who looked more than a week ago; returns how many trend.';
select private.schedule('listings-trend', '7 * * * *', 'select private.listings_trend()');
