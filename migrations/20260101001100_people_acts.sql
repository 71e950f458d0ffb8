-- People, acts: a person reads and changes their own row, and asks what their session opens.

create function private.people_membership(member public.members)
returns jsonb
language sql
stable
security definer -- reads roles past their policies
set search_path = ''
as $$
  select jsonb_build_object(
    'id', t.id,
    'slug', t.slug,
    'name', t.name,
    'role', member.role,
    'status', member.status,
    'waiting_for', member.waiting_for,
    'two_factor_from', r.two_factor_from,
    'modules', case when opens.it then to_jsonb(t.modules) else '[]' end,
    'permissions', coalesce(
      (
        select jsonb_agg(p.name order by p.name)
        from public.role_permissions rp
        join public.permissions p on p.name = rp.permission
        join public.modules module on module.slug = p.module
        where rp.tenant_id = t.id and rp.role = member.role and opens.it
          and (not module.switchable or module.slug = any (t.modules))
          and coalesce(p.name = any (trust.permissions), true)
      ),
      '[]'
    )
  )
  from private.trust() trust
  join public.tenants t on t.id = member.tenant_id
  join public.roles r on r.tenant_id = t.id and r.slug = member.role
  cross join lateral (
    select member.status = 'active' and (coalesce(r.two_factor_from > now(), true) or trust.verified)
  ) opens(it);
$$;
comment on function private.people_membership(public.members) is
  'One entry of tenants in GET /users/me: a membership that is not active, or whose role asks for a factor that is missing, opens nothing. Permissions are those that the session permits.';

create function private.people_providers(person uuid)
returns jsonb
language plpgsql -- apple comes in a later chapter
stable
security definer -- auth.identities is closed to clients
set search_path = ''
as $$
begin
  return (
    select coalesce(jsonb_agg(distinct known.provider), '[]')
    from (
      select i.provider from auth.identities i where i.user_id = people_providers.person
      union all
      select 'apple' from private.apple_identities a where a.person_id = people_providers.person
    ) known
  );
end;
$$;
comment on function private.people_providers(uuid) is 'By which providers a person signs in.';

create function private.people_document(person uuid)
returns jsonb
language sql
stable
security definer -- joins auth.users, closed to clients
set search_path = ''
as $$
  select jsonb_build_object(
    'id', p.id,
    'email', case when not trust.bounded then u.email end,
    'email_verified', u.email_confirmed_at is not null,
    'display_name', p.display_name,
    'avatar_url', p.avatar_url,
    'locale', p.locale,
    'time_zone', p.time_zone,
    'preferences', case when trust.bounded then '{}' else p.preferences end,
    'two_factor_required', false,
    'impersonation', (
      select jsonb_build_object(
        'by', a.actor_id, 'name', m.display_name, 'read_only', a.read_only, 'expires_at', a.expires_at
      )
      from private.trust_apart a
      join public.members m on m.tenant_id = a.only_tenant and m.person_id = a.actor_id
      where a.session_id = trust.session_id
    ),
    'deletion_due_at', case when not trust.bounded then p.deletion_due_at end,
    'providers', case when trust.bounded then '[]' else private.people_providers(p.id) end,
    'tenants', coalesce(
      (
        select jsonb_agg(private.people_membership(m) order by t.slug)
        from public.members m
        join public.tenants t on t.id = m.tenant_id
        where m.person_id = p.id and m.status <> 'left'
          and coalesce(m.tenant_id = trust.only_tenant, true)
      ),
      '[]'
    )
  )
  from private.trust() trust
  cross join public.people p
  join auth.users u on u.id = p.id
  where p.id = people_document.person;
$$;
comment on function private.people_document(uuid) is
  'The body of GET /users/me: the tenants that the session opens, and what is personal where it has no bounds.';

create function private.people_reduced(person uuid)
returns jsonb
language sql
stable
security definer -- reads people past their policies
set search_path = ''
as $$
  select jsonb_build_object(
    'id', p.id,
    'email', null,
    'email_verified', false,
    'display_name', p.display_name,
    'avatar_url', p.avatar_url,
    'locale', p.locale,
    'time_zone', null,
    'preferences', '{}'::jsonb,
    'two_factor_required', true,
    'impersonation', null,
    'deletion_due_at', null,
    'providers', '[]'::jsonb,
    'tenants', '[]'::jsonb
  )
  from public.people p
  where p.id = people_reduced.person;
$$;
comment on function private.people_reduced(uuid) is
  'The body of GET /users/me before the second factor: enough to greet by, and no more than a login tells.';

create function public.people_me()
returns jsonb
language sql
stable
security definer -- reads the caller's login
set search_path = ''
as $$
  select case
    when private.person() is null then private.people_reduced(private.unverified_person())
    else private.people_document(private.person())
  end;
$$;
comment on function public.people_me() is
  'The caller: id, email, email_verified, display_name, avatar_url, locale, time_zone, preferences, two_factor_required, impersonation, deletion_due_at, providers, tenants with role, status, modules and permissions. Before the second factor without what is personal. Raises auth.required, auth.session_ended.';
grant execute on function public.people_me() to authenticated;

create function public.people_update_me(changes jsonb)
returns jsonb
language plpgsql
volatile
security definer -- nobody else writes people
set search_path = ''
as $$
#variable_conflict use_column
declare
  v_person uuid := private.require_person();
  v_before public.people;
  v_fault text;
begin
  v_fault := private.people_fault(changes);
  if v_fault is not null then
    raise sqlstate 'PT422' using message = 'request.invalid', detail = v_fault;
  end if;

  select * into v_before from public.people p where p.id = v_person for update;
  update public.people p
  set display_name = coalesce(btrim(changes ->> 'display_name'), p.display_name),
    locale = case when changes ? 'locale' then changes ->> 'locale' else p.locale end,
    time_zone = case when changes ? 'time_zone' then changes ->> 'time_zone' else p.time_zone end,
    preferences = coalesce(changes -> 'preferences', p.preferences)
  where p.id = v_person;
  perform private.audit(
    'USER_UPDATED', 'people:' || v_person,
    to_jsonb(v_before) - 'preferences', changes - 'preferences'
  );
  return private.people_document(v_person);
end;
$$;
comment on function public.people_update_me(jsonb) is
  'Changes display_name, locale, time_zone and preferences of the caller; null resets locale and time_zone to the tenant''s. Any other key, or a bad value, raises request.invalid with the field as detail.';
grant execute on function public.people_update_me(jsonb) to authenticated;

create function private.people_preferences_fault(preferences jsonb)
returns text
language sql
immutable
security invoker
set search_path = ''
as $$
  select case
    when jsonb_typeof(preferences) is distinct from 'object' then 'preferences: an object is wanted'
    when octet_length(preferences::text) > 8192 then 'preferences: at most 8 kB'
    else (
      select 'preferences.' || key
      from jsonb_each(preferences) given(key, value)
      where not coalesce(
        case key
          when 'theme' then value in ('"system"', '"light"', '"dark"')
          when 'contrast' then value in ('"normal"', '"high"')
          when 'text_scale' then
            case jsonb_typeof(value) when 'number' then value::numeric between 0.5 and 3 end
          when 'reduced_motion' then jsonb_typeof(value) = 'boolean'
          when 'clock' then value in ('"12h"', '"24h"')
          when 'week_start' then value in ('"monday"', '"saturday"', '"sunday"')
          -- An app's own settings, by its name: nobody else reads them.
          when 'apps' then jsonb_typeof(value) = 'object'
        end,
        false
      )
      order by key
      limit 1
    )
  end;
$$;
comment on function private.people_preferences_fault(jsonb) is
  'The first preference that is unknown or has a bad value; null when all are good: theme, contrast, text_scale, reduced_motion, clock, week_start, and under apps what apps keep for themselves.';

create function private.people_fault(changes jsonb)
returns text
language sql
stable
security invoker
set search_path = ''
as $$
  select case
    when jsonb_typeof(changes) is distinct from 'object' then 'changes: an object is wanted'
    else (
      select key
      from jsonb_each(changes) given(key, value)
      where not coalesce(
        case key
          when 'display_name' then
            jsonb_typeof(value) = 'string' and char_length(btrim(value #>> '{}')) between 1 and 80
          when 'locale' then
            jsonb_typeof(value) = 'null' or private.is_locale(value #>> '{}')
          when 'time_zone' then jsonb_typeof(value) in ('null', 'string')
          when 'preferences' then private.people_preferences_fault(value) is null
        end,
        false
      )
      order by key
      limit 1
    )
  end;
$$;
comment on function private.people_fault(jsonb) is
  'The first key of the changes that is unknown or has a bad value; null when all are good.';

create function public.people_session(tenant text default null, needs_tenant boolean default false)
returns jsonb
language plpgsql
stable
security definer -- reads members past their policies
set search_path = ''
as $$
#variable_conflict use_column
declare
  v_trust private.trust := private.require_session();
  v_tenants uuid[];
  v_tenant uuid;
begin
  if people_session.tenant is not null then
    select t.id into v_tenant from public.tenants t where t.slug = people_session.tenant;
    perform private.require_member(v_tenant, whoever => true);
  elsif needs_tenant then
    select array_agg(m.tenant_id) into v_tenants
    from public.members m
    where m.person_id = v_trust.person_id and m.status = 'active'
      and coalesce(m.tenant_id = v_trust.only_tenant, true);
    if cardinality(v_tenants) > 1 then
      raise sqlstate 'PT400' using message = 'tenants.ambiguous';
    elsif v_tenants is null then
      raise sqlstate 'PT404' using message = 'tenants.not_found';
    end if;
    v_tenant := v_tenants[1];
    perform private.require_member(v_tenant, whoever => true);
  end if;
  return jsonb_build_object(
    'person_id', v_trust.person_id,
    'session_id', v_trust.session_id,
    'tenant_id', v_tenant,
    'role', (
      select m.role from public.members m
      where m.tenant_id = v_tenant and m.person_id = v_trust.person_id
    )
  );
end;
$$;
comment on function public.people_session(text, boolean) is
  'Whether the caller''s session is trusted now, and for which tenant: { person_id, session_id, tenant_id, role }. Raises auth.required, auth.session_ended, auth.read_only, two_factor.required, tenants.not_found, members.not_active, tenants.ambiguous.';
grant execute on function public.people_session(text, boolean) to authenticated;
