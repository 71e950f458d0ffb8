-- Goals, buddies and the clock: who helps, giving up and taking up again, and who is told when a day
-- comes near.

select private.declare_notification('goals.' || what, group_key => 'goal_id')
from unnest(array['invited', 'joined', 'deadline', 'missed']) what;
select private.declare_notification('goals.due', email => 'off', group_key => 'goal_id');

create function public.goals_invite(tenant_id uuid, goal uuid, person uuid)
returns public.goals_buddies
language plpgsql
volatile
security definer -- clients may not write buddies
set search_path = ''
as $$
#variable_conflict use_column
declare
  v_me uuid := private.require(goals_invite.tenant_id, 'goals.write');
  v_goal public.goals := private.goals_lock(goals_invite.tenant_id, goals_invite.goal, v_me);
  v_buddy public.goals_buddies;
begin
  if v_goal.owner_id <> v_me then
    raise sqlstate 'PT403' using message = 'goals.not_the_owner';
  elsif v_goal.scope = 'community' or v_goal.visibility = 'private' or v_goal.status <> 'active' then
    raise sqlstate 'PT409' using message = 'goals.not_shared';
  -- A block is nobody's to find out: whoever blocked the caller is not there.
  elsif goals_invite.person = v_me or not private.may(v_goal.tenant_id, goals_invite.person, 'goals.write')
    or private.messaging_blocked(v_goal.tenant_id, v_me, goals_invite.person)
  then
    raise sqlstate 'PT404' using message = 'members.not_found';
  end if;
  select * into v_buddy from public.goals_buddies b
  where b.tenant_id = v_goal.tenant_id and b.goal_id = v_goal.id and b.person_id = goals_invite.person;
  if v_buddy.status in ('invited', 'accepted') then
    return v_buddy;
  elsif (
    select count(*) from public.goals_buddies b
    where b.tenant_id = v_goal.tenant_id and b.goal_id = v_goal.id and b.status in ('invited', 'accepted')
  ) >= 10 then
    raise sqlstate 'PT409' using message = 'goals.too_many_buddies';
  end if;
  perform private.require_rate('goals-invite:' || v_goal.tenant_id || ':' || v_me, 30, interval '1 day');
  insert into public.goals_buddies (tenant_id, goal_id, person_id, owner_id)
  values (v_goal.tenant_id, v_goal.id, goals_invite.person, v_me)
  on conflict (tenant_id, goal_id, person_id) do update set status = 'invited'
  returning * into v_buddy;
  perform private.notify(
    v_buddy.person_id, 'goals.invited',
    jsonb_build_object(
      'goal_id', v_goal.id, 'title', v_goal.title, 'name', (
        select m.display_name from public.members m
        where m.tenant_id = v_goal.tenant_id and m.person_id = v_me
      )
    ),
    v_goal.tenant_id
  );
  return v_buddy;
end;
$$;
comment on function public.goals_invite(uuid, uuid, uuid) is
  'Asks a member to help with a goal of the caller''s that is not private, ten at most (permission goals.write). Raises goals.not_found, goals.not_the_owner, goals.not_shared, goals.too_many_buddies, members.not_found, limits.exceeded.';
grant execute on function public.goals_invite(uuid, uuid, uuid) to authenticated;

create function public.goals_answer(tenant_id uuid, goal uuid, accept boolean)
returns public.goals_buddies
language plpgsql
volatile
security definer -- clients may not write buddies
set search_path = ''
as $$
#variable_conflict use_column
declare
  v_me uuid := private.require(goals_answer.tenant_id, 'goals.write');
  v_goal public.goals := private.goals_lock(goals_answer.tenant_id, goals_answer.goal, v_me);
  v_buddy public.goals_buddies;
begin
  if goals_answer.accept is null then
    raise sqlstate 'PT422' using message = 'request.invalid', detail = 'accept';
  end if;
  update public.goals_buddies b set status = case when goals_answer.accept then 'accepted' else 'declined' end
  where b.tenant_id = v_goal.tenant_id and b.goal_id = v_goal.id and b.person_id = v_me and b.status = 'invited'
  returning * into v_buddy;
  if not found then
    raise sqlstate 'PT404' using message = 'goals.not_invited';
  elsif v_buddy.status = 'accepted' then
    perform private.notify(
      v_goal.owner_id, 'goals.joined',
      jsonb_build_object(
        'goal_id', v_goal.id, 'title', v_goal.title, 'name', (
          select m.display_name from public.members m
          where m.tenant_id = v_goal.tenant_id and m.person_id = v_me
        )
      ),
      v_goal.tenant_id
    );
  end if;
  return v_buddy;
end;
$$;
comment on function public.goals_answer(uuid, uuid, boolean) is
  'Says whether the caller helps with a goal they were asked to (permission goals.write). Raises goals.not_found, goals.not_invited, request.invalid.';
grant execute on function public.goals_answer(uuid, uuid, boolean) to authenticated;

create function public.goals_part(tenant_id uuid, goal uuid, person uuid default null)
returns public.goals_buddies
language plpgsql
volatile
security definer -- clients may not write buddies
set search_path = ''
as $$
#variable_conflict use_column
declare
  v_me uuid := private.require(goals_part.tenant_id, 'goals.read');
  v_buddy public.goals_buddies;
begin
  update public.goals_buddies b set status = 'left'
  where b.tenant_id = goals_part.tenant_id and b.goal_id = goals_part.goal
    and b.person_id = coalesce(goals_part.person, v_me) and v_me in (b.person_id, b.owner_id)
    and b.status in ('invited', 'accepted')
  returning * into v_buddy;
  if not found then
    raise sqlstate 'PT404' using message = 'goals.buddy_not_found';
  end if;
  return v_buddy;
end;
$$;
comment on function public.goals_part(uuid, uuid, uuid) is
  'The caller helps no longer, or the owner parts with somebody who helped or was asked (permission goals.read). Raises goals.buddy_not_found.';
grant execute on function public.goals_part(uuid, uuid, uuid) to authenticated;

create function public.goals_set_status(tenant_id uuid, goal uuid, status text)
returns public.goals
language plpgsql
volatile
security definer -- clients may not write goals
set search_path = ''
as $$
#variable_conflict use_column
declare
  v_me uuid := private.require(goals_set_status.tenant_id, 'goals.write');
  v_goal public.goals := private.goals_lock(goals_set_status.tenant_id, goals_set_status.goal, v_me);
begin
  perform private.goals_require_owner(v_goal, v_me);
  if coalesce(goals_set_status.status not in ('active', 'abandoned'), true) then
    raise sqlstate 'PT422' using message = 'request.invalid', detail = 'status: active or abandoned';
  -- What was missed goes on with a later day; what was reached, with a higher target.
  elsif v_goal.status = goals_set_status.status
    or (goals_set_status.status = 'active' and v_goal.status <> 'abandoned')
  then
    raise sqlstate 'PT409' using message = 'request.transition_refused', detail = 'goals: ' || v_goal.status;
  end if;
  update public.goals g set status = goals_set_status.status
  where g.tenant_id = v_goal.tenant_id and g.id = v_goal.id
  returning * into v_goal;
  return private.goals_settle(v_goal, v_me);
end;
$$;
comment on function public.goals_set_status(uuid, uuid, text) is
  'Gives a goal up (abandoned), or takes it up again (active): the caller''s own, or the community''s with goals.manage (permission goals.write). Raises goals.not_found, goals.not_the_owner, members.permission_denied, request.transition_refused, request.invalid.';
grant execute on function public.goals_set_status(uuid, uuid, text) to authenticated;

-- The clock
create function private.goals_tell(goal public.goals, kind text, about text)
returns void
language plpgsql
volatile
security definer -- nobody else tells of goals
set search_path = ''
as $$
begin
  if private.may(goal.tenant_id, goal.owner_id, 'goals.read') then
    perform private.notify(
      goal.owner_id, kind,
      jsonb_build_object(
        'goal_id', goal.id, 'title', goal.title, 'progress', goal.progress::text, 'target', goal.target::text,
        'deadline', coalesce(goal.deadline::text, ''), 'about', format('goals:%s:%s', goal.id, goals_tell.about)
      ),
      goal.tenant_id
    );
  end if;
end;
$$;
comment on function private.goals_tell(public.goals, text, text) is 'Tells the owner of a goal, as long as they are a member.';

create function private.goals_tick()
returns integer
language plpgsql
volatile
security definer -- nobody else writes goals
set search_path = ''
as $$
#variable_conflict use_column
declare
  v_goal public.goals;
  v_count integer := 0;
begin
  for v_goal in
    update public.goals g
    -- Three days ahead once, and then when its last day is over, on the clocks of the place.
    set status = case when g.deadline < d.today then 'missed' else g.status end, reminded = true
    from (
      select n.tenant_id, n.id, (now() at time zone t.time_zone)::date as today
      from public.goals n
      join public.tenants t on t.id = n.tenant_id
      where n.status = 'active' and n.deadline <= current_date + 4
        and (n.deadline < (now() at time zone t.time_zone)::date
          or not n.reminded and n.deadline <= (now() at time zone t.time_zone)::date + 3)
      order by n.deadline
      limit 500
      for no key update of n skip locked
    ) d
    where g.tenant_id = d.tenant_id and g.id = d.id
    returning g.*
  loop
    perform private.goals_tell(
      v_goal, case v_goal.status when 'missed' then 'goals.missed' else 'goals.deadline' end, v_goal.deadline::text
    );
    v_count := v_count + 1;
  end loop;
  for v_goal in
    update public.goals g set due_at = now() + make_interval(days => g.every_days)
    from (
      select n.tenant_id, n.id from public.goals n
      where n.status = 'active' and n.due_at <= now()
      order by n.due_at
      limit 500
      for no key update skip locked
    ) d
    where g.tenant_id = d.tenant_id and g.id = d.id
    returning g.*
  loop
    perform private.goals_tell(v_goal, 'goals.due', extract(epoch from v_goal.due_at)::bigint::text);
    v_count := v_count + 1;
  end loop;
  return v_count;
end;
$$;
comment on function private.goals_tick() is
  'Ends goals whose day is over, and reminds owners three days ahead and when they have not checked in, five hundred of each at a time; returns how many.';
select private.schedule('goals-tick', '17 * * * *', 'select private.goals_tick()');
