-- Messaging, reading: the list of conversations, pages of one, catching up, and search.

create type public.messaging_summary as (
  conversation_id uuid,
  kind text,
  title text,
  context_kind text,
  context_id uuid,
  people uuid[],
  unread bigint,
  muted_until timestamptz,
  retention_days integer,
  removed_seq bigint,
  last_message_id uuid,
  last_message_sender uuid,
  last_message_kind text,
  last_message_body text,
  last_message_at timestamptz,
  cursor text
);
comment on type public.messaging_summary is
  'A conversation in the caller''s list: people are the others in it (ten at most), last_message_* the last one they see, its words cut to 200 characters; messages up to removed_seq are forgotten; cursor continues after this line.';

create function public.messaging_list(
  tenant_id uuid, archived boolean default false, cursor text default null, page_size integer default 50
)
returns setof public.messaging_summary
language plpgsql
stable
security definer -- one read for each person's list, past the policies of five tables
set search_path = ''
as $$
#variable_conflict use_column
declare
  v_me uuid := private.require(messaging_list.tenant_id, 'messaging.read');
  v_before timestamptz := timestamptz 'infinity';
  v_id uuid := uuid 'ffffffff-ffff-ffff-ffff-ffffffffffff';
begin
  perform private.check_page(page_size);
  if messaging_list.cursor is not null then
    if not pg_input_is_valid(split_part(messaging_list.cursor, ',', 1), 'timestamptz')
      or not pg_input_is_valid(split_part(messaging_list.cursor, ',', 2), 'uuid')
    then
      raise sqlstate 'PT422' using message = 'request.invalid', detail = 'cursor';
    end if;
    v_before := split_part(messaging_list.cursor, ',', 1)::timestamptz;
    v_id := split_part(messaging_list.cursor, ',', 2)::uuid;
  end if;
  return query
  with page as (
    select c.*, s.read_seq, s.skipped, s.from_seq, s.muted_until,
      coalesce(c.last_message_at, c.created_at) as at
    from public.messaging_states s
    join public.messaging_conversations c on c.tenant_id = s.tenant_id and c.id = s.conversation_id
    where s.tenant_id = messaging_list.tenant_id and s.person_id = v_me
      and (s.archived_at is not null) = coalesce(messaging_list.archived, false)
      and (coalesce(c.last_message_at, c.created_at), c.id) < (v_before, v_id)
    order by at desc, c.id desc
    limit page_size
  )
  select p.id, p.kind, p.title, p.context_kind, p.context_id,
    array(
      select m.person_id from public.messaging_members m
      where m.tenant_id = p.tenant_id and m.conversation_id = p.id and m.left_at is null and m.person_id <> v_me
      order by m.joined_at, m.person_id limit 10
    ),
    p.last_seq - p.read_seq - p.skipped, p.muted_until, p.retention_days,
    p.removed_seq, last.id, last.sender_id, last.kind, left(last.body, 200), p.at,
    to_char(p.at at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"') || ',' || p.id
  from page p
  left join lateral (
    select m.id, m.sender_id, m.kind, m.body
    from public.messaging_messages m
    where m.tenant_id = p.tenant_id and m.conversation_id = p.id and m.seq > p.from_seq
      and not exists (
        select from public.messaging_hidden h
        where h.tenant_id = m.tenant_id and h.person_id = v_me and h.message_id = m.id
      )
      and not exists (
        select from public.messaging_blocks b
        where b.tenant_id = m.tenant_id and b.person_id = v_me and b.blocked_id = m.sender_id
      )
    order by m.seq desc limit 1
  ) last on true
  order by p.at desc, p.id desc;
end;
$$;
comment on function public.messaging_list(uuid, boolean, text, integer) is
  'The caller''s conversations, the latest first, or those they archived (permission messaging.read). cursor: of the last line seen. page_size: 1 to 100. Raises request.invalid.';
grant execute on function public.messaging_list(uuid, boolean, text, integer) to authenticated;

create function public.messaging_page(
  tenant_id uuid, conversation_id uuid, before bigint default null, after bigint default null,
  page_size integer default 50
)
returns setof public.messaging_messages
language plpgsql
stable
security definer -- asks once what the policies of four tables would ask each; the conditions are theirs
set search_path = ''
as $$
#variable_conflict use_column
declare
  v_me uuid := private.require(messaging_page.tenant_id, 'messaging.read');
  v_from bigint;
begin
  perform private.check_page(page_size);
  select s.from_seq into v_from from public.messaging_states s
  where s.tenant_id = messaging_page.tenant_id and s.person_id = v_me
    and s.conversation_id = messaging_page.conversation_id;
  if not found then
    raise sqlstate 'PT404' using message = 'messaging.conversation_not_found';
  end if;
  -- Two statements, so that each is a walk along the index.
  if messaging_page.after is null then
    return query
      select m.* from public.messaging_messages m
      where m.tenant_id = messaging_page.tenant_id and m.conversation_id = messaging_page.conversation_id
        and m.seq > v_from and m.seq < coalesce(messaging_page.before, 9223372036854775807)
        and not exists (
          select from public.messaging_hidden h
          where h.tenant_id = m.tenant_id and h.person_id = v_me and h.message_id = m.id
        )
        and not exists (
          select from public.messaging_blocks b
          where b.tenant_id = m.tenant_id and b.person_id = v_me and b.blocked_id = m.sender_id
        )
      order by m.seq desc limit page_size;
  else
    return query
      select m.* from public.messaging_messages m
      where m.tenant_id = messaging_page.tenant_id and m.conversation_id = messaging_page.conversation_id
        and m.seq > greatest(v_from, messaging_page.after)
        and m.seq < coalesce(messaging_page.before, 9223372036854775807)
        and not exists (
          select from public.messaging_hidden h
          where h.tenant_id = m.tenant_id and h.person_id = v_me and h.message_id = m.id
        )
        and not exists (
          select from public.messaging_blocks b
          where b.tenant_id = m.tenant_id and b.person_id = v_me and b.blocked_id = m.sender_id
        )
      order by m.seq limit page_size;
  end if;
end;
$$;
comment on function public.messaging_page(uuid, uuid, bigint, bigint, integer) is
  'A conversation''s messages: the newest first, before a number; or after one, the oldest first (permission messaging.read). page_size: 1 to 100. Raises messaging.conversation_not_found, request.invalid.';
grant execute on function public.messaging_page(uuid, uuid, bigint, bigint, integer) to authenticated;

create type public.messaging_totals as (unread bigint, position bigint);
comment on type public.messaging_totals is
  'The caller''s unread messages in all conversations, and the number of the last change told to them.';

create function public.messaging_unread(tenant_id uuid)
returns public.messaging_totals
language plpgsql
stable
security definer -- nobody reads the sums of others
set search_path = ''
as $$
#variable_conflict use_column
declare
  v_me uuid := private.require(messaging_unread.tenant_id, 'messaging.read');
  v_totals public.messaging_totals := (0, 0);
begin
  select p.unread, p.position into v_totals
  from private.messaging_people p
  where p.tenant_id = messaging_unread.tenant_id and p.person_id = v_me;
  return (coalesce(v_totals.unread, 0), coalesce(v_totals.position, 0))::public.messaging_totals;
end;
$$;
comment on function public.messaging_unread(uuid) is
  'How much is unread, kept as a sum, and where to catch up from later (permission messaging.read).';
grant execute on function public.messaging_unread(uuid) to authenticated;
