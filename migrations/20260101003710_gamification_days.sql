-- Gamification, days: on which days somebody was active, by the clocks where they are, and how many in a
-- row. Each is awarded at midnight where the tenant lives, without anybody having to fetch it.

create table public.gamification_days (
  tenant_id uuid not null,
  person_id uuid not null,
  day date not null,
  streak integer not null,
  awarded boolean not null default false,
  primary key (tenant_id, person_id, day),
  foreign key (tenant_id, person_id)
    references public.gamification_members (tenant_id, person_id) on delete restrict
);
comment on table public.gamification_days is 'Active days, in the person''s own time zone, and which in a row each was.';
create index gamification_days_waiting on public.gamification_days (tenant_id, day, person_id)
  where not awarded;

alter table public.gamification_days enable row level security;
create policy gamification_days_select_owner on public.gamification_days
  for select to authenticated
  using (
    tenant_id = any (array(select private.tenants_with('gamification.read')))
    and person_id = (select private.person())
  );
grant select on public.gamification_days to authenticated, service_role;

create function private.gamification_day_of(tenant_id uuid, person uuid)
returns date
language plpgsql
stable
security definer -- reads people and tenants past their policies
set search_path = ''
as $$
begin
  return (
    select (now() at time zone coalesce(p.time_zone, t.time_zone))::date
    from public.people p, public.tenants t
    where p.id = gamification_day_of.person and t.id = gamification_day_of.tenant_id
  );
end;
$$;
comment on function private.gamification_day_of(uuid, uuid) is 'The day it is where the person is; else where the tenant is.';

create function private.gamification_note_day(tenant_id uuid, person uuid)
returns void
language plpgsql
volatile
security definer -- nobody else writes days
set search_path = ''
as $$
#variable_conflict use_column
declare
  v_day date := private.gamification_day_of(gamification_note_day.tenant_id, person);
  v_member public.gamification_members;
begin
  -- Who travels west has a day twice, and it counts once; no streak grows backwards.
  update public.gamification_members g
  set streak = case g.active_on when v_day - 1 then g.streak + 1 else 1 end,
    longest_streak = greatest(g.longest_streak, case g.active_on when v_day - 1 then g.streak + 1 else 1 end),
    active_on = v_day
  where g.tenant_id = gamification_note_day.tenant_id and g.person_id = gamification_note_day.person
    and (g.active_on is null or g.active_on < v_day)
  returning * into v_member;
  if found then
    insert into public.gamification_days (tenant_id, person_id, day, streak)
    values (v_member.tenant_id, v_member.person_id, v_day, v_member.streak);
  end if;
end;
$$;
comment on function private.gamification_note_day(uuid, uuid) is
  'Notes that a person is active today. The caller holds gamification_lock.';

create function public.gamification_check_in(tenant_id uuid)
returns public.gamification_members
language plpgsql
volatile
security definer -- clients may not write days
set search_path = ''
as $$
#variable_conflict use_column
declare
  v_me uuid := private.require(gamification_check_in.tenant_id, 'gamification.read');
  v_member public.gamification_members;
begin
  select * into v_member from public.gamification_members g
  where g.tenant_id = gamification_check_in.tenant_id and g.person_id = v_me;
  if v_member.active_on >= private.gamification_day_of(gamification_check_in.tenant_id, v_me) then
    return v_member;
  end if;
  perform private.gamification_lock(gamification_check_in.tenant_id, array[v_me]);
  select * into v_member from public.gamification_members g
  where g.tenant_id = gamification_check_in.tenant_id and g.person_id = v_me;
  perform private.gamification_note_day(v_member.tenant_id, v_me);
  perform private.gamification_conclude(v_member, lost => false);
  select * into v_member from public.gamification_members g
  where g.tenant_id = gamification_check_in.tenant_id and g.person_id = v_me;
  return v_member;
end;
$$;
comment on function public.gamification_check_in(uuid) is
  'Says that the caller is here today, as any act that is awarded does; again on the same day it changes nothing. What they have collected (permission gamification.read).';
grant execute on function public.gamification_check_in(uuid) to authenticated;

create function private.gamification_award_days(tenant_id uuid)
returns boolean
language plpgsql
volatile
security definer -- nobody else writes awards
set search_path = ''
as $$
#variable_conflict use_column
declare
  v_today date := private.gamification_today(gamification_award_days.tenant_id);
  v_day date;
  v_people uuid[];
  v_weeks uuid[];
begin
  select d.day into v_day from public.gamification_days d
  where d.tenant_id = gamification_award_days.tenant_id and not d.awarded and d.day < v_today
  order by d.day limit 1;
  if not found then
    return false;
  end if;
  -- Before what is read for whom is awarded: two runs at once would award the same days.
  perform private.gamification_lock(gamification_award_days.tenant_id, '{}');
  with taken as (
    update public.gamification_days d set awarded = true
    where d.tenant_id = gamification_award_days.tenant_id and d.day = v_day and d.person_id in (
      select w.person_id from public.gamification_days w
      where w.tenant_id = gamification_award_days.tenant_id and w.day = v_day and not w.awarded
      order by w.person_id limit 200
    )
    returning d.person_id, d.streak
  )
  select array_agg(t.person_id), array_agg(t.person_id) filter (where t.streak % 7 = 0)
  into v_people, v_weeks
  from taken t;
  perform private.gamification_settle(gamification_award_days.tenant_id, 'gamification_days:' || v_day, array(
    select row(p.id, 'daily_active', 1, 1, null)::private.gamification_claim from unnest(v_people) p (id)
    union all
    select row(p.id, 'streak_week', 1, 0, null)::private.gamification_claim from unnest(v_weeks) p (id)
  ));
  return true;
end;
$$;
comment on function private.gamification_award_days(uuid) is
  'Awards up to 200 active days that are over where the tenant lives, every seventh in a row once more. Returns false once there is none left.';

select private.schedule_local('gamification-daily-xp', '0 0 * * *', 'gamification.daily_xp');
