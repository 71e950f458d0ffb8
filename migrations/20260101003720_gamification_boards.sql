-- Gamification, boards: who stands where, of one measure in one span. A tenant may have its members see
-- only who is near them: nobody has to read that they are last.

create type public.gamification_place as (
  rank bigint,
  person_id uuid,
  display_name text,
  avatar_url text,
  score bigint,
  cursor text
);
comment on type public.gamification_place is
  'A line of a leaderboard; equal scores share a rank. cursor: of the list, to go on after this line.';

create function private.gamification_board(tenant_id uuid, measure text, span text)
returns date
language plpgsql
stable
security definer -- reads seasons and measures past their policies
set search_path = ''
as $$
#variable_conflict use_column
declare
  v_today date := private.gamification_today(gamification_board.tenant_id);
  v_start date;
begin
  if not exists (
    select from private.gamification_measures m where m.measure = gamification_board.measure and m.board
  ) then
    raise sqlstate 'PT422' using message = 'request.invalid', detail = 'measure';
  elsif gamification_board.span is null or gamification_board.span not in ('all', 'month', 'week', 'season') then
    raise sqlstate 'PT422' using message = 'request.invalid', detail = 'span: all, month, week or season';
  end if;
  select s.starts_on into v_start from private.gamification_spans(gamification_board.tenant_id, v_today) s
  where s.span = gamification_board.span;
  if not found then
    raise sqlstate 'PT404' using message = 'gamification.no_season';
  end if;
  return v_start;
end;
$$;
comment on function private.gamification_board(uuid, text, text) is
  'Where the running span of a board began. Raises request.invalid, gamification.no_season.';

create function private.gamification_near_only(tenant_id uuid)
returns boolean
language plpgsql
stable
security definer -- reads tenants past their policies
set search_path = ''
as $$
begin
  return coalesce((
    select t.settings -> 'gamification' -> 'near_only' = to_jsonb(true) from public.tenants t
    where t.id = gamification_near_only.tenant_id
  ), false) and not private.can(gamification_near_only.tenant_id, 'gamification.manage');
end;
$$;
comment on function private.gamification_near_only(uuid) is
  'Whether the caller sees only who stands near them: settings.gamification.near_only, but for who manages the rules.';

create function public.gamification_leaderboard(
  tenant_id uuid, measure text default 'xp', span text default 'all', cursor text default null,
  page_size integer default 50
)
returns setof public.gamification_place
language plpgsql
stable
security definer -- reads scores past their policies: of those alone who are shown
set search_path = ''
as $$
#variable_conflict use_column
declare
  v_start date;
  v_score bigint := 9223372036854775807;
  v_person uuid := uuid '00000000-0000-0000-0000-000000000000';
begin
  perform private.require(gamification_leaderboard.tenant_id, 'gamification.read');
  v_start := private.gamification_board(
    gamification_leaderboard.tenant_id, gamification_leaderboard.measure, gamification_leaderboard.span
  );
  if page_size is null or page_size not between 1 and 100 then
    raise sqlstate 'PT422' using message = 'request.invalid', detail = 'page_size: 1 to 100';
  elsif private.gamification_near_only(gamification_leaderboard.tenant_id) then
    raise sqlstate 'PT403' using message = 'gamification.near_only';
  end if;
  if gamification_leaderboard.cursor is not null then
    if not pg_input_is_valid(split_part(gamification_leaderboard.cursor, ',', 1), 'bigint')
      or not pg_input_is_valid(split_part(gamification_leaderboard.cursor, ',', 2), 'uuid')
    then
      raise sqlstate 'PT422' using message = 'request.invalid', detail = 'cursor';
    end if;
    v_score := split_part(gamification_leaderboard.cursor, ',', 1)::bigint;
    v_person := split_part(gamification_leaderboard.cursor, ',', 2)::uuid;
  end if;
  return query
    select * from private.gamification_lines(
      gamification_leaderboard.tenant_id, gamification_leaderboard.measure, gamification_leaderboard.span,
      v_start, v_score, v_person, page_size, inclusive => false
    );
end;
$$;
comment on function public.gamification_leaderboard(uuid, text, text, text, integer) is
  'The running leaderboard of a measure, over all time, the month, the week or the season (permission gamification.read). cursor: of the last line seen. page_size: 1 to 100. Raises gamification.near_only, gamification.no_season, request.invalid.';
grant execute on function public.gamification_leaderboard(uuid, text, text, text, integer) to authenticated;

create function private.gamification_lines(
  tenant_id uuid, measure text, span text, starts_on date, score bigint, person uuid, page_size integer,
  inclusive boolean
)
returns setof public.gamification_place
language plpgsql
stable
security definer -- reads scores past their policies
set search_path = ''
set plan_cache_mode = force_generic_plan
as $$
#variable_conflict use_column
declare
  v_page public.gamification_scores[];
  v_above bigint;
  v_before bigint;
begin
  -- Who has the same score as the line that was seen last, and then who has less: each a range of the
  -- index, which a comparison of both columns at once would not be, as they run in opposite directions.
  select array_agg(f::public.gamification_scores order by f.score desc, f.person_id) into v_page
  from (
    (
      select s.* from public.gamification_scores s
      where s.tenant_id = gamification_lines.tenant_id and s.measure = gamification_lines.measure
        and s.span = gamification_lines.span and s.starts_on = gamification_lines.starts_on
        and s.shown and s.score > 0 and s.score = gamification_lines.score
        and s.person_id >= person and (inclusive or s.person_id <> person)
      order by s.person_id
      limit page_size
    )
    union all
    (
      select s.* from public.gamification_scores s
      where s.tenant_id = gamification_lines.tenant_id and s.measure = gamification_lines.measure
        and s.span = gamification_lines.span and s.starts_on = gamification_lines.starts_on
        and s.shown and s.score > 0 and s.score < gamification_lines.score
      order by s.score desc, s.person_id
      limit page_size
    )
    order by score desc, person_id
    limit page_size
  ) f;
  if v_page is null then
    return;
  end if;
  v_above := private.gamification_above(
    gamification_lines.tenant_id, measure, span, starts_on, v_page[1].score
  );
  -- A page may begin amid people of one score.
  v_before := v_above + (
    select count(*) from public.gamification_scores s
    where s.tenant_id = gamification_lines.tenant_id and s.measure = gamification_lines.measure
      and s.span = gamification_lines.span and s.starts_on = gamification_lines.starts_on
      and s.shown and s.score > 0 and s.score = v_page[1].score and s.person_id < v_page[1].person_id
  );
  return query
  select
    case p.score when v_page[1].score then v_above + 1 else v_before + rank() over (order by p.score desc) end,
    p.person_id, m.display_name, m.avatar_url, p.score, p.score || ',' || p.person_id
  from unnest(v_page) p
  join public.members m on m.tenant_id = p.tenant_id and m.person_id = p.person_id
  order by p.score desc, p.person_id;
end;
$$;
comment on function private.gamification_lines(uuid, text, text, date, bigint, uuid, integer, boolean) is
  'A page of a board from a line on, with ranks: that of its first line is counted, the others follow.';

create function public.gamification_near(
  tenant_id uuid, measure text default 'xp', span text default 'all', around integer default 5
)
returns setof public.gamification_place
language plpgsql
stable
security definer -- reads scores past their policies: of those alone who are shown
set search_path = ''
as $$
#variable_conflict use_column
declare
  v_me uuid := private.require(gamification_near.tenant_id, 'gamification.read');
  v_start date := private.gamification_board(
    gamification_near.tenant_id, gamification_near.measure, gamification_near.span
  );
  v_mine public.gamification_scores;
  v_above public.gamification_scores[];
begin
  if gamification_near.around is null or gamification_near.around not between 1 and 20 then
    raise sqlstate 'PT422' using message = 'request.invalid', detail = 'around: 1 to 20';
  end if;
  select * into v_mine from public.gamification_scores s
  where s.tenant_id = gamification_near.tenant_id and s.measure = gamification_near.measure
    and s.span = gamification_near.span and s.starts_on = v_start and s.person_id = v_me
    and s.shown and s.score > 0;
  if not found then
    return;
  end if;
  v_above := array(
    select s from public.gamification_scores s
    where s.tenant_id = v_mine.tenant_id and s.measure = v_mine.measure and s.span = v_mine.span
      and s.starts_on = v_mine.starts_on and s.shown and s.score > 0
      and s.score = v_mine.score and s.person_id < v_me
    order by s.person_id desc limit gamification_near.around
  );
  v_above := v_above || array(
    select s from public.gamification_scores s
    where s.tenant_id = v_mine.tenant_id and s.measure = v_mine.measure and s.span = v_mine.span
      and s.starts_on = v_mine.starts_on and s.shown and s.score > 0 and s.score > v_mine.score
    order by s.score, s.person_id desc limit gamification_near.around - cardinality(v_above)
  ) || v_mine;
  return query
    select l.* from private.gamification_lines(
      v_mine.tenant_id, v_mine.measure, v_mine.span, v_mine.starts_on,
      (select max(a.score) from unnest(v_above) a),
      (select a.person_id from unnest(v_above) a order by a.score desc, a.person_id limit 1),
      cardinality(v_above) + gamification_near.around, inclusive => true
    ) l;
end;
$$;
comment on function public.gamification_near(uuid, text, text, integer) is
  'Who stands next to the caller on a running leaderboard, up to 20 each way; nobody where they are not on it (permission gamification.read). Raises gamification.no_season, request.invalid.';
grant execute on function public.gamification_near(uuid, text, text, integer) to authenticated;
