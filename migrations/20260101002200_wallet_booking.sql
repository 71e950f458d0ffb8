-- Wallet, booking: what every movement is made of. The key is written first: whoever comes second with
-- it waits there, and then finds the stored answer. Then the transfer and its legs and the line of the
-- trail, all in the caller's transaction. What is told to people is made of that line (wallet_following).

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
  'A transfer as its payer sees it. balance_after is the payer''s balance right after it, also when replayed; null where the payer is the system, or where there are several.';

-- On this path each expression counts: plpgsql makes every one of them ready anew in each transaction,
-- which takes longer than running it. So what is nearly always so is asked in one.
create function private.wallet_check_request(amount bigint, idempotency_key text, memo text, category text)
returns boolean
language plpgsql
immutable
security invoker
set search_path = ''
as $$
begin
  if char_length(idempotency_key) between 1 and 255 and amount between 1 and 9007199254740991
    and coalesce(char_length(memo), 0) <= 500 and coalesce(char_length(category), 0) <= 60 then
    return true;
  elsif idempotency_key is null or char_length(idempotency_key) not between 1 and 255 then
    raise sqlstate 'PT422' using message = 'wallet.key_required';
  elsif amount is null or amount not between 1 and 9007199254740991 then
    raise sqlstate 'PT422' using message = 'wallet.invalid_amount';
  elsif char_length(memo) > 500 then
    raise sqlstate 'PT422' using message = 'request.invalid', detail = 'memo: at most 500 characters';
  end if;
  raise sqlstate 'PT422' using message = 'request.invalid', detail = 'category: at most 60 characters';
end;
$$;
comment on function private.wallet_check_request(bigint, text, text, text) is
  'True, or raises wallet.key_required, wallet.invalid_amount, request.invalid.';

create function private.wallet_receipt_of(tenant_id uuid, transfer_id uuid)
returns public.wallet_receipt
language plpgsql
stable
security definer -- reads past policies what the caller did
set search_path = ''
as $$
#variable_conflict use_column
declare
  v_receipt public.wallet_receipt;
begin
  select t.id, t.amount, t.currency, t.from_account, t.to_account, t.created_at, e.balance_after, true
  into v_receipt
  from public.wallet_transfers t
  left join public.wallet_entries e
    on e.tenant_id = t.tenant_id and e.transfer_id = t.id and e.account_id = t.from_account
  where t.tenant_id = wallet_receipt_of.tenant_id and t.id = wallet_receipt_of.transfer_id;
  return v_receipt;
end;
$$;
comment on function private.wallet_receipt_of(uuid, uuid) is 'The receipt of a stored transfer.';

create function private.wallet_claim(
  tenant_id uuid, actor uuid, operation text, key text, request jsonb, result_id uuid
)
returns uuid
language plpgsql
volatile
security definer -- nobody else writes keys
set search_path = ''
as $$
#variable_conflict use_column
declare
  v_key public.wallet_keys;
begin
  insert into public.wallet_keys (tenant_id, person_id, operation, key, digest, result_id)
  values (
    wallet_claim.tenant_id, coalesce(wallet_claim.actor, private.platform()), wallet_claim.operation,
    wallet_claim.key, sha256(convert_to(request::text, 'UTF8')), wallet_claim.result_id
  )
  on conflict do nothing;
  if found then
    return null;
  end if;
  -- A statement of its own: the row it waited for was committed after the other's snapshot.
  select * into v_key from public.wallet_keys k
  where k.tenant_id = wallet_claim.tenant_id
    and k.person_id = coalesce(wallet_claim.actor, private.platform())
    and k.operation = wallet_claim.operation and k.key = wallet_claim.key;
  if v_key.digest <> sha256(convert_to(request::text, 'UTF8')) then
    raise sqlstate 'PT422' using message = 'wallet.idempotency_mismatch';
  end if;
  return v_key.result_id;
end;
$$;
comment on function private.wallet_claim(uuid, uuid, text, text, jsonb, uuid) is
  'Takes the key for what is about to be made and returns null; or, when it was used, the id of what was made then. Raises wallet.idempotency_mismatch.';

create function private.wallet_enter(
  tenant_id uuid,
  transfer_id uuid,
  kind text,
  actor uuid,
  from_account uuid,
  to_account uuid,
  amount bigint,
  currency text,
  legs private.wallet_leg[],
  memo text,
  category text,
  part_of uuid default null,
  forced boolean default false
)
returns public.wallet_receipt
language plpgsql
volatile
security definer -- nobody else writes the ledger
set search_path = ''
as $$
#variable_conflict use_column
declare
  v_left bigint := private.wallet_post(
    wallet_enter.tenant_id, wallet_enter.transfer_id, wallet_enter.currency, legs, forced
  );
begin
  insert into public.wallet_transfers (
    tenant_id, id, kind, currency, amount, from_account, to_account, actor, part_of
  )
  values (
    wallet_enter.tenant_id, wallet_enter.transfer_id, wallet_enter.kind, wallet_enter.currency,
    wallet_enter.amount, wallet_enter.from_account, wallet_enter.to_account, wallet_enter.actor,
    wallet_enter.part_of
  );
  if wallet_enter.memo <> '' or wallet_enter.category <> '' then
    insert into public.wallet_memos (tenant_id, transfer_id, memo, category)
    values (
      wallet_enter.tenant_id, wallet_enter.transfer_id, nullif(wallet_enter.memo, ''),
      nullif(wallet_enter.category, '')
    );
  end if;
  -- The line of the trail is the transfer's outbox, too: private.wallet_follow makes of it what is told.
  -- Asked, not performed: perform would run a statement of its own for each, at ten times the price.
  if private.audit(
      case kind
        when 'settlement' then 'WALLET_SETTLED'
        when 'reversal' then 'WALLET_REVERSED'
        when 'capture' then 'WALLET_CAPTURED'
        else 'WALLET_TRANSFER'
      end,
      'wallet_transfers:' || transfer_id, null, null, tenant_id, actor
    ) is null
    or private.audit_wake() is null
  then
    raise exception 'transfer % left no line', transfer_id;
  end if;
  return row(
    transfer_id, amount, currency, from_account, to_account, now(),
    case when from_account is not null then v_left end, false
  )::public.wallet_receipt;
end;
$$;
comment on function private.wallet_enter(
  uuid, uuid, text, uuid, uuid, uuid, bigint, text, private.wallet_leg[], text, text, uuid, boolean
) is
  'Makes a transfer of these legs: ledger and trail together. from_account and to_account are null where several pay or are paid. Raises as private.wallet_refuse.';

create function private.wallet_book(
  transfer public.wallet_transfers,
  legs private.wallet_leg[],
  memo text,
  category text,
  forced boolean default false
)
returns public.wallet_receipt
language plpgsql
volatile
security definer -- nobody else writes the ledger
set search_path = ''
as $$
begin
  return private.wallet_enter(
    transfer.tenant_id, transfer.id, transfer.kind, transfer.actor, transfer.from_account,
    transfer.to_account, transfer.amount, transfer.currency, legs, wallet_book.memo, wallet_book.category,
    transfer.part_of, forced
  );
end;
$$;
comment on function private.wallet_book(public.wallet_transfers, private.wallet_leg[], text, text, boolean) is
  'As private.wallet_enter, for who has the transfer''s row at hand.';

create function private.wallet_move(
  tenant_id uuid,
  transfer_id uuid,
  kind text,
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
begin
  return private.wallet_enter(
    tenant_id, transfer_id, kind, actor, from_account, to_account, amount, currency,
    private.wallet_pair(from_account, to_account, amount), memo, category
  );
end;
$$;
comment on function private.wallet_move(uuid, uuid, text, uuid, uuid, uuid, bigint, text, text, text) is
  'Moves an amount from one account to another. Raises as private.wallet_refuse.';
