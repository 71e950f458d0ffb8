-- Gamification, scores: what each person has of each measure in each span of time, and how many people
-- stand in each bucket of it, so that a rank is told without counting everybody above.

create table public.gamification_scores (
  tenant_id uuid not null,
  measure text not null references private.gamification_measures (measure),
  span text not null check (span in ('all', 'month', 'week', 'season')),
  starts_on date not null,
  person_id uuid not null,
  score bigint not null check (score >= 0),
  shown boolean not null,
  primary key (tenant_id, measure, span, starts_on, person_id),
  foreign key (tenant_id, person_id)
    references public.gamification_members (tenant_id, person_id) on delete restrict
);
comment on table public.gamification_scores is
  'The sum of a measure for a person, over all time (from 1970-01-01), a month, a week from Monday, or a season.';
comment on column public.gamification_scores.shown is 'Whether they stand on the board: an active member who has not opted out.';
create index gamification_scores_person on public.gamification_scores (tenant_id, person_id, span);
create index gamification_scores_measure on public.gamification_scores (measure);
create index gamification_scores_board
  on public.gamification_scores (tenant_id, measure, span, starts_on, score desc, person_id)
  where shown and score > 0;
create index gamification_scores_old on public.gamification_scores (tenant_id, span, starts_on);

create table private.gamification_buckets (
  tenant_id uuid not null,
  measure text not null,
  span text not null,
  starts_on date not null,
  bucket integer not null,
  people integer not null,
  primary key (tenant_id, measure, span, starts_on, bucket)
) with (fillfactor = 70);
comment on table private.gamification_buckets is
  'How many people who are shown have a score of each size: up to 63 exactly, above in 32 buckets a doubling.';

alter table public.gamification_scores enable row level security;
create policy gamification_scores_select_owner on public.gamification_scores
  for select to authenticated
  using (
    tenant_id = any (array(select private.tenants_with('gamification.read')))
    and person_id = (select private.person())
  );
grant select on public.gamification_scores to authenticated, service_role;

create function private.gamification_bucket(score bigint)
returns integer
language plpgsql
immutable
security invoker
set search_path = ''
as $$
declare
  v_shift integer := length(ltrim(score::bit(64)::text, '0')) - 6;
begin
  return case when v_shift <= 0 then score else v_shift * 32 + (score >> v_shift) end;
end;
$$;
comment on function private.gamification_bucket(bigint) is 'The bucket that a score of zero or more belongs to.';

create function private.gamification_bucket_end(bucket integer)
returns bigint
language plpgsql
immutable
security invoker
set search_path = ''
as $$
begin
  return case when bucket < 64 then bucket + 1
    else (bucket + 1 - (bucket / 32 - 1) * 32)::bigint << (bucket / 32 - 1) end;
end;
$$;
comment on function private.gamification_bucket_end(integer) is 'The lowest score that is beyond the bucket.';

create function private.gamification_start(span text, day date)
returns date
language plpgsql
immutable
security invoker
set search_path = ''
as $$
begin
  return case gamification_start.span
    when 'all' then date '1970-01-01'
    else date_trunc(gamification_start.span, day::timestamp)::date
  end;
end;
$$;
comment on function private.gamification_start(text, date) is 'The first day of the span of that day: all, month or week.';

create type private.gamification_span as (span text, starts_on date);
comment on type private.gamification_span is 'A span of time, by its first day.';

create function private.gamification_spans(tenant_id uuid, day date)
returns setof private.gamification_span
language plpgsql
stable
security definer -- reads seasons past their policies
rows 4
set search_path = ''
as $$
#variable_conflict use_column
begin
  return query
  select s.span, private.gamification_start(s.span, gamification_spans.day)
  from unnest(array['all', 'month', 'week']) s (span)
  union all
  select 'season', s.starts_on from public.gamification_seasons s
  where s.tenant_id = gamification_spans.tenant_id
    and gamification_spans.day between s.starts_on and s.ends_on;
end;
$$;
comment on function private.gamification_spans(uuid, date) is 'The spans that a day counts for.';

create type private.gamification_delta as (person_id uuid, measure text, day date, amount bigint);
comment on type private.gamification_delta is 'By how much a measure of a person moves, for a day.';

create function private.gamification_add(tenant_id uuid, deltas private.gamification_delta[])
returns void
language plpgsql
volatile
security definer -- nobody else writes scores
set search_path = ''
set plan_cache_mode = force_generic_plan
as $$
#variable_conflict use_column
begin
  -- Nobody else books in the tenant meanwhile, so what is read here is what is added to.
  with moved as (
    select d.measure, s.span, s.starts_on, d.person_id, sum(d.amount)::bigint as amount
    from unnest(deltas) d
    join private.gamification_measures k on k.measure = d.measure
    cross join lateral private.gamification_spans(gamification_add.tenant_id, d.day) s
    where k.board or s.span = 'all'
    group by 1, 2, 3, 4
    having sum(d.amount) <> 0
  ), seen as (
    select m.*, not (g.hidden or g.away) as shown, coalesce(s.score, 0) as before
    from moved m
    join public.gamification_members g
      on g.tenant_id = gamification_add.tenant_id and g.person_id = m.person_id
    left join public.gamification_scores s
      on s.tenant_id = gamification_add.tenant_id and s.measure = m.measure and s.span = m.span
      and s.starts_on = m.starts_on and s.person_id = m.person_id
  ), kept as (
    insert into public.gamification_scores as s (tenant_id, measure, span, starts_on, person_id, score, shown)
    select gamification_add.tenant_id, n.measure, n.span, n.starts_on, n.person_id,
      greatest(n.before + n.amount, 0), n.shown
    from seen n
    on conflict (tenant_id, measure, span, starts_on, person_id) do update
      set score = excluded.score, shown = excluded.shown
  )
  insert into private.gamification_buckets as b (tenant_id, measure, span, starts_on, bucket, people)
  select gamification_add.tenant_id, n.measure, n.span, n.starts_on, c.bucket, sum(c.people)
  from seen n
  cross join lateral (
    values (private.gamification_bucket(n.before), -1),
      (private.gamification_bucket(greatest(n.before + n.amount, 0)), 1)
  ) c (bucket, people)
  where n.shown and c.bucket > 0
  group by 2, 3, 4, 5
  having sum(c.people) <> 0
  on conflict (tenant_id, measure, span, starts_on, bucket) do update set people = b.people + excluded.people;
end;
$$;
comment on function private.gamification_add(uuid, private.gamification_delta[]) is
  'Moves scores and buckets. The caller holds gamification_lock.';

create function private.gamification_show(tenant_id uuid, person uuid, shown boolean)
returns void
language plpgsql
volatile
security definer -- nobody else writes scores
set search_path = ''
as $$
#variable_conflict use_column
begin
  with turned as (
    update public.gamification_scores s set shown = gamification_show.shown
    where s.tenant_id = gamification_show.tenant_id and s.person_id = person
      and s.shown <> gamification_show.shown
    returning s.measure, s.span, s.starts_on, private.gamification_bucket(s.score) as bucket
  )
  insert into private.gamification_buckets as b (tenant_id, measure, span, starts_on, bucket, people)
  select gamification_show.tenant_id, t.measure, t.span, t.starts_on, t.bucket,
    case when gamification_show.shown then 1 else -1 end
  from turned t
  where t.bucket > 0
  on conflict (tenant_id, measure, span, starts_on, bucket) do update set people = b.people + excluded.people;
end;
$$;
comment on function private.gamification_show(uuid, uuid, boolean) is
  'Puts a person on all boards or takes them off. The caller holds gamification_lock.';

create function private.gamification_above(
  tenant_id uuid, measure text, span text, starts_on date, score bigint
)
returns bigint
language plpgsql
stable
security definer -- reads scores past their policies
set search_path = ''
as $$
#variable_conflict use_column
declare
  v_bucket integer := private.gamification_bucket(gamification_above.score);
  v_end bigint := private.gamification_bucket_end(v_bucket);
begin
  return coalesce((
    select sum(b.people) from private.gamification_buckets b
    where b.tenant_id = gamification_above.tenant_id and b.measure = gamification_above.measure
      and b.span = gamification_above.span and b.starts_on = gamification_above.starts_on
      and b.bucket > v_bucket
  ), 0) + (
    select count(*) from public.gamification_scores s
    where s.tenant_id = gamification_above.tenant_id and s.measure = gamification_above.measure
      and s.span = gamification_above.span and s.starts_on = gamification_above.starts_on
      and s.shown and s.score > 0 and s.score > gamification_above.score and s.score < v_end
  );
end;
$$;
comment on function private.gamification_above(uuid, text, text, date, bigint) is
  'How many of those shown have more: the sum of the buckets above, and who has more within the bucket.';
