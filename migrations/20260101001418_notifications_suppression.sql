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
language plpgsql
volatile
security definer -- nobody else writes the brakes
set search_path = ''
as $$
#variable_conflict use_column
begin
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
  -- What goes to many goes on only once somebody looked at whom it goes to.
  if found then
    perform private.notify_bulk_stop(e.tenant_id, e.document_id, 'bounces')
    from private.notifications_events e
    where e.tenant_id = delivery.tenant_id and e.id = delivery.event_id and e.document_id is not null;
  end if;
end;
$$;
comment on function private.notifications_brake(private.notifications_deliveries) is
  'After a bounce: where bounces come in a burst, holds mail of its kind for an hour, and the document it came from until it is resumed.';
create index notifications_deliveries_recent
  on private.notifications_deliveries (tenant_id, kind, settled_at) where channel = 'email';

create function private.notifications_note(
  provider text, provider_ids text[], event text, addresses text[], permanent boolean
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
  if notifications_note.event in ('bounced', 'complained') and notifications_note.permanent then
    insert into private.notifications_suppressions (digest, reason)
    select distinct private.notifications_address_digest(a.address), notifications_note.event
    from unnest(notifications_note.addresses) a (address)
    on conflict (digest) do update set reason = excluded.reason where excluded.reason = 'bounced';
  end if;
  -- Events may come in any order, and a bounce says more than the delivery before it.
  update private.notifications_deliveries d
  set status = notifications_note.event
  where d.provider = notifications_note.provider
    and d.provider_id = any (notifications_note.provider_ids) and d.status <> notifications_note.event
    and exists (
      select from private.transitions t
      where t.machine = 'notifications_deliveries' and t.from_state = d.status
        and t.to_state = notifications_note.event
    )
  returning d.* into v_delivery;
  if found and notifications_note.event in ('bounced', 'complained') then
    perform private.notifications_brake(v_delivery);
  end if;
  return v_delivery.event_id is not null;
end;
$$;
comment on function private.notifications_note(text, text[], text, text[], boolean) is
  'Notes what a provider says of one mail. True where the mail was one of ours, and this is new.';

create function public.notifications_mail_events(call_id text, provider text, events jsonb)
returns integer
language plpgsql
volatile
security definer -- nobody else writes deliveries
set search_path = ''
as $$
#variable_conflict use_column
declare
  v_event jsonb;
  v_noted integer := 0;
begin
  if not private.notifications_take_call(
    notifications_mail_events.provider || ':' || notifications_mail_events.call_id
  ) then
    raise sqlstate 'PT401' using message = 'webhooks.signature_refused';
  end if;
  for v_event in select jsonb_array_elements(notifications_mail_events.events) loop
    v_noted := v_noted + private.notifications_note(
      notifications_mail_events.provider,
      array(select jsonb_array_elements_text(v_event -> 'provider_ids')),
      v_event ->> 'event',
      array(select jsonb_array_elements_text(v_event -> 'addresses')),
      (v_event ->> 'permanent')::boolean
    )::integer;
  end loop;
  return v_noted;
end;
$$;
comment on function public.notifications_mail_events(text, text, jsonb) is
  'For the function webhooks: what a provider says of mails later, [{ provider_ids, event, addresses, permanent }], event being delivered, bounced or complained. A permanent bounce ends mail to the address, a complaint all but security mail. Returns how many of the mails were ours. Raises webhooks.signature_refused for a call that was taken before.';
grant execute on function public.notifications_mail_events(text, text, jsonb) to service_role;

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
