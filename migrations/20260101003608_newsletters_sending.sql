-- Newsletters, sending: from the draft to the last mail. A newsletter is worked on in steps, each a
-- transaction of its own: begin, find readers in bounded lists, hand over a hundred mails at a time.

create function private.newsletters_note(newsletter public.newsletters, person uuid default null)
returns void
language plpgsql
volatile
security definer -- nobody else writes the trail
set search_path = ''
as $$
begin
  perform private.audit(
    'NEWSLETTER_MOVED', 'newsletters:' || newsletter.id, null,
    jsonb_build_object('status', newsletter.status), newsletter.tenant_id, person
  );
end;
$$;
comment on function private.newsletters_note(public.newsletters, uuid) is 'That a newsletter came into another state.';

create function private.newsletters_enqueue(tenant_id uuid, newsletter_id uuid, at timestamptz default null)
returns uuid
language plpgsql
volatile
security definer -- nobody else writes the outbox
set search_path = ''
as $$
begin
  return private.enqueue(
    'newsletters.send', jsonb_build_object('newsletter', newsletters_enqueue.newsletter_id),
    newsletters_enqueue.tenant_id, 'newsletters:' || newsletters_enqueue.newsletter_id,
    'newsletters.send:' || newsletters_enqueue.newsletter_id, newsletters_enqueue.at, -1::smallint
  );
end;
$$;
comment on function private.newsletters_enqueue(uuid, uuid, timestamptz) is
  'Has the worker go on with a newsletter, behind what people wait for.';

create function public.newsletters_schedule(
  tenant_id uuid, newsletter_id uuid, at timestamptz default null, local_time text default null
)
returns public.newsletters
language plpgsql
volatile
security definer -- clients may not write newsletters
set search_path = ''
as $$
#variable_conflict use_column
declare
  v_me uuid := private.require(newsletters_schedule.tenant_id, 'newsletters.send');
  v_newsletter public.newsletters :=
    private.newsletters_lock(newsletters_schedule.tenant_id, newsletters_schedule.newsletter_id);
  v_local timestamp;
  v_at timestamptz := coalesce(newsletters_schedule.at, now());
begin
  if newsletters_schedule.local_time is not null then
    if not pg_input_is_valid(newsletters_schedule.local_time, 'timestamp') or newsletters_schedule.at is not null
      or cardinality(v_newsletter.subjects) > 0
    then
      raise sqlstate 'PT422' using
        message = 'request.invalid', detail = 'local_time: a time without a zone, without at and other subjects';
    end if;
    v_local := newsletters_schedule.local_time::timestamp;
    -- Where the day begins first.
    v_at := greatest(v_local at time zone 'Pacific/Kiritimati', now());
  end if;
  if v_at < now() - interval '1 minute' or v_at > now() + interval '1 year'
    or v_local at time zone 'Etc/GMT+12' < now()
  then
    raise sqlstate 'PT422' using message = 'request.invalid', detail = 'at, local_time: within a year from now';
  end if;
  update public.newsletters n set status = 'scheduled', send_at = v_at, local_time = v_local
  where n.tenant_id = v_newsletter.tenant_id and n.id = v_newsletter.id
  returning * into v_newsletter;
  perform private.newsletters_note(v_newsletter, v_me);
  if v_at <= now() then
    perform private.newsletters_enqueue(v_newsletter.tenant_id, v_newsletter.id);
  end if;
  return v_newsletter;
end;
$$;
comment on function public.newsletters_schedule(uuid, uuid, timestamptz, text) is
  'Has a draft sent: now, at a time, or at a local_time (2026-07-01T09:00) on the clocks of each reader (permission newsletters.send). Raises newsletters.not_found, request.transition_refused, request.invalid.';
grant execute on function public.newsletters_schedule(uuid, uuid, timestamptz, text) to authenticated;

create function private.newsletters_links(content jsonb)
returns text[]
language plpgsql
immutable
security invoker
set search_path = ''
as $$
begin
  return array(
    select distinct l.link from (
      select b.block ->> 'link' as link from jsonb_array_elements(content -> 'blocks') b (block)
      union all
      select found.parts[1]
      from (
        select jsonb_path_query(content, '$.blocks[*].text') union all
        select jsonb_path_query(content, '$.blocks[*].items[*]')
      ) t (written)
      cross join lateral regexp_matches(t.written #>> '{}', '\]\((https://[^\s"<>)]+)\)', 'g') found (parts)
    ) l
    where l.link is not null order by l.link limit 200
  );
end;
$$;
comment on function private.newsletters_links(jsonb) is 'Where the links of a document lead, each once.';

create function private.newsletters_begin(newsletter public.newsletters)
returns void
language plpgsql
volatile
security definer -- nobody else writes newsletters
set search_path = ''
as $$
#variable_conflict use_column
declare
  v_subject text;
  v_place integer := 0;
  v_id uuid;
  v_newsletter public.newsletters;
begin
  foreach v_subject in array (newsletter.content ->> 'subject') || newsletter.subjects loop
    insert into public.newsletters_variants (tenant_id, newsletter_id, place, subject, links)
    values (
      newsletter.tenant_id, newsletter.id, v_place, v_subject, private.newsletters_links(newsletter.content)
    )
    returning id into v_id;
    perform private.notify_document(
      newsletter.tenant_id, v_id, 'newsletters.issue',
      newsletter.content || jsonb_build_object('subject', v_subject)
    );
    v_place := v_place + 1;
  end loop;
  update public.newsletters n
  set status = 'sending', started_at = now(), winner_id = case when v_place = 1 then v_id end
  where n.tenant_id = newsletter.tenant_id and n.id = newsletter.id
  returning * into v_newsletter;
  perform private.newsletters_note(v_newsletter);
end;
$$;
comment on function private.newsletters_begin(public.newsletters) is
  'The words stand from now on: a document for each subject, and the newsletter is being sent.';

create function private.newsletters_enlist(newsletter public.newsletters)
returns integer
language plpgsql
volatile
security definer -- nobody else writes recipients
set search_path = ''
as $$
#variable_conflict use_column
declare
  v_criteria jsonb := coalesce(
    (
      select s.criteria from public.newsletters_segments s
      where s.tenant_id = newsletter.tenant_id and s.id = newsletter.segment_id
    ),
    '[]'
  );
  v_variants uuid[] := array(
    select v.id from public.newsletters_variants v
    where v.tenant_id = newsletter.tenant_id and v.newsletter_id = newsletter.id order by v.place
  );
  v_people uuid[] := array(
    select private.newsletters_readers(newsletter.tenant_id, v_criteria, newsletter.enlisted_to, 5000)
  );
begin
  insert into private.newsletters_recipients (tenant_id, newsletter_id, person_id, variant_id, due_at)
  select newsletter.tenant_id, newsletter.id, found.id,
    case
      when cardinality(v_variants) = 1 then v_variants[1]
      -- The same people whenever it is asked, and others in the next issue.
      when abs(hashtext(newsletter.id::text || found.id::text)::bigint) % 100 < newsletter.test_share
        then v_variants[1 + abs(hashtext(found.id::text || newsletter.id::text)::bigint) % cardinality(v_variants)]
    end,
    coalesce(newsletter.local_time at time zone coalesce(p.time_zone, t.time_zone), newsletter.send_at)
  from unnest(v_people) found (id)
  join public.people p on p.id = found.id
  join public.tenants t on t.id = newsletter.tenant_id
  on conflict do nothing;
  update public.newsletters n
  set enlisted_to = v_people[cardinality(v_people)], enlisted = cardinality(v_people) < 5000
  where n.tenant_id = newsletter.tenant_id and n.id = newsletter.id;
  return greatest(cardinality(v_people), 1);
end;
$$;
comment on function private.newsletters_enlist(public.newsletters) is
  'Notes the next 5,000 readers with their time and, of the test group, their subject.';

create function private.newsletters_decide(newsletter public.newsletters)
returns uuid
language plpgsql
volatile
security definer -- nobody else writes newsletters
set search_path = ''
as $$
#variable_conflict use_column
declare
  v_winner uuid;
begin
  if newsletter.started_at + make_interval(hours => newsletter.test_hours) > now() then
    return null;
  end if;
  perform private.newsletters_fold();
  -- By opens where readers let them be noted, else by clicks; the written one where nothing speaks for another.
  select v.id into v_winner
  from public.newsletters_variants v
  where v.tenant_id = newsletter.tenant_id and v.newsletter_id = newsletter.id
  order by v.opened::numeric / greatest(v.sent, 1) desc, v.clicked::numeric / greatest(v.sent, 1) desc, v.place
  limit 1;
  update public.newsletters n set winner_id = v_winner
  where n.tenant_id = newsletter.tenant_id and n.id = newsletter.id;
  return v_winner;
end;
$$;
comment on function private.newsletters_decide(public.newsletters) is
  'The subject for all who were not in the test, once its time is over; null before.';
