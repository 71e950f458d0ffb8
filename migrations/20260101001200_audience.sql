-- Audience: who hears which channel, and who may speak or be present on it. Content goes to each
-- recipient's private-user-{id}; shared topics carry ids and kinds. Hosted Realtime asks at join and
-- at a new token, so rights to content are checked where it is sent.

create function private.may_hear(topic text)
returns boolean
language plpgsql
stable
security definer -- reads members past their policies
set search_path = ''
as $$
begin
  return case
    -- What is told there comes from all of the person's tenants.
    when topic like 'private-user-%' then topic = 'private-user-' || private.whole_person()
    when topic like 'private-tenant-%' then exists (
      select from private.tenants_with('tenants.read') t(id) where topic = 'private-tenant-' || t.id
    )
    when topic like 'presence-conversation-%' then private.messaging_hears(topic)
    when topic like 'private-group-%' then private.groups_hears(topic)
    else false
  end;
end;
$$;
comment on function private.may_hear(text) is
  'Whether the caller may join the channel: their own private-user-{id}, private-tenant-{id} of their tenants, presence-conversation-{id} of their conversations, private-group-{id} of their groups.';
grant execute on function private.may_hear(text) to authenticated;

create function private.may_see_presence(topic text)
returns boolean
language plpgsql
stable
security definer -- reads members past their policies
set search_path = ''
as $$
begin
  return case
    when topic like 'private-tenant-%' then exists (
      select from private.tenants_with('members.read') t(id) where topic = 'private-tenant-' || t.id
    )
    when topic like 'presence-conversation-%' then private.messaging_meets(topic)
    else false
  end;
end;
$$;
comment on function private.may_see_presence(text) is
  'Whether the caller sees who is present: in the directory of their tenants, in their conversations.';
grant execute on function private.may_see_presence(text) to authenticated;

create function private.may_speak(topic text)
returns boolean
language plpgsql
stable
security definer -- reads conversations past their policies
set search_path = ''
as $$
begin
  return topic like 'presence-conversation-%' and private.messaging_speaks(topic);
end;
$$;
comment on function private.may_speak(text) is
  'Whether the caller may broadcast on the channel: typing, in a conversation they write in.';
grant execute on function private.may_speak(text) to authenticated;

create function private.may_be_present(topic text)
returns boolean
language plpgsql
stable
security definer -- reads preferences past their policies
set search_path = ''
as $$
begin
  return private.may_see_presence(topic) and private.messaging_shows_presence(topic);
end;
$$;
comment on function private.may_be_present(text) is
  'Whether the caller may show themselves there: where they see others, and as they chose.';
grant execute on function private.may_be_present(text) to authenticated;

create policy messages_select_audience on realtime.messages
  for select to authenticated
  using (
    case extension
      when 'broadcast' then (select private.may_hear(realtime.topic()))
      when 'presence' then (select private.may_see_presence(realtime.topic()))
      else false
    end
  );
create policy messages_insert_audience on realtime.messages
  for insert to authenticated
  with check (
    case extension
      when 'broadcast' then (select private.may_speak(realtime.topic()))
      when 'presence' then (select private.may_be_present(realtime.topic()))
      else false
    end
  );

create type private.announcement as (
  person_id uuid,
  payload jsonb
);
comment on type private.announcement is 'What one person is to hear. The payload carries tenant_id and never an own id key.';

create function private.announce_all(event text, announcements private.announcement[])
returns integer
language plpgsql
volatile
security definer -- clients may not write realtime.messages
set search_path = ''
set plan_cache_mode = force_generic_plan
as $$
declare
  v_sent integer;
begin
  -- The rows that realtime.send makes, in one statement for all and at half its price.
  insert into realtime.messages (id, topic, extension, event, private, payload)
  select told.id, 'private-user-' || told.person_id, 'broadcast', announce_all.event, true,
    jsonb_set(told.payload, '{id}', to_jsonb(told.id))
  from (select gen_random_uuid() as id, a.person_id, a.payload from unnest(announcements) a) told;
  get diagnostics v_sent = row_count;
  return v_sent;
exception when others then
  -- Whoever missed it catches up by cursor: no reason to fail the act.
  raise warning 'not announced: %', sqlerrm;
  return 0;
end;
$$;
comment on function private.announce_all(text, private.announcement[]) is
  'Sends an event to people''s own channels, after commit, to each their own payload. Whether they may still know it, the caller has asked. Returns how many were sent.';

create function private.announce(person uuid, event text, payload jsonb)
returns integer
language plpgsql -- a function in sql is planned anew at each call
volatile
security definer -- clients may not write realtime.messages
set search_path = ''
as $$
begin
  -- Who lacks the factor that their role asks for is on their own channel all the same.
  if private.factor_missing((payload ->> 'tenant_id')::uuid, person) then
    return 0;
  end if;
  return private.announce_all(event, array[row(person, payload)::private.announcement]);
end;
$$;
comment on function private.announce(uuid, text, jsonb) is
  'Sends an event to a person''s own channel, after commit. The payload carries tenant_id and never an own id key. Returns 0 where it may not be told.';

create function private.announce_to(
  people uuid[], event text, payload jsonb, permission text, positions bigint[] default null
)
returns integer
language plpgsql
volatile
security definer -- reads members and logins past their policies
set search_path = ''
set plan_cache_mode = force_generic_plan
as $$
#variable_conflict use_column
declare
  v_tenant uuid := (payload ->> 'tenant_id')::uuid;
begin
  if not exists (
    select from public.tenants t
    join public.modules module on module.slug = split_part(announce_to.permission, '.', 1)
    where t.id = v_tenant and (not module.switchable or module.slug = any (t.modules))
  ) then
    return 0;
  end if;
  return private.announce_all(announce_to.event, array(
    select row(
      p.person_id,
      announce_to.payload || jsonb_strip_nulls(jsonb_build_object('position', p.position))
    )::private.announcement
    from unnest(announce_to.people, announce_to.positions) p (person_id, position)
    -- One by one, by their keys: joined, the plan would read all members of the tenant.
    cross join lateral (
      select from public.members m
      join public.role_permissions rp
        on rp.tenant_id = m.tenant_id and rp.role = m.role and rp.permission = announce_to.permission
      join public.roles r on r.tenant_id = m.tenant_id and r.slug = m.role
      join auth.users u on u.id = m.person_id
      where m.tenant_id = v_tenant and m.person_id = p.person_id and m.status = 'active'
        and (u.banned_until is null or u.banned_until <= now())
        and (
          r.two_factor_from is null or r.two_factor_from > now()
          or exists (select from private.trust_factors f where f.person_id = m.person_id)
        )
      limit 1
    ) may
  ));
end;
$$;
comment on function private.announce_to(uuid[], text, jsonb, text, bigint[]) is
  'Sends the same event to several people''s own channels: to those who have the permission in the payload''s tenant now, are not banned, and have the factor that their role asks for. positions: one each, into the payload. Returns how many were sent.';
