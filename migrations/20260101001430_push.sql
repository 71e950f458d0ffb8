-- Push: the browsers and devices that a person wants to be woken on. Web push by subscription
-- (RFC 8030), apps by their FCM token.

create table private.push_targets (
  id uuid primary key default private.uuid_v7(),
  person_id uuid not null references public.people (id) on delete cascade,
  kind text not null check (kind in ('web', 'fcm')),
  address text not null check (char_length(address) between 16 and 4096),
  address_digest bytea not null unique,
  p256dh text check (p256dh ~ '^[A-Za-z0-9_-]{87}=?$'),
  auth text check (auth ~ '^[A-Za-z0-9_-]{22}(==)?$'),
  label text check (char_length(label) <= 120),
  created_at timestamptz not null default now(),
  seen_at timestamptz not null default now(),
  check ((kind = 'web') = (p256dh is not null and auth is not null)),
  check (kind <> 'web' or address ~ '^https://[^/\s@]+/\S*$')
);
comment on table private.push_targets is
  'Where push goes. An address belongs to whoever registered it last: a device has one person in front of it.';
comment on column private.push_targets.address is 'The endpoint of a subscription, or the FCM token of an app.';
comment on column private.push_targets.address_digest is 'Addresses are too long for an index.';
comment on column private.push_targets.seen_at is 'When the device last said that it is there.';
create index push_targets_person on private.push_targets (person_id);
create index push_targets_seen on private.push_targets (seen_at);

create table private.push_sends (
  tenant_id uuid not null,
  event_id uuid not null,
  target_id uuid not null,
  sent_at timestamptz not null default clock_timestamp(),
  primary key (tenant_id, event_id, target_id),
  foreign key (tenant_id, event_id)
    references private.notifications_events (tenant_id, id) on delete cascade
);
comment on table private.push_sends is
  'Which device was told of what, so that a job that comes again passes over it.';

create function private.push_digest(address text)
returns bytea
language sql
immutable
security invoker
set search_path = ''
as $$
  select sha256(convert_to(coalesce(address, ''), 'UTF8'));
$$;
comment on function private.push_digest(text) is 'What an address is found by.';

create function private.push_reaches(person uuid)
returns boolean
language plpgsql
stable
security definer -- reads targets, which nobody else may
set search_path = ''
as $$
begin
  return exists (select from private.push_targets t where t.person_id = push_reaches.person);
end;
$$;
comment on function private.push_reaches(uuid) is 'Whether the person has any device to push to.';

create function private.push_register(target private.push_targets)
returns uuid
language plpgsql
volatile
security definer -- nobody else writes targets
set search_path = ''
as $$
#variable_conflict use_column
declare
  v_id uuid;
begin
  -- Counted first: a list that grows without end would have every notice sent to all of it.
  delete from private.push_targets t
  where t.person_id = target.person_id and t.id in (
    select old.id from private.push_targets old
    where old.person_id = target.person_id and old.address <> target.address
    order by old.seen_at desc offset 19
  );
  insert into private.push_targets as t (person_id, kind, address, address_digest, p256dh, auth, label)
  values (
    target.person_id, target.kind, target.address, private.push_digest(target.address),
    target.p256dh, target.auth, target.label
  )
  on conflict (address_digest) do update
  set person_id = excluded.person_id, kind = excluded.kind, p256dh = excluded.p256dh,
    auth = excluded.auth, label = excluded.label, seen_at = now()
  returning t.id into v_id;
  return v_id;
exception when check_violation then
  raise sqlstate 'PT422' using message = 'request.invalid', detail = 'subscription';
end;
$$;
comment on function private.push_register(private.push_targets) is
  'Keeps a device, at most twenty a person: the one that was silent longest makes room. Raises request.invalid.';

create function public.push_subscribe(endpoint text, p256dh text, auth text, label text default null)
returns uuid
language plpgsql
volatile
security definer -- nobody else writes targets
set search_path = ''
as $$
declare
  v_target private.push_targets;
begin
  v_target.person_id := private.require_person();
  if endpoint is null or p256dh is null or auth is null then
    raise sqlstate 'PT422' using message = 'request.invalid', detail = 'subscription';
  end if;
  v_target.kind := 'web';
  v_target.address := endpoint;
  v_target.p256dh := p256dh;
  v_target.auth := auth;
  v_target.label := label;
  return private.push_register(v_target);
end;
$$;
comment on function public.push_subscribe(text, text, text, text) is
  'Has a browser told of what concerns the caller: its PushSubscription. Again with the same endpoint: says that it is still there. Raises request.invalid.';
grant execute on function public.push_subscribe(text, text, text, text) to authenticated;

create function public.push_add_device(token text, label text default null)
returns uuid
language plpgsql
volatile
security definer -- nobody else writes targets
set search_path = ''
as $$
declare
  v_target private.push_targets;
begin
  v_target.person_id := private.require_person();
  if coalesce(char_length(token), 0) not between 16 and 4096 or token !~ '^[A-Za-z0-9_:.-]+$' then
    raise sqlstate 'PT422' using message = 'request.invalid', detail = 'token';
  end if;
  v_target.kind := 'fcm';
  v_target.address := token;
  v_target.label := label;
  return private.push_register(v_target);
end;
$$;
comment on function public.push_add_device(text, text) is
  'Has an app told of what concerns the caller, by its FCM token. Raises request.invalid.';
grant execute on function public.push_add_device(text, text) to authenticated;

create function public.push_remove(address text)
returns boolean
language plpgsql
volatile
security definer -- nobody else writes targets
set search_path = ''
as $$
#variable_conflict use_column
declare
  v_person uuid := private.require_person();
begin
  delete from private.push_targets t
  where t.person_id = v_person and t.address_digest = private.push_digest(push_remove.address);
  return found;
end;
$$;
comment on function public.push_remove(text) is
  'Has a browser (by its endpoint) or an app (by its token) of the caller told of nothing any more. True where it was known as theirs.';
grant execute on function public.push_remove(text) to authenticated;
