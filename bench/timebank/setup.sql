-- A time bank that grows: of its members a hundred are signed in, the others are rows, as are listings,
-- posts, payments and points: what acts leave behind, without the acts, in bearable time.
create schema bench;
grant usage on schema bench to public;

create function bench.person(n bigint) returns uuid language sql immutable
return ('00000000-0000-4000-8000-' || lpad(n::text, 12, '0'))::uuid;

insert into auth.users (id, email)
select bench.person(n), 'member' || n || '@bench.test' from generate_series(1, 100) n;
insert into auth.sessions (id, user_id) select bench.person(n), bench.person(n) from generate_series(1, 100) n;

create table bench.tenant as
select (tenants_create(
  'bench', 'Bench',
  modules => array[
    'wallet', 'listings', 'exchanges', 'groups', 'events', 'feed', 'messaging', 'newsletters', 'gamification', 'abuse'
  ],
  currencies => '[{ "code": "hours", "kind": "time", "highest_balance": 1000000000000 }]'
)).id;
do $$
begin
  execute format(
    'create function bench.tenant_id() returns uuid language sql immutable return %L::uuid',
    (select id from bench.tenant)
  );
end;
$$;
insert into members (tenant_id, person_id, role, status, display_name)
select bench.tenant_id(), bench.person(n), 'member', 'active', 'Member ' || n from generate_series(1, 100) n;

-- Words of unequal frequency: the first come in a tenth of all texts, the last in one of thousands.
create table bench.words as
select n, w from unnest(string_to_array(
  'garden bicycle piano lesson repair dog walk paint fence cook dinner spanish french math homework computer '
  'phone sew curtain knit photo album move furniture drive hospital shop grocery clean window read aloud chess '
  'guitar choir yoga massage haircut translate letter tax form resume website bake bread jam honey seed prune '
  'tree carpenter shelf lamp plumbing tap drain roof ladder drill saw tent canoe ski skate swim run football '
  'babysit story puppet costume theatre poem editing archive history museum map compass sail knot rope', ' '
)) with ordinality w (w, n);
create function bench.word(seed bigint) returns text language sql stable
return (select w from bench.words where n = 1 + floor(83 * power((hashint8(seed)::bigint & 65535) / 65536.0, 3))::int);

create function bench.add_members(first bigint, last bigint) returns void language plpgsql as $$
begin
  insert into people (id, display_name)
  select bench.person(n), 'Member ' || n from generate_series(first, last) n on conflict do nothing;
  insert into members (tenant_id, person_id, role, status, display_name)
  select bench.tenant_id(), bench.person(n), 'member', 'active', 'Member ' || n
  from generate_series(first, last) n on conflict do nothing;
  insert into wallet_ledger_accounts (tenant_id, currency, person_id)
  select bench.tenant_id(), 'hours', bench.person(n) from generate_series(first, last) n
  on conflict do nothing;
end;
$$;

-- Things number first to last belong to members in turn.
create function bench.add_listings(first bigint, last bigint, members bigint) returns void language plpgsql as $$
begin
  create temp table made on commit drop as
  select private.uuid_v7() as id, n, bench.person(1 + n % members) as owner_id,
    now() - interval '1 second' * (5000000 - n) as published_at
  from generate_series(first, last) n;
  insert into listings (
    tenant_id, id, owner_id, kind, status, title, description, tags, minutes, latitude, longitude,
    submitted_at, published_at, expires_at
  )
  select bench.tenant_id(), m.id, m.owner_id, case when n % 3 = 0 then 'request' else 'offer' end, 'active',
    initcap(bench.word(n)) || ' and ' || bench.word(n + 7000000), concat_ws(' ',
      'I can help with', bench.word(n + 1000000), bench.word(n + 2000000), 'or', bench.word(n + 3000000),
      'on most afternoons,', bench.word(n + 4000000), 'included'
    ),
    array[bench.word(n + 5000000)], 60, 51 + (n % 200) / 100.0, -1 + (n % 300) / 100.0,
    m.published_at, m.published_at, now() + interval '20 days' + interval '1 second' * (n % 800000)
  from made m;
  insert into private.listings_index (
    tenant_id, listing_id, owner_id, kind, latitude, longitude, published_at, config, words
  )
  select l.tenant_id, l.id, l.owner_id, l.kind, l.latitude, l.longitude, l.published_at, 'english',
    private.listings_vector(l, 'english')
  from made m join listings l on l.tenant_id = bench.tenant_id() and l.id = m.id;
  insert into listings_counts (tenant_id, listing_id, owner_id) select bench.tenant_id(), id, owner_id from made;
  perform private.listings_learn(
    bench.tenant_id(), to_tsvector('simple', (select string_agg(w, ' ') from bench.words))
  );
end;
$$;

create function bench.add_posts(first bigint, last bigint, members bigint) returns void language plpgsql as $$
begin
  create temp table said on commit drop as
  select private.uuid_v7() as id, n, bench.person(1 + n % members) as author_id from generate_series(first, last) n;
  insert into feed_posts (tenant_id, id, author_id, body)
  select bench.tenant_id(), id, author_id, concat_ws(' ', 'Who has seen my', bench.word(n), 'since yesterday?')
  from said;
  insert into feed_tallies (tenant_id, subject_id, post_id, comments, reactions)
  select bench.tenant_id(), id, id, n % 5, '{"like": 3}' from said where n % 4 = 0;
  insert into private.feed_trends (tenant_id, post_id, score, fresh, scored_at)
  select bench.tenant_id(), id, n % 50, n % 3, now() - interval '1 hour' from said where n % 50 = 0;
end;
$$;

create function bench.add_entries(first bigint, last bigint, members bigint) returns void language plpgsql as $$
begin
  create temp table paid on commit drop as
  select private.uuid_v7() as id, private.uuid_v7() as debit, private.uuid_v7() as credit, n,
    payer.id as payer, payee.id as payee
  from generate_series(first, last, 2) n
  join wallet_ledger_accounts payer
    on payer.tenant_id = bench.tenant_id() and payer.person_id = bench.person(1 + n % members)
  join wallet_ledger_accounts payee
    on payee.tenant_id = bench.tenant_id() and payee.person_id = bench.person(1 + (n + 17) % members);
  insert into wallet_transfers (tenant_id, id, kind, currency, amount, from_account, to_account)
  select bench.tenant_id(), id, 'transfer', 'hours', 1, payer, payee from paid;
  insert into wallet_entries (tenant_id, account_id, id, transfer_id, amount, balance_after)
  select bench.tenant_id(), payer, debit, id, -1, 0 from paid
  union all
  select bench.tenant_id(), payee, credit, id, 1, 0 from paid;
end;
$$;

create function bench.score(members bigint) returns void language plpgsql as $$
begin
  delete from gamification_scores;
  delete from private.gamification_buckets;
  delete from gamification_members;
  insert into gamification_members (tenant_id, person_id, xp)
  select bench.tenant_id(), bench.person(n), n * 7919 % 20000 from generate_series(1, members) n;
  insert into gamification_scores (tenant_id, measure, span, starts_on, person_id, score, shown)
  select g.tenant_id, 'xp', s.span, s.starts_on, g.person_id, g.xp, true
  from gamification_members g
  cross join private.gamification_spans(bench.tenant_id(), private.gamification_today(bench.tenant_id())) s;
  insert into private.gamification_buckets (tenant_id, measure, span, starts_on, bucket, people)
  select s.tenant_id, s.measure, s.span, s.starts_on, private.gamification_bucket(s.score), count(*)
  from gamification_scores s group by 1, 2, 3, 4, 5;
end;
$$;
