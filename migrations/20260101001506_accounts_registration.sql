-- Accounts, registration: from a stranger to a person whose address is proved, and back to an account
-- whose password is lost. What anybody can find out by asking is whether a tenant would take them,
-- never whether an address is known.

create function public.accounts_may_register(email text, tenant text, invitation text default null)
returns uuid
language plpgsql
volatile
security definer -- a stranger sees no tenant
set search_path = ''
as $$
begin
  return private.require_admission(
    accounts_may_register.tenant, accounts_may_register.email, accounts_may_register.invitation
  );
end;
$$;
comment on function public.accounts_may_register(text, text, text) is
  'For the function api, before there is a login: the id of the tenant, if it would take this address. Raises what private.require_admission does.';
grant execute on function public.accounts_may_register(text, text, text) to service_role;

create function public.accounts_unverified(email text)
returns uuid
language sql
stable
security definer -- auth.users is closed to clients
set search_path = ''
as $$
  select u.id from private.accounts_person_of(accounts_unverified.email) u
  where u.email_confirmed_at is null;
$$;
comment on function public.accounts_unverified(text) is
  'For the function api: the person who registered with this address and has not proved it yet; null otherwise.';
grant execute on function public.accounts_unverified(text) to service_role;

create function private.accounts_link(tenant_id uuid, site text, page text, token text)
returns text
language sql
stable
security definer -- reads tenants past their policies
set search_path = ''
as $$
  -- In the fragment no server on the way, and no page linked from there, gets to see the token.
  select format(
    '%s/%s#token=%s',
    rtrim(
      coalesce(
        (select t.app_url from public.tenants t where t.id = accounts_link.tenant_id),
        accounts_link.site
      ), '/'
    ),
    accounts_link.page, accounts_link.token
  );
$$;
comment on function private.accounts_link(uuid, text, text, text) is
  'Where a mail leads: a page of the tenant''s app, or of the site, that hands the token to the function.';

create function private.accounts_mail_verification(person uuid, site text)
returns void
language plpgsql
volatile
security definer -- issues a token
set search_path = ''
as $$
#variable_conflict use_column
declare
  v_issued jsonb := private.accounts_issue(person, 'verification', interval '24 hours');
  v_tenant uuid;
begin
  -- The community they just asked to join speaks to them.
  select m.tenant_id into v_tenant from public.members m
  where m.person_id = accounts_mail_verification.person and m.status = 'pending'
  order by m.updated_at desc limit 1;
  perform private.notify(
    person, 'accounts.verification',
    jsonb_build_object(
      'link', private.accounts_link(v_tenant, site, 'verify-email', v_issued ->> 'token'),
      'code', v_issued ->> 'code'
    ),
    v_tenant, now() + interval '24 hours'
  );
end;
$$;
comment on function private.accounts_mail_verification(uuid, text) is
  'Mails a person the token and the code by which they prove their address; those sent before are void.';

create function public.accounts_register(
  email text, site text, tenant_id uuid default null, invitation text default null,
  enclosures uuid[] default null
)
returns void
language plpgsql
volatile
security definer -- makes members, sends mail
set search_path = ''
as $$
#variable_conflict use_column
declare
  v_login auth.users := private.accounts_person_of(email);
begin
  if v_login.id is null then
    return;
  elsif v_login.email_confirmed_at is not null then
    perform private.notify(
      v_login.id, 'accounts.already_registered', '{}', null, now() + interval '24 hours'
    );
    return;
  end if;
  if accounts_register.tenant_id is not null and not exists (
    select from public.members m
    where m.tenant_id = accounts_register.tenant_id and m.person_id = v_login.id and m.status <> 'left'
      -- Who waits may have an invitation by now.
      and not (
        m.status = 'pending' and m.admitted_by is null and accounts_register.invitation is not null
      )
  ) then
    perform private.admit(accounts_register.tenant_id, v_login.id, accounts_register.invitation);
  end if;
  perform private.documents_enclosed_by(
    v_login.id, accounts_register.tenant_id, accounts_register.enclosures
  );
  perform private.accounts_mail_verification(v_login.id, accounts_register.site);
end;
$$;
comment on function public.accounts_register(text, text, uuid, text, uuid[]) is
  'For the function api, once there is a login: the person waits to join the tenant, with the scans they enclosed (documents_enclose), and is mailed what proves the address. Whoever has proved it already is told that somebody tried. Raises what private.admit does.';
grant execute on function public.accounts_register(text, text, uuid, text, uuid[]) to service_role;

create function public.accounts_resend(email text, site text)
returns void
language plpgsql
volatile
security definer -- sends mail
set search_path = ''
as $$
declare
  v_person uuid := public.accounts_unverified(email);
begin
  if v_person is not null then
    perform private.accounts_mail_verification(v_person, site);
  end if;
end;
$$;
comment on function public.accounts_resend(text, text) is
  'For the function api: mails the verification of an address once more, if it waits for one.';
grant execute on function public.accounts_resend(text, text) to service_role;

create function public.accounts_login_unproved(email text, site text)
returns void
language plpgsql
volatile
security definer -- sends mail
set search_path = ''
as $$
#variable_conflict use_column
declare
  v_person uuid := public.accounts_unverified(email);
begin
  -- As seldom as resending, but not by its counter: that would show by which address it was used up.
  if v_person is not null and not exists (
    select from private.accounts_tokens t
    where t.person_id = v_person and t.purpose = 'verification'
      and t.created_at > now() - interval '20 minutes'
  ) then
    perform private.accounts_mail_verification(v_person, site);
  end if;
end;
$$;
comment on function public.accounts_login_unproved(text, text) is
  'For the function api: somebody gave the right password of an address that is not proved yet. They are refused like anybody and mailed the verification once more, unless it was mailed within twenty minutes.';
grant execute on function public.accounts_login_unproved(text, text) to service_role;

create function public.accounts_forgot(email text, site text)
returns void
language plpgsql
volatile
security definer -- sends mail
set search_path = ''
as $$
declare
  v_login auth.users := private.accounts_person_of(email);
  v_issued jsonb;
begin
  if v_login.id is null or v_login.email_confirmed_at is null then
    return;
  end if;
  v_issued := private.accounts_issue(v_login.id, 'reset', interval '1 hour');
  perform private.notify(
    v_login.id, 'accounts.reset',
    jsonb_build_object(
      'link', private.accounts_link(null, site, 'reset-password', v_issued ->> 'token'),
      'code', v_issued ->> 'code'
    ),
    null, now() + interval '1 hour'
  );
end;
$$;
comment on function public.accounts_forgot(text, text) is
  'For the function api: mails what sets a new password, if somebody has proved this address.';
grant execute on function public.accounts_forgot(text, text) to service_role;

-- A proved address, by whichever door: ours, or Auth's own link.
create function private.accounts_on_verified()
returns trigger
language plpgsql
volatile
security definer -- writes tokens, sends mail for Auth's role
set search_path = ''
as $$
#variable_conflict use_column
begin
  delete from private.accounts_tokens t where t.person_id = new.id and t.purpose = 'verification';
  -- Whom an operator made proved nothing, and hears of it from them.
  if found or new.confirmation_sent_at is not null then
    perform private.audit('ACCOUNT_VERIFIED', 'people:' || new.id, actor => new.id);
    perform private.notify(new.id, 'accounts.welcome', '{}', null, now() + interval '7 days');
  end if;
  return null;
end;
$$;
comment on function private.accounts_on_verified() is
  'After an address was proved: the person is welcomed. Who waited for that in a tenant, members let in.';

create trigger accounts_on_verified after update of email_confirmed_at on auth.users
  for each row when (old.email_confirmed_at is null and new.email_confirmed_at is not null)
  execute function private.accounts_on_verified();
