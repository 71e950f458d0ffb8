-- API keys, watch: when and from where they are used, and the notice to their owner when that is unlike
-- what it was. A key that was copied shows first by where it is used.

create table private.api_keys_networks (
  tenant_id uuid not null,
  id uuid not null,
  network cidr not null,
  seen_at timestamptz not null default now(),
  primary key (tenant_id, id, network),
  foreign key (tenant_id, id) references public.api_keys (tenant_id, id) on delete cascade
);
comment on table private.api_keys_networks is
  'Networks that a key was used from within 90 days: a /24 of IPv4 addresses, a /48 of IPv6.';

create function private.api_keys_meet(tenant_id uuid, api_key uuid, address inet)
returns boolean
language plpgsql
volatile
security definer -- nobody else writes networks
set search_path = ''
as $$
#variable_conflict use_column
declare
  v_network cidr := network(set_masklen(address, case family(address) when 4 then 24 else 48 end));
  v_known boolean;
begin
  delete from private.api_keys_networks n
  where n.tenant_id = api_keys_meet.tenant_id and n.id = api_keys_meet.api_key
    and n.seen_at < now() - interval '90 days';
  v_known := exists (
    select from private.api_keys_networks n
    where n.tenant_id = api_keys_meet.tenant_id and n.id = api_keys_meet.api_key
  );
  update private.api_keys_networks n set seen_at = now()
  where n.tenant_id = api_keys_meet.tenant_id and n.id = api_keys_meet.api_key and n.network = v_network;
  if found or v_network is null then
    return false;
  end if;
  insert into private.api_keys_networks (tenant_id, id, network)
  values (api_keys_meet.tenant_id, api_keys_meet.api_key, v_network);
  return v_known;
end;
$$;
comment on function private.api_keys_meet(uuid, uuid, inet) is
  'Remembers from where a key is used. True where that is another network than before; its first is not.';

create function public.api_keys_used(tenant_id uuid, api_key uuid)
returns boolean
language plpgsql
volatile
security definer -- nobody else writes keys
set search_path = ''
as $$
#variable_conflict use_column
declare
  v_key public.api_keys;
  v_kind text;
begin
  -- Whoever uses it at the same moment waits: a network is new once.
  select * into v_key from public.api_keys k
  where k.tenant_id = api_keys_used.tenant_id and k.id = api_keys_used.api_key
    and k.revoked_at is null
  for no key update;
  if not found then
    return false;
  end if;
  v_kind := case
    when private.api_keys_meet(v_key.tenant_id, v_key.id, private.client_address())
      then 'api_keys.new_network'
  end;
  if coalesce(v_key.last_used_at, v_key.created_at) < now() - interval '30 days' then
    v_kind := 'api_keys.returned';
  end if;
  update public.api_keys k set last_used_at = now()
  where k.tenant_id = v_key.tenant_id and k.id = v_key.id;
  if v_kind is null then
    return true;
  end if;
  update private.api_keys_secrets s set told_at = now()
  where s.tenant_id = v_key.tenant_id and s.id = v_key.id
    and (s.told_at is null or s.told_at < now() - interval '1 day');
  if found then
    perform private.notify(
      v_key.person_id, v_kind,
      jsonb_build_object(
        'name', v_key.name, 'tenant', t.name, 'address', coalesce(host(private.client_address()), '?'),
        'time', to_char(now() at time zone 'UTC', 'YYYY-MM-DD HH24:MI "UTC"')
      ),
      t.id
    ) from public.tenants t where t.id = v_key.tenant_id;
  end if;
  return true;
end;
$$;
comment on function public.api_keys_used(uuid, uuid) is
  'For the functions, once a minute for a key and an address: notes the use, and tells the owner, once a day at most, of one from another network than before, or after 30 days without any. False where the key was revoked meanwhile.';
grant execute on function public.api_keys_used(uuid, uuid) to service_role;
