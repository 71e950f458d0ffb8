-- Safeguarding, acting: what a supporter does for their ward, each act within a right they were granted,
-- in their own name and in the trail.

create table public.safeguarding_sent (
  tenant_id uuid not null,
  message_id uuid not null,
  supporter_id uuid not null,
  primary key (tenant_id, message_id),
  foreign key (tenant_id, message_id) references public.messaging_messages (tenant_id, id) on delete cascade,
  foreign key (tenant_id, supporter_id) references public.members (tenant_id, person_id) on delete restrict
);
comment on table public.safeguarding_sent is
  'Which messages somebody else wrote for their sender: whoever reads the message sees who.';
create index safeguarding_sent_supporter on public.safeguarding_sent (tenant_id, supporter_id);

alter table public.safeguarding_sent enable row level security;
create policy safeguarding_sent_select_reader on public.safeguarding_sent
  for select to authenticated
  using (
    tenant_id = any (array(select private.tenants_with('safeguarding.read')))
    and (
      supporter_id = (select private.person())
      or exists (
        select from public.messaging_messages m -- as far as the caller may see them
        where m.tenant_id = safeguarding_sent.tenant_id and m.id = safeguarding_sent.message_id
      )
    )
  );
grant select on public.safeguarding_sent to authenticated, service_role;

create function private.safeguarding_require(tenant_id uuid, ward uuid, granted text)
returns uuid
language plpgsql
stable
security definer -- reads guardianships past their policies
set search_path = ''
as $$
#variable_conflict use_column
declare
  v_me uuid := private.require(safeguarding_require.tenant_id, 'safeguarding.read');
begin
  perform private.require_no_impersonation();
  if ward is null or ward <> all (private.safeguarding_wards(safeguarding_require.tenant_id, v_me, granted)) then
    raise sqlstate 'PT403' using message = 'safeguarding.not_granted', detail = granted;
  elsif not private.may(safeguarding_require.tenant_id, ward, 'safeguarding.read') then
    raise sqlstate 'PT403' using message = 'safeguarding.not_granted', detail = 'the ward is not active';
  end if;
  return v_me;
end;
$$;
comment on function private.safeguarding_require(uuid, uuid, text) is
  'The caller, if they support the ward with this right now. Raises safeguarding.not_granted, auth.impersonated, and what require raises.';

create function public.safeguarding_send(
  tenant_id uuid, ward uuid, conversation_id uuid, client_id text, body text
)
returns public.messaging_messages
language plpgsql
volatile
security definer -- writes for somebody else
set search_path = ''
as $$
#variable_conflict use_column
declare
  v_me uuid := private.safeguarding_require(safeguarding_send.tenant_id, ward, 'send_messages');
  v_message public.messaging_messages := private.messaging_draft(
    safeguarding_send.tenant_id, safeguarding_send.conversation_id, ward, 'text', '{}'
  );
  v_first public.messaging_messages;
begin
  if coalesce(char_length(safeguarding_send.client_id) not between 1 and 64, true) then
    raise sqlstate 'PT422' using message = 'request.invalid', detail = 'client_id: 1 to 64 characters';
  elsif not private.may(safeguarding_send.tenant_id, ward, 'messaging.send') then
    raise sqlstate 'PT403' using message = 'safeguarding.not_granted', detail = 'the ward may not send';
  end if;
  v_message.client_id := safeguarding_send.client_id;
  v_message.body := safeguarding_send.body;
  v_first := private.messaging_first(v_message);
  if v_first.id is not null then
    return v_first;
  end if;
  perform private.messaging_require_rate(safeguarding_send.tenant_id, ward);
  v_message := private.messaging_send_as(v_message);
  insert into public.safeguarding_sent (tenant_id, message_id, supporter_id)
  values (v_message.tenant_id, v_message.id, v_me);
  perform private.audit(
    'SAFEGUARDING_ACTED', 'messaging_messages:' || v_message.id, null, jsonb_build_object('ward', ward),
    v_message.tenant_id, v_me
  );
  return v_message;
end;
$$;
comment on function public.safeguarding_send(uuid, uuid, uuid, text, text) is
  'Writes a message for the ward in a conversation of theirs; safeguarding_sent says who wrote it (right send_messages). Raises safeguarding.not_granted, messaging.*, request.invalid.';
grant execute on function public.safeguarding_send(uuid, uuid, uuid, text, text) to authenticated;

create function public.safeguarding_read_notices(tenant_id uuid, ward uuid, page_size integer default 50)
returns setof public.notifications
language plpgsql
volatile
security definer -- reads somebody else's inbox, and writes the trail
set search_path = ''
as $$
#variable_conflict use_column
declare
  v_me uuid := private.require(safeguarding_read_notices.tenant_id, 'safeguarding.read');
  v_since timestamptz;
begin
  if page_size is null or page_size not between 1 and 100 then
    raise sqlstate 'PT422' using message = 'request.invalid', detail = 'page_size: 1 to 100';
  end if;
  perform private.safeguarding_require(safeguarding_read_notices.tenant_id, ward, 'copies_of_notices');
  select g.ward_agreed_at into v_since from public.safeguarding_guardianships g
  where g.tenant_id = safeguarding_read_notices.tenant_id and g.ward_id = ward and g.supporter_id = v_me
    and g.status = 'active';
  perform private.audit(
    'SAFEGUARDING_READ', 'notifications:' || ward, null, null, safeguarding_read_notices.tenant_id, v_me
  );
  return query
  select n.* from public.notifications n
  join private.notifications_kinds k on k.kind = n.kind and not k.security
  where n.tenant_id = safeguarding_read_notices.tenant_id and n.person_id = ward and n.created_at >= v_since
  order by n.updated_at desc, n.id desc
  limit safeguarding_read_notices.page_size;
end;
$$;
comment on function public.safeguarding_read_notices(uuid, uuid, integer) is
  'The ward''s latest notices of this tenant since they agreed, but for those about the safety of their account; audited (right copies_of_notices). Raises safeguarding.not_granted, request.invalid.';
grant execute on function public.safeguarding_read_notices(uuid, uuid, integer) to authenticated;

create type public.safeguarding_balance as (currency text, balance bigint, held bigint);
comment on type public.safeguarding_balance is 'What a ward has of a currency.';

create function public.safeguarding_see_balance(tenant_id uuid, ward uuid)
returns setof public.safeguarding_balance
language plpgsql
volatile
security definer -- reads somebody else's accounts, and writes the trail
set search_path = ''
as $$
#variable_conflict use_column
declare
  v_me uuid := private.safeguarding_require(safeguarding_see_balance.tenant_id, ward, 'see_balance');
begin
  perform private.audit(
    'SAFEGUARDING_READ', 'wallet_accounts:' || ward, null, null, safeguarding_see_balance.tenant_id, v_me
  );
  return query
  select a.currency::text, a.balance, a.held from public.wallet_ledger_accounts a
  where a.tenant_id = safeguarding_see_balance.tenant_id and a.person_id = ward and a.purpose = 'member'
  order by 1;
end;
$$;
comment on function public.safeguarding_see_balance(uuid, uuid) is
  'The ward''s accounts; audited (right see_balance). Raises safeguarding.not_granted.';
grant execute on function public.safeguarding_see_balance(uuid, uuid) to authenticated;
