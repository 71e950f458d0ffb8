-- Notifications, choosing: what people see of their settings, and change, while they are signed in.

create function private.notifications_settings_of(tenant_id uuid, person uuid)
returns jsonb
language sql
stable
security definer -- reads what people chose
set search_path = ''
as $$
  select jsonb_build_object(
    'kinds', (
      select coalesce(jsonb_agg(
        jsonb_build_object(
          'kind', k.kind,
          'fixed', k.security,
          'channels', (
            select jsonb_object_agg(c.channel, c.setting)
            from private.notifications_channels(
              k, notifications_settings_of.tenant_id, notifications_settings_of.person, ''
            ) c
          )
        ) order by k.kind
      ), '[]')
      from private.notifications_kinds k
      join public.tenants t on t.id = notifications_settings_of.tenant_id
      -- Kinds whose only channel carries a secret are no choice; what is switched off tells nothing.
      where (not k.security or k.inbox is not null)
        and (t.id = private.platform() or not exists (
          select from public.modules m
          where m.slug = split_part(k.kind, '.', 1) and m.switchable and m.slug <> all (t.modules)
        ))
    ),
    'chosen', (
      select coalesce(jsonb_agg(
        jsonb_build_object(
          'kind', p.kind, 'channel', p.channel, 'scope', p.scope, 'setting', p.setting
        ) order by p.scope, p.kind, p.channel
      ), '[]')
      from private.notifications_preferences p
      where p.tenant_id = notifications_settings_of.tenant_id
        and p.person_id = notifications_settings_of.person
    ),
    'hours', (
      select jsonb_build_object(
        'quiet_from', to_char(h.quiet_from, 'HH24:MI'),
        'quiet_until', to_char(h.quiet_until, 'HH24:MI'),
        'digest_at', to_char(coalesce(h.digest_at, '08:00'), 'HH24:MI'),
        'digest_day', coalesce(h.digest_day, 1),
        'time_zone', private.notifications_zone(
          notifications_settings_of.person, notifications_settings_of.tenant_id
        )
      )
      from (select notifications_settings_of.person as id) one
      left join private.notifications_hours h on h.person_id = one.id
    )
  );
$$;
comment on function private.notifications_settings_of(uuid, uuid) is
  'All that holds for a person in a tenant.';

create function public.notifications_settings(tenant_id uuid)
returns jsonb
language plpgsql
stable
security definer -- reads what people chose
set search_path = ''
as $$
begin
  return private.notifications_settings_of(
    notifications_settings.tenant_id,
    private.notifications_require(notifications_settings.tenant_id)
  );
end;
$$;
comment on function public.notifications_settings(uuid) is
  'What reaches the caller in the tenant (the platform''s id: about their account): kinds with the setting of each channel, what they chose, quiet hours and times of digests. Raises tenants.not_found, members.not_active.';
grant execute on function public.notifications_settings(uuid) to authenticated;

create function public.notifications_choose(
  tenant_id uuid, kind text, channel text, setting text, scope text default ''
)
returns jsonb
language plpgsql
volatile
security definer -- writes what people choose
set search_path = ''
as $$
declare
  v_person uuid := private.notifications_require(notifications_choose.tenant_id);
begin
  perform private.notifications_keep_choice(
    notifications_choose.tenant_id, v_person, notifications_choose.kind, notifications_choose.channel,
    notifications_choose.setting, notifications_choose.scope
  );
  return private.notifications_settings_of(notifications_choose.tenant_id, v_person);
end;
$$;
comment on function public.notifications_choose(uuid, text, text, text, text) is
  'Has a kind (* for all) reach the caller on a channel (inbox, email, push) at once, with a daily or weekly digest (email alone) or not (off): in the tenant, or in one group of it (scope). Returns the settings. Raises request.invalid with the field as detail.';
grant execute on function public.notifications_choose(uuid, text, text, text, text) to authenticated;

create function private.notifications_time(written text)
returns time
language sql
immutable
security invoker
set search_path = ''
as $$
  select case when notifications_time.written ~ '^([01]\d|2[0-3]):[0-5]\d$'
    then notifications_time.written::time end;
$$;
comment on function private.notifications_time(text) is 'A time of day written as HH:MM; null for anything else.';

create function public.notifications_set_hours(
  quiet_from text default null,
  quiet_until text default null,
  digest_at text default '08:00',
  digest_day integer default 1
)
returns jsonb
language plpgsql
volatile
security definer -- writes what people choose
set search_path = ''
as $$
#variable_conflict use_column
declare
  v_person uuid := private.require_person();
  v_from time := private.notifications_time(notifications_set_hours.quiet_from);
  v_until time := private.notifications_time(notifications_set_hours.quiet_until);
  v_digest time := private.notifications_time(coalesce(notifications_set_hours.digest_at, '08:00'));
  v_day integer := coalesce(notifications_set_hours.digest_day, 1);
  v_fault text := case
    when notifications_set_hours.quiet_from is not null and v_from is null then 'quiet_from'
    when notifications_set_hours.quiet_until is not null and v_until is null then 'quiet_until'
    when (v_from is null) <> (v_until is null) or v_from = v_until then 'quiet_until'
    when v_digest is null then 'digest_at'
    when v_day not between 0 and 6 then 'digest_day'
  end;
begin
  if v_fault is not null then
    raise sqlstate 'PT422' using message = 'request.invalid', detail = v_fault;
  end if;
  insert into private.notifications_hours (person_id, quiet_from, quiet_until, digest_at, digest_day)
  values (v_person, v_from, v_until, v_digest, v_day)
  on conflict (person_id) do update
  set quiet_from = excluded.quiet_from, quiet_until = excluded.quiet_until,
    digest_at = excluded.digest_at, digest_day = excluded.digest_day, updated_at = now();
  perform private.notifications_follow_hours(v_person);
  return private.notifications_settings_of(private.platform(), v_person) -> 'hours';
end;
$$;
comment on function public.notifications_set_hours(text, text, text, integer) is
  'The caller''s quiet hours (both null: none) and when their digests come (0 is Sunday), as HH:MM on their own clocks. Raises request.invalid with the field as detail.';
grant execute on function public.notifications_set_hours(text, text, text, integer) to authenticated;

create function private.notifications_follow_hours(person uuid)
returns void
language sql
volatile
security definer -- nobody else writes deliveries
set search_path = ''
as $$
  update private.notifications_deliveries d
  set due_at = coalesce(private.notifications_quiet_until(d.person_id, d.tenant_id), now())
  where d.person_id = notifications_follow_hours.person and d.status = 'held';
  update private.notifications_deliveries d
  set due_at = private.notifications_next_digest(d.person_id, d.tenant_id, c.setting)
  from private.notifications_events e
  join private.notifications_kinds k on k.kind = e.kind
  cross join lateral private.notifications_channels(k, e.tenant_id, e.person_id, e.scope) c
  where d.person_id = notifications_follow_hours.person and d.status = 'digest'
    and e.tenant_id = d.tenant_id and e.id = d.event_id
    and c.channel = 'email' and c.setting in ('daily', 'weekly');
$$;
comment on function private.notifications_follow_hours(uuid) is
  'What is held, or waits for a digest, waits for the new hours, not for those that were changed.';
create index notifications_deliveries_held on private.notifications_deliveries (person_id)
  where status in ('held', 'digest');

create function private.notifications_follow_zone()
returns trigger
language plpgsql
volatile
security definer -- nobody else writes deliveries
set search_path = ''
as $$
begin
  perform private.notifications_follow_hours(new.id);
  return null;
end;
$$;
comment on function private.notifications_follow_zone() is
  'After somebody moved to another time zone: their hours are those of the clocks there.';
create trigger notifications_follow_zone after update of time_zone on public.people
  for each row when (new.time_zone is distinct from old.time_zone)
  execute function private.notifications_follow_zone();
