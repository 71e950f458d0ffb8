-- Wallet, reversals: a transfer is never changed. Its reversal is a transfer of its own with the legs
-- turned round, once at most; it may leave explicit debt where the value was spent in the meantime.

create table public.wallet_reversals (
  tenant_id uuid not null,
  transfer_id uuid not null,
  reversal_id uuid not null,
  primary key (tenant_id, transfer_id),
  unique (tenant_id, reversal_id),
  foreign key (tenant_id, transfer_id) references public.wallet_transfers (tenant_id, id) on delete restrict,
  foreign key (tenant_id, reversal_id) references public.wallet_transfers (tenant_id, id) on delete restrict
);
comment on table public.wallet_reversals is
  'Which transfer undid which. A transfer stands while no row names it as transfer_id.';
create trigger wallet_reversals_append_only before update or delete on public.wallet_reversals
  for each row execute function private.refuse_change();
create trigger wallet_reversals_not_truncated before truncate on public.wallet_reversals
  for each statement execute function private.refuse_change();

alter table public.wallet_reversals enable row level security;
create policy wallet_reversals_select_party on public.wallet_reversals
  for select to authenticated
  using (
    tenant_id = any (array(select private.tenants_with('wallet.read')))
    and exists (
      select from public.wallet_transfers t -- as far as the caller may see them
      where t.tenant_id = wallet_reversals.tenant_id and t.id = wallet_reversals.transfer_id
    )
  );
grant select on public.wallet_reversals to authenticated, service_role;

create function public.wallet_reverse(tenant_id uuid, transfer_id uuid, reason text, idempotency_key text)
returns public.wallet_receipt
language plpgsql
volatile
security definer -- clients may not write the ledger
set search_path = ''
as $$
#variable_conflict use_column
declare
  v_person uuid := private.require(wallet_reverse.tenant_id, 'wallet.reverse');
  v_id uuid := private.uuid_v7();
  v_earlier uuid;
  v_transfer public.wallet_transfers;
  v_reversal public.wallet_transfers;
begin
  perform private.wallet_check_request(1, idempotency_key, wallet_reverse.reason, null);
  if coalesce(btrim(wallet_reverse.reason), '') = '' then
    raise sqlstate 'PT422' using message = 'request.invalid', detail = 'reason: required';
  end if;
  v_earlier := private.wallet_claim(
    wallet_reverse.tenant_id, v_person, 'wallet_reverse', idempotency_key,
    jsonb_build_array(wallet_reverse.transfer_id, wallet_reverse.reason), v_id
  );
  if v_earlier is not null then
    return private.wallet_receipt_of(wallet_reverse.tenant_id, v_earlier);
  end if;

  select * into v_transfer from public.wallet_transfers t
  where t.tenant_id = wallet_reverse.tenant_id and t.id = wallet_reverse.transfer_id;
  if not found then
    raise sqlstate 'PT404' using message = 'wallet.not_found';
  elsif v_transfer.kind = 'reversal' then
    raise sqlstate 'PT409' using message = 'wallet.already_reversed';
  end if;
  if exists (
    select from public.wallet_currencies c
    where c.tenant_id = v_transfer.tenant_id and c.code = v_transfer.currency
      and c.step_up_above < v_transfer.amount
  ) then
    perform private.require_recent_proof();
  end if;
  v_reversal := v_transfer;
  v_reversal.id := v_id;
  v_reversal.kind := 'reversal';
  v_reversal.from_account := v_transfer.to_account;
  v_reversal.to_account := v_transfer.from_account;
  v_reversal.actor := v_person;
  v_reversal.part_of := null;
  return private.wallet_book_reversal(v_transfer, v_reversal, btrim(wallet_reverse.reason));
end;
$$;
comment on function public.wallet_reverse(uuid, uuid, text, text) is
  'Undoes a transfer by a linked one in the other direction, once (permission wallet.reverse); what was spent meanwhile becomes explicit debt. Raises wallet.key_required, wallet.idempotency_mismatch, wallet.not_found, wallet.already_reversed (also for a reversal), wallet.account_closed, wallet.limit_exceeded, request.invalid.';
grant execute on function public.wallet_reverse(uuid, uuid, text, text) to authenticated;

create function private.wallet_book_reversal(
  transfer public.wallet_transfers, reversal public.wallet_transfers, reason text
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
  v_receipt := private.wallet_book(
    reversal,
    array(
      select row(e.account_id, -e.amount, 0)::private.wallet_leg
      from public.wallet_entries e
      where e.tenant_id = transfer.tenant_id and e.transfer_id = transfer.id
      order by e.account_id
    ),
    reason, null, forced => true
  );
  insert into public.wallet_reversals (tenant_id, transfer_id, reversal_id)
  values (transfer.tenant_id, transfer.id, reversal.id);
  return v_receipt;
exception
  when unique_violation then
    raise sqlstate 'PT409' using message = 'wallet.already_reversed';
  when check_violation then
    -- Past the account's limits, but not past what a balance can count.
    raise sqlstate 'PT409' using message = 'wallet.limit_exceeded', detail = 'balance';
end;
$$;
comment on function private.wallet_book_reversal(public.wallet_transfers, public.wallet_transfers, text) is
  'Books the legs of a transfer turned round, and the link between both. Raises wallet.already_reversed, wallet.limit_exceeded.';
