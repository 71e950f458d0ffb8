-- Exchanges, reports: what people write here can be reported: a review, the reply to one, a note.

-- Reviews: with its text a removed one loses its weight in the average.
create function private.exchanges_describe_review(tenant_id uuid, subject uuid, reporter uuid)
returns private.moderation_subject
language plpgsql
stable
security definer -- reads reviews past their policies
set search_path = ''
as $$
#variable_conflict use_column
declare
  v_subject private.moderation_subject;
begin
  select r.reviewer_id, coalesce(r.body, r.rating || '/5'), null::uuid[] into v_subject
  from public.exchanges_reviews r
  where r.tenant_id = exchanges_describe_review.tenant_id and r.id = exchanges_describe_review.subject
    and r.removed_at is null and r.reviewer_id <> reporter and private.can(r.tenant_id, 'exchanges.read');
  return v_subject;
end;
$$;
comment on function private.exchanges_describe_review(uuid, uuid, uuid) is 'A review by somebody else, as every member sees it.';

create function private.exchanges_remove_review(tenant_id uuid, subject uuid)
returns jsonb
language plpgsql
volatile
security definer -- nobody else writes reviews
set search_path = ''
as $$
#variable_conflict use_column
begin
  update public.exchanges_reviews r set removed_at = now()
  where r.tenant_id = exchanges_remove_review.tenant_id and r.id = exchanges_remove_review.subject
    and r.removed_at is null;
  -- The row keeps what it said, for moderators alone.
  return jsonb '{}';
end;
$$;
comment on function private.exchanges_remove_review(uuid, uuid) is 'Keeps a reported review, and the reply to it, from members.';

create function private.exchanges_restore_review(tenant_id uuid, subject uuid, snapshot jsonb)
returns void
language plpgsql
volatile
security definer -- nobody else writes reviews
set search_path = ''
as $$
#variable_conflict use_column
begin
  update public.exchanges_reviews r set removed_at = null
  where r.tenant_id = exchanges_restore_review.tenant_id and r.id = exchanges_restore_review.subject
    and r.removed_at is not null and snapshot is not null;
end;
$$;
comment on function private.exchanges_restore_review(uuid, uuid, jsonb) is 'Shows a removed review again.';

select private.declare_reportable(
  'exchanges.review', 'exchanges_describe_review', 'exchanges_remove_review', 'exchanges_restore_review'
);

-- Replies, by the id of their review
create function private.exchanges_describe_reply(tenant_id uuid, subject uuid, reporter uuid)
returns private.moderation_subject
language plpgsql
stable
security definer -- reads reviews past their policies
set search_path = ''
as $$
#variable_conflict use_column
declare
  v_subject private.moderation_subject;
begin
  select r.reviewee_id, r.reply, null::uuid[] into v_subject
  from public.exchanges_reviews r
  where r.tenant_id = exchanges_describe_reply.tenant_id and r.id = exchanges_describe_reply.subject
    and r.reply is not null and r.removed_at is null and r.reviewee_id <> reporter
    and private.can(r.tenant_id, 'exchanges.read');
  return v_subject;
end;
$$;
comment on function private.exchanges_describe_reply(uuid, uuid, uuid) is 'A reply by somebody else, as every member sees it.';

create function private.exchanges_remove_reply(tenant_id uuid, subject uuid)
returns jsonb
language plpgsql
volatile
security definer -- nobody else writes reviews
set search_path = ''
as $$
#variable_conflict use_column
declare
  v_reply text;
begin
  select r.reply into v_reply from public.exchanges_reviews r
  where r.tenant_id = exchanges_remove_reply.tenant_id and r.id = exchanges_remove_reply.subject
  for no key update;
  update public.exchanges_reviews r set reply = null
  where r.tenant_id = exchanges_remove_reply.tenant_id and r.id = exchanges_remove_reply.subject;
  return jsonb_build_object('reply', v_reply);
end;
$$;
comment on function private.exchanges_remove_reply(uuid, uuid) is 'Deletes a reported reply; answers what it said.';

create function private.exchanges_restore_reply(tenant_id uuid, subject uuid, snapshot jsonb)
returns void
language plpgsql
volatile
security definer -- nobody else writes reviews
set search_path = ''
as $$
#variable_conflict use_column
begin
  update public.exchanges_reviews r set reply = snapshot ->> 'reply'
  where r.tenant_id = exchanges_restore_reply.tenant_id and r.id = exchanges_restore_reply.subject
    and r.reply is null;
end;
$$;
comment on function private.exchanges_restore_reply(uuid, uuid, jsonb) is 'Has a reply that was removed say again what it said.';

select private.declare_reportable(
  'exchanges.reply', 'exchanges_describe_reply', 'exchanges_remove_reply', 'exchanges_restore_reply'
);

-- Notes
create function private.exchanges_describe_note(tenant_id uuid, subject uuid, reporter uuid)
returns private.moderation_subject
language plpgsql
stable
security definer -- reads notes past their policies
set search_path = ''
as $$
#variable_conflict use_column
declare
  v_subject private.moderation_subject;
begin
  select n.author_id, n.body, null::uuid[] into v_subject
  from public.exchanges_notes n
  join public.exchanges_parts p
    on p.tenant_id = n.tenant_id and p.exchange_id = n.exchange_id and p.person_id = reporter
  where n.tenant_id = exchanges_describe_note.tenant_id and n.id = exchanges_describe_note.subject
    and n.body is not null and n.author_id <> reporter and private.can(n.tenant_id, 'exchanges.read');
  return v_subject;
end;
$$;
comment on function private.exchanges_describe_note(uuid, uuid, uuid) is 'A note by somebody else, as those who take part see it.';

create function private.exchanges_remove_note(tenant_id uuid, subject uuid)
returns jsonb
language plpgsql
volatile
security definer -- nobody else writes notes
set search_path = ''
as $$
#variable_conflict use_column
declare
  v_body text;
begin
  select n.body into v_body from public.exchanges_notes n
  where n.tenant_id = exchanges_remove_note.tenant_id and n.id = exchanges_remove_note.subject
  for no key update;
  update public.exchanges_notes n set body = null
  where n.tenant_id = exchanges_remove_note.tenant_id and n.id = exchanges_remove_note.subject;
  return jsonb_build_object('body', v_body);
end;
$$;
comment on function private.exchanges_remove_note(uuid, uuid) is 'Deletes what a reported note said; answers it.';

create function private.exchanges_restore_note(tenant_id uuid, subject uuid, snapshot jsonb)
returns void
language plpgsql
volatile
security definer -- nobody else writes notes
set search_path = ''
as $$
#variable_conflict use_column
begin
  update public.exchanges_notes n set body = snapshot ->> 'body'
  where n.tenant_id = exchanges_restore_note.tenant_id and n.id = exchanges_restore_note.subject
    and n.body is null;
end;
$$;
comment on function private.exchanges_restore_note(uuid, uuid, jsonb) is 'Has a note that was removed say again what it said.';

select private.declare_reportable(
  'exchanges.note', 'exchanges_describe_note', 'exchanges_remove_note', 'exchanges_restore_note'
);
