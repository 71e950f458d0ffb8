-- Notifications, life: what is kept for how long, what operators see.

create function private.notifications_forget_person()
returns trigger
language plpgsql
volatile
security definer -- nobody else writes notices
set search_path = ''
as $$
begin
  delete from private.notifications_events e where e.person_id = new.id;
  -- By the counters, which know in which tenants there are any.
  delete from public.notifications n using public.notifications_counters c
  where c.person_id = new.id and n.tenant_id = c.tenant_id and n.person_id = c.person_id;
  delete from public.notifications_counters c where c.person_id = new.id;
  delete from private.notifications_preferences p where p.person_id = new.id;
  delete from private.notifications_hours h where h.person_id = new.id;
  return null;
end;
$$;
comment on function private.notifications_forget_person() is
  'After a person was erased: what they were told goes, and what they chose; mails that wait are not sent.';

create trigger notifications_forget_person after update of erased_at on public.people
  for each row when (old.erased_at is null and new.erased_at is not null)
  execute function private.notifications_forget_person();

create function private.notifications_forget_inbox()
returns bigint
language sql
volatile
security definer -- nobody else writes the inbox
set search_path = ''
as $$
  with gone as (
    delete from public.notifications n
    where n.updated_at < now() - interval '180 days'
    returning n.tenant_id, n.person_id, n.read_at
  ), unread as (
    select g.tenant_id, g.person_id, count(*) filter (where g.read_at is null)::integer as count
    from gone g group by g.tenant_id, g.person_id order by g.person_id
  ), counted as (
    select private.notifications_count(u.tenant_id, u.person_id, -u.count) from unread u where u.count > 0
  )
  select (select count(*) from gone) + 0 * (select count(*) from counted);
$$;
comment on function private.notifications_forget_inbox() is
  'Notices leave the inbox after 180 days. Returns how many.';

create function private.notifications_forget_old()
returns bigint
language sql
volatile
security definer -- nobody else writes events
set search_path = ''
as $$
  with events as (
    delete from private.notifications_events e
    where e.created_at < now() - interval '90 days'
      and not exists (
        select from private.notifications_deliveries d
        where d.tenant_id = e.tenant_id and d.event_id = e.id and d.status in ('held', 'digest')
      )
    returning 1
  ), blanked as (
    -- What could not be sent is kept for a replay as long as the dead letter keeps its job.
    update private.notifications_events e set payload = '{}', address = null
    where e.created_at < now() - interval '30 days' and e.created_at > now() - interval '32 days'
      and (e.payload <> '{}' or e.address is not null)
      and not exists (
        select from private.notifications_deliveries d
        where d.tenant_id = e.tenant_id and d.event_id = e.id
          and d.status in ('waiting', 'held', 'digest')
      )
    returning 1
  ), calls as (
    -- Longer than the oldest call that is taken: Amazon SNS repeats for hours what it signed once.
    delete from private.notifications_calls c where c.received_at < now() - interval '2 days'
    returning 1
  ), documents as (
    delete from private.notifications_documents d
    where d.created_at < now() - interval '90 days' and not exists (
      select from private.notifications_events e where e.tenant_id = d.tenant_id and e.document_id = d.id
    )
    returning 1
  ), brakes as (
    delete from private.notifications_brakes b where b.until < now() returning 1
  )
  select (select count(*) from events) + (select count(*) from blanked)
    + (select count(*) from calls) + (select count(*) from documents) + (select count(*) from brakes);
$$;
comment on function private.notifications_forget_old() is
  'Evidence goes after 90 days, what was never sent loses its content after 30, calls of providers go after two days. Returns how many rows it touched.';

select private.schedule('notifications-forget-old', '17 * * * *', 'select private.notifications_forget_old()');
select private.schedule('notifications-forget-inbox', '27 3 * * *', 'select private.notifications_forget_inbox()');

select private.declare_metric(
  'mail_backlog', 'gauge', 'Mails that wait to be sent, and whose time has come.',
  $$select count(*) as value from private.notifications_deliveries d
    where d.status = 'waiting' and d.channel = 'email' and d.due_at <= now()$$
);
select private.declare_metric(
  'mail_oldest_waiting_seconds', 'gauge', 'Age of the oldest mail that waits to be sent.',
  $$select coalesce(extract(epoch from now() - min(greatest(d.created_at, d.due_at))), 0) as value
    from private.notifications_deliveries d
    where d.status = 'waiting' and d.channel = 'email' and d.due_at <= now()$$
);
select private.declare_metric(
  'mail_braked_kinds', 'gauge', 'Kinds of mail that are held because too many of them bounced.',
  $$select count(*) as value from private.notifications_brakes b where b.until > now()$$
);
