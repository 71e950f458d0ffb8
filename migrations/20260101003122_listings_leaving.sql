-- Listings, leaving: what becomes of them when a membership ends, a person is erased, or somebody
-- reports one; and what search remembers of words that nobody uses any more.

create function private.listings_on_member_changed()
returns trigger
language plpgsql
volatile
security definer -- whoever changes the membership may not write listings
set search_path = ''
as $$
begin
  update public.listings l set owner_active = new.status = 'active'
  where l.tenant_id = new.tenant_id and l.owner_id = new.person_id
    and l.owner_active <> (new.status = 'active');
  return null;
end;
$$;
comment on function private.listings_on_member_changed() is
  'After a membership was suspended, ended or opened again: the member''s listings hide, or are there again.';
create trigger listings_on_member_changed after update of status on public.members
  for each row when ((new.status = 'active') <> (old.status = 'active'))
  execute function private.listings_on_member_changed();

create function private.listings_forget_words(tenant_id uuid, words text[])
returns integer
language plpgsql
volatile
security definer -- nobody else writes words
set search_path = ''
set enable_seqscan = off
as $$
#variable_conflict use_column
declare
  v_config regconfig := private.listings_config(listings_forget_words.tenant_id);
  v_count integer;
begin
  delete from private.listings_words w
  where w.tenant_id = listings_forget_words.tenant_id and w.word = any (listings_forget_words.words)
    and not exists (
      select from private.listings_index i
      where i.words @@ (
          format('%L', '=' || listings_forget_words.tenant_id)::tsquery
          && plainto_tsquery(v_config, w.word)
        ) and i.tenant_id = listings_forget_words.tenant_id
    );
  get diagnostics v_count = row_count;
  return v_count;
end;
$$;
comment on function private.listings_forget_words(uuid, text[]) is
  'Forgets those of the words that no listing has any more; returns how many.';

create function private.listings_on_person_erased()
returns trigger
language plpgsql
volatile
security definer -- nobody else writes listings
set search_path = ''
as $$
#variable_conflict use_column
declare
  v_listing public.listings;
  v_words text[];
begin
  for v_listing in
    select l.* from public.listings l
    where l.owner_id = new.id
      and l.tenant_id = any (array(select m.tenant_id from public.members m where m.person_id = new.id))
    order by l.tenant_id, l.id
    for no key update
  loop
    v_words := tsvector_to_array(to_tsvector('simple', private.listings_fold(
      concat_ws(' ', v_listing.title, array_to_string(v_listing.tags, ' '), v_listing.description)
    )));
    if v_listing.status not in ('cancelled', 'fulfilled') then
      update public.listings l set status = 'cancelled'
      where l.tenant_id = v_listing.tenant_id and l.id = v_listing.id;
    end if;
    update public.listings l
    set title = null, description = null, tags = '{}', place = null, latitude = null, longitude = null, reason = null
    where l.tenant_id = v_listing.tenant_id and l.id = v_listing.id;
    perform private.listings_drop_images(v_listing.tenant_id, v_listing.id, '{}');
    perform private.listings_forget_words(v_listing.tenant_id, v_words);
  end loop;
  delete from public.listings_favourites k
  where k.person_id = new.id and k.tenant_id = any (array(select m.tenant_id from public.members m where m.person_id = new.id));
  delete from public.listings_searches s
  where s.person_id = new.id and s.tenant_id = any (array(select m.tenant_id from public.members m where m.person_id = new.id));
  delete from private.listings_alerts a
  where a.person_id = new.id and a.tenant_id = any (array(select m.tenant_id from public.members m where m.person_id = new.id));
  return null;
end;
$$;
comment on function private.listings_on_person_erased() is
  'After a person is erased: that there was a listing stays, what it said, its pictures, searches and favourites go.';
create trigger listings_on_person_erased after update of erased_at on public.people
  for each row when (old.erased_at is null and new.erased_at is not null)
  execute function private.listings_on_person_erased();

-- Words and languages change
create table private.listings_swept (
  tenant_id uuid primary key references public.tenants (id) on delete cascade,
  word text not null,
  swept_at timestamptz not null
);
comment on table private.listings_swept is 'How far the words of a tenant were last looked through, and when.';

create function private.listings_sweep()
returns integer
language plpgsql
volatile
security definer -- nobody else writes words
set search_path = ''
as $$
#variable_conflict use_column
declare
  v_tenant uuid;
  v_words text[];
  v_count integer := 0;
begin
  for v_tenant in
    select t.id from public.tenants t
    left join private.listings_swept s on s.tenant_id = t.id
    where exists (select from private.listings_words w where w.tenant_id = t.id)
    order by s.swept_at nulls first, t.id
    limit 50
  loop
    v_words := array(
      select w.word from private.listings_words w
      where w.tenant_id = v_tenant and w.word > coalesce(
        (select s.word from private.listings_swept s where s.tenant_id = v_tenant), ''
      )
      order by w.word
      limit 200
    );
    insert into private.listings_swept (tenant_id, word, swept_at)
    -- At the end it begins anew.
    values (v_tenant, coalesce(v_words[200], ''), now())
    on conflict (tenant_id) do update set word = excluded.word, swept_at = excluded.swept_at;
    v_count := v_count + private.listings_forget_words(v_tenant, v_words);
  end loop;
  return v_count;
end;
$$;
comment on function private.listings_sweep() is
  'Forgets words that no listing has any more, looking at two hundred of each of the fifty tenants that have waited longest; returns how many.';
select private.schedule('listings-sweep', '37 * * * *', 'select private.listings_sweep()');

create function public.listings_reindex(tenant_id uuid, after uuid default null)
returns uuid
language plpgsql
volatile
security definer -- nobody else writes the index
set search_path = ''
as $$
#variable_conflict use_column
declare
  v_config text := private.listings_config(listings_reindex.tenant_id)::text;
  v_entry private.listings_index;
  v_listing public.listings;
  v_last uuid;
begin
  for v_entry in
    select i.* from private.listings_index i
    where i.tenant_id = listings_reindex.tenant_id
      and i.listing_id > coalesce(listings_reindex.after, '00000000-0000-0000-0000-000000000000')
    order by i.listing_id
    limit 500
  loop
    v_last := v_entry.listing_id;
    continue when v_entry.config = v_config;
    -- Locked, so that what is hidden meanwhile is not put back.
    select l.* into v_listing from public.listings l
    where l.tenant_id = v_entry.tenant_id and l.id = v_last and l.visible
    for no key update;
    if found then
      perform private.listings_put(v_listing);
    end if;
  end loop;
  return v_last;
end;
$$;
comment on function public.listings_reindex(uuid, uuid) is
  'For the worker, after a tenant chose another language: takes that one''s endings off the words of 500 listings; returns the last of them, null at the end.';
grant execute on function public.listings_reindex(uuid, uuid) to service_role;

create function private.listings_on_language()
returns trigger
language plpgsql
volatile
security definer -- nobody else writes the outbox
set search_path = ''
as $$
begin
  perform private.enqueue('listings.reindex', '{}', new.id, dedupe_key => 'listings.reindex');
  return null;
end;
$$;
comment on function private.listings_on_language() is 'After a tenant chose another language: its listings are indexed anew.';
create trigger listings_on_language after update of locale on public.tenants
  for each row when (split_part(new.locale, '-', 1) <> split_part(old.locale, '-', 1))
  execute function private.listings_on_language();
