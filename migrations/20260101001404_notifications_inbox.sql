-- Notifications, inbox: what a person finds in the app. Unread notices of one group stand together
-- in one row; how many are unread is a row of its own, so that asking costs the same whatever is there.

create table public.notifications (
  tenant_id uuid not null references public.tenants (id) on delete cascade,
  id uuid not null default private.uuid_v7(),
  person_id uuid not null,
  kind text not null,
  group_key text not null check (char_length(group_key) between 1 and 200),
  payload jsonb not null default '{}',
  count integer not null default 1 check (count > 0),
  read_at timestamptz,
  created_at timestamptz not null default now(),
  updated_at timestamptz not null default now(),
  primary key (tenant_id, id)
);
comment on table public.notifications is
  'The inbox: notices of the tenant, and of the account itself in the tenant platform.';
comment on column public.notifications.group_key is
  'What unread notices of a kind are collected by: the payload then is the latest one''s, and count says how many.';
create unique index notifications_unread on public.notifications (tenant_id, person_id, kind, group_key)
  where read_at is null;
create index notifications_recent on public.notifications (tenant_id, person_id, updated_at desc, id desc);
create index notifications_old on public.notifications (updated_at);

create table public.notifications_counters (
  tenant_id uuid not null references public.tenants (id) on delete cascade,
  person_id uuid not null,
  unread integer not null default 0 check (unread >= 0),
  primary key (tenant_id, person_id)
);
comment on table public.notifications_counters is 'How many rows of the inbox a person has not read.';
create index notifications_counters_person on public.notifications_counters (person_id);

-- What is about the account itself is read by whoever it belongs to, member or not.
alter table public.notifications enable row level security;
create policy notifications_select_self on public.notifications
  for select to authenticated
  using (
    tenant_id = any (array(
      select private.tenants_with('notifications.read') union all select private.platform()
    ))
    and person_id = (select private.person())
  );
alter table public.notifications_counters enable row level security;
create policy notifications_counters_select_self on public.notifications_counters
  for select to authenticated
  using (
    tenant_id = any (array(
      select private.tenants_with('notifications.read') union all select private.platform()
    ))
    and person_id = (select private.person())
  );
grant select on public.notifications, public.notifications_counters to authenticated, service_role;

create function private.notifications_belongs(tenant_id uuid, person uuid)
returns boolean
language plpgsql
stable
security definer -- reads members past their policies
set search_path = ''
as $$
#variable_conflict use_column
begin
  return notifications_belongs.tenant_id = private.platform() or exists (
    select from public.members m
    where m.tenant_id = notifications_belongs.tenant_id and m.person_id = notifications_belongs.person
      and m.status = 'active'
  );
end;
$$;
comment on function private.notifications_belongs(uuid, uuid) is
  'Whether the person is an active member; everybody belongs to the platform.';

create function private.notifications_count(tenant_id uuid, person uuid, change integer)
returns integer
language plpgsql -- a function in sql is planned anew at each call
volatile
security definer -- nobody else writes the counters
set search_path = ''
as $$
#variable_conflict use_column
declare
  v_unread integer;
begin
  insert into public.notifications_counters as c (tenant_id, person_id, unread)
  values (notifications_count.tenant_id, notifications_count.person, greatest(notifications_count.change, 0))
  on conflict (tenant_id, person_id)
  do update set unread = greatest(c.unread + notifications_count.change, 0)
  returning c.unread into v_unread;
  return v_unread;
end;
$$;
comment on function private.notifications_count(uuid, uuid, integer) is
  'Counts unread notices up or down; returns how many there are now.';

create function private.notifications_file(event private.notifications_events, group_key text)
returns void
language plpgsql
volatile
security definer -- nobody else writes the inbox
set search_path = ''
as $$
#variable_conflict use_column
declare
  v_notice public.notifications;
  v_unread integer;
begin
  insert into public.notifications as n (tenant_id, person_id, kind, group_key, payload)
  values (
    event.tenant_id, event.person_id, event.kind,
    coalesce(left(event.payload ->> notifications_file.group_key, 200), event.id::text),
    -- A code is for whoever reads the mail.
    event.payload - 'code'
  )
  on conflict (tenant_id, person_id, kind, group_key) where read_at is null
  do update set count = n.count + 1, payload = excluded.payload, updated_at = now()
  returning n.* into v_notice;
  v_unread := private.notifications_count(
    event.tenant_id, event.person_id, (v_notice.count = 1)::integer
  );
  perform private.announce(
    event.person_id, 'notifications:new',
    jsonb_build_object(
      'tenant_id', event.tenant_id, 'notification_id', v_notice.id, 'kind', v_notice.kind,
      'payload', v_notice.payload, 'count', v_notice.count, 'unread', v_unread
    )
  );
end;
$$;
comment on function private.notifications_file(private.notifications_events, text) is
  'Puts an event into the person''s inbox, beside unread ones of its group, and says so on their channel.';

create function private.notifications_require(tenant_id uuid)
returns uuid
language plpgsql
stable
security definer -- asks private.require
set search_path = ''
as $$
begin
  if notifications_require.tenant_id = private.platform() then
    return private.require_person();
  end if;
  return private.require(notifications_require.tenant_id, 'notifications.read');
end;
$$;
comment on function private.notifications_require(uuid) is
  'The caller, for their own notices of the tenant; of the platform everybody has some. Raises what private.require raises.';

create function public.notifications_read(tenant_id uuid, ids uuid[] default null)
returns public.notifications_counters
language plpgsql
volatile
security definer -- nobody else writes the inbox
set search_path = ''
as $$
#variable_conflict use_column
declare
  v_person uuid := private.notifications_require(notifications_read.tenant_id);
  v_read uuid[];
  v_counter public.notifications_counters;
begin
  with unread as (
    select n.id from public.notifications n
    where n.tenant_id = notifications_read.tenant_id and n.person_id = v_person and n.read_at is null
      and (notifications_read.ids is null or n.id = any (notifications_read.ids))
    order by n.id for update
  ), done as (
    update public.notifications n set read_at = now()
    from unread where n.tenant_id = notifications_read.tenant_id and n.id = unread.id
    returning n.id
  )
  select coalesce(array_agg(d.id), '{}') into v_read from done d;
  v_counter.tenant_id := notifications_read.tenant_id;
  v_counter.person_id := v_person;
  v_counter.unread := private.notifications_count(
    notifications_read.tenant_id, v_person, -cardinality(v_read)
  );
  if cardinality(v_read) > 0 then
    perform private.announce(
      v_person, 'notifications:read',
      jsonb_build_object(
        'tenant_id', v_counter.tenant_id, 'unread', v_counter.unread,
        'notification_ids', case when notifications_read.ids is not null then to_jsonb(v_read) end
      )
    );
  end if;
  return v_counter;
end;
$$;
comment on function public.notifications_read(uuid, uuid[]) is
  'Marks the caller''s notices of the tenant as read, all of them where no ids are named, and tells their other devices. Returns how many are unread now. Raises tenants.not_found, members.not_active.';
grant execute on function public.notifications_read(uuid, uuid[]) to authenticated;
