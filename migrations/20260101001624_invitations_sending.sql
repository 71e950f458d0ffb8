-- Invitations, sending: lists of addresses, each told of by itself, their mails one after the other.

select private.declare_notification('invitations.invitation', inbox => null, push => null, outsiders => true);

create type private.invitations_line as (number integer, email text, role text, fault text);

create function private.invitations_read_lines(lines jsonb, role text)
returns setof private.invitations_line
language plpgsql
stable
security invoker
set search_path = ''
as $$
begin
  if jsonb_typeof(lines) is distinct from 'array' or jsonb_array_length(lines) not between 1 and 500 then
    raise sqlstate 'PT422' using message = 'request.invalid', detail = 'lines: a list of 1 to 500';
  end if;
  return query
    with given as (
      select l.number::integer as number,
        left(lower(btrim(case jsonb_typeof(l.line) when 'string' then l.line #>> '{}' else l.line ->> 'email' end)), 255)
          as email,
        coalesce(
          case jsonb_typeof(l.line) when 'object' then l.line ->> 'role' end, invitations_read_lines.role
        ) as role
      from jsonb_array_elements(lines) with ordinality l(line, number)
    )
    select g.number, g.email, g.role,
      case
        when g.email is null or char_length(g.email) > 254
          or g.email !~ '^[^@[:space:]]+@[^@[:space:]]+\.[^@[:space:]]+$' then 'request.invalid'
        when g.number > min(g.number) over (partition by g.email) then 'invitations.twice'
      end
    from given g
    order by g.number;
end;
$$;
comment on function private.invitations_read_lines(jsonb, text) is
  'Addresses, or objects with email and role, one a line, each with what is wrong with it. Raises request.invalid.';

create function private.invitations_fault(tenant_id uuid, email text)
returns text
language sql
stable
security definer -- reads members' addresses, closed to clients
set search_path = ''
as $$
  select case
    when exists (
      select from auth.users u
      join public.members m on m.tenant_id = invitations_fault.tenant_id and m.person_id = u.id
      where u.email = invitations_fault.email and m.status in ('active', 'suspended', 'banned')
    ) then 'members.already_member'
    when exists (
      select from public.invitations i
      where i.tenant_id = invitations_fault.tenant_id and i.email = invitations_fault.email
        and i.status = 'open'
    ) then 'invitations.already_invited'
  end;
$$;
comment on function private.invitations_fault(uuid, text) is
  'Why an address is not invited; null when it is. Tells of this tenant alone.';

create function private.invitations_take_slots(tenant_id uuid, slots integer)
returns timestamptz
language plpgsql
volatile
security definer -- nobody else writes the pace
set search_path = ''
as $$
#variable_conflict use_column
declare
  v_length interval := slots * private.invitations_gap();
  v_end timestamptz;
begin
  insert into private.invitations_pace as p (tenant_id, next_at)
  values (invitations_take_slots.tenant_id, now() + v_length)
  on conflict (tenant_id) do update set next_at = greatest(p.next_at, now()) + v_length
  returning next_at into v_end;
  return v_end - v_length;
end;
$$;
comment on function private.invitations_take_slots(uuid, integer) is
  'The time of the first of so many mails; the next ones follow at invitations_gap. Calls of one tenant queue up.';

create function private.invitations_gap()
returns interval
language sql
immutable
security invoker
set search_path = ''
as $$
  select interval '2 seconds';
$$;
comment on function private.invitations_gap() is
  'Between two invitations of a tenant: half of what the smallest plans of mail providers take, so that its other mails get through.';

create function private.invitations_mail(invitation public.invitations, send_at timestamptz)
returns void
language plpgsql
volatile
security definer -- nobody else writes tokens and mails
set search_path = ''
as $$
#variable_conflict use_column
declare
  v_token text := private.invitations_renew_token(invitation.tenant_id, invitation.id);
  v_app text;
  v_event uuid;
begin
  select rtrim(t.app_url, '/') into v_app from public.tenants t where t.id = invitation.tenant_id;
  -- Behind the #, which browsers send to nobody. Where there is no app, the token stands for itself.
  v_event := private.notify_address(
    invitation.email, 'invitations.invitation',
    jsonb_build_object(
      'date', to_char(invitation.expires_at at time zone 'UTC', 'YYYY-MM-DD')
    ) || case
      when v_app is null then jsonb_build_object('code', v_token)
      else jsonb_build_object('link', v_app || '/join#invitation=' || v_token)
    end,
    invitation.tenant_id, invitation.expires_at, invitations_mail.send_at
  );
  update private.invitations_tokens t set event_id = v_event
  where t.tenant_id = invitation.tenant_id and t.invitation_id = invitation.id;
  update public.invitations i set send_at = invitations_mail.send_at
  where i.tenant_id = invitation.tenant_id and i.id = invitation.id;
end;
$$;
comment on function private.invitations_mail(public.invitations, timestamptz) is
  'Mails an invitation a new token, at that time.';

create function private.invitations_unsend(tenant_id uuid, invitation uuid)
returns void
language sql
volatile
security definer -- nobody else reads which mail an invitation went out with
set search_path = ''
as $$
  select private.notify_withdraw(t.tenant_id, t.event_id)
  from private.invitations_tokens t
  where t.tenant_id = invitations_unsend.tenant_id and t.invitation_id = invitations_unsend.invitation
    and t.event_id is not null;
$$;
comment on function private.invitations_unsend(uuid, uuid) is
  'Keeps the mail of an invitation from going out, if it has not.';

create function public.invitations_send(
  tenant_id uuid,
  lines jsonb,
  role text default 'member',
  expires_at timestamptz default now() + interval '14 days'
)
returns jsonb
language plpgsql
volatile
security definer -- nobody else writes invitations
set search_path = ''
as $$
#variable_conflict use_column
declare
  v_author uuid := private.require(invitations_send.tenant_id, 'invitations.manage');
  v_lines private.invitations_line[];
  v_line private.invitations_line;
  v_invitation public.invitations;
  v_roles jsonb := jsonb '{}';
  v_slot timestamptz;
  v_report jsonb[];
  v_sent integer := 0;
begin
  perform private.require_rate('invitations_send:' || tenant_id, 20, interval '1 hour');
  v_lines := array(select l from private.invitations_read_lines(lines, invitations_send.role) l);
  -- A role that may not be given is the author's mistake and stops the list; an address stops itself.
  for v_line in select distinct on (l.role) l.* from unnest(v_lines) l loop
    v_roles := v_roles || jsonb_build_object(
      coalesce(v_line.role, ''), private.members_role_of(tenant_id, v_line.role)
    );
    perform private.invitations_guard(
      tenant_id, v_author, v_roles ->> coalesce(v_line.role, ''), 1, expires_at, null
    );
  end loop;
  -- What is over but not yet told so would stand in the way of a new one.
  perform private.invitations_expire(tenant_id);

  v_slot := private.invitations_take_slots(tenant_id, cardinality(v_lines));
  foreach v_line in array v_lines loop
    v_line.fault := coalesce(v_line.fault, private.invitations_fault(tenant_id, v_line.email));
    v_invitation := null;
    if v_line.fault is null then
      v_invitation := private.invitations_make(
        tenant_id, v_author, v_roles ->> v_line.role, v_line.email, 1, expires_at, null
      );
      perform private.invitations_mail(v_invitation, v_slot + v_sent * private.invitations_gap());
      v_sent := v_sent + 1;
    end if;
    v_report := v_report || jsonb_build_object(
      'line', v_line.number, 'email', v_line.email, 'invitation_id', v_invitation.id, 'error', v_line.fault
    );
  end loop;
  perform private.audit(
    'INVITATION_SENT', 'tenants:' || tenant_id, null,
    jsonb_build_object('sent', v_sent, 'of', cardinality(v_lines)), tenant_id
  );
  return jsonb_build_object('sent', v_sent, 'lines', to_jsonb(v_report));
end;
$$;
comment on function public.invitations_send(uuid, jsonb, text, timestamptz) is
  'Invites up to 500 addresses by mail (permission invitations.manage): lines are addresses or { email, role }. Each invitation is for its address alone, once. Answers { sent, lines: [{ line, email, invitation_id, error }] } with request.invalid, invitations.twice, invitations.already_invited or members.already_member where a line sent nothing. Raises request.invalid, limits.exceeded, members.role_not_found, members.role_above_own, members.permission_denied, members.ownership_is_offered.';
grant execute on function public.invitations_send(uuid, jsonb, text, timestamptz) to authenticated;

create function public.invitations_resend(tenant_id uuid, invitation uuid)
returns public.invitations
language plpgsql
volatile
security definer -- nobody else writes invitations
set search_path = ''
as $$
#variable_conflict use_column
declare
  v_author uuid := private.require(invitations_resend.tenant_id, 'invitations.manage');
  v_invitation public.invitations;
begin
  select * into v_invitation from public.invitations i
  where i.tenant_id = invitations_resend.tenant_id and i.id = invitations_resend.invitation
    and i.email is not null
  for update;
  if not found then
    raise sqlstate 'PT404' using message = 'invitations.not_found';
  elsif v_invitation.status <> 'open' then
    raise sqlstate 'PT409' using message = 'invitations.ended', detail = v_invitation.status;
  end if;
  perform private.require_rate('invitations_resend:' || v_invitation.id, 3, interval '1 day');
  perform private.members_guard_role(v_invitation.tenant_id, v_author, v_invitation.role);
  -- Who sends it answers for it from now on, and it lasts as long as a new one.
  update public.invitations i
  set created_by = v_author, expires_at = greatest(i.expires_at, now() + interval '14 days')
  where i.tenant_id = v_invitation.tenant_id and i.id = v_invitation.id
  returning * into v_invitation;
  perform private.invitations_unsend(v_invitation.tenant_id, v_invitation.id);
  perform private.invitations_mail(v_invitation, private.invitations_take_slots(v_invitation.tenant_id, 1));
  perform private.audit(
    'INVITATION_SENT', 'invitations:' || v_invitation.id, null, null, v_invitation.tenant_id
  );
  return v_invitation;
end;
$$;
comment on function public.invitations_resend(uuid, uuid) is
  'Mails an open invitation again, with a new token; the one before is void (permission invitations.manage). Raises invitations.not_found, invitations.ended, limits.exceeded, and for a role that the caller may not give what invitations_send raises.';
grant execute on function public.invitations_resend(uuid, uuid) to authenticated;

-- Their end
create function private.invitations_expire(tenant_id uuid default null)
returns bigint
language sql
volatile
security definer -- nobody else writes invitations
set search_path = ''
as $$
  with ended as (
    update public.invitations i set status = 'expired', ended_at = now()
    where i.status = 'open' and i.expires_at <= now()
      and (invitations_expire.tenant_id is null or i.tenant_id = invitations_expire.tenant_id)
    returning 1
  ), forgotten as (
    update public.invitations i set email = null
    where i.email is not null and i.ended_at < now() - interval '30 days'
      and invitations_expire.tenant_id is null
    returning 1
  )
  select (select count(*) from ended) + (select count(*) from forgotten);
$$;
comment on function private.invitations_expire(uuid) is
  'Ends what ran out; and forgets addresses thirty days after that, for they are of people who may never have come. Returns how many rows changed.';
select private.schedule('invitations-expire', '23 * * * *', 'select private.invitations_expire()');

create function private.invitations_on_person_erased()
returns trigger
language plpgsql
volatile
security definer -- nobody else writes invitations
set search_path = ''
as $$
begin
  update public.invitations i set email = null
  from public.invitations_uses u
  where u.person_id = new.id and i.tenant_id = u.tenant_id and i.id = u.invitation_id and i.email is not null;
  return null;
end;
$$;
comment on function private.invitations_on_person_erased() is
  'After a person was erased: the address they were invited at goes, too.';
create trigger invitations_on_person_erased after update of erased_at on public.people
  for each row when (new.erased_at is not null and old.erased_at is null)
  execute function private.invitations_on_person_erased();
