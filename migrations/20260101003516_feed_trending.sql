-- Feed, trending: each hour what came in it is added to what is left of the hours before, of which half
-- is gone after twelve. Only posts that people took part in of late have a row, so the work does not
-- grow with the feed.

create function private.feed_score_trends()
returns bigint
language plpgsql
volatile
security definer -- nobody else writes the trends
set search_path = ''
as $$
#variable_conflict use_column
declare
  v_now timestamptz := clock_timestamp();
  v_count bigint;
begin
  -- What faded is gone, but for what has just come in.
  delete from private.feed_trends t
  where (t.tenant_id, t.post_id) in (
    select f.tenant_id, f.post_id from private.feed_trends f
    where f.scored_at < v_now - interval '1 minute' and f.fresh <= 0
      and f.score * power(0.5, extract(epoch from v_now - f.scored_at) / 43200) < 0.5
    limit 20000
  );
  update private.feed_trends t
  set fresh = 0, scored_at = v_now,
    score = greatest(
      t.score * power(0.5, extract(epoch from v_now - t.scored_at) / 43200) + t.fresh, 0
    )
  where (t.tenant_id, t.post_id) in (
    select f.tenant_id, f.post_id from private.feed_trends f
    where f.scored_at < v_now - interval '1 minute' or f.fresh <> 0
    -- A bounded batch, those first that waited longest; the elapsed time is in the sum, so a run that
    -- came late or did not reach a row changes no score.
    order by f.scored_at limit 20000
    for no key update skip locked
  );
  get diagnostics v_count = row_count;
  return v_count;
end;
$$;
comment on function private.feed_score_trends() is
  'Scores anew what people took part in of late, 20,000 posts a run at most. Returns how many.';

select private.schedule('feed-trending', '0 * * * *', 'select private.feed_score_trends()');

create function public.feed_trending(tenant_id uuid, page_size integer default 20)
returns setof public.feed_entry
language plpgsql
stable
security definer -- nobody else reads the trends
set search_path = ''
as $$
#variable_conflict use_column
declare
  v_me uuid := private.require(feed_trending.tenant_id, 'feed.read');
  v_unheard uuid[] := array(select private.feed_unheard(feed_trending.tenant_id, v_me));
  v_mine uuid[] := array(select private.groups_mine());
  v_ids uuid[];
begin
  perform private.check_page(page_size);
  v_ids := array(
    select p.id
    from (
      -- Bounded also for whoever sees little of what trends.
      select t.post_id, t.score from private.feed_trends t
      where t.tenant_id = feed_trending.tenant_id and t.score > 0
      order by t.score desc, t.post_id desc limit 1000
    ) hot
    join public.feed_posts p on p.tenant_id = feed_trending.tenant_id and p.id = hot.post_id
    where p.deleted_at is null and p.author_id <> all (v_unheard)
      and (
        p.group_id is null or p.group_id = any (v_mine)
        or private.groups_reads(p.tenant_id, p.group_id, v_me)
      )
    order by hot.score desc, p.id desc limit page_size
  );
  return query select * from private.feed_entries(feed_trending.tenant_id, v_ids, v_me);
end;
$$;
comment on function public.feed_trending(uuid, integer) is
  'What members take part in most these days, as of the last hour, of what the caller sees (permission feed.read). page_size: 1 to 100. Raises request.invalid.';
grant execute on function public.feed_trending(uuid, integer) to authenticated;
