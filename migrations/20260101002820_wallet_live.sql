-- Wallet, live: holds and requests on the own channels of those they concern, as transfers are. The
-- events carry what the rows say, so that nobody has to ask for it.

create function private.wallet_announce_hold()
returns trigger
language plpgsql
volatile
security definer -- reads accounts past their policies
set search_path = ''
as $$
#variable_conflict use_column
declare
  v_told record;
begin
  for v_told in
    select h.person_id, a.account
    from unnest(array[new.from_account, new.to_account]) a(account)
    cross join lateral private.wallet_holders(new.tenant_id, a.account) h(person_id)
  loop
    perform private.announce(
      v_told.person_id, 'wallet:hold',
      jsonb_build_object(
        'tenant_id', new.tenant_id,
        'hold_id', new.id,
        'account_id', v_told.account,
        'status', new.status,
        'currency', new.currency,
        'amount', new.amount,
        'captured', new.captured,
        'transfer_id', new.transfer_id,
        'expires_at', new.expires_at
      )
    );
  end loop;
  return null;
end;
$$;
comment on function private.wallet_announce_hold() is
  'After a hold was made or resolved: wallet:hold on the own channel of both parties, agents of organisations included, who are active members with wallet.read.';

create trigger wallet_holds_announce after insert or update of status on public.wallet_holds
  for each row execute function private.wallet_announce_hold();

create function private.wallet_announce_request()
returns trigger
language plpgsql
volatile
security definer -- reads members past their policies
set search_path = ''
as $$
#variable_conflict use_column
declare
  v_person uuid;
begin
  for v_person in
    select m.person_id
    from public.members m
    join public.role_permissions rp
      on rp.tenant_id = m.tenant_id and rp.role = m.role and rp.permission = 'wallet.read'
    where m.tenant_id = new.tenant_id and m.person_id in (new.payer, new.payee) and m.status = 'active'
  loop
    perform private.announce(
      v_person, 'wallet:request',
      jsonb_build_object(
        'tenant_id', new.tenant_id,
        'request_id', new.id,
        'status', new.status,
        'currency', new.currency,
        'amount', new.amount,
        'payer', new.payer,
        'payee', new.payee,
        'transfer_id', new.transfer_id,
        'expires_at', new.expires_at
      )
    );
  end loop;
  return null;
end;
$$;
comment on function private.wallet_announce_request() is
  'After a request was made or answered: wallet:request on the own channel of payer and payee, who are active members with wallet.read.';

create trigger wallet_requests_announce after insert or update of status on public.wallet_requests
  for each row execute function private.wallet_announce_request();
