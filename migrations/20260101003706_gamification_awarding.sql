-- Gamification, awarding: a source is asked what it deserves now, and the difference to what was awarded
-- for it is booked. So jobs may come late, twice or in any order, and undoing needs no code of its own.

create table private.gamification_sources (
  source text primary key check (source ~ '^[a-z_]+$'),
  deserved name not null
);
comment on table private.gamification_sources is
  'What awards come from, and the private function that says what one deserves: (tenant_id, key) returns setof gamification_claim.';

create function private.gamification_lock(tenant_id uuid, people uuid[])
returns uuid[]
language plpgsql
volatile
security definer -- nobody else writes what is collected
set search_path = ''
set plan_cache_mode = force_generic_plan
as $$
#variable_conflict use_column
begin
  -- One after the other in a tenant: everybody's points meet in the same buckets of the same boards,
  -- in whatever order, and nobody waits for an award.
  perform pg_advisory_xact_lock(hashtextextended('gamification:' || gamification_lock.tenant_id, 0));
  insert into public.gamification_members (tenant_id, person_id, away)
  select m.tenant_id, m.person_id, m.status <> 'active'
  from public.members m
  where m.tenant_id = gamification_lock.tenant_id and m.person_id = any (people)
  on conflict do nothing;
  return array(
    select g.person_id from public.gamification_members g
    where g.tenant_id = gamification_lock.tenant_id and g.person_id = any (people)
    order by g.person_id
  );
end;
$$;
comment on function private.gamification_lock(uuid, uuid[]) is
  'Has what follows be the only one to book anything in the tenant. Returns who of these people is a member; who has nothing yet gets a row.';

create function private.gamification_apply(tenant_id uuid, rows public.gamification_awards[])
returns void
language plpgsql
volatile
security definer -- nobody else writes what is collected
set search_path = ''
set plan_cache_mode = force_generic_plan
as $$
#variable_conflict use_column
begin
  update public.gamification_members g
  set xp = g.xp + s.xp,
    level = (select max(l.level) from public.gamification_levels l where l.xp <= g.xp + s.xp)
  from (
    select r.person_id, sum(r.xp)::bigint as xp from unnest(rows) r group by 1
  ) s
  where g.tenant_id = gamification_apply.tenant_id and g.person_id = s.person_id and s.xp <> 0;
  perform private.gamification_add(gamification_apply.tenant_id, array(
    select row(r.person_id, 'xp', r.day, r.xp)::private.gamification_delta from unnest(rows) r
    union all
    select row(r.person_id, u.measure, r.day, r.amount)::private.gamification_delta
    from unnest(rows) r
    join private.gamification_usual_actions u on u.action = r.action
    where u.measure is not null
  ));
end;
$$;
comment on function private.gamification_apply(uuid, public.gamification_awards[]) is
  'Adds new awards to points, levels and scores.';

create function private.gamification_book(tenant_id uuid, source text, claims private.gamification_claim[])
returns public.gamification_awards[]
language plpgsql
volatile
security definer -- nobody else writes awards
set search_path = ''
set plan_cache_mode = force_generic_plan
as $$
#variable_conflict use_column
declare
  v_day date := private.gamification_today(gamification_book.tenant_id);
  v_rows public.gamification_awards[];
begin
  with counted as (
    select c.person_id, c.action, c.amount, c.xp, coalesce(a.xp, 0) as worth,
      least(c.units, coalesce(a.daily_cap - (
        select coalesce(sum(x.units), 0) from public.gamification_awards x
        where x.tenant_id = gamification_book.tenant_id and x.person_id = c.person_id
          and x.action = c.action and x.day = v_day
      ), c.units)) as room
    from unnest(claims) c
    left join public.gamification_actions a
      on a.tenant_id = gamification_book.tenant_id and a.action = c.action
  ), booked as (
    insert into public.gamification_awards (
      tenant_id, person_id, action, source, kind, xp, units, amount, day
    )
    select gamification_book.tenant_id, c.person_id, c.action, gamification_book.source, 'award',
      coalesce(c.xp, c.worth * greatest(c.room, 0)), greatest(c.room, 0), c.amount, v_day
    from counted c
    returning *
  )
  -- The alias alone would be the composite that the column list of the insert made.
  select array_agg(b::public.gamification_awards) into v_rows from booked b;
  perform private.gamification_apply(gamification_book.tenant_id, v_rows);
  return v_rows;
end;
$$;
comment on function private.gamification_book(uuid, text, private.gamification_claim[]) is
  'Books new awards within the caps of the day. The caller holds gamification_lock.';

create function private.gamification_reverse(tenant_id uuid, awards uuid[], kind text)
returns void
language plpgsql
volatile
security definer -- nobody else writes awards
set search_path = ''
set plan_cache_mode = force_generic_plan
as $$
#variable_conflict use_column
declare
  v_rows public.gamification_awards[];
begin
  with booked as (
    insert into public.gamification_awards (
      tenant_id, person_id, action, source, kind, xp, units, amount, day, reverses
    )
    select a.tenant_id, a.person_id, a.action, a.source, gamification_reverse.kind, -a.xp, -a.units,
      -a.amount, a.day, a.id
    from public.gamification_awards a
    where a.tenant_id = gamification_reverse.tenant_id and a.id = any (awards)
    returning *
  )
  select array_agg(b::public.gamification_awards) into v_rows from booked b;
  perform private.gamification_apply(gamification_reverse.tenant_id, v_rows);
end;
$$;
comment on function private.gamification_reverse(uuid, uuid[], text) is
  'Takes awards back, or gives back what was taken: linked rows of the opposite sign, for the same day.';

create function private.gamification_reconcile(
  tenant_id uuid, source text, claims private.gamification_claim[], people uuid[]
)
returns private.gamification_outcome
language plpgsql
volatile
security definer -- nobody else writes awards
set search_path = ''
set plan_cache_mode = force_generic_plan
as $$
#variable_conflict use_column
declare
  v_new private.gamification_claim[];
  v_back uuid[];
  v_surplus uuid[];
begin
  with standing as (
    select a.id, a.person_id, a.action, a.kind from public.gamification_awards a
    where a.tenant_id = gamification_reconcile.tenant_id and a.source = gamification_reconcile.source
      and a.person_id = any (people) and not exists (
        select from public.gamification_awards r where r.tenant_id = a.tenant_id and r.reverses = a.id
      )
  ), wanted as (
    select c.person_id, c.action, row(c.*)::private.gamification_claim as claim
    from unnest(claims) c
    where c.person_id = any (people)
  ), compared as (
    select w.claim, w.action is not null as wanted, s.id, s.kind
    from wanted w
    full join standing s on s.person_id = w.person_id and s.action = w.action
  )
  select
    array_agg(c.claim) filter (where c.id is null),
    array_agg(c.id) filter (where c.wanted and c.kind = 'taken_back'),
    array_agg(c.id) filter (where not c.wanted and c.kind <> 'taken_back')
  into v_new, v_back, v_surplus
  from compared c;
  if v_surplus is not null then
    perform private.gamification_reverse(gamification_reconcile.tenant_id, v_surplus, 'taken_back');
  end if;
  if v_back is not null then
    perform private.gamification_reverse(gamification_reconcile.tenant_id, v_back, 'given_back');
  end if;
  if v_new is not null then
    perform private.gamification_book(gamification_reconcile.tenant_id, source, v_new);
  end if;
  return row(coalesce(v_new, '{}'), v_surplus is not null)::private.gamification_outcome;
end;
$$;
comment on function private.gamification_reconcile(uuid, text, private.gamification_claim[], uuid[]) is
  'Makes the awards of a source what it deserves, for these people: books, takes back, gives back. The caller holds gamification_lock. Returns what came of it.';

create function private.gamification_tell_level(tenant_id uuid, person uuid, level smallint)
returns void
language plpgsql
volatile
security definer -- nobody else tells people
set search_path = ''
as $$
begin
  perform private.announce_to(
    array[person], 'gamification:level',
    jsonb_build_object('tenant_id', gamification_tell_level.tenant_id, 'level', gamification_tell_level.level),
    'gamification.read'
  );
  perform private.notify(
    person, 'gamification.level',
    jsonb_build_object(
      'level', gamification_tell_level.level::text, 'about', 'gamification_levels:' || gamification_tell_level.level
    ),
    gamification_tell_level.tenant_id
  );
end;
$$;
comment on function private.gamification_tell_level(uuid, uuid, smallint) is
  'Tells a person that they reached a level: live, and once in their inbox.';

create function private.gamification_conclude(before public.gamification_members, lost boolean)
returns void
language plpgsql
volatile
security definer -- nobody else writes awards
set search_path = ''
as $$
#variable_conflict use_column
declare
  v_level smallint;
begin
  perform private.gamification_follow(before.tenant_id, before.person_id);
  perform private.gamification_check_badges(before.tenant_id, before.person_id, lost);
  select g.level into v_level from public.gamification_members g
  where g.tenant_id = before.tenant_id and g.person_id = before.person_id;
  if v_level > before.level then
    perform private.gamification_tell_level(before.tenant_id, before.person_id, v_level);
  end if;
end;
$$;
comment on function private.gamification_conclude(public.gamification_members, boolean) is
  'What follows from what was booked for a member: challenges, badges, and being told of a new level. before: as they were; lost: something was taken back. The caller holds gamification_lock.';

create function private.gamification_settle(
  tenant_id uuid, source text, claims private.gamification_claim[], also uuid[] default '{}'
)
returns integer
language plpgsql
volatile
security definer -- nobody else writes awards
set search_path = ''
as $$
#variable_conflict use_column
declare
  v_people uuid[] := private.gamification_lock(
    gamification_settle.tenant_id, also || array(select c.person_id from unnest(claims) c)
  );
  v_before public.gamification_members[] := array(
    select g from public.gamification_members g
    where g.tenant_id = gamification_settle.tenant_id and g.person_id = any (v_people)
    order by g.person_id
  );
  v_outcome private.gamification_outcome := private.gamification_reconcile(
    gamification_settle.tenant_id, source, claims, v_people
  );
  v_member public.gamification_members;
begin
  foreach v_member in array v_before loop
    if exists (
      select from unnest(v_outcome.fresh) n
      join private.gamification_usual_actions u on u.action = n.action and u.active
      where n.person_id = v_member.person_id
    ) then
      perform private.gamification_note_day(v_member.tenant_id, v_member.person_id);
    end if;
    perform private.gamification_conclude(v_member, v_outcome.taken);
  end loop;
  return cardinality(v_outcome.fresh);
end;
$$;
comment on function private.gamification_settle(uuid, text, private.gamification_claim[], uuid[]) is
  'Books what a source deserves and what follows from it: active days, challenges, badges, levels. also: whom it was for before. Returns how many awards are new.';
