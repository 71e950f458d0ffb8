-- Files, acts: an upload is begun (rights, room, a path), its bytes are checked and kept by the
-- server, and it is finished: released, or held where the tenant wants to look first.

create function private.files_setting(tenant_id uuid, name text)
returns jsonb
language sql
stable
security definer -- reads the tenant's settings for whoever uploads
set search_path = ''
as $$
  select t.settings -> 'files' -> files_setting.name
  from public.tenants t where t.id = files_setting.tenant_id;
$$;
comment on function private.files_setting(uuid, text) is
  'tenants.settings.files: hold (true, or a list of buckets) and person_bytes.';

create function private.files_holds(tenant_id uuid, bucket text)
returns boolean
language sql
stable
security invoker
set search_path = ''
as $$
  select coalesce(s.hold = 'true' or (jsonb_typeof(s.hold) = 'array' and s.hold ? files_holds.bucket), false)
  from (select private.files_setting(files_holds.tenant_id, 'hold') as hold) s;
$$;
comment on function private.files_holds(uuid, text) is 'Whether the tenant looks at uploads into the bucket before others see them.';

create function private.files_tenant_room(tenant_id uuid)
returns bigint
language sql
stable
security invoker
set search_path = ''
as $$
  -- 10 GiB
  select coalesce((select q.bytes from private.files_quotas q where q.tenant_id = files_tenant_room.tenant_id), 10737418240);
$$;
comment on function private.files_tenant_room(uuid) is 'How many bytes the tenant may fill.';

create function private.files_person_room(tenant_id uuid)
returns bigint
language sql
stable
security invoker
set search_path = ''
as $$
  -- 500 MiB, unless the tenant says a sensible number
  select case
    when jsonb_typeof(s.room) = 'number' and s.room::numeric between 0 and 1e15 then s.room::numeric::bigint
    else 524288000
  end
  from (select private.files_setting(files_person_room.tenant_id, 'person_bytes') as room) s;
$$;
comment on function private.files_person_room(uuid) is 'How many bytes one person may fill in the tenant.';

create function private.files_require_room(tenant_id uuid, person uuid, bytes bigint)
returns void
language plpgsql
volatile
security definer -- nobody else reads the usage
set search_path = ''
as $$
#variable_conflict use_column
declare
  v_used bigint;
begin
  insert into private.files_usage (tenant_id, owner_id)
  values (files_require_room.tenant_id, files_require_room.tenant_id), (files_require_room.tenant_id, person)
  on conflict do nothing;

  -- Locked until commit: of two uploads into the last room, the second sees the first.
  select u.bytes into v_used from private.files_usage u
  where u.tenant_id = files_require_room.tenant_id and u.owner_id = files_require_room.tenant_id
  for no key update;
  if v_used + files_require_room.bytes > private.files_tenant_room(files_require_room.tenant_id) then
    raise sqlstate 'PT409' using message = 'files.quota_exceeded', detail = 'tenant';
  end if;
  select u.bytes into v_used from private.files_usage u
  where u.tenant_id = files_require_room.tenant_id and u.owner_id = person
  for no key update;
  if v_used + files_require_room.bytes > private.files_person_room(files_require_room.tenant_id) then
    raise sqlstate 'PT409' using message = 'files.quota_exceeded', detail = 'person';
  end if;
end;
$$;
comment on function private.files_require_room(uuid, uuid, bigint) is
  'Raises files.quota_exceeded, the detail says whose, unless so many bytes fit.';

create function private.files_check_bucket(bucket text, content_type text, size bigint)
returns void
language plpgsql
stable
security definer -- reads storage.buckets
set search_path = ''
as $$
#variable_conflict use_column
declare
  v_bucket storage.buckets;
begin
  select * into v_bucket from storage.buckets b where b.id = files_check_bucket.bucket;
  if not files_check_bucket.content_type = any (v_bucket.allowed_mime_types) then
    raise sqlstate 'PT415' using
      message = 'files.type_unsupported', detail = files_check_bucket.content_type;
  elsif files_check_bucket.size > v_bucket.file_size_limit then
    raise sqlstate 'PT413' using
      message = 'files.too_large', detail = format('at most %s bytes', v_bucket.file_size_limit);
  end if;
end;
$$;
comment on function private.files_check_bucket(text, text, bigint) is
  'Whether the bucket takes such a file. Raises files.type_unsupported, files.too_large.';

create function private.files_reserve(
  tenant_id uuid, person uuid, bucket text, name text, content_type text, size bigint,
  width integer, height integer, hold boolean, sealed boolean default false
)
returns public.files
language plpgsql
volatile
security definer -- nobody else writes files
set search_path = ''
as $$
#variable_conflict use_column
declare
  v_file public.files;
  -- What waits for a reviewer must not lie where everybody can read.
  v_publish boolean := files_reserve.hold and files_reserve.bucket = 'avatars';
begin
  perform private.files_check_bucket(
    files_reserve.bucket, files_reserve.content_type, files_reserve.size
  );
  perform private.files_require_room(files_reserve.tenant_id, person, files_reserve.size);

  insert into public.files
    (tenant_id, person_id, bucket, hold, publish, sealed, name, content_type, size, width, height)
  values (
    files_reserve.tenant_id, person,
    case when v_publish then 'images' else files_reserve.bucket end, files_reserve.hold, v_publish,
    files_reserve.sealed, files_reserve.name, files_reserve.content_type, files_reserve.size,
    files_reserve.width, files_reserve.height
  )
  returning * into v_file;
  return v_file;
end;
$$;
comment on function private.files_reserve(uuid, uuid, text, text, text, bigint, integer, integer, boolean, boolean) is
  'Makes the row of a file whose bytes are about to come; sealed: only its owner sees it among the files. Raises files.type_unsupported, files.too_large, files.quota_exceeded.';

create function private.files_check_upload(name text, content_type text, size bigint, width integer, height integer)
returns void
language plpgsql
immutable
security invoker
set search_path = ''
as $$
declare
  v_fault text := case
    when coalesce(files_check_upload.name !~ '^[a-z0-9][a-z0-9._-]{0,99}$', true) then 'name'
    when files_check_upload.content_type is null then 'content_type'
    when coalesce(files_check_upload.size < 1, true) then 'size'
    when least(files_check_upload.width, files_check_upload.height) < 1 then 'width, height'
  end;
begin
  if v_fault is not null then
    raise sqlstate 'PT422' using message = 'request.invalid', detail = v_fault;
  end if;
end;
$$;
comment on function private.files_check_upload(text, text, bigint, integer, integer) is
  'Raises request.invalid for what no upload can be announced with.';

create function public.files_begin(
  tenant_id uuid, bucket text, name text, content_type text, size bigint,
  width integer default null, height integer default null
)
returns public.files
language plpgsql
volatile
security definer -- nobody else writes files
set search_path = ''
as $$
#variable_conflict use_column
declare
  v_person uuid := private.require(files_begin.tenant_id, 'files.upload');
  -- Who may let files go need not ask themselves.
  v_hold boolean := private.files_holds(files_begin.tenant_id, files_begin.bucket)
    and not private.can(files_begin.tenant_id, 'files.review');
begin
  if files_begin.bucket is null or files_begin.bucket not in ('avatars', 'images', 'documents', 'attachments') then
    raise sqlstate 'PT422' using message = 'request.invalid', detail = 'bucket: avatars, images, documents or attachments';
  end if;
  perform private.files_check_upload(
    files_begin.name, files_begin.content_type, files_begin.size, files_begin.width, files_begin.height
  );
  return private.files_reserve(
    files_begin.tenant_id, v_person, files_begin.bucket, files_begin.name, files_begin.content_type,
    files_begin.size, files_begin.width, files_begin.height, v_hold
  );
end;
$$;
comment on function public.files_begin(uuid, text, text, text, bigint, integer, integer) is
  'Takes room and a path for an upload of the caller (permission files.upload); the server alone writes its bytes. Raises files.type_unsupported, files.too_large, files.quota_exceeded, request.invalid.';
grant execute on function public.files_begin(uuid, text, text, text, bigint, integer, integer) to authenticated;

create function private.files_lock(tenant_id uuid, file uuid)
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
  select * into v_file from public.files f
  where f.tenant_id = files_lock.tenant_id and f.id = files_lock.file
  for no key update;
  if not found then
    raise sqlstate 'PT404' using message = 'files.not_found';
  end if;
  return v_file;
end;
$$;
comment on function private.files_lock(uuid, uuid) is 'The file, locked. Raises files.not_found.';

create function public.files_add_variant(
  tenant_id uuid, file uuid, kind text, path text, content_type text, size bigint,
  width integer, height integer
)
returns public.files
language plpgsql
volatile
security definer -- nobody else writes files
set search_path = ''
as $$
#variable_conflict use_column
declare
  v_file public.files := private.files_lock(files_add_variant.tenant_id, files_add_variant.file);
begin
  if v_file.status = 'deleted' then
    raise sqlstate 'PT404' using message = 'files.not_found';
  end if;
  insert into public.files_variants (tenant_id, file_id, kind, path, content_type, size, width, height)
  values (
    v_file.tenant_id, v_file.id, files_add_variant.kind, files_add_variant.path,
    files_add_variant.content_type, files_add_variant.size, files_add_variant.width, files_add_variant.height
  )
  on conflict (tenant_id, file_id, kind) do update
    set path = excluded.path, content_type = excluded.content_type, size = excluded.size,
      width = excluded.width, height = excluded.height;
  update public.files f
  set derived_size = (
    select sum(v.size) from public.files_variants v
    where v.tenant_id = v_file.tenant_id and v.file_id = v_file.id
  )
  where f.tenant_id = v_file.tenant_id and f.id = v_file.id
  returning * into v_file;
  return v_file;
end;
$$;
comment on function public.files_add_variant(uuid, uuid, text, text, text, bigint, integer, integer) is
  'For the server: notes a picture derived from the file, once a kind. Raises files.not_found, also for deleted ones.';
grant execute on function public.files_add_variant(uuid, uuid, text, text, text, bigint, integer, integer) to service_role;

create function public.files_finish(tenant_id uuid, file uuid, sha256 text default null)
returns public.files
language plpgsql
volatile
security definer -- nobody else writes files
set search_path = ''
as $$
#variable_conflict use_column
declare
  v_file public.files := private.files_lock(files_finish.tenant_id, files_finish.file);
begin
  -- Finished again it would be of other bytes than were looked at.
  if v_file.status <> 'pending' then
    raise sqlstate 'PT409' using message = 'request.transition_refused', detail = 'files: ' || v_file.status;
  end if;
  update public.files f
  set status = case when v_file.hold then 'held' else 'released' end, sha256 = files_finish.sha256
  where f.tenant_id = v_file.tenant_id and f.id = v_file.id
  returning * into v_file;
  perform private.audit(
    'FILE_UPLOADED', 'files:' || v_file.id, null,
    jsonb_build_object('bucket', v_file.bucket, 'content_type', v_file.content_type, 'size', v_file.size),
    v_file.tenant_id, v_file.person_id
  );
  if v_file.content_type in ('image/jpeg', 'image/png', 'image/webp') then
    perform private.enqueue(
      'files.thumbnail', jsonb_build_object('file', v_file.id), v_file.tenant_id,
      'files:' || v_file.id, 'files.thumbnail:' || v_file.id
    );
  end if;
  return v_file;
end;
$$;
comment on function public.files_finish(uuid, uuid, text) is
  'For the server: the bytes are there, so the file is released, or held where the tenant looks first. Raises files.not_found, request.transition_refused.';
grant execute on function public.files_finish(uuid, uuid, text) to service_role;
