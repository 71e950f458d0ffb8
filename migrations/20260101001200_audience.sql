-- Audience: who hears which channel. Content goes to each recipient's private-user-{id}; shared
-- topics carry ids and kinds. Hosted Realtime asks at join and at a new token, so rights to content
-- are checked where it is sent.

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
    else false
  end;
end;
$$;
comment on function private.may_hear(text) is
  'Whether the caller may join the channel: their own private-user-{id}, private-tenant-{id} of their tenants.';
grant execute on function private.may_hear(text) to authenticated;

create policy messages_select_audience on realtime.messages
  for select to authenticated
  using (extension = 'broadcast' and (select private.may_hear(realtime.topic())));

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
