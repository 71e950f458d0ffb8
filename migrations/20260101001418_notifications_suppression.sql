-- Notifications, suppression: addresses that take no mail, or whose readers complained. What is kept
-- is the address's digest, so that the list holds nobody's data and outlives an erasure.

create table private.notifications_suppressions (
  digest bytea primary key,
  reason text not null check (reason in ('bounced', 'complained')),
  created_at timestamptz not null default now()
);
comment on table private.notifications_suppressions is
  'Addresses that bounced for good or whose readers complained, as SHA-256 of their lower-case form.';

create table private.notifications_brakes (
  tenant_id uuid not null references public.tenants (id) on delete cascade,
  kind text not null,
  until timestamptz not null,
  primary key (tenant_id, kind)
);
comment on table private.notifications_brakes is
  'Kinds of mail of a tenant that too many receivers bounced: held until a look at them was possible, before the provider closes the account.';

create function private.notifications_address_digest(address text)
returns bytea
language sql
immutable
security invoker
set search_path = ''
as $$
  select sha256(convert_to(lower(btrim(address)), 'UTF8'));
$$;
comment on function private.notifications_address_digest(text) is 'What the list of suppressions knows an address by.';

create function private.notifications_is_suppressed(address text, kind text)
returns boolean
language plpgsql
stable
security definer -- nobody else reads the list
set search_path = ''
as $$
begin
  return exists (
    select from private.notifications_suppressions s
    where s.digest = private.notifications_address_digest(notifications_is_suppressed.address)
      -- Whoever called a newsletter spam still wants to reset their password.
      and (s.reason = 'bounced' or not exists (
        select from private.notifications_kinds k
        where k.kind = notifications_is_suppressed.kind and k.security
      ))
  );
end;
$$;
comment on function private.notifications_is_suppressed(text, text) is
  'Whether the address gets no mail of this kind: none after a permanent bounce, after a complaint security mail alone.';

create function private.notifications_braked_until(event private.notifications_events)
returns timestamptz
language plpgsql
stable
security definer -- nobody else reads the brakes
set search_path = ''
as $$
begin
  return (
    select b.until from private.notifications_brakes b
    where b.tenant_id = event.tenant_id and b.kind = event.kind and b.until > now()
  );
end;
$$;
comment on function private.notifications_braked_until(private.notifications_events) is
  'Until when mail of this kind is held in the tenant; null when it is not.';

create function private.notifications_brake(delivery private.notifications_deliveries)
returns void
language sql
volatile
security definer -- nobody else writes the brakes
set search_path = ''
as $$
  -- From the tenth bounce within an hour on, where one in twenty or more of the kind bounced.
  insert into private.notifications_brakes (tenant_id, kind, until)
  select d.tenant_id, d.kind, now() + interval '1 hour'
  from private.notifications_deliveries d
  where d.tenant_id = delivery.tenant_id and d.kind = delivery.kind and d.channel = 'email'
    and d.settled_at > now() - interval '1 hour'
    and d.status in ('sent', 'delivered', 'bounced', 'complained')
  group by d.tenant_id, d.kind
  having count(*) filter (where d.status in ('bounced', 'complained')) >= 10
    and count(*) filter (where d.status in ('bounced', 'complained')) * 20 >= count(*)
  on conflict (tenant_id, kind) do update set until = excluded.until;
$$;
comment on function private.notifications_brake(private.notifications_deliveries) is
  'After a bounce: holds mail of its kind for an hour where bounces come in a burst.';
create index notifications_deliveries_recent
  on private.notifications_deliveries (tenant_id, kind, settled_at) where channel = 'email';

create function public.notifications_mail_event(
  call_id text, provider text, provider_id text, event text, addresses text[], permanent boolean
)
returns boolean
language plpgsql
volatile
security definer -- nobody else writes deliveries
set search_path = ''
as $$
#variable_conflict use_column
declare
  v_delivery private.notifications_deliveries;
begin
  if not private.notifications_take_call(
    notifications_mail_event.provider || ':' || notifications_mail_event.call_id
  ) then
    raise sqlstate 'PT401' using message = 'webhooks.signature_refused';
  end if;
  if notifications_mail_event.event in ('bounced', 'complained') and notifications_mail_event.permanent then
    insert into private.notifications_suppressions (digest, reason)
    select distinct private.notifications_address_digest(a.address), notifications_mail_event.event
    from unnest(notifications_mail_event.addresses) a (address)
    on conflict (digest) do update set reason = excluded.reason where excluded.reason = 'bounced';
  end if;
  -- Events may come in any order, and a bounce says more than the delivery before it.
  update private.notifications_deliveries d
  set status = notifications_mail_event.event
  where d.provider = notifications_mail_event.provider
    and d.provider_id = notifications_mail_event.provider_id and d.status <> notifications_mail_event.event
    and exists (
      select from private.transitions t
      where t.machine = 'notifications_deliveries' and t.from_state = d.status
        and t.to_state = notifications_mail_event.event
    )
  returning d.* into v_delivery;
  if found and notifications_mail_event.event in ('bounced', 'complained') then
    perform private.notifications_brake(v_delivery);
  end if;
  return v_delivery.event_id is not null;
end;
$$;
comment on function public.notifications_mail_event(text, text, text, text, text[], boolean) is
  'For the function webhooks: what a provider says of a mail later: delivered, bounced, complained. A permanent bounce ends mail to the address, a complaint all but security mail. True where the mail was one of ours. Raises webhooks.signature_refused for a call that was taken before.';
grant execute on function public.notifications_mail_event(text, text, text, text, text[], boolean) to service_role;

create function public.notifications_release_address(address text)
returns boolean
language plpgsql
volatile
security definer -- nobody else writes the list
set search_path = ''
as $$
#variable_conflict use_column
begin
  delete from private.notifications_suppressions s
  where s.digest = private.notifications_address_digest(notifications_release_address.address);
  if found then
    perform private.audit('NOTIFICATION_ADDRESS_RELEASED', 'notifications_suppressions');
  end if;
  return found;
end;
$$;
comment on function public.notifications_release_address(text) is
  'For operators: an address that was suppressed gets mail again. True where it was.';
grant execute on function public.notifications_release_address(text) to service_role;
