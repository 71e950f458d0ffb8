-- Audit, following: the trail is an outbox, too. What is to become of an act outside its own tables
-- (announcements, notices) need not be a row of its own in the act's transaction: a follower makes it
-- from the lines, a moment later and many at once. Each line comes to each follower once, as soon as it
-- is committed, however long other transactions take.

create table private.audit_followers (
  name text primary key,
  actions text[] not null,
  work text not null check (work ~ '^[a-z_]+$'),
  seen pg_snapshot not null default pg_current_snapshot(),
  cluster bigint not null default private.cluster()
);
comment on table private.audit_followers is
  'Who makes what of which lines: private.<work>(private.audit_log[]) gets those that are committed now and were not when it was last called (seen).';

create unlogged sequence private.audit_woken;

create function private.declare_follower(name text, actions text[], work text)
returns void
language sql
volatile
security invoker
set search_path = ''
as $$
  insert into private.audit_followers (name, actions, work)
  values (declare_follower.name, declare_follower.actions, declare_follower.work);
$$;
comment on function private.declare_follower(text, text[], text) is
  'For migrations: has a function make something of each line with one of these actions. Whoever writes such lines calls private.audit_wake.';

create function private.audit_follow_one(follower private.audit_followers)
returns integer
language plpgsql
volatile
security definer -- nobody else reads the trail
set search_path = ''
set enable_seqscan = off
as $$
#variable_conflict use_column
declare
  v_lines private.audit_log[];
  v_now pg_snapshot;
  -- After a restore transactions are counted anew: what came with the dump is history.
  v_from bigint := case
    when follower.cluster = private.cluster() then pg_snapshot_xmin(follower.seen)::text::bigint
  end;
begin
  -- Lines and snapshot are of one statement, so of one moment.
  select array_agg(l order by l.id), pg_current_snapshot() into v_lines, v_now
  from private.audit_log l
  where l.transaction_id >= v_from
    and not pg_visible_in_snapshot(l.transaction_id::text::xid8, follower.seen)
    and pg_visible_in_snapshot(l.transaction_id::text::xid8, pg_current_snapshot())
    and l.action = any (follower.actions);
  update private.audit_followers f set seen = v_now, cluster = private.cluster()
  where f.name = follower.name;
  if v_lines is not null then
    execute format('select private.%I($1)', follower.work) using v_lines;
  end if;
  return coalesce(cardinality(v_lines), 0);
end;
$$;
comment on function private.audit_follow_one(private.audit_followers) is
  'Hands a follower what was committed since the last time; returns how many lines.';

create function private.audit_follow()
returns integer
language plpgsql
volatile
security definer -- nobody else reads the trail
set search_path = ''
as $$
#variable_conflict use_column
declare
  v_follower private.audit_followers;
  v_lines integer := 0;
begin
  -- Who comes second waits, so that on return all that was committed before is done.
  for v_follower in select * from private.audit_followers f order by f.name for update loop
    v_lines := v_lines + private.audit_follow_one(v_follower);
  end loop;
  return v_lines;
end;
$$;
comment on function private.audit_follow() is 'Has every follower do its work; returns how many lines there were for them.';

create function private.audit_wake()
returns boolean
language plpgsql
volatile
security definer -- writes a job
set search_path = ''
as $$
begin
  -- One job each half second at most: it comes again as long as it finds something. What is committed
  -- later than that waits for the clock.
  if date_part('epoch', clock_timestamp()) * 1000000
      - coalesce(pg_sequence_last_value('private.audit_woken'::regclass), 0) < 500000
    or not pg_try_advisory_xact_lock(hashtext('private.audit_wake'))
  then
    return false;
  end if;
  perform setval('private.audit_woken', (date_part('epoch', clock_timestamp()) * 1000000)::bigint);
  perform private.enqueue('audit.follow', priority => 1::smallint);
  return true;
end;
$$;
comment on function private.audit_wake() is
  'For whoever writes lines that somebody follows: calls the followers once this transaction commits, unless that was done just now.';

create function public.audit_followed()
returns integer
language plpgsql
volatile
security definer -- nobody else reads the trail
set search_path = ''
as $$
declare
  v_lines integer := private.audit_follow();
begin
  if v_lines > 0 then
    perform private.enqueue(
      'audit.follow', dedupe_key => 'again', run_at => clock_timestamp() + interval '0.5 seconds',
      priority => 1::smallint
    );
  end if;
  return v_lines;
end;
$$;
comment on function public.audit_followed() is
  'For the worker: has every follower of the trail do its work, and comes again in half a second where there was any.';
grant execute on function public.audit_followed() to service_role;

select private.schedule('audit-follow', '10 seconds', 'select private.audit_follow()');
