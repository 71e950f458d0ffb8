-- Groups, life: what becomes of groups when somebody leaves the tenant or is erased.

create function private.groups_on_member_gone()
returns trigger
language plpgsql
volatile
security definer -- nobody else writes members of groups
set search_path = ''
as $$
#variable_conflict use_column
declare
  v_group public.groups;
begin
  for v_group in
    select g.* from public.groups g
    join public.groups_members m on m.tenant_id = g.tenant_id and m.group_id = g.id
    where m.tenant_id = new.tenant_id and m.person_id = new.person_id
      and m.status in ('active', 'requested', 'invited')
    order by g.id
    for no key update of g
  loop
    perform private.groups_exit(v_group, new.person_id, 'left');
  end loop;
  return null;
end;
$$;
comment on function private.groups_on_member_gone() is
  'After a member left or was banned: they are in no group any more. Who was banned from a group stays so if they come back.';

create trigger groups_on_member_gone after update of status on public.members
  for each row when (new.status in ('left', 'banned') and old.status is distinct from new.status)
  execute function private.groups_on_member_gone();

create function private.groups_on_person_erased()
returns trigger
language plpgsql
volatile
security definer -- nobody else writes posts
set search_path = ''
as $$
#variable_conflict use_column
declare
  v_tenants uuid[] := array(select m.tenant_id from public.members m where m.person_id = new.id);
begin
  -- Their memberships end with those in the tenants; their files go by their own rule.
  update public.groups_posts p
  set title = null, body = null, client_id = null, deleted_at = coalesce(p.deleted_at, now()), version = p.version + 1
  where p.tenant_id = any (v_tenants) and p.author_id = new.id;
  update public.groups_members m set note = null
  where m.tenant_id = any (v_tenants) and m.person_id = new.id and m.note is not null;
  delete from public.groups_files f where f.tenant_id = any (v_tenants) and f.added_by = new.id;
  delete from private.groups_digests d where d.tenant_id = any (v_tenants) and d.person_id = new.id;
  return null;
end;
$$;
comment on function private.groups_on_person_erased() is
  'After a person is erased: what they wrote and shared in groups goes; what others replied stays.';

create trigger groups_on_person_erased after update of erased_at on public.people
  for each row when (old.erased_at is null and new.erased_at is not null)
  execute function private.groups_on_person_erased();
create index groups_files_added_by on public.groups_files (tenant_id, added_by);

select private.declare_metric(
  'groups_posts_total', 'counter', 'Threads, announcements and replies in groups, deleted ones included.',
  $$select pg_stat_get_tuples_inserted('public.groups_posts'::regclass) as value$$
);
