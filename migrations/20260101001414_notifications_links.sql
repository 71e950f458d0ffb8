-- Notifications, links: every mail leads to the one setting it came by, without a login. The link is
-- signed, opens that setting and nothing else, and works for as long as somebody may find the mail.

do $$
begin
  if not exists (select from vault.secrets where name = 'notifications_key') then
    perform vault.create_secret(
      encode(extensions.gen_random_bytes(32), 'hex'), 'notifications_key',
      'HMAC key of the links in mails'
    );
  end if;
end;
$$;

create function private.notifications_mac(content text)
returns text
language plpgsql -- a function in sql is planned anew at each call
stable
security definer -- the vault is closed to everybody else
set search_path = ''
as $$
declare
  v_key text;
begin
  select s.decrypted_secret into v_key from vault.decrypted_secrets s where s.name = 'notifications_key';
  return translate(
    encode(extensions.hmac(convert_to(content, 'UTF8'), decode(v_key, 'hex'), 'sha256'), 'base64'),
    E'+/=\n', '-_'
  );
end;
$$;
comment on function private.notifications_mac(text) is 'HMAC-SHA-256 of a link''s content, as base64url.';

create function private.notifications_link(
  tenant_id uuid, person uuid, kind text, channel text, scope text, address bytea default null
)
returns text
language plpgsql
stable
security definer -- reads the vault
set search_path = ''
as $$
declare
  v_content text := translate(
    encode(
      convert_to(
        jsonb_build_array(
          notifications_link.tenant_id, notifications_link.person, notifications_link.kind,
          notifications_link.channel, notifications_link.scope, encode(notifications_link.address, 'hex')
        )::text,
        'UTF8'
      ),
      'base64'
    ),
    E'+/=\n', '-_'
  );
begin
  return v_content || '.' || private.notifications_mac(v_content);
end;
$$;
comment on function private.notifications_link(uuid, uuid, text, text, text, bytea) is
  'What a mail carries so that its reader gets to the setting it came by: a person''s, or that of an address by its digest.';

create function private.notifications_mail_link(event private.notifications_events)
returns text
language plpgsql
stable
security definer -- reads the vault
set search_path = ''
as $$
begin
  return case
    when event.address is null then private.notifications_link(
      event.tenant_id, event.person_id, event.kind, 'email', event.scope
    )
    -- Auth's mails to an address of somebody who signs up: nothing to choose, nobody known yet.
    when event.person_id = private.notifications_nobody() then private.notifications_link(
      event.tenant_id, event.person_id, event.kind, 'email', event.scope,
      private.notifications_address_digest(event.address)
    )
  end;
end;
$$;
comment on function private.notifications_mail_link(private.notifications_events) is
  'The link of a mail to its own setting; null where there is none.';

create type private.notifications_linked as (
  tenant_id uuid,
  person_id uuid,
  kind text,
  channel text,
  scope text,
  address bytea
);
comment on type private.notifications_linked is 'The setting that a link opens.';

create function private.notifications_open_link(token text)
returns private.notifications_linked
language plpgsql
stable
security definer -- reads the vault
set search_path = ''
as $$
declare
  v_content text := split_part(coalesce(token, ''), '.', 1);
  v_parts jsonb;
  v_linked private.notifications_linked;
begin
  -- Digests have one length and nothing in common, so comparing them tells nobody how close they came.
  if char_length(coalesce(token, '')) > 1000 or v_content = ''
    or sha256(convert_to(split_part(token, '.', 2), 'UTF8'))
      <> sha256(convert_to(private.notifications_mac(v_content), 'UTF8'))
  then
    raise sqlstate 'PT403' using message = 'notifications.link_refused';
  end if;
  v_parts := convert_from(
    decode(
      rpad(translate(v_content, '-_', '+/'), (char_length(v_content) + 3) / 4 * 4, '='), 'base64'
    ),
    'UTF8'
  )::jsonb;
  v_linked.tenant_id := (v_parts ->> 0)::uuid;
  v_linked.person_id := (v_parts ->> 1)::uuid;
  v_linked.kind := v_parts ->> 2;
  v_linked.channel := v_parts ->> 3;
  v_linked.scope := v_parts ->> 4;
  v_linked.address := decode(v_parts ->> 5, 'hex');
  -- Whoever was erased has no settings any more.
  if v_linked.address is null and not exists (
    select from public.people p where p.id = v_linked.person_id and p.erased_at is null
  ) then
    raise sqlstate 'PT403' using message = 'notifications.link_refused';
  end if;
  return v_linked;
end;
$$;
comment on function private.notifications_open_link(text) is
  'The setting that a link opens. Raises notifications.link_refused.';

create function private.notifications_linked_setting(linked private.notifications_linked)
returns jsonb
language sql
stable
security definer -- reads what people chose
set search_path = ''
as $$
  select jsonb_build_object(
    'tenant_id', t.id,
    'tenant', case when t.id <> private.platform() then t.name end,
    'locale', coalesce(p.locale, t.locale),
    'stranger', linked.address is not null,
    'kind', k.kind,
    'template', k.template,
    'channel', linked.channel,
    'scope', linked.scope,
    'setting', case
      when linked.address is null then c.setting
      when private.notifications_address_refuses(linked.tenant_id, linked.address, linked.kind) then 'off'
      else 'instant'
    end,
    'fixed', k.security,
    'settings_url', case when t.settings #>> '{notifications,settings_url}' ~ '^https?://\S+$'
      then t.settings #>> '{notifications,settings_url}' end
  )
  from private.notifications_kinds k
  join public.tenants t on t.id = linked.tenant_id
  left join public.people p on p.id = linked.person_id
  cross join lateral private.notifications_channels(k, t.id, linked.person_id, linked.scope) c
  where k.kind = linked.kind and c.channel = linked.channel;
$$;
comment on function private.notifications_linked_setting(private.notifications_linked) is
  'The setting that a link opens, as it stands.';

create function public.notifications_linked(token text)
returns jsonb
language sql
stable
security definer -- reads what people chose
set search_path = ''
as $$
  select private.notifications_linked_setting(
    private.notifications_open_link(notifications_linked.token)
  );
$$;
comment on function public.notifications_linked(text) is
  'For the function api: the setting that a mail''s link opens: { tenant_id, tenant, locale, kind, channel, scope, setting, fixed }. Raises notifications.link_refused.';
grant execute on function public.notifications_linked(text) to service_role;

create function public.notifications_set_linked(token text, setting text)
returns jsonb
language plpgsql
volatile
security definer -- writes what people choose
set search_path = ''
as $$
declare
  v_linked private.notifications_linked := private.notifications_open_link(token);
begin
  if v_linked.address is not null then
    perform private.notifications_keep_refusal(
      v_linked.tenant_id, v_linked.address, v_linked.kind, setting
    );
  else
    perform private.notifications_keep_choice(
      v_linked.tenant_id, v_linked.person_id, v_linked.kind, v_linked.channel, setting, v_linked.scope
    );
  end if;
  return private.notifications_linked_setting(v_linked);
end;
$$;
comment on function public.notifications_set_linked(text, text) is
  'For the function api: changes the setting that a mail''s link opens. Raises notifications.link_refused, request.invalid.';
grant execute on function public.notifications_set_linked(text, text) to service_role;
