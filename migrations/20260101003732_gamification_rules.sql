-- Gamification, rules: challenges and seasons as admins set them, and the hourly look at everybody for
-- badges that are new: a job for each tenant, a transaction for each page of members.

create function public.gamification_challenge_save(
  tenant_id uuid, name text, action text, goal integer, xp integer, starts_on date, ends_on date,
  description text default null
)
returns public.gamification_challenges
language plpgsql
volatile
security definer -- clients may not write the rules
set search_path = ''
as $$
#variable_conflict use_column
declare
  v_me uuid := private.require(gamification_challenge_save.tenant_id, 'gamification.manage');
  v_fault text;
  v_challenge public.gamification_challenges;
begin
  v_fault := case
    when coalesce(char_length(btrim(name)) not between 1 and 120, true) then 'name: 1 to 120 characters'
    when char_length(description) > 1000 then 'description: up to 1000 characters'
    when not exists (
      select from private.gamification_usual_actions u where u.action = gamification_challenge_save.action and u.active
    ) then 'action'
    when coalesce(goal not between 1 and 10000, true) then 'goal: 1 to 10000'
    when coalesce(xp not between 0 and 1000, true) then 'xp: 0 to 1000'
    when coalesce(
      starts_on < private.gamification_today(gamification_challenge_save.tenant_id)
        or ends_on < starts_on or ends_on - starts_on > 366, true
    ) then 'starts_on, ends_on: from today, a year at most'
  end;
  if v_fault is not null then
    raise sqlstate 'PT422' using message = 'request.invalid', detail = v_fault;
  end if;
  insert into public.gamification_challenges (
    tenant_id, name, description, action, goal, xp, starts_on, ends_on
  )
  values (
    gamification_challenge_save.tenant_id, btrim(gamification_challenge_save.name),
    gamification_challenge_save.description, gamification_challenge_save.action,
    gamification_challenge_save.goal, gamification_challenge_save.xp,
    gamification_challenge_save.starts_on, gamification_challenge_save.ends_on
  )
  returning * into v_challenge;
  perform private.gamification_rule_changed(
    v_challenge.tenant_id, v_me, 'gamification_challenges:' || v_challenge.id, to_jsonb(v_challenge)
  );
  return v_challenge;
end;
$$;
comment on function public.gamification_challenge_save(uuid, text, text, integer, integer, date, date, text) is
  'Makes a challenge: so often this action between two days of the tenant, from today at the earliest (permission gamification.manage). Raises request.invalid.';
grant execute on function public.gamification_challenge_save(uuid, text, text, integer, integer, date, date, text)
  to authenticated;

create function public.gamification_challenge_cancel(tenant_id uuid, challenge uuid)
returns public.gamification_challenges
language plpgsql
volatile
security definer -- clients may not write the rules
set search_path = ''
as $$
#variable_conflict use_column
declare
  v_me uuid := private.require(gamification_challenge_cancel.tenant_id, 'gamification.manage');
  v_challenge public.gamification_challenges;
begin
  update public.gamification_challenges c set status = 'cancelled'
  where c.tenant_id = gamification_challenge_cancel.tenant_id and c.id = challenge
    and c.status <> 'cancelled'
  returning * into v_challenge;
  if not found then
    raise sqlstate 'PT404' using message = 'gamification.not_found';
  end if;
  perform private.gamification_rule_changed(
    v_challenge.tenant_id, v_me, 'gamification_challenges:' || v_challenge.id, to_jsonb(v_challenge)
  );
  return v_challenge;
end;
$$;
comment on function public.gamification_challenge_cancel(uuid, uuid) is
  'Ends a challenge before its time; who reached its goal keeps the points (permission gamification.manage). Raises gamification.not_found, request.transition_refused.';
grant execute on function public.gamification_challenge_cancel(uuid, uuid) to authenticated;

create function public.gamification_season_save(tenant_id uuid, name text, starts_on date, ends_on date)
returns public.gamification_seasons
language plpgsql
volatile
security definer -- clients may not write the rules
set search_path = ''
as $$
#variable_conflict use_column
declare
  v_me uuid := private.require(gamification_season_save.tenant_id, 'gamification.manage');
  v_season public.gamification_seasons;
begin
  if coalesce(char_length(btrim(name)) not between 1 and 120, true) then
    raise sqlstate 'PT422' using message = 'request.invalid', detail = 'name: 1 to 120 characters';
  elsif coalesce(
    starts_on <= private.gamification_today(gamification_season_save.tenant_id)
      or ends_on <= starts_on or ends_on - starts_on > 366, true
  ) then
    raise sqlstate 'PT422' using
      message = 'request.invalid', detail = 'starts_on, ends_on: from tomorrow, a year at most';
  end if;
  -- Two admins at once: the second sees the season of the first.
  perform private.gamification_lock(gamification_season_save.tenant_id, '{}');
  if exists (
    select from public.gamification_seasons s
    where s.tenant_id = gamification_season_save.tenant_id
      and daterange(s.starts_on, s.ends_on, '[]')
        && daterange(gamification_season_save.starts_on, gamification_season_save.ends_on, '[]')
  ) then
    raise sqlstate 'PT409' using message = 'gamification.season_overlaps';
  end if;
  insert into public.gamification_seasons (tenant_id, name, starts_on, ends_on)
  values (
    gamification_season_save.tenant_id, btrim(gamification_season_save.name),
    gamification_season_save.starts_on, gamification_season_save.ends_on
  )
  returning * into v_season;
  perform private.gamification_rule_changed(
    v_season.tenant_id, v_me, 'gamification_seasons:' || v_season.id, to_jsonb(v_season)
  );
  return v_season;
end;
$$;
comment on function public.gamification_season_save(uuid, text, date, date) is
  'Makes a season between two days of the tenant, from tomorrow at the earliest, beside no other (permission gamification.manage). Raises gamification.season_overlaps, request.invalid.';
grant execute on function public.gamification_season_save(uuid, text, date, date) to authenticated;

create function private.gamification_check_new_badges(tenant_id uuid, page_size integer default 200)
returns boolean
language plpgsql
volatile
security definer -- nobody else gives badges
set search_path = ''
as $$
#variable_conflict use_column
declare
  v_slugs text[];
  v_after uuid;
  v_upto uuid;
  v_member public.gamification_members;
  v_people public.gamification_members[];
begin
  perform private.gamification_lock(gamification_check_new_badges.tenant_id, '{}');
  -- Held, so that a badge which is changed meanwhile begins anew after this.
  perform from public.gamification_badges b
  where b.tenant_id = gamification_check_new_badges.tenant_id and b.unchecked_after is not null
  order by b.slug
  for no key update;
  select b.unchecked_after into v_after from public.gamification_badges b
  where b.tenant_id = gamification_check_new_badges.tenant_id and b.unchecked_after is not null
  order by b.unchecked_after limit 1;
  if not found then
    return false;
  end if;
  -- Whoever is looked at is looked at for all badges: those that stand at the same place go on together.
  v_slugs := array(
    select b.slug from public.gamification_badges b
    where b.tenant_id = gamification_check_new_badges.tenant_id and b.unchecked_after = v_after
  );
  v_people := array(
    select g from public.gamification_members g
    where g.tenant_id = gamification_check_new_badges.tenant_id and g.person_id > v_after
    order by g.person_id limit gamification_check_new_badges.page_size
  );
  foreach v_member in array v_people loop
    perform private.gamification_conclude(v_member, lost => false);
  end loop;
  if cardinality(v_people) = gamification_check_new_badges.page_size then
    v_upto := v_people[gamification_check_new_badges.page_size].person_id;
  end if;
  update public.gamification_badges b set unchecked_after = v_upto
  where b.tenant_id = gamification_check_new_badges.tenant_id and b.slug = any (v_slugs);
  return exists (
    select from public.gamification_badges b
    where b.tenant_id = gamification_check_new_badges.tenant_id and b.unchecked_after is not null
  );
end;
$$;
comment on function private.gamification_check_new_badges(uuid, integer) is
  'Gives badges of a tenant that were made or changed to a page of members who meet their condition already. Returns whether more are left to look at.';

create function private.gamification_enqueue_badges()
returns bigint
language plpgsql
volatile
security definer -- nobody else writes the outbox
set search_path = ''
as $$
#variable_conflict use_column
declare
  v_count bigint;
begin
  select count(private.enqueue('gamification.badges', jsonb '{}', t.tenant_id, dedupe_key => 'badges')) into v_count
  from (
    select distinct b.tenant_id from public.gamification_badges b
    where b.unchecked_after is not null and not private.jobs_closed(b.tenant_id, 'gamification.badges')
  ) t;
  return v_count;
end;
$$;
comment on function private.gamification_enqueue_badges() is
  'A job for every tenant with badges that were made or changed, unless one waits; the worker does it part by part. Returns how many.';

select private.schedule('gamification-badges', '27 * * * *', 'select private.gamification_enqueue_badges()');
