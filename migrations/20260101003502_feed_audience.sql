-- Feed, audience: the one rule about who sees a post, once for a person (acts, mentions, notices,
-- reports) and once for all rows of a read (policies and pages). It is the place's rule, and none
-- between people who blocked each other; who moderates is not kept away by a block.

create function private.feed_reads(tenant_id uuid, group_id uuid, person uuid)
returns boolean
language plpgsql
stable
security definer -- reads groups past their policies
set search_path = ''
as $$
begin
  return private.may(feed_reads.tenant_id, person, 'feed.read')
    and (feed_reads.group_id is null or private.groups_reads(feed_reads.tenant_id, feed_reads.group_id, person));
end;
$$;
comment on function private.feed_reads(uuid, uuid, uuid) is
  'Whether a person reads what is posted in the group, or in the whole tenant where it is null.';

create function private.feed_moderates(tenant_id uuid, group_id uuid, person uuid)
returns boolean
language plpgsql
stable
security definer -- reads members and groups past their policies
set search_path = ''
as $$
begin
  return private.may(feed_moderates.tenant_id, person, 'feed.moderate')
    or (
      feed_moderates.group_id is not null
      and private.groups_moderates(feed_moderates.tenant_id, feed_moderates.group_id, person)
    );
end;
$$;
comment on function private.feed_moderates(uuid, uuid, uuid) is
  'Whether a person keeps order there: the tenant''s moderators everywhere, a group''s own in it.';

create function private.feed_unheard(tenant_id uuid, person uuid)
returns setof uuid
language plpgsql
stable
security definer -- blocks are their owner's secret
rows 5
set search_path = ''
as $$
begin
  if private.may(feed_unheard.tenant_id, person, 'feed.moderate') then
    return;
  end if;
  return query select unnest(private.messaging_blocked_people(feed_unheard.tenant_id, feed_unheard.person));
end;
$$;
comment on function private.feed_unheard(uuid, uuid) is
  'Whose posts a person does not see: those they blocked and those who blocked them.';

create type private.feed_pair as (tenant_id uuid, person_id uuid);
comment on type private.feed_pair is 'Somebody in a tenant.';

create function private.feed_unheard_by_me()
returns setof private.feed_pair
language plpgsql
stable
security definer -- asks for the caller, in each of their tenants
rows 5
set search_path = ''
as $$
begin
  return query
    select t.id, u.id
    from private.tenants_with('feed.read') t (id)
    cross join lateral private.feed_unheard(t.id, private.person()) u (id);
end;
$$;
comment on function private.feed_unheard_by_me() is 'Whose posts the caller does not see, for policies.';
grant execute on function private.feed_unheard_by_me() to authenticated, service_role;

create function private.feed_post_for(tenant_id uuid, post_id uuid, person uuid)
returns public.feed_posts
language plpgsql
stable
security definer -- reads posts past their policies
set search_path = ''
as $$
#variable_conflict use_column
declare
  v_post public.feed_posts;
begin
  select * into v_post from public.feed_posts p
  where p.tenant_id = feed_post_for.tenant_id and p.id = feed_post_for.post_id and p.deleted_at is null;
  if not found or not private.feed_reads(v_post.tenant_id, v_post.group_id, person)
    or v_post.author_id in (select private.feed_unheard(v_post.tenant_id, person))
  then
    return null;
  end if;
  return v_post;
end;
$$;
comment on function private.feed_post_for(uuid, uuid, uuid) is 'The post, where the person sees it; else null.';

create function private.feed_require_post(tenant_id uuid, post_id uuid, person uuid)
returns public.feed_posts
language plpgsql
stable
security definer -- asks feed_post_for
set search_path = ''
as $$
declare
  v_post public.feed_posts :=
    private.feed_post_for(feed_require_post.tenant_id, feed_require_post.post_id, person);
begin
  if v_post.id is null then
    raise sqlstate 'PT404' using message = 'feed.post_not_found';
  end if;
  return v_post;
end;
$$;
comment on function private.feed_require_post(uuid, uuid, uuid) is
  'The post. Raises feed.post_not_found, alike where there is none and where the person does not see it.';

-- Row level security
alter table public.feed_posts enable row level security;
create policy feed_posts_select_reader on public.feed_posts
  for select to authenticated
  using (
    tenant_id = any (array(select private.tenants_with('feed.read')))
    and deleted_at is null
    and (
      group_id is null or group_id = any (array(select private.groups_mine()))
      or (
        group_id <> all (array(select private.groups_barred()))
        and exists (
          select from public.groups g
          where g.tenant_id = feed_posts.tenant_id and g.id = feed_posts.group_id
            and g.visibility = 'public' and g.status = 'active'
        )
      )
    )
    and (tenant_id, author_id) not in (select u.tenant_id, u.person_id from private.feed_unheard_by_me() u)
  );

alter table public.feed_comments enable row level security;
create policy feed_comments_select_reader on public.feed_comments
  for select to authenticated
  using (
    tenant_id = any (array(select private.tenants_with('feed.read')))
    and (tenant_id, author_id) not in (select u.tenant_id, u.person_id from private.feed_unheard_by_me() u)
    and exists (
      select from public.feed_posts p
      where p.tenant_id = feed_comments.tenant_id and p.id = feed_comments.post_id
    )
  );

alter table public.feed_attachments enable row level security;
create policy feed_attachments_select_reader on public.feed_attachments
  for select to authenticated
  using (
    tenant_id = any (array(select private.tenants_with('feed.read')))
    and exists (
      select from public.feed_posts p
      where p.tenant_id = feed_attachments.tenant_id and p.id = feed_attachments.post_id
    )
  );

alter table public.feed_edits enable row level security;
create policy feed_edits_select_reader on public.feed_edits
  for select to authenticated
  using (
    tenant_id = any (array(select private.tenants_with('feed.read')))
    and case when subject_id = post_id
      then exists (
        select from public.feed_posts p
        where p.tenant_id = feed_edits.tenant_id and p.id = feed_edits.post_id
      )
      else exists (
        select from public.feed_comments c
        where c.tenant_id = feed_edits.tenant_id and c.id = feed_edits.subject_id
      )
    end
  );

alter table public.feed_reactions enable row level security;
create policy feed_reactions_select_reader on public.feed_reactions
  for select to authenticated
  using (
    tenant_id = any (array(select private.tenants_with('feed.read')))
    and (tenant_id, person_id) not in (select u.tenant_id, u.person_id from private.feed_unheard_by_me() u)
    and exists (
      select from public.feed_posts p
      where p.tenant_id = feed_reactions.tenant_id and p.id = feed_reactions.post_id
    )
  );

alter table public.feed_tallies enable row level security;
create policy feed_tallies_select_reader on public.feed_tallies
  for select to authenticated
  using (
    tenant_id = any (array(select private.tenants_with('feed.read')))
    and exists (
      select from public.feed_posts p
      where p.tenant_id = feed_tallies.tenant_id and p.id = feed_tallies.post_id
    )
  );

alter table public.feed_polls enable row level security;
create policy feed_polls_select_reader on public.feed_polls
  for select to authenticated
  using (
    tenant_id = any (array(select private.tenants_with('feed.read')))
    and exists (
      select from public.feed_posts p
      where p.tenant_id = feed_polls.tenant_id and p.id = feed_polls.post_id
    )
  );

alter table public.feed_votes enable row level security;
create policy feed_votes_select_voter on public.feed_votes
  for select to authenticated
  using (
    tenant_id = any (array(select private.tenants_with('feed.read')))
    and person_id = (select private.person())
  );

grant select on
  public.feed_posts, public.feed_comments, public.feed_attachments, public.feed_edits,
  public.feed_reactions, public.feed_tallies, public.feed_polls, public.feed_votes
to authenticated, service_role;

-- A file in attachments is its owner's until a message, a group or a post carries it.
alter policy files_select_member on public.files
  using (
    tenant_id = any (array(select private.tenants_with('tenants.read')))
    and status <> 'deleted'
    and (
      person_id = (select private.person())
      or (
        bucket in ('avatars', 'images') and status = 'released'
        and tenant_id = any (array(select private.tenants_with('files.read')))
      )
      or (
        bucket not in ('exports', 'attachments') and status <> 'pending' and not sealed
        and tenant_id = any (array(select private.tenants_with('files.review')))
      )
      or (
        bucket = 'attachments' and status = 'released' and (
          exists (
            select from public.messaging_attachments a
            where a.tenant_id = files.tenant_id and a.file_id = files.id
          )
          or exists (
            select from public.groups_files s
            where s.tenant_id = files.tenant_id and s.file_id = files.id
          )
          or exists (
            select from public.feed_attachments a
            where a.tenant_id = files.tenant_id and a.file_id = files.id
          )
        )
      )
    )
  );
