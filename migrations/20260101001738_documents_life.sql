-- Documents, life: what time and departures do to them. Claims lapse, approvals run out, and with a
-- person or a membership go the scans and everything that was said about them.

create function private.documents_forget(person uuid, tenant_id uuid default null)
returns void
language plpgsql
volatile
security definer -- nobody else writes documents
set search_path = ''
as $$
#variable_conflict use_column
declare
  v_document public.documents;
begin
  perform private.documents_drop_enclosures(documents_forget.person, documents_forget.tenant_id);
  for v_document in
    select * from public.documents d
    where d.person_id = documents_forget.person
      and (documents_forget.tenant_id is null or d.tenant_id = documents_forget.tenant_id)
    order by d.tenant_id, d.id
    for no key update
  loop
    perform private.documents_drop_file(v_document.tenant_id, v_document.file_id);
    delete from private.documents_claims c
    where c.tenant_id = v_document.tenant_id and c.document_id = v_document.id;
    update public.documents d
    set stated = null, reason = null, status = case
        when d.status in ('submitted', 'in_review', 'resubmission_wanted') then 'withdrawn' else d.status
      end
    where d.tenant_id = v_document.tenant_id and d.id = v_document.id;
  end loop;
end;
$$;
comment on function private.documents_forget(uuid, uuid) is
  'Takes back what is open, deletes every scan and forgets what was stated and said, everywhere or in one tenant. What was checked, when and by whom stays, without a name.';

create function private.documents_on_member_gone()
returns trigger
language plpgsql
volatile
security definer -- whoever changes the membership may not write documents
set search_path = ''
as $$
begin
  perform private.documents_forget(new.person_id, new.tenant_id);
  return null;
end;
$$;
comment on function private.documents_on_member_gone() is
  'After a member left or was banned: their open documents are taken back, and their scans go.';

create trigger documents_on_member_gone after update of status on public.members
  for each row when (new.status in ('left', 'banned') and old.status not in ('left', 'banned'))
  execute function private.documents_on_member_gone();

create function private.documents_on_person_erased()
returns trigger
language plpgsql
volatile
security definer -- nobody else writes documents
set search_path = ''
as $$
begin
  -- Members before documents, as everybody does who decides on one.
  perform from public.members m where m.person_id = new.id order by m.tenant_id for no key update;
  perform private.documents_forget(new.id);
  return null;
end;
$$;
comment on function private.documents_on_person_erased() is 'After a person is erased: their documents are forgotten everywhere.';

create trigger documents_on_person_erased after update of erased_at on public.people
  for each row when (old.erased_at is null and new.erased_at is not null)
  execute function private.documents_on_person_erased();

create function public.documents_withdraw(tenant_id uuid, document uuid)
returns public.documents
language plpgsql
volatile
security definer -- nobody else writes documents
set search_path = ''
as $$
#variable_conflict use_column
declare
  v_person uuid := private.documents_require_person(documents_withdraw.tenant_id);
  v_document public.documents;
begin
  select * into v_document from public.documents d
  where d.tenant_id = documents_withdraw.tenant_id and d.id = documents_withdraw.document
    and d.person_id = v_person
  for no key update;
  if not found then
    raise sqlstate 'PT404' using message = 'documents.not_found';
  elsif v_document.status not in ('submitted', 'in_review', 'resubmission_wanted') then
    raise sqlstate 'PT409' using
      message = 'request.transition_refused', detail = 'documents: ' || v_document.status;
  end if;
  v_document := private.documents_settle(v_document, 'withdrawn', null, null);
  perform private.audit(
    'DOCUMENT_WITHDRAWN', 'documents:' || v_document.id, null, null, v_document.tenant_id
  );
  return v_document;
end;
$$;
comment on function public.documents_withdraw(uuid, uuid) is
  'Takes back a document of the caller''s own that is not decided on; it counts as handed in. Raises documents.not_found, request.transition_refused.';
grant execute on function public.documents_withdraw(uuid, uuid) to authenticated;

-- The clock
create function private.documents_lapse_claims()
returns integer
language plpgsql
volatile
security definer -- nobody else writes documents
set search_path = ''
as $$
#variable_conflict use_column
declare
  v_document public.documents;
  v_count integer := 0;
begin
  for v_document in
    select d.* from public.documents d
    join private.documents_claims c on c.tenant_id = d.tenant_id and c.document_id = d.id
    where c.until <= now() and d.status = 'in_review'
    order by d.tenant_id, d.id
    limit 500
    for no key update of d skip locked
  loop
    perform private.documents_put_back(v_document);
    v_count := v_count + 1;
  end loop;
  return v_count;
end;
$$;
comment on function private.documents_lapse_claims() is
  'Lays back documents whose reviewers did not decide in time; returns how many.';

create function private.documents_expire()
returns integer
language plpgsql
volatile
security definer -- nobody else writes documents
set search_path = ''
as $$
#variable_conflict use_column
declare
  v_document public.documents;
  v_count integer := 0;
begin
  for v_document in
    select * from public.documents d
    where d.status = 'approved' and d.expires_at <= now()
    order by d.tenant_id, d.id
    limit 500
    for no key update skip locked
  loop
    update public.documents d set status = 'expired'
    where d.tenant_id = v_document.tenant_id and d.id = v_document.id;
    perform private.documents_drop_file(v_document.tenant_id, v_document.file_id);
    perform private.audit(
      'DOCUMENT_EXPIRED', 'documents:' || v_document.id, null, null, v_document.tenant_id
    );
    perform private.documents_tell(v_document, 'documents.expired');
    v_count := v_count + 1;
  end loop;
  return v_count;
end;
$$;
comment on function private.documents_expire() is
  'Ends approvals that ran out, with their scans, and tells their people; 500 at a time, returns how many. The membership is the tenant''s to decide on.';

create function private.documents_remind()
returns integer
language plpgsql
volatile
security definer -- nobody else writes documents
set search_path = ''
as $$
#variable_conflict use_column
declare
  v_document public.documents;
  v_count integer := 0;
begin
  for v_document in
    update public.documents d set reminded_days = due.days
    from (
      select a.tenant_id, a.id, min(r.days) as days
      from public.documents a
      join public.documents_types t on t.tenant_id = a.tenant_id and t.slug = a.type
      cross join unnest(t.remind_days) r(days)
      where a.status = 'approved' and a.expires_at > now()
        and a.expires_at <= now() + make_interval(days => r.days)
        and r.days < coalesce(a.reminded_days, 2147483647)
        -- Whoever has handed in the next one knows.
        and not exists (
          select from public.documents renewal
          where renewal.tenant_id = a.tenant_id and renewal.person_id = a.person_id
            and renewal.type = a.type and renewal.status in ('submitted', 'in_review')
        )
      group by a.tenant_id, a.id
      order by a.tenant_id, a.id
      limit 500
    ) due
    where d.tenant_id = due.tenant_id and d.id = due.id
    returning d.*
  loop
    perform private.documents_tell(
      v_document, 'documents.expiring',
      jsonb_build_object('days', ceil(extract(epoch from v_document.expires_at - now()) / 86400)::int::text)
    );
    v_count := v_count + 1;
  end loop;
  return v_count;
end;
$$;
comment on function private.documents_remind() is
  'Reminds people whose documents run out, so many days before as the type says, each time once; returns how many.';

create function public.documents_remind_reviewers(tenant_id uuid, job uuid)
returns integer
language plpgsql
volatile
security definer -- reads members and documents past their policies
set search_path = ''
as $$
#variable_conflict use_column
declare
  v_waiting bigint := (
    select count(*) from public.documents d
    where d.tenant_id = documents_remind_reviewers.tenant_id and d.status in ('submitted', 'in_review')
      and d.submitted_at < now() - interval '3 days'
  );
begin
  if v_waiting = 0 then
    return 0;
  end if;
  return private.notify_all(
    array(
      select m.person_id from public.members m
      join public.role_permissions rp
        on rp.tenant_id = m.tenant_id and rp.role = m.role and rp.permission = 'documents.review'
      where m.tenant_id = documents_remind_reviewers.tenant_id and m.status = 'active'
    ),
    'documents.waiting',
    jsonb_build_object('count', v_waiting::text, 'about', 'jobs:' || documents_remind_reviewers.job),
    documents_remind_reviewers.tenant_id
  );
end;
$$;
comment on function public.documents_remind_reviewers(uuid, uuid) is
  'For the worker: tells reviewers how many documents have waited for more than three days; returns how many were told. The same job again tells nobody anew.';
grant execute on function public.documents_remind_reviewers(uuid, uuid) to service_role;

select private.schedule('documents-lapse-claims', '*/5 * * * *', 'select private.documents_lapse_claims()');
select private.schedule('documents-expire', '11 * * * *', 'select private.documents_expire()');
select private.schedule('documents-remind', '41 * * * *', 'select private.documents_remind()');
select private.schedule_local('documents-remind-reviewers', '0 9 * * mon-fri', 'documents.remind_reviewers');
