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
    when topic like 'private-user-%' then topic = 'private-user-' || private.person()
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

create function private.announce(person uuid, event text, payload jsonb)
returns void
language plpgsql -- a function in sql is planned anew at each call
volatile
security definer -- clients may not write realtime.messages
set search_path = ''
as $$
begin
  -- Who lacks the factor that their role asks for is on their own channel all the same.
  if not private.factor_missing((payload ->> 'tenant_id')::uuid, person) then
    perform realtime.send(payload, event, 'private-user-' || person, true);
  end if;
end;
$$;
comment on function private.announce(uuid, text, jsonb) is
  'Sends an event to a person''s own channel, after commit. The payload carries tenant_id and never an own id key.';
