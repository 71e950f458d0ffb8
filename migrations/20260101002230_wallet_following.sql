-- Wallet, following: what becomes of a transfer outside the ledger is made of its line of the trail, of
-- many transfers at once: the announcements on the channels of those it touches, and the jobs that tell
-- them where they have no channel open.

create function private.wallet_follow(lines private.audit_log[])
returns integer
language plpgsql
volatile
security definer -- reads ledger and members past their policies
set search_path = ''
set enable_seqscan = off
set enable_hashjoin = off
set enable_mergejoin = off
set plan_cache_mode = force_generic_plan
as $$
#variable_conflict use_column
declare
  v_told private.announcement[];
begin
  perform private.enqueue_all('wallet.transferred', array(
    select row(
      l.tenant_id, l.resource, jsonb_build_object('transfer_id', substring(l.resource from 18))
    )::private.job
    from unnest(lines) l
  ));
  -- A channel outlives the membership: what it may carry is asked at each sending.
  select array_agg(row(
    m.person_id,
    jsonb_build_object(
      'tenant_id', t.tenant_id,
      'transfer_id', t.id,
      'account_id', e.account_id,
      'currency', t.currency,
      'amount', e.amount,
      'counterpart', other.person_id,
      'balance_after', e.balance_after,
      'created_at', t.created_at
    )
  )::private.announcement order by l.place)
  into v_told
  from unnest(lines) with ordinality l(
    tenant_id, id, action, resource, actor, impersonator, session_id, request_id, details_digest,
    transaction_id, created_at, place
  )
  join public.wallet_transfers t on t.tenant_id = l.tenant_id and t.id = substring(l.resource from 18)::uuid
  join public.wallet_entries e on e.tenant_id = t.tenant_id and e.transfer_id = t.id
  join public.wallet_ledger_accounts a on a.tenant_id = e.tenant_id and a.id = e.account_id
  left join public.wallet_ledger_accounts other
    on other.tenant_id = t.tenant_id and t.from_account is not null and t.to_account is not null
    and other.id = case e.account_id when t.from_account then t.to_account else t.from_account end
  left join public.wallet_agents g
    on a.organisation_id is not null and g.tenant_id = a.tenant_id and g.organisation_id = a.organisation_id
  join public.members m
    on m.tenant_id = a.tenant_id and m.person_id = coalesce(a.person_id, g.person_id) and m.status = 'active'
  join private.role_rights r
    on r.tenant_id = m.tenant_id and r.role = m.role and 'wallet.read' = any (r.permissions)
  where coalesce(r.two_factor_from > now(), true)
    or exists (select from private.trust_factors f where f.person_id = m.person_id);
  return case when v_told is not null then private.announce_all('wallet:transfer', v_told) else 0 end;
end;
$$;
comment on function private.wallet_follow(private.audit_log[]) is
  'Of lines about transfers: a job for the notices of each, and wallet:transfer on the own channels of everybody it touches who is an active member with wallet.read, agents of organisations included. Returns how many channels were sent to.';

select private.declare_follower(
  'wallet', array['WALLET_TRANSFER', 'WALLET_SETTLED', 'WALLET_REVERSED', 'WALLET_CAPTURED'], 'wallet_follow'
);
