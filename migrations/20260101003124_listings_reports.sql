-- Listings, reports: a listing can be reported by who sees it. Removed, it is rejected: its owner reads
-- why, and may hand it in again.

create function private.listings_describe(tenant_id uuid, subject uuid, reporter uuid)
returns private.moderation_subject
language plpgsql
stable
security definer -- reads listings past their policies
set search_path = ''
as $$
#variable_conflict use_column
declare
  v_subject private.moderation_subject;
begin
  -- Blocked owners included: whoever was harassed has mostly blocked already.
  select l.owner_id, concat_ws(E'\n', l.title, l.description), '{}'::uuid[]
  into v_subject
  from public.listings l
  where l.tenant_id = listings_describe.tenant_id and l.id = listings_describe.subject
    and l.visible and l.owner_id <> reporter
    and private.may(l.tenant_id, reporter, 'listings.read');
  return v_subject;
end;
$$;
comment on function private.listings_describe(uuid, uuid, uuid) is 'A listing of somebody else, as its reporter sees it.';

create function private.listings_remove_reported(tenant_id uuid, subject uuid)
returns jsonb
language plpgsql
volatile
security definer -- nobody else writes listings
set search_path = ''
as $$
#variable_conflict use_column
declare
  v_listing public.listings := private.listings_lock(listings_remove_reported.tenant_id, subject, null);
begin
  if v_listing.status not in ('pending', 'active', 'expired') then
    return null;
  end if;
  update public.listings l set status = 'rejected', featured_at = null
  where l.tenant_id = v_listing.tenant_id and l.id = v_listing.id;
  return jsonb_build_object('status', v_listing.status);
end;
$$;
comment on function private.listings_remove_reported(uuid, uuid) is 'Takes a reported listing out of sight; answers what it was.';

create function private.listings_restore_reported(tenant_id uuid, subject uuid, snapshot jsonb)
returns void
language plpgsql
volatile
security definer -- nobody else writes listings
set search_path = ''
as $$
#variable_conflict use_column
begin
  update public.listings l
  set status = case
      when snapshot ->> 'status' = 'active' and l.expires_at <= now() then 'expired' else snapshot ->> 'status'
    end
  where l.tenant_id = listings_restore_reported.tenant_id and l.id = listings_restore_reported.subject
    and l.status = 'rejected' and snapshot ->> 'status' is not null;
end;
$$;
comment on function private.listings_restore_reported(uuid, uuid, jsonb) is
  'Puts a listing that was removed back to where it was, expired where its time went by meanwhile.';

select private.declare_reportable(
  'listings.listing', 'listings_describe', 'listings_remove_reported', 'listings_restore_reported'
);
