-- Gamification: points for what people do, never credit. An act of theirs leaves a job; the job asks the
-- source what it deserves now and books the difference, so an act that was undone takes its points back.

insert into private.audit_actions (name, description)
values
  ('GAMIFICATION_RULE_CHANGED', 'An admin changed what an action is worth, a badge, a challenge or a season');

select private.declare_permission(
  'gamification.read', 'Collect points and badges, and see the leaderboards', array['admin', 'staff', 'member']
);
select private.declare_permission(
  'gamification.manage', 'Say what actions are worth, make badges, challenges and seasons', array['admin']
);

select private.declare_notification('gamification.' || what, email => 'off')
from unnest(array['badge', 'level', 'challenge', 'season']) what;

-- What is counted
create table private.gamification_measures (
  measure text primary key check (measure ~ '^[a-z_]+$'),
  board boolean not null
);
comment on table private.gamification_measures is
  'What is summed up for each person. board: there is a leaderboard of it for all time, the month, the week and the season.';
insert into private.gamification_measures (measure, board)
values
  ('xp', true), ('badges', true), ('exchanges', true), ('credits_earned', true), ('credits_spent', true),
  ('volunteering', true), ('listings', true), ('reviews', true), ('events', true),
  ('posts', false), ('groups', false), ('connections', false), ('goals', false), ('challenges', false),
  ('days', false), ('ratings', false), ('stars', false);

-- What actions are worth
create table private.gamification_usual_actions (
  action text primary key check (action ~ '^[a-z_]+$'),
  measure text references private.gamification_measures (measure),
  active boolean not null,
  xp integer not null,
  daily_cap integer
);
comment on table private.gamification_usual_actions is 'Every action there is, and what it is worth in a new tenant.';
comment on column private.gamification_usual_actions.active is
  'Whether the person did it themselves: then they were active on that day.';
create index gamification_usual_actions_measure on private.gamification_usual_actions (measure);
insert into private.gamification_usual_actions (action, measure, active, xp, daily_cap)
values
  ('complete_transaction', 'exchanges', true, 25, 10), ('volunteer_hour', 'volunteering', true, 20, 12),
  ('create_listing', 'listings', true, 15, 3), ('send_credits', 'credits_spent', true, 10, 5),
  ('receive_credits', 'credits_earned', false, 5, 10), ('leave_review', 'reviews', true, 10, 5),
  ('be_reviewed', 'ratings', false, 0, null), ('receive_stars', 'stars', false, 0, null),
  ('attend_event', 'events', true, 15, 3), ('create_event', null, true, 30, 2),
  ('join_group', 'groups', true, 10, 3), ('create_group', null, true, 50, 1),
  ('create_post', 'posts', true, 5, 5), ('make_connection', 'connections', true, 10, 3),
  ('complete_goal', 'goals', true, 10, 3), ('daily_active', 'days', false, 5, null),
  ('streak_week', null, false, 20, null), ('earn_badge', 'badges', false, 25, null),
  ('complete_challenge', 'challenges', false, 50, null), ('season_podium', null, false, 100, null);

create table public.gamification_actions (
  tenant_id uuid not null references public.tenants (id) on delete restrict,
  action text not null references private.gamification_usual_actions (action),
  xp integer not null check (xp between 0 and 1000),
  daily_cap integer check (daily_cap between 0 and 1000),
  updated_at timestamptz not null default now(),
  primary key (tenant_id, action)
);
comment on table public.gamification_actions is 'What each action is worth in a tenant.';
comment on column public.gamification_actions.daily_cap is
  'How often a day it is worth that; what comes after it counts, and is worth nothing. Null: always.';
create index gamification_actions_action on public.gamification_actions (action);
create trigger gamification_actions_touch before update on public.gamification_actions
  for each row execute function private.touch();

create table public.gamification_levels (
  level smallint primary key check (level between 1 and 25),
  xp bigint not null unique
);
comment on table public.gamification_levels is 'From how many points on somebody is of a level; the same in every tenant.';
insert into public.gamification_levels (level, xp)
select l.level, (round(power((l.level - 1)::numeric, 1.6) * 10) * 10)::bigint
from generate_series(1, 25) l (level);

-- Who collects
create table public.gamification_members (
  tenant_id uuid not null,
  person_id uuid not null,
  xp bigint not null default 0 check (xp >= 0),
  level smallint not null default 1,
  streak integer not null default 0,
  longest_streak integer not null default 0,
  active_on date,
  hidden boolean not null default false,
  away boolean not null default false,
  updated_at timestamptz not null default now(),
  primary key (tenant_id, person_id),
  foreign key (tenant_id, person_id) references public.members (tenant_id, person_id) on delete restrict
);
comment on table public.gamification_members is
  'What a member has collected: the sum of their awards, and their active days.';
comment on column public.gamification_members.hidden is 'They opted out: nobody else sees any of it anywhere.';
comment on column public.gamification_members.away is 'Not an active member now: shown nowhere meanwhile.';
comment on column public.gamification_members.active_on is 'Their last active day, in their own time zone.';
create trigger gamification_members_touch before update on public.gamification_members
  for each row execute function private.touch();

-- What was awarded
create table public.gamification_awards (
  tenant_id uuid not null,
  id uuid not null default private.uuid_v7(),
  person_id uuid not null,
  action text not null,
  source text not null check (char_length(source) between 1 and 200),
  kind text not null check (kind in ('award', 'taken_back', 'given_back')),
  xp bigint not null,
  units integer not null,
  amount bigint not null,
  day date not null,
  reverses uuid,
  created_at timestamptz not null default now(),
  primary key (tenant_id, id),
  foreign key (tenant_id, person_id)
    references public.gamification_members (tenant_id, person_id) on delete restrict,
  foreign key (tenant_id, reverses) references public.gamification_awards (tenant_id, id) on delete restrict,
  check ((kind = 'award') = (reverses is null))
);
comment on table public.gamification_awards is
  'Every award, once for good. One that is taken back, or given back, is a row of its own that reverses the one before.';
comment on column public.gamification_awards.source is 'What it is for, as <table>:<key>.';
comment on column public.gamification_awards.units is 'How often the action''s points were given for it: the daily cap counts these.';
comment on column public.gamification_awards.amount is 'By how much it moved the action''s measure: one, or minutes, or stars.';
comment on column public.gamification_awards.day is 'The tenant''s day that it counts for; a row that reverses another counts for the same.';
create unique index gamification_awards_once
  on public.gamification_awards (tenant_id, person_id, action, source) where kind = 'award';
create unique index gamification_awards_reversed
  on public.gamification_awards (tenant_id, reverses) where reverses is not null;
create index gamification_awards_person on public.gamification_awards (tenant_id, person_id, id);
create index gamification_awards_day on public.gamification_awards (tenant_id, person_id, action, day);
create index gamification_awards_source on public.gamification_awards (tenant_id, source, person_id);
create trigger gamification_awards_append_only before update or delete on public.gamification_awards
  for each row execute function private.refuse_change();
create trigger gamification_awards_not_truncated before truncate on public.gamification_awards
  for each statement execute function private.refuse_change();

create type private.gamification_claim as (
  person_id uuid,
  action text,
  units integer,
  amount bigint,
  xp bigint
);
comment on type private.gamification_claim is
  'What a source deserves: an action of a person, how many times its points, by how much it moves the measure. xp: instead of what the tenant says the action is worth.';

create type private.gamification_outcome as (fresh private.gamification_claim[], taken boolean);
comment on type private.gamification_outcome is 'What was booked anew, and whether anything was taken back.';

-- Row level security
alter table public.gamification_actions enable row level security;
create policy gamification_actions_select_member on public.gamification_actions
  for select to authenticated
  using (tenant_id = any (array(select private.tenants_with('gamification.read'))));

alter table public.gamification_levels enable row level security;
create policy gamification_levels_select_everybody on public.gamification_levels
  for select to authenticated
  using (true);

alter table public.gamification_members enable row level security;
create policy gamification_members_select_owner on public.gamification_members
  for select to authenticated
  using (
    tenant_id = any (array(select private.tenants_with('gamification.read')))
    and person_id = (select private.person())
  );

alter table public.gamification_awards enable row level security;
create policy gamification_awards_select_owner on public.gamification_awards
  for select to authenticated
  using (
    tenant_id = any (array(select private.tenants_with('gamification.read')))
    and person_id = (select private.person())
  );
grant select on
  public.gamification_actions, public.gamification_levels, public.gamification_members,
  public.gamification_awards
to authenticated, service_role;

create function private.gamification_today(tenant_id uuid)
returns date
language plpgsql
stable
security definer -- reads tenants past their policies
set search_path = ''
as $$
begin
  return (
    select (now() at time zone t.time_zone)::date from public.tenants t where t.id = gamification_today.tenant_id
  );
end;
$$;
comment on function private.gamification_today(uuid) is 'The day it is where the tenant lives.';

create function private.gamification_values(tenant_id uuid, person uuid)
returns jsonb
language plpgsql
stable
security definer -- reads scores past their policies
set search_path = ''
as $$
#variable_conflict use_column
declare
  v_values jsonb;
begin
  select coalesce(jsonb_object_agg(s.measure, s.score), '{}') into v_values
  from public.gamification_scores s
  where s.tenant_id = gamification_values.tenant_id and s.person_id = person and s.span = 'all';
  return v_values || (
    select jsonb_build_object(
      'level', m.level, 'streak', m.longest_streak,
      'rating', coalesce(
        (v_values ->> 'stars')::bigint * 100 / nullif((v_values ->> 'ratings')::bigint, 0), 0
      )
    )
    from public.gamification_members m
    where m.tenant_id = gamification_values.tenant_id and m.person_id = person
  );
end;
$$;
comment on function private.gamification_values(uuid, uuid) is
  'Everything that a badge can ask for: the sums of all time, level, longest streak, and rating, the average of the stars received times a hundred.';
