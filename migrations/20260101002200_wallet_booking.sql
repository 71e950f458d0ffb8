-- Wallet, booking: what every movement is made of. The key is written first: whoever comes second with
-- it waits there, and then finds the stored answer. Then the transfer and its legs, the line of the
-- trail, the job of the outbox and the announcements, all in the caller's transaction.

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

create function private.wallet_book(
  transfer public.wallet_transfers,
  legs private.wallet_leg[],
  memo text,
  category text,
  forced boolean default false,
  quiet boolean default false
)
returns public.wallet_receipt
language plpgsql
volatile
security definer -- nobody else writes the ledger
set search_path = ''
as $$
#variable_conflict use_column
declare
  v_posted private.wallet_posted[];
  v_leg private.wallet_posted;
  v_resource text := 'wallet_transfers:' || transfer.id;
  v_balance bigint;
begin
  insert into public.wallet_transfers (
    tenant_id, id, kind, currency, amount, from_account, to_account, actor, part_of
  )
  values (
    transfer.tenant_id, transfer.id, transfer.kind, transfer.currency, transfer.amount,
    transfer.from_account, transfer.to_account, transfer.actor, transfer.part_of
  );
  v_posted := private.wallet_post(
    transfer.tenant_id, transfer.id, transfer.currency, wallet_book.legs, wallet_book.forced
  );
  if wallet_book.memo <> '' or wallet_book.category <> '' then
    insert into public.wallet_memos (tenant_id, transfer_id, memo, category)
    values (
      transfer.tenant_id, transfer.id, nullif(wallet_book.memo, ''), nullif(wallet_book.category, '')
    );
  end if;

  -- Asked, not performed: perform would run a statement of its own for each, at ten times the price.
  if private.audit(
      case transfer.kind
        when 'settlement' then 'WALLET_SETTLED'
        when 'reversal' then 'WALLET_REVERSED'
        when 'capture' then 'WALLET_CAPTURED'
        else 'WALLET_TRANSFER'
      end,
      v_resource, null, null, transfer.tenant_id, transfer.actor
    ) is null
    or private.enqueue(
      'wallet.transferred', jsonb_build_object('transfer_id', transfer.id), transfer.tenant_id, v_resource
    ) is null
    or not quiet
      and private.announce_all('wallet:transfer', private.wallet_told(transfer, v_posted)) is null
  then
    raise exception 'transfer % left no line, job or announcement', transfer.id;
  end if;

  foreach v_leg in array v_posted loop
    if v_leg.account_id = transfer.from_account then
      v_balance := v_leg.balance_after;
    end if;
  end loop;
  return row(
    transfer.id, transfer.amount, transfer.currency, transfer.from_account, transfer.to_account, now(),
    v_balance, false
  )::public.wallet_receipt;
end;
$$;
comment on function private.wallet_book(public.wallet_transfers, private.wallet_leg[], text, text, boolean, boolean) is
  'Makes a transfer of these legs: ledger, trail, outbox and, unless quiet, announcements together. Raises as private.wallet_refuse.';

-- The plan is pinned: with the array at hand Postgres would think the query through at each call, which
-- takes five times as long as running it.
create function private.wallet_told(transfer public.wallet_transfers, posted private.wallet_posted[])
returns private.announcement[]
language plpgsql
stable
security definer -- reads members past their policies
set search_path = ''
set enable_seqscan = off
set enable_hashjoin = off
set enable_mergejoin = off
set plan_cache_mode = force_generic_plan
as $$
#variable_conflict use_column
declare
  v_told private.announcement[];
begin
  -- A channel outlives the membership: what it may carry is asked at each sending, for all at once.
  select array_agg(row(
    m.person_id,
    jsonb_build_object(
      'tenant_id', transfer.tenant_id,
      'transfer_id', transfer.id,
      'account_id', leg.account_id,
      'currency', transfer.currency,
      'amount', leg.amount,
      'counterpart', case
        when cardinality(posted) <> 2 then null
        when posted[1].account_id = leg.account_id then posted[2].person_id
        else posted[1].person_id
      end,
      'balance_after', leg.balance_after,
      'created_at', now()
    )
  )::private.announcement)
  into v_told
  from unnest(posted) leg
  left join public.wallet_agents g
    on leg.organisation_id is not null
    and g.tenant_id = transfer.tenant_id and g.organisation_id = leg.organisation_id
  join public.members m
    on m.tenant_id = transfer.tenant_id and m.person_id = coalesce(leg.person_id, g.person_id)
    and m.status = 'active'
  join public.roles r on r.tenant_id = m.tenant_id and r.slug = m.role
  join public.role_permissions rp
    on rp.tenant_id = m.tenant_id and rp.role = m.role and rp.permission = 'wallet.read'
  where coalesce(r.two_factor_from > now(), true)
    or exists (select from private.trust_factors f where f.person_id = m.person_id);
  return v_told;
end;
$$;
comment on function private.wallet_told(public.wallet_transfers, private.wallet_posted[]) is
  'Whom a transfer is announced to, as wallet:transfer on their own channel: each person it touches, agents of organisations included, who is an active member with wallet.read. Null where there is nobody.';

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
  return private.wallet_book(
    row(
      wallet_move.tenant_id, wallet_move.transfer_id, wallet_move.kind, wallet_move.currency,
      wallet_move.amount, wallet_move.from_account, wallet_move.to_account, wallet_move.actor, null, null
    )::public.wallet_transfers,
    private.wallet_pair(wallet_move.from_account, wallet_move.to_account, wallet_move.amount),
    wallet_move.memo, wallet_move.category
  );
end;
$$;
comment on function private.wallet_move(uuid, uuid, text, uuid, uuid, uuid, bigint, text, text, text) is
  'Moves an amount from one account to another. Raises as private.wallet_refuse.';
