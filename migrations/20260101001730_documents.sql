-- Documents: papers that people show so that a reviewer of the tenant can check something about them.
-- The scan is a file and may go; what was checked, by whom and how it ended stays.

insert into private.audit_actions (name, description)
values
  ('DOCUMENT_SUBMITTED', 'A document was handed in for checking'),
  ('DOCUMENT_CLAIMED', 'A reviewer took a document, or gave it back'),
  ('DOCUMENT_OPENED', 'A reviewer opened the scan of a document'),
  ('DOCUMENT_CHECKED', 'A reviewer decided on a document'),
  ('DOCUMENT_WITHDRAWN', 'A document was taken back, or its person went'),
  ('DOCUMENT_EXPIRED', 'An approved document ran out'),
  ('DOCUMENT_TYPE_SAVED', 'A type of documents was made or changed');

select private.declare_permission(
  'documents.submit', 'Hand in documents of one''s own', array['admin', 'staff', 'member', 'guest']
);
select private.declare_permission(
  'documents.read', 'See what was checked of fellow members', array['admin', 'staff', 'member']
);
select private.declare_permission('documents.review', 'Check documents', array['admin', 'staff']);
select private.declare_permission('documents.manage', 'Say which documents are wanted', array['admin']);

select private.declare_notification(kind, outsiders => true)
from unnest(array[
  'documents.approved', 'documents.rejected', 'documents.resubmission_wanted', 'documents.expiring',
  'documents.expired'
]) kind;
select private.declare_notification('documents.waiting', push => 'off');

-- Types
create table public.documents_types (
  tenant_id uuid not null references public.tenants (id) on delete cascade,
  slug text not null check (slug ~ '^[a-z][a-z0-9_]{1,30}$'),
  name text not null check (char_length(btrim(name)) between 1 and 80),
  description text check (char_length(description) between 1 and 1000),
  active boolean not null default true,
  required boolean not null default false,
  two_person boolean not null default false,
  keep_file boolean not null default false,
  badge boolean not null default false,
  must_match text[] not null default '{}' check (must_match <@ array['name', 'birth_date']),
  max_submissions smallint not null default 3 check (max_submissions between 1 and 10),
  valid_days integer check (valid_days between 1 and 36500),
  remind_days integer[] not null default '{30,7}' check (cardinality(remind_days) <= 5),
  created_at timestamptz not null default now(),
  updated_at timestamptz not null default now(),
  primary key (tenant_id, slug),
  check (not badge or must_match <> '{}')
);
comment on table public.documents_types is 'Which documents a tenant checks, and by what rules.';
comment on column public.documents_types.required is
  'Needed to join where the registration policy is documents; where no type is required, any one will do.';
comment on column public.documents_types.two_person is 'A second reviewer has to approve, too.';
comment on column public.documents_types.keep_file is
  'The scan stays while its approval holds; else it goes with the decision.';
comment on column public.documents_types.badge is
  'Fellow members see that it was checked: that the document is theirs, too, so that must_match names something.';
comment on column public.documents_types.must_match is
  'What the person states when handing it in, and the reviewer confirms to stand in the document.';
comment on column public.documents_types.max_submissions is
  'How often one person may hand it in until it is approved, within 90 days.';
comment on column public.documents_types.valid_days is 'How long an approval holds; null: for good, unless the reviewer says otherwise.';
create trigger documents_types_touch before update on public.documents_types
  for each row execute function private.touch();

create function private.documents_on_module_on()
returns trigger
language plpgsql
volatile
security definer -- clients may not write the types
set search_path = ''
as $$
begin
  insert into public.documents_types (tenant_id, slug, name)
  values
    (new.id, 'student_id', 'Student ID'), (new.id, 'transcript', 'Transcript'),
    (new.id, 'degree', 'Degree'), (new.id, 'alumni', 'Proof of having studied'),
    (new.id, 'employment', 'Proof of employment')
  on conflict do nothing;
  return null;
end;
$$;
comment on function private.documents_on_module_on() is 'After the module was switched on: the usual types, for the tenant to change.';

create trigger documents_on_tenant_made after insert on public.tenants
  for each row when ('documents' = any (new.modules)) execute function private.documents_on_module_on();
create trigger documents_on_module_on after update of modules on public.tenants
  for each row when ('documents' = any (new.modules) and not 'documents' = any (old.modules))
  execute function private.documents_on_module_on();

-- Documents
create table public.documents (
  tenant_id uuid not null,
  id uuid not null default private.uuid_v7(),
  person_id uuid not null,
  type text not null,
  status text not null default 'submitted' check (
    status in (
      'submitted', 'in_review', 'resubmission_wanted', 'approved', 'rejected', 'withdrawn', 'expired', 'replaced'
    )
  ),
  attempt smallint not null default 1 check (attempt between 1 and 1000),
  file_id uuid,
  sha256 text not null check (sha256 ~ '^[0-9a-f]{64}$'),
  stated jsonb check (jsonb_typeof(stated) = 'object' and octet_length(stated::text) <= 1000),
  reason text check (char_length(reason) between 1 and 500),
  submitted_at timestamptz not null default now(),
  decided_at timestamptz,
  expires_at timestamptz,
  reminded_days integer,
  created_at timestamptz not null default now(),
  updated_at timestamptz not null default now(),
  primary key (tenant_id, id),
  foreign key (tenant_id, person_id) references public.members (tenant_id, person_id) on delete restrict,
  foreign key (tenant_id, type) references public.documents_types (tenant_id, slug) on delete restrict,
  foreign key (tenant_id, file_id) references public.files (tenant_id, id) on delete set null (file_id)
);
comment on table public.documents is 'A document that was handed in, and what became of it. Who checked it stands elsewhere, for reviewers.';
comment on column public.documents.status is
  'submitted: waits; in_review: a reviewer has it; resubmission_wanted: the person hands it in again; approved, until expired or replaced by a newer one; rejected; withdrawn.';
comment on column public.documents.attempt is 'How often the person has handed in this type since the last approval.';
comment on column public.documents.sha256 is 'Of the scan that is to be checked, or was.';
comment on column public.documents.stated is 'What the person says stands in it; forgotten with the decision.';
comment on column public.documents.reason is 'Of the last decision, in the reviewer''s words.';
comment on column public.documents.reminded_days is 'For how many days before it expires the person was last reminded.';
create unique index documents_open on public.documents (tenant_id, person_id, type)
  where status in ('submitted', 'in_review', 'resubmission_wanted');
create unique index documents_approved on public.documents (tenant_id, person_id, type) where status = 'approved';
create index documents_person on public.documents (tenant_id, person_id, id);
create index documents_type on public.documents (tenant_id, type);
create index documents_file on public.documents (tenant_id, file_id) where file_id is not null;
create index documents_queue on public.documents (tenant_id, status, submitted_at, id);
create index documents_expiring on public.documents (expires_at) where status = 'approved';

insert into private.transitions (machine, from_state, to_state)
values
  ('documents', 'submitted', 'in_review'), ('documents', 'submitted', 'withdrawn'),
  ('documents', 'in_review', 'submitted'), ('documents', 'in_review', 'approved'),
  ('documents', 'in_review', 'rejected'), ('documents', 'in_review', 'resubmission_wanted'),
  ('documents', 'in_review', 'withdrawn'),
  ('documents', 'resubmission_wanted', 'submitted'), ('documents', 'resubmission_wanted', 'withdrawn'),
  ('documents', 'approved', 'expired'), ('documents', 'approved', 'replaced');
create trigger documents_transition before update of status on public.documents
  for each row execute function private.enforce_transition();
create trigger documents_touch before update on public.documents
  for each row execute function private.touch();

create table private.documents_uploads (
  tenant_id uuid not null,
  file_id uuid not null,
  type text not null,
  stated jsonb,
  enclosure_id uuid,
  created_at timestamptz not null default now(),
  primary key (tenant_id, file_id),
  foreign key (tenant_id, file_id) references public.files (tenant_id, id) on delete cascade
);
comment on table private.documents_uploads is
  'Scans on their way. Which file a document consists of is never a client''s to say.';

comment on column private.documents_uploads.enclosure_id is
  'What it came as, with a registration; null where its person brought it.';

create table private.documents_claims (
  tenant_id uuid not null,
  document_id uuid not null,
  reviewer uuid,
  until timestamptz,
  first_approver uuid,
  primary key (tenant_id, document_id),
  foreign key (tenant_id, document_id) references public.documents (tenant_id, id) on delete cascade,
  check ((reviewer is null) = (until is null))
);
comment on table private.documents_claims is 'Who has a document in hand until when, and who approved it first where two have to.';
create index documents_claims_until on private.documents_claims (until);

-- The proof. It outlives scan, statement and reason, and holds none of them.
create table public.documents_checks (
  tenant_id uuid not null,
  id uuid not null default private.uuid_v7(),
  document_id uuid not null,
  person_id uuid not null,
  type text not null,
  attempt smallint not null,
  sha256 text not null,
  matched text[] not null default '{}',
  outcome text not null
    check (outcome in ('first_approval', 'approved', 'rejected', 'resubmission_wanted')),
  reviewer uuid not null,
  submitted_at timestamptz not null,
  expires_at timestamptz,
  created_at timestamptz not null default now(),
  primary key (tenant_id, id)
);
comment on table public.documents_checks is
  'That a document was checked: its type and digest, who decided what, and when. Append-only, for reviewers to read.';
create index documents_checks_document on public.documents_checks (tenant_id, document_id);
create index documents_checks_person on public.documents_checks (tenant_id, person_id);
create trigger documents_checks_append_only before update or delete on public.documents_checks
  for each row execute function private.refuse_change();
create trigger documents_checks_not_truncated before truncate on public.documents_checks
  for each statement execute function private.refuse_change();

-- Row level security: one's own, as an applicant, too; all for reviewers.
create function private.documents_own_tenants()
returns setof uuid
language plpgsql
stable
security definer -- reads pending memberships, which open nothing else
rows 4
set search_path = ''
as $$
begin
  return query select t.id from private.tenants_with('documents.submit') t(id);
  return query
  select m.tenant_id
  from public.members m
  join public.tenants t on t.id = m.tenant_id
  where m.person_id = private.whole_person() and m.status = 'pending' and 'documents' = any (t.modules);
end;
$$;
comment on function private.documents_own_tenants() is
  'Tenants in which the caller hands in documents: as a member, or to become one.';
grant execute on function private.documents_own_tenants() to authenticated, service_role;

alter table public.documents_types enable row level security;
create policy documents_types_select_member on public.documents_types
  for select to authenticated
  using (
    tenant_id = any (array(select private.documents_own_tenants()))
    or tenant_id = any (array(select private.tenants_with('documents.review')))
  );

alter table public.documents enable row level security;
create policy documents_select_owner on public.documents
  for select to authenticated
  using (
    (person_id = (select private.person()) and tenant_id = any (array(select private.documents_own_tenants())))
    or tenant_id = any (array(select private.tenants_with('documents.review')))
  );

alter table public.documents_checks enable row level security;
create policy documents_checks_select_reviewer on public.documents_checks
  for select to authenticated
  using (tenant_id = any (array(select private.tenants_with('documents.review'))));

grant select on public.documents_types, public.documents, public.documents_checks
to authenticated, service_role;
