-- Device codes: signing in on what has no keyboard, by RFC 8628. A television or a station shows a
-- short code, a person approves it from a session of theirs, and the device gets a session of its
-- own, bound to the one tenant it asked for.

select private.declare_notification('device_codes.approved', security => true);

create table private.device_codes (
  tenant_id uuid not null references public.tenants (id) on delete cascade,
  id uuid not null default private.uuid_v7(),
  digest text not null check (digest ~ '^[0-9a-f]{64}$'),
  user_code text not null check (user_code ~ '^[BCDFGHJKLMNPQRSTVWXZ]{8}$'),
  client text not null check (char_length(client) between 1 and 80),
  status text not null default 'pending' check (status in ('pending', 'approved', 'denied', 'used')),
  person_id uuid references public.people (id) on delete cascade,
  verified boolean not null default false,
  place text,
  interval_seconds integer not null default 5,
  polled_at timestamptz,
  expires_at timestamptz not null default now() + interval '10 minutes',
  created_at timestamptz not null default now(),
  primary key (tenant_id, id),
  unique (tenant_id, user_code),
  check ((person_id is null) = (status = 'pending'))
);
comment on table private.device_codes is
  'Devices that wait for somebody to approve them, and for some minutes what became of it.';
comment on column private.device_codes.digest is 'SHA-256 of the device code, which the device alone has.';
comment on column private.device_codes.verified is
  'Whether the session that approved it had given a second factor: the device''s counts as it does.';
create index device_codes_digest on private.device_codes (digest);
create index device_codes_user_code on private.device_codes (user_code);
create index device_codes_person on private.device_codes (person_id);
create index device_codes_expires on private.device_codes (expires_at);

insert into private.transitions (machine, from_state, to_state)
values
  ('device_codes', 'pending', 'approved'), ('device_codes', 'pending', 'denied'),
  ('device_codes', 'approved', 'used');
create trigger device_codes_transition before update of status on private.device_codes
  for each row execute function private.enforce_transition();

insert into private.audit_actions (name, description)
values
  ('DEVICE_APPROVED', 'Somebody let a device sign in as them'),
  ('DEVICE_DENIED', 'Somebody refused a device that wanted to sign in');

create function private.device_codes_require_entry(tenant_id uuid, person uuid)
returns void
language sql
stable
security definer -- reads tenants past their policies
set search_path = ''
as $$
  select private.accounts_require_entry(t.slug, device_codes_require_entry.person)
  from public.tenants t where t.id = device_codes_require_entry.tenant_id;
$$;
comment on function private.device_codes_require_entry(uuid, uuid) is
  'Raises why the person''s device does not get into its tenant now: members.pending, members.suspended, members.banned, tenants.not_found. It keeps what it was let in by, for when they may again.';

-- The device's side
create function public.device_codes_begin(
  tenant text, client text, digest text, user_code text, place text default null
)
returns jsonb
language plpgsql
volatile
security definer -- nobody else writes device codes
set search_path = ''
as $$
#variable_conflict use_column
declare
  v_tenant public.tenants;
  v_code private.device_codes;
begin
  select * into v_tenant from public.tenants t
  where t.slug = device_codes_begin.tenant and t.id <> private.platform();
  if not found then
    raise sqlstate 'PT404' using message = 'tenants.not_found';
  end if;
  insert into private.device_codes (tenant_id, digest, user_code, client, place)
  values (
    v_tenant.id, device_codes_begin.digest, device_codes_begin.user_code, device_codes_begin.client,
    device_codes_begin.place
  )
  on conflict (tenant_id, user_code) do nothing
  returning * into v_code;
  return jsonb_build_object(
    'taken', v_code.id is null,
    'app_url', v_tenant.app_url,
    'expires_in', extract(epoch from v_code.expires_at - v_code.created_at)::integer,
    'interval', v_code.interval_seconds
  );
end;
$$;
comment on function public.device_codes_begin(text, text, text, text, text) is
  'For the function api: keeps the codes of a device that wants to sign in to the tenant with this slug. taken: another device has this user code, so try another. Raises tenants.not_found.';
grant execute on function public.device_codes_begin(text, text, text, text, text) to service_role;

create function public.device_codes_poll(digest text, client text)
returns jsonb
language plpgsql
volatile
security definer -- nobody else reads or writes device codes
set search_path = ''
as $$
#variable_conflict use_column
declare
  v_code private.device_codes;
  v_now timestamptz := clock_timestamp();
begin
  -- Whoever asks at the same moment waits here, and then finds the code used.
  select * into v_code from private.device_codes c
  where c.digest = device_codes_poll.digest and c.client = device_codes_poll.client
  for update;
  if not found or v_code.status = 'used' then
    return jsonb_build_object('error', 'invalid_grant');
  elsif v_code.expires_at <= v_now then
    return jsonb_build_object('error', 'expired_token');
  elsif v_code.status = 'denied' then
    return jsonb_build_object('error', 'access_denied');
  elsif v_code.polled_at > v_now - make_interval(secs => v_code.interval_seconds) then
    update private.device_codes c
    set interval_seconds = c.interval_seconds + 5, polled_at = v_now
    where c.tenant_id = v_code.tenant_id and c.id = v_code.id;
    return jsonb_build_object('error', 'slow_down');
  elsif v_code.status = 'approved' then
    perform private.device_codes_require_entry(v_code.tenant_id, v_code.person_id);
  end if;
  update private.device_codes c
  set polled_at = v_now, status = case c.status when 'approved' then 'used' else c.status end
  where c.tenant_id = v_code.tenant_id and c.id = v_code.id;
  if v_code.status = 'pending' then
    return jsonb_build_object('error', 'authorization_pending');
  end if;
  return jsonb_build_object(
    'device', v_code.id, 'person', v_code.person_id, 'tenant_id', v_code.tenant_id, 'verified', v_code.verified
  );
end;
$$;
comment on function public.device_codes_poll(text, text) is
  'For the function api: what a device that asks is told. { error } as RFC 8628 names it, or { device, person, tenant_id, verified } once, for whom to open a session. Raises members.suspended, members.banned, tenants.not_found where the person has stopped being an active member since.';
grant execute on function public.device_codes_poll(text, text) to service_role;

-- The person's side: what is typed is a guess until it is found, so the functions count the tries
-- before they ask here.
create function private.device_codes_waiting(person uuid, user_code text)
returns private.device_codes
language plpgsql
volatile
security definer -- nobody else reads device codes
set search_path = ''
as $$
#variable_conflict use_column
declare
  v_code private.device_codes;
begin
  select c.* into v_code
  from private.device_codes c
  join public.members m
    on m.tenant_id = c.tenant_id and m.person_id = device_codes_waiting.person and m.status = 'active'
  where c.user_code = device_codes_waiting.user_code and c.status = 'pending'
    and c.expires_at > clock_timestamp()
  order by c.id
  limit 1
  for update of c;
  if not found then
    raise sqlstate 'PT404' using message = 'device_codes.not_found';
  end if;
  return v_code;
end;
$$;
comment on function private.device_codes_waiting(uuid, text) is
  'The device that waits under this code in a tenant of the person, locked. Raises device_codes.not_found.';

create function public.device_codes_show(person uuid, user_code text)
returns jsonb
language plpgsql
volatile
security definer -- nobody else reads device codes
set search_path = ''
as $$
#variable_conflict use_column
declare
  v_code private.device_codes :=
    private.device_codes_waiting(device_codes_show.person, device_codes_show.user_code);
begin
  return (
    select jsonb_build_object(
      'client', v_code.client, 'place', v_code.place, 'expires_at', v_code.expires_at,
      'tenant', jsonb_build_object('id', t.id, 'slug', t.slug, 'name', t.name)
    )
    from public.tenants t where t.id = v_code.tenant_id
  );
end;
$$;
comment on function public.device_codes_show(uuid, text) is
  'For the function api: which device waits under this code, so that the person knows whom they let in. Raises device_codes.not_found.';
grant execute on function public.device_codes_show(uuid, text) to service_role;

create function public.device_codes_decide(person uuid, session uuid, user_code text, approve boolean)
returns jsonb
language plpgsql
volatile
security definer -- nobody else writes device codes
set search_path = ''
as $$
#variable_conflict use_column
declare
  v_code private.device_codes :=
    private.device_codes_waiting(device_codes_decide.person, device_codes_decide.user_code);
  v_verified boolean := exists (
    select from private.trust_sessions v
    where v.session_id = device_codes_decide.session and v.person_id = device_codes_decide.person
      and v.method <> 'device'
  );
begin
  -- Nobody lets a device in where their own session is not let in, nor by what is remembered.
  if approve and not v_verified and (
    exists (select from private.trust_factors f where f.person_id = device_codes_decide.person)
    or exists (
      select from public.members m
      join public.roles r on r.tenant_id = m.tenant_id and r.slug = m.role
      where m.tenant_id = v_code.tenant_id and m.person_id = device_codes_decide.person
        and r.two_factor_from <= now()
    )
  ) then
    raise sqlstate 'PT403' using message = 'two_factor.required';
  end if;
  update private.device_codes c
  set status = case when approve then 'approved' else 'denied' end,
    person_id = device_codes_decide.person, verified = v_verified
  where c.tenant_id = v_code.tenant_id and c.id = v_code.id;
  perform private.audit(
    case when approve then 'DEVICE_APPROVED' else 'DEVICE_DENIED' end, 'device_codes:' || v_code.id,
    null, jsonb_build_object('client', v_code.client), v_code.tenant_id, device_codes_decide.person
  );
  if approve then
    perform private.notify(
      device_codes_decide.person, 'device_codes.approved',
      jsonb_build_object('device', v_code.client, 'tenant', t.name), t.id
    ) from public.tenants t where t.id = v_code.tenant_id;
  end if;
  return jsonb_build_object('client', v_code.client, 'approved', approve);
end;
$$;
comment on function public.device_codes_decide(uuid, uuid, text, boolean) is
  'For the function api, whose caller''s session is trusted: lets the device that waits under this code sign in as the person, or refuses it. Raises device_codes.not_found, two_factor.required.';
grant execute on function public.device_codes_decide(uuid, uuid, text, boolean) to service_role;

create function private.device_codes_forget()
returns integer
language plpgsql
volatile
security invoker
set search_path = ''
as $$
#variable_conflict use_column
declare
  v_forgotten integer;
begin
  delete from private.device_codes c where c.expires_at < now() - interval '10 minutes';
  get diagnostics v_forgotten = row_count;
  return v_forgotten;
end;
$$;
comment on function private.device_codes_forget() is
  'Forgets device codes some minutes after they ran out: until then their devices are told so. Returns how many.';
select private.schedule('device_codes-forget', '*/10 * * * *', 'select private.device_codes_forget()');
