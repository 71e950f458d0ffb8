-- Wallet, what becomes of holds: the payee captures or voids, an admin may do either for them, and a
-- schedule ends what ran out. The hold's row is locked first: of two who resolve it, one finds it resolved.

create function private.wallet_lock_hold(tenant_id uuid, hold_id uuid, person uuid)
returns public.wallet_holds
language plpgsql
volatile
security definer -- locks holds past their policies
set search_path = ''
as $$
#variable_conflict use_column
declare
  v_hold public.wallet_holds;
begin
  select * into v_hold from public.wallet_holds h
  where h.tenant_id = wallet_lock_hold.tenant_id and h.id = wallet_lock_hold.hold_id
  for no key update;
  if not exists (
    select from public.wallet_ledger_accounts a
    where a.tenant_id = v_hold.tenant_id and a.id in (v_hold.from_account, v_hold.to_account)
      and (
        a.person_id = wallet_lock_hold.person
        or private.can(a.tenant_id, 'wallet.settle')
        or exists (
          select from public.wallet_agents g
          where g.tenant_id = a.tenant_id and g.organisation_id = a.organisation_id
            and g.person_id = wallet_lock_hold.person
        )
      )
  ) then
    raise sqlstate 'PT404' using message = 'wallet.not_found';
  elsif not private.can(v_hold.tenant_id, 'wallet.settle') and not exists (
    select from public.wallet_ledger_accounts a
    left join public.wallet_agents g
      on g.tenant_id = a.tenant_id and g.organisation_id = a.organisation_id
      and g.person_id = wallet_lock_hold.person
    where a.tenant_id = v_hold.tenant_id and a.id = v_hold.to_account
      and (a.person_id = wallet_lock_hold.person or g.person_id is not null)
  ) then
    raise sqlstate 'PT403' using message = 'members.permission_denied', detail = 'wallet.settle';
  end if;
  return v_hold;
end;
$$;
comment on function private.wallet_lock_hold(uuid, uuid, uuid) is
  'The hold, locked, for its payee or who holds wallet.settle. Raises wallet.not_found for strangers, members.permission_denied for the payer.';

create function private.wallet_require_held(hold public.wallet_holds)
returns void
language plpgsql
stable
security invoker
set search_path = ''
as $$
begin
  if hold.status = 'expired' or hold.status = 'held' and hold.expires_at <= now() then
    raise sqlstate 'PT409' using message = 'wallet.hold_expired';
  elsif hold.status <> 'held' then
    raise sqlstate 'PT409' using message = 'wallet.hold_resolved', detail = hold.status;
  end if;
end;
$$;
comment on function private.wallet_require_held(public.wallet_holds) is 'Raises wallet.hold_resolved or wallet.hold_expired.';

create function private.wallet_unspend(hold public.wallet_holds, amount bigint)
returns void
language plpgsql
volatile
security definer -- nobody else writes accounts
set search_path = ''
as $$
#variable_conflict use_column
begin
  update public.wallet_ledger_accounts a set spent = greatest(a.spent - wallet_unspend.amount, 0)
  from public.tenants t
  where a.tenant_id = hold.tenant_id and a.id = hold.from_account and a.daily_limit is not null
    and t.id = a.tenant_id and a.spent_on = (hold.created_at at time zone t.time_zone)::date;
end;
$$;
comment on function private.wallet_unspend(public.wallet_holds, bigint) is
  'Gives back what a hold took of its day''s daily limit and nobody received.';

create function public.wallet_capture(
  tenant_id uuid, hold_id uuid, idempotency_key text, amount bigint default null, memo text default null,
  category text default null
)
returns public.wallet_receipt
language plpgsql
volatile
security definer -- clients may not write the ledger
set search_path = ''
as $$
#variable_conflict use_column
declare
  v_person uuid := private.require(wallet_capture.tenant_id, 'wallet.transfer');
  v_transfer public.wallet_transfers;
  v_hold public.wallet_holds;
  v_earlier uuid;
  v_receipt public.wallet_receipt;
begin
  perform private.wallet_check_request(coalesce(wallet_capture.amount, 1), idempotency_key, memo, category);
  v_transfer.id := private.uuid_v7();
  v_earlier := private.wallet_claim(
    wallet_capture.tenant_id, v_person, 'wallet_capture', idempotency_key,
    jsonb_build_array(wallet_capture.hold_id, wallet_capture.amount, memo, category), v_transfer.id
  );
  if v_earlier is not null then
    return private.wallet_receipt_of(wallet_capture.tenant_id, v_earlier);
  end if;

  v_hold := private.wallet_lock_hold(wallet_capture.tenant_id, wallet_capture.hold_id, v_person);
  perform private.wallet_require_held(v_hold);
  if wallet_capture.amount > v_hold.amount then
    raise sqlstate 'PT422' using message = 'wallet.invalid_amount', detail = 'more than was held';
  end if;
  v_transfer.tenant_id := v_hold.tenant_id;
  v_transfer.kind := 'capture';
  v_transfer.currency := v_hold.currency;
  v_transfer.amount := coalesce(wallet_capture.amount, v_hold.amount);
  v_transfer.from_account := v_hold.from_account;
  v_transfer.to_account := v_hold.to_account;
  v_transfer.actor := v_person;
  v_receipt := private.wallet_book(
    v_transfer,
    private.wallet_pair(v_hold.from_account, v_hold.to_account, v_transfer.amount, -v_hold.amount),
    memo, category
  );
  perform private.wallet_unspend(v_hold, v_hold.amount - v_transfer.amount);
  update public.wallet_holds h
  set status = 'captured', captured = v_transfer.amount, transfer_id = v_transfer.id
  where h.tenant_id = v_hold.tenant_id and h.id = v_hold.id;
  return v_receipt;
end;
$$;
comment on function public.wallet_capture(uuid, uuid, text, bigint, text, text) is
  'Takes what was held, or the given part of it, and releases the rest: for the payee, or with wallet.settle. Raises wallet.key_required, wallet.idempotency_mismatch, wallet.not_found, members.permission_denied, wallet.hold_resolved, wallet.hold_expired, wallet.invalid_amount, wallet.limit_exceeded, wallet.account_frozen, wallet.account_closed.';
grant execute on function public.wallet_capture(uuid, uuid, text, bigint, text, text) to authenticated;

create function private.wallet_release(hold public.wallet_holds, status text, actor uuid)
returns public.wallet_holds
language plpgsql
volatile
security definer -- nobody else writes the ledger
set search_path = ''
as $$
#variable_conflict use_column
begin
  perform private.wallet_post_held(hold, -hold.amount);
  perform private.wallet_unspend(hold, hold.amount);
  update public.wallet_holds h set status = wallet_release.status
  where h.tenant_id = hold.tenant_id and h.id = hold.id;
  perform private.wallet_tell(
    'WALLET_VOIDED', 'wallet.hold_' || wallet_release.status, hold.tenant_id, 'wallet_holds:' || hold.id,
    wallet_release.actor, jsonb_build_object('hold_id', hold.id)
  );
  return private.wallet_hold_of(hold.tenant_id, hold.id);
end;
$$;
comment on function private.wallet_release(public.wallet_holds, text, uuid) is 'Gives what was held back to the payer''s disposal.';

create function public.wallet_void(tenant_id uuid, hold_id uuid)
returns public.wallet_holds
language plpgsql
volatile
security definer -- clients may not write the ledger
set search_path = ''
as $$
#variable_conflict use_column
declare
  v_person uuid := private.require(wallet_void.tenant_id, 'wallet.transfer');
  v_hold public.wallet_holds := private.wallet_lock_hold(
    wallet_void.tenant_id, wallet_void.hold_id, v_person
  );
begin
  if v_hold.status = 'voided' then
    return v_hold;
  end if;
  perform private.wallet_require_held(v_hold);
  return private.wallet_release(v_hold, 'voided', v_person);
end;
$$;
comment on function public.wallet_void(uuid, uuid) is
  'Releases what was held: for the payee, or with wallet.settle. Done again it changes nothing. Raises wallet.not_found, members.permission_denied, wallet.hold_resolved, wallet.hold_expired.';
grant execute on function public.wallet_void(uuid, uuid) to authenticated;

create function private.wallet_expire_holds()
returns integer
language plpgsql
volatile
security definer -- nobody else writes the ledger
set search_path = ''
as $$
#variable_conflict use_column
declare
  v_hold public.wallet_holds;
  v_expired integer := 0;
begin
  -- What somebody is resolving right now is left to them; accounts in order, as everywhere.
  for v_hold in
    select * from (
      select h.* from public.wallet_holds h
      where h.status = 'held' and h.expires_at <= now()
      order by h.expires_at
      limit 500
      for no key update skip locked
    ) due
    order by due.tenant_id, due.from_account
  loop
    perform private.wallet_release(v_hold, 'expired', null);
    v_expired := v_expired + 1;
  end loop;
  return v_expired;
end;
$$;
comment on function private.wallet_expire_holds() is 'Releases holds that ran out, 500 at a time; returns how many.';
