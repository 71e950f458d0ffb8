-- Goals, acts: setting them, checking in, giving up and taking up again.

select private.declare_notification('goals.checked_in', email => 'off', push => 'off', group_key => 'goal_id');
select private.declare_notification('goals.reached', group_key => 'goal_id');

create function private.goals_lock(tenant_id uuid, goal uuid, person uuid)
returns public.goals
language plpgsql
volatile
security definer -- locks a goal past its policies
set search_path = ''
as $$
#variable_conflict use_column
declare
  v_goal public.goals;
begin
  select * into v_goal from public.goals g
  where g.tenant_id = goals_lock.tenant_id and g.id = goals_lock.goal
  for no key update;
  if not found or not private.goals_sees(v_goal, person) then
    raise sqlstate 'PT404' using message = 'goals.not_found';
  end if;
  return v_goal;
end;
$$;
comment on function private.goals_lock(uuid, uuid, uuid) is 'A goal that the person sees, locked. Raises goals.not_found.';

create function private.goals_require_owner(goal public.goals, person uuid)
returns void
language plpgsql
stable
security definer -- asks require
set search_path = ''
as $$
begin
  if goal.scope = 'community' then
    perform private.require(goal.tenant_id, 'goals.manage');
  elsif goal.owner_id <> person then
    raise sqlstate 'PT403' using message = 'goals.not_the_owner';
  end if;
end;
$$;
comment on function private.goals_require_owner(public.goals, uuid) is
  'Raises goals.not_the_owner unless it is the person''s own; members.permission_denied where it is the community''s and they do not manage its goals.';

create function private.goals_apply(goal public.goals, changes jsonb)
returns public.goals
language plpgsql
stable
security invoker
set search_path = ''
as $$
declare
  v_goal public.goals := goal;
  v_fault text := (
    select k from jsonb_object_keys(changes) k
    where k not in ('scope', 'title', 'description', 'target', 'unit', 'deadline', 'every_days', 'visibility')
    limit 1
  );
begin
  v_fault := coalesce(v_fault, case
    when changes ? 'target' and not coalesce(
      jsonb_typeof(changes -> 'target') = 'number' and (changes -> 'target')::numeric between 1 and 1000000000
      and (changes -> 'target')::numeric % 1 = 0, false
    ) then 'target: a whole number from 1 to 1,000,000,000'
    when jsonb_typeof(changes -> 'every_days') <> 'null' and not coalesce(
      jsonb_typeof(changes -> 'every_days') = 'number' and (changes -> 'every_days')::numeric between 1 and 90, false
    ) then 'every_days: 1 to 90'
    when changes ->> 'deadline' !~ '^\d{4}-\d\d-\d\d$' or not pg_input_is_valid(changes ->> 'deadline', 'date')
      then 'deadline: a day'
    when changes ? 'scope' and goal.id is not null and changes ->> 'scope' is distinct from goal.scope
      then 'scope: it stays what it was made'
  end);
  if v_fault is null then
    if changes ? 'scope' then v_goal.scope := changes ->> 'scope'; end if;
    if changes ? 'title' then v_goal.title := btrim(changes ->> 'title'); end if;
    if changes ? 'description' then v_goal.description := nullif(btrim(changes ->> 'description'), ''); end if;
    if changes ? 'target' then v_goal.target := (changes ->> 'target')::numeric::bigint; end if;
    if changes ? 'unit' then v_goal.unit := nullif(btrim(changes ->> 'unit'), ''); end if;
    if changes ? 'deadline' then v_goal.deadline := (changes ->> 'deadline')::date; end if;
    if changes ? 'every_days' then v_goal.every_days := round((changes ->> 'every_days')::numeric)::smallint; end if;
    if changes ? 'visibility' then v_goal.visibility := changes ->> 'visibility'; end if;
    if v_goal.scope = 'community' then v_goal.visibility := 'members'; end if;
    v_fault := case
      when v_goal.scope is null or v_goal.scope not in ('personal', 'community') then 'scope: personal or community'
      when coalesce(char_length(v_goal.title), 0) not between 3 and 120 then 'title: 3 to 120 characters'
      when char_length(v_goal.description) > 2000 then 'description: at most 2,000 characters'
      when v_goal.target is null then 'target'
      when char_length(v_goal.unit) > 30 then 'unit: at most 30 characters'
      when v_goal.visibility is null or v_goal.visibility not in ('private', 'buddies', 'members')
        then 'visibility: private, buddies or members'
    end;
  end if;
  if v_fault is not null then
    raise sqlstate 'PT422' using message = 'request.invalid', detail = v_fault;
  end if;
  return v_goal;
end;
$$;
comment on function private.goals_apply(public.goals, jsonb) is
  'The goal as the changes say. Raises request.invalid for unknown names and bad values.';

create function public.goals_save(tenant_id uuid, goal uuid default null, changes jsonb default '{}')
returns public.goals
language plpgsql
volatile
security definer -- clients may not write goals
set search_path = ''
as $$
#variable_conflict use_column
declare
  v_me uuid := private.require(goals_save.tenant_id, 'goals.write');
  v_goal public.goals;
begin
  if jsonb_typeof(changes) is distinct from 'object' then
    raise sqlstate 'PT422' using message = 'request.invalid', detail = 'changes: an object';
  elsif goals_save.goal is null then
    perform private.require_rate('goals-save:' || goals_save.tenant_id || ':' || v_me, 30, interval '1 hour');
    v_goal.scope := 'personal';
    v_goal.visibility := 'private';
    v_goal := private.goals_apply(v_goal, changes);
    v_goal.tenant_id := goals_save.tenant_id;
    v_goal.owner_id := v_me;
    perform private.goals_require_owner(v_goal, v_me);
    insert into public.goals (tenant_id, owner_id, scope, title, target, visibility)
    values (v_goal.tenant_id, v_me, v_goal.scope, v_goal.title, v_goal.target, v_goal.visibility)
    returning id into v_goal.id;
  else
    v_goal := private.goals_lock(goals_save.tenant_id, goals_save.goal, v_me);
    perform private.goals_require_owner(v_goal, v_me);
    v_goal := private.goals_apply(v_goal, changes);
  end if;
  update public.goals g
  set title = v_goal.title, description = v_goal.description, target = v_goal.target, unit = v_goal.unit,
    deadline = v_goal.deadline, reminded = g.reminded and g.deadline is not distinct from v_goal.deadline,
    every_days = v_goal.every_days, due_at = case
      when g.every_days is not distinct from v_goal.every_days then g.due_at
      else now() + make_interval(days => v_goal.every_days)
    end,
    visibility = v_goal.visibility, status = case
      -- A higher target, or a later day, opens it again.
      when g.status = 'reached' and g.progress < v_goal.target then 'active'
      when g.status = 'missed' and coalesce(v_goal.deadline > (now() at time zone t.time_zone)::date, true) then 'active'
      else g.status
    end
  from public.tenants t
  where g.tenant_id = v_goal.tenant_id and g.id = v_goal.id and t.id = g.tenant_id
  returning g.* into v_goal;
  v_goal := private.goals_settle(v_goal, v_me);
  if v_goal.scope = 'community' then
    perform private.audit('GOAL_SET', 'goals:' || v_goal.id, null, to_jsonb(v_goal), v_goal.tenant_id, v_me);
  end if;
  return v_goal;
end;
$$;
comment on function public.goals_save(uuid, uuid, jsonb) is
  'Sets a goal of the caller''s, or of the community (permission goals.manage), or changes one: { scope, title, description, target, unit, deadline, every_days, visibility }, each optional but title and target of a new one (permission goals.write). Raises goals.not_found, goals.not_the_owner, members.permission_denied, limits.exceeded, request.invalid.';
grant execute on function public.goals_save(uuid, uuid, jsonb) to authenticated;

create function private.goals_settle(goal public.goals, actor uuid)
returns public.goals
language plpgsql
volatile
security definer -- nobody else writes goals
set search_path = ''
as $$
#variable_conflict use_column
declare
  v_goal public.goals := goal;
begin
  if goal.status = 'active' and goal.progress >= goal.target then
    update public.goals g set status = 'reached', reached_at = now()
    where g.tenant_id = goal.tenant_id and g.id = goal.id
    returning * into v_goal;
    perform private.notify_all(
      array(
        select b.person_id from public.goals_buddies b
        where b.tenant_id = goal.tenant_id and b.goal_id = goal.id and b.status = 'accepted'
          and private.goals_sees(v_goal, b.person_id)
        union
        select c.person_id from (
          select k.person_id from public.goals_check_ins k
          where k.tenant_id = goal.tenant_id and k.goal_id = goal.id order by k.id desc limit 1000
        ) c
        except select actor
      ),
      'goals.reached', jsonb_build_object('goal_id', goal.id, 'title', goal.title), goal.tenant_id
    );
  end if;
  return v_goal;
end;
$$;
comment on function private.goals_settle(public.goals, uuid) is
  'A goal whose progress has come to its target is reached, and whoever helped hears of it.';

create function public.goals_check_in(tenant_id uuid, goal uuid, amount bigint default 1, note text default null)
returns public.goals
language plpgsql
volatile
security definer -- clients may not write check-ins
set search_path = ''
as $$
#variable_conflict use_column
declare
  v_me uuid := private.require(goals_check_in.tenant_id, 'goals.write');
  v_goal public.goals := private.goals_lock(goals_check_in.tenant_id, goals_check_in.goal, v_me);
  v_note text := nullif(btrim(goals_check_in.note), '');
  v_amount bigint := coalesce(goals_check_in.amount, 0);
begin
  if v_goal.scope = 'personal' and v_goal.owner_id <> v_me then
    if v_amount <> 0 then
      raise sqlstate 'PT403' using message = 'goals.not_the_owner';
    end if;
    perform from public.goals_buddies b
    where b.tenant_id = v_goal.tenant_id and b.goal_id = v_goal.id and b.person_id = v_me and b.status = 'accepted';
    if not found then
      raise sqlstate 'PT403' using message = 'goals.not_a_buddy';
    end if;
  end if;
  if abs(v_amount) > 1000000000 or (v_amount = 0 and v_note is null) or char_length(v_note) > 500
    -- Whoever corrects takes back what was theirs.
    or v_amount < 0 and -v_amount > (
      select coalesce(sum(c.amount), 0) from public.goals_check_ins c
      where c.tenant_id = v_goal.tenant_id and c.goal_id = v_goal.id and c.person_id = v_me
    )
  then
    raise sqlstate 'PT422' using message = 'request.invalid', detail = 'amount or note';
  elsif v_goal.status <> 'active' and not (v_goal.status = 'reached' and v_amount <= 0) then
    raise sqlstate 'PT409' using message = 'request.transition_refused', detail = 'goals: ' || v_goal.status;
  end if;
  perform private.require_rate('goals-check-in:' || v_goal.tenant_id || ':' || v_me, 120, interval '1 hour');
  insert into public.goals_check_ins (tenant_id, goal_id, person_id, amount, note)
  values (v_goal.tenant_id, v_goal.id, v_me, v_amount, v_note);
  update public.goals g
  set progress = g.progress + v_amount,
    due_at = case when v_me = g.owner_id then now() + make_interval(days => g.every_days) else g.due_at end,
    status = case when g.status = 'reached' and g.progress + v_amount < g.target then 'active' else g.status end
  where g.tenant_id = v_goal.tenant_id and g.id = v_goal.id
  returning * into v_goal;
  if v_goal.scope = 'personal' then
    perform private.notify_all(
      array(
        select b.person_id from public.goals_buddies b
        where b.tenant_id = v_goal.tenant_id and b.goal_id = v_goal.id and b.status = 'accepted'
          and private.goals_sees(v_goal, b.person_id)
        union select v_goal.owner_id
        except select v_me
      ),
      'goals.checked_in', jsonb_build_object('goal_id', v_goal.id, 'title', v_goal.title), v_goal.tenant_id
    );
  end if;
  return private.goals_settle(v_goal, v_me);
end;
$$;
comment on function public.goals_check_in(uuid, uuid, bigint, text) is
  'Adds to a goal of the caller''s, or of the community; below zero takes back what was theirs. A buddy says something with amount 0 (permission goals.write). Raises goals.not_found, goals.not_the_owner, goals.not_a_buddy, request.transition_refused, request.invalid, limits.exceeded.';
grant execute on function public.goals_check_in(uuid, uuid, bigint, text) to authenticated;
