-- Wallet, notices: who is told of what, once the worker comes to it. The acts leave a job with an id;
-- here it is read again, with the rights and the state of that moment.

select private.declare_notification(kind, email => 'daily')
from unnest(array['wallet.received', 'wallet.charged']) kind;
select private.declare_notification(kind)
from unnest(array[
  'wallet.held', 'wallet.hold_expired', 'wallet.requested',
  'wallet.request_reminder', 'wallet.request_declined', 'wallet.balance_critical', 'wallet.account_frozen',
  'wallet.account_unfrozen', 'wallet.account_closed', 'wallet.broken'
]) kind;
-- What calls for nothing at once stays in the app, unless somebody wants mails of it.
select private.declare_notification(kind, email => 'off', push => 'off')
from unnest(array[
  'wallet.hold_voided', 'wallet.request_cancelled', 'wallet.request_expired', 'wallet.balance_low',
  'wallet.balance_high', 'wallet.nudge'
]) kind;

create function private.wallet_holders(tenant_id uuid, account uuid)
returns setof uuid
language plpgsql -- a function in sql is planned anew at each call
stable
security definer -- reads accounts and members past their policies
rows 1
set search_path = ''
as $$
#variable_conflict use_column
begin
  return query
  select m.person_id
  from public.wallet_ledger_accounts a
  left join public.wallet_agents g
    on g.tenant_id = a.tenant_id and g.organisation_id = a.organisation_id
  join public.members m
    on m.tenant_id = a.tenant_id and m.person_id = coalesce(a.person_id, g.person_id) and m.status = 'active'
  join public.role_permissions rp
    on rp.tenant_id = m.tenant_id and rp.role = m.role and rp.permission = 'wallet.read'
  where a.tenant_id = wallet_holders.tenant_id and a.id = wallet_holders.account;
end;
$$;
comment on function private.wallet_holders(uuid, uuid) is
  'Who is told about an account: its member or the agents of its organisation, active and with wallet.read.';

create function private.wallet_holder_name(tenant_id uuid, account uuid)
returns text
language plpgsql
stable
security definer -- names holders past their policies
set search_path = ''
as $$
#variable_conflict use_column
begin
  return (
    select coalesce(m.display_name, o.name, t.name)
    from public.tenants t
    left join public.wallet_ledger_accounts a on a.tenant_id = t.id and a.id = wallet_holder_name.account
    left join public.members m on m.tenant_id = a.tenant_id and m.person_id = a.person_id
    left join public.wallet_organisations o on o.tenant_id = a.tenant_id and o.id = a.organisation_id
    where t.id = wallet_holder_name.tenant_id
  );
end;
$$;
comment on function private.wallet_holder_name(uuid, uuid) is
  'The name an account goes by: its member''s or organisation''s; the tenant''s own for the system''s, and where there are several.';

create function private.wallet_amount_text(tenant_id uuid, currency text, amount bigint, person uuid)
returns text
language plpgsql
stable
security definer -- reads currency and language past their policies
set search_path = ''
as $$
#variable_conflict use_column
declare
  v_currency public.wallet_currencies;
  v_language text;
  v_unit bigint;
  v_digits text;
begin
  select * into v_currency from public.wallet_currencies c
  where c.tenant_id = wallet_amount_text.tenant_id and c.code = wallet_amount_text.currency;
  select left(coalesce(p.locale, t.locale), 2) into v_language
  from public.tenants t
  left join public.people p on p.id = wallet_amount_text.person
  where t.id = wallet_amount_text.tenant_id;
  v_unit := case v_currency.kind when 'time' then 60 else 10 ^ v_currency.decimals end;
  v_digits := (abs(amount) / v_unit)::text;
  if v_currency.kind = 'time' then
    v_digits := v_digits || ':' || lpad((abs(amount) % v_unit)::text, 2, '0') || ' h';
  elsif v_currency.decimals > 0 then
    v_digits := v_digits || case when v_language in ('de', 'es') then ',' else '.' end
      || lpad((abs(amount) % v_unit)::text, v_currency.decimals, '0');
  end if;
  return case when amount < 0 then '−' else '' end || v_digits
    || case when v_currency.kind = 'time' then '' else ' ' || v_currency.name end;
end;
$$;
comment on function private.wallet_amount_text(uuid, text, bigint, uuid) is
  'An amount as the person reads it: 1:30 h, 12.50 Euro, 10 Points.';

create function private.wallet_tell_holders(
  account public.wallet_ledger_accounts, kind text, amount bigint, about text, payload jsonb, but uuid default null
)
returns integer
language plpgsql
volatile
security definer -- nobody else writes notices
set search_path = ''
as $$
#variable_conflict use_column
declare
  v_person uuid;
  v_count integer := 0;
begin
  -- In one order, as private.notify_all has it: each notice writes a row of whom it tells.
  for v_person in
    select h.id from private.wallet_holders(account.tenant_id, account.id) h(id)
    where h.id is distinct from wallet_tell_holders.but
    order by h.id
  loop
    perform private.notify(
      v_person, wallet_tell_holders.kind,
      jsonb_build_object(
        'about', wallet_tell_holders.about, 'account_id', account.id::text,
        'amount', private.wallet_amount_text(account.tenant_id, account.currency, wallet_tell_holders.amount, v_person)
      ) || wallet_tell_holders.payload,
      account.tenant_id
    );
    v_count := v_count + 1;
  end loop;
  return v_count;
end;
$$;
comment on function private.wallet_tell_holders(public.wallet_ledger_accounts, text, bigint, text, jsonb, uuid) is
  'Tells everybody who holds the account, but whoever did it; once a kind for the same about. Returns how many.';

create function private.wallet_notify_transfer(tenant_id uuid, transfer uuid)
returns integer
language plpgsql
volatile
security definer -- reads the ledger past its policies
set search_path = ''
as $$
#variable_conflict use_column
declare
  v_transfer public.wallet_transfers;
  v_leg record;
  v_count integer := 0;
begin
  select * into v_transfer from public.wallet_transfers t
  where t.tenant_id = wallet_notify_transfer.tenant_id and t.id = wallet_notify_transfer.transfer;
  for v_leg in
    select e.id as entry, e.amount, a as account
    from public.wallet_entries e
    join public.wallet_ledger_accounts a on a.tenant_id = e.tenant_id and a.id = e.account_id
    where e.tenant_id = v_transfer.tenant_id and e.transfer_id = v_transfer.id
      and coalesce(a.person_id, a.organisation_id) is distinct from v_transfer.actor
    order by e.account_id
  loop
    v_count := v_count + private.wallet_tell_holders(
      v_leg.account, case when v_leg.amount > 0 then 'wallet.received' else 'wallet.charged' end,
      abs(v_leg.amount), 'wallet_entries:' || v_leg.entry,
      jsonb_build_object(
        'transfer_id', v_transfer.id::text,
        'name', private.wallet_holder_name(
          v_transfer.tenant_id,
          case (v_leg.account).id
            when v_transfer.from_account then v_transfer.to_account
            when v_transfer.to_account then v_transfer.from_account
          end
        )
      ),
      v_transfer.actor
    );
  end loop;
  return v_count;
end;
$$;
comment on function private.wallet_notify_transfer(uuid, uuid) is
  'Tells who received and who was charged by a transfer, but whoever made it. Returns how many.';
