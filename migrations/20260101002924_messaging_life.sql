-- Messaging, life: what is forgotten when, and what becomes of conversations when somebody leaves the
-- tenant or is erased.

create function public.messaging_forget(tenant_id uuid, conversation_id uuid)
returns integer
language plpgsql
volatile
security definer -- nobody else deletes messages
set search_path = ''
as $$
#variable_conflict use_column
declare
  v_conversation public.messaging_conversations;
  v_upto bigint;
  v_person uuid;
  v_message public.messaging_messages;
  v_count integer;
begin
  select * into v_conversation from public.messaging_conversations c
  where c.tenant_id = messaging_forget.tenant_id and c.id = messaging_forget.conversation_id
  for no key update;
  -- A bounded batch: the rest is found by the next round.
  select max(o.seq) into v_upto from (
    select m.seq from public.messaging_messages m
    where m.tenant_id = v_conversation.tenant_id and m.conversation_id = v_conversation.id
      and m.created_at < now() - make_interval(days => v_conversation.retention_days)
    order by m.seq limit 1000
  ) o;
  if v_upto is null then
    return 0;
  end if;
  for v_person in
    select s.person_id from public.messaging_states s
    where s.tenant_id = v_conversation.tenant_id and s.conversation_id = v_conversation.id and s.read_seq < v_upto
    order by s.person_id
    for no key update
  loop
    perform private.messaging_advance(v_conversation, v_person, v_upto);
  end loop;
  for v_message in
    select * from public.messaging_messages m
    where m.tenant_id = v_conversation.tenant_id and m.conversation_id = v_conversation.id
      and m.seq <= v_upto and cardinality(m.files) > 0
  loop
    perform private.messaging_discard_files(v_message);
  end loop;
  delete from public.messaging_receipts r
  where r.tenant_id = v_conversation.tenant_id and r.conversation_id = v_conversation.id and r.seq <= v_upto;
  delete from public.messaging_messages m
  where m.tenant_id = v_conversation.tenant_id and m.conversation_id = v_conversation.id and m.seq <= v_upto;
  get diagnostics v_count = row_count;
  update public.messaging_conversations c set removed_seq = v_upto
  where c.tenant_id = v_conversation.tenant_id and c.id = v_conversation.id;
  perform private.messaging_signal(
    v_conversation.tenant_id, v_conversation.id, 'messaging:forgotten', jsonb_build_object('seq', v_upto)
  );
  return v_count;
end;
$$;
comment on function public.messaging_forget(uuid, uuid) is
  'For the worker: removes messages that are older than the conversation remembers, a thousand at most, with files, history and receipts. Answers how many.';
grant execute on function public.messaging_forget(uuid, uuid) to service_role;

create index messaging_conversations_forgetful on public.messaging_conversations (tenant_id, id)
  where retention_days is not null;

create function private.messaging_forget_old()
returns integer
language plpgsql
volatile
security definer -- nobody else writes the outbox
set search_path = ''
as $$
#variable_conflict use_column
declare
  v_count integer;
begin
  select count(private.enqueue(
    'messaging.forget', jsonb_build_object('conversation', c.id), c.tenant_id,
    'messaging_conversations:' || c.id, 'messaging.forget:' || c.id, priority => -1::smallint
  )) into v_count
  from public.messaging_conversations c
  cross join lateral (
    select m.created_at from public.messaging_messages m
    where m.tenant_id = c.tenant_id and m.conversation_id = c.id and m.seq > c.removed_seq
    order by m.seq limit 1
  ) oldest
  where c.retention_days is not null
    and oldest.created_at < now() - make_interval(days => c.retention_days);
  return v_count;
end;
$$;
comment on function private.messaging_forget_old() is
  'Hands every conversation with messages past its memory to the worker.';

create function private.messaging_prune()
returns bigint
language plpgsql
volatile
security definer -- nobody else deletes changes
set search_path = ''
as $$
#variable_conflict use_column
declare
  v_person private.messaging_people;
  v_rows bigint := 0;
  v_batch bigint;
begin
  for v_person in
    select * from private.messaging_people p
    where p.position - p.pruned_to > 12000
    order by p.tenant_id, p.person_id
    limit 200
    for no key update skip locked
  loop
    delete from public.messaging_inbox i
    where i.tenant_id = v_person.tenant_id and i.person_id = v_person.person_id
      and i.position <= v_person.position - 10000;
    get diagnostics v_batch = row_count;
    v_rows := v_rows + v_batch;
    update private.messaging_people p set pruned_to = v_person.position - 10000
    where p.tenant_id = v_person.tenant_id and p.person_id = v_person.person_id;
  end loop;
  return v_rows;
end;
$$;
comment on function private.messaging_prune() is
  'Keeps the last 10,000 changes of each person: whoever missed more reads their conversations anew.';

select private.schedule('messaging-forget-old', '23 * * * *', 'select private.messaging_forget_old()');
select private.schedule('messaging-prune', '*/10 * * * *', 'select private.messaging_prune()');

-- Leaving the tenant
create function private.messaging_on_member_gone()
returns trigger
language plpgsql
volatile
security definer -- nobody else writes members of conversations
set search_path = ''
as $$
#variable_conflict use_column
declare
  v_groups public.messaging_conversations[];
  v_group public.messaging_conversations;
begin
  -- All conversations before any person's row: the order of locks.
  v_groups := array(
    select c from public.messaging_conversations c
    join public.messaging_states s on s.tenant_id = c.tenant_id and s.conversation_id = c.id
    where s.tenant_id = new.tenant_id and s.person_id = new.person_id and c.kind = 'group'
    order by c.id
    for no key update of c
  );
  foreach v_group in array v_groups loop
    perform private.messaging_exit(v_group, new.person_id);
  end loop;
  delete from private.messaging_waiting w where w.tenant_id = new.tenant_id and w.person_id = new.person_id;
  update public.messaging_schedules s set status = 'cancelled', body = null
  where s.tenant_id = new.tenant_id and s.person_id = new.person_id and s.status = 'pending';
  return null;
end;
$$;
comment on function private.messaging_on_member_gone() is
  'After a member left or was banned: they are in no group any more, and nothing of theirs is sent later. What two said to each other stays with the other.';

create trigger messaging_on_member_gone after update of status on public.members
  for each row when (new.status in ('left', 'banned') and old.status is distinct from new.status)
  execute function private.messaging_on_member_gone();

create function private.messaging_tell_erased(tenant_id uuid, erased uuid)
returns void
language plpgsql
volatile
security definer -- nobody else writes the rows of changes
set search_path = ''
as $$
#variable_conflict use_column
declare
  v_people uuid[] := array(
    select distinct s.person_id from public.messaging_members m
    join public.messaging_states s on s.tenant_id = m.tenant_id and s.conversation_id = m.conversation_id
    where m.tenant_id = messaging_tell_erased.tenant_id and m.person_id = erased and s.person_id <> erased
  );
  v_positions bigint[];
begin
  perform from private.messaging_people p
  where p.tenant_id = messaging_tell_erased.tenant_id and p.person_id = any (v_people)
  order by p.person_id
  for no key update;
  with moved as (
    update private.messaging_people p set position = p.position + 1
    where p.tenant_id = messaging_tell_erased.tenant_id and p.person_id = any (v_people)
    returning p.person_id, p.position
  ), kept as (
    insert into public.messaging_inbox (tenant_id, person_id, position, version, erased_id)
    select messaging_tell_erased.tenant_id, m.person_id, m.position, 0, erased from moved m
  )
  select array_agg(m.person_id order by m.person_id), array_agg(m.position order by m.person_id)
  into v_people, v_positions
  from moved m;
  perform private.announce_to(
    v_people, 'messaging:erased',
    jsonb_build_object('tenant_id', messaging_tell_erased.tenant_id, 'person_id', erased),
    'messaging.read', v_positions
  );
end;
$$;
comment on function private.messaging_tell_erased(uuid, uuid) is
  'One change for each who shared a conversation with somebody who was erased: all they wrote is gone.';

create function private.messaging_on_person_erased()
returns trigger
language plpgsql
volatile
security definer -- nobody else writes messages
set search_path = ''
as $$
#variable_conflict use_column
declare
  v_tenants uuid[] := array(select m.tenant_id from public.members m where m.person_id = new.id);
  v_tenant uuid;
  v_member public.messaging_members;
begin
  -- Their files go by their own rule. What others wrote stays, and so do the numbers of what they wrote.
  for v_member in
    select * from public.messaging_members m
    where m.tenant_id = any (v_tenants) and m.person_id = new.id order by m.conversation_id
  loop
    delete from public.messaging_edits e using public.messaging_messages m
    where m.tenant_id = v_member.tenant_id and m.conversation_id = v_member.conversation_id
      and m.sender_id = new.id and e.tenant_id = m.tenant_id and e.message_id = m.id;
    -- Their version stays: nobody is told of each, but of all of them once.
    update public.messaging_messages m
    set body = null, files = '{}', mentions = '{}', reply_to = null, client_id = null,
      deleted_at = coalesce(m.deleted_at, now())
    where m.tenant_id = v_member.tenant_id and m.conversation_id = v_member.conversation_id
      and m.sender_id = new.id;
    delete from private.messaging_keys k
    where k.tenant_id = v_member.tenant_id and k.conversation_id = v_member.conversation_id
      and k.sender_id = new.id;
    delete from public.messaging_receipts r
    where r.tenant_id = v_member.tenant_id and r.conversation_id = v_member.conversation_id
      and r.person_id = new.id;
    perform private.messaging_signal(
      v_member.tenant_id, v_member.conversation_id, 'messaging:erased', jsonb_build_object('person_id', new.id)
    );
  end loop;
  delete from public.messaging_schedules s where s.tenant_id = any (v_tenants) and s.person_id = new.id;
  delete from public.messaging_hidden h where h.tenant_id = any (v_tenants) and h.person_id = new.id;
  delete from public.messaging_blocks b
  where b.tenant_id = any (v_tenants) and (b.person_id = new.id or b.blocked_id = new.id);
  delete from public.messaging_preferences p where p.tenant_id = any (v_tenants) and p.person_id = new.id;
  delete from public.messaging_inbox i where i.tenant_id = any (v_tenants) and i.person_id = new.id;
  foreach v_tenant in array v_tenants loop
    perform private.messaging_tell_erased(v_tenant, new.id);
  end loop;
  return null;
end;
$$;
comment on function private.messaging_on_person_erased() is
  'After a person is erased: what they wrote is deleted for all, and nothing they kept to themselves stays.';

create trigger messaging_on_person_erased after update of erased_at on public.people
  for each row when (old.erased_at is null and new.erased_at is not null)
  execute function private.messaging_on_person_erased();

select private.declare_metric(
  'messaging_messages_total', 'counter', 'Messages sent, removed ones included.',
  $$select pg_stat_get_tuples_inserted('public.messaging_messages'::regclass) as value$$
);
