-- Gamification, badges: conditions that a tenant declares over what its members have collected. By count
-- (fifty exchanges) or by quality (an average of 4.8 stars over 25 reviews): one form says both.

create table private.gamification_usual_badges (
  slug text primary key,
  name text not null,
  tier text not null,
  condition jsonb not null
);
comment on table private.gamification_usual_badges is 'The badges of a new tenant.';
insert into private.gamification_usual_badges (slug, name, tier, condition)
values
  ('first_exchange', 'First exchange', 'bronze', '{"exchanges": 1}'),
  ('exchanges_10', 'Ten exchanges', 'silver', '{"exchanges": 10}'),
  ('exchanges_50', 'Fifty exchanges', 'gold', '{"exchanges": 50}'),
  ('exchanges_100', 'A hundred exchanges', 'platinum', '{"exchanges": 100}'),
  ('first_credits', 'First hours earned', 'bronze', '{"credits_earned": 1}'),
  ('give_and_take', 'Give and take', 'silver', '{"credits_earned": 600, "credits_spent": 600}'),
  ('first_listing', 'First listing', 'bronze', '{"listings": 1}'),
  ('listings_10', 'Ten listings', 'silver', '{"listings": 10}'),
  ('volunteer_10', 'Ten volunteer hours', 'silver', '{"volunteering": 600}'),
  ('volunteer_100', 'A hundred volunteer hours', 'platinum', '{"volunteering": 6000}'),
  ('reviews_10', 'Ten reviews', 'silver', '{"reviews": 10}'),
  ('events_5', 'Five events', 'silver', '{"events": 5}'),
  ('connections_10', 'Well connected', 'silver', '{"connections": 10}'),
  ('streak_7', 'A week in a row', 'bronze', '{"streak": 7}'),
  ('streak_30', 'A month in a row', 'silver', '{"streak": 30}'),
  ('streak_100', 'A hundred days in a row', 'gold', '{"streak": 100}'),
  ('level_10', 'Level ten', 'silver', '{"level": 10}'),
  ('level_25', 'Level twenty-five', 'platinum', '{"level": 25}'),
  ('trusted', 'Trusted', 'silver', '{"ratings": 10, "rating": 450}'),
  ('excellent', 'Excellent', 'gold', '{"ratings": 25, "rating": 480}');

create table public.gamification_badges (
  tenant_id uuid not null references public.tenants (id) on delete restrict,
  slug text not null check (slug ~ '^[a-z][a-z0-9_]{1,39}$'),
  name text not null check (char_length(btrim(name)) between 1 and 80),
  description text check (char_length(description) <= 500),
  tier text not null check (tier in ('bronze', 'silver', 'gold', 'platinum')),
  condition jsonb not null,
  xp integer not null default 25 check (xp between 0 and 1000),
  active boolean not null default true,
  unchecked_after uuid default uuid '00000000-0000-0000-0000-000000000000',
  updated_at timestamptz not null default now(),
  primary key (tenant_id, slug)
);
comment on table public.gamification_badges is 'The badges of a tenant.';
comment on column public.gamification_badges.condition is
  'What has to be reached, all of it: a measure, level, streak or rating, and its value.';
comment on column public.gamification_badges.active is 'False: nobody earns it any more; who has it keeps it.';
comment on column public.gamification_badges.unchecked_after is
  'The hourly check has looked at members up to this id since the badge was changed; null: at all of them.';
create index gamification_badges_unchecked on public.gamification_badges (tenant_id, slug)
  where unchecked_after is not null;
create trigger gamification_badges_touch before update on public.gamification_badges
  for each row execute function private.touch();

create table public.gamification_holders (
  tenant_id uuid not null,
  person_id uuid not null,
  badge text not null,
  earned_at timestamptz not null default now(),
  primary key (tenant_id, person_id, badge),
  foreign key (tenant_id, person_id)
    references public.gamification_members (tenant_id, person_id) on delete restrict,
  foreign key (tenant_id, badge) references public.gamification_badges (tenant_id, slug) on delete restrict
);
comment on table public.gamification_holders is
  'Who has which badge. It goes where its condition was only met by something that was undone.';
create index gamification_holders_badge on public.gamification_holders (tenant_id, badge);

alter table public.gamification_badges enable row level security;
create policy gamification_badges_select_member on public.gamification_badges
  for select to authenticated
  using (tenant_id = any (array(select private.tenants_with('gamification.read'))));

alter table public.gamification_holders enable row level security;
create policy gamification_holders_select_owner on public.gamification_holders
  for select to authenticated
  using (
    tenant_id = any (array(select private.tenants_with('gamification.read')))
    and person_id = (select private.person())
  );
grant select on public.gamification_badges, public.gamification_holders to authenticated, service_role;

create function private.gamification_on_module_on()
returns trigger
language plpgsql
volatile
security definer -- clients may not write the rules
set search_path = ''
as $$
begin
  insert into public.gamification_actions (tenant_id, action, xp, daily_cap)
  select new.id, u.action, u.xp, u.daily_cap from private.gamification_usual_actions u
  on conflict do nothing;
  insert into public.gamification_badges (tenant_id, slug, name, tier, condition, unchecked_after)
  select new.id, u.slug, u.name, u.tier, u.condition, null from private.gamification_usual_badges u
  on conflict do nothing;
  return null;
end;
$$;
comment on function private.gamification_on_module_on() is
  'After the module was switched on: what actions are usually worth and the usual badges, for the tenant to change.';
create trigger gamification_on_tenant_made after insert on public.tenants
  for each row when ('gamification' = any (new.modules)) execute function private.gamification_on_module_on();
create trigger gamification_on_module_on after update of modules on public.tenants
  for each row when ('gamification' = any (new.modules) and not 'gamification' = any (old.modules))
  execute function private.gamification_on_module_on();

create function private.gamification_met(condition jsonb, reached jsonb)
returns boolean
language plpgsql
immutable
security invoker
set search_path = ''
as $$
begin
  return not exists (
    select from jsonb_each(condition) c
    where coalesce((reached ->> c.key)::bigint, 0) < (c.value #>> '{}')::bigint
  );
end;
$$;
comment on function private.gamification_met(jsonb, jsonb) is 'Whether everything that the condition asks for is reached.';

create function private.gamification_tell_badge(person uuid, badge public.gamification_badges)
returns void
language plpgsql
volatile
security definer -- nobody else tells people
set search_path = ''
as $$
begin
  perform private.announce_to(
    array[person], 'gamification:badge',
    jsonb_build_object(
      'tenant_id', badge.tenant_id, 'badge', badge.slug, 'name', badge.name, 'tier', badge.tier
    ),
    'gamification.read'
  );
  perform private.notify(
    person, 'gamification.badge',
    jsonb_build_object(
      'badge', badge.slug, 'name', badge.name, 'about', 'gamification_badges:' || badge.slug
    ),
    badge.tenant_id
  );
end;
$$;
comment on function private.gamification_tell_badge(uuid, public.gamification_badges) is
  'Tells a person of a badge: live, and once in their inbox.';

create function private.gamification_turn_badge(badge public.gamification_badges, person uuid)
returns void
language plpgsql
volatile
security definer -- nobody else gives badges
set search_path = ''
as $$
#variable_conflict use_column
declare
  v_claims private.gamification_claim[] := array[]::private.gamification_claim[];
begin
  delete from public.gamification_holders h
  where h.tenant_id = badge.tenant_id and h.person_id = gamification_turn_badge.person and h.badge = (gamification_turn_badge.badge).slug;
  if not found then
    insert into public.gamification_holders (tenant_id, person_id, badge)
    values (badge.tenant_id, person, badge.slug);
    v_claims := array[row(person, 'earn_badge', 1, 1, badge.xp)::private.gamification_claim];
  end if;
  perform private.gamification_reconcile(
    badge.tenant_id, 'gamification_badges:' || badge.slug, v_claims, array[person]
  );
  if cardinality(v_claims) > 0 then
    perform private.gamification_tell_badge(person, badge);
  end if;
end;
$$;
comment on function private.gamification_turn_badge(public.gamification_badges, uuid) is
  'Gives a person the badge with its points, or takes it from who has it. The caller holds gamification_lock.';

create function private.gamification_check_badges(tenant_id uuid, person uuid, lost boolean)
returns void
language plpgsql
volatile
security definer -- nobody else gives badges
set search_path = ''
as $$
#variable_conflict use_column
declare
  v_values jsonb;
  v_badge public.gamification_badges;
  v_changed boolean;
begin
  -- A badge is worth points, points make levels, and a level may be what the next badge asks for.
  for v_round in 1..5 loop
    v_changed := false;
    v_values := private.gamification_values(gamification_check_badges.tenant_id, person);
    for v_badge in
      select b.* from public.gamification_badges b
      left join public.gamification_holders h
        on h.tenant_id = b.tenant_id and h.badge = b.slug and h.person_id = gamification_check_badges.person
      where b.tenant_id = gamification_check_badges.tenant_id
        and case when h.badge is null then b.active else lost end
        and (h.badge is null) = private.gamification_met(b.condition, v_values)
    loop
      perform private.gamification_turn_badge(v_badge, person);
      v_changed := true;
    end loop;
    exit when not v_changed;
  end loop;
end;
$$;
comment on function private.gamification_check_badges(uuid, uuid, boolean) is
  'Gives a person the badges whose condition they meet; lost: takes those whose condition they meet no more. The caller holds gamification_lock.';
