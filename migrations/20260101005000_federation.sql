-- Federation: the communities elsewhere that a tenant's members trade with, and the clock that keeps both
-- sides in step. Partners come in with the protocol; until then there is nobody to ask.

create table private.federation_partners (
  tenant_id uuid not null references public.tenants (id) on delete restrict,
  id uuid not null default private.uuid_v7(),
  address text not null check (address ~ '^https://[a-z0-9.-]+(:\d+)?(/|$)' and char_length(address) <= 300),
  status text not null default 'proposed' check (status in ('proposed', 'active', 'paused', 'ended')),
  synced_at timestamptz,
  created_at timestamptz not null default now(),
  updated_at timestamptz not null default now(),
  primary key (tenant_id, id),
  unique (tenant_id, address)
);
comment on table private.federation_partners is 'Communities elsewhere that a tenant federates with.';
comment on column private.federation_partners.synced_at is 'When both sides were last in step.';
create index federation_partners_due on private.federation_partners (synced_at nulls first) where status = 'active';
create trigger federation_partners_touch before update on private.federation_partners
  for each row execute function private.touch();

create function private.federation_sync()
returns integer
language plpgsql
volatile
security invoker
set search_path = ''
as $$
#variable_conflict use_column
declare
  v_partner record;
  v_enqueued integer := 0;
begin
  for v_partner in
    select p.tenant_id, p.id from private.federation_partners p
    join public.tenants t on t.id = p.tenant_id and 'federation' = any (t.modules)
    where p.status = 'active'
    order by p.synced_at nulls first
    limit 1000
  loop
    if private.enqueue(
      'federation.sync', jsonb_build_object('partner_id', v_partner.id), tenant_id => v_partner.tenant_id,
      aggregate => v_partner.id::text, dedupe_key => 'federation.sync:' || v_partner.id
    ) is not null then
      v_enqueued := v_enqueued + 1;
    end if;
  end loop;
  return v_enqueued;
end;
$$;
comment on function private.federation_sync() is
  'Enqueues a federation.sync for each active partner of tenants with the module, the one longest out of step first; one that is still waiting is not enqueued anew. Returns how many.';

select private.schedule('federation-sync', '*/30 * * * *', 'select private.federation_sync()');
