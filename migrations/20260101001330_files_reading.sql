-- Files, reading: where the bytes are, for whoever may see the file, and how much room is left.

create function private.files_require_member(tenant_id uuid)
returns void
language plpgsql
stable
security definer -- asks private.require, which reads members past their policies
set search_path = ''
as $$
begin
  perform private.require(files_require_member.tenant_id, 'tenants.read');
end;
$$;
comment on function private.files_require_member(uuid) is
  'For functions that read by the caller''s own policies: says why there is nothing to see.';
grant execute on function private.files_require_member(uuid) to authenticated;

create type public.file_location as (
  bucket text,
  path text,
  content_type text,
  public boolean
);

create function public.files_locate(tenant_id uuid, file uuid, variant text default null)
returns public.file_location
language plpgsql
stable
security invoker
set search_path = ''
as $$
#variable_conflict use_column
declare
  v_location public.file_location;
begin
  perform private.files_require_member(files_locate.tenant_id);
  select f.bucket, coalesce(v.path, f.path), coalesce(v.content_type, f.content_type), f.bucket = 'avatars'
  into v_location
  from public.files f
  left join public.files_variants v
    on v.tenant_id = f.tenant_id and v.file_id = f.id and v.kind = files_locate.variant
  where f.tenant_id = files_locate.tenant_id and f.id = files_locate.file and f.status <> 'pending'
    and (files_locate.variant is null or v.kind is not null);
  if not found then
    raise sqlstate 'PT404' using message = 'files.not_found';
  end if;
  return v_location;
end;
$$;
comment on function public.files_locate(uuid, uuid, text) is
  'Where a file that the caller may see, or its variant (webp, thumbnail), lies in Storage. Raises files.not_found.';
grant execute on function public.files_locate(uuid, uuid, text) to authenticated;

create type public.files_room as (
  person_used bigint,
  person_room bigint,
  tenant_used bigint,
  tenant_room bigint
);

create function public.files_usage(tenant_id uuid)
returns public.files_room
language plpgsql
stable
security definer -- nobody else reads the usage
set search_path = ''
as $$
#variable_conflict use_column
declare
  v_person uuid := private.require(files_usage.tenant_id, 'files.upload');
  v_room public.files_room;
begin
  select coalesce(sum(u.bytes) filter (where u.owner_id = v_person), 0),
    private.files_person_room(files_usage.tenant_id),
    coalesce(sum(u.bytes) filter (where u.owner_id = files_usage.tenant_id), 0),
    private.files_tenant_room(files_usage.tenant_id)
  into v_room
  from private.files_usage u
  where u.tenant_id = files_usage.tenant_id and u.owner_id in (v_person, files_usage.tenant_id);
  return v_room;
end;
$$;
comment on function public.files_usage(uuid) is
  'How many bytes the caller and the tenant have filled, and how many they may (permission files.upload).';
grant execute on function public.files_usage(uuid) to authenticated;

create function public.files_set_quota(tenant_id uuid, bytes bigint)
returns bigint
language plpgsql
volatile
security definer -- nobody else writes the quotas
set search_path = ''
as $$
#variable_conflict use_column
begin
  if not private.is_system() then
    perform private.require(private.platform(), 'tenants.create');
  end if;
  if files_set_quota.bytes < 0 then
    raise sqlstate 'PT422' using message = 'request.invalid', detail = 'bytes';
  elsif not exists (select from public.tenants t where t.id = files_set_quota.tenant_id) then
    raise sqlstate 'PT404' using message = 'tenants.not_found';
  end if;
  if files_set_quota.bytes is null then
    delete from private.files_quotas q where q.tenant_id = files_set_quota.tenant_id;
  else
    insert into private.files_quotas (tenant_id, bytes)
    values (files_set_quota.tenant_id, files_set_quota.bytes)
    on conflict (tenant_id) do update set bytes = excluded.bytes;
  end if;
  return private.files_tenant_room(files_set_quota.tenant_id);
end;
$$;
comment on function public.files_set_quota(uuid, bigint) is
  'Gives a tenant another room for files, null the usual one; for the secret key and operators. Raises tenants.not_found, request.invalid.';
grant execute on function public.files_set_quota(uuid, bigint) to authenticated, service_role;

create function public.files_read(tenant_id uuid, file uuid)
returns setof public.files
language sql
stable
security invoker
set search_path = ''
as $$
  select * from public.files f where f.tenant_id = files_read.tenant_id and f.id = files_read.file;
$$;
comment on function public.files_read(uuid, uuid) is 'For the worker: the file of a job, none when it is gone.';
grant execute on function public.files_read(uuid, uuid) to service_role;

-- Figures
select private.declare_metric(
  'files_stored_bytes', 'gauge', 'Bytes that files of all tenants take, what is derived from them included.',
  $$select coalesce(sum(u.bytes), 0) as value, '{}'::jsonb as labels
    from private.files_usage u where u.owner_id = u.tenant_id$$
);
select private.declare_metric(
  'files_held', 'gauge', 'Files that wait for a reviewer.',
  $$select count(*) as value, '{}'::jsonb as labels from public.files f where f.status = 'held'$$
);
