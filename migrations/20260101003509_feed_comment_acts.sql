-- Feed, what becomes of comments: editing and deleting.

create function private.feed_signal_comment(comment public.feed_comments, event text)
returns void
language plpgsql
volatile
security definer -- reads posts past their policies
set search_path = ''
as $$
#variable_conflict use_column
begin
  perform private.feed_signal(
    p.tenant_id, p.group_id, feed_signal_comment.event,
    jsonb_build_object('post_id', p.id, 'comment_id', comment.id)
  )
  from public.feed_posts p where p.tenant_id = comment.tenant_id and p.id = comment.post_id;
end;
$$;
comment on function private.feed_signal_comment(public.feed_comments, text) is
  'Says where the post is that something happened to a comment on it.';

create function private.feed_lock_comment(tenant_id uuid, comment_id uuid, person uuid)
returns public.feed_comments
language plpgsql
volatile
security definer -- locks comments past their policies
set search_path = ''
as $$
#variable_conflict use_column
declare
  v_comment public.feed_comments;
  v_post public.feed_posts;
begin
  select * into v_comment from public.feed_comments c
  where c.tenant_id = feed_lock_comment.tenant_id and c.id = feed_lock_comment.comment_id
  for no key update;
  v_post := private.feed_post_for(v_comment.tenant_id, v_comment.post_id, person);
  if v_post.id is null then
    raise sqlstate 'PT404' using message = 'feed.comment_not_found';
  end if;
  return private.feed_require_comment(v_post, v_comment.id, person);
end;
$$;
comment on function private.feed_lock_comment(uuid, uuid, uuid) is
  'A comment that the person sees, locked. Raises feed.comment_not_found.';

create function public.feed_edit_comment(tenant_id uuid, comment_id uuid, body text)
returns public.feed_comments
language plpgsql
volatile
security definer -- clients may not write comments
set search_path = ''
as $$
#variable_conflict use_column
declare
  v_me uuid := private.require(feed_edit_comment.tenant_id, 'feed.post');
  v_comment public.feed_comments :=
    private.feed_lock_comment(feed_edit_comment.tenant_id, feed_edit_comment.comment_id, v_me);
begin
  if v_comment.author_id <> v_me then
    raise sqlstate 'PT403' using message = 'feed.not_the_author';
  end if;
  perform private.feed_require_window(v_comment.tenant_id, v_comment.created_at);
  perform private.feed_check_body(v_comment.tenant_id, feed_edit_comment.body, false);
  perform private.require_rate('feed-edit:' || v_comment.tenant_id || ':' || v_me, 60, interval '1 minute');
  insert into public.feed_edits (tenant_id, subject_id, version, post_id, body)
  values (v_comment.tenant_id, v_comment.id, v_comment.version, v_comment.post_id, v_comment.body);
  update public.feed_comments c
  set body = btrim(feed_edit_comment.body), version = c.version + 1, edited_at = now()
  where c.tenant_id = v_comment.tenant_id and c.id = v_comment.id
  returning * into v_comment;
  perform private.feed_signal_comment(v_comment, 'feed:edited');
  return v_comment;
end;
$$;
comment on function public.feed_edit_comment(uuid, uuid, text) is
  'Changes the caller''s own comment, as long as a post could be changed; what it said before is kept in feed_edits (permission feed.post). Raises feed.comment_not_found, feed.not_the_author, feed.edit_window_over, feed.too_long, limits.exceeded, request.invalid.';
grant execute on function public.feed_edit_comment(uuid, uuid, text) to authenticated;

create function private.feed_erase_comment(comment public.feed_comments)
returns public.feed_comments
language plpgsql
volatile
security definer -- nobody else writes comments
set search_path = ''
as $$
#variable_conflict use_column
declare
  v_comment public.feed_comments;
begin
  delete from public.feed_edits e where e.tenant_id = comment.tenant_id and e.subject_id = comment.id;
  update public.feed_comments c
  set body = null, mentions = '{}', version = c.version + 1, deleted_at = now()
  where c.tenant_id = comment.tenant_id and c.id = comment.id
  returning * into v_comment;
  perform private.feed_count(v_comment.tenant_id, v_comment.post_id, v_comment.post_id, -1, null, 0);
  if v_comment.parent_id is not null then
    perform private.feed_count(v_comment.tenant_id, v_comment.post_id, v_comment.parent_id, -1, null, 0);
  end if;
  perform private.feed_signal_comment(v_comment, 'feed:deleted');
  return v_comment;
end;
$$;
comment on function private.feed_erase_comment(public.feed_comments) is
  'Takes from a comment what it said; its place stays for the answers below it.';

create function public.feed_delete_comment(tenant_id uuid, comment_id uuid)
returns public.feed_comments
language plpgsql
volatile
security definer -- clients may not write comments
set search_path = ''
as $$
#variable_conflict use_column
declare
  v_me uuid := private.require(feed_delete_comment.tenant_id, 'feed.read');
  v_comment public.feed_comments :=
    private.feed_lock_comment(feed_delete_comment.tenant_id, feed_delete_comment.comment_id, v_me);
  v_group uuid;
begin
  if v_comment.author_id <> v_me then
    select p.group_id into v_group from public.feed_posts p
    where p.tenant_id = v_comment.tenant_id and p.id = v_comment.post_id;
    if not private.feed_moderates(v_comment.tenant_id, v_group, v_me) then
      raise sqlstate 'PT403' using message = 'feed.not_the_author';
    end if;
    perform private.feed_note_removal(v_comment.tenant_id, 'feed_comments:' || v_comment.id, v_comment.author_id);
  end if;
  return private.feed_erase_comment(v_comment);
end;
$$;
comment on function public.feed_delete_comment(uuid, uuid) is
  'Deletes a comment: one''s own, or any where one moderates (permission feed.read). Raises feed.comment_not_found, feed.not_the_author.';
grant execute on function public.feed_delete_comment(uuid, uuid) to authenticated;
