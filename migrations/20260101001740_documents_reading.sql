-- Documents, reading: the reviewers' pile, what is still wanted of somebody, what fellow members may
-- know; and the types, as admins change them.

create type public.document_entry as (
  id uuid,
  person_id uuid,
  display_name text,
  type text,
  status text,
  attempt smallint,
  submitted_at timestamptz,
  waiting_seconds integer,
  decided_at timestamptz,
  expires_at timestamptz,
  reason text,
  stated jsonb,
  file_id uuid,
  content_type text,
  size bigint,
  sha256 text,
  reviewer uuid,
  claimed_until timestamptz,
  first_approver uuid,
  cursor text
);
comment on type public.document_entry is
  'A document as reviewers see it. waiting_seconds: since it was handed in, null once decided. cursor continues after it.';

create function public.documents_queue(
  tenant_id uuid,
  status text default 'open',
  type text default null,
  person uuid default null,
  claimed text default null,
  "from" timestamptz default null,
  "to" timestamptz default null,
  cursor text default null,
  page_size int default 50
)
returns setof public.document_entry
language plpgsql
stable
security definer -- names people and claims past their policies
set search_path = ''
as $$
#variable_conflict use_column
declare
  v_reviewer uuid := private.require(documents_queue.tenant_id, 'documents.review');
  v_statuses text[] := case documents_queue.status
    when 'open' then array['submitted', 'in_review'] else array[documents_queue.status]
  end;
  v_time timestamptz := timestamptz '-infinity';
  v_id uuid := uuid '00000000-0000-0000-0000-000000000000';
begin
  if page_size is null or page_size not between 1 and 100 then
    raise sqlstate 'PT422' using message = 'request.invalid', detail = 'page_size: 1 to 100';
  elsif documents_queue.claimed not in ('me', 'nobody', 'others') then
    raise sqlstate 'PT422' using message = 'request.invalid', detail = 'claimed: me, nobody or others';
  elsif documents_queue.cursor is not null then
    if not pg_input_is_valid(split_part(documents_queue.cursor, '_', 1), 'timestamptz')
      or not pg_input_is_valid(split_part(documents_queue.cursor, '_', 2), 'uuid')
    then
      raise sqlstate 'PT422' using message = 'request.invalid', detail = 'cursor';
    end if;
    v_time := split_part(documents_queue.cursor, '_', 1)::timestamptz;
    v_id := split_part(documents_queue.cursor, '_', 2)::uuid;
  end if;
  return query
  select d.id, d.person_id, m.display_name, d.type, d.status, d.attempt, d.submitted_at,
    case when d.decided_at is null then extract(epoch from now() - d.submitted_at)::integer end,
    d.decided_at, d.expires_at, d.reason, d.stated, f.id, f.content_type, f.size, d.sha256,
    case when c.until > now() then c.reviewer end, case when c.until > now() then c.until end,
    c.first_approver,
    to_char(d.submitted_at at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"') || '_' || d.id
  from public.documents d
  join public.members m on m.tenant_id = d.tenant_id and m.person_id = d.person_id
  left join public.files f on f.tenant_id = d.tenant_id and f.id = d.file_id and f.status <> 'deleted'
  left join private.documents_claims c on c.tenant_id = d.tenant_id and c.document_id = d.id
  where d.tenant_id = documents_queue.tenant_id and d.status = any (v_statuses)
    and (d.submitted_at, d.id) > (v_time, v_id)
    and (documents_queue.type is null or d.type = documents_queue.type)
    and (documents_queue.person is null or d.person_id = documents_queue.person)
    and (documents_queue."from" is null or d.submitted_at >= documents_queue."from")
    and (documents_queue."to" is null or d.submitted_at < documents_queue."to")
    and case documents_queue.claimed
      when 'me' then c.reviewer = v_reviewer and c.until > now()
      when 'nobody' then coalesce(c.until <= now(), true)
      when 'others' then c.reviewer <> v_reviewer and c.until > now()
      else true
    end
  order by d.submitted_at, d.id
  limit page_size;
end;
$$;
comment on function public.documents_queue(uuid, text, text, uuid, text, timestamptz, timestamptz, text, int) is
  'The documents in one state, or open ones, the longest waiting first (permission documents.review); claimed: me, nobody or others. Raises request.invalid.';
grant execute on function public.documents_queue(uuid, text, text, uuid, text, timestamptz, timestamptz, text, int)
  to authenticated;

create function private.documents_usual_wait(tenant_id uuid)
returns integer
language sql
stable
security definer -- reads the proof past its policies
set search_path = ''
as $$
  select percentile_cont(0.5) within group (order by extract(epoch from c.created_at - c.submitted_at))::integer
  from (
    select * from public.documents_checks c
    where c.tenant_id = documents_usual_wait.tenant_id and c.outcome <> 'first_approval'
    order by c.id desc limit 50
  ) c;
$$;
comment on function private.documents_usual_wait(uuid) is
  'How many seconds the tenant''s last fifty decisions took, half of them at most; null before the first.';

create function public.documents_standing(tenant_id uuid)
returns jsonb
language plpgsql
stable
security definer -- applicants see no member, and nobody else the proof
set search_path = ''
as $$
#variable_conflict use_column
declare
  v_person uuid := private.documents_require_person(documents_standing.tenant_id);
begin
  return jsonb_build_object(
    'complete', private.documents_complete(documents_standing.tenant_id, v_person),
    'usual_wait_seconds', private.documents_usual_wait(documents_standing.tenant_id),
    'types', (
      select coalesce(
        jsonb_agg(
          jsonb_build_object(
            'type', t.slug, 'name', t.name, 'description', t.description, 'required', t.required,
            'must_match', t.must_match, 'document', d.latest
          )
          order by not t.required, t.slug
        ),
        '[]'
      )
      from public.documents_types t
      left join lateral (
        select jsonb_build_object(
          'id', own.id, 'status', own.status, 'attempt', own.attempt, 'reason', own.reason,
          'submitted_at', own.submitted_at, 'decided_at', own.decided_at, 'expires_at', own.expires_at,
          'waiting_seconds', case
            when own.status in ('submitted', 'in_review')
              then extract(epoch from now() - own.submitted_at)::integer
          end,
          'submissions_left', greatest(t.max_submissions - own.attempt, 0)
        ) as latest
        from public.documents own
        where own.tenant_id = t.tenant_id and own.type = t.slug and own.person_id = v_person
        order by own.id desc
        limit 1
      ) d on true
      where t.tenant_id = documents_standing.tenant_id and (t.active or d.latest is not null)
    )
  );
end;
$$;
comment on function public.documents_standing(uuid) is
  'What is wanted of the caller and where it stands, as an applicant, too: { complete, usual_wait_seconds, types: [{ type, name, description, required, must_match, document }] }; document is the latest of the type with reason, waiting_seconds and submissions_left, or null. Raises tenants.not_found, tenants.module_off, members.not_active.';
grant execute on function public.documents_standing(uuid) to authenticated;

create type public.document_badge as (
  type text,
  name text,
  checked_at timestamptz,
  expires_at timestamptz
);

create function public.documents_badges(tenant_id uuid, person uuid)
returns setof public.document_badge
language plpgsql
stable
security definer -- fellow members may not read the documents themselves
set search_path = ''
as $$
#variable_conflict use_column
begin
  perform private.require(documents_badges.tenant_id, 'documents.read');
  return query
  select t.slug, t.name, d.decided_at, d.expires_at
  from public.documents d
  join public.documents_types t on t.tenant_id = d.tenant_id and t.slug = d.type and t.badge
  join public.members m on m.tenant_id = d.tenant_id and m.person_id = d.person_id and m.status = 'active'
  where d.tenant_id = documents_badges.tenant_id and d.person_id = documents_badges.person
    and d.status = 'approved' and coalesce(d.expires_at > now(), true)
    -- Approved before the type asked for it, it would be anybody's.
    and exists (
      select from public.documents_checks c
      where c.tenant_id = d.tenant_id and c.document_id = d.id and c.outcome = 'approved'
        and t.must_match <@ c.matched
    )
  order by t.slug;
end;
$$;
comment on function public.documents_badges(uuid, uuid) is
  'What was checked of an active member and holds, as far as the tenant shows it: of documents in which a reviewer found what the type has matched (permission documents.read).';
grant execute on function public.documents_badges(uuid, uuid) to authenticated;

-- Figures
select private.declare_metric(
  'documents_waiting', 'gauge', 'Documents that wait for a decision.',
  $$select count(*) as value, '{}'::jsonb as labels
    from public.documents d where d.status in ('submitted', 'in_review')$$
);
select private.declare_metric(
  'documents_oldest_waiting_seconds', 'gauge', 'Age of the document that has waited longest.',
  $$select coalesce(extract(epoch from now() - min(d.submitted_at)), 0) as value, '{}'::jsonb as labels
    from public.documents d where d.status in ('submitted', 'in_review')$$
);
