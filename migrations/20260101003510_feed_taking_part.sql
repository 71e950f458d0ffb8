-- Feed, taking part: reacting, voting, and who is told of what.

-- Reactions
create function public.feed_react(
  tenant_id uuid, post_id uuid, kind text, comment_id uuid default null, reacted boolean default true
)
returns public.feed_tallies
language plpgsql
volatile
security definer -- clients may not write reactions
set search_path = ''
as $$
#variable_conflict use_column
declare
  v_me uuid := private.require(feed_react.tenant_id, 'feed.post');
  v_post public.feed_posts := private.feed_require_post(feed_react.tenant_id, feed_react.post_id, v_me);
  v_subject uuid := coalesce(feed_react.comment_id, v_post.id);
  v_change integer;
  v_tally public.feed_tallies;
begin
  if feed_react.kind is null or feed_react.kind not in ('like', 'love', 'laugh', 'wow', 'sad', 'thanks') then
    raise sqlstate 'PT422' using
      message = 'request.invalid', detail = 'kind: like, love, laugh, wow, sad or thanks';
  elsif feed_react.comment_id is not null then
    perform private.feed_require_comment(v_post, feed_react.comment_id, v_me);
  end if;
  perform private.require_rate('feed-react:' || v_post.tenant_id || ':' || v_me, 120, interval '1 minute');
  if coalesce(feed_react.reacted, true) then
    insert into public.feed_reactions (tenant_id, subject_id, kind, person_id, post_id)
    values (v_post.tenant_id, v_subject, feed_react.kind, v_me, v_post.id)
    on conflict do nothing;
    v_change := found::integer;
  else
    delete from public.feed_reactions r
    where r.tenant_id = v_post.tenant_id and r.subject_id = v_subject and r.kind = feed_react.kind
      and r.person_id = v_me;
    v_change := -found::integer;
  end if;
  -- A reaction that was there already, or was not, changes no sum.
  v_tally := private.feed_count(v_post.tenant_id, v_post.id, v_subject, 0, feed_react.kind, v_change);
  if v_change <> 0 then
    perform private.feed_warm(v_post, v_me, v_change);
    perform private.feed_signal(
      v_post.tenant_id, v_post.group_id, 'feed:reacted',
      jsonb_build_object('post_id', v_post.id, 'comment_id', feed_react.comment_id)
    );
  end if;
  return v_tally;
end;
$$;
comment on function public.feed_react(uuid, uuid, text, uuid, boolean) is
  'Reacts to a post, or a comment on it, or takes that back: like, love, laugh, wow, sad, thanks, each once (permission feed.post). Answers what there is of each. Raises feed.post_not_found, feed.comment_not_found, limits.exceeded, request.invalid.';
grant execute on function public.feed_react(uuid, uuid, text, uuid, boolean) to authenticated;

-- Polls
create type public.feed_poll_state as (
  post_id uuid,
  options text[],
  multiple boolean,
  anonymous boolean,
  closes_at timestamptz,
  closed boolean,
  voted boolean,
  choices integer[],
  voters integer,
  votes integer[]
);
comment on type public.feed_poll_state is
  'A poll as one person sees it: votes (for each option) and voters are null until they voted or it is closed; choices are their own, from 1, and null where the poll is anonymous.';

create function private.feed_poll_seen(tenant_id uuid, post_id uuid, person uuid)
returns public.feed_poll_state
language plpgsql
stable
security definer -- nobody else reads the results
set search_path = ''
as $$
#variable_conflict use_column
declare
  v_state public.feed_poll_state;
begin
  select p.post_id, p.options, p.multiple, p.anonymous, p.closes_at,
    coalesce(p.closes_at <= now(), false), v.person_id is not null, v.choices,
    case when v.person_id is not null or p.closes_at <= now() then r.voters end,
    case when v.person_id is not null or p.closes_at <= now() then r.votes end
  into v_state
  from public.feed_polls p
  join private.feed_results r on r.tenant_id = p.tenant_id and r.post_id = p.post_id
  left join public.feed_votes v
    on v.tenant_id = p.tenant_id and v.post_id = p.post_id and v.person_id = feed_poll_seen.person
  where p.tenant_id = feed_poll_seen.tenant_id and p.post_id = feed_poll_seen.post_id;
  return v_state;
end;
$$;
comment on function private.feed_poll_seen(uuid, uuid, uuid) is 'The poll of a post as the person sees it; null where it has none.';

create function public.feed_poll(tenant_id uuid, post_id uuid)
returns public.feed_poll_state
language plpgsql
stable
security definer -- nobody else reads the results
set search_path = ''
as $$
declare
  v_me uuid := private.require(feed_poll.tenant_id, 'feed.read');
  v_post public.feed_posts := private.feed_require_post(feed_poll.tenant_id, feed_poll.post_id, v_me);
  v_state public.feed_poll_state := private.feed_poll_seen(v_post.tenant_id, v_post.id, v_me);
begin
  if v_state.post_id is null then
    raise sqlstate 'PT404' using message = 'feed.poll_not_found';
  end if;
  return v_state;
end;
$$;
comment on function public.feed_poll(uuid, uuid) is
  'The poll of a post as the caller sees it (permission feed.read). Raises feed.post_not_found, feed.poll_not_found.';
grant execute on function public.feed_poll(uuid, uuid) to authenticated;

create function private.feed_check_choices(poll public.feed_polls, choices integer[])
returns void
language plpgsql
immutable
security invoker
set search_path = ''
as $$
begin
  if coalesce(cardinality(feed_check_choices.choices), 0) = 0
    or not poll.multiple and cardinality(feed_check_choices.choices) > 1
    or cardinality(feed_check_choices.choices) <> (
      select count(distinct c.place) from unnest(feed_check_choices.choices) c (place)
      where c.place between 1 and cardinality(poll.options)
    )
  then
    raise sqlstate 'PT422' using message = 'request.invalid', detail = 'choices: places of options, from 1';
  end if;
end;
$$;
comment on function private.feed_check_choices(public.feed_polls, integer[]) is
  'Raises request.invalid for a vote that the poll does not offer.';

create function public.feed_vote(tenant_id uuid, post_id uuid, choices integer[])
returns public.feed_poll_state
language plpgsql
volatile
security definer -- clients may not write votes
set search_path = ''
as $$
#variable_conflict use_column
declare
  v_me uuid := private.require(feed_vote.tenant_id, 'feed.post');
  v_post public.feed_posts := private.feed_require_post(feed_vote.tenant_id, feed_vote.post_id, v_me);
  v_poll public.feed_polls;
begin
  select p.* into v_poll from public.feed_polls p
  join private.feed_results r on r.tenant_id = p.tenant_id and r.post_id = p.post_id
  where p.tenant_id = v_post.tenant_id and p.post_id = v_post.id
  for update of r;
  if not found then
    raise sqlstate 'PT404' using message = 'feed.poll_not_found';
  elsif v_poll.closes_at <= clock_timestamp() then
    raise sqlstate 'PT409' using message = 'feed.poll_closed';
  end if;
  perform private.feed_check_choices(v_poll, feed_vote.choices);
  insert into public.feed_votes (tenant_id, post_id, person_id, choices)
  values (
    v_post.tenant_id, v_post.id, v_me, case when not v_poll.anonymous then feed_vote.choices end
  )
  on conflict do nothing;
  if not found then
    raise sqlstate 'PT409' using message = 'feed.already_voted';
  end if;
  update private.feed_results r
  set voters = r.voters + 1, votes = array(
    select n.votes + (n.place = any (feed_vote.choices))::integer
    from unnest(r.votes) with ordinality n (votes, place) order by n.place
  )
  where r.tenant_id = v_post.tenant_id and r.post_id = v_post.id;
  perform private.feed_warm(v_post, v_me, 1);
  perform private.feed_signal(
    v_post.tenant_id, v_post.group_id, 'feed:voted', jsonb_build_object('post_id', v_post.id)
  );
  return private.feed_poll_seen(v_post.tenant_id, v_post.id, v_me);
end;
$$;
comment on function public.feed_vote(uuid, uuid, integer[]) is
  'Votes once and for good: places of the options, from 1 (permission feed.post). Answers the results. Raises feed.post_not_found, feed.poll_not_found, feed.poll_closed, feed.already_voted, request.invalid.';
grant execute on function public.feed_vote(uuid, uuid, integer[]) to authenticated;

-- Telling people
create function private.feed_notice_outdated(event private.notifications_events)
returns boolean
language plpgsql
stable
security definer -- reads posts past their policies
set search_path = ''
as $$
#variable_conflict use_column
declare
  v_comment uuid := (event.payload ->> 'comment_id')::uuid;
begin
  return (
    private.feed_post_for(event.tenant_id, (event.payload ->> 'post_id')::uuid, event.person_id)
  ).id is null or exists (
    select from public.feed_comments c
    where c.tenant_id = event.tenant_id and c.id = v_comment and c.deleted_at is not null
  );
end;
$$;
comment on function private.feed_notice_outdated(private.notifications_events) is
  'Whether the post or the comment was deleted since, or the person does not see it any more.';

select private.declare_notification(
  'feed.' || kind, email => 'daily', group_key => 'post_id', outdated => 'feed_notice_outdated'
)
from unnest(array['mentioned', 'answered', 'commented']) kind;

create function private.feed_tell(
  post public.feed_posts, comment_id uuid, people uuid[], kind text, actor uuid default null,
  without uuid[] default '{}'
)
returns void
language plpgsql
volatile
security definer -- nobody else writes events
set search_path = ''
as $$
#variable_conflict use_column
declare
  v_actor uuid := coalesce(feed_tell.actor, post.author_id);
begin
  if cardinality(feed_tell.people) = 0 then
    return;
  end if;
  perform private.notify_all(
    array(
      select p.id from unnest(feed_tell.people) p (id)
      where p.id <> v_actor and not coalesce(p.id = any (feed_tell.without), false)
        and (private.feed_post_for(post.tenant_id, post.id, p.id)).id is not null
        and not private.messaging_blocked(post.tenant_id, v_actor, p.id)
    ),
    feed_tell.kind,
    jsonb_strip_nulls(jsonb_build_object(
      'post_id', post.id, 'comment_id', feed_tell.comment_id, 'scope', post.group_id,
      'about', coalesce('feed_comments:' || feed_tell.comment_id, 'feed_posts:' || post.id),
      'name', (
        select m.display_name from public.members m
        where m.tenant_id = post.tenant_id and m.person_id = v_actor
      ),
      'link', (
        select rtrim(t.app_url, '/') || '/feed/' || post.id from public.tenants t where t.id = post.tenant_id
      )
    )),
    post.tenant_id
  );
end;
$$;
comment on function private.feed_tell(public.feed_posts, uuid, uuid[], text, uuid, uuid[]) is
  'Tells people who see the post that somebody mentioned them, answered or commented: who it was, never what they said.';
