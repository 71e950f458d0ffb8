-- Notifications, bulk: what somebody wrote for many readers, such as a newsletter. The document is
-- kept once, each reader gets a mail of their own: with their link, their language and their evidence,
-- after all mail that somebody waits for.

create table private.notifications_documents (
  tenant_id uuid not null references public.tenants (id) on delete cascade,
  id uuid not null,
  kind text not null references private.notifications_kinds (kind),
  content jsonb not null check (octet_length(content::text) <= 131072),
  stopped_at timestamptz,
  stop_reason text check (stop_reason in ('asked', 'bounces')),
  created_at timestamptz not null default now(),
  primary key (tenant_id, id),
  check ((stopped_at is null) = (stop_reason is null))
);
comment on table private.notifications_documents is
  'What is mailed to many. The id is that of whoever sends it, such as a newsletter''s issue or one variant of it.';
comment on column private.notifications_documents.stopped_at is
  'Since when no mail of it leaves: somebody stopped it, or too many of them bounced.';
create index notifications_documents_kind on private.notifications_documents (kind);

alter table private.notifications_events
  add foreign key (tenant_id, document_id)
    references private.notifications_documents (tenant_id, id) on delete cascade;
create index notifications_events_document on private.notifications_events (tenant_id, document_id)
  where document_id is not null;

create function private.notifications_leads_out(address text)
returns boolean
language sql
immutable
security invoker
set search_path = ''
as $$
  select char_length(address) <= 1010 and address ~ '^https://[^\s"<>]+$';
$$;
comment on function private.notifications_leads_out(text) is
  'Whether a document may link to it, or show it: an address over HTTPS.';

create function private.notifications_block_fault(block jsonb)
returns text
language plpgsql
immutable
security invoker
set search_path = ''
as $$
declare
  v_type text := coalesce(block ->> 'type', '');
  v_text text := coalesce(block ->> 'text', '');
  v_link text := block ->> 'link';
begin
  return case
    when v_type not in ('heading', 'paragraph', 'list', 'image', 'button', 'divider') then 'type'
    when v_type in ('heading', 'paragraph', 'button')
      and char_length(v_text) not between 1 and case v_type when 'paragraph' then 5000 else 200 end
      then 'text'
    when v_type = 'list' and (
      jsonb_typeof(block -> 'items') is distinct from 'array'
      or jsonb_array_length(block -> 'items') not between 1 and 50
      or exists (
        select from jsonb_array_elements(block -> 'items') i
        where jsonb_typeof(i) <> 'string' or char_length(i #>> '{}') not between 1 and 1000
      )
    ) then 'items'
    when v_type = 'image' and not coalesce(private.notifications_leads_out(block ->> 'url'), false)
      then 'url'
    -- Who does not see the picture is told what is on it; empty: it says nothing.
    when v_type = 'image' and coalesce(char_length(block ->> 'alt') > 300, true) then 'alt'
    when v_type = 'button' and v_link is null then 'link'
    when v_type in ('image', 'button') and not private.notifications_leads_out(v_link) then 'link'
  end;
end;
$$;
comment on function private.notifications_block_fault(jsonb) is
  'What is wrong with a block of a document; null when nothing is.';

create function private.notifications_document_fault(content jsonb)
returns text
language plpgsql
immutable
security invoker
set search_path = ''
as $$
begin
  return case
    when jsonb_typeof(content) is distinct from 'object' or octet_length(content::text) > 131072
      then 'document'
    when coalesce(char_length(btrim(content ->> 'subject')), 0) not between 1 and 200 then 'subject'
    when char_length(content ->> 'preview') > 200 then 'preview'
    when char_length(content ->> 'greeting') > 200 then 'greeting'
    when jsonb_typeof(content -> 'blocks') is distinct from 'array'
      or jsonb_array_length(content -> 'blocks') not between 1 and 200 then 'blocks'
    else (
      select format('blocks[%s].%s', b.place - 1, private.notifications_block_fault(b.block))
      from jsonb_array_elements(content -> 'blocks') with ordinality b (block, place)
      where private.notifications_block_fault(b.block) is not null
      order by b.place limit 1
    )
  end;
end;
$$;
comment on function private.notifications_document_fault(jsonb) is
  'What is wrong with a document { subject, preview?, greeting?, blocks }; null when nothing is. Blocks are made of text alone, never of HTML: heading and paragraph { text }, list { items }, image { url, alt, link? }, button { text, link }, divider. Texts know **bold**, *slanted* and [words](https://…); the greeting knows {name} and is left out where no name is known.';

create function private.notify_document(tenant_id uuid, document_id uuid, kind text, content jsonb)
returns void
language plpgsql
volatile
security definer -- nobody else writes documents
set search_path = ''
as $$
#variable_conflict use_column
declare
  v_fault text := private.notifications_document_fault(notify_document.content);
begin
  if v_fault is not null then
    raise sqlstate 'PT422' using message = 'request.invalid', detail = v_fault;
  end if;
  if not exists (
    select from private.notifications_kinds k
    where k.kind = notify_document.kind and k.email is not null and k.inbox is null and k.push is null
      and not k.security
  ) then
    raise exception 'kind % is not one that is mailed to many', notify_document.kind;
  end if;
  insert into private.notifications_documents as d (tenant_id, id, kind, content)
  values (
    notify_document.tenant_id, notify_document.document_id, notify_document.kind, notify_document.content
  )
  on conflict (tenant_id, id) do update set content = excluded.content;
end;
$$;
comment on function private.notify_document(uuid, uuid, text, jsonb) is
  'Keeps what private.notify_bulk is to send; said again, what has not left yet says the new. The kind is declared for e-mail alone. Raises request.invalid with the place as detail.';

create function private.notify_bulk(
  tenant_id uuid, document_id uuid, persons uuid[], addresses text[] default '{}'
)
returns bigint
language plpgsql
volatile
security definer -- nobody else writes events
set search_path = ''
as $$
#variable_conflict use_column
declare
  v_document private.notifications_documents;
  v_event private.notifications_events;
  v_one record;
  v_count bigint := 0;
begin
  select d.* into strict v_document from private.notifications_documents d
  where d.tenant_id = notify_bulk.tenant_id and d.id = notify_bulk.document_id;
  v_event.tenant_id := v_document.tenant_id;
  v_event.kind := v_document.kind;
  v_event.document_id := v_document.id;
  v_event.payload := jsonb_build_object('subject', v_document.content ->> 'subject');
  for v_one in
    select p.id, null::text as address from unnest(persons) p (id) where p.id is not null
    union
    select null::uuid, lower(btrim(a.address)) from unnest(addresses) a (address)
    where char_length(btrim(a.address)) between 3 and 254
    order by 1, 2
  loop
    v_event.about := 'notifications_documents:' || v_document.id;
    if v_one.address is null then
      v_event.person_id := v_one.id;
      perform private.notifications_tell(v_event, -1::smallint);
    else
      v_event.about := v_event.about || ':'
        || encode(private.notifications_address_digest(v_one.address), 'hex');
      v_event.address := v_one.address;
      perform private.notifications_mail_address(v_event, now(), -1::smallint);
    end if;
    v_count := v_count + 1;
  end loop;
  return v_count;
end;
$$;
comment on function private.notify_bulk(uuid, uuid, uuid[], text[]) is
  'Mails a document to people, as each chose for its kind, and to addresses that are nobody here; each once, for good, however often they are named. Behind all other mail. Returns how many were named. To be called with some hundred at a time.';

create function private.notify_bulk_state(tenant_id uuid, document_id uuid)
returns jsonb
language plpgsql
stable
security definer -- nobody else reads deliveries
set search_path = ''
as $$
#variable_conflict use_column
begin
  return (
    with outcomes as (
      select d.status, d.reason, count(*) as count
      from private.notifications_events e
      join private.notifications_deliveries d
        on d.tenant_id = e.tenant_id and d.event_id = e.id and d.channel = 'email'
      where e.tenant_id = notify_bulk_state.tenant_id and e.document_id = notify_bulk_state.document_id
      group by d.status, d.reason
    )
    select jsonb_build_object(
      'stopped_at', d.stopped_at,
      'stop_reason', d.stop_reason,
      'statuses', (
        select coalesce(jsonb_object_agg(s.status, s.count), '{}')
        from (select o.status, sum(o.count) as count from outcomes o group by o.status) s
      ),
      'reasons', (
        select coalesce(jsonb_object_agg(r.reason, r.count), '{}')
        from (
          select o.reason, sum(o.count) as count from outcomes o
          where o.status = 'skipped' and o.reason is not null group by o.reason
        ) r
      )
    )
    from private.notifications_documents d
    where d.tenant_id = notify_bulk_state.tenant_id and d.id = notify_bulk_state.document_id
  );
end;
$$;
comment on function private.notify_bulk_state(uuid, uuid) is
  'What became of a document so far: { stopped_at, stop_reason (asked, bounces), statuses: { waiting, held, digest, digested, sent, delivered, bounced, complained, skipped, refused }, reasons: why it was skipped for whom: { switched_off, suppressed, no_address, not_member, … } }, counts. Null for a document that is unknown. The evidence goes after 90 days.';

create function private.notify_bulk_recipients(tenant_id uuid, document_id uuid, status text)
returns setof uuid
language plpgsql
stable
security definer -- nobody else reads deliveries
set search_path = ''
as $$
#variable_conflict use_column
begin
  return query
    select e.person_id
    from private.notifications_events e
    join private.notifications_deliveries d
      on d.tenant_id = e.tenant_id and d.event_id = e.id and d.channel = 'email'
    where e.tenant_id = notify_bulk_recipients.tenant_id
      and e.document_id = notify_bulk_recipients.document_id
      and d.status = notify_bulk_recipients.status
      and e.person_id <> private.notifications_nobody();
end;
$$;
comment on function private.notify_bulk_recipients(uuid, uuid, text) is
  'The people with whom a document has got so far: delivered, bounced, complained and so on.';

create function private.notify_bulk_stop(
  tenant_id uuid, document_id uuid, reason text default 'asked'
)
returns void
language sql
volatile
security definer -- nobody else writes documents
set search_path = ''
as $$
  update private.notifications_documents d set stopped_at = now(), stop_reason = notify_bulk_stop.reason
  where d.tenant_id = notify_bulk_stop.tenant_id and d.id = notify_bulk_stop.document_id
    and d.stopped_at is null;
$$;
comment on function private.notify_bulk_stop(uuid, uuid, text) is
  'No further mail of the document leaves, until private.notify_bulk_resume.';

create function private.notify_bulk_resume(tenant_id uuid, document_id uuid)
returns void
language plpgsql
volatile
security definer -- nobody else writes documents
set search_path = ''
as $$
#variable_conflict use_column
begin
  update private.notifications_documents d set stopped_at = null, stop_reason = null
  where d.tenant_id = notify_bulk_resume.tenant_id and d.id = notify_bulk_resume.document_id;
  update private.notifications_deliveries d set due_at = now()
  from private.notifications_events e
  where e.tenant_id = notify_bulk_resume.tenant_id and e.document_id = notify_bulk_resume.document_id
    and d.tenant_id = e.tenant_id and d.event_id = e.id and d.status = 'held' and d.due_at = 'infinity';
end;
$$;
comment on function private.notify_bulk_resume(uuid, uuid) is
  'What was held since the document was stopped goes on its way.';

create function private.notify_bulk_withdraw(tenant_id uuid, document_id uuid)
returns void
language plpgsql
volatile
security definer -- nobody else writes events
set search_path = ''
as $$
#variable_conflict use_column
begin
  update private.notifications_events e set expires_at = now()
  where e.tenant_id = notify_bulk_withdraw.tenant_id
    and e.document_id = notify_bulk_withdraw.document_id;
  perform private.notify_bulk_resume(notify_bulk_withdraw.tenant_id, notify_bulk_withdraw.document_id);
end;
$$;
comment on function private.notify_bulk_withdraw(uuid, uuid) is
  'What has not left of the document never will: it ends as skipped, expired.';

create function private.notifications_stopped_until(event private.notifications_events)
returns timestamptz
language plpgsql
stable
security definer -- nobody else reads documents
set search_path = ''
as $$
begin
  return (
    select timestamptz 'infinity' from private.notifications_documents d
    where d.tenant_id = event.tenant_id and d.id = event.document_id and d.stopped_at is not null
  );
end;
$$;
comment on function private.notifications_stopped_until(private.notifications_events) is
  'Infinity where the event''s document was stopped, null otherwise.';
