-- A thousand members who are signed in. Each of the first 100 talks with 50 others, in 5,000
-- conversations of two; member 1001 is in a thousand conversations.
create schema bench;
grant usage on schema bench to public;

create function bench.person(n bigint) returns uuid language sql immutable
return ('00000000-0000-4000-8000-' || lpad(n::text, 12, '0'))::uuid;
create function bench.conversation(n bigint) returns uuid language sql immutable
return ('00000000-0000-7000-8000-' || lpad(n::text, 12, '0'))::uuid;

insert into auth.users (id, email)
select bench.person(n), 'member' || n || '@bench.test' from generate_series(1, 1001) n;
insert into auth.sessions (id, user_id)
select bench.person(n), bench.person(n) from generate_series(1, 1001) n;

create table bench.tenant as
select (tenants_create(
  'bench', 'Bench', modules => array['messaging'], settings => '{"messaging": {"send_limit": 10000}}'
)).id;
insert into members (tenant_id, person_id, role, status, display_name)
select t.id, bench.person(n), 'member', 'active', 'Member ' || n
from bench.tenant t, generate_series(1, 1001) n;
do $$
begin
  execute format(
    'create function bench.tenant_id() returns uuid language sql immutable return %L::uuid',
    (select id from bench.tenant)
  );
end;
$$;

-- Conversation c is between member 1 + (c - 1) / 50 and another; those from 5001 on are member 1001's.
create table bench.conversations as
select c as n, bench.conversation(c) as id,
  case when c <= 5000 then bench.person(1 + (c - 1) / 50) else bench.person(1001) end as one,
  case when c <= 5000 then bench.person(201 + (c - 1) % 800) else bench.person(c - 5000) end as other
from generate_series(1, 6000) c;
insert into messaging_conversations (tenant_id, id, kind, created_by)
select bench.tenant_id(), id, 'direct', one from bench.conversations;
insert into private.messaging_pairs (tenant_id, low, high, context, conversation_id)
select bench.tenant_id(), least(one, other), greatest(one, other), '', id from bench.conversations
on conflict do nothing;
insert into messaging_members (tenant_id, conversation_id, person_id)
select bench.tenant_id(), id, p from bench.conversations, unnest(array[one, other]) p;
insert into messaging_states (tenant_id, person_id, conversation_id, from_seq, read_seq, delivered_seq)
select bench.tenant_id(), p, id, 0, 0, 0 from bench.conversations, unnest(array[one, other]) p;
insert into private.messaging_people (tenant_id, person_id)
select bench.tenant_id(), bench.person(n) from generate_series(1, 1001) n;

-- Rows as sending leaves them, without the sending: conversations of any size in bearable time.
create function bench.grow(messages int) returns void language plpgsql as $$
begin
  create temp table made on commit drop as
  select c.id as conversation, c.one, c.other, private.uuid_v7() as id,
    row_number() over (partition by c.n order by g.n) as place
  from (select n, 1 + (n * 7919) % 6000 as c from generate_series(1, messages) n) g
  join bench.conversations c on c.n = g.c;
  insert into messaging_messages (tenant_id, id, conversation_id, seq, sender_id, client_id, body)
  select bench.tenant_id(), m.id, m.conversation, c.last_seq + m.place, m.one, m.id::text,
    'Words of a message that somebody wrote, number ' || m.place
  from made m join messaging_conversations c on c.tenant_id = bench.tenant_id() and c.id = m.conversation;
  insert into private.messaging_keys (tenant_id, conversation_id, sender_id, client_id, message_id)
  select bench.tenant_id(), m.conversation, m.one, m.id::text, m.id from made m;
  insert into messaging_inbox (tenant_id, person_id, position, conversation_id, message_id, version)
  select bench.tenant_id(), n.person, p.position + n.place, n.conversation, n.id, 1
  from (
    select m.conversation, m.id, person, row_number() over (partition by person order by m.id) as place
    from made m, unnest(array[m.one, m.other]) person
  ) n
  join private.messaging_people p on p.tenant_id = bench.tenant_id() and p.person_id = n.person;
  update private.messaging_people p
  set position = p.position + n.messages, unread = p.unread + n.unread
  from (
    select person, count(*) as messages, count(*) filter (where person = m.other) as unread
    from made m, unnest(array[m.one, m.other]) person group by person
  ) n
  where p.tenant_id = bench.tenant_id() and p.person_id = n.person;
  update messaging_conversations c set last_seq = c.last_seq + n.messages, last_message_at = now()
  from (select m.conversation, count(*) as messages from made m group by m.conversation) n
  where c.tenant_id = bench.tenant_id() and c.id = n.conversation;
  update messaging_states s set read_seq = c.last_seq, delivered_seq = c.last_seq
  from messaging_conversations c, bench.conversations b
  where c.tenant_id = bench.tenant_id() and b.id = c.id and s.tenant_id = c.tenant_id
    and s.conversation_id = c.id and s.person_id = b.one;
end;
$$;

create function bench.position_of(n bigint) returns bigint language plpgsql stable security definer as $$
begin
  return (
    select p.position from private.messaging_people p
    where p.tenant_id = bench.tenant_id() and p.person_id = bench.person(n)
  );
end;
$$;
grant execute on all functions in schema bench to public;
