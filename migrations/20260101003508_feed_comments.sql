-- Feed, comments: on a post, and answers to a comment, one level deep.

create function private.feed_step(reactions jsonb, kind text, by integer)
returns jsonb
language plpgsql
immutable
security invoker
set search_path = ''
as $$
declare
  v_sum integer := coalesce((reactions ->> kind)::integer, 0) + by;
begin
  return case
    when kind is null then reactions
    when v_sum > 0 then reactions || jsonb_build_object(kind, v_sum)
    else reactions - kind
  end;
end;
$$;
comment on function private.feed_step(jsonb, text, integer) is
  'Counts of reactions after so many more of a kind; what nobody feels is not listed.';

create function private.feed_count(tenant_id uuid, post_id uuid, subject uuid, comments integer, kind text, by integer)
returns public.feed_tallies
language plpgsql
volatile
security definer -- nobody else writes the sums
set search_path = ''
as $$
#variable_conflict use_column
declare
  v_tally public.feed_tallies;
begin
  insert into public.feed_tallies as t (tenant_id, post_id, subject_id, comments, reactions)
  values (
    feed_count.tenant_id, feed_count.post_id, feed_count.subject, greatest(feed_count.comments, 0),
    private.feed_step('{}', feed_count.kind, by)
  )
  on conflict (tenant_id, subject_id) do update
  set comments = greatest(t.comments + feed_count.comments, 0),
    reactions = private.feed_step(t.reactions, feed_count.kind, by)
  returning * into v_tally;
  return v_tally;
end;
$$;
comment on function private.feed_count(uuid, uuid, uuid, integer, text, integer) is
  'Adds to the sums of a post or comment: so many comments, and reactions of a kind.';

create function private.feed_warm(post public.feed_posts, person uuid, points integer)
returns void
language plpgsql
volatile
security definer -- nobody else writes the trends
set search_path = ''
as $$
#variable_conflict use_column
begin
  -- Nobody makes their own post trend.
  if person <> post.author_id and points <> 0 then
    insert into private.feed_trends as t (tenant_id, post_id, fresh)
    values (post.tenant_id, post.id, points)
    on conflict (tenant_id, post_id) do update set fresh = t.fresh + excluded.fresh;
  end if;
end;
$$;
comment on function private.feed_warm(public.feed_posts, uuid, integer) is
  'Notes for the next hour''s trending that a person took part in somebody else''s post.';

create function private.feed_first_comment(tenant_id uuid, author uuid, client_id text)
returns public.feed_comments
language plpgsql
volatile -- sees what another transaction committed while this one waited
security definer -- reads comments past their policies
set search_path = ''
as $$
#variable_conflict use_column
declare
  v_comment public.feed_comments;
begin
  select * into v_comment from public.feed_comments c
  where c.tenant_id = feed_first_comment.tenant_id and c.author_id = author
    and c.client_id = feed_first_comment.client_id;
  return v_comment;
end;
$$;
comment on function private.feed_first_comment(uuid, uuid, text) is
  'The comment that its author sent before under the same client id; null where they sent none.';

create function private.feed_keep_comment(post public.feed_posts, parent public.feed_comments, comment public.feed_comments)
returns public.feed_comments
language plpgsql
volatile
security definer -- nobody else writes comments
set search_path = ''
as $$
#variable_conflict use_column
declare
  v_comment public.feed_comments;
  v_first boolean := not exists (
    select from public.feed_comments c
    where c.tenant_id = post.tenant_id and c.author_id = comment.author_id and c.post_id = post.id
  );
begin
  insert into public.feed_comments (tenant_id, post_id, parent_id, author_id, body, mentions, client_id)
  values (
    post.tenant_id, post.id, parent.id, comment.author_id, comment.body, comment.mentions, comment.client_id
  )
  on conflict (tenant_id, author_id, client_id) where client_id is not null do nothing
  returning * into v_comment;
  if not found then
    return private.feed_first_comment(post.tenant_id, comment.author_id, comment.client_id);
  end if;
  perform private.feed_count(post.tenant_id, post.id, post.id, 1, null, 0);
  if parent.id is not null then
    perform private.feed_count(post.tenant_id, post.id, parent.id, 1, null, 0);
  end if;
  -- Of one person the first counts: a quarrel of two is no trend.
  perform private.feed_warm(post, v_comment.author_id, case when v_first then 2 else 0 end);
  perform private.feed_signal(
    post.tenant_id, post.group_id, 'feed:commented',
    jsonb_build_object('post_id', post.id, 'comment_id', v_comment.id)
  );
  -- Each is told once, by what concerns them most.
  perform private.feed_tell(post, v_comment.id, v_comment.mentions, 'feed.mentioned', v_comment.author_id);
  perform private.feed_tell(
    post, v_comment.id, array_remove(array[parent.author_id], null), 'feed.answered', v_comment.author_id,
    v_comment.mentions
  );
  perform private.feed_tell(
    post, v_comment.id, array[post.author_id], 'feed.commented', v_comment.author_id,
    v_comment.mentions || parent.author_id
  );
  return v_comment;
end;
$$;
comment on function private.feed_keep_comment(public.feed_posts, public.feed_comments, public.feed_comments) is
  'Keeps a comment that passed every check, counts it and tells of it. Sent before under the same client id, it answers with that one.';

create function private.feed_require_comment(post public.feed_posts, comment_id uuid, person uuid)
returns public.feed_comments
language plpgsql
stable
security definer -- reads comments past their policies
set search_path = ''
as $$
#variable_conflict use_column
declare
  v_comment public.feed_comments;
begin
  select * into v_comment from public.feed_comments c
  where c.tenant_id = post.tenant_id and c.post_id = post.id and c.id = feed_require_comment.comment_id
    and c.deleted_at is null
    and c.author_id not in (select private.feed_unheard(post.tenant_id, person));
  if not found then
    raise sqlstate 'PT404' using message = 'feed.comment_not_found';
  end if;
  return v_comment;
end;
$$;
comment on function private.feed_require_comment(public.feed_posts, uuid, uuid) is
  'A comment on the post that the person sees. Raises feed.comment_not_found.';

create function public.feed_comment(
  tenant_id uuid,
  post_id uuid,
  body text,
  parent_id uuid default null,
  mentions uuid[] default '{}',
  client_id text default null
)
returns public.feed_comments
language plpgsql
volatile
security definer -- clients may not write comments
set search_path = ''
as $$
#variable_conflict use_column
declare
  v_me uuid := private.require(feed_comment.tenant_id, 'feed.post');
  v_post public.feed_posts;
  v_parent public.feed_comments;
  v_comment public.feed_comments;
begin
  perform private.feed_check_client(feed_comment.client_id);
  v_comment := private.feed_first_comment(feed_comment.tenant_id, v_me, feed_comment.client_id);
  if v_comment.id is not null then
    return v_comment;
  end if;
  v_post := private.feed_require_post(feed_comment.tenant_id, feed_comment.post_id, v_me);
  perform private.feed_require_place(v_post.tenant_id, v_post.group_id, v_me);
  perform private.feed_check_body(v_post.tenant_id, feed_comment.body, false);
  if feed_comment.parent_id is not null then
    v_parent := private.feed_require_comment(v_post, feed_comment.parent_id, v_me);
    if v_parent.parent_id is not null then
      raise sqlstate 'PT422' using
        message = 'request.invalid', detail = 'parent_id: an answer has no answers of its own';
    end if;
  end if;
  v_comment.author_id := v_me;
  v_comment.body := btrim(feed_comment.body);
  v_comment.client_id := feed_comment.client_id;
  v_comment.mentions := private.feed_heard(
    v_post.tenant_id, v_post.group_id, v_me, coalesce(feed_comment.mentions, '{}')
  );
  perform private.require_rate(
    'feed-comment:' || v_post.tenant_id || ':' || v_me,
    private.setting(v_post.tenant_id, 'feed', 'comment_limit', 30, 1, 10000), interval '5 minutes'
  );
  return private.feed_keep_comment(v_post, v_parent, v_comment);
end;
$$;
comment on function public.feed_comment(uuid, uuid, text, uuid, uuid[], text) is
  'Comments on a post, or answers a comment on it (permission feed.post). The same client_id again returns the first comment. Raises feed.post_not_found, feed.comment_not_found, feed.not_in_group, groups.closed, feed.too_long, members.not_found, limits.exceeded, request.invalid.';
grant execute on function public.feed_comment(uuid, uuid, text, uuid, uuid[], text) to authenticated;
