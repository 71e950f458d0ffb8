-- Groups, digests: on Monday at nine where the tenant lives, each member hears in one mail what is new
-- in their groups and takes place there this week: each thing in one digest, and nothing that is over.

select private.declare_notification('groups.digest', inbox => null, push => null);

create table private.groups_digests (
  tenant_id uuid not null,
  person_id uuid not null,
  until timestamptz not null,
  primary key (tenant_id, person_id),
  foreign key (tenant_id, person_id) references public.members (tenant_id, person_id) on delete restrict
);
comment on table private.groups_digests is 'Up to when a person has been told what is new: the next digest begins there.';

create function private.groups_digest_wanted(tenant_id uuid, person uuid, group_id uuid)
returns boolean
language plpgsql
stable
security definer -- reads what people chose
set search_path = ''
as $$
#variable_conflict use_column
begin
  return exists (
    select from private.notifications_kinds k
    cross join lateral private.notifications_channels(
      k, groups_digest_wanted.tenant_id, groups_digest_wanted.person, coalesce(groups_digest_wanted.group_id::text, '')
    ) c
    where k.kind = 'groups.digest' and c.channel = 'email' and c.setting <> 'off'
  );
end;
$$;
comment on function private.groups_digest_wanted(uuid, uuid, uuid) is
  'Whether a person wants digests of this group; of any, where none is given.';

create function private.groups_digest_items(tenant_id uuid, person uuid, since timestamptz, until timestamptz)
returns jsonb
language plpgsql
stable
security definer -- reads posts past their policies
set search_path = ''
as $$
#variable_conflict use_column
begin
  return coalesce(
    (
      select jsonb_agg(
        jsonb_build_object(
          'template', 'groups.announced', 'count', n.count,
          'data', private.groups_notice(n.grp) || jsonb_build_object('title', n.title)
        ) order by n.newest desc
      )
      from (
        select g as grp, count(*) as count, max(p.created_at) as newest,
          (array_agg(p.title order by p.kind, p.id desc))[1] as title
        from public.groups_members m
        join public.groups g on g.tenant_id = m.tenant_id and g.id = m.group_id and g.status = 'active'
        join public.groups_posts p on p.tenant_id = g.tenant_id and p.group_id = g.id and p.thread_id is null
        where m.tenant_id = groups_digest_items.tenant_id and m.person_id = groups_digest_items.person
          and m.status = 'active' and p.deleted_at is null and p.author_id <> groups_digest_items.person
          and p.created_at > groups_digest_items.since and p.created_at <= groups_digest_items.until
          and not private.messaging_blocked(p.tenant_id, m.person_id, p.author_id)
          and private.groups_digest_wanted(m.tenant_id, m.person_id, m.group_id)
        group by g
        order by newest desc
        limit 20
      ) n
    ),
    '[]'
  );
end;
$$;
comment on function private.groups_digest_items(uuid, uuid, timestamptz, timestamptz) is
  'What is new in a person''s groups, a line for each of them, the liveliest twenty.';

create function private.groups_send_digest(tenant_id uuid, person uuid, due_at timestamptz)
returns boolean
language plpgsql
volatile
security definer -- nobody else writes digests
set search_path = ''
as $$
#variable_conflict use_column
declare
  v_until timestamptz := least(groups_send_digest.due_at, now());
  v_since timestamptz;
  v_items jsonb;
begin
  -- Its row is locked till the end: the same job again, or two at once, find it told.
  insert into private.groups_digests (tenant_id, person_id, until)
  values (groups_send_digest.tenant_id, groups_send_digest.person, v_until - interval '7 days')
  on conflict do nothing;
  select greatest(d.until, v_until - interval '14 days') into v_since from private.groups_digests d
  where d.tenant_id = groups_send_digest.tenant_id and d.person_id = groups_send_digest.person
  for no key update;
  if v_since >= v_until or not private.groups_digest_wanted(groups_send_digest.tenant_id, groups_send_digest.person, null) then
    return false;
  end if;
  v_items := private.groups_digest_items(groups_send_digest.tenant_id, groups_send_digest.person, v_since, v_until)
    || private.events_digest_items(groups_send_digest.tenant_id, groups_send_digest.person, v_until);
  update private.groups_digests d set until = v_until
  where d.tenant_id = groups_send_digest.tenant_id and d.person_id = groups_send_digest.person;
  if v_items = '[]' then
    return false;
  end if;
  perform private.notify(
    groups_send_digest.person, 'groups.digest',
    jsonb_build_object('items', v_items, 'about', 'groups:' || v_until),
    groups_send_digest.tenant_id, groups_send_digest.due_at + interval '2 days'
  );
  return true;
end;
$$;
comment on function private.groups_send_digest(uuid, uuid, timestamptz) is
  'Has a person told what is new since their last digest; false where nothing is, or they want none.';

create function public.groups_send_digests(tenant_id uuid, due_at timestamptz, after uuid default null)
returns uuid
language plpgsql
volatile
security definer -- reads members past their policies
set search_path = ''
as $$
#variable_conflict use_column
declare
  v_people uuid[] := array(
    select distinct m.person_id from public.groups_members m
    where m.tenant_id = groups_send_digests.tenant_id and m.status = 'active'
      and m.person_id > coalesce(groups_send_digests.after, uuid '00000000-0000-0000-0000-000000000000')
    order by m.person_id
    limit 100
  );
  v_person uuid;
begin
  foreach v_person in array v_people loop
    if private.may(groups_send_digests.tenant_id, v_person, 'groups.read') then
      perform private.groups_send_digest(groups_send_digests.tenant_id, v_person, groups_send_digests.due_at);
    end if;
  end loop;
  return v_people[100];
end;
$$;
comment on function public.groups_send_digests(uuid, timestamptz, uuid) is
  'For the worker: the digests of a hundred members. Answers with the last of them while there may be more, to be given as after.';
grant execute on function public.groups_send_digests(uuid, timestamptz, uuid) to service_role;

select private.schedule_local('groups-digests', '0 9 * * mon', 'groups.digest');
