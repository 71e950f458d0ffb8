-- Documents, checking: a reviewer takes a document, so that no two look at the same one, and decides.
-- Whoever decides locks the member first, the document second and its scan last.

create function private.documents_take(tenant_id uuid, document uuid)
returns public.documents
language plpgsql
volatile
security definer -- locks documents past their policies
set search_path = ''
as $$
#variable_conflict use_column
declare
  v_reviewer uuid := private.require(documents_take.tenant_id, 'documents.review');
  v_person uuid;
  v_document public.documents;
  v_claim private.documents_claims;
begin
  select d.person_id into v_person from public.documents d
  where d.tenant_id = documents_take.tenant_id and d.id = documents_take.document;
  if not found then
    raise sqlstate 'PT404' using message = 'documents.not_found';
  elsif v_person = v_reviewer then
    raise sqlstate 'PT403' using message = 'documents.own_document';
  end if;
  -- Whoever stood in for another reviewer could be both of two.
  perform private.require_no_impersonation();
  perform from public.members m
  where m.tenant_id = documents_take.tenant_id and m.person_id = v_person
  for no key update;
  select * into v_document from public.documents d
  where d.tenant_id = documents_take.tenant_id and d.id = documents_take.document
  for no key update;
  -- Asked again under the lock: who was demoted while they waited for it decides nothing more.
  perform private.require(documents_take.tenant_id, 'documents.review');
  if v_document.status not in ('submitted', 'in_review') then
    raise sqlstate 'PT409' using
      message = 'request.transition_refused', detail = 'documents: ' || v_document.status;
  end if;

  select * into v_claim from private.documents_claims c
  where c.tenant_id = v_document.tenant_id and c.document_id = v_document.id;
  if v_claim.first_approver = v_reviewer then
    raise sqlstate 'PT403' using message = 'documents.second_reviewer_needed';
  elsif v_claim.reviewer <> v_reviewer and v_claim.until > now() then
    raise sqlstate 'PT409' using message = 'documents.claimed', detail = v_claim.until::text;
  end if;
  insert into private.documents_claims (tenant_id, document_id, reviewer, until)
  values (v_document.tenant_id, v_document.id, v_reviewer, now() + interval '30 minutes')
  on conflict (tenant_id, document_id) do update set reviewer = excluded.reviewer, until = excluded.until;
  update public.documents d set status = 'in_review'
  where d.tenant_id = v_document.tenant_id and d.id = v_document.id
  returning * into v_document;
  return v_document;
end;
$$;
comment on function private.documents_take(uuid, uuid) is
  'The document, locked and in the caller''s hands for 30 minutes (permission documents.review). Raises documents.not_found, documents.own_document, documents.claimed, documents.second_reviewer_needed, auth.impersonated, request.transition_refused.';

create function public.documents_claim(tenant_id uuid, document uuid)
returns public.documents
language plpgsql
volatile
security definer -- nobody else writes documents
set search_path = ''
as $$
declare
  v_document public.documents := private.documents_take(documents_claim.tenant_id, documents_claim.document);
begin
  perform private.audit(
    'DOCUMENT_CLAIMED', 'documents:' || v_document.id, null, '{"claimed": true}', v_document.tenant_id
  );
  return v_document;
end;
$$;
comment on function public.documents_claim(uuid, uuid) is
  'Takes a document to check, for 30 minutes; again for 30 more (permission documents.review). Raises documents.not_found, documents.own_document, documents.claimed, documents.second_reviewer_needed, request.transition_refused.';
grant execute on function public.documents_claim(uuid, uuid) to authenticated;

create function private.documents_put_back(document public.documents)
returns public.documents
language plpgsql
volatile
security definer -- nobody else writes documents
set search_path = ''
as $$
#variable_conflict use_column
declare
  v_document public.documents;
begin
  update private.documents_claims c set reviewer = null, until = null
  where c.tenant_id = document.tenant_id and c.document_id = document.id;
  update public.documents d set status = 'submitted'
  where d.tenant_id = document.tenant_id and d.id = document.id
  returning * into v_document;
  return v_document;
end;
$$;
comment on function private.documents_put_back(public.documents) is 'Lays a document back on the pile.';

create function public.documents_release(tenant_id uuid, document uuid)
returns public.documents
language plpgsql
volatile
security definer -- nobody else writes documents
set search_path = ''
as $$
#variable_conflict use_column
declare
  v_reviewer uuid := private.require(documents_release.tenant_id, 'documents.review');
  v_document public.documents;
begin
  select * into v_document from public.documents d
  where d.tenant_id = documents_release.tenant_id and d.id = documents_release.document
  for no key update;
  if not found then
    raise sqlstate 'PT404' using message = 'documents.not_found';
  elsif v_document.status <> 'in_review' or not exists (
    select from private.documents_claims c
    where c.tenant_id = v_document.tenant_id and c.document_id = v_document.id and c.reviewer = v_reviewer
  ) then
    raise sqlstate 'PT409' using
      message = 'request.transition_refused', detail = 'documents: not in your hands';
  end if;
  v_document := private.documents_put_back(v_document);
  perform private.audit(
    'DOCUMENT_CLAIMED', 'documents:' || v_document.id, null, '{"claimed": false}', v_document.tenant_id
  );
  return v_document;
end;
$$;
comment on function public.documents_release(uuid, uuid) is
  'Gives back a document that the caller took (permission documents.review). Raises documents.not_found, request.transition_refused.';
grant execute on function public.documents_release(uuid, uuid) to authenticated;

create function public.documents_open(tenant_id uuid, document uuid)
returns public.file_location
language plpgsql
volatile -- whoever opens a scan leaves a line, so no session that only reads does
security definer -- scans are sealed: among the files their owner alone sees them
set search_path = ''
as $$
#variable_conflict use_column
declare
  v_location public.file_location;
begin
  perform private.require(documents_open.tenant_id, 'documents.review');
  perform private.require_no_impersonation();
  select f.bucket, f.path, f.content_type, false into v_location
  from public.documents d
  join public.files f on f.tenant_id = d.tenant_id and f.id = d.file_id
    and f.status in ('held', 'released')
  where d.tenant_id = documents_open.tenant_id and d.id = documents_open.document;
  if not found then
    raise sqlstate 'PT404' using message = 'documents.not_found';
  end if;
  perform private.audit(
    'DOCUMENT_OPENED', 'documents:' || document, null, null, documents_open.tenant_id
  );
  return v_location;
end;
$$;
comment on function public.documents_open(uuid, uuid) is
  'Where the scan of a document lies, for a reviewer (permission documents.review), whom the trail names; the function api makes a link of it. Raises documents.not_found, also where the scan is gone, auth.impersonated.';
grant execute on function public.documents_open(uuid, uuid) to authenticated;

create function private.documents_note(document public.documents, outcome text, matched text[] default '{}')
returns void
language plpgsql
volatile
security definer -- nobody else writes the proof
set search_path = ''
as $$
#variable_conflict use_column
begin
  insert into public.documents_checks (
    tenant_id, document_id, person_id, type, attempt, sha256, matched, outcome, reviewer, submitted_at, expires_at
  )
  values (
    document.tenant_id, document.id, document.person_id, document.type, document.attempt, document.sha256,
    documents_note.matched, documents_note.outcome, private.person(), document.submitted_at, document.expires_at
  );
  perform private.audit(
    'DOCUMENT_CHECKED', 'documents:' || document.id, null,
    jsonb_build_object('outcome', documents_note.outcome, 'type', document.type), document.tenant_id
  );
end;
$$;
comment on function private.documents_note(public.documents, text, text[]) is 'The proof of a decision, and its line of the trail.';

create function private.documents_settle(document public.documents, status text, reason text, expires_at timestamptz)
returns public.documents
language plpgsql
volatile
security definer -- nobody else writes documents
set search_path = ''
as $$
#variable_conflict use_column
declare
  v_document public.documents;
begin
  delete from private.documents_claims c
  where c.tenant_id = document.tenant_id and c.document_id = document.id;
  update public.documents d
  set status = documents_settle.status, reason = documents_settle.reason,
    expires_at = documents_settle.expires_at, decided_at = now(), stated = null
  where d.tenant_id = document.tenant_id and d.id = document.id
  returning * into v_document;
  if not exists (
    select from public.documents_types t
    where t.tenant_id = v_document.tenant_id and t.slug = v_document.type
      and t.keep_file and v_document.status = 'approved'
  ) then
    perform private.documents_drop_file(v_document.tenant_id, v_document.file_id);
  end if;
  return v_document;
end;
$$;
comment on function private.documents_settle(public.documents, text, text, timestamptz) is
  'Writes a decision: what was stated is forgotten, and the scan goes unless the tenant keeps those of approved documents.';
