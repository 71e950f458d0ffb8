-- Groups, notices: who is told of what. Each carries the group as its scope, so that people choose
-- what they want of which group.

select private.declare_notification(
  'groups.' || what, group_key => 'group_id', outdated => 'groups_notice_outdated'
)
from unnest(array['requested', 'invited', 'announced']) what;
select private.declare_notification('groups.' || what, group_key => 'group_id', push => 'off')
from unnest(array['admitted', 'refused', 'removed', 'role_changed']) what;
select private.declare_notification(
  'groups.replied', email => 'daily', group_key => 'thread_id', outdated => 'groups_notice_outdated'
);

create function private.groups_notice(grp public.groups, actor uuid default null)
returns jsonb
language plpgsql
stable
security definer -- reads tenants and members past their policies
set search_path = ''
as $$
#variable_conflict use_column
begin
  return jsonb_strip_nulls(jsonb_build_object(
    'group_id', grp.id, 'group', grp.name, 'scope', grp.id,
    'name', (
      select m.display_name from public.members m
      where m.tenant_id = grp.tenant_id and m.person_id = groups_notice.actor
    ),
    'person_id', groups_notice.actor,
    'link', (
      select rtrim(t.app_url, '/') || '/groups/' || grp.id from public.tenants t where t.id = grp.tenant_id
    )
  ));
end;
$$;
comment on function private.groups_notice(public.groups, uuid) is
  'The values of a notice from a group: which, who did it, and where the tenant''s app shows it.';

create function private.groups_tell(grp public.groups, person uuid, kind text, actor uuid default null)
returns void
language plpgsql
volatile
security definer -- nobody else writes events
set search_path = ''
as $$
begin
  perform private.notify(
    groups_tell.person, groups_tell.kind, private.groups_notice(grp, groups_tell.actor), grp.tenant_id
  );
end;
$$;
comment on function private.groups_tell(public.groups, uuid, text, uuid) is 'Tells a person what was decided about them in a group.';

create function private.groups_tell_moderators(grp public.groups, person uuid)
returns void
language plpgsql
volatile
security definer -- nobody else writes events
set search_path = ''
as $$
begin
  perform private.notify_all(
    private.groups_moderators(grp.tenant_id, grp.id), 'groups.requested',
    private.groups_notice(grp, groups_tell_moderators.person), grp.tenant_id
  );
end;
$$;
comment on function private.groups_tell_moderators(public.groups, uuid) is 'Tells a group''s moderators that somebody asks to join.';

create function private.groups_post_notice(post public.groups_posts)
returns jsonb
language plpgsql
stable
security definer -- reads groups and posts past their policies
set search_path = ''
as $$
#variable_conflict use_column
declare
  v_group public.groups;
  v_thread public.groups_posts;
begin
  select * into v_group from public.groups g where g.tenant_id = post.tenant_id and g.id = post.group_id;
  select * into v_thread from public.groups_posts p
  where p.tenant_id = post.tenant_id and p.id = coalesce(post.thread_id, post.id);
  return private.groups_notice(v_group, post.author_id) || jsonb_build_object(
    'post_id', post.id, 'thread_id', v_thread.id, 'title', coalesce(v_thread.title, v_group.name),
    'about', 'groups_posts:' || post.id
  );
end;
$$;
comment on function private.groups_post_notice(public.groups_posts) is 'The values of a notice of something written in a group.';

create function private.groups_tell_author(post public.groups_posts)
returns void
language plpgsql
volatile
security definer -- nobody else writes events
set search_path = ''
as $$
#variable_conflict use_column
declare
  v_author uuid := (
    select p.author_id from public.groups_posts p where p.tenant_id = post.tenant_id and p.id = post.thread_id
  );
begin
  if v_author <> post.author_id
    and private.groups_reads(post.tenant_id, post.group_id, v_author)
    and not private.messaging_blocked(post.tenant_id, v_author, post.author_id)
  then
    perform private.notify(v_author, 'groups.replied', private.groups_post_notice(post), post.tenant_id);
  end if;
end;
$$;
comment on function private.groups_tell_author(public.groups_posts) is
  'Tells who began a thread of a reply, but not where one of the two blocked the other.';

create function private.groups_notice_outdated(event private.notifications_events)
returns boolean
language plpgsql
stable
security definer -- reads groups past their policies
set search_path = ''
as $$
#variable_conflict use_column
declare
  v_group uuid := (event.payload ->> 'group_id')::uuid;
begin
  return case event.kind
    when 'groups.invited' then not exists (
      select from public.groups_members m
      where m.tenant_id = event.tenant_id and m.group_id = v_group and m.person_id = event.person_id
        and m.status = 'invited'
    )
    when 'groups.requested' then not private.groups_moderates(event.tenant_id, v_group, event.person_id)
      or not exists (
        select from public.groups_members m
        where m.tenant_id = event.tenant_id and m.group_id = v_group
          and m.person_id = (event.payload ->> 'person_id')::uuid and m.status = 'requested'
      )
    else not private.groups_reads(event.tenant_id, v_group, event.person_id) or not exists (
      select from public.groups_posts p
      where p.tenant_id = event.tenant_id and p.id = (event.payload ->> 'post_id')::uuid and p.deleted_at is null
    )
  end;
end;
$$;
comment on function private.groups_notice_outdated(private.notifications_events) is
  'Whether a notice from a group is none any more: answered, deleted, or of a group the person reads no longer.';

create function public.groups_tell_announcement(tenant_id uuid, post uuid, after uuid default null)
returns uuid
language plpgsql
volatile
security definer -- reads posts and members past their policies
set search_path = ''
as $$
#variable_conflict use_column
declare
  v_post public.groups_posts;
  v_people uuid[];
begin
  select * into v_post from public.groups_posts p
  where p.tenant_id = groups_tell_announcement.tenant_id and p.id = groups_tell_announcement.post
    and p.deleted_at is null;
  v_people := array(
    select m.person_id from public.groups_members m
    where m.tenant_id = v_post.tenant_id and m.group_id = v_post.group_id and m.status = 'active'
      and m.person_id > coalesce(groups_tell_announcement.after, uuid '00000000-0000-0000-0000-000000000000')
    order by m.person_id
    limit 200
  );
  perform private.notify_all(
    array_remove(v_people, v_post.author_id), 'groups.announced', private.groups_post_notice(v_post), v_post.tenant_id
  );
  return v_people[200];
end;
$$;
comment on function public.groups_tell_announcement(uuid, uuid, uuid) is
  'For the worker: tells 200 members of an announcement. Answers with the last of them while there may be more, to be given as after.';
grant execute on function public.groups_tell_announcement(uuid, uuid, uuid) to service_role;
