-- Feed, posts: posting, editing, deleting, pinning.

create function private.feed_first_post(tenant_id uuid, author uuid, client_id text)
returns public.feed_posts
language plpgsql
volatile -- sees what another transaction committed while this one waited
security definer -- reads posts past their policies
set search_path = ''
as $$
#variable_conflict use_column
declare
  v_post public.feed_posts;
begin
  select * into v_post from public.feed_posts p
  where p.tenant_id = feed_first_post.tenant_id and p.author_id = author
    and p.client_id = feed_first_post.client_id;
  return v_post;
end;
$$;
comment on function private.feed_first_post(uuid, uuid, text) is
  'The post that its author sent before under the same client id; null where they sent none.';

create function private.feed_keep_tags(post public.feed_posts)
returns void
language plpgsql
volatile
security definer -- nobody else writes tags
set search_path = ''
as $$
#variable_conflict use_column
begin
  delete from private.feed_tags t
  where t.tenant_id = post.tenant_id and t.post_id = post.id and t.tag <> all (post.tags);
  insert into private.feed_tags (tenant_id, tag, post_id)
  select post.tenant_id, t.tag, post.id from unnest(post.tags) t (tag)
  on conflict do nothing;
end;
$$;
comment on function private.feed_keep_tags(public.feed_posts) is 'Has the post stand under its tags and no others.';

create function private.feed_publish(post public.feed_posts, poll public.feed_polls)
returns public.feed_posts
language plpgsql
volatile
security definer -- nobody else writes posts
set search_path = ''
as $$
#variable_conflict use_column
declare
  v_post public.feed_posts;
begin
  insert into public.feed_posts (tenant_id, author_id, group_id, body, mentions, files, tags, client_id)
  values (
    post.tenant_id, post.author_id, post.group_id, post.body, post.mentions, post.files,
    private.feed_tags_in(post.body), post.client_id
  )
  on conflict (tenant_id, author_id, client_id) where client_id is not null do nothing
  returning * into v_post;
  if not found then
    return private.feed_first_post(post.tenant_id, post.author_id, post.client_id);
  end if;
  insert into public.feed_attachments (tenant_id, file_id, post_id)
  select v_post.tenant_id, f.id, v_post.id from unnest(v_post.files) f (id);
  perform private.feed_keep_tags(v_post);
  if poll.options is not null then
    insert into public.feed_polls (tenant_id, post_id, options, multiple, anonymous, closes_at)
    values (v_post.tenant_id, v_post.id, poll.options, poll.multiple, poll.anonymous, poll.closes_at);
    insert into private.feed_results (tenant_id, post_id, votes)
    values (v_post.tenant_id, v_post.id, array_fill(0, array[cardinality(poll.options)]));
  end if;
  perform private.feed_signal(
    v_post.tenant_id, v_post.group_id, 'feed:posted', jsonb_build_object('post_id', v_post.id)
  );
  perform private.feed_tell(v_post, null, v_post.mentions, 'feed.mentioned');
  return v_post;
end;
$$;
comment on function private.feed_publish(public.feed_posts, public.feed_polls) is
  'Keeps a post that passed every check, with its pictures, tags and poll, and tells of it. Sent before under the same client id, it answers with that one.';

create function public.feed_post(
  tenant_id uuid,
  body text,
  group_id uuid default null,
  files uuid[] default '{}',
  mentions uuid[] default '{}',
  poll jsonb default null,
  client_id text default null
)
returns public.feed_posts
language plpgsql
volatile
security definer -- clients may not write posts
set search_path = ''
as $$
#variable_conflict use_column
declare
  v_me uuid := private.require(feed_post.tenant_id, 'feed.post');
  v_post public.feed_posts;
  v_poll public.feed_polls;
begin
  perform private.feed_check_client(feed_post.client_id);
  v_post := private.feed_first_post(feed_post.tenant_id, v_me, feed_post.client_id);
  if v_post.id is not null then
    return v_post;
  end if;
  v_post.tenant_id := feed_post.tenant_id;
  v_post.author_id := v_me;
  v_post.group_id := feed_post.group_id;
  v_post.body := nullif(btrim(feed_post.body), '');
  v_post.files := coalesce(feed_post.files, '{}');
  v_post.client_id := feed_post.client_id;
  if feed_post.poll is not null then
    v_poll := private.feed_poll_of(feed_post.poll);
  end if;
  perform private.feed_check_body(
    v_post.tenant_id, v_post.body, cardinality(v_post.files) > 0 and feed_post.poll is null
  );
  perform private.feed_require_place(v_post.tenant_id, v_post.group_id, v_me);
  perform private.feed_check_files(v_post.tenant_id, v_post.files, v_me);
  v_post.mentions := private.feed_heard(
    v_post.tenant_id, v_post.group_id, v_me, coalesce(feed_post.mentions, '{}')
  );
  perform private.require_rate(
    'feed-post:' || v_post.tenant_id || ':' || v_me,
    private.setting(v_post.tenant_id, 'feed', 'post_limit', 20, 1, 10000), interval '1 hour'
  );
  return private.feed_publish(v_post, v_poll);
end;
$$;
comment on function public.feed_post(uuid, text, uuid, uuid[], uuid[], jsonb, text) is
  'Posts to the whole tenant or to a group: words, pictures, a poll { options, multiple, anonymous, closes_at } (permission feed.post). The same client_id again returns the first post. Raises groups.not_found, feed.not_in_group, groups.closed, feed.too_long, files.not_found, members.not_found, limits.exceeded, request.invalid.';
grant execute on function public.feed_post(uuid, text, uuid, uuid[], uuid[], jsonb, text) to authenticated;

create function private.feed_require_window(tenant_id uuid, created_at timestamptz)
returns void
language plpgsql
stable
security definer -- asks setting
set search_path = ''
as $$
declare
  v_minutes integer := private.setting(feed_require_window.tenant_id, 'feed', 'edit_minutes', 1440, 0, 525600);
begin
  if feed_require_window.created_at < now() - make_interval(mins => v_minutes) then
    raise sqlstate 'PT409' using message = 'feed.edit_window_over', detail = format('%s minutes', v_minutes);
  end if;
end;
$$;
comment on function private.feed_require_window(uuid, timestamptz) is
  'For a day, or as the tenant says under settings.feed.edit_minutes. Raises feed.edit_window_over.';

create function private.feed_lock_post(tenant_id uuid, post_id uuid, person uuid)
returns public.feed_posts
language plpgsql
volatile
security definer -- locks posts past their policies
set search_path = ''
as $$
#variable_conflict use_column
begin
  perform from public.feed_posts p
  where p.tenant_id = feed_lock_post.tenant_id and p.id = feed_lock_post.post_id
  for no key update;
  return private.feed_require_post(feed_lock_post.tenant_id, feed_lock_post.post_id, person);
end;
$$;
comment on function private.feed_lock_post(uuid, uuid, uuid) is
  'A post that the person sees, locked. Raises feed.post_not_found.';

create function public.feed_edit(tenant_id uuid, post_id uuid, body text)
returns public.feed_posts
language plpgsql
volatile
security definer -- clients may not write posts
set search_path = ''
as $$
#variable_conflict use_column
declare
  v_me uuid := private.require(feed_edit.tenant_id, 'feed.post');
  v_post public.feed_posts := private.feed_lock_post(feed_edit.tenant_id, feed_edit.post_id, v_me);
  v_voters integer;
begin
  if v_post.author_id <> v_me then
    raise sqlstate 'PT403' using message = 'feed.not_the_author';
  end if;
  perform private.feed_require_window(v_post.tenant_id, v_post.created_at);
  -- Locked, so that nobody votes on another question than the one they read.
  select r.voters into v_voters from private.feed_results r
  where r.tenant_id = v_post.tenant_id and r.post_id = v_post.id
  for update;
  if v_voters > 0 then
    raise sqlstate 'PT409' using message = 'feed.poll_begun';
  end if;
  perform private.feed_check_body(
    v_post.tenant_id, feed_edit.body, cardinality(v_post.files) > 0 and v_voters is null
  );
  perform private.require_rate('feed-edit:' || v_post.tenant_id || ':' || v_me, 60, interval '1 minute');
  insert into public.feed_edits (tenant_id, subject_id, version, post_id, body)
  values (v_post.tenant_id, v_post.id, v_post.version, v_post.id, v_post.body);
  update public.feed_posts p
  set body = nullif(btrim(feed_edit.body), ''), tags = private.feed_tags_in(feed_edit.body),
    version = p.version + 1, edited_at = now()
  where p.tenant_id = v_post.tenant_id and p.id = v_post.id
  returning * into v_post;
  perform private.feed_keep_tags(v_post);
  perform private.feed_signal(
    v_post.tenant_id, v_post.group_id, 'feed:edited', jsonb_build_object('post_id', v_post.id)
  );
  return v_post;
end;
$$;
comment on function public.feed_edit(uuid, uuid, text) is
  'Changes what the caller''s own post says, for a day or as the tenant says; what it said before is kept in feed_edits (permission feed.post). Raises feed.post_not_found, feed.not_the_author, feed.edit_window_over, feed.poll_begun, feed.too_long, limits.exceeded, request.invalid.';
grant execute on function public.feed_edit(uuid, uuid, text) to authenticated;

create function private.feed_erase_post(post public.feed_posts)
returns public.feed_posts
language plpgsql
volatile
security definer -- nobody else writes posts
set search_path = ''
as $$
#variable_conflict use_column
declare
  v_post public.feed_posts;
begin
  delete from public.feed_attachments a where a.tenant_id = post.tenant_id and a.post_id = post.id;
  perform private.files_discard(f)
  from public.files f
  where f.tenant_id = post.tenant_id and f.id = any (post.files) and f.status <> 'deleted'
    and not exists (
      select from public.feed_attachments a where a.tenant_id = f.tenant_id and a.file_id = f.id
    )
    and not exists (
      select from public.messaging_attachments a where a.tenant_id = f.tenant_id and a.file_id = f.id
    )
    and not exists (
      select from public.groups_files s where s.tenant_id = f.tenant_id and s.file_id = f.id
    );
  delete from public.feed_edits e
  where e.tenant_id = post.tenant_id and e.subject_id = post.id;
  delete from private.feed_tags t where t.tenant_id = post.tenant_id and t.post_id = post.id;
  delete from private.feed_trends t where t.tenant_id = post.tenant_id and t.post_id = post.id;
  update public.feed_posts p
  set body = null, files = '{}', mentions = '{}', tags = '{}', pinned_at = null,
    version = p.version + 1, deleted_at = now()
  where p.tenant_id = post.tenant_id and p.id = post.id
  returning * into v_post;
  perform private.feed_signal(
    v_post.tenant_id, v_post.group_id, 'feed:deleted', jsonb_build_object('post_id', v_post.id)
  );
  return v_post;
end;
$$;
comment on function private.feed_erase_post(public.feed_posts) is
  'Takes from a post what it said, with pictures, history and tags, and tells everybody. With it goes all below it.';

create function private.feed_note_removal(tenant_id uuid, resource text, author uuid)
returns void
language plpgsql
volatile
security definer -- nobody else writes the trail
set search_path = ''
as $$
begin
  perform private.audit(
    'FEED_REMOVED', feed_note_removal.resource, null, jsonb_build_object('author', feed_note_removal.author),
    feed_note_removal.tenant_id
  );
end;
$$;
comment on function private.feed_note_removal(uuid, text, uuid) is 'That a moderator deleted what somebody else wrote.';

create function public.feed_delete(tenant_id uuid, post_id uuid)
returns public.feed_posts
language plpgsql
volatile
security definer -- clients may not write posts
set search_path = ''
as $$
declare
  v_me uuid := private.require(feed_delete.tenant_id, 'feed.read');
  v_post public.feed_posts := private.feed_lock_post(feed_delete.tenant_id, feed_delete.post_id, v_me);
begin
  if v_post.author_id <> v_me then
    if not private.feed_moderates(v_post.tenant_id, v_post.group_id, v_me) then
      raise sqlstate 'PT403' using message = 'feed.not_the_author';
    end if;
    perform private.feed_note_removal(v_post.tenant_id, 'feed_posts:' || v_post.id, v_post.author_id);
  end if;
  return private.feed_erase_post(v_post);
end;
$$;
comment on function public.feed_delete(uuid, uuid) is
  'Deletes a post with all below it: one''s own, or any where one moderates (permission feed.read). Raises feed.post_not_found, feed.not_the_author.';
grant execute on function public.feed_delete(uuid, uuid) to authenticated;

create function public.feed_pin(tenant_id uuid, post_id uuid, pinned boolean)
returns public.feed_posts
language plpgsql
volatile
security definer -- clients may not write posts
set search_path = ''
as $$
#variable_conflict use_column
declare
  v_me uuid := private.require(feed_pin.tenant_id, 'feed.read');
  v_post public.feed_posts := private.feed_lock_post(feed_pin.tenant_id, feed_pin.post_id, v_me);
begin
  if feed_pin.pinned is null then
    raise sqlstate 'PT422' using message = 'request.invalid', detail = 'pinned';
  elsif not private.feed_moderates(v_post.tenant_id, v_post.group_id, v_me) then
    raise sqlstate 'PT403' using message = 'feed.not_a_moderator';
  elsif feed_pin.pinned and v_post.pinned_at is null and (
    select count(*) from public.feed_posts p
    where p.tenant_id = v_post.tenant_id and p.pinned_at is not null
      and p.group_id is not distinct from v_post.group_id
  ) >= 5 then
    raise sqlstate 'PT409' using message = 'feed.too_many_pins', detail = '5';
  end if;
  update public.feed_posts p set pinned_at = case when feed_pin.pinned then coalesce(p.pinned_at, now()) end
  where p.tenant_id = v_post.tenant_id and p.id = v_post.id
  returning * into v_post;
  perform private.audit(
    'FEED_PINNED', 'feed_posts:' || v_post.id, null, jsonb_build_object('pinned', feed_pin.pinned), v_post.tenant_id
  );
  perform private.feed_signal(
    v_post.tenant_id, v_post.group_id, 'feed:pinned', jsonb_build_object('post_id', v_post.id)
  );
  return v_post;
end;
$$;
comment on function public.feed_pin(uuid, uuid, boolean) is
  'Pins a post to the top of the tenant or its group, five at most, or takes it down: who moderates there (permission feed.read). Raises feed.post_not_found, feed.not_a_moderator, feed.too_many_pins, request.invalid.';
grant execute on function public.feed_pin(uuid, uuid, boolean) to authenticated;
