-- Feed, reading: pages that cost the same at any depth. What the policies of six tables would ask for
-- each row is asked once; the conditions are theirs.

create type public.feed_entry as (
  id uuid,
  author_id uuid,
  author_name text,
  author_avatar text,
  group_id uuid,
  body text,
  mentions uuid[],
  files uuid[],
  tags text[],
  comments integer,
  reactions jsonb,
  mine text[],
  poll jsonb,
  version integer,
  pinned_at timestamptz,
  created_at timestamptz,
  edited_at timestamptz
);
comment on type public.feed_entry is
  'A post as one reader sees it: reactions are the counts by kind, mine those of the reader, poll a feed_poll_state.';

create function private.feed_entries(tenant_id uuid, ids uuid[], reader uuid)
returns setof public.feed_entry
language plpgsql
stable
security definer -- reads five tables past their policies, for ids that were found by the rule
set search_path = ''
set plan_cache_mode = force_generic_plan
rows 50
as $$
#variable_conflict use_column
begin
  return query
    select p.id, p.author_id, m.display_name, m.avatar_url, p.group_id, p.body, p.mentions, p.files, p.tags,
      coalesce(t.comments, 0), coalesce(t.reactions, '{}'),
      array(
        select r.kind from public.feed_reactions r
        where r.tenant_id = p.tenant_id and r.subject_id = p.id and r.person_id = feed_entries.reader
      ),
      case when poll.post_id is not null
        then to_jsonb(private.feed_poll_seen(p.tenant_id, p.id, feed_entries.reader)) end,
      p.version, p.pinned_at, p.created_at, p.edited_at
    from unnest(feed_entries.ids) with ordinality found (id, place)
    join public.feed_posts p on p.tenant_id = feed_entries.tenant_id and p.id = found.id
    join public.members m on m.tenant_id = p.tenant_id and m.person_id = p.author_id
    left join public.feed_tallies t on t.tenant_id = p.tenant_id and t.subject_id = p.id
    left join public.feed_polls poll on poll.tenant_id = p.tenant_id and poll.post_id = p.id
    order by found.place;
end;
$$;
comment on function private.feed_entries(uuid, uuid[], uuid) is
  'These posts as the reader sees them, in the order given. Whether they see them, the caller has asked.';

create function private.feed_walk(tenant_id uuid, groups uuid[], everywhere boolean, unheard uuid[], before uuid, page_size integer)
returns uuid[]
language plpgsql
stable
security definer -- reads posts past their policies
set search_path = ''
set plan_cache_mode = force_generic_plan
as $$
#variable_conflict use_column
begin
  -- One walk for each place along its own index, then the newest of all: what lies between them, in
  -- groups the reader is not in, is never touched.
  return array(
    select found.id from (
      (
        select p.id from public.feed_posts p
        where feed_walk.everywhere and p.tenant_id = feed_walk.tenant_id and p.group_id is null
          and p.deleted_at is null and p.id < feed_walk.before and p.author_id <> all (feed_walk.unheard)
        order by p.id desc limit feed_walk.page_size
      )
      union all
      select g.id from unnest(feed_walk.groups) place (group_id)
      cross join lateral (
        select p.id from public.feed_posts p
        where p.tenant_id = feed_walk.tenant_id and p.group_id = place.group_id
          and p.deleted_at is null and p.id < feed_walk.before and p.author_id <> all (feed_walk.unheard)
        order by p.id desc limit feed_walk.page_size
      ) g
    ) found
    order by found.id desc limit feed_walk.page_size
  );
end;
$$;
comment on function private.feed_walk(uuid, uuid[], boolean, uuid[], uuid, integer) is
  'The newest posts of these groups, and of the tenant as a whole where everywhere, before a post.';

create function private.feed_walk_author(tenant_id uuid, groups uuid[], author uuid, before uuid, page_size integer)
returns uuid[]
language plpgsql
stable
security definer -- reads posts past their policies
set search_path = ''
set plan_cache_mode = force_generic_plan
as $$
#variable_conflict use_column
begin
  return array(
    select p.id from public.feed_posts p
    where p.tenant_id = feed_walk_author.tenant_id and p.author_id = author and p.deleted_at is null
      and p.id < feed_walk_author.before
      and (p.group_id is null or p.group_id = any (feed_walk_author.groups))
    order by p.id desc limit feed_walk_author.page_size
  );
end;
$$;
comment on function private.feed_walk_author(uuid, uuid[], uuid, uuid, integer) is
  'The newest posts of an author to the tenant or in these groups, before a post.';

create function private.feed_walk_tag(
  tenant_id uuid, groups uuid[], tag text, unheard uuid[], before uuid, page_size integer
)
returns uuid[]
language plpgsql
stable
security definer -- reads posts past their policies
set search_path = ''
set plan_cache_mode = force_generic_plan
as $$
#variable_conflict use_column
begin
  return array(
    select p.id from private.feed_tags t
    join public.feed_posts p on p.tenant_id = t.tenant_id and p.id = t.post_id
    where t.tenant_id = feed_walk_tag.tenant_id and t.tag = lower(feed_walk_tag.tag)
      and t.post_id < feed_walk_tag.before and p.deleted_at is null
      and (p.group_id is null or p.group_id = any (feed_walk_tag.groups))
      and p.author_id <> all (feed_walk_tag.unheard)
    order by t.post_id desc limit feed_walk_tag.page_size
  );
end;
$$;
comment on function private.feed_walk_tag(uuid, uuid[], text, uuid[], uuid, integer) is
  'The newest posts under a #tag to the tenant or in these groups, before a post.';

create function public.feed_page(
  tenant_id uuid,
  group_id uuid default null,
  author uuid default null,
  tag text default null,
  before uuid default null,
  page_size integer default 50
)
returns setof public.feed_entry
language plpgsql
stable
security definer -- asks once what the policies of six tables would ask each
set search_path = ''
as $$
#variable_conflict use_column
declare
  v_me uuid := private.require(feed_page.tenant_id, 'feed.read');
  v_unheard uuid[] := array(select private.feed_unheard(feed_page.tenant_id, v_me));
  v_before uuid := coalesce(feed_page.before, uuid 'ffffffff-ffff-ffff-ffff-ffffffffffff');
  v_groups uuid[];
  v_ids uuid[];
begin
  perform private.check_page(page_size);
  -- Those they are in for what comes to them, those they may read in for what they look for: asked
  -- once, not for each post.
  v_groups := case
    when coalesce(feed_page.author::text, feed_page.tag) is null then array(select private.groups_mine())
    when feed_page.group_id is null then array(select private.groups_visible(feed_page.tenant_id))
  end;
  if feed_page.group_id is not null then
    if not private.groups_reads(feed_page.tenant_id, feed_page.group_id, v_me) then
      raise sqlstate 'PT404' using message = 'groups.not_found';
    end if;
    v_ids := private.feed_walk(
      feed_page.tenant_id, array[feed_page.group_id], false, v_unheard, v_before, page_size
    );
  elsif feed_page.author is not null then
    v_ids := case when feed_page.author = any (v_unheard) then '{}'
      else private.feed_walk_author(feed_page.tenant_id, v_groups, feed_page.author, v_before, page_size) end;
  elsif feed_page.tag is not null then
    v_ids := private.feed_walk_tag(
      feed_page.tenant_id, v_groups, feed_page.tag, v_unheard, v_before, page_size
    );
  else
    v_ids := private.feed_walk(feed_page.tenant_id, v_groups, true, v_unheard, v_before, page_size);
  end if;
  return query select * from private.feed_entries(feed_page.tenant_id, v_ids, v_me);
end;
$$;
comment on function public.feed_page(uuid, uuid, uuid, text, uuid, integer) is
  'The feed, the newest first: of the tenant and the caller''s groups, or of one group, one author, one #tag (permission feed.read). before: the last post seen. page_size: 1 to 100. Raises groups.not_found, request.invalid.';
grant execute on function public.feed_page(uuid, uuid, uuid, text, uuid, integer) to authenticated;

create function public.feed_show(tenant_id uuid, post_id uuid)
returns public.feed_entry
language plpgsql
stable
security definer -- asks once what the policies of six tables would ask each
set search_path = ''
as $$
declare
  v_me uuid := private.require(feed_show.tenant_id, 'feed.read');
  v_post public.feed_posts := private.feed_require_post(feed_show.tenant_id, feed_show.post_id, v_me);
  v_entry public.feed_entry;
begin
  select * into v_entry from private.feed_entries(v_post.tenant_id, array[v_post.id], v_me);
  return v_entry;
end;
$$;
comment on function public.feed_show(uuid, uuid) is
  'One post as the caller sees it (permission feed.read). Raises feed.post_not_found.';
grant execute on function public.feed_show(uuid, uuid) to authenticated;

-- Comments
create type public.feed_remark as (
  id uuid,
  post_id uuid,
  parent_id uuid,
  author_id uuid,
  author_name text,
  author_avatar text,
  body text,
  mentions uuid[],
  answers integer,
  reactions jsonb,
  mine text[],
  version integer,
  created_at timestamptz,
  edited_at timestamptz,
  deleted_at timestamptz
);
comment on type public.feed_remark is
  'A comment as one reader sees it. A deleted one is there where it has answers, without words.';

create function public.feed_thread(
  tenant_id uuid, post_id uuid, parent_id uuid default null, after uuid default null,
  page_size integer default 50
)
returns setof public.feed_remark
language plpgsql
stable
security definer -- asks once what the policies of four tables would ask each
set search_path = ''
as $$
#variable_conflict use_column
declare
  v_me uuid := private.require(feed_thread.tenant_id, 'feed.read');
  v_post public.feed_posts;
  v_unheard uuid[] := array(select private.feed_unheard(feed_thread.tenant_id, v_me));
begin
  perform private.check_page(page_size);
  v_post := private.feed_require_post(feed_thread.tenant_id, feed_thread.post_id, v_me);
  return query
    select c.id, c.post_id, c.parent_id, c.author_id, m.display_name, m.avatar_url, c.body, c.mentions,
      coalesce(t.comments, 0), coalesce(t.reactions, '{}'),
      array(
        select r.kind from public.feed_reactions r
        where r.tenant_id = c.tenant_id and r.subject_id = c.id and r.person_id = v_me
      ),
      c.version, c.created_at, c.edited_at, c.deleted_at
    from public.feed_comments c
    join public.members m on m.tenant_id = c.tenant_id and m.person_id = c.author_id
    left join public.feed_tallies t on t.tenant_id = c.tenant_id and t.subject_id = c.id
    where c.tenant_id = v_post.tenant_id and c.post_id = v_post.id
      and c.thread_id = coalesce(feed_thread.parent_id, v_post.id)
      and c.id > coalesce(feed_thread.after, uuid '00000000-0000-0000-0000-000000000000')
      and c.author_id <> all (v_unheard)
      and (c.deleted_at is null or t.comments > 0)
    order by c.id limit page_size;
end;
$$;
comment on function public.feed_thread(uuid, uuid, uuid, uuid, integer) is
  'The comments on a post, the oldest first, or the answers to one of them (permission feed.read). after: the last one seen. page_size: 1 to 100. Raises feed.post_not_found, request.invalid.';
grant execute on function public.feed_thread(uuid, uuid, uuid, uuid, integer) to authenticated;
