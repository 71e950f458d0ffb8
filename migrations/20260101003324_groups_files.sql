-- Groups, files: what members share. The file stays its owner's; the group shows it while it is shared.

create function public.groups_share_file(tenant_id uuid, group_id uuid, file uuid)
returns public.groups_files
language plpgsql
volatile
security definer -- clients may not write files of groups
set search_path = ''
as $$
#variable_conflict use_column
declare
  v_me uuid := private.require(groups_share_file.tenant_id, 'groups.join');
  v_group public.groups := private.groups_seen(groups_share_file.tenant_id, groups_share_file.group_id, v_me);
  v_shared public.groups_files;
begin
  perform private.groups_require_member(v_group, v_me);
  if not exists (
    select from public.files f
    where f.tenant_id = v_group.tenant_id and f.id = groups_share_file.file and f.person_id = v_me
      and f.bucket = 'attachments' and f.status = 'released'
  ) then
    raise sqlstate 'PT404' using message = 'files.not_found', detail = 'file: your own, in attachments';
  end if;
  insert into public.groups_files (tenant_id, group_id, file_id, added_by)
  values (v_group.tenant_id, v_group.id, groups_share_file.file, v_me)
  on conflict do nothing;
  select * into v_shared from public.groups_files f
  where f.tenant_id = v_group.tenant_id and f.group_id = v_group.id and f.file_id = groups_share_file.file;
  return v_shared;
end;
$$;
comment on function public.groups_share_file(uuid, uuid, uuid) is
  'Shows a file of the caller''s in attachments to whoever reads in the group (permission groups.join). Raises groups.not_found, groups.role_missing, groups.closed, files.not_found.';
grant execute on function public.groups_share_file(uuid, uuid, uuid) to authenticated;

create function public.groups_unshare_file(tenant_id uuid, group_id uuid, file uuid)
returns public.groups_files
language plpgsql
volatile
security definer -- clients may not write files of groups
set search_path = ''
as $$
#variable_conflict use_column
declare
  v_me uuid := private.require(groups_unshare_file.tenant_id, 'groups.read');
  v_group public.groups := private.groups_seen(groups_unshare_file.tenant_id, groups_unshare_file.group_id, v_me);
  v_shared public.groups_files;
begin
  select * into v_shared from public.groups_files f
  where f.tenant_id = v_group.tenant_id and f.group_id = v_group.id and f.file_id = groups_unshare_file.file;
  if not found or not private.groups_reads(v_group.tenant_id, v_group.id, v_me) then
    raise sqlstate 'PT404' using message = 'files.not_found';
  elsif v_shared.added_by <> v_me then
    perform private.groups_require_role(v_group, v_me, array['owner', 'moderator']);
  end if;
  delete from public.groups_files f
  where f.tenant_id = v_shared.tenant_id and f.group_id = v_shared.group_id and f.file_id = v_shared.file_id;
  return v_shared;
end;
$$;
comment on function public.groups_unshare_file(uuid, uuid, uuid) is
  'Takes a shared file out of the group, by who shared it or who moderates; the file itself stays its owner''s (permission groups.read). Raises groups.not_found, groups.role_missing, files.not_found.';
grant execute on function public.groups_unshare_file(uuid, uuid, uuid) to authenticated;
