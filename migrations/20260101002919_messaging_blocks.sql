-- Messaging, blocks: whoever is blocked is not heard: not in a group, not outside the app, not by a
-- mention, not in a search. What they wrote while they were is there again afterwards.

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
    insert into public.messaging_blocks (tenant_id, person_id, blocked_id)
    values (messaging_block.tenant_id, v_me, messaging_block.person)
    on conflict do nothing;
  else
    delete from public.messaging_blocks b
    where b.tenant_id = messaging_block.tenant_id and b.person_id = v_me and b.blocked_id = messaging_block.person;
  end if;
  if found then
    perform private.messaging_recount(
      messaging_block.tenant_id, v_me, messaging_block.person, case when messaging_block.blocked then 1 else -1 end
    );
  end if;
  return messaging_block.blocked;
end;
$$;
comment on function public.messaging_block(uuid, uuid, boolean) is
  'Blocks a member for the caller, or ends that: neither reaches the other any more, and the caller sees and hears nothing of theirs (permission messaging.read). Raises members.not_found, request.invalid.';
grant execute on function public.messaging_block(uuid, uuid, boolean) to authenticated;
