-- Wallet, holds: an amount set aside for somebody. It stays the payer's and cannot be spent; the payee
-- takes all or part of it (capture) or lets it go (void), or it runs out. It resolves once, at most.

create table public.wallet_holds (
  tenant_id uuid not null,
  id uuid not null,
  currency text not null,
  amount bigint not null check (amount between 1 and 9007199254740991),
  captured bigint check (captured between 1 and amount),
  from_account uuid not null,
  to_account uuid not null check (to_account <> from_account),
  status text not null default 'held' check (status in ('held', 'captured', 'voided', 'expired')),
  reference text check (char_length(reference) between 1 and 200),
  actor uuid,
  transfer_id uuid,
  expires_at timestamptz not null,
  created_at timestamptz not null default now(),
  updated_at timestamptz not null default now(),
  primary key (tenant_id, id),
  foreign key (tenant_id, from_account)
    references public.wallet_ledger_accounts (tenant_id, id) on delete restrict,
  foreign key (tenant_id, to_account)
    references public.wallet_ledger_accounts (tenant_id, id) on delete restrict,
  check ((status = 'captured') = (transfer_id is not null) and (status = 'captured') = (captured is not null))
);
comment on table public.wallet_holds is 'Amounts set aside, and what became of them.';
comment on column public.wallet_holds.reference is 'What it is for, as the capability or app that made it names it.';
create index wallet_holds_from on public.wallet_holds (tenant_id, from_account, id);
create index wallet_holds_to on public.wallet_holds (tenant_id, to_account, id);
create index wallet_holds_due on public.wallet_holds (expires_at) where status = 'held';

insert into private.transitions (machine, from_state, to_state)
values
  ('wallet_holds', 'held', 'captured'), ('wallet_holds', 'held', 'voided'), ('wallet_holds', 'held', 'expired');
create trigger wallet_holds_transition before update of status on public.wallet_holds
  for each row execute function private.enforce_transition();
create trigger wallet_holds_touch before update on public.wallet_holds
  for each row execute function private.touch();

alter table public.wallet_holds enable row level security;
create policy wallet_holds_select_party on public.wallet_holds
  for select to authenticated
  using (
    tenant_id = any (array(select private.tenants_with('wallet.read')))
    and (
      from_account = any (array(select private.wallet_own_accounts()))
      or to_account = any (array(select private.wallet_own_accounts()))
      or tenant_id = any (array(select private.tenants_with('wallet.read_all')))
    )
  );
grant select on public.wallet_holds to authenticated, service_role;

create function private.wallet_tell(
  action text, kind text, tenant_id uuid, resource text, actor uuid, payload jsonb
)
returns void
language plpgsql
volatile
security definer -- nobody else writes trail and outbox
set search_path = ''
as $$
begin
  perform private.audit(wallet_tell.action, wallet_tell.resource, null, null, wallet_tell.tenant_id, wallet_tell.actor);
  perform private.enqueue(wallet_tell.kind, wallet_tell.payload, wallet_tell.tenant_id, wallet_tell.resource);
end;
$$;
comment on function private.wallet_tell(text, text, uuid, text, uuid, jsonb) is
  'One line of the trail and one job of the outbox, for acts that move no value.';

create function private.wallet_post_held(hold public.wallet_holds, change bigint)
returns void
language plpgsql
volatile
security definer -- nobody else writes balances
set search_path = ''
as $$
begin
  perform private.wallet_post(
    hold.tenant_id, hold.id, hold.currency,
    array[row(hold.from_account, 0, wallet_post_held.change)::private.wallet_leg]
  );
end;
$$;
comment on function private.wallet_post_held(public.wallet_holds, bigint) is
  'Sets an amount of the payer''s account aside, or releases it. Raises as private.wallet_refuse.';

create function private.wallet_set_aside(hold public.wallet_holds)
returns public.wallet_holds
language plpgsql
volatile
security definer -- nobody else writes the ledger
set search_path = ''
as $$
#variable_conflict use_column
begin
  perform private.wallet_post_held(hold, hold.amount);
  insert into public.wallet_holds (
    tenant_id, id, currency, amount, from_account, to_account, reference, actor, expires_at
  )
  values (
    hold.tenant_id, hold.id, hold.currency, hold.amount, hold.from_account, hold.to_account,
    hold.reference, hold.actor, hold.expires_at
  );
  perform private.wallet_tell(
    'WALLET_HELD', 'wallet.held', hold.tenant_id, 'wallet_holds:' || hold.id, hold.actor,
    jsonb_build_object('hold_id', hold.id)
  );
  return private.wallet_hold_of(hold.tenant_id, hold.id);
end;
$$;
comment on function private.wallet_set_aside(public.wallet_holds) is
  'Makes a hold of what was filled in, and sets its amount aside. Raises as private.wallet_refuse.';

create function public.wallet_hold(
  tenant_id uuid,
  to_person uuid,
  amount bigint,
  currency text,
  idempotency_key text,
  expires_at timestamptz default null,
  reference text default null,
  from_account uuid default null,
  to_account uuid default null
)
returns public.wallet_holds
language plpgsql
volatile
security definer -- clients may not write the ledger
set search_path = ''
as $$
#variable_conflict use_column
declare
  v_person uuid := private.require(wallet_hold.tenant_id, 'wallet.transfer');
  v_hold public.wallet_holds;
  v_earlier uuid;
begin
  perform private.wallet_check_request(amount, idempotency_key, null, null);
  if char_length(wallet_hold.reference) not between 1 and 200 then
    raise sqlstate 'PT422' using message = 'request.invalid', detail = 'reference: 1 to 200 characters';
  elsif wallet_hold.expires_at <= now() or wallet_hold.expires_at > now() + interval '90 days' then
    raise sqlstate 'PT422' using message = 'request.invalid', detail = 'expires_at: within 90 days';
  end if;
  v_hold.tenant_id := wallet_hold.tenant_id;
  v_hold.id := private.uuid_v7();
  v_earlier := private.wallet_claim(
    wallet_hold.tenant_id, v_person, 'wallet_hold', idempotency_key,
    jsonb_build_array(
      to_person, amount, currency, wallet_hold.expires_at, wallet_hold.reference, wallet_hold.from_account,
      wallet_hold.to_account
    ),
    v_hold.id
  );
  if v_earlier is not null then
    return private.wallet_hold_of(wallet_hold.tenant_id, v_earlier);
  end if;

  v_hold.currency := wallet_hold.currency;
  v_hold.amount := wallet_hold.amount;
  v_hold.reference := wallet_hold.reference;
  v_hold.actor := v_person;
  v_hold.expires_at := coalesce(wallet_hold.expires_at, now() + interval '7 days');
  v_hold.from_account := private.wallet_payer(
    wallet_hold.tenant_id, v_person, wallet_hold.currency, wallet_hold.from_account
  );
  v_hold.to_account := private.wallet_payee(
    wallet_hold.tenant_id, wallet_hold.to_person, wallet_hold.currency, wallet_hold.to_account
  );
  if v_hold.from_account = v_hold.to_account then
    raise sqlstate 'PT422' using message = 'wallet.self_transfer';
  end if;
  return private.wallet_set_aside(v_hold);
end;
$$;
comment on function public.wallet_hold(uuid, uuid, bigint, text, text, timestamptz, text, uuid, uuid) is
  'Sets an amount aside for a payee (permission wallet.transfer; accounts as in wallet_transfer), for 7 days unless expires_at says otherwise, 90 at most. Called again with the same key it returns the hold as it now is. Raises as wallet_transfer does.';
grant execute on function public.wallet_hold(uuid, uuid, bigint, text, text, timestamptz, text, uuid, uuid)
  to authenticated;

create function private.wallet_hold_of(tenant_id uuid, hold_id uuid)
returns public.wallet_holds
language plpgsql
volatile -- reads what the caller's own statement wrote
security definer -- reads holds past their policies
set search_path = ''
as $$
#variable_conflict use_column
declare
  v_hold public.wallet_holds;
begin
  select * into v_hold from public.wallet_holds h
  where h.tenant_id = wallet_hold_of.tenant_id and h.id = wallet_hold_of.hold_id;
  return v_hold;
end;
$$;
comment on function private.wallet_hold_of(uuid, uuid) is 'A hold as it now is, past its policies.';
