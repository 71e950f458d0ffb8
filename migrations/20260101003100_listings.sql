-- Listings: what members offer to each other and ask for. Who sees one is said once, in the column
-- visible and in private.messaging_blocked_pairs; every path (table, search, favourites, alerts, matching,
-- messages about it) asks these two.

insert into private.audit_actions (name, description)
values
  ('LISTING_PUBLISHED', 'A listing was published, or handed in to be looked at first'),
  ('LISTING_REVIEWED', 'A listing was approved or rejected'),
  ('LISTING_ENDED', 'A listing was fulfilled or cancelled'),
  ('LISTING_FEATURED', 'A listing was featured, or is no longer');

select private.declare_permission(
  'listings.read', 'See what members offer and ask for', array['admin', 'staff', 'member', 'guest']
);
select private.declare_permission('listings.write', 'Offer and ask', array['admin', 'staff', 'member']);
select private.declare_permission(
  'listings.review', 'Look at listings before others see them, feature them', array['admin', 'staff'],
  own_cases => false
);

create table public.listings (
  tenant_id uuid not null,
  id uuid not null default private.uuid_v7(),
  owner_id uuid not null,
  kind text not null check (kind in ('offer', 'request')),
  status text not null default 'draft' check (
    status in ('draft', 'pending', 'active', 'fulfilled', 'expired', 'cancelled', 'rejected')
  ),
  title text check (char_length(btrim(title)) between 3 and 120),
  description text check (char_length(description) between 1 and 5000),
  tags text[] not null default '{}' check (cardinality(tags) <= 10),
  minutes integer check (minutes between 15 and 1440),
  remote boolean not null default false,
  place text check (char_length(btrim(place)) between 1 and 80),
  latitude numeric(4, 2) check (latitude between -90 and 90),
  longitude numeric(5, 2) check (longitude between -180 and 180),
  reason text check (char_length(reason) between 1 and 500),
  owner_active boolean not null default true,
  visible boolean not null generated always as (status = 'active' and owner_active) stored,
  featured_at timestamptz,
  submitted_at timestamptz,
  published_at timestamptz,
  expires_at timestamptz,
  renewals smallint not null default 0 check (renewals between 0 and 12),
  remind_at timestamptz,
  created_at timestamptz not null default now(),
  updated_at timestamptz not null default now(),
  primary key (tenant_id, id),
  check (title is not null or status in ('fulfilled', 'cancelled')),
  check ((latitude is null) = (longitude is null)),
  check (status not in ('active', 'expired') or (published_at is not null and expires_at is not null)),
  foreign key (tenant_id, owner_id) references public.members (tenant_id, person_id) on delete restrict
);
comment on table public.listings is 'Offers and requests of members. Others see those that are visible.';
comment on column public.listings.status is
  'draft; pending: a reviewer looks first; active, until fulfilled, expired or cancelled; rejected by a reviewer or moderator.';
comment on column public.listings.title is 'Null once its owner is erased.';
comment on column public.listings.minutes is 'How long it will take, roughly.';
comment on column public.listings.remote is 'It can be done from anywhere.';
comment on column public.listings.latitude is
  'In hundredths of a degree, about a kilometre: the type rounds, so that nobody''s door is ever stored.';
comment on column public.listings.reason is 'Of a rejection, as the owner reads it.';
comment on column public.listings.owner_active is 'False while the owner is suspended, banned or gone.';
comment on column public.listings.visible is 'Whether others see it: active, of an active member.';
comment on column public.listings.remind_at is 'When its owner is told next that it expires.';
create index listings_owner on public.listings (tenant_id, owner_id, id);
create index listings_newest on public.listings (tenant_id, published_at desc, id desc) where visible;
create index listings_featured on public.listings (tenant_id, featured_at desc, id desc)
  where visible and featured_at is not null;
create index listings_queue on public.listings (tenant_id, submitted_at, id) where status = 'pending';
create index listings_expiring on public.listings (expires_at) where status = 'active';
create index listings_reminding on public.listings (remind_at) where status = 'active' and remind_at is not null;

insert into private.transitions (machine, from_state, to_state)
values
  ('listings', 'draft', 'pending'), ('listings', 'draft', 'active'), ('listings', 'draft', 'cancelled'),
  ('listings', 'pending', 'active'), ('listings', 'pending', 'rejected'), ('listings', 'pending', 'cancelled'),
  ('listings', 'active', 'pending'), ('listings', 'active', 'fulfilled'), ('listings', 'active', 'expired'),
  ('listings', 'active', 'cancelled'), ('listings', 'active', 'rejected'),
  ('listings', 'expired', 'active'), ('listings', 'expired', 'pending'), ('listings', 'expired', 'fulfilled'),
  ('listings', 'expired', 'cancelled'), ('listings', 'expired', 'rejected'),
  ('listings', 'rejected', 'pending'), ('listings', 'rejected', 'active'), ('listings', 'rejected', 'expired'),
  ('listings', 'rejected', 'cancelled');
create trigger listings_transition before update of status on public.listings
  for each row execute function private.enforce_transition();
create trigger listings_touch before update on public.listings
  for each row execute function private.touch();

create table public.listings_images (
  tenant_id uuid not null,
  listing_id uuid not null,
  place smallint not null check (place between 1 and 5),
  file_id uuid not null,
  primary key (tenant_id, listing_id, place),
  unique (tenant_id, file_id),
  foreign key (tenant_id, listing_id) references public.listings (tenant_id, id) on delete cascade,
  foreign key (tenant_id, file_id) references public.files (tenant_id, id) on delete cascade
);
comment on table public.listings_images is 'Up to five pictures of a listing, in order; a picture belongs to one.';

create table public.listings_favourites (
  tenant_id uuid not null,
  person_id uuid not null,
  listing_id uuid not null,
  created_at timestamptz not null default now(),
  primary key (tenant_id, person_id, listing_id),
  foreign key (tenant_id, person_id) references public.members (tenant_id, person_id) on delete cascade,
  foreign key (tenant_id, listing_id) references public.listings (tenant_id, id) on delete cascade
);
comment on table public.listings_favourites is 'What a person keeps to find it again: known to themselves alone.';
create index listings_favourites_listing on public.listings_favourites (tenant_id, listing_id);

create table public.listings_counts (
  tenant_id uuid not null,
  listing_id uuid not null,
  owner_id uuid not null,
  views bigint not null default 0,
  contacts bigint not null default 0,
  favourites bigint not null default 0,
  primary key (tenant_id, listing_id),
  foreign key (tenant_id, listing_id) references public.listings (tenant_id, id) on delete cascade
) with (fillfactor = 70); -- each view updates its row: room for that on the same page
comment on table public.listings_counts is
  'How often a listing was seen, asked about and kept by others: kept as sums, for its owner and reviewers to read.';

-- Row level security
alter table public.listings enable row level security;
create policy listings_select_member on public.listings
  for select to authenticated
  using (
    tenant_id = any (array(select private.tenants_with('listings.read')))
    and (
      (visible and (tenant_id, owner_id) not in (select b.tenant_id, b.blocked_id from private.messaging_blocked_pairs() b))
      or owner_id = (select private.person())
      or (status <> 'draft' and tenant_id = any (array(select private.tenants_with('listings.review'))))
    )
  );

alter table public.listings_images enable row level security;
create policy listings_images_select_member on public.listings_images
  for select to authenticated
  using (
    tenant_id = any (array(select private.tenants_with('listings.read')))
    and exists (
      select from public.listings l
      where l.tenant_id = listings_images.tenant_id and l.id = listings_images.listing_id
    )
  );

alter table public.listings_favourites enable row level security;
create policy listings_favourites_select_owner on public.listings_favourites
  for select to authenticated
  using (
    tenant_id = any (array(select private.tenants_with('listings.read')))
    and person_id = (select private.person())
    and exists (
      select from public.listings l
      where l.tenant_id = listings_favourites.tenant_id and l.id = listings_favourites.listing_id
    )
  );

alter table public.listings_counts enable row level security;
create policy listings_counts_select_owner on public.listings_counts
  for select to authenticated
  using (
    tenant_id = any (array(select private.tenants_with('listings.read')))
    and (
      owner_id = (select private.person())
      or tenant_id = any (array(select private.tenants_with('listings.review')))
    )
  );

grant select on
  public.listings, public.listings_images, public.listings_favourites, public.listings_counts
to authenticated, service_role;

-- The same rule for one listing and one person, who need not be the caller
create function private.listings_sees(tenant_id uuid, listing uuid, person uuid)
returns boolean
language plpgsql
stable
security definer -- reads listings past their policies
set search_path = ''
as $$
#variable_conflict use_column
begin
  return private.may(listings_sees.tenant_id, person, 'listings.read') and exists (
    select from public.listings l
    where l.tenant_id = listings_sees.tenant_id and l.id = listings_sees.listing and (
      l.owner_id = listings_sees.person
      or (l.visible and not private.messaging_blocked(l.tenant_id, l.owner_id, listings_sees.person))
    )
  );
end;
$$;
comment on function private.listings_sees(uuid, uuid, uuid) is
  'Whether the person sees the listing as a member does: their own, or one that is visible, of nobody they blocked or are blocked by. Reviewers see more, as reviewers.';

select private.declare_metric(
  'listings_visible', 'gauge', 'Listings that members see.',
  $$select greatest(c.reltuples, 0)::bigint as value, '{}'::jsonb as labels
    from pg_class c where c.oid = 'public.listings_newest'::regclass$$
);
