-- Newsletters, life: what becomes of a reader's rows when they leave or are erased, and the figures.

create function private.newsletters_on_member_gone()
returns trigger
language plpgsql
volatile
security definer -- nobody else writes these
set search_path = ''
as $$
#variable_conflict use_column
begin
  delete from public.newsletters_tags x where x.tenant_id = new.tenant_id and x.person_id = new.person_id;
  delete from private.newsletters_consents c where c.tenant_id = new.tenant_id and c.person_id = new.person_id;
  update private.newsletters_followers f set due_at = null
  where f.tenant_id = new.tenant_id and f.person_id = new.person_id and f.due_at is not null;
  return null;
end;
$$;
comment on function private.newsletters_on_member_gone() is
  'After a member left or was banned: no label, no consent and no further mail of a sequence.';

create trigger newsletters_on_member_gone after update of status on public.members
  for each row when (new.status in ('left', 'banned') and old.status is distinct from new.status)
  execute function private.newsletters_on_member_gone();

create function private.newsletters_on_person_erased()
returns trigger
language plpgsql
volatile
security definer -- nobody else writes these
set search_path = ''
as $$
#variable_conflict use_column
declare
  v_tenants uuid[] := array(select m.tenant_id from public.members m where m.person_id = new.id);
begin
  delete from private.newsletters_recipients r where r.tenant_id = any (v_tenants) and r.person_id = new.id;
  delete from private.newsletters_followers f where f.tenant_id = any (v_tenants) and f.person_id = new.id;
  delete from private.newsletters_consents c where c.tenant_id = any (v_tenants) and c.person_id = new.id;
  delete from public.newsletters_tags x where x.tenant_id = any (v_tenants) and x.person_id = new.id;
  return null;
end;
$$;
comment on function private.newsletters_on_person_erased() is
  'After a person is erased: nothing says what they got and read. The sums stay.';

create trigger newsletters_on_person_erased after update of erased_at on public.people
  for each row when (old.erased_at is null and new.erased_at is not null)
  execute function private.newsletters_on_person_erased();

create function private.newsletters_forget()
returns bigint
language plpgsql
volatile
security definer -- nobody else deletes recipients
set search_path = ''
as $$
#variable_conflict use_column
declare
  v_count bigint;
begin
  delete from private.newsletters_recipients r
  where (r.tenant_id, r.newsletter_id, r.person_id) in (
    select o.tenant_id, o.newsletter_id, o.person_id
    from public.newsletters n
    join private.newsletters_recipients o on o.tenant_id = n.tenant_id and o.newsletter_id = n.id
    where n.status in ('sent', 'cancelled') and n.ended_at < now() - interval '90 days'
    limit 20000
  );
  get diagnostics v_count = row_count;
  return v_count;
end;
$$;
comment on function private.newsletters_forget() is
  'Who got an issue and opened it is forgotten 90 days after its end, as long as notifications keep their evidence. Returns how many rows that were.';
select private.schedule('newsletters-forget', '53 * * * *', 'select private.newsletters_forget()');
create index newsletters_ended on public.newsletters (ended_at) where ended_at is not null;

select private.declare_metric(
  'newsletters_waiting', 'gauge', 'Newsletters that are being sent.',
  $$select count(*) as value from public.newsletters n where n.status = 'sending'$$
);
select private.declare_metric(
  'newsletters_stopped', 'gauge', 'Newsletters that were stopped because too many mails came back.',
  $$select count(*) as value from public.newsletters n where n.status = 'paused' and n.paused_for = 'bounces'$$
);
