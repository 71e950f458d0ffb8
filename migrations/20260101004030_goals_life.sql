-- Goals, life: what becomes of them when a membership ends, a person is erased, or somebody reports one.

create function private.goals_on_member_changed()
returns trigger
language plpgsql
volatile
security definer -- whoever changes the membership may not write goals
set search_path = ''
as $$
begin
  update public.goals g set owner_active = new.status = 'active'
  where g.tenant_id = new.tenant_id and g.owner_id = new.person_id;
  if new.status in ('left', 'banned') then
    update public.goals_buddies b set status = 'left'
    where b.tenant_id = new.tenant_id and b.person_id = new.person_id and b.status in ('invited', 'accepted');
  end if;
  return null;
end;
$$;
comment on function private.goals_on_member_changed() is
  'After a membership was suspended, ended or opened again: the member''s own goals hide, or are there again; who is gone helps nobody.';
create trigger goals_on_member_changed after update of status on public.members
  for each row when ((new.status = 'active') <> (old.status = 'active'))
  execute function private.goals_on_member_changed();

create function private.goals_on_person_erased()
returns trigger
language plpgsql
volatile
security definer -- nobody else writes goals
set search_path = ''
as $$
#variable_conflict use_column
declare
  v_tenants uuid[] := array(select m.tenant_id from public.members m where m.person_id = new.id);
begin
  -- What the community reached with their help stays reached, without their words.
  update public.goals_check_ins c set note = null
  where c.tenant_id = any (v_tenants) and c.person_id = new.id and c.note is not null;
  delete from public.goals g
  where g.tenant_id = any (v_tenants) and g.owner_id = new.id and g.scope = 'personal';
  delete from public.goals_buddies b where b.tenant_id = any (v_tenants) and b.person_id = new.id;
  return null;
end;
$$;
comment on function private.goals_on_person_erased() is
  'After a person is erased: their own goals go with all check-ins; of the community''s stays what they added, without words.';
create trigger goals_on_person_erased after update of erased_at on public.people
  for each row when (old.erased_at is null and new.erased_at is not null)
  execute function private.goals_on_person_erased();

-- Reports
create function private.goals_describe(tenant_id uuid, subject uuid, reporter uuid)
returns private.moderation_subject
language plpgsql
stable
security definer -- reads goals past their policies
set search_path = ''
as $$
#variable_conflict use_column
declare
  v_subject private.moderation_subject;
begin
  select g.owner_id, concat_ws(E'\n', g.title, g.description), '{}'::uuid[]
  into v_subject
  from public.goals g
  where g.tenant_id = goals_describe.tenant_id and g.id = goals_describe.subject
    and g.owner_id <> reporter and private.goals_sees(g, reporter);
  return v_subject;
end;
$$;
comment on function private.goals_describe(uuid, uuid, uuid) is 'A goal of somebody else, as its reporter sees it.';

create function private.goals_remove_reported(tenant_id uuid, subject uuid)
returns jsonb
language plpgsql
volatile
security definer -- nobody else writes goals
set search_path = ''
as $$
#variable_conflict use_column
begin
  update public.goals g set removed_at = coalesce(g.removed_at, now())
  where g.tenant_id = goals_remove_reported.tenant_id and g.id = goals_remove_reported.subject;
  return '{}'::jsonb;
end;
$$;
comment on function private.goals_remove_reported(uuid, uuid) is 'Takes a reported goal out of everybody''s sight but its owner''s.';

create function private.goals_restore_reported(tenant_id uuid, subject uuid, snapshot jsonb)
returns void
language plpgsql
volatile
security definer -- nobody else writes goals
set search_path = ''
as $$
#variable_conflict use_column
begin
  update public.goals g set removed_at = null
  where g.tenant_id = goals_restore_reported.tenant_id and g.id = goals_restore_reported.subject
    and snapshot is not null;
end;
$$;
comment on function private.goals_restore_reported(uuid, uuid, jsonb) is 'Shows a goal again that was removed.';

select private.declare_reportable('goals.goal', 'goals_describe', 'goals_remove_reported', 'goals_restore_reported');
