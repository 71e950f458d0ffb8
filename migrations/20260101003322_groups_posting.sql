-- Groups, posting: writing, replying, changing and deleting, and what moderators do with threads.

create function private.groups_require_member(grp public.groups, person uuid)
returns text
language plpgsql
stable
security definer -- reads members of groups past their policies
set search_path = ''
as $$
declare
  v_role text := private.groups_role(grp.tenant_id, grp.id, groups_require_member.person);
begin
  if v_role is null then
    raise sqlstate 'PT403' using message = 'groups.role_missing', detail = 'member';
  end if;
  perform private.groups_require_open(grp);
  return v_role;
end;
$$;
comment on function private.groups_require_member(public.groups, uuid) is
  'The role of somebody who may write in the group. Raises groups.role_missing, groups.closed.';

create function private.groups_check_post(title text, body text, client_id text)
returns void
language plpgsql
immutable
security invoker
set search_path = ''
as $$
declare
  v_fault text := case
    when char_length(btrim(groups_check_post.title)) not between 1 and 200 then 'title'
    when coalesce(groups_check_post.body !~ '\S' or char_length(groups_check_post.body) > 20000, true) then 'body'
    when char_length(groups_check_post.client_id) not between 1 and 64 then 'client_id'
  end;
begin
  if v_fault is not null then
    raise sqlstate 'PT422' using message = 'request.invalid', detail = v_fault;
  end if;
end;
$$;
comment on function private.groups_check_post(text, text, text) is 'Raises request.invalid for what cannot be written.';

create function private.groups_write(post public.groups_posts)
returns public.groups_posts
language plpgsql
volatile
security definer -- nobody else writes posts
set search_path = ''
as $$
#variable_conflict use_column
declare
  v_post public.groups_posts;
begin
  perform private.require_rate('groups-post:' || post.tenant_id || ':' || post.author_id, 60, interval '10 minutes');
  insert into public.groups_posts (tenant_id, group_id, thread_id, author_id, kind, title, body, client_id)
  values (
    post.tenant_id, post.group_id, post.thread_id, post.author_id, post.kind, btrim(post.title), post.body,
    post.client_id
  )
  on conflict (tenant_id, author_id, group_id, client_id) do nothing
  returning * into v_post;
  if not found then
    select * into v_post from public.groups_posts p
    where p.tenant_id = post.tenant_id and p.author_id = post.author_id and p.group_id = post.group_id
      and p.client_id = post.client_id;
    return v_post;
  end if;
  if v_post.kind = 'announcement' then
    perform private.enqueue(
      'groups.announce', jsonb_build_object('post', v_post.id), v_post.tenant_id, 'groups_posts:' || v_post.id
    );
  elsif v_post.kind = 'reply' then
    perform private.groups_tell_author(v_post);
  end if;
  return v_post;
end;
$$;
comment on function private.groups_write(public.groups_posts) is
  'Keeps what was written, once for each client_id, and has those told whom it concerns. Raises limits.exceeded.';

create function public.groups_post(
  tenant_id uuid, group_id uuid, title text, body text, announcement boolean default false,
  client_id text default null
)
returns public.groups_posts
language plpgsql
volatile
security definer -- clients may not write posts
set search_path = ''
as $$
#variable_conflict use_column
declare
  v_me uuid := private.require(groups_post.tenant_id, 'groups.join');
  v_group public.groups := private.groups_seen(groups_post.tenant_id, groups_post.group_id, v_me);
  v_post public.groups_posts;
begin
  if private.groups_require_member(v_group, v_me) = 'member' and groups_post.announcement then
    raise sqlstate 'PT403' using message = 'groups.role_missing', detail = 'owner or moderator';
  elsif groups_post.title is null then
    raise sqlstate 'PT422' using message = 'request.invalid', detail = 'title';
  end if;
  perform private.groups_check_post(groups_post.title, groups_post.body, groups_post.client_id);
  v_post.tenant_id := v_group.tenant_id;
  v_post.group_id := v_group.id;
  v_post.author_id := v_me;
  v_post.kind := case when groups_post.announcement then 'announcement' else 'thread' end;
  v_post.title := groups_post.title;
  v_post.body := groups_post.body;
  v_post.client_id := groups_post.client_id;
  return private.groups_write(v_post);
end;
$$;
comment on function public.groups_post(uuid, uuid, text, text, boolean, text) is
  'Begins a thread in a group that the caller is in, or announces something, by who moderates it; the same client_id again returns the first (permission groups.join). Raises groups.not_found, groups.role_missing, groups.closed, limits.exceeded, request.invalid.';
grant execute on function public.groups_post(uuid, uuid, text, text, boolean, text) to authenticated;

create function private.groups_post_of(tenant_id uuid, post_id uuid, person uuid)
returns public.groups_posts
language plpgsql
volatile
security definer -- locks posts past their policies
set search_path = ''
as $$
#variable_conflict use_column
declare
  v_post public.groups_posts;
begin
  select * into v_post from public.groups_posts p
  where p.tenant_id = groups_post_of.tenant_id and p.id = groups_post_of.post_id
  for no key update;
  if v_post.id is null or v_post.deleted_at is not null
    or not private.groups_reads(v_post.tenant_id, v_post.group_id, groups_post_of.person)
  then
    raise sqlstate 'PT404' using message = 'groups.post_not_found';
  end if;
  return v_post;
end;
$$;
comment on function private.groups_post_of(uuid, uuid, uuid) is
  'A post that the person reads, locked. Raises groups.post_not_found.';

create function public.groups_reply(tenant_id uuid, thread_id uuid, body text, client_id text default null)
returns public.groups_posts
language plpgsql
volatile
security definer -- clients may not write posts
set search_path = ''
as $$
#variable_conflict use_column
declare
  v_me uuid := private.require(groups_reply.tenant_id, 'groups.join');
  v_thread public.groups_posts := private.groups_post_of(groups_reply.tenant_id, groups_reply.thread_id, v_me);
  v_post public.groups_posts;
begin
  if v_thread.kind = 'reply' or (
    v_thread.kind = 'thread' and private.messaging_blocked(v_thread.tenant_id, v_me, v_thread.author_id)
  ) then
    raise sqlstate 'PT404' using message = 'groups.post_not_found', detail = 'thread_id';
  end if;
  if private.groups_require_member(private.groups_seen(v_thread.tenant_id, v_thread.group_id, v_me), v_me) = 'member'
    and v_thread.locked
  then
    raise sqlstate 'PT409' using message = 'groups.thread_locked';
  end if;
  perform private.groups_check_post(null, groups_reply.body, groups_reply.client_id);
  v_post.tenant_id := v_thread.tenant_id;
  v_post.group_id := v_thread.group_id;
  v_post.thread_id := v_thread.id;
  v_post.author_id := v_me;
  v_post.kind := 'reply';
  v_post.body := groups_reply.body;
  v_post.client_id := groups_reply.client_id;
  return private.groups_write(v_post);
end;
$$;
comment on function public.groups_reply(uuid, uuid, text, text) is
  'Replies in a thread of a group that the caller is in; in a locked one by who moderates it (permission groups.join). Raises groups.post_not_found, groups.role_missing, groups.closed, groups.thread_locked, limits.exceeded, request.invalid.';
grant execute on function public.groups_reply(uuid, uuid, text, text) to authenticated;

create function public.groups_edit(tenant_id uuid, post_id uuid, body text, title text default null)
returns public.groups_posts
language plpgsql
volatile
security definer -- clients may not write posts
set search_path = ''
as $$
#variable_conflict use_column
declare
  v_me uuid := private.require(groups_edit.tenant_id, 'groups.join');
  v_post public.groups_posts := private.groups_post_of(groups_edit.tenant_id, groups_edit.post_id, v_me);
begin
  perform private.groups_require_member(private.groups_seen(v_post.tenant_id, v_post.group_id, v_me), v_me);
  if v_post.author_id <> v_me then
    raise sqlstate 'PT403' using message = 'groups.not_the_author';
  end if;
  perform private.groups_check_post(groups_edit.title, groups_edit.body, null);
  update public.groups_posts p
  set body = groups_edit.body, edited_at = now(), version = p.version + 1,
    title = case p.kind when 'reply' then null else coalesce(btrim(groups_edit.title), p.title) end
  where p.tenant_id = v_post.tenant_id and p.id = v_post.id
  returning * into v_post;
  return v_post;
end;
$$;
comment on function public.groups_edit(uuid, uuid, text, text) is
  'Changes what the caller wrote (permission groups.join). Raises groups.post_not_found, groups.role_missing, groups.closed, groups.not_the_author, request.invalid.';
grant execute on function public.groups_edit(uuid, uuid, text, text) to authenticated;

create function private.groups_blank(post public.groups_posts)
returns public.groups_posts
language plpgsql
volatile
security definer -- nobody else writes posts
set search_path = ''
as $$
#variable_conflict use_column
declare
  v_post public.groups_posts;
begin
  update public.groups_posts p
  set title = null, body = null, deleted_at = now(), pinned = false, version = p.version + 1
  where p.tenant_id = post.tenant_id and p.id = post.id
  returning * into v_post;
  return v_post;
end;
$$;
comment on function private.groups_blank(public.groups_posts) is 'A post that says nothing any more and keeps its place.';

create function public.groups_delete(tenant_id uuid, post_id uuid)
returns public.groups_posts
language plpgsql
volatile
security definer -- clients may not write posts
set search_path = ''
as $$
#variable_conflict use_column
declare
  v_me uuid := private.require(groups_delete.tenant_id, 'groups.read');
  v_post public.groups_posts := private.groups_post_of(groups_delete.tenant_id, groups_delete.post_id, v_me);
begin
  if v_post.author_id <> v_me then
    perform private.groups_require_role(
      private.groups_seen(v_post.tenant_id, v_post.group_id, v_me), v_me, array['owner', 'moderator']
    );
    perform private.audit(
      'GROUP_POST_REMOVED', 'groups_posts:' || v_post.id, null,
      jsonb_build_object('author_id', v_post.author_id), v_post.tenant_id, v_me
    );
  end if;
  return private.groups_blank(v_post);
end;
$$;
comment on function public.groups_delete(uuid, uuid) is
  'Deletes what the caller wrote, or somebody else by who moderates the group; what was replied stays (permission groups.read). Raises groups.post_not_found, groups.role_missing.';
grant execute on function public.groups_delete(uuid, uuid) to authenticated;

create function public.groups_set_thread(
  tenant_id uuid, thread_id uuid, pinned boolean default null, locked boolean default null
)
returns public.groups_posts
language plpgsql
volatile
security definer -- clients may not write posts
set search_path = ''
as $$
#variable_conflict use_column
declare
  v_me uuid := private.require(groups_set_thread.tenant_id, 'groups.join');
  v_post public.groups_posts :=
    private.groups_post_of(groups_set_thread.tenant_id, groups_set_thread.thread_id, v_me);
begin
  if v_post.kind = 'reply' then
    raise sqlstate 'PT404' using message = 'groups.post_not_found', detail = 'thread_id';
  end if;
  perform private.groups_require_role(
    private.groups_seen(v_post.tenant_id, v_post.group_id, v_me), v_me, array['owner', 'moderator']
  );
  update public.groups_posts p
  set pinned = coalesce(groups_set_thread.pinned, p.pinned), locked = coalesce(groups_set_thread.locked, p.locked),
    version = p.version + 1
  where p.tenant_id = v_post.tenant_id and p.id = v_post.id
  returning * into v_post;
  return v_post;
end;
$$;
comment on function public.groups_set_thread(uuid, uuid, boolean, boolean) is
  'Pins a thread or locks it against replies, by who moderates the group; null leaves one as it is (permission groups.join). Raises groups.post_not_found, groups.role_missing.';
grant execute on function public.groups_set_thread(uuid, uuid, boolean, boolean) to authenticated;
