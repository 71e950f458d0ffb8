-- Gamification, later sources: goals and time given, which stand after it in the order of chapters.

create function private.gamification_of_goal(tenant_id uuid, key text[])
returns setof private.gamification_claim
language plpgsql
stable
security definer -- reads goals past their policies
set search_path = ''
as $$
#variable_conflict use_column
begin
  -- Whoever sets themselves a goal and reaches it on the same day has not gone far.
  return query
  select g.owner_id, 'complete_goal', 1, 1::bigint, null::bigint
  from public.goals g
  where g.tenant_id = gamification_of_goal.tenant_id and g.id = key[1]::uuid and g.scope = 'personal'
    and g.status = 'reached' and g.removed_at is null and g.reached_at > g.created_at + interval '1 day';
end;
$$;
comment on function private.gamification_of_goal(uuid, text[]) is
  'A goal of one''s own that was reached, a day after it was set at the earliest.';
select private.declare_gamification_source('goals', 'gamification_of_goal');
create trigger gamification_on_goal after update of status, removed_at on public.goals
  for each row when (
    (new.status = 'reached' and new.removed_at is null) <> (old.status = 'reached' and old.removed_at is null)
  )
  execute function private.gamification_touched('goals', 'id');

create function private.gamification_of_hours(tenant_id uuid, key text[])
returns setof private.gamification_claim
language plpgsql
stable
security definer -- reads hours past their policies
set search_path = ''
as $$
#variable_conflict use_column
begin
  return query
  select h.person_id, 'volunteer_hour', h.minutes / 60, h.minutes::bigint, null::bigint
  from public.volunteering_hours h
  where h.tenant_id = gamification_of_hours.tenant_id and h.id = key[1]::uuid and h.status = 'approved';
end;
$$;
comment on function private.gamification_of_hours(uuid, text[]) is
  'Time given that somebody else approved: its whole hours, and its minutes on the board.';
select private.declare_gamification_source('volunteering_hours', 'gamification_of_hours');
create trigger gamification_on_hours after update of status on public.volunteering_hours
  for each row when ((new.status = 'approved') <> (old.status = 'approved'))
  execute function private.gamification_touched('volunteering_hours', 'id');
