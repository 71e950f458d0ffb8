-- Events, feeds: calendars for programs that can send no token. The address carries a secret of its
-- own, which opens nothing else, is kept as a hash, and ends when its owner says so. What the owner
-- may see is asked at each reading.

create function public.events_feed_create(tenant_id uuid, group_id uuid default null)
returns jsonb
language plpgsql
volatile
security definer -- nobody else writes feeds
set search_path = ''
as $$
#variable_conflict use_column
declare
  v_me uuid := private.require(events_feed_create.tenant_id, 'events.read');
  v_token text := replace(events_feed_create.tenant_id::text, '-', '')
    || encode(extensions.gen_random_bytes(32), 'hex');
  v_feed private.events_feeds;
begin
  -- The address outlives the session, so a session for a part of them, or of a stand-in, makes none.
  perform private.require_no_impersonation();
  perform private.require_person();
  if events_feed_create.group_id is not null
    and not private.groups_reads(events_feed_create.tenant_id, events_feed_create.group_id, v_me)
  then
    raise sqlstate 'PT404' using message = 'groups.not_found';
  end if;
  insert into private.events_feeds as f (tenant_id, person_id, group_id, token_hash)
  values (
    events_feed_create.tenant_id, v_me, events_feed_create.group_id, sha256(convert_to(v_token, 'UTF8'))
  )
  on conflict (tenant_id, person_id, group_id) do update
    set token_hash = excluded.token_hash, created_at = now()
  returning * into v_feed;
  perform private.audit(
    'EVENT_FEED_CREATED', 'events_feeds:' || v_feed.id, null, jsonb_build_object('group_id', v_feed.group_id),
    v_feed.tenant_id, v_me
  );
  return jsonb_build_object('token', v_token, 'group_id', v_feed.group_id, 'created_at', v_feed.created_at);
end;
$$;
comment on function public.events_feed_create(uuid, uuid) is
  'A calendar of the events the caller goes to, or of a group they read in, for GET /api/v1/events/feeds/{token}.ics (permission events.read). Answers with the token this once; the one before it ends. Not for API keys and impersonators. Raises groups.not_found, auth.impersonated, auth.session_bounded.';
grant execute on function public.events_feed_create(uuid, uuid) to authenticated;

create function public.events_feed_end(tenant_id uuid, group_id uuid default null)
returns boolean
language plpgsql
volatile
security definer -- nobody else writes feeds
set search_path = ''
as $$
#variable_conflict use_column
declare
  v_me uuid := private.require(events_feed_end.tenant_id, 'events.read');
begin
  delete from private.events_feeds f
  where f.tenant_id = events_feed_end.tenant_id and f.person_id = v_me
    and f.group_id is not distinct from events_feed_end.group_id;
  return found;
end;
$$;
comment on function public.events_feed_end(uuid, uuid) is
  'Ends the caller''s calendar address, or that of a group of theirs: nobody reads it any more (permission events.read). False where there was none.';
grant execute on function public.events_feed_end(uuid, uuid) to authenticated;

create function private.events_feed_lines(feed private.events_feeds)
returns jsonb
language plpgsql
stable
security definer -- reads events past their policies
set search_path = ''
as $$
#variable_conflict use_column
begin
  return coalesce((
    select jsonb_agg(jsonb_build_object(
      'uid', l.id, 'starts_at', l.starts_at, 'ends_at', l.ends_at, 'status', l.status, 'sequence', l.sequence,
      'updated_at', l.changed_at, 'title', l.title, 'description', l.description, 'place', l.place,
      'url', l.url
    ) order by l.starts_at, l.id)
    from (
      select o.id, o.starts_at, o.ends_at, o.status, o.sequence, greatest(o.updated_at, e.updated_at) as changed_at,
        e.title, e.description, coalesce(o.place, e.place) as place,
        rtrim(t.app_url, '/') || '/events/' || e.id || '?occurrence=' || o.id as url
      from (
        select a.occurrence_id as id from public.events_attendances a
        where feed.group_id is null and a.tenant_id = feed.tenant_id and a.person_id = feed.person_id
          and a.status in ('going', 'maybe')
        union all
        select g.id from public.events ge
        join public.events_occurrences g on g.tenant_id = ge.tenant_id and g.event_id = ge.id
        where ge.tenant_id = feed.tenant_id and ge.group_id = feed.group_id
      ) mine
      join public.events_occurrences o on o.tenant_id = feed.tenant_id and o.id = mine.id
      join public.events e on e.tenant_id = o.tenant_id and e.id = o.event_id and e.removed_at is null
      join public.tenants t on t.id = o.tenant_id
      where o.starts_at between now() - interval '30 days' and now() + interval '400 days'
        -- What is in a group was asked for the whole of it.
        and (feed.group_id is not null or private.events_reads(o.tenant_id, o.event_id, feed.person_id))
      order by o.starts_at, o.id
      limit 1000
    ) l
  ), '[]');
end;
$$;
comment on function private.events_feed_lines(private.events_feeds) is
  'What a calendar shows, from thirty days ago on, by what its owner sees now: a thousand lines at most.';

create function public.events_feed_read(token text)
returns jsonb
language plpgsql
stable
security definer -- nobody else reads feeds
set search_path = ''
as $$
#variable_conflict use_column
declare
  v_feed private.events_feeds;
  v_name text;
begin
  if events_feed_read.token ~ '^[0-9a-f]{96}$' then
    select * into v_feed from private.events_feeds f
    where f.tenant_id = left(events_feed_read.token, 32)::uuid
      and f.token_hash = sha256(convert_to(events_feed_read.token, 'UTF8'));
  end if;
  if v_feed.id is null
    or not private.may(v_feed.tenant_id, v_feed.person_id, 'events.read')
    or (v_feed.group_id is not null
      and not private.groups_reads(v_feed.tenant_id, v_feed.group_id, v_feed.person_id))
    or exists (select from auth.users u where u.id = v_feed.person_id and u.banned_until > now())
  then
    raise sqlstate 'PT404' using message = 'events.feed_not_found';
  end if;
  select coalesce(g.name, t.name) into v_name
  from public.tenants t
  left join public.groups g on g.tenant_id = t.id and g.id = v_feed.group_id
  where t.id = v_feed.tenant_id;
  return jsonb_build_object('name', v_name, 'events', private.events_feed_lines(v_feed));
end;
$$;
comment on function public.events_feed_read(text) is
  'For the server: the calendar behind an address, by what its owner may see now. Raises events.feed_not_found.';
grant execute on function public.events_feed_read(text) to service_role;
