-- Abuse, detecting: every hour, the payments since the last look and a page of balances. Each rule is one
-- statement over a range of ids; what it finds again, because looks overlap, is known by its key.

create type private.abuse_hit as (person_id uuid, rule text, finding text, facts jsonb);
comment on type private.abuse_hit is 'What a rule found: about whom, and by which key it is known again.';

create function private.abuse_first_id(at timestamptz)
returns uuid
language plpgsql
immutable
security invoker
set search_path = ''
as $$
begin
  return rpad(encode(substring(int8send((extract(epoch from at) * 1000)::bigint) from 3), 'hex'), 32, '0')::uuid;
end;
$$;
comment on function private.abuse_first_id(timestamptz) is 'The lowest id that anything made at that time can have.';

create function private.abuse_time_of(id uuid)
returns timestamptz
language plpgsql
immutable
security invoker
set search_path = ''
as $$
begin
  return to_timestamp(('x' || left(translate(id::text, '-', ''), 12))::bit(48)::bigint / 1000.0);
end;
$$;
comment on function private.abuse_time_of(uuid) is 'When an id was made, to the millisecond.';

create function private.abuse_payments(tenant_id uuid, after uuid, upto uuid)
returns setof public.wallet_transfers
language plpgsql
stable
security definer -- reads the ledger past its policies
rows 10000
set search_path = ''
as $$
#variable_conflict use_column
begin
  -- However time comes from one member to another, else the rules are gone round: by a hold that is
  -- captured, by a settlement, of which each payee counts where one pays many, and each payer where many
  -- pay one. Where many pay many nobody can say who paid whom.
  -- from_account and to_account become the people who hold them.
  return query
  select t.tenant_id, t.id, t.kind, t.currency, paid.amount, payer.person_id, payee.person_id, t.actor, t.part_of,
    t.created_at
  from public.wallet_transfers t
  join public.wallet_currencies c on c.tenant_id = t.tenant_id and c.code = t.currency and c.kind = 'time'
  cross join lateral (
    select t.from_account, t.to_account, t.amount where t.from_account is not null and t.to_account is not null
    union all
    select coalesce(t.from_account, e.account_id), coalesce(t.to_account, e.account_id), abs(e.amount)
    from public.wallet_entries e
    where e.tenant_id = t.tenant_id and e.transfer_id = t.id and (
      (t.to_account is null and t.from_account is not null and e.amount > 0)
      or (t.from_account is null and t.to_account is not null and e.amount < 0)
    )
  ) paid
  join public.wallet_ledger_accounts payer
    on payer.tenant_id = t.tenant_id and payer.id = paid.from_account and payer.purpose = 'member'
  join public.wallet_ledger_accounts payee
    on payee.tenant_id = t.tenant_id and payee.id = paid.to_account and payee.purpose = 'member'
  where t.tenant_id = abuse_payments.tenant_id and t.kind in ('transfer', 'capture', 'settlement')
    and t.id > abuse_payments.after and t.id <= abuse_payments.upto
    and not exists (
      select from public.wallet_reversals r where r.tenant_id = t.tenant_id and r.transfer_id = t.id
    );
end;
$$;
comment on function private.abuse_payments(uuid, uuid, uuid) is
  'What one member paid another in time, by transfer, captured hold or settlement, so exchanges too, and was not reversed; the accounts are given as their holders.';

create function private.abuse_in_payments(tenant_id uuid, after uuid, upto uuid)
returns setof private.abuse_hit
language plpgsql
stable
security definer -- reads the ledger past its policies
set search_path = ''
as $$
#variable_conflict use_column
declare
  v_rule public.abuse_rules;
  v_span interval;
begin
  return query
  select p.from_account, r.rule, p.id::text,
    jsonb_build_object('transfers', jsonb_build_array(p.id), 'minutes', p.amount, 'limit', r.minutes)
  from public.abuse_rules r
  cross join lateral private.abuse_payments(
    abuse_in_payments.tenant_id, abuse_in_payments.after, abuse_in_payments.upto
  ) p
  where r.tenant_id = abuse_in_payments.tenant_id and r.rule = 'large_transfer' and r.active
    and p.amount >= r.minutes;

  select * into v_rule from public.abuse_rules r
  where r.tenant_id = abuse_in_payments.tenant_id and r.rule = 'many_transfers' and r.active;
  v_span := make_interval(hours => coalesce(v_rule.hours, 0));
  return query
  select c.from_account, 'many_transfers', 'hour:' || floor(extract(epoch from c.created_at) / 3600),
    jsonb_build_object(
      'times', max(c.times), 'limit', v_rule.times, 'hours', v_rule.hours, 'until', max(c.created_at)
    )
  from (
    select p.id, p.from_account, p.created_at, count(*) over (
      partition by p.from_account order by p.created_at range between v_span preceding and current row
    ) as times
    from private.abuse_payments(
      abuse_in_payments.tenant_id,
      private.abuse_first_id(private.abuse_time_of(abuse_in_payments.after) - v_span), abuse_in_payments.upto
    ) p
    where p.amount >= v_rule.minutes
  ) c
  where c.times >= v_rule.times and c.id > abuse_in_payments.after
  group by 1, 3;
end;
$$;
comment on function private.abuse_in_payments(uuid, uuid, uuid) is
  'Payments that are large, and people who paid many times within the hours, one finding for each hour of the clock.';

create function private.abuse_in_circles(tenant_id uuid, after uuid, upto uuid)
returns setof private.abuse_hit
language plpgsql
stable
security definer -- reads the ledger past its policies
set search_path = ''
as $$
#variable_conflict use_column
begin
  -- The payment that closes a circle is new; those before it lie within the hours of the rule.
  return query
  with rule as (
    select r.* from public.abuse_rules r
    where r.tenant_id = abuse_in_circles.tenant_id and r.rule = 'circular' and r.active
  ), paid as materialized (
    select p.id, p.amount, p.from_account, p.to_account, p.created_at, r.hours
    from rule r
    cross join lateral private.abuse_payments(
      abuse_in_circles.tenant_id,
      private.abuse_first_id(private.abuse_time_of(abuse_in_circles.after) - make_interval(hours => r.hours)),
      abuse_in_circles.upto
    ) p
    where p.amount >= r.minutes
  ), begun as (
    -- Whoever pays the same two people often makes no more circles of three for that: the first counts.
    select distinct on (last.id, last.from_account, last.to_account, first.to_account)
      last.id, last.from_account, last.to_account, first.to_account as via, first.id as first_id
    from paid last
    join paid first on first.from_account = last.to_account
      and first.id < last.id and first.created_at >= last.created_at - make_interval(hours => last.hours)
    where last.id > abuse_in_circles.after
    order by last.id, last.from_account, last.to_account, first.to_account, first.id
  ), circles as (
    select b.id, b.to_account as person, array[b.first_id, b.id] as transfers
    from begun b where b.via = b.from_account
    union all
    select b.id, b.to_account, array[b.first_id, second.id, b.id]
    from begun b
    join paid second on second.from_account = b.via and second.to_account = b.from_account
      and second.id > b.first_id and second.id < b.id
    where b.via <> b.from_account
  )
  select distinct on (c.id, c.person) c.person, 'circular', c.id::text,
    jsonb_build_object('transfers', to_jsonb(c.transfers), 'limit', r.minutes, 'hours', r.hours)
  from circles c cross join rule r
  order by c.id, c.person, cardinality(c.transfers), c.transfers;
end;
$$;
comment on function private.abuse_in_circles(uuid, uuid, uuid) is
  'Time that came back to who had sent it, by two or three hands: the shortest circle that each payment closes.';

create function private.abuse_in_balances(tenant_id uuid, after uuid, page_size integer)
returns setof private.abuse_hit
language plpgsql
stable
security definer -- reads accounts past their policies
set search_path = ''
as $$
#variable_conflict use_column
begin
  return query
  select a.person_id, r.rule, 'since:' || a.updated_at::date,
    jsonb_build_object('minutes', a.balance, 'since', a.updated_at, 'limit', r.minutes, 'hours', r.hours)
  from public.abuse_rules r
  cross join lateral (
    select b.* from public.wallet_ledger_accounts b
    where b.tenant_id = r.tenant_id and b.id > after
    order by b.id limit abuse_in_balances.page_size
  ) a
  join public.wallet_currencies c on c.tenant_id = a.tenant_id and c.code = a.currency and c.kind = 'time'
  where r.tenant_id = abuse_in_balances.tenant_id and r.rule = 'idle_balance' and r.active
    and a.purpose = 'member' and a.status = 'open' and a.balance >= r.minutes
    and a.updated_at < now() - make_interval(hours => r.hours);
end;
$$;
comment on function private.abuse_in_balances(uuid, uuid, integer) is
  'Balances that nobody has touched for long, among so many accounts after an id.';

create function private.abuse_open(tenant_id uuid, hit private.abuse_hit)
returns integer
language plpgsql
volatile
security definer -- nobody else writes cases
set search_path = ''
as $$
#variable_conflict use_column
declare
  v_case public.abuse_cases;
begin
  if exists (
    select from public.abuse_findings f
    where f.tenant_id = abuse_open.tenant_id and f.person_id = hit.person_id and f.rule = hit.rule
      and f.finding = hit.finding
  ) then
    return 0;
  end if;
  insert into public.abuse_cases as c (tenant_id, rule, person_id, findings)
  values (abuse_open.tenant_id, hit.rule, hit.person_id, 1)
  on conflict (tenant_id, person_id, rule) where status = 'open' do update set findings = c.findings + 1
  returning * into v_case;
  insert into public.abuse_findings (tenant_id, case_id, person_id, rule, finding, facts)
  values (v_case.tenant_id, v_case.id, v_case.person_id, v_case.rule, hit.finding, hit.facts);
  -- Reviewers hear of a case once, however much it grows.
  if v_case.findings = 1 then
    perform private.notify_all(
      array_remove(private.members_with(v_case.tenant_id, 'abuse.review'), v_case.person_id), 'abuse.found',
      jsonb_build_object('case_id', v_case.id, 'rule', v_case.rule, 'about', 'abuse_cases:' || v_case.id),
      v_case.tenant_id
    );
  end if;
  return 1;
end;
$$;
comment on function private.abuse_open(uuid, private.abuse_hit) is
  'Opens a case for what was found, or adds it to the open one; what was found before is nothing new. Returns how many findings are new.';

create function private.abuse_look(tenant_id uuid, page_size integer default 20000)
returns integer
language plpgsql
volatile
security definer -- nobody else writes cases
set search_path = ''
as $$
#variable_conflict use_column
declare
  v_progress private.abuse_progress;
  -- Ids are made before the commit: a payment of a minute ago may not be there yet, so that what is
  -- younger than this is read again. What is found again is known.
  v_sure uuid := private.abuse_first_id(now() - interval '10 minutes');
  v_upto uuid;
  v_last uuid;
  v_hit private.abuse_hit;
  v_count integer := 0;
begin
  insert into private.abuse_progress (tenant_id, looked_at, transfer_id)
  values (abuse_look.tenant_id, now(), private.abuse_first_id(now() - interval '1 day'))
  on conflict do nothing;
  select * into v_progress from private.abuse_progress p where p.tenant_id = abuse_look.tenant_id;
  v_upto := coalesce(
    (
      select t.id from public.wallet_transfers t
      where t.tenant_id = abuse_look.tenant_id and t.id > v_progress.transfer_id
      order by t.id offset abuse_look.page_size - 1 limit 1
    ),
    uuid 'ffffffff-ffff-ffff-ffff-ffffffffffff'
  );
  v_last := (
    select max(a.id::text)::uuid from (
      select b.id from public.wallet_ledger_accounts b
      where b.tenant_id = abuse_look.tenant_id and b.id > v_progress.account_id
      order by b.id limit 5000
    ) a
  );
  for v_hit in
    select h.* from private.abuse_in_payments(abuse_look.tenant_id, v_progress.transfer_id, v_upto) h
    union all
    select h.* from private.abuse_in_circles(abuse_look.tenant_id, v_progress.transfer_id, v_upto) h
    union all
    select h.* from private.abuse_in_balances(abuse_look.tenant_id, v_progress.account_id, 5000) h
  loop
    v_count := v_count + private.abuse_open(abuse_look.tenant_id, v_hit);
  end loop;
  update private.abuse_progress p
  set looked_at = now(), transfer_id = greatest(p.transfer_id, least(v_upto, v_sure)),
    account_id = coalesce(v_last, uuid '00000000-0000-0000-0000-000000000000')
  where p.tenant_id = abuse_look.tenant_id;
  return v_count;
end;
$$;
comment on function private.abuse_look(uuid, integer) is
  'Looks at a page of payments and 5,000 balances of a tenant from where it stopped last. Returns how much is new.';

create function private.abuse_detect()
returns bigint
language plpgsql
volatile
security definer -- nobody else writes cases
set search_path = ''
as $$
#variable_conflict use_column
declare
  v_tenant uuid;
  v_count bigint := 0;
begin
  -- Whom it is longest ago for comes first, so that many tenants come in turn.
  for v_tenant in
    select t.id from public.tenants t
    left join private.abuse_progress p on p.tenant_id = t.id
    where 'abuse' = any (t.modules) and 'wallet' = any (t.modules)
    order by p.looked_at nulls first, t.id
    limit 500
  loop
    v_count := v_count + private.abuse_look(v_tenant);
  end loop;
  return v_count;
end;
$$;
comment on function private.abuse_detect() is 'Looks at every tenant that has the module, 500 a run. Returns how many findings are new.';
select private.schedule('abuse-detect', '41 * * * *', 'select private.abuse_detect()');
