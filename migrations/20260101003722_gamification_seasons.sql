-- Gamification, seasons and snapshots: a span of the tenant's own choosing, and where everybody stood at
-- the end of each day.

create table public.gamification_seasons (
  tenant_id uuid not null references public.tenants (id) on delete restrict,
  id uuid not null default private.uuid_v7(),
  name text not null check (char_length(btrim(name)) between 1 and 120),
  starts_on date not null,
  ends_on date not null,
  status text not null default 'open' check (status in ('open', 'ended')),
  created_at timestamptz not null default now(),
  primary key (tenant_id, id),
  unique (tenant_id, starts_on),
  check (ends_on > starts_on and ends_on - starts_on <= 366)
);
comment on table public.gamification_seasons is
  'Seasons of a tenant, one after the other: between two of its days, both included, boards count for them, too.';
insert into private.transitions (machine, from_state, to_state)
values ('gamification_seasons', 'open', 'ended');
create trigger gamification_seasons_transition before update of status on public.gamification_seasons
  for each row execute function private.enforce_transition();

create table public.gamification_snapshots (
  tenant_id uuid not null,
  day date not null,
  measure text not null,
  span text not null,
  rank integer not null,
  person_id uuid not null,
  score bigint not null,
  primary key (tenant_id, day, measure, span, person_id),
  foreign key (tenant_id, person_id)
    references public.gamification_members (tenant_id, person_id) on delete restrict
);
comment on table public.gamification_snapshots is
  'The first hundred of each board at the end of a day. Of the last day of a span it is how that span ended.';
create index gamification_snapshots_person on public.gamification_snapshots (tenant_id, person_id);

alter table public.gamification_seasons enable row level security;
create policy gamification_seasons_select_member on public.gamification_seasons
  for select to authenticated
  using (tenant_id = any (array(select private.tenants_with('gamification.read'))));
alter table public.gamification_snapshots enable row level security;
create policy gamification_snapshots_select_owner on public.gamification_snapshots
  for select to authenticated
  using (
    tenant_id = any (array(select private.tenants_with('gamification.read')))
    and person_id = (select private.person())
  );
grant select on public.gamification_seasons, public.gamification_snapshots to authenticated, service_role;

create function public.gamification_snapshot(
  tenant_id uuid, day date, measure text default 'xp', span text default 'all'
)
returns setof public.gamification_place
language plpgsql
stable
security definer -- reads snapshots past their policies: of those alone who are shown today
set search_path = ''
as $$
#variable_conflict use_column
begin
  perform private.require(gamification_snapshot.tenant_id, 'gamification.read');
  if private.gamification_near_only(gamification_snapshot.tenant_id) then
    raise sqlstate 'PT403' using message = 'gamification.near_only';
  end if;
  return query
  select s.rank::bigint, s.person_id, m.display_name, m.avatar_url, s.score, null::text
  from public.gamification_snapshots s
  join public.gamification_members g on g.tenant_id = s.tenant_id and g.person_id = s.person_id
  join public.members m on m.tenant_id = s.tenant_id and m.person_id = s.person_id
  where s.tenant_id = gamification_snapshot.tenant_id and s.day = gamification_snapshot.day
    and s.measure = gamification_snapshot.measure and s.span = gamification_snapshot.span
    and not g.hidden and not g.away
  order by s.rank, s.person_id;
end;
$$;
comment on function public.gamification_snapshot(uuid, date, text, text) is
  'How a leaderboard stood at the end of a day: its first hundred, without who has opted out since (permission gamification.read). Raises gamification.near_only.';
grant execute on function public.gamification_snapshot(uuid, date, text, text) to authenticated;

create function private.gamification_end_season(season public.gamification_seasons)
returns void
language plpgsql
volatile
security definer -- nobody else writes seasons
set search_path = ''
as $$
#variable_conflict use_column
declare
  v_winners uuid[] := array(
    select s.person_id from public.gamification_snapshots s
    where s.tenant_id = season.tenant_id and s.day = season.ends_on and s.measure = 'xp' and s.span = 'season'
      and s.rank <= 3
    order by s.rank, s.person_id limit 10
  );
begin
  update public.gamification_seasons s set status = 'ended'
  where s.tenant_id = season.tenant_id and s.id = season.id;
  perform private.gamification_settle(season.tenant_id, 'gamification_seasons:' || season.id, array(
    select row(w.id, 'season_podium', 1, 0, null)::private.gamification_claim from unnest(v_winners) w (id)
  ));
  perform private.notify_all(
    v_winners, 'gamification.season',
    jsonb_build_object('name', season.name, 'about', 'gamification_seasons:' || season.id), season.tenant_id
  );
end;
$$;
comment on function private.gamification_end_season(public.gamification_seasons) is
  'Ends a season: its first three of the points are awarded and told.';

create function private.gamification_take_snapshot(tenant_id uuid)
returns boolean
language plpgsql
volatile
security definer -- nobody else writes snapshots
set search_path = ''
as $$
#variable_conflict use_column
declare
  v_day date := private.gamification_today(gamification_take_snapshot.tenant_id) - 1;
  v_season public.gamification_seasons;
  v_old bigint;
begin
  insert into public.gamification_snapshots (tenant_id, day, measure, span, rank, person_id, score)
  select gamification_take_snapshot.tenant_id, v_day, k.measure, s.span, l.rank, l.person_id, l.score
  from private.gamification_measures k
  cross join private.gamification_spans(gamification_take_snapshot.tenant_id, v_day) s
  cross join lateral private.gamification_lines(
    gamification_take_snapshot.tenant_id, k.measure, s.span, s.starts_on, 9223372036854775807,
    uuid '00000000-0000-0000-0000-000000000000', 100, inclusive => true
  ) l
  where k.board
  on conflict do nothing;
  select * into v_season from public.gamification_seasons s
  where s.tenant_id = gamification_take_snapshot.tenant_id and s.status = 'open' and s.ends_on <= v_day
  order by s.ends_on limit 1;
  if found then
    perform private.gamification_end_season(v_season);
  end if;
  -- The end of each week and month stays as a snapshot; what it was counted from goes.
  delete from public.gamification_scores s
  where (s.tenant_id, s.measure, s.span, s.starts_on, s.person_id) in (
    select o.tenant_id, o.measure, o.span, o.starts_on, o.person_id from public.gamification_scores o
    where o.tenant_id = gamification_take_snapshot.tenant_id and (
      o.span = 'week' and o.starts_on < v_day - 35 or o.span = 'month' and o.starts_on < v_day - 100
      or o.span = 'season' and o.starts_on < v_day - 400
    )
    limit 5000
  );
  get diagnostics v_old = row_count;
  delete from private.gamification_buckets b
  where b.tenant_id = gamification_take_snapshot.tenant_id and (
    b.span = 'week' and b.starts_on < v_day - 35 or b.span = 'month' and b.starts_on < v_day - 100
    or b.span = 'season' and b.starts_on < v_day - 400
  );
  delete from public.gamification_snapshots s
  where s.tenant_id = gamification_take_snapshot.tenant_id and s.day < v_day - 400;
  return v_old = 5000;
end;
$$;
comment on function private.gamification_take_snapshot(uuid) is
  'Keeps how the boards stood yesterday, ends the season that is over, and forgets weeks and months long past, 5,000 lines at a time. Returns whether more are left.';

select private.schedule_local('gamification-leaderboards', '10 0 * * *', 'gamification.leaderboards');

create function public.gamification_run(tenant_id uuid, kind text)
returns boolean
language plpgsql
volatile
security definer -- nobody else writes awards and snapshots
set search_path = ''
as $$
begin
  return case kind
    when 'gamification.badges' then private.gamification_check_new_badges(gamification_run.tenant_id)
    when 'gamification.daily_xp' then private.gamification_award_days(gamification_run.tenant_id)
    when 'gamification.leaderboards' then private.gamification_take_snapshot(gamification_run.tenant_id)
  end;
end;
$$;
comment on function public.gamification_run(uuid, text) is
  'For the worker: a bounded part of what is due at the tenant''s midnight, or for new badges. Returns whether there is more.';
grant execute on function public.gamification_run(uuid, text) to service_role;
