-- Files, life: reviewers let go or refuse what is held; deleting and erasing reach every object of a
-- file, by a job that ends with the row itself.

create function private.files_require_review(tenant_id uuid, file uuid)
returns public.files
language plpgsql
volatile
security definer -- locks a file past its policies
set search_path = ''
as $$
#variable_conflict use_column
declare
  v_file public.files;
begin
  if not private.is_system() then
    perform private.require(files_require_review.tenant_id, 'files.review');
  end if;
  v_file := private.files_lock(files_require_review.tenant_id, files_require_review.file);
  if v_file.bucket = 'exports' or v_file.status in ('pending', 'deleted')
    or (v_file.sealed and not private.is_system())
  then
    raise sqlstate 'PT404' using message = 'files.not_found';
  end if;
  return v_file;
end;
$$;
comment on function private.files_require_review(uuid, uuid) is
  'The file, locked, for a reviewer (permission files.review) or the secret key of a scanner. Raises files.not_found.';

create function public.files_release(tenant_id uuid, file uuid)
returns public.files
language plpgsql
volatile
security definer -- nobody else writes files
set search_path = ''
as $$
#variable_conflict use_column
declare
  v_file public.files := private.files_require_review(files_release.tenant_id, files_release.file);
begin
  if v_file.status <> 'held' then
    raise sqlstate 'PT409' using message = 'request.transition_refused', detail = 'files: ' || v_file.status;
  end if;
  update public.files f set status = 'released'
  where f.tenant_id = v_file.tenant_id and f.id = v_file.id
  returning * into v_file;
  if v_file.publish then
    perform private.enqueue(
      'files.publish', jsonb_build_object('file', v_file.id), v_file.tenant_id,
      'files:' || v_file.id, 'files.publish:' || v_file.id
    );
  end if;
  perform private.audit('FILE_RELEASED', 'files:' || v_file.id, null, null, v_file.tenant_id);
  return v_file;
end;
$$;
comment on function public.files_release(uuid, uuid) is
  'Lets a held file go (permission files.review; or a scanner by the secret key). Raises files.not_found, request.transition_refused.';
grant execute on function public.files_release(uuid, uuid) to authenticated, service_role;

create function public.files_reject(tenant_id uuid, file uuid)
returns public.files
language plpgsql
volatile
security definer -- nobody else writes files
set search_path = ''
as $$
#variable_conflict use_column
declare
  v_file public.files := private.files_require_review(files_reject.tenant_id, files_reject.file);
begin
  update public.files f set status = 'rejected'
  where f.tenant_id = v_file.tenant_id and f.id = v_file.id
  returning * into v_file;
  perform private.audit('FILE_REJECTED', 'files:' || v_file.id, null, null, v_file.tenant_id);
  perform private.notify(
    v_file.person_id, 'files.rejected',
    jsonb_build_object(
      'file_id', v_file.id, 'name', v_file.name, 'about', 'files:' || v_file.id
    ),
    v_file.tenant_id
  );
  return v_file;
end;
$$;
comment on function public.files_reject(uuid, uuid) is
  'Refuses a held file (permission files.review; or a scanner by the secret key); it goes after 30 days. Raises files.not_found, request.transition_refused.';
grant execute on function public.files_reject(uuid, uuid) to authenticated, service_role;

create function public.files_published(tenant_id uuid, file uuid)
returns public.files
language plpgsql
volatile
security definer -- nobody else writes files
set search_path = ''
as $$
#variable_conflict use_column
declare
  v_file public.files := private.files_lock(files_published.tenant_id, files_published.file);
begin
  update public.files f set bucket = 'avatars', publish = false
  where f.tenant_id = v_file.tenant_id and f.id = v_file.id and f.publish and f.status = 'released'
  returning * into v_file;
  return v_file;
end;
$$;
comment on function public.files_published(uuid, uuid) is
  'For the worker: the objects of a released picture now lie in avatars. Raises files.not_found.';
grant execute on function public.files_published(uuid, uuid) to service_role;

-- Going
create function private.files_discard(file public.files)
returns public.files
language plpgsql
volatile
security definer -- nobody else writes files
set search_path = ''
as $$
#variable_conflict use_column
declare
  v_file public.files;
begin
  update public.files f set status = 'deleted'
  where f.tenant_id = file.tenant_id and f.id = file.id
  returning * into v_file;
  perform private.enqueue(
    'files.remove', jsonb_build_object('file', v_file.id), v_file.tenant_id,
    'files:' || v_file.id, 'files.remove:' || v_file.id
  );
  return v_file;
end;
$$;
comment on function private.files_discard(public.files) is
  'Closes a file to everybody at once; a job removes all its objects, and then the row.';

create function public.files_delete(tenant_id uuid, file uuid)
returns public.files
language plpgsql
volatile
security definer -- nobody else writes files
set search_path = ''
as $$
#variable_conflict use_column
declare
  v_person uuid := private.require_member(files_delete.tenant_id);
  v_file public.files := private.files_lock(files_delete.tenant_id, files_delete.file);
begin
  if v_file.status = 'deleted' then
    raise sqlstate 'PT404' using message = 'files.not_found';
  elsif v_file.person_id <> v_person then
    if v_file.bucket = 'exports' then
      raise sqlstate 'PT404' using message = 'files.not_found';
    end if;
    perform private.require(files_delete.tenant_id, 'files.manage');
  end if;
  v_file := private.files_discard(v_file);
  perform private.audit('FILE_DELETED', 'files:' || v_file.id, null, null, v_file.tenant_id);
  return v_file;
end;
$$;
comment on function public.files_delete(uuid, uuid) is
  'Deletes an own file, or another''s (permission files.manage), with all that was made from it. Raises files.not_found, members.permission_denied.';
grant execute on function public.files_delete(uuid, uuid) to authenticated;

create function public.files_abandon(tenant_id uuid, file uuid)
returns public.files
language sql
volatile
security definer -- nobody else writes files
set search_path = ''
as $$
  select * from private.files_discard(private.files_lock(files_abandon.tenant_id, files_abandon.file));
$$;
comment on function public.files_abandon(uuid, uuid) is 'For the server: an upload failed after it was begun. Raises files.not_found.';
grant execute on function public.files_abandon(uuid, uuid) to service_role;

create function public.files_removed(tenant_id uuid, file uuid)
returns boolean
language plpgsql
volatile
security definer -- nobody else writes files
set search_path = ''
as $$
#variable_conflict use_column
begin
  delete from public.files f
  where f.tenant_id = files_removed.tenant_id and f.id = files_removed.file and f.status = 'deleted';
  return found;
end;
$$;
comment on function public.files_removed(uuid, uuid) is
  'For the worker: the objects of a deleted file are gone, so its row goes, too. False when there is none.';
grant execute on function public.files_removed(uuid, uuid) to service_role;

create function private.files_erase(person uuid, tenant_id uuid default null)
returns integer
language plpgsql
volatile
security definer -- nobody else writes files
set search_path = ''
as $$
#variable_conflict use_column
declare
  v_file public.files;
  v_count integer := 0;
begin
  for v_file in
    select * from public.files f
    where f.person_id = files_erase.person and f.status <> 'deleted'
      and (files_erase.tenant_id is null or f.tenant_id = files_erase.tenant_id)
    order by f.tenant_id, f.id
    for no key update
  loop
    perform private.files_discard(v_file);
    v_count := v_count + 1;
  end loop;
  return v_count;
end;
$$;
comment on function private.files_erase(uuid, uuid) is
  'Deletes every file of a person, everywhere or in one tenant, and says how many there were.';

create function private.files_on_person_erased()
returns trigger
language plpgsql
volatile
security definer -- people may not write files
set search_path = ''
as $$
begin
  perform private.files_erase(new.id);
  return null;
end;
$$;
comment on function private.files_on_person_erased() is 'After a person is erased: their files go, with all that was made from them.';

create trigger files_on_person_erased after update of erased_at on public.people
  for each row when (old.erased_at is null and new.erased_at is not null)
  execute function private.files_on_person_erased();

create function private.files_sweep()
returns integer
language plpgsql
volatile
security definer -- nobody else writes files
set search_path = ''
as $$
declare
  v_file public.files;
  v_count integer := 0;
begin
  for v_file in
    select * from public.files f
    where (f.status = 'pending' and f.created_at < now() - interval '1 hour')
      or (f.status = 'rejected' and f.updated_at < now() - interval '30 days')
      or (f.status = 'deleted' and f.updated_at < now() - interval '1 hour')
    order by f.tenant_id, f.id
    limit 500
    for no key update skip locked
  loop
    perform private.files_discard(v_file);
    v_count := v_count + 1;
  end loop;
  return v_count;
end;
$$;
comment on function private.files_sweep() is
  'Discards uploads that never came to an end and refused files after 30 days; asks again for removals that failed.';

select private.schedule('files-sweep', '7-59/15 * * * *', 'select private.files_sweep()');
