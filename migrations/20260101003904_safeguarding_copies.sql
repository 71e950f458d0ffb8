-- Safeguarding, copies: who else reads a conversation, said on it before its first message. A copy is no
-- second text: whoever is entitled reads the messages that came while the conversation was watched, and
-- each reading is in the trail.

create table public.safeguarding_copy_rules (
  tenant_id uuid primary key references public.tenants (id) on delete restrict,
  scope text not null check (scope in ('nobody', 'restricted', 'new_members', 'all')),
  days integer not null default 30 check (days between 1 and 365),
  updated_at timestamptz not null default now()
);
comment on table public.safeguarding_copy_rules is
  'Of which conversations brokers get copies: of none, of members restricted to that, of members of the last days, too, or of all. No row: of none but the restricted.';
create trigger safeguarding_copy_rules_touch before update on public.safeguarding_copy_rules
  for each row execute function private.touch();

create table public.safeguarding_watches (
  tenant_id uuid not null,
  id uuid not null default private.uuid_v7(),
  conversation_id uuid not null,
  kind text not null check (kind in ('guardian', 'broker')),
  ward_id uuid,
  from_seq bigint not null,
  to_seq bigint,
  told_seq bigint not null,
  created_at timestamptz not null default now(),
  primary key (tenant_id, id),
  foreign key (tenant_id, conversation_id)
    references public.messaging_conversations (tenant_id, id) on delete cascade,
  check ((kind = 'guardian') = (ward_id is not null))
);
comment on table public.safeguarding_watches is
  'That supporters of a ward, or brokers, read what is said after from_seq. Everybody in the conversation sees it.';
create unique index safeguarding_watches_open
  on public.safeguarding_watches (tenant_id, conversation_id, kind, ward_id) nulls not distinct
  where to_seq is null;
create index safeguarding_watches_conversation on public.safeguarding_watches (tenant_id, conversation_id);
create index safeguarding_watches_ward on public.safeguarding_watches (tenant_id, ward_id);

create function private.safeguarding_wards(tenant_id uuid, supporter uuid, granted text)
returns uuid[]
language plpgsql
stable
security definer -- reads guardianships past their policies
set search_path = ''
as $$
begin
  return array(
    select g.ward_id from public.safeguarding_guardianships g
    where g.tenant_id = safeguarding_wards.tenant_id and g.supporter_id = supporter and g.status = 'active'
      and g.expires_at > now() and granted = any (g.rights)
  );
end;
$$;
comment on function private.safeguarding_wards(uuid, uuid, text) is 'For whom the supporter has the right now.';

alter table public.safeguarding_copy_rules enable row level security;
create policy safeguarding_copy_rules_select_member on public.safeguarding_copy_rules
  for select to authenticated
  using (tenant_id = any (array(select private.tenants_with('safeguarding.read'))));
alter table public.safeguarding_watches enable row level security;
create policy safeguarding_watches_select_party on public.safeguarding_watches
  for select to authenticated
  using (
    (kind = 'broker' and tenant_id = any (array(select private.tenants_with('safeguarding.broker'))))
    or (
      tenant_id = any (array(select private.tenants_with('safeguarding.read')))
      and (
        exists (
          select from public.messaging_states s
          where s.tenant_id = safeguarding_watches.tenant_id
            and s.conversation_id = safeguarding_watches.conversation_id
            and s.person_id = (select private.person())
        ) or exists (
          select from public.safeguarding_guardianships g
          where g.tenant_id = safeguarding_watches.tenant_id and g.ward_id = safeguarding_watches.ward_id
            and g.supporter_id = (select private.person()) and g.status = 'active'
            and 'copies_of_messages' = any (g.rights)
        )
      )
    )
  );
grant select on public.safeguarding_copy_rules, public.safeguarding_watches to authenticated, service_role;

create function private.safeguarding_wanted(tenant_id uuid, conversation_id uuid)
returns setof public.safeguarding_watches
language plpgsql
stable
security definer -- reads conversations and guardianships past their policies
rows 2
set search_path = ''
as $$
#variable_conflict use_column
declare
  v_watch public.safeguarding_watches;
begin
  v_watch.tenant_id := safeguarding_wanted.tenant_id;
  v_watch.conversation_id := safeguarding_wanted.conversation_id;
  v_watch.kind := 'guardian';
  for v_watch.ward_id in
    select distinct g.ward_id from public.messaging_states s
    join public.safeguarding_guardianships g on g.tenant_id = s.tenant_id and g.ward_id = s.person_id
    where s.tenant_id = safeguarding_wanted.tenant_id and s.conversation_id = safeguarding_wanted.conversation_id
      and g.status = 'active' and g.expires_at > now() and 'copies_of_messages' = any (g.rights)
  loop
    return next v_watch;
  end loop;
  v_watch.kind := 'broker';
  v_watch.ward_id := null;
  if exists (
    select from public.messaging_states s
    join public.members m on m.tenant_id = s.tenant_id and m.person_id = s.person_id
    left join public.safeguarding_copy_rules r on r.tenant_id = s.tenant_id
    where s.tenant_id = safeguarding_wanted.tenant_id and s.conversation_id = safeguarding_wanted.conversation_id
      and (
        r.scope = 'all'
        or (r.scope = 'new_members' and m.created_at > now() - make_interval(days => r.days))
        or (
          coalesce(r.scope, 'restricted') <> 'nobody'
          and private.safeguarding_restricted(s.tenant_id, s.person_id, 'copies')
        )
      )
  ) then
    return next v_watch;
  end if;
end;
$$;
comment on function private.safeguarding_wanted(uuid, uuid) is 'Who should read a conversation beside those in it, now.';

create function private.safeguarding_watch(tenant_id uuid, conversation_id uuid)
returns void
language plpgsql
volatile
security definer -- nobody else writes watches
set search_path = ''
as $$
#variable_conflict use_column
declare
  v_conversation public.messaging_conversations;
  v_changed integer;
begin
  select * into v_conversation from public.messaging_conversations c
  where c.tenant_id = safeguarding_watch.tenant_id and c.id = safeguarding_watch.conversation_id;
  with wanted as (
    select w.kind, w.ward_id from private.safeguarding_wanted(v_conversation.tenant_id, v_conversation.id) w
  ), closed as (
    update public.safeguarding_watches o set to_seq = v_conversation.last_seq
    where o.tenant_id = v_conversation.tenant_id and o.conversation_id = v_conversation.id and o.to_seq is null
      and not exists (
        select from wanted w where w.kind = o.kind and w.ward_id is not distinct from o.ward_id
      )
    returning o.id
  ), opened as (
    insert into public.safeguarding_watches (tenant_id, conversation_id, kind, ward_id, from_seq, told_seq)
    select v_conversation.tenant_id, v_conversation.id, w.kind, w.ward_id, v_conversation.last_seq,
      v_conversation.last_seq
    from wanted w
    on conflict do nothing
    returning id
  )
  select (select count(*) from closed) + (select count(*) from opened) into v_changed;
  if v_changed > 0 then
    perform private.announce_to(
      array(
        select s.person_id from public.messaging_states s
        where s.tenant_id = v_conversation.tenant_id and s.conversation_id = v_conversation.id
      ),
      'safeguarding:watched',
      jsonb_build_object('tenant_id', v_conversation.tenant_id, 'conversation_id', v_conversation.id),
      'safeguarding.read'
    );
  end if;
end;
$$;
comment on function private.safeguarding_watch(uuid, uuid) is
  'Makes the watches of a conversation what they should be now; who is in it is told at once.';

create function private.safeguarding_watch_person(tenant_id uuid, person uuid)
returns void
language plpgsql
volatile
security definer -- reads conversations past their policies
set search_path = ''
as $$
#variable_conflict use_column
begin
  perform private.safeguarding_watch(s.tenant_id, s.conversation_id)
  from public.messaging_states s
  where s.tenant_id = safeguarding_watch_person.tenant_id and s.person_id = safeguarding_watch_person.person;
end;
$$;
comment on function private.safeguarding_watch_person(uuid, uuid) is
  'Makes the watches of all conversations of a person what they should be now.';

create function private.safeguarding_on_entered()
returns trigger
language plpgsql
volatile
security definer -- nobody else writes watches
set search_path = ''
as $$
#variable_conflict use_column
declare
  v_row public.messaging_states := case tg_op when 'DELETE' then old else new end;
begin
  if exists (
    select from public.tenants t where t.id = v_row.tenant_id and 'safeguarding' = any (t.modules)
  ) then
    perform private.safeguarding_watch(v_row.tenant_id, v_row.conversation_id);
  end if;
  return null;
end;
$$;
comment on function private.safeguarding_on_entered() is
  'After somebody came into a conversation or left it, and before anything is said there: who else reads it.';
create trigger safeguarding_on_entered after insert or delete on public.messaging_states
  for each row execute function private.safeguarding_on_entered();

create function public.safeguarding_read_messages(
  tenant_id uuid, conversation_id uuid, after bigint default 0, page_size integer default 50
)
returns setof public.messaging_messages
language plpgsql
volatile
security definer -- reads messages past their policies, and writes the trail
set search_path = ''
as $$
#variable_conflict use_column
declare
  v_me uuid := private.require(safeguarding_read_messages.tenant_id, 'safeguarding.read');
  v_wards uuid[] := private.safeguarding_wards(safeguarding_read_messages.tenant_id, v_me, 'copies_of_messages');
  v_broker boolean := private.can(safeguarding_read_messages.tenant_id, 'safeguarding.broker');
begin
  perform private.require_no_impersonation();
  if page_size is null or page_size not between 1 and 100 or after is null then
    raise sqlstate 'PT422' using message = 'request.invalid', detail = 'page_size: 1 to 100; after';
  elsif not exists (
    select from public.safeguarding_watches w
    where w.tenant_id = safeguarding_read_messages.tenant_id
      and w.conversation_id = safeguarding_read_messages.conversation_id
      and (w.ward_id = any (v_wards) or (w.kind = 'broker' and v_broker))
  ) then
    raise sqlstate 'PT404' using message = 'safeguarding.not_found';
  end if;
  perform private.audit(
    'SAFEGUARDING_READ', 'messaging_conversations:' || safeguarding_read_messages.conversation_id, null,
    jsonb_build_object('after', after), safeguarding_read_messages.tenant_id, v_me
  );
  return query
  select m.* from public.messaging_messages m
  where m.tenant_id = safeguarding_read_messages.tenant_id
    and m.conversation_id = safeguarding_read_messages.conversation_id
    and m.seq > safeguarding_read_messages.after and exists (
      select from public.safeguarding_watches w
      where w.tenant_id = m.tenant_id and w.conversation_id = m.conversation_id
        and m.seq > w.from_seq and (w.to_seq is null or m.seq <= w.to_seq)
        and ((w.kind = 'broker' and v_broker) or exists (
          -- What was said for a supporter of before is none of the next one's business.
          select from public.safeguarding_guardianships g
          where g.tenant_id = w.tenant_id and g.ward_id = w.ward_id and g.supporter_id = v_me
            and g.status = 'active' and g.expires_at > now() and 'copies_of_messages' = any (g.rights)
            and m.created_at >= greatest(g.ward_agreed_at, g.supporter_agreed_at)
        ))
    )
  order by m.seq
  limit safeguarding_read_messages.page_size;
end;
$$;
comment on function public.safeguarding_read_messages(uuid, uuid, bigint, integer) is
  'What was said in a conversation while it was watched, for a supporter with copies_of_messages since both agreed, or for brokers where the tenant''s rules say so; audited (permission safeguarding.read). after: the last seq seen. Raises safeguarding.not_found, request.invalid, auth.impersonated.';
grant execute on function public.safeguarding_read_messages(uuid, uuid, bigint, integer) to authenticated;

create function public.safeguarding_set_copies(tenant_id uuid, scope text, days integer default 30)
returns public.safeguarding_copy_rules
language plpgsql
volatile
security definer -- clients may not write rules
set search_path = ''
as $$
#variable_conflict use_column
declare
  v_me uuid := private.require(safeguarding_set_copies.tenant_id, 'safeguarding.rules');
  v_rule public.safeguarding_copy_rules;
begin
  if coalesce(scope not in ('nobody', 'restricted', 'new_members', 'all'), true)
    or coalesce(days not between 1 and 365, true)
  then
    raise sqlstate 'PT422' using message = 'request.invalid', detail = 'scope, days: 1 to 365';
  end if;
  insert into public.safeguarding_copy_rules (tenant_id, scope, days)
  values (safeguarding_set_copies.tenant_id, safeguarding_set_copies.scope, safeguarding_set_copies.days)
  on conflict (tenant_id) do update set scope = excluded.scope, days = excluded.days
  returning * into v_rule;
  perform private.audit(
    'SAFEGUARDING_RULE_CHANGED', 'safeguarding_copy_rules:' || v_rule.tenant_id, null, to_jsonb(v_rule),
    v_rule.tenant_id, v_me
  );
  return v_rule;
end;
$$;
comment on function public.safeguarding_set_copies(uuid, text, integer) is
  'Says of which conversations brokers get copies: those begun from now on show it before their first message; those there are show it within the hour after their next message (permission safeguarding.rules). Raises request.invalid.';
grant execute on function public.safeguarding_set_copies(uuid, text, integer) to authenticated;
