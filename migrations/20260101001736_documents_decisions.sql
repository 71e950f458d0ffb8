-- Documents, decisions: approved, refused, or wanted again. The decision, its proof, the membership it
-- opens and the notice are one transaction.

create function private.documents_complete(tenant_id uuid, person uuid)
returns boolean
language plpgsql
stable
security definer -- reads documents past their policies
set search_path = ''
as $$
#variable_conflict use_column
declare
  v_approved text[] := array(
    select d.type from public.documents d
    where d.tenant_id = documents_complete.tenant_id and d.person_id = documents_complete.person
      and d.status = 'approved' and coalesce(d.expires_at > now(), true)
  );
  v_required text[] := array(
    select t.slug from public.documents_types t
    where t.tenant_id = documents_complete.tenant_id and t.required and t.active
  );
begin
  return v_required <@ v_approved and v_approved <> '{}';
end;
$$;
comment on function private.documents_complete(uuid, uuid) is
  'Whether every required document of the person is approved now; where none is required, whether any is.';

create function private.documents_admit(tenant_id uuid, person uuid)
returns boolean
language plpgsql
volatile
security definer -- nobody else writes members
set search_path = ''
as $$
#variable_conflict use_column
begin
  if not exists (
    select from public.members m
    join public.tenants t on t.id = m.tenant_id
    where m.tenant_id = documents_admit.tenant_id and m.person_id = documents_admit.person
      and m.status = 'pending' and t.registration_policy = 'documents'
  ) or not private.documents_complete(documents_admit.tenant_id, documents_admit.person) then
    return false;
  end if;
  perform private.admit(documents_admit.tenant_id, documents_admit.person);
  return true;
end;
$$;
comment on function private.documents_admit(uuid, uuid) is
  'Makes an applicant a member where documents are the way in, and all that is wanted of them is approved.';

create function private.documents_tell(document public.documents, kind text, payload jsonb default '{}')
returns void
language plpgsql
volatile
security definer -- nobody else writes notices
set search_path = ''
as $$
#variable_conflict use_column
declare
  v_type text;
begin
  select t.name into v_type from public.documents_types t
  where t.tenant_id = document.tenant_id and t.slug = document.type;
  perform private.notify(
    document.person_id, documents_tell.kind,
    jsonb_build_object('document', v_type, 'document_id', document.id::text) || documents_tell.payload,
    document.tenant_id
  );
end;
$$;
comment on function private.documents_tell(public.documents, text, jsonb) is
  'Tells the person, once this transaction commits, what became of their document.';

create function private.documents_check_reason(reason text)
returns text
language plpgsql
immutable
security invoker
set search_path = ''
as $$
declare
  v_reason text := btrim(reason);
begin
  if coalesce(char_length(v_reason), 0) not between 1 and 500 then
    raise sqlstate 'PT422' using message = 'request.invalid', detail = 'reason: 1 to 500 characters';
  end if;
  return v_reason;
end;
$$;
comment on function private.documents_check_reason(text) is 'The reason without blanks around it. Raises request.invalid.';

create function private.documents_check_approval(
  document public.documents, wanted public.documents_types, expires_at timestamptz, matched text[]
)
returns void
language plpgsql
stable
security definer -- reads files past their policies
set search_path = ''
as $$
#variable_conflict use_column
declare
  v_missing text;
begin
  select m.field into v_missing from unnest(wanted.must_match) m(field)
  where m.field <> all (coalesce(documents_check_approval.matched, '{}'))
  limit 1;
  if found then
    raise sqlstate 'PT422' using message = 'documents.match_needed', detail = v_missing;
  elsif not documents_check_approval.matched <@ array['name', 'birth_date'] then
    raise sqlstate 'PT422' using message = 'request.invalid', detail = 'matched: name, birth_date';
  elsif documents_check_approval.expires_at <= now() then
    raise sqlstate 'PT422' using message = 'request.invalid', detail = 'expires_at: in the future';
  elsif not exists (
    select from public.files f
    where f.tenant_id = document.tenant_id and f.id = document.file_id
      and f.status in ('held', 'released') and f.sha256 = document.sha256
  ) then
    raise sqlstate 'PT409' using message = 'documents.file_missing';
  end if;
end;
$$;
comment on function private.documents_check_approval(public.documents, public.documents_types, timestamptz, text[]) is
  'Raises documents.match_needed (detail names what), documents.file_missing for a scan that is gone or was refused, request.invalid.';

create function public.documents_approve(
  tenant_id uuid, document uuid, expires_at timestamptz default null, matched text[] default null
)
returns public.documents
language plpgsql
volatile
security definer -- nobody else writes documents
set search_path = ''
as $$
#variable_conflict use_column
declare
  v_document public.documents := private.documents_take(documents_approve.tenant_id, documents_approve.document);
  v_matched text[] := coalesce(documents_approve.matched, '{}');
  v_type public.documents_types;
  v_earlier public.documents;
begin
  select * into v_type from public.documents_types t
  where t.tenant_id = v_document.tenant_id and t.slug = v_document.type;
  perform private.documents_check_approval(v_document, v_type, documents_approve.expires_at, v_matched);

  if v_type.two_person then
    update private.documents_claims c set first_approver = c.reviewer
    where c.tenant_id = v_document.tenant_id and c.document_id = v_document.id and c.first_approver is null;
    if found then
      perform private.documents_note(v_document, 'first_approval', v_matched);
      return private.documents_put_back(v_document);
    end if;
  end if;

  update public.documents d set status = 'replaced'
  where d.tenant_id = v_document.tenant_id and d.person_id = v_document.person_id
    and d.type = v_document.type and d.status = 'approved'
  returning * into v_earlier;
  perform private.documents_drop_file(v_earlier.tenant_id, v_earlier.file_id);
  v_document := private.documents_settle(
    v_document, 'approved', null,
    least(documents_approve.expires_at, now() + make_interval(days => v_type.valid_days))
  );
  perform private.documents_note(v_document, 'approved', v_matched);
  perform private.documents_admit(v_document.tenant_id, v_document.person_id);
  perform private.documents_tell(v_document, 'documents.approved');
  return v_document;
end;
$$;
comment on function public.documents_approve(uuid, uuid, timestamptz, text[]) is
  'Approves a document until expires_at or what its type allows; where two have to, the first approval lays it back (permission documents.review). The last approval that was missing admits an applicant. Raises documents.not_found, documents.own_document, documents.claimed, documents.second_reviewer_needed, documents.match_needed, documents.file_missing, request.transition_refused, request.invalid.';
grant execute on function public.documents_approve(uuid, uuid, timestamptz, text[]) to authenticated;

create function public.documents_reject(tenant_id uuid, document uuid, reason text)
returns public.documents
language plpgsql
volatile
security definer -- nobody else writes documents
set search_path = ''
as $$
declare
  v_document public.documents := private.documents_take(documents_reject.tenant_id, documents_reject.document);
begin
  v_document := private.documents_settle(
    v_document, 'rejected', private.documents_check_reason(documents_reject.reason), null
  );
  perform private.documents_note(v_document, 'rejected');
  perform private.documents_tell(
    v_document, 'documents.rejected', jsonb_build_object('reason', v_document.reason)
  );
  return v_document;
end;
$$;
comment on function public.documents_reject(uuid, uuid, text) is
  'Refuses a document for a reason, which its person is told (permission documents.review). Raises documents.not_found, documents.own_document, documents.claimed, documents.second_reviewer_needed, request.transition_refused, request.invalid.';
grant execute on function public.documents_reject(uuid, uuid, text) to authenticated;

create function public.documents_request_resubmission(tenant_id uuid, document uuid, reason text)
returns public.documents
language plpgsql
volatile
security definer -- nobody else writes documents
set search_path = ''
as $$
#variable_conflict use_column
declare
  v_document public.documents := private.documents_take(
    documents_request_resubmission.tenant_id, documents_request_resubmission.document
  );
  v_most smallint := (
    select t.max_submissions from public.documents_types t
    where t.tenant_id = v_document.tenant_id and t.slug = v_document.type
  );
begin
  if v_document.attempt >= v_most then
    raise sqlstate 'PT409' using message = 'documents.submissions_exhausted', detail = v_most::text;
  end if;
  v_document := private.documents_settle(
    v_document, 'resubmission_wanted',
    private.documents_check_reason(documents_request_resubmission.reason), null
  );
  perform private.documents_note(v_document, 'resubmission_wanted');
  perform private.documents_tell(
    v_document, 'documents.resubmission_wanted', jsonb_build_object('reason', v_document.reason)
  );
  return v_document;
end;
$$;
comment on function public.documents_request_resubmission(uuid, uuid, text) is
  'Asks for a better scan, for a reason, as often as the type allows (permission documents.review). Raises documents.not_found, documents.own_document, documents.claimed, documents.second_reviewer_needed, documents.submissions_exhausted, request.transition_refused, request.invalid.';
grant execute on function public.documents_request_resubmission(uuid, uuid, text) to authenticated;
