-- Notifications, refusals: what the reader of a mail to an address alone chose. Kept by the address's
-- digest, so that it holds nobody's data and also for the next mail that somebody has it sent.

create function private.notifications_address_digest(address text)
returns bytea
language sql
immutable
security invoker
set search_path = ''
as $$
  select sha256(convert_to(lower(btrim(address)), 'UTF8'));
$$;
comment on function private.notifications_address_digest(text) is 'What the lists of refusals and suppressions know an address by.';

create table private.notifications_refusals (
  tenant_id uuid not null references public.tenants (id) on delete cascade,
  digest bytea not null,
  kind text not null,
  created_at timestamptz not null default now(),
  primary key (tenant_id, digest, kind)
);
comment on table private.notifications_refusals is
  'What addresses that belong to no person here want no more of: a kind, in a tenant.';

create function private.notifications_address_refuses(tenant_id uuid, digest bytea, kind text)
returns boolean
language plpgsql
stable
security definer -- nobody else reads the list
set search_path = ''
as $$
#variable_conflict use_column
begin
  return exists (
    select from private.notifications_refusals r
    where r.tenant_id = notifications_address_refuses.tenant_id
      and r.digest = notifications_address_refuses.digest and r.kind = notifications_address_refuses.kind
  );
end;
$$;
comment on function private.notifications_address_refuses(uuid, bytea, text) is
  'Whether an address wants no more mail of the kind from the tenant.';

create function private.notifications_refused(
  event private.notifications_events, kind private.notifications_kinds
)
returns boolean
language plpgsql
stable
security definer -- nobody else reads the list
set search_path = ''
as $$
begin
  return event.address is not null and not kind.security and private.notifications_address_refuses(
    event.tenant_id, private.notifications_address_digest(event.address), event.kind
  );
end;
$$;
comment on function private.notifications_refused(private.notifications_events, private.notifications_kinds) is
  'Whether an event is for an address that switched its kind off.';

create function private.notifications_keep_refusal(
  tenant_id uuid, digest bytea, kind text, setting text
)
returns void
language plpgsql
volatile
security definer -- nobody else writes the list
set search_path = ''
as $$
#variable_conflict use_column
begin
  if setting is null or setting not in ('instant', 'off') or exists (
    select from private.notifications_kinds k where k.kind = notifications_keep_refusal.kind and k.security
  ) then
    raise sqlstate 'PT422' using message = 'request.invalid', detail = 'setting';
  end if;
  if setting = 'instant' then
    delete from private.notifications_refusals r
    where r.tenant_id = notifications_keep_refusal.tenant_id
      and r.digest = notifications_keep_refusal.digest and r.kind = notifications_keep_refusal.kind;
  else
    insert into private.notifications_refusals (tenant_id, digest, kind)
    values (
      notifications_keep_refusal.tenant_id, notifications_keep_refusal.digest,
      notifications_keep_refusal.kind
    )
    on conflict (tenant_id, digest, kind) do nothing;
  end if;
  perform private.audit(
    'NOTIFICATION_SETTING_CHANGED', 'notifications_refusals', null,
    jsonb_build_object('kind', notifications_keep_refusal.kind, 'setting', setting),
    notifications_keep_refusal.tenant_id
  );
end;
$$;
comment on function private.notifications_keep_refusal(uuid, bytea, text, text) is
  'Keeps what the reader of a mail to an address chose: at once, or not at all. Raises request.invalid.';
