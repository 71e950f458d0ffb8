-- Exchanges, steps: the one way in which a state changes, and who is told. Deadline, trail, holds and
-- the live event come with it, in the transaction of the act.

select private.declare_notification(kind, group_key => 'exchange_id', outdated => 'exchanges_outdated')
from unnest(array[
  'exchanges.requested', 'exchanges.broker_wanted', 'exchanges.confirmation_wanted',
  'exchanges.mediation_wanted', 'exchanges.escalated', 'exchanges.reminder'
]) kind;
select private.declare_notification(kind, group_key => 'exchange_id')
from unnest(array[
  'exchanges.accepted', 'exchanges.declined', 'exchanges.cancelled', 'exchanges.expired', 'exchanges.disputed',
  'exchanges.reversed'
]) kind;
-- The wallet tells by mail of what was paid.
select private.declare_notification('exchanges.started', group_key => 'exchange_id', email => 'off');
select private.declare_notification('exchanges.completed', group_key => 'exchange_id', email => 'daily');

create function private.exchanges_outdated(event private.notifications_events)
returns boolean
language plpgsql
stable
security definer -- reads exchanges past their policies
set search_path = ''
as $$
#variable_conflict use_column
begin
  return not exists (
    select from public.exchanges e
    where e.tenant_id = event.tenant_id and e.id = (event.payload ->> 'exchange_id')::uuid
      and e.status = event.payload ->> 'status'
  );
end;
$$;
comment on function private.exchanges_outdated(private.notifications_events) is
  'Whether what the person was asked for has been done meanwhile.';

create function private.exchanges_tell(
  exchange public.exchanges, kind text, people uuid[], actor uuid default null, more jsonb default '{}'
)
returns void
language plpgsql
volatile
security definer -- nobody else writes notices
set search_path = ''
as $$
#variable_conflict use_column
declare
  v_payload jsonb;
begin
  select jsonb_strip_nulls(jsonb_build_object(
    'exchange_id', exchange.id, 'status', exchange.status, 'name', coalesce(m.display_name, t.name),
    'amount', private.wallet_amount_text(
      t.id, exchange.currency, coalesce(exchange.final_minutes, exchange.minutes), null
    ),
    'link', rtrim(t.app_url, '/') || '/exchanges/' || exchange.id
  ))
  into v_payload
  from public.tenants t
  left join public.members m on m.tenant_id = t.id and m.person_id = exchanges_tell.actor
  where t.id = exchange.tenant_id;
  perform private.notify_all(
    array_remove(people, exchanges_tell.actor), exchanges_tell.kind, v_payload || exchanges_tell.more,
    exchange.tenant_id, exchange.due_at
  );
end;
$$;
comment on function private.exchanges_tell(public.exchanges, text, uuid[], uuid, jsonb) is
  'Tells people, but whoever did it, what became of an exchange: by whose name, and of how much time.';

create function private.exchanges_announce(exchange public.exchanges)
returns void
language plpgsql
volatile
security definer -- nobody else sends events
set search_path = ''
as $$
begin
  perform private.announce_to(
    private.exchanges_people(exchange), 'exchanges:changed',
    jsonb_build_object(
      'tenant_id', exchange.tenant_id, 'exchange_id', exchange.id, 'kind', exchange.kind,
      'listing_id', exchange.listing_id, 'status', exchange.status, 'reason', exchange.reason,
      'minutes', exchange.minutes, 'final_minutes', exchange.final_minutes, 'due_at', exchange.due_at,
      'transfer_id', exchange.transfer_id
    ),
    'exchanges.read'
  );
end;
$$;
comment on function private.exchanges_announce(public.exchanges) is
  'exchanges:changed on the own channels of those who take part.';

create function private.exchanges_say(exchange public.exchanges, author uuid, kind text, body text)
returns void
language plpgsql
volatile
security definer -- nobody else writes notes
set search_path = ''
as $$
begin
  if char_length(btrim(body)) > 2000 then
    raise sqlstate 'PT422' using message = 'request.invalid', detail = 'note: at most 2000 characters';
  end if;
  insert into public.exchanges_notes (tenant_id, exchange_id, author_id, kind, body)
  select exchange.tenant_id, exchange.id, exchanges_say.author, exchanges_say.kind, btrim(exchanges_say.body)
  where btrim(exchanges_say.body) <> '';
end;
$$;
comment on function private.exchanges_say(public.exchanges, uuid, text, text) is
  'Keeps what somebody wrote with a step, if they wrote something. Raises request.invalid.';

create function private.exchanges_lock_held(exchanges public.exchanges[], accounts uuid[] default '{}')
returns void
language plpgsql
volatile
security definer -- locks holds and accounts past their policies
set search_path = ''
as $$
#variable_conflict use_column
declare
  v_accounts uuid[];
begin
  -- Holds before their accounts, as whoever captures one.
  select array_agg(h.from_account) into v_accounts
  from (
    select h.from_account from unnest(exchanges) e
    join public.exchanges_parts p on p.tenant_id = e.tenant_id and p.exchange_id = e.id
    join public.wallet_holds h on h.tenant_id = p.tenant_id and h.id = p.hold_id and h.status = 'held'
    order by h.tenant_id, h.id
    for no key update of h
  ) h;
  if v_accounts is not null then
    perform from public.wallet_ledger_accounts a
    where a.id = any (v_accounts || exchanges_lock_held.accounts)
      and a.tenant_id in (select e.tenant_id from unnest(exchanges) e)
    order by a.tenant_id, a.id
    for no key update;
  end if;
end;
$$;
comment on function private.exchanges_lock_held(public.exchanges[], uuid[]) is
  'Locks what is held for exchanges, then the accounts it is held of, with others, in the one order in which all lock accounts.';

create function private.exchanges_release(exchange public.exchanges, actor uuid)
returns void
language plpgsql
volatile
security definer -- nobody else resolves holds
set search_path = ''
as $$
#variable_conflict use_column
declare
  v_hold public.wallet_holds;
begin
  for v_hold in
    select h.* from public.wallet_holds h
    where h.tenant_id = exchange.tenant_id and h.status = 'held' and h.id in (
      select p.hold_id from public.exchanges_parts p
      where p.tenant_id = exchange.tenant_id and p.exchange_id = exchange.id
    )
    order by h.from_account
    for no key update
  loop
    perform private.wallet_release(v_hold, 'voided', exchanges_release.actor);
  end loop;
end;
$$;
comment on function private.exchanges_release(public.exchanges, uuid) is 'Gives back what was set aside for an exchange.';

create function private.exchanges_set_aside(exchange public.exchanges, actor uuid)
returns void
language plpgsql
volatile
security definer -- nobody else makes holds for others
set search_path = ''
as $$
#variable_conflict use_column
declare
  v_part record;
  v_hold public.wallet_holds;
begin
  if not private.feature(exchange.tenant_id, 'exchanges.holds') then
    return;
  end if;
  v_hold.tenant_id := exchange.tenant_id;
  v_hold.currency := exchange.currency;
  v_hold.actor := exchanges_set_aside.actor;
  v_hold.reference := 'exchanges:' || exchange.id;
  v_hold.expires_at := now() + interval '90 days';
  -- For nobody's account: a payee could take what is held for them before both have confirmed.
  v_hold.to_account := private.wallet_system_account(exchange.tenant_id, exchange.currency, 'hold');
  for v_part in
    select p.person_id, p.minutes,
      private.wallet_payer(p.tenant_id, p.person_id, exchange.currency, null) as account
    from public.exchanges_parts p
    where p.tenant_id = exchange.tenant_id and p.exchange_id = exchange.id and p.side = 'receives'
    order by account
  loop
    v_hold.id := private.uuid_v7();
    v_hold.from_account := v_part.account;
    v_hold.amount := v_part.minutes;
    perform private.wallet_set_aside(v_hold);
    update public.exchanges_parts p set hold_id = v_hold.id
    where p.tenant_id = exchange.tenant_id and p.exchange_id = exchange.id and p.person_id = v_part.person_id;
  end loop;
end;
$$;
comment on function private.exchanges_set_aside(public.exchanges, uuid) is
  'Where the feature exchanges.holds is on: sets aside of each receiver''s account what they agreed to. Raises as private.wallet_payer and private.wallet_refuse.';

create function private.exchanges_step(
  exchange public.exchanges, status text, actor uuid, reason text default null,
  final_minutes integer default null, transfer_id uuid default null
)
returns public.exchanges
language plpgsql
volatile
security definer -- nobody else writes exchanges
set search_path = ''
as $$
#variable_conflict use_column
declare
  v_due timestamptz := private.exchanges_due(exchange, exchanges_step.status);
  v_exchange public.exchanges;
begin
  update public.exchanges e
  set status = exchanges_step.status, reason = exchanges_step.reason, due_at = v_due, escalated_at = null,
    remind_at = private.exchanges_remind_at(exchange, exchanges_step.status, v_due),
    accepted_at = case exchanges_step.status when 'accepted' then now() else e.accepted_at end,
    completed_at = case exchanges_step.status when 'completed' then now() else e.completed_at end,
    decided_by = case when exchanges_step.reason = 'broker' then exchanges_step.actor else e.decided_by end,
    final_minutes = coalesce(exchanges_step.final_minutes, e.final_minutes),
    transfer_id = coalesce(exchanges_step.transfer_id, e.transfer_id)
  where e.tenant_id = exchange.tenant_id and e.id = exchange.id
  returning * into v_exchange;
  if v_due is null then
    update public.exchanges_parts p set ended_at = now()
    where p.tenant_id = v_exchange.tenant_id and p.exchange_id = v_exchange.id and p.ended_at is null;
  end if;
  if v_exchange.status = 'accepted' then
    perform private.exchanges_set_aside(v_exchange, exchanges_step.actor);
  elsif v_exchange.status in ('cancelled', 'expired') then
    perform private.exchanges_release(v_exchange, exchanges_step.actor);
  end if;
  perform private.audit(
    'EXCHANGE_MOVED', 'exchanges:' || v_exchange.id, jsonb_build_object('status', exchange.status),
    jsonb_strip_nulls(jsonb_build_object(
      'status', v_exchange.status, 'reason', v_exchange.reason, 'final_minutes', v_exchange.final_minutes
    )),
    v_exchange.tenant_id, exchanges_step.actor
  );
  perform private.exchanges_announce(v_exchange);
  return v_exchange;
end;
$$;
comment on function private.exchanges_step(public.exchanges, text, uuid, text, integer, uuid) is
  'Moves an exchange to another state, with its deadline, holds, line of the trail and live event. Raises request.transition_refused, and as private.exchanges_set_aside.';
