-- Wallet, leaving: whoever leaves or is banned acts for nobody any more, trusts nobody and is trusted by
-- nobody. Their accounts stay; back again they are a member like any other.

create function private.wallet_on_member_gone()
returns trigger
language plpgsql
volatile
security definer -- nobody else writes agents and trust
set search_path = ''
as $$
begin
  delete from public.wallet_agents g
  where g.tenant_id = new.tenant_id and g.person_id = new.person_id;
  delete from public.wallet_trusted t
  where t.tenant_id = new.tenant_id and (t.person_id = new.person_id or t.payee = new.person_id);
  return null;
end;
$$;
comment on function private.wallet_on_member_gone() is
  'After a member left or was banned: ends what they could do for organisations, and trust both ways.';

create trigger wallet_on_member_gone after update of status on public.members
  for each row when (new.status in ('left', 'banned') and old.status is distinct from new.status)
  execute function private.wallet_on_member_gone();
