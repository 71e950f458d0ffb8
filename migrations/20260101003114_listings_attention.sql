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

create table private.listings_trends (
  tenant_id uuid primary key references public.tenants (id) on delete cascade,
  due_at timestamptz not null default now()
);
comment on table private.listings_trends is
  'Tenants where somebody ever looked at a listing, and when what trends there is said anew.';
create index listings_trends_due_at on private.listings_trends (due_at);

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
    insert into private.listings_trends (tenant_id) values (listings_attend.tenant_id)
    on conflict do nothing;
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
create function private.listings_rank(tenant_id uuid)
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
  delete from public.listings_trending t where t.tenant_id = listings_rank.tenant_id;
  insert into public.listings_trending (tenant_id, place, listing_id)
  select listings_rank.tenant_id, row_number() over (order by r.score desc, r.listing_id desc), r.listing_id
  from (
    -- A question says more than a look; of equals the newer one.
    select a.listing_id, sum(case a.kind when 'contact' then 5 else 1 end) as score
    from private.listings_attention a
    join private.listings_index i on i.tenant_id = a.tenant_id and i.listing_id = a.listing_id
    where a.tenant_id = listings_rank.tenant_id and a.day >= (now() at time zone 'UTC')::date - 7
    group by a.listing_id
    order by score desc, a.listing_id desc
    limit 50
  ) r;
  get diagnostics v_count = row_count;
  return v_count;
end;
$$;
comment on function private.listings_rank(uuid) is
  'Says anew what trends in a tenant, up to fifty listings; returns how many.';

create function private.listings_trend()
returns integer
language plpgsql
volatile
security definer -- asks listings_rank
set search_path = ''
as $$
#variable_conflict use_column
declare
  v_tenant uuid;
  v_count integer := 0;
begin
  for v_tenant in
    update private.listings_trends t set due_at = now() + interval '1 hour'
    from (
      select d.tenant_id from private.listings_trends d
      where d.due_at <= now()
      order by d.due_at
      limit 200
      for no key update skip locked
    ) due
    where t.tenant_id = due.tenant_id
    returning t.tenant_id
  loop
    v_count := v_count + private.listings_rank(v_tenant);
  end loop;
  return v_count;
end;
$$;
comment on function private.listings_trend() is
  'Says anew what trends where that is an hour old, 200 tenants at a time, the oldest first; returns how many listings trend there.';

create function private.listings_forget_attention()
returns bigint
language sql
volatile
security definer -- nobody else writes attention
set search_path = ''
as $$
  with gone as (
    delete from private.listings_attention a
    where (a.tenant_id, a.day, a.listing_id, a.person_id, a.kind) in (
      select d.tenant_id, d.day, d.listing_id, d.person_id, d.kind from private.listings_attention d
      where d.day < (now() at time zone 'UTC')::date - 7
      order by d.day
      limit 10000
    )
    returning 1
  )
  select count(*) from gone;
$$;
comment on function private.listings_forget_attention() is
  'Forgets who looked more than a week ago, 10,000 looks at a time; returns how many.';

select private.schedule('listings-trend', '*/2 * * * *', 'select private.listings_trend()');
select private.schedule(
  'listings-forget-attention', '*/5 * * * *', 'select private.listings_forget_attention()'
);
