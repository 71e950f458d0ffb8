-- Wallet, notices by the worker: one door for all kinds of jobs that the wallet leaves.

create function private.wallet_notify_hold(tenant_id uuid, hold uuid, kind text)
returns integer
language plpgsql
volatile
security definer -- reads the ledger past its policies
set search_path = ''
as $$
#variable_conflict use_column
declare
  v_hold public.wallet_holds := private.wallet_hold_of(wallet_notify_hold.tenant_id, wallet_notify_hold.hold);
  v_account public.wallet_ledger_accounts;
  v_count integer := 0;
begin
  -- The payee hears that something waits for them, the payer that it is theirs again, both that it ran out.
  for v_account in
    select * from public.wallet_ledger_accounts a
    where a.tenant_id = v_hold.tenant_id and (
      a.id = v_hold.to_account and wallet_notify_hold.kind <> 'wallet.hold_voided'
      or a.id = v_hold.from_account and wallet_notify_hold.kind <> 'wallet.held'
    )
    -- What was resolved before the worker came is no news any more.
    and (wallet_notify_hold.kind <> 'wallet.held' or v_hold.status = 'held')
    order by a.id
  loop
    v_count := v_count + private.wallet_tell_holders(
      v_account, wallet_notify_hold.kind, v_hold.amount, 'wallet_holds:' || v_hold.id,
      jsonb_build_object(
        'hold_id', v_hold.id::text,
        'name', private.wallet_holder_name(
          v_hold.tenant_id,
          case v_account.id when v_hold.from_account then v_hold.to_account else v_hold.from_account end
        )
      ),
      case wallet_notify_hold.kind when 'wallet.held' then v_hold.actor end
    );
  end loop;
  return v_count;
end;
$$;
comment on function private.wallet_notify_hold(uuid, uuid, text) is
  'Tells the parties what became of a hold. Returns how many.';

create function private.wallet_notify_request(tenant_id uuid, request uuid, kind text)
returns integer
language plpgsql
volatile
security definer -- reads requests past their policies
set search_path = ''
as $$
#variable_conflict use_column
declare
  v_request public.wallet_requests := private.wallet_request_of(
    wallet_notify_request.tenant_id, wallet_notify_request.request
  );
  v_to_payer boolean := wallet_notify_request.kind in (
    'wallet.requested', 'wallet.request_reminder', 'wallet.request_cancelled'
  );
  v_told uuid := case when v_to_payer then v_request.payer else v_request.payee end;
  v_other uuid := case when v_to_payer then v_request.payee else v_request.payer end;
  v_account public.wallet_ledger_accounts;
begin
  if wallet_notify_request.kind in ('wallet.requested', 'wallet.request_reminder')
    and (v_request.status <> 'pending' or v_request.expires_at <= now())
  then
    return 0; -- Paid or answered before the worker came.
  end if;
  select * into v_account from public.wallet_ledger_accounts a
  where a.tenant_id = v_request.tenant_id and a.person_id = v_told and a.currency = v_request.currency;
  return private.wallet_tell_holders(
    v_account, wallet_notify_request.kind, v_request.amount, 'wallet_requests:' || v_request.id,
    jsonb_build_object(
      'request_id', v_request.id::text,
      'name', (
        select m.display_name from public.members m
        where m.tenant_id = v_request.tenant_id and m.person_id = v_other
      )
    )
  );
end;
$$;
comment on function private.wallet_notify_request(uuid, uuid, text) is
  'Asks the payer, reminds them, or tells the other side how it ended. Returns how many were told.';

create function private.wallet_notify_account(tenant_id uuid, account uuid, kind text, about text)
returns integer
language plpgsql
volatile
security definer -- reads accounts past their policies
set search_path = ''
as $$
#variable_conflict use_column
declare
  v_account public.wallet_ledger_accounts;
  v_alert text := nullif(split_part(wallet_notify_account.kind, 'balance_', 2), '');
begin
  select * into v_account from public.wallet_ledger_accounts a
  where a.tenant_id = wallet_notify_account.tenant_id and a.id = wallet_notify_account.account;
  -- A balance that has left the limit meanwhile needs no word.
  if wallet_notify_account.kind not like 'wallet.account%'
    and (v_account.alert is null or v_alert <> v_account.alert)
  then
    return 0;
  end if;
  return private.wallet_tell_holders(
    v_account, wallet_notify_account.kind, v_account.balance, wallet_notify_account.about,
    jsonb_build_object('name', private.wallet_holder_name(v_account.tenant_id, v_account.id))
  );
end;
$$;
comment on function private.wallet_notify_account(uuid, uuid, text, text) is
  'Tells the holders of an account that it was frozen or closed, or that its balance is beyond a soft limit, if it still is. Returns how many.';

create function private.wallet_notify_broken(tenant_id uuid, about text)
returns integer
language plpgsql
volatile
security definer -- reads members past their policies
set search_path = ''
as $$
#variable_conflict use_column
declare
  v_told record;
  v_count integer := 0;
begin
  for v_told in
    select m.tenant_id, m.person_id
    from public.members m
    join public.role_permissions rp on rp.tenant_id = m.tenant_id and rp.role = m.role
    where m.status = 'active' and (
      m.tenant_id = wallet_notify_broken.tenant_id and rp.permission = 'wallet.manage'
      or m.tenant_id = private.platform() and rp.permission = 'tenants.create'
    )
    order by m.person_id, m.tenant_id
  loop
    perform private.notify(
      v_told.person_id, 'wallet.broken',
      jsonb_build_object(
        'about', wallet_notify_broken.about,
        'name', (select t.name from public.tenants t where t.id = wallet_notify_broken.tenant_id)
      ),
      v_told.tenant_id
    );
    v_count := v_count + 1;
  end loop;
  return v_count;
end;
$$;
comment on function private.wallet_notify_broken(uuid, text) is
  'Tells who manages the tenant''s wallet, and the operators, that its ledger does not add up. Returns how many.';

create function public.wallet_notify(tenant_id uuid, kind text, subject uuid, job uuid)
returns integer
language plpgsql
volatile
security definer -- nobody else writes notices
set search_path = ''
as $$
#variable_conflict use_column
declare
  v_about text := 'jobs:' || job;
begin
  return case
    when kind = 'wallet.transferred' then private.wallet_notify_transfer(tenant_id, subject)
    when kind in ('wallet.held', 'wallet.hold_voided', 'wallet.hold_expired')
      then private.wallet_notify_hold(tenant_id, subject, kind)
    when kind like 'wallet.request%' then private.wallet_notify_request(tenant_id, subject, kind)
    when kind = 'wallet.broken' then private.wallet_notify_broken(tenant_id, v_about)
    else private.wallet_notify_account(tenant_id, subject, kind, v_about)
  end;
end;
$$;
comment on function public.wallet_notify(uuid, text, uuid, uuid) is
  'For the worker: tells of what a job of the wallet is about, and returns how many people. The same job again tells nobody anew.';
grant execute on function public.wallet_notify(uuid, text, uuid, uuid) to service_role;
