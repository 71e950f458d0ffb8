-- Feed, life: what is reported, what goes for good, and what becomes of somebody's posts when they are
-- erased.

create function private.feed_describe_post(tenant_id uuid, subject uuid, reporter uuid)
returns private.moderation_subject
language plpgsql
stable
security definer -- reads posts past their policies
set search_path = ''
as $$
#variable_conflict use_column
declare
  v_subject private.moderation_subject;
begin
  select p.author_id, p.body,
    case when p.group_id is not null then private.groups_moderators(p.tenant_id, p.group_id) end
  into v_subject
  from public.feed_posts p
  where p.tenant_id = feed_describe_post.tenant_id and p.id = feed_describe_post.subject
    and p.deleted_at is null and p.author_id <> reporter
    and private.feed_reads(p.tenant_id, p.group_id, reporter);
  return v_subject;
end;
$$;
comment on function private.feed_describe_post(uuid, uuid, uuid) is
  'A post of somebody else, as its reporter sees it, blocked authors included: whoever was harassed has mostly blocked already.';

create function private.feed_remove_post(tenant_id uuid, subject uuid)
returns jsonb
language plpgsql
volatile
security definer -- nobody else writes posts
set search_path = ''
as $$
#variable_conflict use_column
declare
  v_post public.feed_posts;
begin
  select * into v_post from public.feed_posts p
  where p.tenant_id = feed_remove_post.tenant_id and p.id = feed_remove_post.subject and p.deleted_at is null
  for no key update;
  if not found then
    return null;
  end if;
  perform private.feed_erase_post(v_post);
  return jsonb_build_object('body', v_post.body, 'mentions', v_post.mentions);
end;
$$;
comment on function private.feed_remove_post(uuid, uuid) is
  'Deletes a reported post; answers what it said. Its pictures are gone for good.';

create function private.feed_restore_post(tenant_id uuid, subject uuid, snapshot jsonb)
returns void
language plpgsql
volatile
security definer -- nobody else writes posts
set search_path = ''
as $$
#variable_conflict use_column
declare
  v_post public.feed_posts;
begin
  update public.feed_posts p
  set body = snapshot ->> 'body', deleted_at = null, version = p.version + 1,
    tags = private.feed_tags_in(snapshot ->> 'body'),
    mentions = array(select (jsonb_array_elements_text(snapshot -> 'mentions'))::uuid)
  where p.tenant_id = feed_restore_post.tenant_id and p.id = feed_restore_post.subject
    and p.deleted_at is not null and snapshot ->> 'body' is not null
  returning * into v_post;
  if found then
    perform private.feed_keep_tags(v_post);
    perform private.feed_signal(
      v_post.tenant_id, v_post.group_id, 'feed:posted', jsonb_build_object('post_id', v_post.id)
    );
  end if;
end;
$$;
comment on function private.feed_restore_post(uuid, uuid, jsonb) is
  'Has a post that was removed say again what it said, with the comments it had.';

create function private.feed_describe_comment(tenant_id uuid, subject uuid, reporter uuid)
returns private.moderation_subject
language plpgsql
stable
security definer -- reads comments past their policies
set search_path = ''
as $$
#variable_conflict use_column
declare
  v_subject private.moderation_subject;
begin
  select c.author_id, c.body,
    case when p.group_id is not null then private.groups_moderators(p.tenant_id, p.group_id) end
  into v_subject
  from public.feed_comments c
  join public.feed_posts p on p.tenant_id = c.tenant_id and p.id = c.post_id and p.deleted_at is null
  where c.tenant_id = feed_describe_comment.tenant_id and c.id = feed_describe_comment.subject
    and c.deleted_at is null and c.author_id <> reporter
    and private.feed_reads(p.tenant_id, p.group_id, reporter);
  return v_subject;
end;
$$;
comment on function private.feed_describe_comment(uuid, uuid, uuid) is
  'A comment of somebody else, as its reporter sees it, blocked authors included.';

create function private.feed_remove_comment(tenant_id uuid, subject uuid)
returns jsonb
language plpgsql
volatile
security definer -- nobody else writes comments
set search_path = ''
as $$
#variable_conflict use_column
declare
  v_comment public.feed_comments;
begin
  select * into v_comment from public.feed_comments c
  where c.tenant_id = feed_remove_comment.tenant_id and c.id = feed_remove_comment.subject
    and c.deleted_at is null
  for no key update;
  if not found then
    return null;
  end if;
  perform private.feed_erase_comment(v_comment);
  return jsonb_build_object('body', v_comment.body, 'mentions', v_comment.mentions);
end;
$$;
comment on function private.feed_remove_comment(uuid, uuid) is 'Deletes a reported comment; answers what it said.';

create function private.feed_restore_comment(tenant_id uuid, subject uuid, snapshot jsonb)
returns void
language plpgsql
volatile
security definer -- nobody else writes comments
set search_path = ''
as $$
#variable_conflict use_column
declare
  v_comment public.feed_comments;
begin
  update public.feed_comments c
  set body = snapshot ->> 'body', deleted_at = null, version = c.version + 1,
    mentions = array(select (jsonb_array_elements_text(snapshot -> 'mentions'))::uuid)
  where c.tenant_id = feed_restore_comment.tenant_id and c.id = feed_restore_comment.subject
    and c.deleted_at is not null and snapshot ->> 'body' is not null
  returning * into v_comment;
  if found then
    perform private.feed_count(v_comment.tenant_id, v_comment.post_id, v_comment.post_id, 1, null, 0);
    if v_comment.parent_id is not null then
      perform private.feed_count(v_comment.tenant_id, v_comment.post_id, v_comment.parent_id, 1, null, 0);
    end if;
    perform private.feed_signal_comment(v_comment, 'feed:commented');
  end if;
end;
$$;
comment on function private.feed_restore_comment(uuid, uuid, jsonb) is
  'Has a comment that was removed say again what it said.';

create function private.feed_place_of(tenant_id uuid, subject uuid)
returns uuid
language plpgsql
stable
security definer -- reads posts past their policies
set search_path = ''
as $$
#variable_conflict use_column
begin
  return coalesce(
    (
      select p.group_id from public.feed_posts p
      where p.tenant_id = feed_place_of.tenant_id and p.id = feed_place_of.subject
    ),
    (
      select p.group_id from public.feed_comments c
      join public.feed_posts p on p.tenant_id = c.tenant_id and p.id = c.post_id
      where c.tenant_id = feed_place_of.tenant_id and c.id = feed_place_of.subject
    )
  );
end;
$$;
comment on function private.feed_place_of(uuid, uuid) is 'The group that a post or a comment stands in; null: in the whole tenant.';

select private.declare_reportable(
  'feed.post', 'feed_describe_post', 'feed_remove_post', 'feed_restore_post', 'feed_place_of'
);
select private.declare_reportable(
  'feed.comment', 'feed_describe_comment', 'feed_remove_comment', 'feed_restore_comment', 'feed_place_of'
);

-- For good
create function private.feed_purge()
returns bigint
language plpgsql
volatile
security definer -- nobody else deletes posts
set search_path = ''
as $$
#variable_conflict use_column
declare
  v_posts bigint;
  v_comments bigint;
begin
  delete from public.feed_posts p
  where (p.tenant_id, p.id) in (
    select o.tenant_id, o.id from public.feed_posts o
    where o.deleted_at < now() - interval '30 days' order by o.deleted_at limit 500
  );
  get diagnostics v_posts = row_count;
  with gone as (
    delete from public.feed_comments c
    where (c.tenant_id, c.id) in (
      select o.tenant_id, o.id from public.feed_comments o
      where o.deleted_at < now() - interval '30 days' and not exists (
        select from public.feed_comments a where a.tenant_id = o.tenant_id and a.thread_id = o.id
      )
      order by o.deleted_at limit 2000
    )
    returning c.tenant_id, c.id
  ), reactions as (
    delete from public.feed_reactions r using gone g where r.tenant_id = g.tenant_id and r.subject_id = g.id
  ), tallies as (
    delete from public.feed_tallies t using gone g where t.tenant_id = g.tenant_id and t.subject_id = g.id
  )
  select count(*) into v_comments from gone;
  return v_posts + v_comments;
end;
$$;
comment on function private.feed_purge() is
  'Posts that were deleted 30 days ago go with all below them, as do comments without answers: no appeal can bring them back any more.';
select private.schedule('feed-purge', '41 * * * *', 'select private.feed_purge()');

create function private.feed_on_person_erased()
returns trigger
language plpgsql
volatile
security definer -- nobody else writes posts
set search_path = ''
as $$
#variable_conflict use_column
declare
  v_tenants uuid[] := array(select m.tenant_id from public.members m where m.person_id = new.id);
begin
  perform private.feed_erase_post(p) from public.feed_posts p
  where p.tenant_id = any (v_tenants) and p.author_id = new.id and p.deleted_at is null;
  perform private.feed_erase_comment(c) from public.feed_comments c
  where c.tenant_id = any (v_tenants) and c.author_id = new.id and c.deleted_at is null;
  perform private.feed_count(r.tenant_id, r.post_id, r.subject_id, 0, r.kind, -1)
  from public.feed_reactions r
  where r.tenant_id = any (v_tenants) and r.person_id = new.id;
  delete from public.feed_reactions r where r.tenant_id = any (v_tenants) and r.person_id = new.id;
  -- How often each option was chosen stays: a result does not change when somebody goes.
  delete from public.feed_votes v where v.tenant_id = any (v_tenants) and v.person_id = new.id;
  return null;
end;
$$;
comment on function private.feed_on_person_erased() is
  'After a person is erased: what they posted and wrote is deleted, their reactions and who they voted as go.';

create trigger feed_on_person_erased after update of erased_at on public.people
  for each row when (old.erased_at is null and new.erased_at is not null)
  execute function private.feed_on_person_erased();

select private.declare_metric(
  'feed_posts_total', 'counter', 'Posts in feeds, removed ones included.',
  $$select pg_stat_get_tuples_inserted('public.feed_posts'::regclass) as value$$
);
