-- Limits, feature switches: what a tenant has on or off below the level of a module. A capability
-- declares a switch with its default; a tenant's own choice stands in tenants.settings -> 'features'.

create table private.features (
  name text primary key check (name ~ '^[a-z_]+\.[a-z_]+$'),
  enabled boolean not null,
  description text not null
);
comment on table private.features is 'Feature switches, as <capability>.<what>, and whether they are on where a tenant says nothing.';

create function private.declare_feature(name text, enabled boolean, description text)
returns void
language sql
volatile
security invoker
set search_path = ''
as $$
  insert into private.features (name, enabled, description)
  values (declare_feature.name, declare_feature.enabled, declare_feature.description);
$$;
comment on function private.declare_feature(text, boolean, text) is 'For migrations: adds a feature switch.';

create function private.feature(tenant_id uuid, name text)
returns boolean
language sql
stable
security definer -- reads tenants past their policies
set search_path = ''
as $$
  select coalesce((t.settings -> 'features' ->> f.name)::boolean, f.enabled)
  from private.features f
  join public.tenants t on t.id = feature.tenant_id
  where f.name = feature.name;
$$;
comment on function private.feature(uuid, text) is
  'Whether the feature is on in the tenant: its own choice, else the default; null for what does not exist.';

create function private.limits_check_features()
returns trigger
language plpgsql
volatile
security definer -- reads the list of switches whatever the writer may see
set search_path = ''
as $$
declare
  v_wrong text;
begin
  if jsonb_typeof(new.settings -> 'features') <> 'object' then
    raise sqlstate 'PT422' using message = 'request.invalid', detail = 'settings.features: not an object';
  end if;
  select s.key into v_wrong
  from jsonb_each(new.settings -> 'features') s
  where jsonb_typeof(s.value) <> 'boolean'
    or not exists (select from private.features f where f.name = s.key)
  limit 1;
  if found then
    raise sqlstate 'PT422' using
      message = 'limits.feature_unknown', detail = format('settings.features: %s', v_wrong);
  end if;
  return new;
end;
$$;
comment on function private.limits_check_features() is
  'Before insert or update on tenants: every switch exists and is true or false.';

create trigger limits_check_features before insert or update of settings on public.tenants
  for each row when (new.settings ? 'features')
  execute function private.limits_check_features();
