-- Notifications, sending: the worker's side. It opens what it is to send, which looks once more
-- whether it still should, and says how that ended. Several at a time: a worker holds many jobs.

create function private.notifications_hindrance(
  event private.notifications_events, kind private.notifications_kinds, channel text
)
returns text
language plpgsql
stable
security definer -- reads what people chose
set search_path = ''
as $$
declare
  v_outdated boolean := false;
begin
  if kind.outdated is not null then
    execute format('select private.%I($1)', kind.outdated) into v_outdated using event;
  end if;
  return case
    when event.expires_at <= now() then 'expired'
    when v_outdated then 'outdated'
    -- Waking somebody for what has been in their inbox for days helps nobody.
    when notifications_hindrance.channel = 'push' and event.created_at < now() - interval '2 days'
      then 'expired'
    when event.address is null and not kind.outsiders
      and not private.notifications_belongs(event.tenant_id, event.person_id) then 'not_member'
    when kind.security then null
    when exists (
      select from private.notifications_channels(kind, event.tenant_id, event.person_id, event.scope) c
      where c.channel = notifications_hindrance.channel and c.setting = 'off'
    ) or private.notifications_refused(event, kind) then 'switched_off'
  end;
end;
$$;
comment on function private.notifications_hindrance(private.notifications_events, private.notifications_kinds, text) is
  'Why an event is not to be sent any more, by what holds now; null when it is.';

create function private.notifications_settle_one(
  delivery private.notifications_deliveries, status text, reason text default null
)
returns void
language plpgsql
volatile
security definer -- nobody else writes deliveries
set search_path = ''
as $$
#variable_conflict use_column
begin
  update private.notifications_deliveries d
  set status = notifications_settle_one.status, reason = notifications_settle_one.reason,
    settled_at = clock_timestamp(), provider = delivery.provider, provider_id = delivery.provider_id
  where d.tenant_id = delivery.tenant_id and d.event_id = delivery.event_id
    and d.channel = delivery.channel and d.status in ('waiting', 'refused');
  if not found then
    return;
  end if;
  -- A refused mail may be replayed, so what it says stays until it is forgotten with the event.
  update private.notifications_events e
  set payload = '{}', address = null
  where e.tenant_id = delivery.tenant_id
    -- One list for the index: said with "or", all events of the tenant would be looked at.
    and e.id = any (array(
      select delivery.event_id
      union all
      select i.event_id from private.notifications_deliveries i
      where i.tenant_id = delivery.tenant_id and i.digest_id = delivery.event_id
    ))
    and not exists (
      select from private.notifications_deliveries open
      where open.tenant_id = e.tenant_id and open.event_id = e.id
        and open.status in ('waiting', 'held', 'digest', 'refused')
    )
    -- Nor while a digest that tells of it has not left.
    and not exists (
      select from private.notifications_deliveries i
      join private.notifications_deliveries digest
        on digest.tenant_id = i.tenant_id and digest.event_id = i.digest_id
      where i.tenant_id = e.tenant_id and i.event_id = e.id
        and digest.status in ('waiting', 'held', 'refused')
    );
end;
$$;
comment on function private.notifications_settle_one(private.notifications_deliveries, text, text) is
  'A delivery ended. What the event said is forgotten with the last of its deliveries.';

create function private.notifications_open(tenant_id uuid, event_id uuid, channel text)
returns private.notifications_events
language plpgsql
volatile
security definer -- reads events, which nobody else may
set search_path = ''
as $$
#variable_conflict use_column
declare
  v_delivery private.notifications_deliveries;
  v_event private.notifications_events;
  v_kind private.notifications_kinds;
  v_reason text;
  v_quiet timestamptz;
begin
  select d.* into v_delivery from private.notifications_deliveries d
  where d.tenant_id = notifications_open.tenant_id and d.event_id = notifications_open.event_id
    and d.channel = notifications_open.channel and d.status in ('waiting', 'refused');
  if not found then
    return null;
  end if;
  select e.* into v_event from private.notifications_events e
  where e.tenant_id = notifications_open.tenant_id and e.id = notifications_open.event_id;
  select k.* into v_kind from private.notifications_kinds k where k.kind = v_event.kind;
  v_reason := private.notifications_hindrance(v_event, v_kind, notifications_open.channel);
  if v_reason is not null then
    perform private.notifications_settle_one(v_delivery, 'skipped', v_reason);
    return null;
  end if;
  if not v_kind.security then
    -- A provider that was away may be back in the middle of the night.
    v_quiet := private.notifications_quiet_until(v_event.person_id, v_event.tenant_id);
    v_quiet := coalesce(
      private.notifications_stopped_until(v_event), v_quiet, private.notifications_braked_until(v_event)
    );
  end if;
  if v_quiet is not null then
    update private.notifications_deliveries d set status = 'held', due_at = v_quiet
    where d.tenant_id = v_delivery.tenant_id and d.event_id = v_delivery.event_id
      and d.channel = v_delivery.channel;
    return null;
  end if;
  return v_event;
end;
$$;
comment on function private.notifications_open(uuid, uuid, text) is
  'An event that is still to be sent on the channel; null when it is not, or not now.';

create function private.notifications_brand(tenant public.tenants)
returns jsonb
language plpgsql -- a function in sql is planned anew at each call
immutable
security invoker
set search_path = ''
as $$
begin
  return case when tenant.id <> private.platform() then jsonb_build_object(
    'name', tenant.name,
    'logo_url', tenant.logo_url,
    'app_url', tenant.app_url,
    'color', tenant.settings #>> '{branding,color}',
    'footer', tenant.settings #>> '{branding,footer}'
  ) end;
end;
$$;
comment on function private.notifications_brand(public.tenants) is
  'How a tenant looks: its name, logo and app, and color and footer of settings.branding; null for the platform.';

create function private.notifications_content(event private.notifications_events)
returns jsonb
language plpgsql
stable
security definer -- reads kinds, tenants and people past their policies
set search_path = ''
as $$
begin
  return (
    select jsonb_build_object(
      'id', event.id,
      'tenant_id', event.tenant_id,
      'locale', coalesce(p.locale, event.locale, t.locale),
      'brand', private.notifications_brand(t),
      'template', k.template,
      'kind', event.kind,
      'data', event.payload,
      'security', k.security,
      'stranger', event.person_id = private.notifications_nobody(),
      'document', (
        select d.content from private.notifications_documents d
        where d.tenant_id = event.tenant_id and d.id = event.document_id
      ),
      'name', case when event.document_id is not null then (
        select m.display_name from public.members m
        where m.tenant_id = event.tenant_id and m.person_id = event.person_id
      ) end
    )
    from private.notifications_kinds k
    join public.tenants t on t.id = event.tenant_id
    left join public.people p on p.id = event.person_id
    where k.kind = event.kind
  );
end;
$$;
comment on function private.notifications_content(private.notifications_events) is
  'What every channel tells of an event, in the language and look of now.';

create function public.notifications_open_emails(tenants uuid[], ids uuid[])
returns jsonb
language plpgsql
volatile
security definer -- reads addresses and events, which nobody else may
set search_path = ''
as $$
#variable_conflict use_column
declare
  v_id record;
  v_event private.notifications_events;
  v_delivery private.notifications_deliveries;
  v_address text;
  v_mails jsonb[] := array[]::jsonb[];
begin
  for v_id in select a.tenant_id, a.id from unnest(tenants, ids) a (tenant_id, id) loop
    v_event := private.notifications_open(v_id.tenant_id, v_id.id, 'email');
    continue when v_event.id is null;
    select d.* into v_delivery from private.notifications_deliveries d
    where d.tenant_id = v_event.tenant_id and d.event_id = v_event.id and d.channel = 'email';
    v_address := coalesce(
      v_event.address,
      (select u.email from auth.users u where u.id = v_event.person_id and u.deleted_at is null)
    );
    if v_address is null or private.notifications_is_suppressed(v_address, v_event.kind) then
      perform private.notifications_settle_one(
        v_delivery, 'skipped', case when v_address is null then 'no_address' else 'suppressed' end
      );
      continue;
    end if;
    v_mails := array_append(
      v_mails,
      private.notifications_content(v_event) || jsonb_build_object(
        'to', v_address,
        'items', coalesce(private.notifications_digest_items(v_event), v_event.payload -> 'items'),
        'setting_token', private.notifications_mail_link(v_event),
        'tracking', private.notifications_tracking(v_event),
        'provider', v_delivery.provider
      )
    );
  end loop;
  return to_jsonb(v_mails);
end;
$$;
comment on function public.notifications_open_emails(uuid[], uuid[]) is
  'For the worker: of these mails those that are still to be sent, each with the address, language and look of now.';
grant execute on function public.notifications_open_emails(uuid[], uuid[]) to service_role;

create function public.notifications_settle(results jsonb)
returns integer
language plpgsql
volatile
security definer -- nobody else writes deliveries
set search_path = ''
as $$
#variable_conflict use_column
declare
  v_result jsonb;
  v_delivery private.notifications_deliveries;
begin
  for v_result in select jsonb_array_elements(notifications_settle.results) loop
    v_delivery := jsonb_populate_record(null::private.notifications_deliveries, v_result);
    if v_delivery.status = 'waiting' then
      update private.notifications_deliveries d set provider = v_delivery.provider
      where d.tenant_id = v_delivery.tenant_id and d.event_id = v_delivery.event_id
        and d.channel = v_delivery.channel and d.status = 'waiting';
    else
      perform private.notifications_settle_one(
        v_delivery, v_delivery.status, left(v_delivery.reason, 200)
      );
    end if;
  end loop;
  return jsonb_array_length(notifications_settle.results);
end;
$$;
comment on function public.notifications_settle(jsonb) is
  'For the worker: how deliveries ended, [{ tenant_id, event_id, channel, status, reason, provider, provider_id }]. waiting: nobody knows whether that provider took it, so nobody else is to be asked.';
grant execute on function public.notifications_settle(jsonb) to service_role;

-- A provider may be away for longer than a job lives. What waits for it is the delivery, not the job.
create function private.notifications_retry()
returns bigint
language sql
volatile
security definer -- nobody else writes deliveries
set search_path = ''
as $$
  with due as (
    update private.notifications_deliveries d
    -- Each pause is as long as the wait until then: 5, 10, 20 minutes and so on.
    set retry_at = now() + greatest(now() - greatest(d.created_at, d.due_at), interval '5 minutes')
    where (d.tenant_id, d.event_id, d.channel) in (
      select w.tenant_id, w.event_id, w.channel from private.notifications_deliveries w
      where w.status = 'waiting' and w.retry_at <= now()
      order by w.retry_at limit 1000 for update skip locked
    )
    returning d.tenant_id, d.event_id, d.channel
  )
  select count(private.notifications_enqueue(
    d.tenant_id, d.event_id, d.channel, private.notifications_priority(d.tenant_id, d.event_id)
  )) from due d;
$$;
comment on function private.notifications_retry() is
  'Hands deliveries that wait to the worker again. Returns how many had no job waiting.';

create function private.notifications_release()
returns bigint
language sql
volatile
security definer -- nobody else writes deliveries
set search_path = ''
as $$
  with due as (
    update private.notifications_deliveries d
    set status = 'waiting', retry_at = now() + interval '5 minutes'
    where (d.tenant_id, d.event_id, d.channel) in (
      select w.tenant_id, w.event_id, w.channel from private.notifications_deliveries w
      where w.status = 'held' and w.due_at <= now()
      order by w.due_at limit 1000 for update skip locked
    )
    returning d.tenant_id, d.event_id, d.channel
  )
  select count(private.notifications_enqueue(
    d.tenant_id, d.event_id, d.channel, private.notifications_priority(d.tenant_id, d.event_id)
  )) from due d;
$$;
comment on function private.notifications_release() is
  'Brings on their way what was held in quiet hours that are over. Returns how many.';

select private.schedule('notifications-retry', '* * * * *', 'select private.notifications_retry()');
select private.schedule('notifications-release', '* * * * *', 'select private.notifications_release()');
