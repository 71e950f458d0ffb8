-- Wallet, transfers: one call, one statement, one transaction.

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
      message = 'wallet.currency_unknown', detail = coalesce(wallet_require_currency.currency, 'null');
  end if;
end;
$$;
comment on function private.wallet_require_currency(uuid, text) is 'Raises wallet.currency_unknown.';

create function private.wallet_account_of(tenant_id uuid, person uuid, currency text)
returns uuid
language plpgsql
stable
security definer -- reads accounts past their policies
set search_path = ''
as $$
#variable_conflict use_column
begin
  return (
    select a.id
    from public.wallet_ledger_accounts a
    join public.members m on m.tenant_id = a.tenant_id and m.person_id = a.person_id
    where a.tenant_id = wallet_account_of.tenant_id and a.person_id = wallet_account_of.person
      and a.organisation_id is null and a.currency = wallet_account_of.currency
      and a.purpose = 'member' and m.status = 'active'
  );
end;
$$;
comment on function private.wallet_account_of(uuid, uuid, text) is 'The account of an active member; null where there is none.';

create function private.wallet_payer(tenant_id uuid, person uuid, currency text, account uuid)
returns uuid
language plpgsql
stable
security definer -- reads accounts past their policies
set search_path = ''
as $$
#variable_conflict use_column
declare
  v_account uuid;
begin
  if account is null then
    v_account := private.wallet_account_of(wallet_payer.tenant_id, wallet_payer.person, wallet_payer.currency);
  else
    select a.id into v_account
    from public.wallet_ledger_accounts a
    where a.tenant_id = wallet_payer.tenant_id and a.id = wallet_payer.account
      and a.currency = wallet_payer.currency
      and (
        a.person_id = wallet_payer.person
        or exists (
          select from public.wallet_agents g
          where g.tenant_id = a.tenant_id and g.organisation_id = a.organisation_id
            and g.person_id = wallet_payer.person
        )
        or a.purpose in ('community_fund', 'fees', 'till', 'hold')
          and private.can(wallet_payer.tenant_id, 'wallet.settle')
      );
  end if;
  if v_account is null then
    perform private.wallet_require_currency(wallet_payer.tenant_id, wallet_payer.currency);
    raise sqlstate 'PT404' using message = 'wallet.not_found';
  end if;
  return v_account;
end;
$$;
comment on function private.wallet_payer(uuid, uuid, text, uuid) is
  'The account a person pays from: their own, or the named one if it is their organisation''s, or a system account where they hold wallet.settle. Raises wallet.currency_unknown, wallet.not_found.';

create function private.wallet_payee(tenant_id uuid, person uuid, currency text, account uuid)
returns uuid
language plpgsql
stable
security definer -- reads accounts past their policies
set search_path = ''
as $$
#variable_conflict use_column
declare
  v_account uuid;
begin
  if person is not null and account is not null then
    raise sqlstate 'PT422' using
      message = 'request.invalid', detail = 'the payee: a person or an account, not both';
  elsif person is not null then
    v_account := private.wallet_account_of(wallet_payee.tenant_id, wallet_payee.person, wallet_payee.currency);
  else
    select a.id into v_account
    from public.wallet_ledger_accounts a
    where a.tenant_id = wallet_payee.tenant_id and a.id = wallet_payee.account
      and a.currency = wallet_payee.currency
      and a.purpose in ('organisation', 'community_fund', 'fees', 'till', 'hold');
  end if;
  if v_account is null then
    perform private.wallet_require_currency(wallet_payee.tenant_id, wallet_payee.currency);
    raise sqlstate 'PT404' using message = 'wallet.recipient_not_found';
  end if;
  return v_account;
end;
$$;
comment on function private.wallet_payee(uuid, uuid, text, uuid) is
  'The account that is paid: an active member''s, or else the named one of an organisation or the system. Raises request.invalid where both are named, wallet.currency_unknown, wallet.recipient_not_found.';

create function public.wallet_transfer(
  tenant_id uuid,
  to_person uuid,
  amount bigint,
  currency text,
  idempotency_key text,
  memo text default null,
  category text default null,
  from_account uuid default null,
  to_account uuid default null
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
  v_earlier uuid;
  v_from uuid;
  v_to uuid;
begin
  -- On this path each expression counts: what is nearly always so is asked in one.
  if (
    char_length(idempotency_key) between 1 and 255 and amount between 1 and 9007199254740991
    and coalesce(char_length(memo), 0) <= 500 and coalesce(char_length(category), 0) <= 60
  ) is not true then
    perform private.wallet_check_request(amount, idempotency_key, memo, category);
  end if;
  v_earlier := private.wallet_claim(
    wallet_transfer.tenant_id, v_person, 'wallet_transfer', idempotency_key,
    jsonb_build_array(to_person, amount, currency, memo, category, from_account, to_account), v_id
  );
  if v_earlier is not null then
    return private.wallet_receipt_of(wallet_transfer.tenant_id, v_earlier);
  end if;

  -- From member to member, as most transfers are: one read for both. What it does not find, the
  -- functions below judge.
  select
    (
      select a.id from public.wallet_ledger_accounts a
      where a.tenant_id = wallet_transfer.tenant_id and a.person_id = v_person
        and a.organisation_id is null and a.currency = wallet_transfer.currency and a.purpose = 'member'
    ),
    (
      select a.id
      from public.wallet_ledger_accounts a
      join public.members m on m.tenant_id = a.tenant_id and m.person_id = a.person_id
      where a.tenant_id = wallet_transfer.tenant_id and a.person_id = to_person
        and a.organisation_id is null and a.currency = wallet_transfer.currency and a.purpose = 'member'
        and m.status = 'active'
    )
  into v_from, v_to
  where wallet_transfer.from_account is null and wallet_transfer.to_account is null;
  if (v_from <> v_to) is not true then
    v_from := private.wallet_payer(wallet_transfer.tenant_id, v_person, currency, wallet_transfer.from_account);
    v_to := private.wallet_payee(wallet_transfer.tenant_id, to_person, currency, wallet_transfer.to_account);
    if v_from = v_to then
      raise sqlstate 'PT422' using message = 'wallet.self_transfer';
    end if;
  end if;
  return private.wallet_enter(
    wallet_transfer.tenant_id, v_id, 'transfer', v_person, v_from, v_to, amount, currency,
    private.wallet_pair(v_from, v_to, amount), memo, category
  );
end;
$$;
comment on function public.wallet_transfer(uuid, uuid, bigint, text, text, text, text, uuid, uuid) is
  'Pays another active member of the tenant (permission wallet.transfer); or, with to_person null, the account to_account of an organisation or the system. from_account: an organisation''s the caller acts for. amount: integer, 1 to 2^53-1, in the currency''s smallest unit. The same key and body again returns the stored answer with replayed. Raises wallet.key_required, wallet.invalid_amount, wallet.self_transfer, request.invalid, wallet.currency_unknown, wallet.not_found, wallet.recipient_not_found, wallet.idempotency_mismatch, wallet.insufficient_funds, wallet.limit_exceeded, wallet.account_frozen, wallet.account_closed.';
grant execute on function public.wallet_transfer(uuid, uuid, bigint, text, text, text, text, uuid, uuid)
  to authenticated;

create function public.wallet_issue(
  tenant_id uuid,
  to_person uuid,
  amount bigint,
  currency text,
  idempotency_key text,
  memo text default null,
  category text default null,
  to_account uuid default null
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
  v_earlier uuid;
begin
  if not private.is_system() then
    v_actor := private.require(wallet_issue.tenant_id, 'wallet.issue');
  end if;
  perform private.wallet_check_request(amount, idempotency_key, memo, category);
  v_earlier := private.wallet_claim(
    wallet_issue.tenant_id, v_actor, 'wallet_issue', idempotency_key,
    jsonb_build_array(to_person, amount, currency, memo, category, to_account), v_id
  );
  if v_earlier is not null then
    return private.wallet_receipt_of(wallet_issue.tenant_id, v_earlier);
  end if;
  return private.wallet_move(
    wallet_issue.tenant_id, v_id, 'issue', v_actor,
    private.wallet_system_account(wallet_issue.tenant_id, wallet_issue.currency, 'issuance'),
    private.wallet_payee(wallet_issue.tenant_id, to_person, currency, wallet_issue.to_account),
    amount, currency, memo, category
  );
end;
$$;
comment on function public.wallet_issue(uuid, uuid, bigint, text, text, text, text, uuid) is
  'Brings value into circulation: from the tenant''s issuance account to a member, or to the account to_account (permission wallet.issue, or the secret key). Raises as wallet_transfer does.';
grant execute on function public.wallet_issue(uuid, uuid, bigint, text, text, text, text, uuid)
  to authenticated, service_role;
