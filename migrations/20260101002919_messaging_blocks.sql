-- Messaging, blocks: whoever is blocked is not heard: not in a group, not outside the app, not by a
-- mention, not in a search. What they wrote while they were is told afterwards.

create function private.messaging_apart(tenant_id uuid)
returns setof uuid
language plpgsql
stable
security definer -- blocks are their owner's secret
set search_path = ''
as $$
#variable_conflict use_column
declare
  v_me uuid := private.person();
begin
  return query
    select b.blocked_id from public.messaging_blocks b
    where b.tenant_id = messaging_apart.tenant_id and b.person_id = v_me
    union
    select b.person_id from public.messaging_blocks b
    where b.tenant_id = messaging_apart.tenant_id and b.blocked_id = v_me;
end;
$$;
comment on function private.messaging_apart(uuid) is
  'Whom the caller does not find, and who does not find the caller: one of the two blocked the other. For searches, which ask it once: person <> all (array(select private.messaging_apart(tenant_id))).';
grant execute on function private.messaging_apart(uuid) to authenticated;

create function private.messaging_recount(tenant_id uuid, person uuid, sender uuid, sign integer)
returns void
language plpgsql
volatile
security definer -- nobody else writes states
set search_path = ''
as $$
#variable_conflict use_column
declare
  v_changed bigint;
begin
  perform from public.messaging_states s
  where s.tenant_id = messaging_recount.tenant_id and s.person_id = person
  order by s.conversation_id
  for no key update;
  with unheard as (
    select s.conversation_id, count(*)::integer as messages
    from public.messaging_states s
    join public.messaging_members m
      on m.tenant_id = s.tenant_id and m.conversation_id = s.conversation_id and m.person_id = sender
    join public.messaging_messages x
      on x.tenant_id = s.tenant_id and x.conversation_id = s.conversation_id
      and x.seq > s.read_seq and x.sender_id = sender and not exists (
        select from public.messaging_hidden h
        where h.tenant_id = x.tenant_id and h.person_id = messaging_recount.person and h.message_id = x.id
      )
    where s.tenant_id = messaging_recount.tenant_id and s.person_id = person
    group by s.conversation_id
  ), moved as (
    update public.messaging_states s set skipped = s.skipped + messaging_recount.sign * u.messages
    from unheard u
    where s.tenant_id = messaging_recount.tenant_id and s.person_id = person and s.conversation_id = u.conversation_id
    returning u.messages
  )
  select sum(m.messages) into v_changed from moved m;
  update private.messaging_people p set unread = p.unread - messaging_recount.sign * v_changed
  where p.tenant_id = messaging_recount.tenant_id and p.person_id = person and v_changed > 0;
end;
$$;
comment on function private.messaging_recount(uuid, uuid, uuid, integer) is
  'Takes a sender''s unread messages out of a person''s sums (1), or counts them again (-1).';

create function private.messaging_reread(tenant_id uuid, person uuid)
returns bigint
language plpgsql
volatile
security definer -- nobody else writes the rows of changes
set search_path = ''
as $$
#variable_conflict use_column
declare
  v_position bigint;
begin
  update private.messaging_people p set position = p.position + 1, pruned_to = p.position + 1
  where p.tenant_id = messaging_reread.tenant_id and p.person_id = messaging_reread.person
  returning p.position into v_position;
  return v_position;
end;
$$;
comment on function private.messaging_reread(uuid, uuid) is
  'Too much changed for a person to be told one by one: their devices read anew. Returns their position.';

create function private.messaging_retell(tenant_id uuid, person uuid, sender uuid, since timestamptz)
returns bigint
language plpgsql
volatile
security definer -- reads the rows of changes of another, and writes one's own
set search_path = ''
as $$
#variable_conflict use_column
declare
  v_messages public.messaging_messages[];
  v_pruned boolean;
  v_position bigint;
begin
  -- Whatever somebody sent, edited or deleted stands in their own row of changes, which has an end.
  v_messages := array(
    select m from public.messaging_inbox i
    join public.messaging_messages m
      on m.tenant_id = i.tenant_id and m.id = i.message_id and m.version = i.version
    join public.messaging_states s
      on s.tenant_id = m.tenant_id and s.person_id = messaging_retell.person
      and s.conversation_id = m.conversation_id and s.from_seq < m.seq
    where i.tenant_id = messaging_retell.tenant_id and i.person_id = messaging_retell.sender
      and m.sender_id = messaging_retell.sender
      and greatest(m.created_at, m.edited_at, m.deleted_at) >= messaging_retell.since
      -- What was being sent while they were blocked may have reached them.
      and not exists (
        select from public.messaging_inbox own
        where own.tenant_id = i.tenant_id and own.person_id = messaging_retell.person
          and own.message_id = i.message_id and own.version = i.version
      )
    order by i.position limit 1001
  );
  select p.pruned_to > 0 into v_pruned from private.messaging_people p
  where p.tenant_id = messaging_retell.tenant_id and p.person_id = messaging_retell.sender;
  if v_pruned or cardinality(v_messages) > 1000 then
    return private.messaging_reread(messaging_retell.tenant_id, messaging_retell.person);
  end if;
  update private.messaging_people p set position = p.position + cardinality(v_messages)
  where p.tenant_id = messaging_retell.tenant_id and p.person_id = messaging_retell.person
  returning p.position into v_position;
  insert into public.messaging_inbox (tenant_id, person_id, position, conversation_id, message_id, version)
  select m.tenant_id, messaging_retell.person, v_position - cardinality(v_messages) + m.ordinality,
    m.conversation_id, m.id, m.version
  from unnest(v_messages) with ordinality m;
  return v_position;
end;
$$;
comment on function private.messaging_retell(uuid, uuid, uuid, timestamptz) is
  'Puts what a sender wrote, edited or deleted since then into a person''s row of changes; where that is too much, or forgotten, their devices read anew. Returns their position.';

create function public.messaging_block(tenant_id uuid, person uuid, blocked boolean)
returns boolean
language plpgsql
volatile
security definer -- clients may not write blocks
set search_path = ''
as $$
#variable_conflict use_column
declare
  v_me uuid := private.require(messaging_block.tenant_id, 'messaging.read');
  v_since timestamptz;
  v_position bigint;
begin
  if messaging_block.person = v_me or messaging_block.blocked is null then
    raise sqlstate 'PT422' using
      message = 'request.invalid', detail = case when messaging_block.blocked is null then 'blocked' else 'person: yourself' end;
  elsif messaging_block.person is null or not exists (
    select from public.members m
    where m.tenant_id = messaging_block.tenant_id and m.person_id = messaging_block.person
  ) then
    raise sqlstate 'PT404' using message = 'members.not_found';
  end if;
  -- A message of theirs that is being sent waits here, or this waits for it: none is counted twice.
  perform from public.messaging_conversations c
  join public.messaging_states mine on mine.tenant_id = c.tenant_id and mine.conversation_id = c.id and mine.person_id = v_me
  join public.messaging_states theirs
    on theirs.tenant_id = c.tenant_id and theirs.conversation_id = c.id and theirs.person_id = messaging_block.person
  where c.tenant_id = messaging_block.tenant_id
  order by c.id
  for no key update of c;
  if messaging_block.blocked then
    insert into public.messaging_blocks (tenant_id, person_id, blocked_id, created_at)
    values (messaging_block.tenant_id, v_me, messaging_block.person, clock_timestamp())
    on conflict do nothing;
  else
    delete from public.messaging_blocks b
    where b.tenant_id = messaging_block.tenant_id and b.person_id = v_me and b.blocked_id = messaging_block.person
    returning b.created_at into v_since;
  end if;
  if found then
    perform private.messaging_recount(
      messaging_block.tenant_id, v_me, messaging_block.person, case when messaging_block.blocked then 1 else -1 end
    );
    if not messaging_block.blocked then
      v_position := private.messaging_retell(messaging_block.tenant_id, v_me, messaging_block.person, v_since);
    end if;
    perform private.announce(
      v_me, 'messaging:block',
      jsonb_build_object(
        'tenant_id', messaging_block.tenant_id, 'person_id', messaging_block.person,
        'blocked', messaging_block.blocked, 'position', v_position
      )
    );
  end if;
  return messaging_block.blocked;
end;
$$;
comment on function public.messaging_block(uuid, uuid, boolean) is
  'Blocks a member for the caller, or ends that: neither reaches the other any more, and the caller sees and hears nothing of theirs (permission messaging.read). Raises members.not_found, request.invalid.';
grant execute on function public.messaging_block(uuid, uuid, boolean) to authenticated;

-- For what is read as a list
create function private.messaging_blocked_pairs()
returns setof public.messaging_blocks
language plpgsql
stable
security definer -- blocks are their owner's secret
rows 10
set search_path = ''
as $$
#variable_conflict use_column
declare
  v_me uuid := private.person();
  v_tenants uuid[] := array(select m.tenant_id from public.members m where m.person_id = v_me);
begin
  return query
    select b.* from public.messaging_blocks b
    where b.tenant_id = any (v_tenants) and b.person_id = v_me;
  return query
    select b.tenant_id, b.blocked_id, b.person_id, b.created_at
    from public.messaging_blocks b
    where b.tenant_id = any (v_tenants) and b.blocked_id = v_me;
end;
$$;
comment on function private.messaging_blocked_pairs() is
  'Pairs of the caller (person_id) and whoever they blocked or are blocked by (blocked_id), in all their tenants: once a statement.';
grant execute on function private.messaging_blocked_pairs() to authenticated, service_role;

create function private.messaging_blocked_people(tenant_id uuid, person uuid)
returns uuid[]
language plpgsql
stable
security definer -- blocks are their owner's secret
set search_path = ''
as $$
#variable_conflict use_column
begin
  return array(
    select b.blocked_id from public.messaging_blocks b
    where b.tenant_id = messaging_blocked_people.tenant_id and b.person_id = messaging_blocked_people.person
    union
    select b.person_id from public.messaging_blocks b
    where b.tenant_id = messaging_blocked_people.tenant_id and b.blocked_id = messaging_blocked_people.person
  );
end;
$$;
comment on function private.messaging_blocked_people(uuid, uuid) is 'Whom the person blocked or is blocked by.';
