-- Newsletters, figures: what became of the mails, kept as sums; and the brake when too many bounce.

create function private.newsletters_fold()
returns bigint
language plpgsql
volatile
security definer -- nobody else writes the sums
set search_path = ''
as $$
#variable_conflict use_column
declare
  v_count bigint;
begin
  -- One at a time: two would lock the same rows in two orders.
  perform pg_advisory_xact_lock(hashtext('private.newsletters_fold'), 0);
  with gone as (
    delete from private.newsletters_marks m
    where (m.tenant_id, m.id) in (
      select o.tenant_id, o.id from private.newsletters_marks o limit 20000 for update skip locked
    )
    returning m.tenant_id, m.variant_id, m.what
  ), sums as (
    select g.tenant_id, g.variant_id,
      count(*) filter (where g.what = 'sent') as sent, count(*) filter (where g.what = 'delivered') as delivered,
      count(*) filter (where g.what = 'opened') as opened, count(*) filter (where g.what = 'clicked') as clicked,
      count(*) filter (where g.what = 'bounced') as bounced,
      count(*) filter (where g.what = 'complained') as complained,
      count(*) filter (where g.what = 'skipped') as skipped,
      count(*) filter (where g.what = 'unsubscribed') as unsubscribed, count(*) as marks
    from gone g group by g.tenant_id, g.variant_id
  ), locked as (
    -- In one order, as whoever else writes several of them.
    select v.tenant_id, v.id from public.newsletters_variants v
    join sums s on s.tenant_id = v.tenant_id and s.variant_id = v.id
    order by v.tenant_id, v.id for no key update of v
  ), folded as (
    update public.newsletters_variants v
    set sent = v.sent + s.sent, delivered = v.delivered + s.delivered, opened = v.opened + s.opened,
      clicked = v.clicked + s.clicked, bounced = v.bounced + s.bounced,
      complained = v.complained + s.complained, skipped = v.skipped + s.skipped,
      unsubscribed = v.unsubscribed + s.unsubscribed
    from sums s
    join locked l on l.tenant_id = s.tenant_id and l.id = s.variant_id
    where v.tenant_id = l.tenant_id and v.id = l.id
  )
  select coalesce(sum(s.marks), 0) into v_count from sums s;
  return v_count;
end;
$$;
comment on function private.newsletters_fold() is 'Adds to the sums what came since, 20,000 marks at most. Returns how many.';

create function public.newsletters_statistics(tenant_id uuid, newsletter_id uuid)
returns setof public.newsletters_variants
language plpgsql
stable
security definer -- nobody else reads what is not added up yet
set search_path = ''
as $$
#variable_conflict use_column
begin
  perform private.require(newsletters_statistics.tenant_id, 'newsletters.read');
  if not exists (
    select from public.newsletters n
    where n.tenant_id = newsletters_statistics.tenant_id and n.id = newsletters_statistics.newsletter_id
  ) then
    raise sqlstate 'PT404' using message = 'newsletters.not_found';
  end if;
  return query
    select v.tenant_id, v.id, v.newsletter_id, v.place, v.subject, v.links, v.recipients,
      v.sent + m.sent, v.delivered + m.delivered, v.opened + m.opened, v.clicked + m.clicked,
      v.bounced + m.bounced, v.complained + m.complained, v.skipped + m.skipped,
      v.unsubscribed + m.unsubscribed
    from public.newsletters_variants v
    -- What came within the last minutes, and is added to the sums with the next run.
    cross join lateral (
      select count(*) filter (where k.what = 'sent')::integer as sent,
        count(*) filter (where k.what = 'delivered')::integer as delivered,
        count(*) filter (where k.what = 'opened')::integer as opened,
        count(*) filter (where k.what = 'clicked')::integer as clicked,
        count(*) filter (where k.what = 'bounced')::integer as bounced,
        count(*) filter (where k.what = 'complained')::integer as complained,
        count(*) filter (where k.what = 'skipped')::integer as skipped,
        count(*) filter (where k.what = 'unsubscribed')::integer as unsubscribed
      from private.newsletters_marks k where k.tenant_id = v.tenant_id and k.variant_id = v.id
    ) m
    where v.tenant_id = newsletters_statistics.tenant_id and v.newsletter_id = newsletters_statistics.newsletter_id
    order by v.place;
end;
$$;
comment on function public.newsletters_statistics(uuid, uuid) is
  'The figures of a newsletter, under each of its subjects; none before it begins (permission newsletters.read). Raises newsletters.not_found.';
grant execute on function public.newsletters_statistics(uuid, uuid) to authenticated;

create function private.newsletters_on_delivery()
returns trigger
language plpgsql
volatile
security definer -- nobody else writes marks
set search_path = ''
as $$
#variable_conflict use_column
begin
  insert into private.newsletters_marks (tenant_id, variant_id, what)
  select v.tenant_id, v.id, case new.status when 'digested' then 'sent' else new.status end
  from private.notifications_events e
  join public.newsletters_variants v on v.tenant_id = e.tenant_id and v.id = e.document_id
  where e.tenant_id = new.tenant_id and e.id = new.event_id;
  return null;
end;
$$;
comment on function private.newsletters_on_delivery() is 'After a mail of a newsletter left, arrived or came back: one more of that.';

create trigger newsletters_on_delivery after update of status on private.notifications_deliveries
  for each row when (
    new.kind = 'newsletters.issue' and new.status is distinct from old.status
    and new.status in ('sent', 'digested', 'delivered', 'bounced', 'complained', 'skipped')
  )
  execute function private.newsletters_on_delivery();

create function private.newsletters_on_choice()
returns trigger
language plpgsql
volatile
security definer -- nobody else writes marks
set search_path = ''
as $$
#variable_conflict use_column
begin
  -- Of the last one that they got within a month: that is what they had enough of.
  insert into private.newsletters_marks (tenant_id, variant_id, what)
  select r.tenant_id, r.variant_id, 'unsubscribed'
  from private.newsletters_recipients r
  where r.tenant_id = new.tenant_id and r.person_id = new.person_id
    and r.handed_at > now() - interval '30 days'
  order by r.handed_at desc limit 1;
  return null;
end;
$$;
comment on function private.newsletters_on_choice() is 'After somebody switched newsletters off: one more who did by that issue.';

create trigger newsletters_on_choice_made after insert on private.notifications_preferences
  for each row when (new.kind = 'newsletters.issue' and new.channel = 'email' and new.setting = 'off')
  execute function private.newsletters_on_choice();
create trigger newsletters_on_choice_changed after update of setting on private.notifications_preferences
  for each row when (
    new.kind = 'newsletters.issue' and new.channel = 'email' and new.setting = 'off' and old.setting <> 'off'
  )
  execute function private.newsletters_on_choice();

-- Too many bounces
create function public.newsletters_halt(tenant_id uuid, variant_id uuid)
returns public.newsletters
language plpgsql
volatile
security definer -- nobody else writes newsletters
set search_path = ''
as $$
#variable_conflict use_column
declare
  v_newsletter public.newsletters;
begin
  select n.* into v_newsletter
  from public.newsletters n
  join public.newsletters_variants v on v.tenant_id = n.tenant_id and v.newsletter_id = n.id
  where v.tenant_id = newsletters_halt.tenant_id and v.id = newsletters_halt.variant_id
  for no key update of n;
  if v_newsletter.status is distinct from 'sending' then
    return v_newsletter;
  end if;
  update public.newsletters n set status = 'paused', paused_for = 'bounces'
  where n.tenant_id = v_newsletter.tenant_id and n.id = v_newsletter.id
  returning * into v_newsletter;
  perform private.newsletters_each_document(v_newsletter, 'pause');
  perform private.newsletters_note(v_newsletter);
  perform private.notify_all(
    array(
      select m.person_id from public.members m
      join public.role_permissions rp
        on rp.tenant_id = m.tenant_id and rp.role = m.role and rp.permission = 'newsletters.send'
      where m.tenant_id = v_newsletter.tenant_id and m.status = 'active'
    ),
    'newsletters.stopped', jsonb_build_object('name', v_newsletter.name, 'newsletter_id', v_newsletter.id),
    v_newsletter.tenant_id
  );
  return v_newsletter;
end;
$$;
comment on function public.newsletters_halt(uuid, uuid) is
  'For the worker: pauses a newsletter whose mails come back, under all its subjects, and tells whoever may send newsletters.';
grant execute on function public.newsletters_halt(uuid, uuid) to service_role;

create function private.newsletters_on_stopped()
returns trigger
language plpgsql
volatile
security definer -- nobody else writes the outbox
set search_path = ''
as $$
begin
  -- A job, because whoever pauses a newsletter takes these two locks the other way round.
  perform private.enqueue(
    'newsletters.halt', jsonb_build_object('variant', new.id), new.tenant_id,
    'newsletters_variants:' || new.id, 'newsletters.halt:' || new.id
  );
  return null;
end;
$$;
comment on function private.newsletters_on_stopped() is
  'After notifications stopped a document because its mails come back: has its newsletter paused.';

create trigger newsletters_on_stopped after update of stopped_at on private.notifications_documents
  for each row when (
    new.kind = 'newsletters.issue' and old.stopped_at is null and new.stop_reason = 'bounces'
  )
  execute function private.newsletters_on_stopped();
