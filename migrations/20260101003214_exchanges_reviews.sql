-- Exchanges, reviews: once a completed exchange each side rates the other, who may answer once. What
-- somebody is rated on average is kept beside, so that asking costs the same whatever is there.

select private.declare_notification(kind)
from unnest(array['exchanges.reviewed', 'exchanges.replied']) kind;

create table public.exchanges_reviews (
  tenant_id uuid not null,
  id uuid not null default private.uuid_v7(),
  exchange_id uuid not null,
  reviewer_id uuid not null,
  reviewee_id uuid not null check (reviewee_id <> reviewer_id),
  rating smallint not null check (rating between 1 and 5),
  body text check (char_length(body) between 1 and 2000),
  reply text check (char_length(reply) between 1 and 2000),
  replied_at timestamptz,
  removed_at timestamptz,
  created_at timestamptz not null default now(),
  updated_at timestamptz not null default now(),
  primary key (tenant_id, id),
  unique (tenant_id, exchange_id, reviewer_id, reviewee_id),
  foreign key (tenant_id, exchange_id) references public.exchanges (tenant_id, id) on delete cascade,
  foreign key (tenant_id, reviewer_id) references public.members (tenant_id, person_id) on delete restrict,
  foreign key (tenant_id, reviewee_id) references public.members (tenant_id, person_id) on delete restrict
);
comment on table public.exchanges_reviews is
  'How members were rated after an exchange, for all members to read. The texts are null once they were removed or who wrote them erased.';
comment on column public.exchanges_reviews.replied_at is 'Set for good: a reply is given once.';
comment on column public.exchanges_reviews.removed_at is 'Since when a moderator keeps it from members; it counts no longer.';
create index exchanges_reviews_reviewee on public.exchanges_reviews (tenant_id, reviewee_id, id);
create index exchanges_reviews_reviewer on public.exchanges_reviews (tenant_id, reviewer_id);
create trigger exchanges_reviews_touch before update on public.exchanges_reviews
  for each row execute function private.touch();

create table public.exchanges_ratings (
  tenant_id uuid not null,
  person_id uuid not null,
  reviews integer not null default 0 check (reviews >= 0),
  stars integer not null default 0 check (stars >= 0),
  average numeric(3, 2) generated always as (round(stars::numeric / nullif(reviews, 0), 2)) stored,
  primary key (tenant_id, person_id),
  foreign key (tenant_id, person_id) references public.members (tenant_id, person_id) on delete restrict
);
comment on table public.exchanges_ratings is 'How many reviews a member has, and their average; no row: none yet.';

create function private.exchanges_count_review()
returns trigger
language plpgsql
volatile
security definer -- nobody else writes ratings
set search_path = ''
as $$
declare
  v_sign integer := case when new.removed_at is null then 1 else -1 end;
begin
  insert into public.exchanges_ratings as r (tenant_id, person_id, reviews, stars)
  values (new.tenant_id, new.reviewee_id, 1, new.rating)
  on conflict (tenant_id, person_id)
    do update set reviews = r.reviews + v_sign, stars = r.stars + v_sign * new.rating;
  return null;
end;
$$;
comment on function private.exchanges_count_review() is 'After a review was given, removed or restored: counts it, or no longer.';
create trigger exchanges_reviews_count after insert on public.exchanges_reviews
  for each row execute function private.exchanges_count_review();
create trigger exchanges_reviews_recount after update of removed_at on public.exchanges_reviews
  for each row when ((new.removed_at is null) <> (old.removed_at is null))
  execute function private.exchanges_count_review();

alter table public.exchanges_reviews enable row level security;
create policy exchanges_reviews_select_member on public.exchanges_reviews
  for select to authenticated
  using (
    tenant_id = any (array(select private.tenants_with('exchanges.read')))
    and (removed_at is null or tenant_id = any (array(select private.tenants_with('moderation.review'))))
  );
alter table public.exchanges_ratings enable row level security;
create policy exchanges_ratings_select_member on public.exchanges_ratings
  for select to authenticated
  using (tenant_id = any (array(select private.tenants_with('exchanges.read'))));
grant select on public.exchanges_reviews, public.exchanges_ratings to authenticated, service_role;

create function private.exchanges_check_review(rating integer, body text)
returns void
language plpgsql
immutable
security invoker
set search_path = ''
as $$
begin
  if rating is null or rating not between 1 and 5 then
    raise sqlstate 'PT422' using message = 'request.invalid', detail = 'rating: 1 to 5';
  elsif char_length(btrim(body)) > 2000 then
    raise sqlstate 'PT422' using message = 'request.invalid', detail = 'body: at most 2000 characters';
  end if;
end;
$$;
comment on function private.exchanges_check_review(integer, text) is 'Raises request.invalid.';

create function private.exchanges_reviewee(exchange public.exchanges, reviewer uuid, person uuid)
returns uuid
language plpgsql
stable
security definer -- reads parts past their policies
set search_path = ''
as $$
#variable_conflict use_column
declare
  v_others uuid[] := array(
    select other.person_id
    from public.exchanges_parts mine
    join public.exchanges_parts other
      on other.tenant_id = mine.tenant_id and other.exchange_id = mine.exchange_id and other.side <> mine.side
    where mine.tenant_id = exchange.tenant_id and mine.exchange_id = exchange.id
      and mine.person_id = reviewer
  );
begin
  if exchanges_reviewee.person is null and cardinality(v_others) = 1 then
    return v_others[1];
  elsif exchanges_reviewee.person is null or exchanges_reviewee.person <> all (v_others) then
    raise sqlstate 'PT422' using message = 'request.invalid', detail = 'person: of the other side';
  end if;
  return exchanges_reviewee.person;
end;
$$;
comment on function private.exchanges_reviewee(public.exchanges, uuid, uuid) is
  'Who is rated: the only one of the other side, or the one named. Raises request.invalid.';

create function public.exchanges_review(
  tenant_id uuid, exchange_id uuid, rating integer, body text default null, person uuid default null
)
returns public.exchanges_reviews
language plpgsql
volatile
security definer -- clients may not write reviews
set search_path = ''
as $$
#variable_conflict use_column
declare
  v_me uuid := private.require(exchanges_review.tenant_id, 'exchanges.take_part');
  v_exchange public.exchanges := private.exchanges_lock(exchanges_review.tenant_id, exchanges_review.exchange_id, v_me);
  v_review public.exchanges_reviews;
begin
  perform private.exchanges_check_review(exchanges_review.rating, exchanges_review.body);
  perform private.exchanges_require_status(v_exchange, array['completed']);
  if v_exchange.completed_at < now() - make_interval(
    days => private.setting(v_exchange.tenant_id, 'exchanges', 'review_days', 30, 1, 365)
  ) then
    raise sqlstate 'PT409' using message = 'exchanges.review_over';
  end if;
  insert into public.exchanges_reviews (tenant_id, exchange_id, reviewer_id, reviewee_id, rating, body)
  values (
    v_exchange.tenant_id, v_exchange.id, v_me,
    private.exchanges_reviewee(v_exchange, v_me, exchanges_review.person),
    exchanges_review.rating, nullif(btrim(exchanges_review.body), '')
  )
  on conflict (tenant_id, exchange_id, reviewer_id, reviewee_id) do nothing
  returning * into v_review;
  if not found then
    raise sqlstate 'PT409' using message = 'exchanges.already_reviewed';
  end if;
  perform private.audit(
    'EXCHANGE_REVIEWED', 'exchanges_reviews:' || v_review.id, null, jsonb_build_object('rating', v_review.rating),
    v_review.tenant_id, v_me
  );
  perform private.exchanges_tell(
    v_exchange, 'exchanges.reviewed', array[v_review.reviewee_id], v_me,
    jsonb_build_object('review_id', v_review.id, 'rating', v_review.rating::text)
  );
  return v_review;
end;
$$;
comment on function public.exchanges_review(uuid, uuid, integer, text, uuid) is
  'Rates the other side of a completed exchange, 1 to 5, once and within 30 days or as the tenant says; in a group, the person named (permission exchanges.take_part). Raises exchanges.not_found, exchanges.already_reviewed, exchanges.review_over, request.transition_refused, request.invalid.';
grant execute on function public.exchanges_review(uuid, uuid, integer, text, uuid) to authenticated;

create function public.exchanges_reply(tenant_id uuid, review_id uuid, body text)
returns public.exchanges_reviews
language plpgsql
volatile
security definer -- clients may not write reviews
set search_path = ''
as $$
#variable_conflict use_column
declare
  v_me uuid := private.require(exchanges_reply.tenant_id, 'exchanges.take_part');
  v_review public.exchanges_reviews;
  v_exchange public.exchanges;
begin
  if coalesce(char_length(btrim(exchanges_reply.body)), 0) not between 1 and 2000 then
    raise sqlstate 'PT422' using message = 'request.invalid', detail = 'body: 1 to 2000 characters';
  end if;
  update public.exchanges_reviews r set reply = btrim(exchanges_reply.body), replied_at = now()
  where r.tenant_id = exchanges_reply.tenant_id and r.id = exchanges_reply.review_id
    and r.reviewee_id = v_me and r.removed_at is null and r.replied_at is null
  returning * into v_review;
  if not found then
    perform from public.exchanges_reviews r
    where r.tenant_id = exchanges_reply.tenant_id and r.id = exchanges_reply.review_id
      and r.reviewee_id = v_me and r.removed_at is null;
    if found then
      raise sqlstate 'PT409' using message = 'exchanges.already_replied';
    end if;
    raise sqlstate 'PT404' using message = 'exchanges.review_not_found';
  end if;
  select * into v_exchange from public.exchanges e
  where e.tenant_id = v_review.tenant_id and e.id = v_review.exchange_id;
  perform private.exchanges_tell(
    v_exchange, 'exchanges.replied', array[v_review.reviewer_id], v_me, jsonb_build_object('review_id', v_review.id)
  );
  return v_review;
end;
$$;
comment on function public.exchanges_reply(uuid, uuid, text) is
  'Answers a review about the caller, once (permission exchanges.take_part). Raises exchanges.review_not_found, exchanges.already_replied, request.invalid.';
grant execute on function public.exchanges_reply(uuid, uuid, text) to authenticated;
