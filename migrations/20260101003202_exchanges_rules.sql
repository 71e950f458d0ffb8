-- Exchanges, rules: what a tenant may set, how two different figures become one, how long each state
-- may last, and who is where.

create function private.exchanges_wants_broker(exchange public.exchanges)
returns boolean
language plpgsql
stable
security definer -- asks setting
set search_path = ''
as $$
begin
  -- Above -1 everything would be: nothing set means that no broker is asked.
  return exchange.minutes > nullif(private.setting(exchange.tenant_id, 'exchanges', 'broker_above', -1, 0, 72000), -1)
    is true;
end;
$$;
comment on function private.exchanges_wants_broker(public.exchanges) is
  'Whether a broker has to approve it: settings.exchanges.broker_above, in minutes; 0: always, nothing: never.';

create function private.exchanges_currency(tenant_id uuid)
returns text
language plpgsql
stable
security definer -- reads currencies past their policies
set search_path = ''
as $$
#variable_conflict use_column
declare
  v_currency text;
begin
  select c.code into v_currency
  from public.wallet_currencies c
  join public.tenants t on t.id = c.tenant_id
  where c.tenant_id = exchanges_currency.tenant_id and c.kind = 'time'
  order by c.code = (t.settings -> 'exchanges' ->> 'currency') desc nulls last, c.created_at, c.code
  limit 1;
  if not found then
    raise sqlstate 'PT409' using message = 'exchanges.no_currency';
  end if;
  return v_currency;
end;
$$;
comment on function private.exchanges_currency(uuid) is
  'The currency of time that exchanges are paid in: the one under settings.exchanges.currency, else the oldest. Raises exchanges.no_currency.';

create function private.exchanges_check_minutes(minutes integer)
returns integer
language plpgsql
immutable
security invoker
set search_path = ''
as $$
begin
  if exchanges_check_minutes.minutes is null or exchanges_check_minutes.minutes not between 15 and 1440 then
    raise sqlstate 'PT422' using message = 'exchanges.invalid_minutes';
  end if;
  return exchanges_check_minutes.minutes;
end;
$$;
comment on function private.exchanges_check_minutes(integer) is
  'A quarter of an hour to a day. Raises exchanges.invalid_minutes.';

-- How long it was
create function private.exchanges_bounds(agreed integer)
returns int4range
language plpgsql
immutable
security invoker
set search_path = ''
as $$
begin
  return int4range(ceil(exchanges_bounds.agreed * 0.75)::integer, floor(exchanges_bounds.agreed * 1.25)::integer, '[]');
end;
$$;
comment on function private.exchanges_bounds(integer) is
  'What may be paid where so much was agreed: a quarter less to a quarter more, in whole minutes.';

create function private.exchanges_final(agreed integer, given integer, received integer)
returns integer
language plpgsql
immutable
security invoker
set search_path = ''
as $$
declare
  v_bounds int4range := private.exchanges_bounds(agreed);
begin
  if abs(given - received) > 15 then
    return null;
  end if;
  -- Half a minute is left to who pays: integers divide downwards.
  return least(greatest((given + received) / 2, lower(v_bounds)), upper(v_bounds) - 1);
end;
$$;
comment on function private.exchanges_final(integer, integer, integer) is
  'What is paid where one side says it gave and the other that it received so much: the average, half a minute rounded down, within the bounds of what was agreed. Null where they are more than 15 minutes apart.';

create function private.exchanges_apportion(total integer, weights integer[])
returns integer[]
language plpgsql
immutable
security invoker
set search_path = ''
as $$
declare
  v_sum bigint := (select sum(w) from unnest(weights) w);
begin
  -- Largest remainders; of equal ones the first: whole minutes whose sum is the total.
  return array(
    select s.share + (row_number() over (order by s.rest desc, s.place) <= total - sum(s.share) over ())::integer
    from (
      select w.place, (total * w.weight / v_sum)::integer as share, total * w.weight % v_sum as rest
      from unnest(weights::bigint[]) with ordinality w(weight, place)
    ) s
    order by s.place
  );
end;
$$;
comment on function private.exchanges_apportion(integer, integer[]) is
  'Splits a total in proportion to weights into whole minutes that sum to it (largest remainders, of equal ones the first).';

-- Time
create function private.exchanges_due(exchange public.exchanges, status text)
returns timestamptz
language plpgsql
stable
security definer -- asks setting
set search_path = ''
as $$
declare
  v_name text := case exchanges_due.status
    when 'pending_provider' then 'answer_days' when 'pending_broker' then 'broker_days'
    when 'accepted' then 'start_days' when 'in_progress' then 'finish_days'
    when 'pending_confirmation' then 'confirm_days' when 'disputed' then 'mediation_days'
  end;
  v_usual integer := case when v_name in ('start_days', 'finish_days') then 30
    when v_name in ('answer_days', 'broker_days') then 14 else 7 end;
begin
  return case when exchanges_due.status = 'accepted' then greatest(now(), exchange.starts_at) else now() end
    -- Null for a state that is an end.
    + case when v_name is not null then
      make_interval(days => private.setting(exchange.tenant_id, 'exchanges', v_name, v_usual, 1, 365))
    end;
end;
$$;
comment on function private.exchanges_due(public.exchanges, text) is
  'When a state that begins now ends by itself, by the tenant''s settings; null for an end.';

create function private.exchanges_remind_at(exchange public.exchanges, status text, due_at timestamptz)
returns timestamptz
language plpgsql
stable
security invoker
set search_path = ''
as $$
begin
  if exchanges_remind_at.status = 'accepted' and exchange.starts_at > now() then
    return greatest(exchange.starts_at - interval '1 day', now());
  end if;
  return now() + (exchanges_remind_at.due_at - now()) / 2;
end;
$$;
comment on function private.exchanges_remind_at(public.exchanges, text, timestamptz) is
  'When those a state waits for are reminded: a day before what was appointed, else halfway.';

-- People
create function private.exchanges_people(exchange public.exchanges)
returns uuid[]
language plpgsql
stable
security definer -- reads parts past their policies
set search_path = ''
as $$
#variable_conflict use_column
begin
  return array(
    select p.person_id from public.exchanges_parts p
    where p.tenant_id = exchange.tenant_id and p.exchange_id = exchange.id
  );
end;
$$;
comment on function private.exchanges_people(public.exchanges) is 'Who takes part in an exchange, by their ids.';

create function private.exchanges_others_with(exchange public.exchanges, permission text)
returns uuid[]
language plpgsql
stable
security definer -- reads members past their policies
set search_path = ''
as $$
#variable_conflict use_column
begin
  return array(
    select m.person_id
    from public.role_permissions rp
    join public.members m on m.tenant_id = rp.tenant_id and m.role = rp.role and m.status = 'active'
    where rp.tenant_id = exchange.tenant_id and rp.permission = exchanges_others_with.permission
      and m.person_id <> all (private.exchanges_people(exchange))
  );
end;
$$;
comment on function private.exchanges_others_with(public.exchanges, text) is
  'Active members with the permission who do not take part.';

create function private.exchanges_awaited(exchange public.exchanges)
returns uuid[]
language plpgsql
stable
security definer -- reads parts past their policies
set search_path = ''
as $$
#variable_conflict use_column
begin
  if exchange.status in ('pending_broker', 'disputed') then
    return private.exchanges_others_with(
      exchange, case when exchange.escalated_at is null then 'exchanges.broker' else 'exchanges.manage' end
    );
  end if;
  return array(
    select p.person_id from public.exchanges_parts p
    where p.tenant_id = exchange.tenant_id and p.exchange_id = exchange.id
      and case exchange.status
        when 'pending_provider' then p.agreed_at is null
        when 'pending_confirmation' then p.confirmed_at is null
        else exchange.due_at is not null
      end
  );
end;
$$;
comment on function private.exchanges_awaited(public.exchanges) is 'Whom its state waits for; nobody once it has come to an end.';
