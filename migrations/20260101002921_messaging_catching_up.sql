-- Messaging, catching up: what a device missed, from the row of changes; and search over what one sees.

create type public.messaging_change as (
  position bigint,
  event text,
  conversation_id uuid,
  message_id uuid,
  message jsonb
);
comment on type public.messaging_change is
  'A message as it is now, once, at its last change. message is null where the caller deleted it for themselves. messaging:erased is of no single message: all of its sender_id are gone. position is the cursor.';

create function public.messaging_catch_up(tenant_id uuid, since bigint default 0, page_size integer default 100)
returns setof public.messaging_change
language plpgsql
stable
security definer -- asks once what the policies of five tables would ask each; the conditions are theirs
set search_path = ''
set plan_cache_mode = force_generic_plan -- for all it calls: planning would cost more than catching up
as $$
#variable_conflict use_column
declare
  v_me uuid := private.require(messaging_catch_up.tenant_id, 'messaging.read');
  v_since bigint := coalesce(messaging_catch_up.since, 0);
begin
  perform private.check_page(page_size);
  if exists (
    select from private.messaging_people p
    where p.tenant_id = messaging_catch_up.tenant_id and p.person_id = v_me and p.pruned_to > v_since
  ) then
    raise sqlstate 'PT410' using message = 'messaging.cursor_expired';
  end if;
  -- A message stands in the row once for each change; only its last place counts.
  return query
  select i.position,
    case when i.erased_id is not null then 'messaging:erased'
      when m.id is null or m.deleted_at is not null then 'message:deleted'
      when m.version = 1 then 'message:new' else 'message:edited' end,
    i.conversation_id, i.message_id,
    case when i.erased_id is null then to_jsonb(m) else jsonb_build_object('sender_id', i.erased_id) end
  from public.messaging_inbox i
  left join lateral (
    select x.* from public.messaging_messages x
    join public.messaging_states s
      on s.tenant_id = x.tenant_id and s.person_id = v_me and s.conversation_id = x.conversation_id
      and s.from_seq < x.seq
    where x.tenant_id = messaging_catch_up.tenant_id and x.id = i.message_id
      and not exists (
        select from public.messaging_hidden h
        where h.tenant_id = x.tenant_id and h.person_id = v_me and h.message_id = x.id
      )
      and not exists (
        select from public.messaging_blocks b
        where b.tenant_id = x.tenant_id and b.person_id = v_me and b.blocked_id = x.sender_id
      )
  ) m on true
  where i.tenant_id = messaging_catch_up.tenant_id and i.person_id = v_me and i.position > v_since
    and (m.version = i.version or m.id is null and i.version = 0 or i.erased_id is not null)
  order by i.position
  limit page_size;
end;
$$;
comment on function public.messaging_catch_up(uuid, bigint, integer) is
  'What changed since a position, in the order it was committed, without gaps and each message once; until a page is not full (permission messaging.read). page_size: 1 to 100. Raises messaging.cursor_expired after 10,000 changes: then the list and the pages are read anew. Raises request.invalid.';
grant execute on function public.messaging_catch_up(uuid, bigint, integer) to authenticated;

create index messaging_messages_words on public.messaging_messages
  using gin (to_tsvector('simple', body)) where body is not null;

create function public.messaging_search(
  tenant_id uuid, query text, conversation_id uuid default null, cursor uuid default null,
  page_size integer default 50
)
returns setof public.messaging_messages
language plpgsql
stable
security definer -- past the policies an index finds words; what they say stands in the conditions
set search_path = ''
as $$
#variable_conflict use_column
declare
  v_me uuid := private.require(messaging_search.tenant_id, 'messaging.read');
  v_query tsquery;
begin
  perform private.check_page(page_size);
  if coalesce(char_length(messaging_search.query) not between 1 and 200, true) then
    raise sqlstate 'PT422' using message = 'request.invalid', detail = 'query: 1 to 200 characters';
  end if;
  v_query := websearch_to_tsquery('simple', messaging_search.query);
  return query
  select m.*
  from public.messaging_messages m
  join public.messaging_states s
    on s.tenant_id = m.tenant_id and s.person_id = v_me and s.conversation_id = m.conversation_id
    and s.from_seq < m.seq
  where m.tenant_id = messaging_search.tenant_id and m.body is not null
    and to_tsvector('simple', m.body) @@ v_query
    and m.id < coalesce(messaging_search.cursor, 'ffffffff-ffff-ffff-ffff-ffffffffffff')
    and (messaging_search.conversation_id is null or m.conversation_id = messaging_search.conversation_id)
    and not exists (
      select from public.messaging_hidden h
      where h.tenant_id = m.tenant_id and h.person_id = v_me and h.message_id = m.id
    )
    and not exists (
      select from public.messaging_blocks b
      where b.tenant_id = m.tenant_id and b.person_id = v_me and b.blocked_id = m.sender_id
    )
  order by m.id desc
  limit page_size;
end;
$$;
comment on function public.messaging_search(uuid, text, uuid, uuid, integer) is
  'Messages the caller sees with these words ("a phrase", or, -not), the newest first (permission messaging.read). cursor: id of the last one seen. page_size: 1 to 100. Raises request.invalid.';
grant execute on function public.messaging_search(uuid, text, uuid, uuid, integer) to authenticated;
