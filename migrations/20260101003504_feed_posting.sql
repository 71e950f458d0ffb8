-- Feed, posting: what a post may hold, and the act itself.

create function private.feed_check_body(tenant_id uuid, body text, bare boolean)
returns void
language plpgsql
stable
security definer -- asks setting
set search_path = ''
as $$
declare
  v_most integer := private.setting(feed_check_body.tenant_id, 'feed', 'max_length', 5000, 1, 20000);
begin
  if coalesce(feed_check_body.body !~ '\S', not coalesce(bare, false)) then
    raise sqlstate 'PT422' using message = 'request.invalid', detail = 'body';
  elsif char_length(feed_check_body.body) > v_most then
    raise sqlstate 'PT422' using message = 'feed.too_long', detail = format('at most %s characters', v_most);
  end if;
end;
$$;
comment on function private.feed_check_body(uuid, text, boolean) is
  'Raises request.invalid where nothing is said, unless there is something else to see (bare); feed.too_long.';

create function private.feed_check_client(client_id text)
returns void
language plpgsql
immutable
security invoker
set search_path = ''
as $$
begin
  if char_length(feed_check_client.client_id) not between 1 and 64 then
    raise sqlstate 'PT422' using message = 'request.invalid', detail = 'client_id: 1 to 64 characters';
  end if;
end;
$$;
comment on function private.feed_check_client(text) is 'Raises request.invalid for what is no id of a client''s own.';

create function private.feed_check_files(tenant_id uuid, files uuid[], person uuid)
returns void
language plpgsql
stable
security definer -- reads files past their policies
set search_path = ''
as $$
#variable_conflict use_column
begin
  if cardinality(feed_check_files.files) > 10 then
    raise sqlstate 'PT422' using message = 'request.invalid', detail = 'files: at most 10';
  elsif cardinality(feed_check_files.files) <> (
    -- Each the author's own, a picture, there, and let go.
    select count(distinct f.id) from public.files f
    where f.tenant_id = feed_check_files.tenant_id and f.id = any (feed_check_files.files)
      and f.person_id = person and f.bucket = 'attachments' and f.status = 'released'
      and f.content_type like 'image/%'
  ) then
    raise sqlstate 'PT404' using
      message = 'files.not_found', detail = 'files: pictures of your own, in attachments, each once';
  end if;
end;
$$;
comment on function private.feed_check_files(uuid, uuid[], uuid) is
  'Raises files.not_found for files that the post cannot show, request.invalid for too many.';

create function private.feed_heard(tenant_id uuid, group_id uuid, author uuid, mentions uuid[])
returns uuid[]
language plpgsql
stable
security definer -- reads members and blocks past their policies
set search_path = ''
as $$
#variable_conflict use_column
begin
  if cardinality(feed_heard.mentions) > 20 then
    raise sqlstate 'PT422' using message = 'request.invalid', detail = 'mentions: at most 20';
  elsif exists (
    select from unnest(feed_heard.mentions) p (id)
    where p.id is null or not private.feed_reads(feed_heard.tenant_id, feed_heard.group_id, p.id)
  ) then
    raise sqlstate 'PT404' using message = 'members.not_found', detail = 'mentions';
  end if;
  return array(
    select distinct p.id from unnest(feed_heard.mentions) p (id)
    where not private.messaging_blocked(feed_heard.tenant_id, author, p.id)
  );
end;
$$;
comment on function private.feed_heard(uuid, uuid, uuid, uuid[]) is
  'Whom a mention calls: without those who blocked the author, or whom they blocked. Raises members.not_found for who does not read there, request.invalid for too many.';

create function private.feed_tags_in(body text)
returns text[]
language sql
immutable
security invoker
set search_path = ''
as $$
  select coalesce(array_agg(found.tag order by found.place), '{}')
  from (
    select lower(t.part[1]) as tag, min(t.place) as place
    from regexp_matches(
      feed_tags_in.body, '(?:^|\s)#([^\s#.,;:!?()\[\]{}"''<>/@&]{2,50})', 'g'
    ) with ordinality t (part, place)
    group by 1 order by 2 limit 10
  ) found;
$$;
comment on function private.feed_tags_in(text) is 'The #tags of a text in lower case, each once, ten at most.';

create function private.feed_poll_of(poll jsonb)
returns public.feed_polls
language plpgsql
stable
security invoker
set search_path = ''
as $$
declare
  v_poll public.feed_polls;
  v_fault text := case
    when jsonb_typeof(poll) <> 'object' then 'poll: an object'
    when jsonb_typeof(poll -> 'options') is distinct from 'array' then 'poll.options'
    when exists (
      select from jsonb_array_elements(poll -> 'options') o
      where jsonb_typeof(o) <> 'string' or char_length(btrim(o #>> '{}')) not between 1 and 100
    ) then 'poll.options: 1 to 100 characters each'
    when coalesce(jsonb_typeof(poll -> 'multiple'), 'boolean') <> 'boolean' then 'poll.multiple'
    when coalesce(jsonb_typeof(poll -> 'anonymous'), 'boolean') <> 'boolean' then 'poll.anonymous'
    when coalesce(jsonb_typeof(poll -> 'closes_at'), 'null') <> 'null'
      and not pg_input_is_valid(poll ->> 'closes_at', 'timestamptz') then 'poll.closes_at'
  end;
begin
  if v_fault is null then
    v_poll.options := array(
      select btrim(o.label) from jsonb_array_elements_text(poll -> 'options') with ordinality o (label, place)
      order by o.place
    );
    v_poll.multiple := coalesce((poll -> 'multiple')::boolean, false);
    v_poll.anonymous := coalesce((poll -> 'anonymous')::boolean, false);
    v_poll.closes_at := (poll ->> 'closes_at')::timestamptz;
    v_fault := case
      when cardinality(v_poll.options) not between 2 and 10 then 'poll.options: 2 to 10'
      when (select count(distinct o.label) from unnest(v_poll.options) o (label)) < cardinality(v_poll.options)
        then 'poll.options: each once'
      when v_poll.closes_at <= now() or v_poll.closes_at > now() + interval '1 year'
        then 'poll.closes_at: within a year'
    end;
  end if;
  if v_fault is not null then
    raise sqlstate 'PT422' using message = 'request.invalid', detail = v_fault;
  end if;
  return v_poll;
end;
$$;
comment on function private.feed_poll_of(jsonb) is
  'A poll as a client describes it: { options, multiple, anonymous, closes_at }. Raises request.invalid.';

create function private.feed_require_place(tenant_id uuid, group_id uuid, person uuid)
returns void
language plpgsql
stable
security definer -- reads groups past their policies
set search_path = ''
as $$
#variable_conflict use_column
begin
  if feed_require_place.group_id is null then
    return;
  elsif not private.groups_reads(feed_require_place.tenant_id, feed_require_place.group_id, person) then
    raise sqlstate 'PT404' using message = 'groups.not_found';
  elsif private.groups_role(feed_require_place.tenant_id, feed_require_place.group_id, person) is null then
    raise sqlstate 'PT403' using message = 'feed.not_in_group';
  end if;
  perform private.groups_require_open(g) from public.groups g
  where g.tenant_id = feed_require_place.tenant_id and g.id = feed_require_place.group_id;
end;
$$;
comment on function private.feed_require_place(uuid, uuid, uuid) is
  'Raises groups.not_found where the person does not read there, feed.not_in_group where they only read, groups.closed.';

create function private.feed_signal(tenant_id uuid, group_id uuid, event text, payload jsonb)
returns void
language plpgsql
volatile
security definer -- clients may not write realtime.messages
set search_path = ''
as $$
begin
  perform realtime.send(
    feed_signal.payload || jsonb_build_object('tenant_id', feed_signal.tenant_id, 'group_id', feed_signal.group_id),
    feed_signal.event,
    case when feed_signal.group_id is null then 'private-tenant-' || feed_signal.tenant_id
      else 'private-group-' || feed_signal.group_id end,
    true
  );
end;
$$;
comment on function private.feed_signal(uuid, uuid, text, jsonb) is
  'Says on the channel of the tenant or the group that something happened: ids alone, never what was said or by whom.';
