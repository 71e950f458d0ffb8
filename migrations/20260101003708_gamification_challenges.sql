-- Gamification, challenges: do something so often between two days, for points. Progress is counted from
-- the awards themselves, so what is undone counts no more.

create table public.gamification_challenges (
  tenant_id uuid not null references public.tenants (id) on delete restrict,
  id uuid not null default private.uuid_v7(),
  name text not null check (char_length(btrim(name)) between 1 and 120),
  description text check (char_length(description) <= 1000),
  action text not null references private.gamification_usual_actions (action),
  goal integer not null check (goal between 1 and 10000),
  xp integer not null check (xp between 0 and 1000),
  starts_on date not null,
  ends_on date not null,
  status text not null default 'open' check (status in ('open', 'ended', 'cancelled')),
  created_at timestamptz not null default now(),
  primary key (tenant_id, id),
  check (ends_on >= starts_on and ends_on - starts_on <= 366)
);
comment on table public.gamification_challenges is
  'What a tenant asks its members to do between two of its days, both included. open: to come or running.';
create index gamification_challenges_open on public.gamification_challenges (tenant_id, action)
  where status = 'open';
create index gamification_challenges_action on public.gamification_challenges (action);
insert into private.transitions (machine, from_state, to_state)
values
  ('gamification_challenges', 'open', 'ended'), ('gamification_challenges', 'open', 'cancelled');
create trigger gamification_challenges_transition before update of status on public.gamification_challenges
  for each row execute function private.enforce_transition();

create table public.gamification_progress (
  tenant_id uuid not null,
  challenge_id uuid not null,
  person_id uuid not null,
  count integer not null,
  completed_at timestamptz,
  primary key (tenant_id, challenge_id, person_id),
  foreign key (tenant_id, challenge_id)
    references public.gamification_challenges (tenant_id, id) on delete cascade,
  foreign key (tenant_id, person_id)
    references public.gamification_members (tenant_id, person_id) on delete restrict
);
comment on table public.gamification_progress is 'How far a member is with a challenge.';
create index gamification_progress_person on public.gamification_progress (tenant_id, person_id);

alter table public.gamification_challenges enable row level security;
create policy gamification_challenges_select_member on public.gamification_challenges
  for select to authenticated
  using (tenant_id = any (array(select private.tenants_with('gamification.read'))));

alter table public.gamification_progress enable row level security;
create policy gamification_progress_select_owner on public.gamification_progress
  for select to authenticated
  using (
    tenant_id = any (array(select private.tenants_with('gamification.read')))
    and person_id = (select private.person())
  );
grant select on public.gamification_challenges, public.gamification_progress to authenticated, service_role;

create function private.gamification_count(challenge public.gamification_challenges, person uuid)
returns integer
language plpgsql
stable
security definer -- reads awards past their policies
set search_path = ''
as $$
begin
  return (
    select coalesce(sum(case a.kind when 'taken_back' then -1 else 1 end), 0)
    from public.gamification_awards a
    where a.tenant_id = challenge.tenant_id and a.person_id = gamification_count.person
      and a.action = challenge.action and a.day between challenge.starts_on and challenge.ends_on
  );
end;
$$;
comment on function private.gamification_count(public.gamification_challenges, uuid) is
  'How often a person has done what the challenge asks for, and it stands.';

create function private.gamification_follow(tenant_id uuid, person uuid)
returns void
language plpgsql
volatile
security definer -- nobody else writes progress
set search_path = ''
as $$
#variable_conflict use_column
declare
  v_challenge public.gamification_challenges;
  v_before public.gamification_progress;
  v_count integer;
  v_today date := private.gamification_today(gamification_follow.tenant_id);
begin
  for v_challenge in
    select c.* from public.gamification_challenges c
    where c.tenant_id = gamification_follow.tenant_id and c.status = 'open' and c.starts_on <= v_today
    order by c.id
  loop
    v_count := private.gamification_count(v_challenge, person);
    select * into v_before from public.gamification_progress p
    where p.tenant_id = v_challenge.tenant_id and p.challenge_id = v_challenge.id
      and p.person_id = gamification_follow.person;
    continue when coalesce(v_before.count, 0) = v_count;
    insert into public.gamification_progress as p (tenant_id, challenge_id, person_id, count, completed_at)
    values (
      v_challenge.tenant_id, v_challenge.id, person, v_count, case when v_count >= v_challenge.goal then now() end
    )
    on conflict (tenant_id, challenge_id, person_id) do update
    set count = excluded.count,
      completed_at = case when excluded.completed_at is not null then coalesce(p.completed_at, now()) end;
    if (v_before.completed_at is not null) <> (v_count >= v_challenge.goal) then
      perform private.gamification_reconcile(
        v_challenge.tenant_id, 'gamification_challenges:' || v_challenge.id,
        case when v_count >= v_challenge.goal
          then array[row(person, 'complete_challenge', 1, 1, v_challenge.xp)::private.gamification_claim]
          else '{}' end,
        array[person]
      );
    end if;
    if v_before.completed_at is null and v_count >= v_challenge.goal then
      perform private.notify(
        person, 'gamification.challenge',
        jsonb_build_object(
          'name', v_challenge.name, 'challenge_id', v_challenge.id,
          'about', 'gamification_challenges:' || v_challenge.id
        ),
        v_challenge.tenant_id
      );
    end if;
  end loop;
end;
$$;
comment on function private.gamification_follow(uuid, uuid) is
  'Counts a person''s open challenges anew; reaching the goal is awarded, falling below it again takes that back. The caller holds gamification_lock.';

create function private.gamification_end_challenges()
returns bigint
language plpgsql
volatile
security definer -- nobody else writes challenges
set search_path = ''
as $$
#variable_conflict use_column
declare
  v_count bigint;
begin
  -- Two days of grace: an award of the last evening may come late, and somewhere it is still that day.
  update public.gamification_challenges c set status = 'ended'
  where c.status = 'open' and c.ends_on < current_date - 1 and (c.tenant_id, c.id) in (
    select o.tenant_id, o.id from public.gamification_challenges o
    where o.status = 'open' and o.ends_on < current_date - 1
    order by o.ends_on limit 1000
  );
  get diagnostics v_count = row_count;
  return v_count;
end;
$$;
comment on function private.gamification_end_challenges() is 'Ends challenges whose last day is over, a thousand at a time.';
create index gamification_challenges_ending on public.gamification_challenges (ends_on) where status = 'open';
select private.schedule('gamification-challenges', '35 2 * * *', 'select private.gamification_end_challenges()');
