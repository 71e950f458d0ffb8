-- Volunteering, life: totals, the clock, and what becomes of it when a membership ends, a person is
-- erased, or somebody reports a call.

create type public.volunteering_sum as (minutes bigint, entries bigint, people bigint);
comment on type public.volunteering_sum is 'What all gave together, as approved.';

create function public.volunteering_summary(tenant_id uuid)
returns public.volunteering_sum
language plpgsql
stable
security definer -- members may not read the totals of others
set search_path = ''
as $$
#variable_conflict use_column
declare
  v_sum public.volunteering_sum;
begin
  perform private.require(volunteering_summary.tenant_id, 'volunteering.read');
  select coalesce(sum(t.minutes), 0), coalesce(sum(t.entries), 0), count(*) filter (where t.minutes > 0)
  into v_sum
  from public.volunteering_totals t
  where t.tenant_id = volunteering_summary.tenant_id;
  return v_sum;
end;
$$;
comment on function public.volunteering_summary(uuid) is
  'How much all gave together, and how many they are (permission volunteering.read): one row a volunteer is read.';
grant execute on function public.volunteering_summary(uuid) to authenticated;

create function private.volunteering_close()
returns integer
language plpgsql
volatile
security definer -- nobody else writes opportunities
set search_path = ''
as $$
#variable_conflict use_column
declare
  v_count integer;
begin
  update public.volunteering_opportunities o set status = 'closed'
  from (
    select d.tenant_id, d.id from public.volunteering_opportunities d
    where d.status = 'open' and d.ends_at <= now()
    order by d.ends_at
    limit 500
    for no key update skip locked
  ) due
  where o.tenant_id = due.tenant_id and o.id = due.id;
  get diagnostics v_count = row_count;
  return v_count;
end;
$$;
comment on function private.volunteering_close() is 'Closes calls that are over, 500 at a time; returns how many.';
select private.schedule('volunteering-close', '29 * * * *', 'select private.volunteering_close()');

create function private.volunteering_on_member_gone()
returns trigger
language plpgsql
volatile
security definer -- whoever changes the membership may not write sign-ups
set search_path = ''
as $$
#variable_conflict use_column
declare
  v_opportunity public.volunteering_opportunities;
  v_signup public.volunteering_signups;
begin
  perform private.volunteering_lock_all(array[new.tenant_id], new.person_id);
  for v_opportunity in
    select o.* from public.volunteering_opportunities o
    join public.volunteering_signups s on s.tenant_id = o.tenant_id and s.opportunity_id = o.id
    where s.tenant_id = new.tenant_id and s.person_id = new.person_id and s.status in ('applied', 'accepted')
    order by o.id
    for no key update of o
  loop
    select * into v_signup from public.volunteering_signups s
    where s.tenant_id = v_opportunity.tenant_id and s.opportunity_id = v_opportunity.id
      and s.person_id = new.person_id and s.status in ('applied', 'accepted');
    if found then
      perform private.volunteering_move(v_opportunity, v_signup, 'withdrawn');
    end if;
  end loop;
  return null;
end;
$$;
comment on function private.volunteering_on_member_gone() is
  'After a member left or was banned: their places are free. What they gave stays, and can still be approved.';
create trigger volunteering_on_member_gone after update of status on public.members
  for each row when (new.status in ('left', 'banned') and old.status not in ('left', 'banned'))
  execute function private.volunteering_on_member_gone();

create function private.volunteering_on_person_erased()
returns trigger
language plpgsql
volatile
security definer -- nobody else writes volunteering
set search_path = ''
as $$
#variable_conflict use_column
declare
  v_tenants uuid[] := array(select m.tenant_id from public.members m where m.person_id = new.id);
begin
  -- Before sign-ups and hours, as everybody does.
  perform private.volunteering_lock_all(v_tenants, new.id);
  update public.volunteering_signups s set note = null
  where s.tenant_id = any (v_tenants) and s.person_id = new.id and s.note is not null;
  update public.volunteering_hours h set note = null, reason = null
  where h.tenant_id = any (v_tenants) and h.person_id = new.id and num_nonnulls(h.note, h.reason) > 0;
  -- A group's or organisation's call is theirs; the person's own ends.
  update public.volunteering_opportunities o
  set status = case when o.status = 'cancelled' then o.status else 'cancelled' end, title = '---',
    description = null, place = null
  where o.tenant_id = any (v_tenants) and o.organiser_id = new.id and num_nonnulls(o.group_id, o.organisation_id) = 0;
  return null;
end;
$$;
comment on function private.volunteering_on_person_erased() is
  'After a person is erased: the time they gave stays, without words; calls of their own end, and say nothing any more.';
create trigger volunteering_on_person_erased after update of erased_at on public.people
  for each row when (old.erased_at is null and new.erased_at is not null)
  execute function private.volunteering_on_person_erased();

-- Reports
create function private.volunteering_describe(tenant_id uuid, subject uuid, reporter uuid)
returns private.moderation_subject
language plpgsql
stable
security definer -- reads opportunities past their policies
set search_path = ''
as $$
#variable_conflict use_column
declare
  v_subject private.moderation_subject;
begin
  select o.organiser_id, concat_ws(E'\n', o.title, o.description),
    case when o.group_id is null then '{}'::uuid[] else private.groups_moderators(o.tenant_id, o.group_id) end
  into v_subject
  from public.volunteering_opportunities o
  where o.tenant_id = volunteering_describe.tenant_id and o.id = volunteering_describe.subject
    and o.organiser_id <> reporter and o.removed_at is null and private.volunteering_sees(o, reporter);
  return v_subject;
end;
$$;
comment on function private.volunteering_describe(uuid, uuid, uuid) is 'A call of somebody else, as its reporter sees it.';

create function private.volunteering_remove_reported(tenant_id uuid, subject uuid)
returns jsonb
language plpgsql
volatile
security definer -- nobody else writes opportunities
set search_path = ''
as $$
#variable_conflict use_column
begin
  update public.volunteering_opportunities o set removed_at = coalesce(o.removed_at, now())
  where o.tenant_id = volunteering_remove_reported.tenant_id and o.id = volunteering_remove_reported.subject;
  return '{}'::jsonb;
end;
$$;
comment on function private.volunteering_remove_reported(uuid, uuid) is
  'Takes a reported call out of the sight of all but those who run it.';

create function private.volunteering_restore_reported(tenant_id uuid, subject uuid, snapshot jsonb)
returns void
language plpgsql
volatile
security definer -- nobody else writes opportunities
set search_path = ''
as $$
#variable_conflict use_column
begin
  update public.volunteering_opportunities o set removed_at = null
  where o.tenant_id = volunteering_restore_reported.tenant_id and o.id = volunteering_restore_reported.subject
    and snapshot is not null;
end;
$$;
comment on function private.volunteering_restore_reported(uuid, uuid, jsonb) is 'Shows a call again that was removed.';

select private.declare_reportable(
  'volunteering.opportunity', 'volunteering_describe', 'volunteering_remove_reported', 'volunteering_restore_reported'
);
