-- Groups, moderation: posts can be reported by who reads them. The group's moderators are told beside
-- the tenant's, see the cases of their group and decide them; appeals are the tenant's to decide.

create function private.groups_describe(tenant_id uuid, subject uuid, reporter uuid)
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
  select p.author_id, concat_ws(E'\n', p.title, p.body), private.groups_moderators(p.tenant_id, p.group_id)
  into v_subject
  from public.groups_posts p
  where p.tenant_id = groups_describe.tenant_id and p.id = groups_describe.subject
    and p.deleted_at is null and p.author_id <> groups_describe.reporter
    and private.groups_reads(p.tenant_id, p.group_id, groups_describe.reporter);
  return v_subject;
end;
$$;
comment on function private.groups_describe(uuid, uuid, uuid) is
  'A post of somebody else, as its reporter reads it, blocked authors included.';

create function private.groups_place_of(tenant_id uuid, subject uuid)
returns uuid
language plpgsql
stable
security definer -- reads posts past their policies
set search_path = ''
as $$
#variable_conflict use_column
begin
  return (
    select p.group_id from public.groups_posts p
    where p.tenant_id = groups_place_of.tenant_id and p.id = groups_place_of.subject
  );
end;
$$;
comment on function private.groups_place_of(uuid, uuid) is 'The group that a post is in.';

create function private.groups_remove_reported(tenant_id uuid, subject uuid)
returns jsonb
language plpgsql
volatile
security definer -- nobody else writes posts
set search_path = ''
as $$
#variable_conflict use_column
declare
  v_post public.groups_posts;
begin
  select * into v_post from public.groups_posts p
  where p.tenant_id = groups_remove_reported.tenant_id and p.id = groups_remove_reported.subject
  for no key update;
  if v_post.id is null or v_post.deleted_at is not null then
    return null;
  end if;
  perform private.groups_blank(v_post);
  return jsonb_build_object('title', v_post.title, 'body', v_post.body);
end;
$$;
comment on function private.groups_remove_reported(uuid, uuid) is 'Deletes a reported post; answers what it said.';

create function private.groups_restore_reported(tenant_id uuid, subject uuid, snapshot jsonb)
returns void
language plpgsql
volatile
security definer -- nobody else writes posts
set search_path = ''
as $$
#variable_conflict use_column
begin
  update public.groups_posts p
  set title = snapshot ->> 'title', body = snapshot ->> 'body', deleted_at = null, version = p.version + 1
  where p.tenant_id = groups_restore_reported.tenant_id and p.id = groups_restore_reported.subject
    and p.deleted_at is not null and snapshot ->> 'body' is not null;
end;
$$;
comment on function private.groups_restore_reported(uuid, uuid, jsonb) is
  'Has a post that was removed say again what it said.';

select private.declare_reportable(
  'groups.post', 'groups_describe', 'groups_remove_reported', 'groups_restore_reported', 'groups_place_of'
);

-- What stands in a group is its moderators' to judge, too.
alter policy moderation_cases_select_concerned on public.moderation_cases
  using (
    tenant_id = any (array(select private.tenants_with('moderation.review')))
    or (
      tenant_id = any (array(select private.tenants_with('tenants.read')))
      and author_id = (select private.person()) and status not in ('open', 'dismissed')
    )
    or (
      tenant_id = any (array(select private.tenants_with('groups.read')))
      and place_id = any (array(select private.groups_moderated()))
    )
  );
