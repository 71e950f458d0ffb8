-- Notifications, Auth: Supabase Auth's own mails go the same way as all others. They carry an address
-- and a language of their own, for the person may be signing up at this moment.

select private.declare_notification(
  'auth.' || what, inbox => null, push => null, security => true, outsiders => true
)
from unnest(array[
  'signup', 'invite', 'magiclink', 'recovery', 'email_change', 'reauthentication', 'email_changed'
]) what;

-- What happened to an account is told in the app, too.
select private.declare_notification('auth.' || what, security => true, outsiders => true)
from unnest(array[
  'password_changed', 'phone_changed', 'identity_linked', 'identity_unlinked', 'factor_enrolled',
  'factor_unenrolled'
]) what;

create table private.notifications_calls (
  id text primary key check (char_length(id) between 1 and 300),
  received_at timestamptz not null default now()
);
comment on table private.notifications_calls is
  'Signed calls that were taken, for as long as their signature would be accepted again.';

create index notifications_calls_received_at on private.notifications_calls (received_at);

create function private.notifications_take_call(id text)
returns boolean
language sql
volatile
security definer -- nobody else writes the list of calls
set search_path = ''
as $$
  with taken as (
    insert into private.notifications_calls (id) values (notifications_take_call.id)
    on conflict (id) do nothing
    returning 1
  )
  select exists (select from taken);
$$;
comment on function private.notifications_take_call(text) is
  'Whether the call comes for the first time.';

create function public.notifications_send_auth_emails(
  call_id text,
  run_id text,
  person uuid,
  locale text,
  emails jsonb
)
returns integer
language plpgsql
volatile
security definer -- nobody else writes events
set search_path = ''
as $$
#variable_conflict use_column
declare
  v_email jsonb;
  v_event private.notifications_events;
begin
  if not private.notifications_take_call('call:' || notifications_send_auth_emails.call_id) then
    raise sqlstate 'PT401' using message = 'webhooks.signature_refused';
  end if;
  -- Auth calls again, under a new id, when an answer of ours got lost.
  if not private.notifications_take_call('run:' || notifications_send_auth_emails.run_id) then
    return 0;
  end if;
  for v_email in select jsonb_array_elements(notifications_send_auth_emails.emails) loop
    v_event.tenant_id := private.platform();
    v_event.person_id := notifications_send_auth_emails.person;
    v_event.kind := v_email ->> 'template';
    v_event.payload := v_email -> 'data';
    v_event.address := v_email ->> 'address';
    v_event.locale := notifications_send_auth_emails.locale;
    v_event.expires_at := now() + (v_email ->> 'lifetime_seconds')::integer * interval '1 second';
    perform private.notifications_tell(v_event, 1::smallint);
  end loop;
  return jsonb_array_length(notifications_send_auth_emails.emails);
end;
$$;
comment on function public.notifications_send_auth_emails(text, text, uuid, text, jsonb) is
  'For the function webhooks: keeps the mails of one call of Auth''s hook, [{ address, template, data, lifetime_seconds }], and hands them to the worker. Returns how many; 0 for a run that was taken before. Raises webhooks.signature_refused for a call that was.';
grant execute on function public.notifications_send_auth_emails(text, text, uuid, text, jsonb) to service_role;
