-- Wallet, freezing and closing: a frozen account neither pays nor is paid; a closed one is empty, its
-- balance (or its debt) inherited by another.

create function public.wallet_freeze(tenant_id uuid, account_id uuid, frozen boolean default true)
returns public.wallet_ledger_accounts
language plpgsql
volatile
security definer -- clients may not write accounts
set search_path = ''
as $$
#variable_conflict use_column
declare
  v_person uuid := private.require(wallet_freeze.tenant_id, 'wallet.manage');
  v_account public.wallet_ledger_accounts := private.wallet_lock_account(
    wallet_freeze.tenant_id, wallet_freeze.account_id
  );
  v_status text := case when wallet_freeze.frozen then 'frozen' else 'open' end;
begin
  if v_account.status = 'closed' then
    raise sqlstate 'PT409' using message = 'wallet.account_closed', detail = v_account.id::text;
  elsif v_account.status = v_status then
    return v_account;
  end if;
  update public.wallet_ledger_accounts a set status = v_status, updated_at = now()
  where a.tenant_id = v_account.tenant_id and a.id = v_account.id;
  v_account.status := v_status;
  perform private.wallet_tell(
    case v_status when 'frozen' then 'WALLET_FROZEN' else 'WALLET_UNFROZEN' end,
    'wallet.account_' || case v_status when 'frozen' then 'frozen' else 'unfrozen' end, v_account.tenant_id,
    'wallet_ledger_accounts:' || v_account.id, v_person, jsonb_build_object('account_id', v_account.id)
  );
  return v_account;
end;
$$;
comment on function public.wallet_freeze(uuid, uuid, boolean) is
  'Freezes an account, or with frozen false unfreezes it (permission wallet.manage); done again it changes nothing. Holds may still be voided and transfers reversed. Raises wallet.not_found, wallet.account_closed.';
grant execute on function public.wallet_freeze(uuid, uuid, boolean) to authenticated;

create function private.wallet_heir(tenant_id uuid, account public.wallet_ledger_accounts, heir uuid)
returns uuid
language plpgsql
stable
security definer -- reads accounts past their policies
set search_path = ''
as $$
#variable_conflict use_column
declare
  v_heir uuid := private.wallet_system_account(wallet_heir.tenant_id, account.currency, 'community_fund');
begin
  if wallet_heir.heir is not null then
    select a.id into v_heir from public.wallet_ledger_accounts a
    where a.tenant_id = wallet_heir.tenant_id and a.id = wallet_heir.heir and a.currency = account.currency
      and a.id <> account.id and a.purpose <> 'issuance';
    if not found then
      raise sqlstate 'PT404' using message = 'wallet.recipient_not_found';
    end if;
  end if;
  return v_heir;
end;
$$;
comment on function private.wallet_heir(uuid, public.wallet_ledger_accounts, uuid) is
  'Who inherits: the account named, else the community fund. Raises wallet.recipient_not_found.';

create function public.wallet_close(tenant_id uuid, account_id uuid, idempotency_key text, heir uuid default null)
returns public.wallet_ledger_accounts
language plpgsql
volatile
security definer -- clients may not write accounts
set search_path = ''
as $$
#variable_conflict use_column
declare
  v_person uuid := private.require(wallet_close.tenant_id, 'wallet.manage');
  v_account public.wallet_ledger_accounts;
  v_transfer public.wallet_transfers;
  v_heir uuid;
begin
  perform private.wallet_check_request(1, idempotency_key, null, null);
  select * into v_account from public.wallet_ledger_accounts a
  where a.tenant_id = wallet_close.tenant_id and a.id = wallet_close.account_id
    and a.purpose in ('member', 'organisation');
  if not found then
    raise sqlstate 'PT404' using message = 'wallet.not_found';
  end if;
  v_transfer.id := private.uuid_v7();
  if private.wallet_claim(
    wallet_close.tenant_id, v_person, 'wallet_close', idempotency_key,
    jsonb_build_array(wallet_close.account_id, wallet_close.heir), v_transfer.id
  ) is not null then
    return v_account;
  end if;

  v_heir := private.wallet_heir(wallet_close.tenant_id, v_account, wallet_close.heir);
  perform from public.wallet_ledger_accounts a
  where a.tenant_id = wallet_close.tenant_id and a.id in (v_account.id, v_heir)
  order by a.id
  for no key update;
  v_account := private.wallet_lock_account(wallet_close.tenant_id, wallet_close.account_id);
  if v_account.status = 'closed' then
    raise sqlstate 'PT409' using message = 'wallet.account_closed', detail = v_account.id::text;
  elsif v_account.held > 0 then
    raise sqlstate 'PT409' using message = 'wallet.holds_open', detail = v_account.held::text;
  elsif v_account.balance <> 0 then
    v_transfer.tenant_id := v_account.tenant_id;
    v_transfer.kind := 'closing';
    v_transfer.currency := v_account.currency;
    v_transfer.amount := abs(v_account.balance);
    v_transfer.from_account := case when v_account.balance > 0 then v_account.id else v_heir end;
    v_transfer.to_account := case when v_account.balance > 0 then v_heir else v_account.id end;
    v_transfer.actor := v_person;
    perform private.wallet_book(
      v_transfer,
      private.wallet_pair(v_account.id, v_heir, v_account.balance),
      null, null, forced => true
    );
  end if;
  update public.wallet_ledger_accounts a set status = 'closed', updated_at = now()
  where a.tenant_id = v_account.tenant_id and a.id = v_account.id
  returning * into v_account;
  perform private.wallet_tell(
    'WALLET_CLOSED', 'wallet.account_closed', v_account.tenant_id, 'wallet_ledger_accounts:' || v_account.id,
    v_person, jsonb_build_object('account_id', v_account.id)
  );
  return v_account;
exception when check_violation then
  -- The heir takes it past their limits, but not past what a balance can count.
  raise sqlstate 'PT409' using message = 'wallet.limit_exceeded', detail = 'balance';
end;
$$;
comment on function public.wallet_close(uuid, uuid, text, uuid) is
  'Closes an account; its balance, or its debt, goes to the account heir, else to the community fund (permission wallet.manage). It is opened again when its member comes back. Raises wallet.key_required, wallet.idempotency_mismatch, wallet.not_found, wallet.recipient_not_found, wallet.account_closed, wallet.holds_open, wallet.limit_exceeded.';
grant execute on function public.wallet_close(uuid, uuid, text, uuid) to authenticated;

-- Organisations
create function public.wallet_organisation_save(tenant_id uuid, name text, agents uuid[], organisation_id uuid default null)
returns public.wallet_organisations
language plpgsql
volatile
security definer -- clients may not write organisations
set search_path = ''
as $$
#variable_conflict use_column
declare
  v_person uuid := private.require(wallet_organisation_save.tenant_id, 'wallet.manage');
  v_organisation public.wallet_organisations;
begin
  if coalesce(char_length(btrim(wallet_organisation_save.name)), 0) not between 1 and 80
    or wallet_organisation_save.agents is null or cardinality(wallet_organisation_save.agents) > 100 then
    raise sqlstate 'PT422' using
      message = 'request.invalid', detail = 'name: 1 to 80 characters; agents: at most 100';
  elsif exists (
    select from unnest(wallet_organisation_save.agents) agent
    where not exists (
      select from public.members m
      where m.tenant_id = wallet_organisation_save.tenant_id and m.person_id = agent and m.status = 'active'
    )
  ) then
    raise sqlstate 'PT404' using message = 'members.not_found';
  end if;
  if wallet_organisation_save.organisation_id is null then
    insert into public.wallet_organisations (tenant_id, name)
    values (wallet_organisation_save.tenant_id, btrim(wallet_organisation_save.name))
    returning * into v_organisation;
  else
    update public.wallet_organisations o set name = btrim(wallet_organisation_save.name)
    where o.tenant_id = wallet_organisation_save.tenant_id and o.id = wallet_organisation_save.organisation_id
    returning * into v_organisation;
    if not found then
      raise sqlstate 'PT404' using message = 'wallet.not_found';
    end if;
  end if;
  delete from public.wallet_agents g
  where g.tenant_id = v_organisation.tenant_id and g.organisation_id = v_organisation.id;
  insert into public.wallet_agents (tenant_id, organisation_id, person_id)
  select distinct v_organisation.tenant_id, v_organisation.id, agent
  from unnest(wallet_organisation_save.agents) agent;
  perform private.audit(
    'WALLET_ORGANISATION_CHANGED', 'wallet_organisations:' || v_organisation.id, null,
    jsonb_build_object('name', v_organisation.name, 'agents', wallet_organisation_save.agents),
    v_organisation.tenant_id, v_person
  );
  return v_organisation;
exception when unique_violation then
  raise sqlstate 'PT409' using message = 'wallet.organisation_taken', detail = wallet_organisation_save.name;
end;
$$;
comment on function public.wallet_organisation_save(uuid, text, uuid[], uuid) is
  'Makes an organisation with an account in every currency, or changes its name and agents (permission wallet.manage). Raises request.invalid, members.not_found, wallet.not_found, wallet.organisation_taken.';
grant execute on function public.wallet_organisation_save(uuid, text, uuid[], uuid) to authenticated;
