-- Gamification, life: who is no active member stands on no board, and an erased person leaves no rank.

create function private.gamification_on_member_changed()
returns trigger
language plpgsql
volatile
security definer -- whoever changes the membership may not write what is collected
set search_path = ''
as $$
#variable_conflict use_column
declare
  v_member public.gamification_members;
begin
  if not exists (
    select from public.gamification_members g
    where g.tenant_id = new.tenant_id and g.person_id = new.person_id
  ) then
    return null;
  end if;
  perform private.gamification_lock(new.tenant_id, '{}');
  update public.gamification_members g set away = new.status <> 'active'
  where g.tenant_id = new.tenant_id and g.person_id = new.person_id
  returning * into v_member;
  perform private.gamification_show(
    v_member.tenant_id, v_member.person_id, not (v_member.hidden or v_member.away)
  );
  return null;
end;
$$;
comment on function private.gamification_on_member_changed() is
  'After a member came, went or was suspended: they are shown only while they are active.';
create trigger gamification_on_member_changed after update of status on public.members
  for each row when ((new.status = 'active') <> (old.status = 'active'))
  execute function private.gamification_on_member_changed();

create function private.gamification_on_person_erased()
returns trigger
language plpgsql
volatile
security definer -- nobody else writes what is collected
set search_path = ''
as $$
#variable_conflict use_column
declare
  v_tenants uuid[] := array(
    select g.tenant_id from public.members m
    join public.gamification_members g on g.tenant_id = m.tenant_id and g.person_id = m.person_id
    where m.person_id = new.id
    order by g.tenant_id
  );
  v_tenant uuid;
begin
  foreach v_tenant in array v_tenants loop
    perform private.gamification_lock(v_tenant, '{}');
    perform private.gamification_show(v_tenant, new.id, false);
  end loop;
  delete from public.gamification_snapshots s where s.tenant_id = any (v_tenants) and s.person_id = new.id;
  delete from public.gamification_scores s where s.tenant_id = any (v_tenants) and s.person_id = new.id;
  delete from public.gamification_days d where d.tenant_id = any (v_tenants) and d.person_id = new.id;
  update public.gamification_members g set hidden = true, active_on = null, streak = 0
  where g.tenant_id = any (v_tenants) and g.person_id = new.id;
  return null;
end;
$$;
comment on function private.gamification_on_person_erased() is
  'After a person is erased: their places, days and scores go; that awards were made stays, without a name.';
create trigger gamification_on_person_erased after update of erased_at on public.people
  for each row when (old.erased_at is null and new.erased_at is not null)
  execute function private.gamification_on_person_erased();

select private.declare_metric(
  'gamification_awards_total', 'counter', 'Awards booked, those that take back or give back included.',
  $$select pg_stat_get_tuples_inserted('public.gamification_awards'::regclass) as value, '{}'::jsonb as labels$$
);
