-- Wallet, batches at once: lines that are all in order are booked together, each account changed once
-- with what they come to, however many lines touch it. Each line is judged by the balances that those
-- before it leave, as if they had come one by one.

create type private.wallet_payment as (
  line integer,
  id uuid,
  from_account uuid,
  to_account uuid,
  amount bigint,
  currency text,
  memo text,
  category text
);
comment on type private.wallet_payment is 'A line of a batch, its accounts found; id is the transfer it becomes.';

create function private.wallet_batch_account(tenant_id uuid, name text, currency text)
returns uuid
language plpgsql
stable
security definer -- reads accounts and logins past their policies
set search_path = ''
as $$
#variable_conflict use_column
declare
  v_id uuid := case when pg_input_is_valid(wallet_batch_account.name, 'uuid') then wallet_batch_account.name::uuid end;
  v_person uuid := v_id;
  v_account uuid;
begin
  if v_id is null then
    -- GoTrue keeps addresses in lower case, under an index of those that are not of single sign-on.
    select u.id into v_person from auth.users u
    where u.email = lower(wallet_batch_account.name) and not u.is_sso_user;
  end if;
  v_account := private.wallet_account_of(wallet_batch_account.tenant_id, v_person, wallet_batch_account.currency);
  if v_account is null and v_id is not null then
    select a.id into v_account from public.wallet_ledger_accounts a
    where a.tenant_id = wallet_batch_account.tenant_id and a.id = v_id
      and a.currency = wallet_batch_account.currency and a.purpose <> 'issuance';
  end if;
  return v_account;
end;
$$;
comment on function private.wallet_batch_account(uuid, text, text) is
  'The account a batch means by a person''s id, their e-mail address, or an account''s id; null where there is none.';

create function private.wallet_batch_read(tenant_id uuid, batch_id uuid, lines jsonb)
returns private.wallet_payment[]
language plpgsql
volatile
security definer -- reads accounts and logins past their policies
set search_path = ''
as $$
#variable_conflict use_column
declare
  v_micros bigint := date_part('epoch', clock_timestamp()) * 1000000;
  v_payments private.wallet_payment[];
  v_sound boolean;
begin
  with told as materialized (
    select l.ordinality::integer as line, l.value ->> 'from' as payer, l.value ->> 'to' as payee,
      l.value ->> 'currency' as currency, l.value ->> 'memo' as memo, l.value ->> 'category' as category,
      case when pg_input_is_valid(l.value ->> 'amount', 'bigint') then (l.value ->> 'amount')::bigint end as amount
    from jsonb_array_elements(lines) with ordinality l
  ),
  account as materialized (
    select named.name, named.currency,
      private.wallet_batch_account(wallet_batch_read.tenant_id, named.name, named.currency) as id
    from (select t.payer as name, t.currency from told t union select t.payee, t.currency from told t) named
  )
  select array_agg(
      row(
        t.line, case t.line when 1 then batch_id else private.uuid_v7_of(v_micros + t.line) end, payer.id,
        payee.id, t.amount, t.currency, t.memo, t.category
      )::private.wallet_payment
      order by t.line
    ),
    bool_and(coalesce(
      payer.id <> payee.id and t.amount between 1 and 9007199254740991
        and coalesce(char_length(t.memo) <= 500, true) and coalesce(char_length(t.category) <= 60, true),
      false
    ))
  into v_payments, v_sound
  from told t
  left join account payer on payer.name = t.payer and payer.currency = t.currency
  left join account payee on payee.name = t.payee and payee.currency = t.currency;
  return case when v_sound then v_payments end;
end;
$$;
comment on function private.wallet_batch_read(uuid, uuid, jsonb) is
  'The payments that the lines of a batch mean; null where one means none.';

create type private.wallet_batch_leg as (
  line integer,
  transfer_id uuid,
  account_id uuid,
  amount bigint,
  balance_after bigint
);
comment on type private.wallet_batch_leg is
  'One side of a payment in a batch. balance_after: what the lines up to this one leave; null where it is deferred.';

create function private.wallet_batch_legs(tenant_id uuid, payments private.wallet_payment[])
returns private.wallet_batch_leg[]
language plpgsql
volatile
security definer -- reads and locks accounts past their policies
set search_path = ''
as $$
#variable_conflict use_column
declare
  v_payers uuid[] := array(select distinct p.from_account from unnest(payments) p);
  v_legs private.wallet_batch_leg[];
  v_taken boolean;
begin
  perform from public.wallet_ledger_accounts a
  where a.tenant_id = wallet_batch_legs.tenant_id
    and a.id in (select unnest(v_payers) union select p.to_account from unnest(payments) p)
  order by a.id
  for no key update;
  -- What leaves an account must be there: a deferred one that pays is folded, and like others then.
  perform private.wallet_fold(a.tenant_id, a.id) from public.wallet_ledger_accounts a
  where a.tenant_id = wallet_batch_legs.tenant_id and a.id = any (v_payers) and a.deferred;

  with leg as (
    select p.line, p.id, p.from_account as account_id, -p.amount as amount from unnest(payments) p
    union all
    select p.line, p.id, p.to_account, p.amount from unnest(payments) p
  ),
  running as (
    select l.*, sum(l.amount) over (partition by l.account_id order by l.line) as running from leg l
  )
  select
    array_agg(
      row(
        r.line, r.id, r.account_id, r.amount,
        case when not a.deferred or a.id = any (v_payers) then a.balance + r.running end
      )::private.wallet_batch_leg
      order by r.line
    ),
    bool_and(
      a.status = 'open' and a.debt = 0
      and case
        when r.amount > 0 then a.balance + r.running <= coalesce(a.highest_balance, 9007199254740991)
          or a.deferred and a.id <> all (v_payers)
        else a.balance - a.held + r.running >= a.lowest_balance and a.daily_limit is null
          and -r.amount <= coalesce(a.transfer_limit, 9007199254740991)
      end
    )
  into v_legs, v_taken
  from running r
  join public.wallet_ledger_accounts a on a.tenant_id = wallet_batch_legs.tenant_id and a.id = r.account_id;
  return case when v_taken then v_legs end;
end;
$$;
comment on function private.wallet_batch_legs(uuid, private.wallet_payment[]) is
  'Locks the accounts of the payments and works out what each leaves; null where one is refused, or takes more thought (debt, daily limits).';

create function private.wallet_post_batch(
  tenant_id uuid, actor uuid, payments private.wallet_payment[], legs private.wallet_batch_leg[]
)
returns void
language plpgsql
volatile
security definer -- nobody else writes the ledger
set search_path = ''
as $$
#variable_conflict use_column
declare
  v_micros bigint := date_part('epoch', clock_timestamp()) * 1000000;
begin
  perform private.require_no_impersonation();
  insert into public.wallet_transfers (
    tenant_id, id, kind, currency, amount, from_account, to_account, actor, part_of
  )
  select wallet_post_batch.tenant_id, p.id, 'settlement', p.currency, p.amount, p.from_account, p.to_account,
    wallet_post_batch.actor, case when p.line > 1 then payments[1].id end
  from unnest(payments) p;
  insert into public.wallet_memos (tenant_id, transfer_id, memo, category)
  select wallet_post_batch.tenant_id, p.id, nullif(p.memo, ''), nullif(p.category, '')
  from unnest(payments) p
  where p.memo <> '' or p.category <> '';

  -- The order of lines is the order of ids, and so of balances.
  with entry as (
    insert into public.wallet_entries (tenant_id, account_id, id, transfer_id, amount, balance_after)
    select wallet_post_batch.tenant_id, l.account_id, private.uuid_v7_of(v_micros + l.line), l.transfer_id,
      l.amount, l.balance_after
    from unnest(legs) l
    returning account_id, transfer_id, amount, balance_after
  )
  insert into private.wallet_pending (tenant_id, account_id, transfer_id, amount)
  select wallet_post_batch.tenant_id, e.account_id, e.transfer_id, e.amount from entry e where e.balance_after is null;
  update public.wallet_ledger_accounts a
  set balance = a.balance + change.amount, updated_at = now()
  from (
    select l.account_id, sum(l.amount)::bigint as amount from unnest(legs) l
    where l.balance_after is not null
    group by l.account_id
  ) change
  where a.tenant_id = wallet_post_batch.tenant_id and a.id = change.account_id;
  perform private.wallet_alert(a.tenant_id, a.id) from public.wallet_ledger_accounts a
  where a.tenant_id = wallet_post_batch.tenant_id and a.id in (select l.account_id from unnest(legs) l)
    and a.alert is distinct from private.wallet_alert_of(a);
end;
$$;
comment on function private.wallet_post_batch(uuid, uuid, private.wallet_payment[], private.wallet_batch_leg[]) is
  'Books payments that were all found good, under the locks that private.wallet_batch_legs took. Raises auth.impersonated.';
