-- Wallet, what becomes of requests. The request's row is locked first: of two who answer, one finds it
-- answered. Accepting is a transfer of its own, so limits and funds are judged then.

create function private.wallet_request_of(tenant_id uuid, request_id uuid)
returns public.wallet_requests
language plpgsql
volatile -- reads what the caller's own statement wrote
security definer -- reads requests past their policies
set search_path = ''
as $$
#variable_conflict use_column
declare
  v_request public.wallet_requests;
begin
  select * into v_request from public.wallet_requests r
  where r.tenant_id = wallet_request_of.tenant_id and r.id = wallet_request_of.request_id;
  return v_request;
end;
$$;
comment on function private.wallet_request_of(uuid, uuid) is 'A request as it now is, past its policies.';

create function private.wallet_pay_request(request public.wallet_requests)
returns public.wallet_requests
language plpgsql
volatile
security definer -- nobody else writes the ledger
set search_path = ''
as $$
#variable_conflict use_column
declare
  v_receipt public.wallet_receipt := private.wallet_move(
    request.tenant_id, private.uuid_v7(), 'transfer', request.payer,
    private.wallet_payer(request.tenant_id, request.payer, request.currency, null),
    private.wallet_payee(request.tenant_id, request.payee, request.currency, null),
    request.amount, request.currency, request.memo, request.category
  );
begin
  update public.wallet_requests r set status = 'accepted', transfer_id = v_receipt.id
  where r.tenant_id = request.tenant_id and r.id = request.id;
  return private.wallet_request_of(request.tenant_id, request.id);
end;
$$;
comment on function private.wallet_pay_request(public.wallet_requests) is 'Pays a request. Raises as wallet_transfer does.';

create function public.wallet_request(
  tenant_id uuid,
  from_person uuid,
  amount bigint,
  currency text,
  idempotency_key text,
  memo text default null,
  category text default null,
  expires_at timestamptz default null
)
returns public.wallet_requests
language plpgsql
volatile
security definer -- clients may not write requests
set search_path = ''
as $$
#variable_conflict use_column
declare
  v_person uuid := private.require(wallet_request.tenant_id, 'wallet.transfer');
  v_id uuid := private.uuid_v7();
  v_expires timestamptz := coalesce(wallet_request.expires_at, now() + interval '14 days');
  v_earlier uuid;
begin
  perform private.wallet_check_request(amount, idempotency_key, memo, category);
  if v_expires <= now() or v_expires > now() + interval '90 days' then
    raise sqlstate 'PT422' using message = 'request.invalid', detail = 'expires_at: within 90 days';
  elsif from_person = v_person then
    raise sqlstate 'PT422' using message = 'wallet.self_transfer';
  end if;
  v_earlier := private.wallet_claim(
    wallet_request.tenant_id, v_person, 'wallet_request', idempotency_key,
    jsonb_build_array(from_person, amount, currency, memo, category, wallet_request.expires_at), v_id
  );
  if v_earlier is not null then
    return private.wallet_request_of(wallet_request.tenant_id, v_earlier);
  end if;
  perform private.wallet_payer(wallet_request.tenant_id, v_person, currency, null);
  perform private.wallet_payee(wallet_request.tenant_id, from_person, currency, null);
  insert into public.wallet_requests (
    tenant_id, id, currency, amount, payer, payee, memo, category, expires_at
  )
  values (
    wallet_request.tenant_id, v_id, currency, amount, from_person, v_person, nullif(memo, ''),
    nullif(category, ''), v_expires
  );
  perform private.wallet_tell(
    'WALLET_REQUESTED', 'wallet.requested', wallet_request.tenant_id, 'wallet_requests:' || v_id, v_person,
    jsonb_build_object('request_id', v_id)
  );
  perform private.enqueue(
    'wallet.request_reminder', jsonb_build_object('request_id', v_id), wallet_request.tenant_id,
    'wallet_requests:' || v_id, v_id::text, now() + (v_expires - now()) / 2
  );
  return private.wallet_request_try(private.wallet_request_of(wallet_request.tenant_id, v_id));
end;
$$;
comment on function public.wallet_request(uuid, uuid, bigint, text, text, text, text, timestamptz) is
  'Asks a member for a payment (permission wallet.transfer), for 14 days unless expires_at says otherwise; paid at once where they trust the caller that far. Called again with the same key it returns the request as it now is. Raises as wallet_transfer does, and request.invalid.';
grant execute on function public.wallet_request(uuid, uuid, bigint, text, text, text, text, timestamptz)
  to authenticated;

create function private.wallet_request_try(request public.wallet_requests)
returns public.wallet_requests
language plpgsql
volatile
security definer -- nobody else writes the ledger
set search_path = ''
as $$
#variable_conflict use_column
declare
  v_today date := private.wallet_today(request.tenant_id);
begin
  -- Counted under the row's lock, so that requests made at once are not paid past the day's ten; and
  -- the payer must still be one who may pay.
  update public.wallet_trusted t
  set paid_on = v_today, paid = case when t.paid_on = v_today then t.paid + 1 else 1 end
  from public.members m
  join public.role_permissions rp
    on rp.tenant_id = m.tenant_id and rp.role = m.role and rp.permission = 'wallet.transfer'
  where t.tenant_id = request.tenant_id and t.person_id = request.payer and t.payee = request.payee
    and t.currency = request.currency and t.up_to >= request.amount
    and (t.paid_on is distinct from v_today or t.paid < 10)
    and m.tenant_id = t.tenant_id and m.person_id = t.person_id and m.status = 'active';
  if not found then
    return request;
  end if;
  return private.wallet_pay_request(request);
exception when sqlstate 'PT404' or sqlstate 'PT409' then
  return request; -- The payer cannot pay unseen right now, so they are asked.
end;
$$;
comment on function private.wallet_request_try(public.wallet_requests) is 'Pays a request whose payee the payer trusts that far, if that is possible now; else returns it as it is.';

create function private.wallet_resolve_request(tenant_id uuid, request_id uuid, status text)
returns public.wallet_requests
language plpgsql
volatile
security definer -- locks and writes requests past their policies
set search_path = ''
as $$
#variable_conflict use_column
declare
  v_person uuid := private.require(wallet_resolve_request.tenant_id, 'wallet.transfer');
  v_request public.wallet_requests;
begin
  select * into v_request from public.wallet_requests r
  where r.tenant_id = wallet_resolve_request.tenant_id and r.id = wallet_resolve_request.request_id
    and v_person = case wallet_resolve_request.status when 'cancelled' then r.payee else r.payer end
  for no key update;
  if not found then
    raise sqlstate 'PT404' using message = 'wallet.not_found';
  elsif v_request.status = wallet_resolve_request.status then
    return v_request;
  elsif v_request.status <> 'pending' or v_request.expires_at <= now() then
    raise sqlstate 'PT409' using
      message = 'wallet.request_resolved',
      detail = case v_request.status when 'pending' then 'expired' else v_request.status end;
  elsif wallet_resolve_request.status = 'accepted' then
    return private.wallet_pay_request(v_request);
  end if;
  update public.wallet_requests r set status = wallet_resolve_request.status
  where r.tenant_id = v_request.tenant_id and r.id = v_request.id;
  perform private.wallet_tell(
    'WALLET_REQUEST_RESOLVED', 'wallet.request_' || wallet_resolve_request.status, v_request.tenant_id,
    'wallet_requests:' || v_request.id, v_person, jsonb_build_object('request_id', v_request.id)
  );
  return private.wallet_request_of(v_request.tenant_id, v_request.id);
end;
$$;
comment on function private.wallet_resolve_request(uuid, uuid, text) is
  'Answers a request, for the one whose answer it is; the same answer again changes nothing. Raises wallet.not_found, wallet.request_resolved.';

create function public.wallet_request_accept(tenant_id uuid, request_id uuid)
returns public.wallet_requests
language plpgsql
volatile
security definer -- clients may not write requests
set search_path = ''
as $$
begin
  return private.wallet_resolve_request(
    wallet_request_accept.tenant_id, wallet_request_accept.request_id, 'accepted'
  );
end;
$$;
comment on function public.wallet_request_accept(uuid, uuid) is
  'Pays a request (for its payer); done again it changes nothing. Permission wallet.transfer. Raises wallet.not_found, wallet.request_resolved, and as wallet_transfer does.';
grant execute on function public.wallet_request_accept(uuid, uuid) to authenticated;

create function public.wallet_request_decline(tenant_id uuid, request_id uuid)
returns public.wallet_requests
language plpgsql
volatile
security definer -- clients may not write requests
set search_path = ''
as $$
begin
  return private.wallet_resolve_request(
    wallet_request_decline.tenant_id, wallet_request_decline.request_id, 'declined'
  );
end;
$$;
comment on function public.wallet_request_decline(uuid, uuid) is
  'Refuses a request (for its payer); done again it changes nothing. Permission wallet.transfer. Raises wallet.not_found, wallet.request_resolved.';
grant execute on function public.wallet_request_decline(uuid, uuid) to authenticated;

create function public.wallet_request_cancel(tenant_id uuid, request_id uuid)
returns public.wallet_requests
language plpgsql
volatile
security definer -- clients may not write requests
set search_path = ''
as $$
begin
  return private.wallet_resolve_request(
    wallet_request_cancel.tenant_id, wallet_request_cancel.request_id, 'cancelled'
  );
end;
$$;
comment on function public.wallet_request_cancel(uuid, uuid) is
  'Takes a request back (for its payee); done again it changes nothing. Permission wallet.transfer. Raises wallet.not_found, wallet.request_resolved.';
grant execute on function public.wallet_request_cancel(uuid, uuid) to authenticated;

create function private.wallet_expire_requests()
returns integer
language plpgsql
volatile
security definer -- nobody else writes requests
set search_path = ''
as $$
declare
  v_request public.wallet_requests;
  v_expired integer := 0;
begin
  for v_request in
    select r.* from public.wallet_requests r
    where r.status = 'pending' and r.expires_at <= now()
    order by r.expires_at
    limit 500
    for no key update skip locked
  loop
    update public.wallet_requests r set status = 'expired'
    where r.tenant_id = v_request.tenant_id and r.id = v_request.id;
    perform private.wallet_tell(
      'WALLET_REQUEST_RESOLVED', 'wallet.request_expired', v_request.tenant_id,
      'wallet_requests:' || v_request.id, null, jsonb_build_object('request_id', v_request.id)
    );
    v_expired := v_expired + 1;
  end loop;
  return v_expired;
end;
$$;
comment on function private.wallet_expire_requests() is 'Ends requests that ran out, 500 at a time; returns how many.';
