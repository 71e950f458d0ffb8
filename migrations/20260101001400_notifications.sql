-- Notifications: what is told to people outside the app. For now mail: a row says which template
-- goes to whom, a job takes the row's id, and the worker renders and sends it.

create table private.notifications_emails (
  tenant_id uuid not null references public.tenants (id) on delete cascade,
  id uuid not null default private.uuid_v7(),
  person_id uuid not null,
  address text check (char_length(address) between 3 and 254),
  locale text check (char_length(locale) <= 35),
  template text not null check (template ~ '^[a-z_]+\.[a-z_]+$'),
  data jsonb not null default '{}'
    check (jsonb_typeof(data) = 'object' and octet_length(data::text) <= 16384),
  expires_at timestamptz,
  retry_at timestamptz not null default now() + interval '5 minutes',
  sent_at timestamptz,
  refused_at timestamptz,
  provider_id text check (char_length(provider_id) <= 100),
  created_at timestamptz not null default now(),
  primary key (tenant_id, id)
);
comment on table private.notifications_emails is
  'Mails to send and mails sent. Whose they are, what they say and where they go is erasable, and forgotten once they are sent.';
comment on column private.notifications_emails.person_id is
  'No foreign key: Auth sends its first mail before the person''s own transaction commits.';
comment on column private.notifications_emails.address is
  'Null: the person''s address at the time of sending.';
comment on column private.notifications_emails.locale is 'Where the person has chosen none.';
comment on column private.notifications_emails.data is
  'Values of the template: text only. Links and codes are secrets until they are used.';
comment on column private.notifications_emails.expires_at is 'After this there is no use in sending it.';

comment on column private.notifications_emails.retry_at is
  'When to hand it to the worker again, where its job died meanwhile.';
comment on column private.notifications_emails.refused_at is
  'Since when it is known that no further try will send it.';

create index notifications_emails_person on private.notifications_emails (person_id);
create index notifications_emails_waiting on private.notifications_emails (retry_at)
  where sent_at is null and refused_at is null;
create index notifications_emails_created on private.notifications_emails (created_at);

-- Sending
create function private.notifications_enqueue_email(tenant_id uuid, email_id uuid, priority smallint)
returns uuid
language sql
volatile
security definer -- nobody else writes the outbox
set search_path = ''
as $$
  select private.enqueue(
    'notifications.email',
    jsonb_build_object('email_id', notifications_enqueue_email.email_id),
    notifications_enqueue_email.tenant_id,
    aggregate => 'notifications_emails:' || notifications_enqueue_email.email_id,
    dedupe_key => notifications_enqueue_email.email_id::text,
    priority => notifications_enqueue_email.priority
  );
$$;
comment on function private.notifications_enqueue_email(uuid, uuid, smallint) is
  'Hands a mail''s id to the worker, in the caller''s transaction.';

create function private.send_email(
  person uuid,
  template text,
  data jsonb default '{}',
  tenant_id uuid default null,
  expires_at timestamptz default null
)
returns uuid
language plpgsql
volatile
security definer -- nobody else writes mails
set search_path = ''
as $$
#variable_conflict use_column
declare
  v_tenant uuid := coalesce(send_email.tenant_id, private.platform());
  v_id uuid;
begin
  insert into private.notifications_emails (tenant_id, person_id, template, data, expires_at)
  values (v_tenant, send_email.person, send_email.template, send_email.data, send_email.expires_at)
  returning id into v_id;
  perform private.notifications_enqueue_email(v_tenant, v_id, 0::smallint);
  return v_id;
end;
$$;
comment on function private.send_email(uuid, text, jsonb, uuid, timestamptz) is
  'Sends a person a mail once this transaction commits: a template of shared/email with the values it needs, on behalf of the tenant. Returns the mail''s id.';

-- The worker's side
create function public.notifications_email(tenant_id uuid, email_id uuid)
returns jsonb
language sql
stable
security definer -- reads addresses and mails, which nobody else may
set search_path = ''
as $$
  select jsonb_build_object(
    'id', e.id,
    'to', coalesce(e.address, u.email),
    'locale', coalesce(p.locale, e.locale, t.locale),
    'tenant', case when t.id <> private.platform() then t.name end,
    'template', e.template,
    'data', e.data
  )
  from private.notifications_emails e
  join public.tenants t on t.id = e.tenant_id
  left join public.people p on p.id = e.person_id
  left join auth.users u on u.id = e.person_id and u.deleted_at is null
  where e.tenant_id = notifications_email.tenant_id and e.id = notifications_email.email_id
    and e.sent_at is null and (e.expires_at is null or e.expires_at > now())
    and coalesce(e.address, u.email) is not null;
$$;
comment on function public.notifications_email(uuid, uuid) is
  'For the worker: a mail that is still to be sent, with the address and language of now; null when there is nothing to send any more.';
grant execute on function public.notifications_email(uuid, uuid) to service_role;

create function public.notifications_email_sent(tenant_id uuid, email_id uuid, provider_id text)
returns void
language sql
volatile
security definer -- nobody else writes mails
set search_path = ''
as $$
  update private.notifications_emails e
  set sent_at = clock_timestamp(), provider_id = notifications_email_sent.provider_id,
    address = null, data = '{}'
  where e.tenant_id = notifications_email_sent.tenant_id and e.id = notifications_email_sent.email_id
    and e.sent_at is null;
$$;
comment on function public.notifications_email_sent(uuid, uuid, text) is
  'For the worker: the provider took the mail. What it said and where it went is forgotten.';
grant execute on function public.notifications_email_sent(uuid, uuid, text) to service_role;

create function public.notifications_email_refused(tenant_id uuid, email_id uuid)
returns void
language sql
volatile
security definer -- nobody else writes mails
set search_path = ''
as $$
  update private.notifications_emails e
  set refused_at = clock_timestamp()
  where e.tenant_id = notifications_email_refused.tenant_id
    and e.id = notifications_email_refused.email_id and e.sent_at is null;
$$;
comment on function public.notifications_email_refused(uuid, uuid) is
  'For the worker: the mail cannot be sent as it is. It is not tried again by itself.';
grant execute on function public.notifications_email_refused(uuid, uuid) to service_role;

-- A provider may be away for longer than a job lives. What waits for it is the mail, not the job.
create function private.notifications_retry_emails()
returns bigint
language sql
volatile
security definer -- nobody else writes mails
set search_path = ''
as $$
  with due as (
    update private.notifications_emails e
    -- Each pause is as long as the wait until then: 5, 10, 20 minutes and so on.
    set retry_at = now() + (now() - e.created_at)
    where (e.tenant_id, e.id) in (
      select w.tenant_id, w.id from private.notifications_emails w
      where w.sent_at is null and w.refused_at is null and w.retry_at <= now()
        and (w.expires_at is null or w.expires_at > now())
      order by w.retry_at limit 1000 for update skip locked
    )
    returning e.tenant_id, e.id
  )
  select count(private.notifications_enqueue_email(d.tenant_id, d.id, 0::smallint)) from due d;
$$;
comment on function private.notifications_retry_emails() is
  'Hands mails that wait to the worker again. Returns how many had no job waiting.';

-- Auth's own mails
create table private.notifications_hook_calls (
  id text primary key check (char_length(id) between 1 and 255),
  received_at timestamptz not null default now()
);
comment on table private.notifications_hook_calls is
  'Calls of Auth''s send_email hook that were taken, for as long as their signature would be accepted again.';

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
security definer -- nobody else writes mails
set search_path = ''
as $$
#variable_conflict use_column
declare
  v_email jsonb;
  v_id uuid;
begin
  insert into private.notifications_hook_calls (id)
  values ('call:' || notifications_send_auth_emails.call_id)
  on conflict (id) do nothing;
  if not found then
    raise sqlstate 'PT401' using message = 'webhooks.signature_refused';
  end if;
  -- Auth calls again, under a new id, when an answer of ours got lost.
  insert into private.notifications_hook_calls (id)
  values ('run:' || notifications_send_auth_emails.run_id)
  on conflict (id) do nothing;
  if not found then
    return 0;
  end if;
  for v_email in select jsonb_array_elements(notifications_send_auth_emails.emails) loop
    insert into private.notifications_emails (
      tenant_id, person_id, address, locale, template, data, expires_at
    )
    values (
      private.platform(), notifications_send_auth_emails.person, v_email ->> 'address',
      notifications_send_auth_emails.locale, v_email ->> 'template', v_email -> 'data',
      now() + (v_email ->> 'lifetime_seconds')::integer * interval '1 second'
    )
    returning id into v_id;
    perform private.notifications_enqueue_email(private.platform(), v_id, 1::smallint);
  end loop;
  return jsonb_array_length(notifications_send_auth_emails.emails);
end;
$$;
comment on function public.notifications_send_auth_emails(text, text, uuid, text, jsonb) is
  'For the function webhooks: keeps the mails of one call of Auth''s hook, [{ address, template, data, lifetime_seconds }], and hands them to the worker. Returns how many; 0 for a run that was taken before. Raises webhooks.signature_refused for a call that was.';
grant execute on function public.notifications_send_auth_emails(text, text, uuid, text, jsonb) to service_role;

-- Forgetting
create function private.notifications_forget_person()
returns trigger
language plpgsql
volatile
security definer -- nobody else writes mails
set search_path = ''
as $$
begin
  delete from private.notifications_emails e where e.person_id = new.id;
  return null;
end;
$$;
comment on function private.notifications_forget_person() is
  'After a person was erased: their mails go, those that wait included.';

create trigger notifications_forget_person after update of erased_at on public.people
  for each row when (old.erased_at is null and new.erased_at is not null)
  execute function private.notifications_forget_person();

create function private.notifications_forget_old()
returns bigint
language sql
volatile
security definer -- nobody else writes mails
set search_path = ''
as $$
  with mails as (
    delete from private.notifications_emails e
    where e.created_at < now() - interval '30 days' or e.expires_at < now() - interval '1 day'
    returning 1
  ), calls as (
    delete from private.notifications_hook_calls c where c.received_at < now() - interval '1 hour'
    returning 1
  )
  select (select count(*) from mails) + (select count(*) from calls);
$$;
comment on function private.notifications_forget_old() is
  'Mails go after 30 days, or a day after they ran out; calls of the hook after an hour. Returns how many rows went.';

select private.schedule('notifications-retry-emails', '* * * * *', 'select private.notifications_retry_emails()');
select private.schedule('notifications-forget-old', '17 * * * *', 'select private.notifications_forget_old()');

select private.declare_metric(
  'mail_backlog', 'gauge', 'Mails that wait to be sent.',
  $$select count(*) as value from private.notifications_emails e
    where e.sent_at is null and e.refused_at is null and (e.expires_at is null or e.expires_at > now())$$
);
select private.declare_metric(
  'mail_oldest_waiting_seconds', 'gauge', 'Age of the oldest mail that waits to be sent.',
  $$select coalesce(extract(epoch from now() - min(e.created_at)), 0) as value
    from private.notifications_emails e
    where e.sent_at is null and e.refused_at is null and (e.expires_at is null or e.expires_at > now())$$
);
