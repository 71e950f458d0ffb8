-- Files: what people upload, and who may see it. The row decides, the bytes follow: an object in
-- Storage can be read where its row can, and only the server writes objects, after it looked at the
-- bytes. Every object of a file lies under <tenant>/<person>/<file>/, so its path names its row.

insert into private.audit_actions (name, description)
values
  ('FILE_UPLOADED', 'A file was uploaded'),
  ('FILE_RELEASED', 'A held file was let go'),
  ('FILE_REJECTED', 'A held file was refused'),
  ('FILE_DELETED', 'A file was deleted');

-- Buckets
insert into storage.buckets (id, name, public, file_size_limit, allowed_mime_types)
values
  ('avatars', 'avatars', true, 10485760, array['image/jpeg', 'image/png', 'image/gif', 'image/webp']),
  ('images', 'images', false, 10485760, array['image/jpeg', 'image/png', 'image/gif', 'image/webp']),
  (
    'documents', 'documents', false, 10485760,
    array['application/pdf', 'image/jpeg', 'image/png', 'image/gif', 'image/webp']
  ),
  (
    'attachments', 'attachments', false, 10485760,
    array[
      'application/pdf', 'image/jpeg', 'image/png', 'image/gif', 'image/webp',
      'audio/mpeg', 'audio/mp4', 'audio/ogg', 'audio/wav', 'audio/webm'
    ]
  ),
  ('exports', 'exports', false, 52428800, array['application/json', 'application/zip', 'text/csv'])
on conflict (id) do update
  set public = excluded.public, file_size_limit = excluded.file_size_limit,
    allowed_mime_types = excluded.allowed_mime_types;

-- Permissions
select private.declare_permission(
  'files.read', 'See released pictures', array['admin', 'staff', 'member', 'guest']
);
select private.declare_permission('files.upload', 'Upload files', array['admin', 'staff', 'member']);
select private.declare_permission(
  'files.review', 'See documents and held files, let them go or refuse them', array['admin', 'staff']
);
select private.declare_permission('files.manage', 'Delete files of others', array['admin']);

-- Files
create table public.files (
  tenant_id uuid not null,
  id uuid not null default private.uuid_v7(),
  person_id uuid not null,
  bucket text not null check (bucket in ('avatars', 'images', 'documents', 'attachments', 'exports')),
  name text not null check (name ~ '^[a-z0-9][a-z0-9._-]{0,99}$'),
  path text not null generated always as (
    tenant_id::text || '/' || person_id::text || '/' || id::text || '/' || name
  ) stored,
  content_type text not null,
  size bigint not null check (size > 0),
  derived_size bigint not null default 0 check (derived_size >= 0),
  sha256 text check (sha256 ~ '^[0-9a-f]{64}$'),
  width integer check (width > 0),
  height integer check (height > 0),
  status text not null default 'pending'
    check (status in ('pending', 'held', 'released', 'rejected', 'deleted')),
  hold boolean not null,
  publish boolean not null,
  sealed boolean not null default false,
  created_at timestamptz not null default now(),
  updated_at timestamptz not null default now(),
  primary key (tenant_id, id),
  foreign key (tenant_id, person_id) references public.members (tenant_id, person_id) on delete restrict
);
comment on table public.files is 'An uploaded file: where its bytes are, what they are, and whether others may see them.';
comment on column public.files.status is
  'pending: bytes on their way; held: waits for a reviewer; released; rejected; deleted: the bytes go.';
comment on column public.files.sha256 is 'Of the bytes as they are kept, by the server that kept them; null until they are there.';
comment on column public.files.hold is 'Whether a reviewer looks first, as the tenant wanted when the upload began.';
comment on column public.files.publish is
  'A picture for avatars that is held waits in images, for avatars are open to everybody; released, it moves.';
comment on column public.files.sealed is
  'Here only its owner sees it: whoever else may opens it through the capability that it belongs to.';
create index files_person on public.files (tenant_id, person_id, id desc);
create index files_unfinished on public.files (created_at) where status in ('pending', 'held', 'rejected', 'deleted');

insert into private.transitions (machine, from_state, to_state)
values
  ('files', 'pending', 'held'), ('files', 'pending', 'released'), ('files', 'pending', 'deleted'),
  ('files', 'held', 'released'), ('files', 'held', 'rejected'), ('files', 'held', 'deleted'),
  ('files', 'released', 'deleted'), ('files', 'rejected', 'deleted');

create trigger files_transition before update of status on public.files
  for each row execute function private.enforce_transition();
create trigger files_touch before update on public.files
  for each row execute function private.touch();

-- What is made from a file: the same picture, smaller. It lives and goes with the file.
create table public.files_variants (
  tenant_id uuid not null,
  file_id uuid not null,
  kind text not null check (kind in ('webp', 'thumbnail')),
  path text not null,
  content_type text not null,
  size bigint not null check (size > 0),
  width integer not null check (width > 0),
  height integer not null check (height > 0),
  created_at timestamptz not null default now(),
  primary key (tenant_id, file_id, kind),
  foreign key (tenant_id, file_id) references public.files (tenant_id, id) on delete cascade
);
comment on table public.files_variants is 'Pictures derived from a file, without the place and device that the original may name.';

-- Room: how much a tenant and each person fill
create table private.files_quotas (
  tenant_id uuid primary key references public.tenants (id) on delete cascade,
  bytes bigint not null check (bytes >= 0)
);
comment on table private.files_quotas is 'Room of tenants that have another than the usual one; set by operators.';

create table private.files_usage (
  tenant_id uuid not null references public.tenants (id) on delete cascade,
  owner_id uuid not null,
  bytes bigint not null default 0,
  files bigint not null default 0,
  primary key (tenant_id, owner_id)
);
comment on table private.files_usage is 'What is filled: by a person, and by the whole tenant where owner_id is the tenant''s own id.';

create function private.files_count()
returns trigger
language plpgsql
volatile
security definer -- nobody else writes the usage
set search_path = ''
as $$
declare
  v_file public.files := coalesce(new, old);
  v_before bigint := case when tg_op <> 'INSERT' and old.status <> 'deleted' then old.size + old.derived_size end;
  v_after bigint := case when tg_op <> 'DELETE' and new.status <> 'deleted' then new.size + new.derived_size end;
begin
  -- The tenant's row first, always: whoever counts takes these locks in one order.
  if v_before is distinct from v_after then
    insert into private.files_usage (tenant_id, owner_id)
    values (v_file.tenant_id, v_file.tenant_id), (v_file.tenant_id, v_file.person_id)
    on conflict do nothing;
    update private.files_usage u
    set bytes = u.bytes + coalesce(v_after, 0) - coalesce(v_before, 0),
      files = u.files + (v_after is not null)::int - (v_before is not null)::int
    where u.tenant_id = v_file.tenant_id and u.owner_id = v_file.tenant_id;
    update private.files_usage u
    set bytes = u.bytes + coalesce(v_after, 0) - coalesce(v_before, 0),
      files = u.files + (v_after is not null)::int - (v_before is not null)::int
    where u.tenant_id = v_file.tenant_id and u.owner_id = v_file.person_id;
  end if;
  return null;
end;
$$;
comment on function private.files_count() is 'After insert, update or delete on files: keeps the usage. Deleted files take no room.';

create trigger files_count after insert or update or delete on public.files
  for each row execute function private.files_count();

-- Row level security: own files always; pictures when released; documents and what is held for
-- reviewers; exports and what is sealed for nobody but their owner, and attachments until messaging
-- opens them to whoever sees the message.
alter table public.files enable row level security;
create policy files_select_member on public.files
  for select to authenticated
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
    )
  );

alter table public.files_variants enable row level security;
create policy files_variants_select_member on public.files_variants
  for select to authenticated
  using (
    tenant_id = any (array(select private.tenants_with('tenants.read')))
    and exists (
      select from public.files f
      where f.tenant_id = files_variants.tenant_id and f.id = files_variants.file_id
    )
  );
grant select on public.files, public.files_variants to authenticated, service_role;

-- Storage: who sees the row sees its objects, at signing, reading and listing. There is no policy to
-- insert, update or delete, so no client writes an object past the checks.
create function private.files_id_in(path text, segment integer)
returns uuid
language sql
immutable
security invoker
set search_path = ''
as $$
  select case when pg_input_is_valid(split_part(path, '/', segment), 'uuid')
    then split_part(path, '/', segment)::uuid end;
$$;
comment on function private.files_id_in(text, integer) is 'An id of a path: 1 the tenant''s, 3 the file''s; null where there is none.';
grant execute on function private.files_id_in(text, integer) to authenticated;

create policy objects_select_member on storage.objects
  for select to authenticated
  using (
    bucket_id in ('avatars', 'images', 'documents', 'attachments', 'exports')
    and private.files_id_in(name, 1) = any (array(select private.tenants_with('tenants.read')))
    and exists (
      select from public.files f
      where f.tenant_id = private.files_id_in(objects.name, 1)
        and f.id = private.files_id_in(objects.name, 3) and f.bucket = objects.bucket_id
    )
  );
