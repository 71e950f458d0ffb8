-- Gamification, sources: what others' tables deserve. They know nothing of it: a trigger leaves a job, and
-- here stands what the job reads from the source.

create function private.gamification_touched()
returns trigger
language plpgsql
volatile
security definer -- nobody else writes the outbox
set search_path = ''
as $$
declare
  v_row jsonb := to_jsonb(new);
  v_key text;
begin
  select string_agg(v_row ->> a.name, ':' order by a.place) into v_key
  from unnest(tg_argv[1:]) with ordinality a (name, place);
  -- What was awarded before the module was switched off is taken back once it is on again.
  if not private.jobs_closed(new.tenant_id, 'gamification.award') or exists (
    select from public.gamification_awards w
    where w.tenant_id = new.tenant_id and w.source = tg_argv[0] || ':' || v_key
  ) then
    perform private.enqueue(
      'gamification.award', jsonb_build_object('source', tg_argv[0], 'key', v_key), new.tenant_id,
      tg_argv[0] || ':' || v_key, priority => -1::smallint
    );
  end if;
  return null;
end;
$$;
comment on function private.gamification_touched() is
  'After something was done or undone, for trigger (source, column of its key, …): has the worker ask what it deserves now.';

create function private.declare_gamification_source(source text, deserved name)
returns void
language sql
volatile
security invoker
set search_path = ''
as $$
  insert into private.gamification_sources (source, deserved)
  values (declare_gamification_source.source, declare_gamification_source.deserved);
$$;
comment on function private.declare_gamification_source(text, name) is
  'For migrations: a source of awards, and the function in private that says what one deserves now: (tenant_id, key text[]) returns setof gamification_claim.';

create function private.gamification_deserved(tenant_id uuid, source text, key text)
returns private.gamification_claim[]
language plpgsql
stable
security definer -- reads whatever table the source is
set search_path = ''
as $$
#variable_conflict use_column
declare
  v_source private.gamification_sources;
  v_claims private.gamification_claim[];
begin
  select * into v_source from private.gamification_sources s where s.source = gamification_deserved.source;
  if not found then
    raise exception 'nobody declared a source %', gamification_deserved.source;
  end if;
  execute format('select array_agg(c::private.gamification_claim) from private.%I($1, $2) c', v_source.deserved)
    into v_claims using gamification_deserved.tenant_id, string_to_array(gamification_deserved.key, ':');
  return coalesce(v_claims, '{}');
end;
$$;
comment on function private.gamification_deserved(uuid, text, text) is 'What a source deserves now.';

create function public.gamification_award(tenant_id uuid, source text, key text)
returns integer
language plpgsql
volatile
security definer -- nobody else writes awards
set search_path = ''
as $$
#variable_conflict use_column
declare
  v_name text := gamification_award.source || ':' || gamification_award.key;
begin
  -- Before the source is read: what another job read of it earlier must not be booked after this.
  perform private.gamification_lock(gamification_award.tenant_id, '{}');
  return private.gamification_settle(
    gamification_award.tenant_id, v_name,
    private.gamification_deserved(
      gamification_award.tenant_id, gamification_award.source, gamification_award.key
    ),
    also => array(
      select distinct a.person_id from public.gamification_awards a
      where a.tenant_id = gamification_award.tenant_id and a.source = v_name
    )
  );
end;
$$;
comment on function public.gamification_award(uuid, text, text) is
  'For the worker: books what a source deserves now and takes back what it deserves no more. Returns how many awards are new.';
grant execute on function public.gamification_award(uuid, text, text) to service_role;

-- Payments of time
create function private.gamification_of_transfer(tenant_id uuid, key text[])
returns setof private.gamification_claim
language plpgsql
stable
security definer -- reads the ledger past its policies
set search_path = ''
as $$
#variable_conflict use_column
begin
  return query
  select a.person_id, case when e.amount < 0 then 'send_credits' else 'receive_credits' end,
    -- What an exchange settles is worth its own action; here it counts as hours alone.
    case t.kind when 'transfer' then 1 else 0 end, abs(e.amount), null::bigint
  from public.wallet_transfers t
  join public.wallet_currencies c on c.tenant_id = t.tenant_id and c.code = t.currency and c.kind = 'time'
  join public.wallet_entries e on e.tenant_id = t.tenant_id and e.transfer_id = t.id
  join public.wallet_ledger_accounts a
    on a.tenant_id = e.tenant_id and a.id = e.account_id and a.purpose = 'member'
  where t.tenant_id = gamification_of_transfer.tenant_id and t.id = key[1]::uuid
    and t.kind in ('transfer', 'settlement') and e.amount <> 0
    and not exists (
      select from public.wallet_reversals r where r.tenant_id = t.tenant_id and r.transfer_id = t.id
    );
end;
$$;
comment on function private.gamification_of_transfer(uuid, text[]) is
  'A payment of time that was not reversed: hours spent for who paid, earned for who got them.';
select private.declare_gamification_source('wallet_transfers', 'gamification_of_transfer');
create trigger gamification_on_transfer after insert on public.wallet_transfers
  for each row when (new.kind in ('transfer', 'settlement'))
  execute function private.gamification_touched('wallet_transfers', 'id');
create trigger gamification_on_reversal after insert on public.wallet_reversals
  for each row execute function private.gamification_touched('wallet_transfers', 'transfer_id');

-- Talking to somebody for the first time
create function private.gamification_of_conversation(tenant_id uuid, key text[])
returns setof private.gamification_claim
language plpgsql
stable
security definer -- reads conversations past their policies
set search_path = ''
as $$
#variable_conflict use_column
begin
  -- An answer is what makes a connection: opening conversations is worth nothing.
  return query
  select m.person_id, 'make_connection', 1, 1::bigint, null::bigint
  from public.messaging_conversations c
  join public.messaging_members m on m.tenant_id = c.tenant_id and m.conversation_id = c.id
  where c.tenant_id = gamification_of_conversation.tenant_id and c.id = key[1]::uuid
    and c.kind = 'direct' and c.context_kind is null and (
      select count(distinct x.sender_id) from public.messaging_messages x
      where x.tenant_id = c.tenant_id and x.conversation_id = c.id and x.seq <= 12
    ) = 2;
end;
$$;
comment on function private.gamification_of_conversation(uuid, text[]) is
  'A conversation of two in which both said something early on: a connection for both.';
select private.declare_gamification_source('messaging_conversations', 'gamification_of_conversation');
create trigger gamification_on_message after insert on public.messaging_messages
  for each row when (new.seq between 2 and 12 and new.kind = 'text')
  execute function private.gamification_touched('messaging_conversations', 'conversation_id');
