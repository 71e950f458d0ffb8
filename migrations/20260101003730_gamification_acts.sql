-- Gamification, acts: what members see of each other and decide about themselves, and the rules that
-- admins set.

create type public.gamification_standing as (
  person_id uuid,
  xp bigint,
  level smallint,
  next_level_xp bigint,
  streak integer,
  longest_streak integer,
  badges text[],
  rank bigint,
  hidden boolean
);
comment on type public.gamification_standing is
  'What somebody has collected. next_level_xp: null on the last level; streak: as it stands today; rank: of all points, null where they are hidden or have none.';

create function public.gamification_profile(tenant_id uuid, person uuid default null)
returns public.gamification_standing
language plpgsql
stable
security definer -- reads what others collected, unless they opted out
set search_path = ''
as $$
#variable_conflict use_column
declare
  v_me uuid := private.require(gamification_profile.tenant_id, 'gamification.read');
  v_person uuid := coalesce(gamification_profile.person, v_me);
  v_member public.gamification_members;
begin
  select g.* into v_member from public.gamification_members g
  where g.tenant_id = gamification_profile.tenant_id and g.person_id = v_person
    and (g.person_id = v_me or not (g.hidden or g.away));
  if not found then
    if v_person <> v_me then
      raise sqlstate 'PT404' using message = 'gamification.not_found';
    end if;
    v_member.person_id := v_me;
    v_member.xp := 0;
    v_member.level := 1;
    v_member.hidden := false;
  end if;
  return row(
    v_member.person_id, v_member.xp, v_member.level,
    (select min(l.xp) from public.gamification_levels l where l.level > v_member.level),
    case when v_member.active_on >= private.gamification_day_of(gamification_profile.tenant_id, v_person) - 1
      then v_member.streak else 0 end,
    coalesce(v_member.longest_streak, 0),
    array(
      select h.badge from public.gamification_holders h
      where h.tenant_id = v_member.tenant_id and h.person_id = v_person order by h.earned_at, h.badge
    ),
    case when v_member.xp > 0 and not (v_member.hidden or v_member.away) and (
      v_person = v_me or not private.gamification_near_only(gamification_profile.tenant_id)
    ) then 1 + private.gamification_above(
      gamification_profile.tenant_id, 'xp', 'all', date '1970-01-01', v_member.xp
    ) end,
    v_member.hidden
  )::public.gamification_standing;
end;
$$;
comment on function public.gamification_profile(uuid, uuid) is
  'What the caller, or another member who has not opted out, has collected (permission gamification.read). Raises gamification.not_found.';
grant execute on function public.gamification_profile(uuid, uuid) to authenticated;

create function public.gamification_hide(tenant_id uuid, hidden boolean)
returns boolean
language plpgsql
volatile
security definer -- clients may not write what is collected
set search_path = ''
as $$
#variable_conflict use_column
declare
  v_me uuid := private.require(gamification_hide.tenant_id, 'gamification.read');
begin
  if gamification_hide.hidden is null then
    raise sqlstate 'PT422' using message = 'request.invalid', detail = 'hidden';
  end if;
  perform private.gamification_lock(gamification_hide.tenant_id, array[v_me]);
  update public.gamification_members g set hidden = gamification_hide.hidden
  where g.tenant_id = gamification_hide.tenant_id and g.person_id = v_me;
  perform private.gamification_show(gamification_hide.tenant_id, v_me, not gamification_hide.hidden);
  return gamification_hide.hidden;
end;
$$;
comment on function public.gamification_hide(uuid, boolean) is
  'Opts the caller out of being seen: on no leaderboard, snapshot or profile, and nobody''s rank counts them; or in again (permission gamification.read). They go on collecting. Raises request.invalid.';
grant execute on function public.gamification_hide(uuid, boolean) to authenticated;

-- Rules
create function private.gamification_rule_changed(tenant_id uuid, actor uuid, resource text, rule jsonb)
returns void
language plpgsql
volatile
security definer -- writes the trail
set search_path = ''
as $$
begin
  perform private.audit('GAMIFICATION_RULE_CHANGED', resource, null, rule, gamification_rule_changed.tenant_id, actor);
end;
$$;
comment on function private.gamification_rule_changed(uuid, uuid, text, jsonb) is 'Audits that an admin changed a rule.';

create function public.gamification_action_save(
  tenant_id uuid, action text, xp integer, daily_cap integer default null
)
returns public.gamification_actions
language plpgsql
volatile
security definer -- clients may not write the rules
set search_path = ''
as $$
#variable_conflict use_column
declare
  v_me uuid := private.require(gamification_action_save.tenant_id, 'gamification.manage');
  v_action public.gamification_actions;
begin
  if not exists (
    select from private.gamification_usual_actions u where u.action = gamification_action_save.action
  ) then
    raise sqlstate 'PT422' using message = 'request.invalid', detail = 'action';
  elsif gamification_action_save.xp is null or gamification_action_save.xp not between 0 and 1000
    or gamification_action_save.daily_cap not between 0 and 1000
  then
    raise sqlstate 'PT422' using message = 'request.invalid', detail = 'xp, daily_cap: 0 to 1000';
  end if;
  insert into public.gamification_actions (tenant_id, action, xp, daily_cap)
  values (
    gamification_action_save.tenant_id, gamification_action_save.action, gamification_action_save.xp,
    gamification_action_save.daily_cap
  )
  on conflict (tenant_id, action) do update set xp = excluded.xp, daily_cap = excluded.daily_cap
  returning * into v_action;
  perform private.gamification_rule_changed(
    v_action.tenant_id, v_me, 'gamification_actions:' || v_action.action, to_jsonb(v_action)
  );
  return v_action;
end;
$$;
comment on function public.gamification_action_save(uuid, text, integer, integer) is
  'Says what an action is worth from now on, and how often a day; null: always (permission gamification.manage). What was awarded stays. Raises request.invalid.';
grant execute on function public.gamification_action_save(uuid, text, integer, integer) to authenticated;

create function private.gamification_condition_fault(condition jsonb)
returns text
language plpgsql
stable
security definer -- nobody else reads the measures
set search_path = ''
as $$
begin
  if condition is null or jsonb_typeof(condition) <> 'object' or condition = '{}' then
    return 'condition: measures and values';
  end if;
  return (
    select 'condition: ' || left(c.key, 40) from jsonb_each(condition) c
    where not (
      (c.key in ('level', 'streak', 'rating') or exists (
        select from private.gamification_measures m where m.measure = c.key
      ))
      and jsonb_typeof(c.value) = 'number' and (c.value #>> '{}') ~ '^[1-9][0-9]{0,8}$'
    )
    limit 1
  );
end;
$$;
comment on function private.gamification_condition_fault(jsonb) is
  'What is wrong with the condition of a badge; null: nothing.';

create function public.gamification_badge_save(
  tenant_id uuid, slug text, name text, tier text, condition jsonb, description text default null,
  xp integer default 25, active boolean default true
)
returns public.gamification_badges
language plpgsql
volatile
security definer -- clients may not write the rules
set search_path = ''
as $$
#variable_conflict use_column
declare
  v_me uuid := private.require(gamification_badge_save.tenant_id, 'gamification.manage');
  v_fault text := private.gamification_condition_fault(gamification_badge_save.condition);
  v_badge public.gamification_badges;
begin
  v_fault := case
    when coalesce(slug !~ '^[a-z][a-z0-9_]{1,39}$', true) then 'slug'
    when coalesce(char_length(btrim(name)) not between 1 and 80, true) then 'name: 1 to 80 characters'
    when coalesce(tier not in ('bronze', 'silver', 'gold', 'platinum'), true) then 'tier'
    when char_length(description) > 500 then 'description: up to 500 characters'
    when coalesce(xp not between 0 and 1000, true) then 'xp: 0 to 1000'
    when active is null then 'active'
    else v_fault
  end;
  if v_fault is not null then
    raise sqlstate 'PT422' using message = 'request.invalid', detail = v_fault;
  end if;
  insert into public.gamification_badges (tenant_id, slug, name, tier, condition, description, xp, active)
  values (
    gamification_badge_save.tenant_id, gamification_badge_save.slug, btrim(gamification_badge_save.name),
    gamification_badge_save.tier, gamification_badge_save.condition, gamification_badge_save.description,
    gamification_badge_save.xp, gamification_badge_save.active
  )
  on conflict (tenant_id, slug) do update
  set name = excluded.name, tier = excluded.tier, condition = excluded.condition,
    description = excluded.description, xp = excluded.xp, active = excluded.active,
    unchecked_after = excluded.unchecked_after
  returning * into v_badge;
  perform private.gamification_rule_changed(
    v_badge.tenant_id, v_me, 'gamification_badges:' || v_badge.slug, to_jsonb(v_badge)
  );
  return v_badge;
end;
$$;
comment on function public.gamification_badge_save(uuid, text, text, text, jsonb, text, integer, boolean) is
  'Makes or changes a badge (permission gamification.manage). condition: values to be reached, all of them, of measures, level, streak or rating (average stars times a hundred). Who meets it already gets it within the hours; nobody loses it. Raises request.invalid.';
grant execute on function public.gamification_badge_save(uuid, text, text, text, jsonb, text, integer, boolean)
  to authenticated;
