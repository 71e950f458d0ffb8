-- Notifications, digests: what a person wants to read once a day or a week, at an hour of theirs.
-- Each notice is told in one digest, and in none once it is over or was read in the app.

select private.declare_notification('notifications.digest', inbox => null, push => null);

create function private.notifications_digest_read(delivery private.notifications_deliveries)
returns boolean
language sql
stable
security definer -- reads inboxes
set search_path = ''
as $$
  -- A notice is in the row that collected it: the first one of its group that was touched after it.
  select coalesce(
    (
      select n.read_at is not null
      from private.notifications_events e
      join private.notifications_kinds k on k.kind = e.kind
      join public.notifications n on n.tenant_id = e.tenant_id and n.person_id = e.person_id
        and n.kind = e.kind and n.updated_at >= e.created_at
        and n.group_key = coalesce(left(e.payload ->> k.group_key, 200), e.id::text)
      where e.tenant_id = delivery.tenant_id and e.id = delivery.event_id
      order by n.updated_at limit 1
    ),
    false
  );
$$;
comment on function private.notifications_digest_read(private.notifications_deliveries) is
  'Whether the person has read the notice in the app meanwhile.';

create function private.notifications_compose(tenant_id uuid, person uuid)
returns boolean
language plpgsql
volatile
security definer -- nobody else writes deliveries
set search_path = ''
as $$
#variable_conflict use_column
declare
  v_delivery private.notifications_deliveries;
  v_event private.notifications_events;
  v_reason text;
  v_items uuid[] := array[]::uuid[];
begin
  for v_delivery in
    select d.* from private.notifications_deliveries d
    where d.tenant_id = notifications_compose.tenant_id
      and d.person_id = notifications_compose.person and d.status = 'digest' and d.due_at <= now()
    order by d.event_id for update skip locked
  loop
    select private.notifications_hindrance(e, k, 'email') into v_reason
    from private.notifications_events e join private.notifications_kinds k on k.kind = e.kind
    where e.tenant_id = v_delivery.tenant_id and e.id = v_delivery.event_id;
    if v_reason is null and private.notifications_digest_read(v_delivery) then
      v_reason := 'read';
    end if;
    if v_reason is null then
      v_items := v_items || v_delivery.event_id;
    else
      update private.notifications_deliveries d
      set status = 'skipped', reason = v_reason, settled_at = clock_timestamp()
      where d.tenant_id = v_delivery.tenant_id and d.event_id = v_delivery.event_id
        and d.channel = 'email';
    end if;
  end loop;
  if cardinality(v_items) = 0 then
    return false;
  end if;
  v_event.tenant_id := notifications_compose.tenant_id;
  v_event.person_id := notifications_compose.person;
  v_event.kind := 'notifications.digest';
  v_event.payload := jsonb_build_object('count', cardinality(v_items)::text);
  v_event.id := private.notifications_tell(v_event);
  update private.notifications_deliveries d
  set status = 'digested', digest_id = v_event.id, settled_at = clock_timestamp()
  where d.tenant_id = notifications_compose.tenant_id and d.event_id = any (v_items)
    and d.channel = 'email';
  return true;
end;
$$;
comment on function private.notifications_compose(uuid, uuid) is
  'Makes one digest of all that is due for the person; false when nothing is left to tell.';

create function private.notifications_compose_due()
returns bigint
language sql
volatile
security definer -- nobody else writes deliveries
set search_path = ''
as $$
  select count(*) filter (where private.notifications_compose(d.tenant_id, d.person_id))
  from (
    select w.tenant_id, w.person_id from private.notifications_deliveries w
    where w.status = 'digest' and w.due_at <= now()
    group by w.tenant_id, w.person_id
    order by min(w.due_at) limit 500
  ) d;
$$;
comment on function private.notifications_compose_due() is
  'Makes the digests that are due. Returns how many.';

create function private.notifications_digest_items(event private.notifications_events)
returns jsonb
language plpgsql -- a function in sql is planned anew at each call
stable
security definer -- reads events, which nobody else may
set search_path = ''
as $$
begin
  if event.kind <> 'notifications.digest' then
    return null;
  end if;
  -- Once more by what holds now: the digest itself may have waited.
  return (
    select jsonb_agg(
      jsonb_build_object('template', g.template, 'data', g.data, 'count', g.count) order by g.first
    )
    from (
      select k.template, min(e.id::text) as first, count(*) as count,
        (array_agg(e.payload order by e.id desc))[1] as data
      from private.notifications_deliveries d
      join private.notifications_events e on e.tenant_id = d.tenant_id and e.id = d.event_id
      join private.notifications_kinds k on k.kind = e.kind
      where d.tenant_id = event.tenant_id and d.digest_id = event.id
        and (e.expires_at is null or e.expires_at > now())
      group by k.template, e.kind, coalesce(e.payload ->> k.group_key, e.id::text)
    ) g
  );
end;
$$;
comment on function private.notifications_digest_items(private.notifications_events) is
  'What a digest tells, one entry a group of notices; null for what is no digest.';

select private.schedule('notifications-digests', '* * * * *', 'select private.notifications_compose_due()');
