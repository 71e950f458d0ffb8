-- Push, sending: the worker's side. A notice goes to each device once; a device that is gone is
-- forgotten the moment its push service says so.

create function public.push_open(tenants uuid[], ids uuid[])
returns jsonb
language plpgsql
volatile
security definer -- reads events and targets, which nobody else may
set search_path = ''
as $$
#variable_conflict use_column
declare
  v_id record;
  v_event private.notifications_events;
  v_pushes jsonb[] := array[]::jsonb[];
begin
  for v_id in select a.tenant_id, a.id from unnest(tenants, ids) a (tenant_id, id) loop
    v_event := private.notifications_open(v_id.tenant_id, v_id.id, 'push');
    continue when v_event.id is null;
    v_pushes := array_append(
      v_pushes,
      private.notifications_content(v_event) || jsonb_build_object(
        'expires_at', v_event.expires_at,
        'unread', coalesce(
          (select sum(c.unread) from public.notifications_counters c where c.person_id = v_event.person_id),
          0
        ),
        'targets', coalesce(
          (
            select jsonb_agg(jsonb_build_object(
              'id', d.id, 'kind', d.kind, 'address', d.address, 'p256dh', d.p256dh, 'auth', d.auth
            ))
            from private.push_targets d
            where d.person_id = v_event.person_id and not exists (
              select from private.push_sends s
              where s.tenant_id = v_event.tenant_id and s.event_id = v_event.id and s.target_id = d.id
            )
          ),
          '[]'
        )
      )
    );
  end loop;
  return to_jsonb(v_pushes);
end;
$$;
comment on function public.push_open(uuid[], uuid[]) is
  'For the worker: of these notices those that are still to be pushed, each with the devices that were not told yet.';
grant execute on function public.push_open(uuid[], uuid[]) to service_role;

create function public.push_settle(results jsonb)
returns integer
language plpgsql
volatile
security definer -- nobody else writes sends
set search_path = ''
as $$
#variable_conflict use_column
declare
  v_result jsonb;
  v_delivery private.notifications_deliveries;
begin
  for v_result in select jsonb_array_elements(push_settle.results) loop
    v_delivery := jsonb_populate_record(null::private.notifications_deliveries, v_result);
    v_delivery.channel := 'push';
    insert into private.push_sends (tenant_id, event_id, target_id)
    select v_delivery.tenant_id, v_delivery.event_id, s.id::uuid
    from jsonb_array_elements_text(v_result -> 'sent') s (id)
    on conflict (tenant_id, event_id, target_id) do nothing;
    delete from private.push_targets t
    where t.id in (select g.id::uuid from jsonb_array_elements_text(v_result -> 'gone') g (id));
    if (v_result ->> 'done')::boolean then
      perform private.notifications_settle_one(
        v_delivery,
        case when exists (
          select from private.push_sends s
          where s.tenant_id = v_delivery.tenant_id and s.event_id = v_delivery.event_id
        ) then 'sent' else 'skipped' end,
        v_delivery.reason
      );
    end if;
  end loop;
  return jsonb_array_length(push_settle.results);
end;
$$;
comment on function public.push_settle(jsonb) is
  'For the worker: [{ tenant_id, event_id, sent, gone, done, reason }] with the ids of devices that were told and of those that are no more; done: nobody is left to tell.';
grant execute on function public.push_settle(jsonb) to service_role;

create function private.push_forget_person()
returns trigger
language plpgsql
volatile
security definer -- nobody else writes targets
set search_path = ''
as $$
begin
  delete from private.push_targets t where t.person_id = new.id;
  return null;
end;
$$;
comment on function private.push_forget_person() is 'After a person was erased: their devices go.';

create trigger push_forget_person after update of erased_at on public.people
  for each row when (old.erased_at is null and new.erased_at is not null)
  execute function private.push_forget_person();

create function private.push_forget_silent()
returns bigint
language sql
volatile
security definer -- nobody else writes targets
set search_path = ''
as $$
  with gone as (
    delete from private.push_targets t where t.seen_at < now() - interval '270 days' returning 1
  )
  select count(*) from gone;
$$;
comment on function private.push_forget_silent() is
  'Devices that have not been heard of for 270 days are stale by FCM''s own measure. Returns how many went.';

select private.schedule('push-forget-silent', '37 4 * * *', 'select private.push_forget_silent()');
select private.declare_metric(
  'push_targets', 'gauge', 'Browsers and apps that push reaches, by kind.',
  $$select count(t.kind) as value, jsonb_build_object('kind', kinds.kind) as labels
    from unnest(array['web', 'fcm']) kinds(kind)
    left join private.push_targets t on t.kind = kinds.kind
    group by kinds.kind$$
);
