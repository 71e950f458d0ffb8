-- Wallet, transfers: one call, one statement, one transaction. The key is written first: whoever
-- comes second with it waits there, and then finds the stored answer.

create type public.wallet_receipt as (
  id uuid,
  amount bigint,
  currency text,
  from_account uuid,
  to_account uuid,
  created_at timestamptz,
  balance_after bigint,
  replayed boolean
);
comment on type public.wallet_receipt is
  'A transfer as its payer sees it. balance_after is the payer''s balance right after it, also when replayed; null where the payer is the system.';

create function private.wallet_check_request(amount bigint, idempotency_key text, memo text, category text)
returns void
language plpgsql
immutable
security invoker
set search_path = ''
as $$
begin
  if idempotency_key is null or char_length(idempotency_key) not between 1 and 255 then
    raise sqlstate 'PT422' using message = 'wallet.key_required';
  elsif amount is null or amount not between 1 and 9007199254740991 then
    raise sqlstate 'PT422' using message = 'wallet.invalid_amount';
  elsif char_length(memo) > 500 then
    raise sqlstate 'PT422' using message = 'request.invalid', detail = 'memo: at most 500 characters';
  elsif char_length(category) > 60 then
    raise sqlstate 'PT422' using message = 'request.invalid', detail = 'category: at most 60 characters';
  end if;
end;
$$;
comment on function private.wallet_check_request(bigint, text, text, text) is
  'Raises wallet.key_required, wallet.invalid_amount or request.invalid.';

create function private.wallet_receipt_of(tenant_id uuid, transfer_id uuid)
returns public.wallet_receipt
language sql
stable
security definer -- reads past policies what the caller did
set search_path = ''
as $$
  select t.id, t.amount, t.currency, t.from_account, t.to_account, t.created_at, e.balance_after, true
  from public.wallet_transfers t
  join public.wallet_entries e
    on e.tenant_id = t.tenant_id and e.transfer_id = t.id and e.account_id = t.from_account
  where t.tenant_id = wallet_receipt_of.tenant_id and t.id = wallet_receipt_of.transfer_id;
$$;
comment on function private.wallet_receipt_of(uuid, uuid) is 'The receipt of a stored transfer.';

create function private.wallet_replay(tenant_id uuid, person uuid, operation text, key text, digest bytea)
returns public.wallet_receipt
language plpgsql
volatile -- the row it waited for was committed after the statement's snapshot
security definer -- reads past policies what the caller once did
set search_path = ''
as $$
#variable_conflict use_column
declare
  v_key public.wallet_keys;
begin
  select * into v_key from public.wallet_keys k
  where k.tenant_id = wallet_replay.tenant_id and k.person_id = wallet_replay.person
    and k.operation = wallet_replay.operation and k.key = wallet_replay.key;
  if v_key.digest <> wallet_replay.digest then
    raise sqlstate 'PT422' using message = 'wallet.idempotency_mismatch';
  end if;
  return private.wallet_receipt_of(v_key.tenant_id, v_key.transfer_id);
end;
$$;
comment on function private.wallet_replay(uuid, uuid, text, text, bytea) is
  'The stored answer to a key that was used. Raises wallet.idempotency_mismatch when the body differs.';

create function private.wallet_claim(
  tenant_id uuid, actor uuid, operation text, key text, request jsonb, transfer_id uuid
)
returns public.wallet_receipt
language plpgsql
volatile
security definer -- nobody else writes keys
set search_path = ''
as $$
#variable_conflict use_column
declare
  v_owner uuid := coalesce(wallet_claim.actor, private.platform());
  v_digest bytea := sha256(convert_to(request::text, 'UTF8'));
begin
  insert into public.wallet_keys (tenant_id, person_id, operation, key, digest, transfer_id)
  values (
    wallet_claim.tenant_id, v_owner, wallet_claim.operation, wallet_claim.key, v_digest,
    wallet_claim.transfer_id
  )
  on conflict do nothing;
  if found then
    return null;
  end if;
  return private.wallet_replay(
    wallet_claim.tenant_id, v_owner, wallet_claim.operation, wallet_claim.key, v_digest
  );
end;
$$;
comment on function private.wallet_claim(uuid, uuid, text, text, jsonb, uuid) is
  'Takes the key for a transfer about to be made and returns null; or, when it was used, the stored answer. Raises wallet.idempotency_mismatch.';

create function private.wallet_move(
  tenant_id uuid,
  transfer_id uuid,
  actor uuid,
  from_account uuid,
  to_account uuid,
  amount bigint,
  currency text,
  memo text,
  category text
)
returns public.wallet_receipt
language plpgsql
volatile
security definer -- nobody else writes the ledger
set search_path = ''
as $$
#variable_conflict use_column
declare
  v_receipt public.wallet_receipt;
begin
  insert into public.wallet_transfers (tenant_id, id, currency, amount, from_account, to_account, actor)
  values (
    wallet_move.tenant_id, wallet_move.transfer_id, wallet_move.currency, wallet_move.amount,
    wallet_move.from_account, wallet_move.to_account, wallet_move.actor
  );
  perform private.wallet_post(
    wallet_move.tenant_id, wallet_move.transfer_id,
    array[
      row(wallet_move.from_account, -wallet_move.amount)::private.wallet_leg,
      row(wallet_move.to_account, wallet_move.amount)::private.wallet_leg
    ]
  );
  if num_nonnulls(nullif(wallet_move.memo, ''), nullif(wallet_move.category, '')) > 0 then
    insert into public.wallet_memos (tenant_id, transfer_id, memo, category)
    values (
      wallet_move.tenant_id, wallet_move.transfer_id, nullif(wallet_move.memo, ''),
      nullif(wallet_move.category, '')
    );
  end if;

  perform private.audit(
    'WALLET_TRANSFER', 'wallet_transfers:' || wallet_move.transfer_id, null, null,
    wallet_move.tenant_id, wallet_move.actor
  );
  perform private.enqueue(
    'wallet.transferred', jsonb_build_object('transfer_id', wallet_move.transfer_id),
    wallet_move.tenant_id, 'wallet_transfers:' || wallet_move.transfer_id
  );
  perform private.wallet_announce(wallet_move.tenant_id, wallet_move.transfer_id);

  v_receipt := private.wallet_receipt_of(wallet_move.tenant_id, wallet_move.transfer_id);
  v_receipt.replayed := false;
  return v_receipt;
end;
$$;
comment on function private.wallet_move(uuid, uuid, uuid, uuid, uuid, bigint, text, text, text) is
  'Moves an amount between two accounts: ledger, audit, outbox and announcement together. Raises wallet.insufficient_funds.';

create function private.wallet_announce(tenant_id uuid, transfer_id uuid)
returns void
language sql
volatile
security definer -- clients may not write realtime.messages
set search_path = ''
as $$
  select private.announce(
    a.person_id,
    'wallet:transfer',
    jsonb_build_object(
      'tenant_id', e.tenant_id,
      'transfer_id', e.transfer_id,
      'currency', a.currency,
      'amount', e.amount,
      'counterpart', other.person_id,
      'balance_after', e.balance_after,
      'created_at', e.created_at
    )
  )
  from public.wallet_entries e
  join public.wallet_ledger_accounts a on a.tenant_id = e.tenant_id and a.id = e.account_id
  join public.wallet_entries other_entry
    on other_entry.tenant_id = e.tenant_id and other_entry.transfer_id = e.transfer_id
    and other_entry.account_id <> e.account_id
  join public.wallet_ledger_accounts other
    on other.tenant_id = other_entry.tenant_id and other.id = other_entry.account_id
  where e.tenant_id = wallet_announce.tenant_id and e.transfer_id = wallet_announce.transfer_id
    and a.person_id is not null;
$$;
comment on function private.wallet_announce(uuid, uuid) is
  'wallet:transfer on the own channel of each person the transfer touches.';

create function private.wallet_account_of(tenant_id uuid, person uuid, currency text)
returns uuid
language sql
stable
security definer -- reads accounts past their policies
set search_path = ''
as $$
  select a.id
  from public.wallet_ledger_accounts a
  join public.members m on m.tenant_id = a.tenant_id and m.person_id = a.person_id
  where a.tenant_id = wallet_account_of.tenant_id and a.person_id = wallet_account_of.person
    and a.currency = wallet_account_of.currency and m.status = 'active';
$$;
comment on function private.wallet_account_of(uuid, uuid, text) is 'The account of an active member; null where there is none.';

create function private.wallet_require_currency(tenant_id uuid, currency text)
returns void
language plpgsql
stable
security definer -- reads currencies past their policies
set search_path = ''
as $$
#variable_conflict use_column
begin
  if not exists (
    select from public.wallet_currencies c
    where c.tenant_id = wallet_require_currency.tenant_id and c.code = wallet_require_currency.currency
  ) then
    raise sqlstate 'PT422' using
      message = 'wallet.currency_unknown', detail = wallet_require_currency.currency;
  end if;
end;
$$;
comment on function private.wallet_require_currency(uuid, text) is 'Raises wallet.currency_unknown.';

create function public.wallet_transfer(
  tenant_id uuid,
  to_person uuid,
  amount bigint,
  currency text,
  idempotency_key text,
  memo text default null,
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
  v_person uuid := private.require(wallet_transfer.tenant_id, 'wallet.transfer');
  v_id uuid := private.uuid_v7();
  v_receipt public.wallet_receipt;
  v_from uuid;
  v_to uuid;
begin
  perform private.wallet_check_request(amount, idempotency_key, memo, category);
  if to_person = v_person then
    raise sqlstate 'PT422' using message = 'wallet.self_transfer';
  end if;
  v_receipt := private.wallet_claim(
    wallet_transfer.tenant_id, v_person, 'wallet_transfer', idempotency_key,
    jsonb_build_array(to_person, amount, currency, memo, category), v_id
  );
  if v_receipt.id is not null then
    return v_receipt;
  end if;

  v_from := private.wallet_account_of(wallet_transfer.tenant_id, v_person, currency);
  if v_from is null then
    perform private.wallet_require_currency(wallet_transfer.tenant_id, currency);
    raise sqlstate 'PT404' using message = 'wallet.not_found';
  end if;
  v_to := private.wallet_account_of(wallet_transfer.tenant_id, to_person, currency);
  if v_to is null then
    raise sqlstate 'PT404' using message = 'wallet.recipient_not_found';
  end if;
  return private.wallet_move(
    wallet_transfer.tenant_id, v_id, v_person, v_from, v_to, amount, currency, memo, category
  );
end;
$$;
comment on function public.wallet_transfer(uuid, uuid, bigint, text, text, text, text) is
  'Pays another active member of the tenant (permission wallet.transfer). amount: integer, 1 to 2^53-1, in the currency''s smallest unit. The same key and body again returns the stored answer with replayed. Raises wallet.key_required, wallet.invalid_amount, wallet.self_transfer, wallet.currency_unknown, wallet.not_found, wallet.recipient_not_found, wallet.idempotency_mismatch, wallet.insufficient_funds.';
grant execute on function public.wallet_transfer(uuid, uuid, bigint, text, text, text, text) to authenticated;

create function public.wallet_issue(
  tenant_id uuid,
  to_person uuid,
  amount bigint,
  currency text,
  idempotency_key text,
  memo text default null,
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
  v_id uuid := private.uuid_v7();
  v_actor uuid;
  v_receipt public.wallet_receipt;
  v_from uuid;
  v_to uuid;
begin
  if not private.is_system() then
    v_actor := private.require(wallet_issue.tenant_id, 'wallet.issue');
  end if;
  perform private.wallet_check_request(amount, idempotency_key, memo, category);
  v_receipt := private.wallet_claim(
    wallet_issue.tenant_id, v_actor, 'wallet_issue', idempotency_key,
    jsonb_build_array(to_person, amount, currency, memo, category), v_id
  );
  if v_receipt.id is not null then
    return v_receipt;
  end if;

  perform private.wallet_require_currency(wallet_issue.tenant_id, currency);
  select a.id into v_from
  from public.wallet_ledger_accounts a
  where a.tenant_id = wallet_issue.tenant_id and a.currency = wallet_issue.currency and a.purpose = 'issuance';
  v_to := private.wallet_account_of(wallet_issue.tenant_id, to_person, currency);
  if v_to is null then
    raise sqlstate 'PT404' using message = 'wallet.recipient_not_found';
  end if;
  return private.wallet_move(
    wallet_issue.tenant_id, v_id, v_actor, v_from, v_to, amount, currency, memo, category
  );
end;
$$;
comment on function public.wallet_issue(uuid, uuid, bigint, text, text, text, text) is
  'Brings value into circulation: from the tenant''s issuance account to a member (permission wallet.issue, or the secret key). Raises as wallet_transfer does.';
grant execute on function public.wallet_issue(uuid, uuid, bigint, text, text, text, text)
  to authenticated, service_role;
