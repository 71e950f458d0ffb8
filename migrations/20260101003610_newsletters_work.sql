-- Newsletters, work: what the worker does again and again until nothing is due, and what starts it.

create function private.newsletters_hand_over(newsletter public.newsletters)
returns integer
language plpgsql
volatile
security definer -- nobody else writes recipients
set search_path = ''
as $$
#variable_conflict use_column
declare
  v_group record;
  v_count integer := 0;
begin
  for v_group in
    with due as (
      select r.person_id from private.newsletters_recipients r
      where r.tenant_id = newsletter.tenant_id and r.newsletter_id = newsletter.id and r.handed_at is null
        and r.due_at <= now() and (r.variant_id is not null or newsletter.winner_id is not null)
      order by r.due_at limit 100
      for no key update
    ), handed as (
      update private.newsletters_recipients r
      set handed_at = now(), variant_id = coalesce(r.variant_id, newsletter.winner_id)
      from due d
      where r.tenant_id = newsletter.tenant_id and r.newsletter_id = newsletter.id and r.person_id = d.person_id
      returning r.variant_id, r.person_id
    )
    select h.variant_id, array_agg(h.person_id) as people from handed h group by h.variant_id
    order by h.variant_id
  loop
    perform private.notify_bulk(newsletter.tenant_id, v_group.variant_id, v_group.people);
    update public.newsletters_variants v set recipients = v.recipients + cardinality(v_group.people)
    where v.tenant_id = newsletter.tenant_id and v.id = v_group.variant_id;
    v_count := v_count + cardinality(v_group.people);
  end loop;
  return v_count;
end;
$$;
comment on function private.newsletters_hand_over(public.newsletters) is
  'Hands the next hundred mails whose time has come to notifications. Returns how many.';

create function private.newsletters_end(newsletter public.newsletters)
returns void
language plpgsql
volatile
security definer -- nobody else writes newsletters
set search_path = ''
as $$
#variable_conflict use_column
declare
  v_newsletter public.newsletters;
begin
  if exists (
    select from private.newsletters_recipients r
    where r.tenant_id = newsletter.tenant_id and r.newsletter_id = newsletter.id and r.handed_at is null
  ) or exists (
    select from public.newsletters_variants v
    join private.notifications_events e on e.tenant_id = v.tenant_id and e.document_id = v.id
    join private.notifications_deliveries d on d.tenant_id = e.tenant_id and d.event_id = e.id
    where v.tenant_id = newsletter.tenant_id and v.newsletter_id = newsletter.id
      and d.status in ('waiting', 'held')
  ) then
    return;
  end if;
  update public.newsletters n set status = 'sent', ended_at = now()
  where n.tenant_id = newsletter.tenant_id and n.id = newsletter.id
  returning * into v_newsletter;
  perform private.newsletters_note(v_newsletter);
end;
$$;
comment on function private.newsletters_end(public.newsletters) is
  'Sent is what has left for everybody: nobody waits for their hour, and no mail for a provider.';

create function public.newsletters_work(tenant_id uuid, newsletter_id uuid)
returns integer
language plpgsql
volatile
security definer -- nobody else writes newsletters
set search_path = ''
as $$
#variable_conflict use_column
declare
  v_newsletter public.newsletters :=
    private.newsletters_lock(newsletters_work.tenant_id, newsletters_work.newsletter_id);
  v_count integer;
begin
  if v_newsletter.send_at > now() or private.jobs_closed(v_newsletter.tenant_id, 'newsletters.send') then
    return 0;
  elsif v_newsletter.status = 'scheduled' then
    perform private.newsletters_begin(v_newsletter);
    return 1;
  elsif v_newsletter.status <> 'sending' then
    return 0;
  elsif not v_newsletter.enlisted then
    return private.newsletters_enlist(v_newsletter);
  end if;
  v_newsletter.winner_id := coalesce(v_newsletter.winner_id, private.newsletters_decide(v_newsletter));
  v_count := private.newsletters_hand_over(v_newsletter);
  if v_count = 0 then
    perform private.newsletters_end(v_newsletter);
  end if;
  return v_count;
end;
$$;
comment on function public.newsletters_work(uuid, uuid) is
  'For the worker: the next step of a newsletter. Returns how much it did; 0 where nothing is due now. Raises newsletters.not_found.';
grant execute on function public.newsletters_work(uuid, uuid) to service_role;

create function private.newsletters_queue()
returns bigint
language plpgsql
volatile
security definer -- nobody else writes the outbox
set search_path = ''
as $$
#variable_conflict use_column
declare
  v_count bigint;
begin
  perform private.newsletters_fold();
  select count(private.newsletters_enqueue(due.tenant_id, due.id)) into v_count
  from (
    select n.tenant_id, n.id from public.newsletters n
    join public.tenants t on t.id = n.tenant_id and 'newsletters' = any (t.modules)
    where n.status in ('scheduled', 'sending') and n.send_at <= now()
    order by n.send_at limit 1000
  ) due;
  return v_count + private.newsletters_follow();
end;
$$;
comment on function private.newsletters_queue() is
  'Has the worker go on with every newsletter that is due, adds up what came back, and sends the next mails of sequences. Returns how much that is.';
select private.schedule('newsletters-queue', '*/5 * * * *', 'select private.newsletters_queue()');

-- Stopping and going on
create function private.newsletters_each_document(newsletter public.newsletters, act text)
returns void
language plpgsql
volatile
security definer -- nobody else writes documents
set search_path = ''
as $$
#variable_conflict use_column
declare
  v_id uuid;
begin
  for v_id in
    select v.id from public.newsletters_variants v
    where v.tenant_id = newsletter.tenant_id and v.newsletter_id = newsletter.id order by v.id
  loop
    case act
      when 'pause' then perform private.notify_bulk_stop(newsletter.tenant_id, v_id);
      when 'resume' then perform private.notify_bulk_resume(newsletter.tenant_id, v_id);
      when 'cancel' then perform private.notify_bulk_withdraw(newsletter.tenant_id, v_id);
      else null;
    end case;
  end loop;
end;
$$;
comment on function private.newsletters_each_document(public.newsletters, text) is
  'Does the same to the mails that were handed over already: pause, resume or cancel.';

create function public.newsletters_move(tenant_id uuid, newsletter_id uuid, act text)
returns public.newsletters
language plpgsql
volatile
security definer -- clients may not write newsletters
set search_path = ''
as $$
#variable_conflict use_column
declare
  v_me uuid := private.require(newsletters_move.tenant_id, 'newsletters.send');
  v_newsletter public.newsletters :=
    private.newsletters_lock(newsletters_move.tenant_id, newsletters_move.newsletter_id);
  v_status text := case newsletters_move.act
    when 'unschedule' then 'draft' when 'pause' then 'paused' when 'resume' then 'sending'
    when 'cancel' then 'cancelled' end;
begin
  if v_status is null then
    raise sqlstate 'PT422' using message = 'request.invalid', detail = 'act: unschedule, pause, resume or cancel';
  elsif v_status = v_newsletter.status or v_status = 'sending' and v_newsletter.status <> 'paused' then
    raise sqlstate 'PT409' using
      message = 'request.transition_refused', detail = 'newsletters: ' || v_newsletter.status;
  end if;
  update public.newsletters n
  set status = v_status, paused_for = case when v_status = 'paused' then 'asked' end,
    send_at = case when v_status <> 'draft' then n.send_at end,
    local_time = case when v_status <> 'draft' then n.local_time end,
    ended_at = case when v_status = 'cancelled' then now() end
  where n.tenant_id = v_newsletter.tenant_id and n.id = v_newsletter.id
  returning * into v_newsletter;
  perform private.newsletters_each_document(v_newsletter, newsletters_move.act);
  perform private.newsletters_note(v_newsletter, v_me);
  if v_status = 'sending' then
    perform private.newsletters_enqueue(v_newsletter.tenant_id, v_newsletter.id);
  end if;
  return v_newsletter;
end;
$$;
comment on function public.newsletters_move(uuid, uuid, text) is
  'Takes a newsletter back to the drafts (unschedule), stops it (pause), also mails that wait already, has it go on (resume), or ends it for good (cancel) (permission newsletters.send). Raises newsletters.not_found, request.transition_refused, request.invalid.';
grant execute on function public.newsletters_move(uuid, uuid, text) to authenticated;
