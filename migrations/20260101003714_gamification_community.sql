-- Gamification, sources of the community: what listings, exchanges and what people do together deserve.

create function private.gamification_of_listing(tenant_id uuid, key text[])
returns setof private.gamification_claim
language plpgsql
stable
security definer -- reads listings past their policies
set search_path = ''
as $$
#variable_conflict use_column
begin
  -- What is put up to be taken down again is worth nothing, nor what moderators took down.
  return query
  select l.owner_id, 'create_listing', 1, 1::bigint, null::bigint
  from public.listings l
  where l.tenant_id = gamification_of_listing.tenant_id and l.id = key[1]::uuid
    and l.published_at is not null and l.status <> 'rejected'
    and (l.status <> 'cancelled' or l.updated_at > l.published_at + interval '7 days');
end;
$$;
comment on function private.gamification_of_listing(uuid, text[]) is
  'A listing that was published, was not rejected since, and stood for a week or longer if it was cancelled.';
select private.declare_gamification_source('listings', 'gamification_of_listing');
create trigger gamification_on_listing after insert on public.listings
  for each row when (new.published_at is not null)
  execute function private.gamification_touched('listings', 'id');
create trigger gamification_on_listing_changed after update of status on public.listings
  for each row when (new.status <> old.status and new.published_at is not null)
  execute function private.gamification_touched('listings', 'id');
