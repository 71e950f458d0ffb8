-- Notifications, settings: which notices reach a person, on which channel, and at which hours. What
-- nobody chose is as the kind was declared.

create table private.notifications_preferences (
  tenant_id uuid not null references public.tenants (id) on delete cascade,
  person_id uuid not null references public.people (id) on delete cascade,
  kind text not null check (kind = '*' or kind ~ '^[a-z_]+\.[a-z_]+$'),
  channel text not null check (channel in ('inbox', 'email', 'push')),
  scope text not null default '' check (char_length(scope) <= 100),
  setting text not null check (setting in ('instant', 'daily', 'weekly', 'off')),
  updated_at timestamptz not null default now(),
  primary key (tenant_id, person_id, kind, channel, scope)
);
comment on table private.notifications_preferences is
  'What people chose: for a kind or all of them (*), on a channel, in one group of the tenant (scope) or in all of it (empty). The group''s word counts more than the tenant''s, the kind''s more than that on all kinds.';
create index notifications_preferences_person on private.notifications_preferences (person_id);

create table private.notifications_hours (
  person_id uuid primary key references public.people (id) on delete cascade,
  quiet_from time,
  quiet_until time,
  digest_at time not null default '08:00',
  digest_day smallint not null default 1 check (digest_day between 0 and 6),
  updated_at timestamptz not null default now(),
  check ((quiet_from is null) = (quiet_until is null) and quiet_from <> quiet_until)
);
comment on table private.notifications_hours is
  'When a person wants quiet, and when their digests, on the clocks of where they are.';
comment on column private.notifications_hours.digest_day is 'The weekly digest''s: 0 is Sunday.';

create function private.notifications_zone(person uuid, tenant_id uuid)
returns text
language plpgsql
stable
security definer -- reads people past their policies
set search_path = ''
as $$
begin
  return coalesce(
    (select p.time_zone from public.people p where p.id = notifications_zone.person),
    (select t.time_zone from public.tenants t where t.id = notifications_zone.tenant_id)
  );
end;
$$;
comment on function private.notifications_zone(uuid, uuid) is
  'Whose clocks count: the person''s, else the tenant''s.';

create function private.notifications_quiet_until(
  person uuid, tenant_id uuid, at timestamptz default now()
)
returns timestamptz
language plpgsql
stable
security definer -- reads what people chose
set search_path = ''
as $$
#variable_conflict use_column
declare
  v_hours private.notifications_hours;
  v_zone text;
  v_local timestamp;
  v_overnight boolean;
begin
  select h.* into v_hours from private.notifications_hours h
  where h.person_id = notifications_quiet_until.person and h.quiet_from is not null;
  if not found then
    return null;
  end if;
  v_zone := private.notifications_zone(notifications_quiet_until.person, notifications_quiet_until.tenant_id);
  v_local := notifications_quiet_until.at at time zone v_zone;
  v_overnight := v_hours.quiet_from > v_hours.quiet_until;
  if v_local::time >= v_hours.quiet_from and (v_overnight or v_local::time < v_hours.quiet_until) then
    return (v_local::date + v_overnight::integer + v_hours.quiet_until) at time zone v_zone;
  elsif v_overnight and v_local::time < v_hours.quiet_until then
    return (v_local::date + v_hours.quiet_until) at time zone v_zone;
  end if;
  return null;
end;
$$;
comment on function private.notifications_quiet_until(uuid, uuid, timestamptz) is
  'When the person''s quiet hours are over; null outside of them.';

create function private.notifications_next_digest(person uuid, tenant_id uuid, setting text)
returns timestamptz
language sql
stable
security definer -- reads what people chose
set search_path = ''
as $$
  select private.next_time(
    format(
      '%s %s * * %s', extract(minute from h.digest_at), extract(hour from h.digest_at),
      case when notifications_next_digest.setting = 'weekly' then h.digest_day::text else '*' end
    ),
    private.notifications_zone(notifications_next_digest.person, notifications_next_digest.tenant_id)
  )
  from (values (time '08:00', 1::smallint)) usual (digest_at, digest_day)
  cross join lateral (
    select coalesce(max(c.digest_at), usual.digest_at) as digest_at,
      coalesce(max(c.digest_day), usual.digest_day) as digest_day
    from private.notifications_hours c where c.person_id = notifications_next_digest.person
  ) h;
$$;
comment on function private.notifications_next_digest(uuid, uuid, text) is
  'When the person''s next daily or weekly digest is due, on their clocks.';

create type private.notifications_choice as (
  channel text,
  setting text
);
comment on type private.notifications_choice is 'What holds on a channel.';

create function private.notifications_channels(
  kind private.notifications_kinds, tenant_id uuid, person uuid, scope text
)
returns setof private.notifications_choice
language plpgsql
stable
security definer -- reads what people chose
set search_path = ''
rows 3
as $$
#variable_conflict use_column
begin
  return query
    select c.channel, coalesce(chosen.setting, c.usual)
    from (values ('inbox', kind.inbox), ('email', kind.email), ('push', kind.push)) c (channel, usual)
    left join lateral (
      select p.setting from private.notifications_preferences p
      where not kind.security
        and p.tenant_id = notifications_channels.tenant_id
        and p.person_id = notifications_channels.person
        and p.channel = c.channel
        -- A word on all kinds is not one on the digest that brings them.
        and (p.kind = kind.kind or p.kind = '*' and kind.kind <> 'notifications.digest')
        and p.scope in (notifications_channels.scope, '')
      order by p.scope <> '' desc, p.kind <> '*' desc
      limit 1
    ) chosen on true
    where c.usual is not null;
end;
$$;
comment on function private.notifications_channels(private.notifications_kinds, uuid, uuid, text) is
  'What holds for a person: a row for each channel that the kind knows.';

create function private.notifications_channel_fault(
  kind text, channel text, setting text, scope text
)
returns text
language plpgsql
stable
security definer -- reads the list of kinds
set search_path = ''
as $$
#variable_conflict use_column
declare
  v_kind private.notifications_kinds;
begin
  select k.* into v_kind from private.notifications_kinds k
  where k.kind = notifications_channel_fault.kind;
  return case
    when notifications_channel_fault.channel is null
      or notifications_channel_fault.channel not in ('inbox', 'email', 'push') then 'channel'
    when setting is null or setting not in ('instant', 'daily', 'weekly', 'off')
      or (setting in ('daily', 'weekly') and (
        notifications_channel_fault.channel <> 'email'
        or notifications_channel_fault.kind = 'notifications.digest'
      )) then 'setting'
    when notifications_channel_fault.scope is null
      or char_length(notifications_channel_fault.scope) > 100 then 'scope'
    when notifications_channel_fault.kind = '*' then null
    when v_kind.kind is null then 'kind'
    when v_kind.security then 'kind: security notices are always sent'
    when (to_jsonb(v_kind) ->> notifications_channel_fault.channel) is null then 'channel'
  end;
end;
$$;
comment on function private.notifications_channel_fault(text, text, text, text) is
  'What is wrong with a preference; null when nothing is.';

create function private.notifications_keep_choice(
  tenant_id uuid, person uuid, kind text, channel text, setting text, scope text
)
returns void
language plpgsql
volatile
security definer -- nobody else writes preferences
set search_path = ''
as $$
#variable_conflict use_column
declare
  v_fault text := private.notifications_channel_fault(
    notifications_keep_choice.kind, notifications_keep_choice.channel, notifications_keep_choice.setting,
    notifications_keep_choice.scope
  );
begin
  if v_fault is not null then
    raise sqlstate 'PT422' using message = 'request.invalid', detail = v_fault;
  end if;
  insert into private.notifications_preferences (tenant_id, person_id, kind, channel, setting, scope)
  values (
    notifications_keep_choice.tenant_id, notifications_keep_choice.person, notifications_keep_choice.kind,
    notifications_keep_choice.channel, notifications_keep_choice.setting, notifications_keep_choice.scope
  )
  on conflict (tenant_id, person_id, kind, channel, scope)
  do update set setting = excluded.setting, updated_at = now();
  perform private.audit(
    'NOTIFICATION_SETTING_CHANGED', 'people:' || notifications_keep_choice.person, null,
    jsonb_build_object(
      'kind', notifications_keep_choice.kind, 'channel', notifications_keep_choice.channel,
      'setting', notifications_keep_choice.setting, 'scope', notifications_keep_choice.scope
    ),
    notifications_keep_choice.tenant_id, actor => notifications_keep_choice.person
  );
end;
$$;
comment on function private.notifications_keep_choice(uuid, uuid, text, text, text, text) is
  'Keeps what a person chose, by whichever door. Raises request.invalid.';
