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

-- Rows as sending leaves them, without the sending: conversations of any size in bearable time. A block
-- is one more message in each of the 6,000 conversations, in an order that mixes them; a seat says what
-- each message of a block is to one of its two.
create table bench.seats as
select s.*, row_number() over (partition by s.person order by s.place) as rank,
  count(*) over (partition by s.person) as in_block
from (
  select (c.n * 7919) % 6000 as place, c.id as conversation, c.one, c.other, p.person
  from bench.conversations c, unnest(array[c.one, c.other]) p (person)
) s
order by s.place;
analyze bench.seats;

create function bench.message(block bigint, place bigint) returns uuid language sql immutable
return ('0190' || lpad(to_hex(block * 6000 + place), 8, '0') || '7000800000000000' || '0000')::uuid;

create function bench.grow(first_block int, last_block int) returns void language plpgsql as $$
begin
  insert into messaging_messages (tenant_id, id, conversation_id, seq, sender_id, client_id, body)
  select bench.tenant_id(), bench.message(b, s.place), s.conversation, b, s.one,
    bench.message(b, s.place)::text, 'Words of a message that somebody wrote, number ' || b
  from generate_series(first_block, last_block) b, bench.seats s where s.person = s.one;
  insert into private.messaging_keys (tenant_id, conversation_id, sender_id, client_id, message_id)
  select bench.tenant_id(), s.conversation, s.one, bench.message(b, s.place)::text,
    bench.message(b, s.place)
  from generate_series(first_block, last_block) b, bench.seats s where s.person = s.one;
  insert into messaging_inbox (tenant_id, person_id, position, conversation_id, message_id, version)
  select bench.tenant_id(), s.person, (b - 1) * s.in_block + s.rank, s.conversation,
    bench.message(b, s.place), 1
  from generate_series(first_block, last_block) b, bench.seats s;
end;
$$;

create function bench.settle(blocks int) returns void language plpgsql as $$
begin
  update messaging_conversations c set last_seq = blocks, last_message_at = now()
  where c.tenant_id = bench.tenant_id();
  update messaging_states s set read_seq = blocks, delivered_seq = blocks
  from bench.conversations b
  where s.tenant_id = bench.tenant_id() and s.conversation_id = b.id and s.person_id = b.one;
  update private.messaging_people p
  set position = n.in_block * blocks, unread = n.heard * blocks
  from (
    select s.person, count(*) as in_block, count(*) filter (where s.person = s.other) as heard
    from bench.seats s group by s.person
  ) n
  where p.tenant_id = bench.tenant_id() and p.person_id = n.person;
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
