-- Wallet, requests: a member asks another for a payment, who accepts, declines or lets it run out. Those
-- whom a member trusts are paid at once, up to a limit.

create table public.wallet_requests (
  tenant_id uuid not null,
  id uuid not null,
  currency text not null,
  amount bigint not null check (amount between 1 and 9007199254740991),
  payer uuid not null,
  payee uuid not null check (payee <> payer),
  status text not null default 'pending'
    check (status in ('pending', 'accepted', 'declined', 'cancelled', 'expired')),
  memo text check (char_length(memo) between 1 and 500),
  category text check (char_length(category) between 1 and 60),
  transfer_id uuid,
  expires_at timestamptz not null,
  created_at timestamptz not null default now(),
  updated_at timestamptz not null default now(),
  primary key (tenant_id, id),
  foreign key (tenant_id, payer) references public.members (tenant_id, person_id) on delete restrict,
  foreign key (tenant_id, payee) references public.members (tenant_id, person_id) on delete restrict,
  check ((status = 'accepted') = (transfer_id is not null))
);
comment on table public.wallet_requests is 'Requests for payment, and what became of them. memo can be erased.';
create index wallet_requests_payer on public.wallet_requests (tenant_id, payer, id);
create index wallet_requests_payee on public.wallet_requests (tenant_id, payee, id);
create index wallet_requests_due on public.wallet_requests (expires_at) where status = 'pending';

insert into private.transitions (machine, from_state, to_state)
values
  ('wallet_requests', 'pending', 'accepted'), ('wallet_requests', 'pending', 'declined'),
  ('wallet_requests', 'pending', 'cancelled'), ('wallet_requests', 'pending', 'expired');
create trigger wallet_requests_transition before update of status on public.wallet_requests
  for each row execute function private.enforce_transition();
create trigger wallet_requests_touch before update on public.wallet_requests
  for each row execute function private.touch();

create table public.wallet_trusted (
  tenant_id uuid not null,
  person_id uuid not null,
  payee uuid not null check (payee <> person_id),
  currency text not null,
  up_to bigint not null check (up_to between 1 and 9007199254740991),
  paid_on date,
  paid smallint not null default 0,
  created_at timestamptz not null default now(),
  primary key (tenant_id, person_id, payee, currency),
  foreign key (tenant_id, person_id) references public.members (tenant_id, person_id) on delete restrict,
  foreign key (tenant_id, payee) references public.members (tenant_id, person_id) on delete restrict,
  foreign key (tenant_id, currency) references public.wallet_currencies (tenant_id, code) on delete restrict
);
comment on table public.wallet_trusted is 'Whose requests a person pays unseen, up to how much each: ten a day at most.';
comment on column public.wallet_trusted.paid is 'How many were paid unseen on paid_on, a day of the tenant.';
create index wallet_trusted_payee on public.wallet_trusted (tenant_id, payee);
create index wallet_trusted_currency on public.wallet_trusted (tenant_id, currency);

alter table public.wallet_requests enable row level security;
create policy wallet_requests_select_party on public.wallet_requests
  for select to authenticated
  using (
    tenant_id = any (array(select private.tenants_with('wallet.read')))
    and (payer = (select private.person()) or payee = (select private.person()))
  );
alter table public.wallet_trusted enable row level security;
create policy wallet_trusted_select_owner on public.wallet_trusted
  for select to authenticated
  using (
    tenant_id = any (array(select private.tenants_with('wallet.read')))
    and person_id = (select private.person())
  );
grant select on public.wallet_requests, public.wallet_trusted to authenticated, service_role;

create function public.wallet_trust(tenant_id uuid, payee uuid, currency text, up_to bigint)
returns void
language plpgsql
volatile
security definer -- clients may not write the list
set search_path = ''
as $$
#variable_conflict use_column
declare
  v_person uuid := private.require(wallet_trust.tenant_id, 'wallet.transfer');
begin
  -- It would move value later, in nobody's session.
  perform private.require_no_impersonation();
  perform private.wallet_require_currency(wallet_trust.tenant_id, wallet_trust.currency);
  if up_to < 0 or up_to > 9007199254740991 then
    raise sqlstate 'PT422' using message = 'wallet.invalid_amount';
  elsif wallet_trust.payee is null or wallet_trust.payee = v_person
    -- Trust can be ended whatever became of the payee.
    or up_to > 0
      and private.wallet_account_of(wallet_trust.tenant_id, wallet_trust.payee, wallet_trust.currency) is null
  then
    raise sqlstate 'PT404' using message = 'wallet.recipient_not_found';
  end if;
  delete from public.wallet_trusted t
  where t.tenant_id = wallet_trust.tenant_id and t.person_id = v_person and t.payee = wallet_trust.payee
    and t.currency = wallet_trust.currency;
  insert into public.wallet_trusted (tenant_id, person_id, payee, currency, up_to)
  select wallet_trust.tenant_id, v_person, wallet_trust.payee, wallet_trust.currency, wallet_trust.up_to
  where wallet_trust.up_to > 0;
  perform private.audit(
    'WALLET_TRUST_CHANGED', 'members:' || wallet_trust.payee, null,
    jsonb_build_object('currency', wallet_trust.currency, 'up_to', wallet_trust.up_to),
    wallet_trust.tenant_id, v_person
  );
end;
$$;
comment on function public.wallet_trust(uuid, uuid, text, bigint) is
  'Pays a member''s requests unseen up to an amount each, ten a day at most; 0 or null ends it (permission wallet.transfer). Raises wallet.currency_unknown, wallet.invalid_amount, wallet.recipient_not_found, auth.impersonated.';
grant execute on function public.wallet_trust(uuid, uuid, text, bigint) to authenticated;
