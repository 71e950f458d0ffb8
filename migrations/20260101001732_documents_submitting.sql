-- Documents, handing in: the person says what they bring, the server keeps the bytes and their digest,
-- and the document waits. Applicants may, too: it is how they become members.

create function private.documents_tenant(tenant text)
returns uuid
language plpgsql
stable
security definer -- applicants see neither tenant nor members
set search_path = ''
as $$
#variable_conflict use_column
declare
  v_tenants uuid[];
begin
  if documents_tenant.tenant is not null then
    return (select t.id from public.tenants t where t.slug = documents_tenant.tenant);
  end if;
  select array_agg(m.tenant_id) into v_tenants
  from public.members m where m.person_id = private.person() and m.status in ('active', 'pending');
  if cardinality(v_tenants) > 1 then
    raise sqlstate 'PT400' using message = 'tenants.ambiguous';
  end if;
  return v_tenants[1];
end;
$$;
comment on function private.documents_tenant(text) is
  'The tenant with this slug, else the only one that the caller is or wants to be in; null where there is none. Raises tenants.ambiguous.';

create function private.documents_require_person(tenant_id uuid)
returns uuid
language plpgsql
stable
security definer -- reads pending memberships past their policies
set search_path = ''
as $$
#variable_conflict use_column
declare
  v_module_on boolean;
begin
  select 'documents' = any (t.modules) into v_module_on
  from public.members m
  join public.tenants t on t.id = m.tenant_id
  where m.tenant_id = documents_require_person.tenant_id and m.person_id = private.person()
    and m.status = 'pending';
  if not found then
    return private.require(documents_require_person.tenant_id, 'documents.submit');
  elsif not v_module_on then
    raise sqlstate 'PT404' using message = 'tenants.module_off', detail = 'documents';
  end if;
  -- Who is no member yet has no rights that a session could stand for a part of.
  return private.require_person();
end;
$$;
comment on function private.documents_require_person(uuid) is
  'The caller, a member with documents.submit or one who waits to become a member. Raises auth.*, tenants.not_found, tenants.module_off, members.not_active, members.permission_denied.';

create function private.documents_check_stated(wanted public.documents_types, stated jsonb)
returns void
language plpgsql
stable
security invoker
set search_path = ''
as $$
declare
  v_name text := btrim(stated ->> 'name');
  v_birth text := stated ->> 'birth_date';
  v_fault text := case
    when stated is not null and jsonb_typeof(stated) <> 'object' then 'stated: an object is wanted'
    when exists (select from jsonb_object_keys(stated) k where k not in ('name', 'birth_date'))
      then 'stated: name, birth_date'
    when 'name' = any (wanted.must_match) and v_name is null
      or char_length(v_name) not between 1 and 120 then 'stated: name'
    when 'birth_date' = any (wanted.must_match) and v_birth is null
      or v_birth !~ '^\d{4}-\d{2}-\d{2}$' or not pg_input_is_valid(v_birth, 'date')
      or v_birth > to_char(now(), 'YYYY-MM-DD') then 'stated: birth_date'
  end;
begin
  if v_fault is not null then
    raise sqlstate 'PT422' using message = 'request.invalid', detail = v_fault;
  end if;
end;
$$;
comment on function private.documents_check_stated(public.documents_types, jsonb) is
  'Raises request.invalid unless the person states what the type wants confirmed: { name, birth_date }.';

create function private.documents_next(wanted public.documents_types, person uuid)
returns public.documents
language plpgsql
stable
security definer -- reads documents past their policies
set search_path = ''
as $$
#variable_conflict use_column
declare
  v_document public.documents;
begin
  select * into v_document from public.documents d
  where d.tenant_id = wanted.tenant_id and d.person_id = documents_next.person and d.type = wanted.slug
    and d.status in ('submitted', 'in_review', 'resubmission_wanted');
  if v_document.status in ('submitted', 'in_review') then
    raise sqlstate 'PT409' using message = 'documents.already_submitted', detail = v_document.id::text;
  elsif found then
    v_document.attempt := v_document.attempt + 1;
    return v_document;
  end if;

  -- Handing in anew after a refusal counts on, or the cap would be none; after 90 days nobody is held
  -- to what they once brought.
  select coalesce(max(d.attempt), 0) + 1 into v_document.attempt
  from public.documents d
  where d.tenant_id = wanted.tenant_id and d.person_id = documents_next.person and d.type = wanted.slug
    and d.status in ('rejected', 'withdrawn') and d.created_at > now() - interval '90 days'
    and d.created_at > coalesce(
      (
        select max(approved.decided_at) from public.documents approved
        where approved.tenant_id = d.tenant_id and approved.person_id = d.person_id
          and approved.type = d.type and approved.status in ('approved', 'expired', 'replaced')
      ),
      '-infinity'
    );
  if v_document.attempt > wanted.max_submissions then
    raise sqlstate 'PT409' using
      message = 'documents.submissions_exhausted', detail = wanted.max_submissions::text;
  end if;
  v_document.tenant_id := wanted.tenant_id;
  v_document.person_id := documents_next.person;
  v_document.type := wanted.slug;
  return v_document;
end;
$$;
comment on function private.documents_next(public.documents_types, uuid) is
  'The document that the person hands in next, with its attempt: one that is wanted again, or a new one without an id. Raises documents.already_submitted, documents.submissions_exhausted.';

create function private.documents_require_type(tenant_id uuid, type text)
returns public.documents_types
language plpgsql
stable
security definer -- reads types past their policies
set search_path = ''
as $$
#variable_conflict use_column
declare
  v_type public.documents_types;
begin
  select * into v_type from public.documents_types t
  where t.tenant_id = documents_require_type.tenant_id and t.slug = documents_require_type.type and t.active;
  if not found then
    raise sqlstate 'PT422' using
      message = 'documents.type_unknown', detail = coalesce(documents_require_type.type, 'null');
  end if;
  return v_type;
end;
$$;
comment on function private.documents_require_type(uuid, text) is
  'The type, if the tenant wants such documents at present. Raises documents.type_unknown.';

create function private.documents_reserve(
  wanted public.documents_types, person uuid, stated jsonb, enclosure uuid,
  name text, content_type text, size bigint, width integer, height integer
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
begin
  perform private.files_check_upload(
    documents_reserve.name, documents_reserve.content_type, documents_reserve.size,
    documents_reserve.width, documents_reserve.height
  );
  perform private.documents_next(wanted, documents_reserve.person);
  v_file := private.files_reserve(
    wanted.tenant_id, documents_reserve.person, 'documents', documents_reserve.name,
    documents_reserve.content_type, documents_reserve.size, documents_reserve.width,
    documents_reserve.height, private.files_holds(wanted.tenant_id, 'documents'), sealed => true
  );
  insert into private.documents_uploads (tenant_id, file_id, type, stated, enclosure_id)
  values (
    wanted.tenant_id, v_file.id, wanted.slug, documents_reserve.stated, documents_reserve.enclosure
  );
  return v_file;
end;
$$;
comment on function private.documents_reserve(public.documents_types, uuid, jsonb, uuid, text, text, bigint, integer, integer) is
  'Takes room and a path for a scan of the person''s, and keeps what they state, and what it was enclosed as, if it was. Raises documents.already_submitted, documents.submissions_exhausted, request.invalid, and what files_reserve does.';

create function public.documents_begin(
  type text, name text, content_type text, size bigint, tenant text default null,
  width integer default null, height integer default null, stated jsonb default null
)
returns public.files
language plpgsql
volatile
security definer -- nobody else writes files, and applicants have no other right
set search_path = ''
as $$
#variable_conflict use_column
declare
  v_tenant uuid := private.documents_tenant(documents_begin.tenant);
  v_person uuid := private.documents_require_person(v_tenant);
  v_type public.documents_types := private.documents_require_type(v_tenant, documents_begin.type);
begin
  -- Nor does anybody bring for another what they might then approve themselves.
  perform private.require_no_impersonation();
  perform private.documents_check_stated(v_type, documents_begin.stated);
  -- Who is not admitted yet must not fill the tenant's room with what never arrives.
  perform private.require_rate('documents:' || v_person, 20, interval '1 hour');
  return private.documents_reserve(
    v_type, v_person, documents_begin.stated, null, documents_begin.name, documents_begin.content_type,
    documents_begin.size, documents_begin.width, documents_begin.height
  );
end;
$$;
comment on function public.documents_begin(text, text, text, bigint, text, integer, integer, jsonb) is
  'Takes room and a path for a scan of the caller''s document (permission documents.submit, or an applicant); the server alone writes its bytes and hands it in. Raises auth.impersonated, documents.type_unknown, documents.already_submitted, documents.submissions_exhausted, tenants.ambiguous, files.type_unsupported, files.too_large, files.quota_exceeded, limits.exceeded, request.invalid.';
grant execute on function public.documents_begin(text, text, text, bigint, text, integer, integer, jsonb)
  to authenticated;

create function private.documents_drop_file(tenant_id uuid, file uuid)
returns void
language plpgsql
volatile
security definer -- nobody else writes files
set search_path = ''
as $$
#variable_conflict use_column
declare
  v_file public.files;
begin
  select * into v_file from public.files f
  where f.tenant_id = documents_drop_file.tenant_id and f.id = documents_drop_file.file
    and f.status <> 'deleted'
  for no key update;
  if found then
    perform private.files_discard(v_file);
  end if;
end;
$$;
comment on function private.documents_drop_file(uuid, uuid) is 'Deletes a scan, if it is still there.';

create function public.documents_keep(tenant_id uuid, file uuid, sha256 text)
returns public.documents
language plpgsql
volatile
security definer -- nobody else writes documents
set search_path = ''
as $$
#variable_conflict use_column
declare
  v_upload private.documents_uploads;
  v_type public.documents_types;
  v_file public.files;
  v_next public.documents;
  v_document public.documents;
begin
  delete from private.documents_uploads u
  where u.tenant_id = documents_keep.tenant_id and u.file_id = documents_keep.file
  returning * into v_upload;
  select * into v_file from public.files f
  where f.tenant_id = v_upload.tenant_id and f.id = v_upload.file_id;
  if not found then
    raise sqlstate 'PT404' using message = 'files.not_found';
  end if;
  -- The member first, as everybody does who decides on their documents: of two uploads at once, the
  -- second finds the first, and nobody hands in who is gone.
  perform from public.members m
  where m.tenant_id = v_file.tenant_id and m.person_id = v_file.person_id and m.status in ('active', 'pending')
  for no key update;
  if not found then
    raise sqlstate 'PT403' using message = 'members.not_active';
  end if;
  select * into v_type from public.documents_types t
  where t.tenant_id = v_file.tenant_id and t.slug = v_upload.type;
  v_next := private.documents_next(v_type, v_file.person_id);
  perform public.files_finish(v_file.tenant_id, v_file.id, documents_keep.sha256);

  if v_next.id is null then
    insert into public.documents (tenant_id, person_id, type, attempt, file_id, sha256, stated)
    values (
      v_file.tenant_id, v_file.person_id, v_type.slug, v_next.attempt, v_file.id,
      documents_keep.sha256, v_upload.stated
    )
    returning * into v_document;
  else
    perform private.documents_drop_file(v_next.tenant_id, v_next.file_id);
    update public.documents d
    set status = 'submitted', attempt = v_next.attempt, file_id = v_file.id, sha256 = documents_keep.sha256,
      stated = v_upload.stated, submitted_at = now(), decided_at = null
    where d.tenant_id = v_next.tenant_id and d.id = v_next.id
    returning * into v_document;
    -- Another scan: whoever approved the first one has not seen it.
    delete from private.documents_claims c
    where c.tenant_id = v_document.tenant_id and c.document_id = v_document.id;
  end if;
  update private.documents_enclosures e set expires_at = now()
  where e.tenant_id = v_upload.tenant_id and e.id = v_upload.enclosure_id;
  perform private.audit(
    'DOCUMENT_SUBMITTED', 'documents:' || v_document.id, null,
    jsonb_build_object('type', v_document.type, 'attempt', v_document.attempt),
    v_document.tenant_id, v_document.person_id
  );
  return v_document;
end;
$$;
comment on function public.documents_keep(uuid, uuid, text) is
  'For the server: the bytes of a scan are there, so the document is handed in, or handed in again. Raises files.not_found, members.not_active, documents.already_submitted, documents.submissions_exhausted, request.transition_refused.';
grant execute on function public.documents_keep(uuid, uuid, text) to service_role;
