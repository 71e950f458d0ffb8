-- Safeguarding, life: what time ends, who is reminded of it, and what becomes of it all when somebody
-- leaves or is erased.

create function private.safeguarding_end_guardianships(page_size integer)
returns integer
language plpgsql
volatile
security definer -- nobody else writes guardianships
set search_path = ''
as $$
#variable_conflict use_column
declare
  v_row public.safeguarding_guardianships;
  v_count integer := 0;
begin
  for v_row in
    update public.safeguarding_guardianships g set status = 'expired'
    where (g.tenant_id, g.id) in (
      select d.tenant_id, d.id from public.safeguarding_guardianships d
      where d.status in ('proposed', 'active') and d.expires_at <= now()
      order by d.expires_at limit page_size
    )
    returning g.*
  loop
    perform private.safeguarding_watch_person(v_row.tenant_id, v_row.ward_id);
    perform private.safeguarding_changed(
      v_row, null, array[v_row.ward_id, v_row.supporter_id], 'safeguarding.ended'
    );
    v_count := v_count + 1;
  end loop;
  return v_count;
end;
$$;
comment on function private.safeguarding_end_guardianships(integer) is 'Ends guardianships whose time is over.';

create function private.safeguarding_end_vettings(page_size integer)
returns integer
language plpgsql
volatile
security definer -- nobody else writes vettings
set search_path = ''
as $$
#variable_conflict use_column
declare
  v_row public.safeguarding_vettings;
  v_count integer := 0;
begin
  for v_row in
    update public.safeguarding_vettings v
    set reminded = true, status = case when v.expires_at <= now() then 'expired' else v.status end
    where (v.tenant_id, v.id) in (
      select d.tenant_id, d.id from public.safeguarding_vettings d
      where d.status = 'valid' and (
        d.expires_at <= now() or (d.expires_at <= now() + interval '30 days' and not d.reminded)
      )
      order by d.expires_at limit page_size
    )
    returning v.*
  loop
    -- Whoever manages hears of what ran out, too: a role may hang on it.
    perform private.notify_all(
      case v_row.status when 'expired'
        then private.members_with(v_row.tenant_id, 'safeguarding.manage') || v_row.person_id
        else array[v_row.person_id] end,
      case v_row.status when 'expired' then 'safeguarding.vetting_expired' else 'safeguarding.vetting_expires' end,
      jsonb_build_object(
        'type', v_row.type, 'person_id', v_row.person_id, 'about', 'safeguarding_vettings:' || v_row.id
      ),
      v_row.tenant_id
    );
    v_count := v_count + 1;
  end loop;
  return v_count;
end;
$$;
comment on function private.safeguarding_end_vettings(integer) is
  'Reminds of vettings thirty days before they run out, and ends those that have.';

create function private.safeguarding_end_restrictions(page_size integer)
returns integer
language plpgsql
volatile
security definer -- nobody else writes restrictions
set search_path = ''
as $$
#variable_conflict use_column
declare
  v_row public.safeguarding_restrictions;
  v_count integer := 0;
begin
  for v_row in
    update public.safeguarding_restrictions r set lifted_at = now()
    where (r.tenant_id, r.id) in (
      select d.tenant_id, d.id from public.safeguarding_restrictions d
      where d.lifted_at is null and d.until <= now() order by d.until limit page_size
    )
    returning r.*
  loop
    if v_row.what = 'copies' then
      perform private.safeguarding_watch_person(v_row.tenant_id, v_row.person_id);
    end if;
    v_count := v_count + 1;
  end loop;
  return v_count;
end;
$$;
comment on function private.safeguarding_end_restrictions(integer) is 'Lifts restrictions whose time is over.';

create function private.safeguarding_tell_copies(page_size integer)
returns integer
language plpgsql
volatile
security definer -- nobody else writes watches
set search_path = ''
as $$
#variable_conflict use_column
declare
  v_watch public.safeguarding_watches;
  v_count integer := 0;
begin
  for v_watch in
    update public.safeguarding_watches w set told_seq = c.last_seq
    from public.messaging_conversations c
    where c.tenant_id = w.tenant_id and c.id = w.conversation_id and (w.tenant_id, w.id) in (
      select o.tenant_id, o.id from public.safeguarding_watches o
      join public.messaging_conversations x on x.tenant_id = o.tenant_id and x.id = o.conversation_id
      where o.to_seq is null and x.last_seq > o.told_seq and x.last_message_at > now() - interval '1 day'
      limit page_size
    )
    returning w.*
  loop
    perform private.notify_all(
      case v_watch.kind
        when 'broker' then private.members_with(v_watch.tenant_id, 'safeguarding.broker')
        else array(
          select g.supporter_id from public.safeguarding_guardianships g
          where g.tenant_id = v_watch.tenant_id and g.ward_id = v_watch.ward_id and g.status = 'active'
            and 'copies_of_messages' = any (g.rights)
        )
      end,
      'safeguarding.copied', jsonb_build_object('conversation_id', v_watch.conversation_id), v_watch.tenant_id
    );
    v_count := v_count + 1;
  end loop;
  return v_count;
end;
$$;
comment on function private.safeguarding_tell_copies(integer) is
  'Tells supporters and brokers, once an hour a conversation, that something was said where they get copies.';

create function private.safeguarding_due()
returns bigint
language plpgsql
volatile
security definer -- nobody else writes what runs out
set search_path = ''
as $$
#variable_conflict use_column
begin
  -- Conversations that were there before the tenant's rule show it from the next hour on. Only those that
  -- want a watch are taken, so that each one taken makes room for the next.
  perform private.safeguarding_watch(c.tenant_id, c.id)
  from (
    select x.tenant_id, x.id from public.safeguarding_copy_rules r
    join public.tenants t on t.id = r.tenant_id and 'safeguarding' = any (t.modules)
    cross join lateral (
      select c.* from public.messaging_conversations c
      where c.tenant_id = r.tenant_id and c.last_message_at > now() - interval '2 hours' and not exists (
        select from public.safeguarding_watches w
        where w.tenant_id = c.tenant_id and w.conversation_id = c.id and w.kind = 'broker' and w.to_seq is null
      ) and (r.scope = 'all' or exists (
        select from public.messaging_states s
        join public.members m on m.tenant_id = s.tenant_id and m.person_id = s.person_id
        where s.tenant_id = c.tenant_id and s.conversation_id = c.id
          and m.created_at > now() - make_interval(days => r.days)
      ))
      order by c.last_message_at, c.id
      limit 200
    ) x
    where r.scope in ('all', 'new_members')
    order by x.last_message_at
    limit 1000
  ) c;
  return private.safeguarding_end_guardianships(200) + private.safeguarding_end_vettings(200)
    + private.safeguarding_end_restrictions(200) + private.safeguarding_tell_copies(200);
end;
$$;
comment on function private.safeguarding_due() is
  'Every hour: ends what is over, reminds, and tells of copies, a bounded part each. Returns how much.';
select private.schedule('safeguarding-due', '19 * * * *', 'select private.safeguarding_due()');

create function private.safeguarding_on_member_gone()
returns trigger
language plpgsql
volatile
security definer -- whoever changes the membership may not write guardianships
set search_path = ''
as $$
#variable_conflict use_column
declare
  v_row public.safeguarding_guardianships;
begin
  for v_row in
    update public.safeguarding_guardianships g set status = 'ended'
    where g.tenant_id = new.tenant_id and new.person_id in (g.ward_id, g.supporter_id)
      and g.status in ('proposed', 'active')
    returning g.*
  loop
    perform private.safeguarding_watch_person(v_row.tenant_id, v_row.ward_id);
    perform private.safeguarding_changed(
      v_row, null, array_remove(array[v_row.ward_id, v_row.supporter_id], new.person_id), 'safeguarding.ended'
    );
  end loop;
  return null;
end;
$$;
comment on function private.safeguarding_on_member_gone() is
  'After a member left or was banned: they support nobody any more, and nobody them.';
create trigger safeguarding_on_member_gone after update of status on public.members
  for each row when (new.status in ('left', 'banned') and old.status is distinct from new.status)
  execute function private.safeguarding_on_member_gone();

create function private.safeguarding_on_person_erased()
returns trigger
language plpgsql
volatile
security definer -- people may not write restrictions
set search_path = ''
as $$
#variable_conflict use_column
begin
  update public.safeguarding_restrictions r set reason = null
  where r.person_id = new.id
    and r.tenant_id = any (array(select m.tenant_id from public.members m where m.person_id = new.id));
  return null;
end;
$$;
comment on function private.safeguarding_on_person_erased() is
  'After a person is erased: what was written about them goes; that there was something stays, without a name.';
create trigger safeguarding_on_person_erased after update of erased_at on public.people
  for each row when (old.erased_at is null and new.erased_at is not null)
  execute function private.safeguarding_on_person_erased();
