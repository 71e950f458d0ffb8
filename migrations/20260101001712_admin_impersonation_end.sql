-- Admin, the end of an impersonation: by the admin, by the clock, or because one of the two is no
-- longer who they were.

create function public.admin_impersonation_end(tenant_id uuid, person uuid)
returns integer
language plpgsql
volatile
security definer -- nobody else writes impersonations
set search_path = ''
as $$
#variable_conflict use_column
declare
  v_actor uuid := private.require(admin_impersonation_end.tenant_id, 'admin.impersonate');
  v_open private.admin_impersonations;
  v_count integer := 0;
begin
  for v_open in
    select * from private.admin_impersonations i
    where i.tenant_id = admin_impersonation_end.tenant_id and i.actor_id = v_actor
      and i.person_id = admin_impersonation_end.person and i.ended_at is null
    order by i.id
    for update
  loop
    perform private.admin_end_impersonation(v_open);
    v_count := v_count + 1;
  end loop;
  if v_count = 0 then
    raise sqlstate 'PT404' using message = 'admin.impersonation_not_found';
  end if;
  return v_count;
end;
$$;
comment on function public.admin_impersonation_end(uuid, uuid) is
  'The caller stops acting as the member (permission admin.impersonate). Returns how many sessions that ended. Raises admin.impersonation_not_found.';
grant execute on function public.admin_impersonation_end(uuid, uuid) to authenticated;

create function private.admin_end_impersonations()
returns bigint
language plpgsql
volatile
security definer -- reads auth.sessions
set search_path = ''
as $$
#variable_conflict use_column
declare
  v_over private.admin_impersonations;
  v_count bigint := 0;
begin
  for v_over in
    select * from private.admin_impersonations i
    where i.ended_at is null and (
      i.expires_at <= now()
      or not exists (select from auth.sessions s where s.id = i.actor_session)
    )
    order by i.id limit 500
    for update skip locked
  loop
    perform private.admin_end_impersonation(v_over);
    v_count := v_count + 1;
  end loop;
  -- The trail keeps who acted as whom.
  delete from private.admin_impersonations i where i.ended_at < now() - interval '90 days';
  return v_count;
end;
$$;
comment on function private.admin_end_impersonations() is
  'Ends what ran out, and what the admin who began it signed out of. Returns how many.';
select private.schedule('admin-end-impersonations', '* * * * *', 'select private.admin_end_impersonations()');

create function private.admin_on_member_moved()
returns trigger
language plpgsql
volatile
security definer -- nobody else writes impersonations
set search_path = ''
as $$
begin
  perform private.admin_end_impersonation(i)
  from private.admin_impersonations i
  where i.tenant_id = new.tenant_id and new.person_id in (i.person_id, i.actor_id) and i.ended_at is null;
  return null;
end;
$$;
comment on function private.admin_on_member_moved() is
  'After a change of status or role: whoever it is acts as nobody any more, and nobody as them.';
create trigger admin_on_member_moved after update of status, role on public.members
  for each row when ((old.status, old.role) is distinct from (new.status, new.role))
  execute function private.admin_on_member_moved();

create function private.admin_on_login_closed()
returns trigger
language plpgsql
volatile
security definer -- nobody else writes impersonations
set search_path = ''
as $$
begin
  perform private.admin_end_impersonation(i)
  from private.admin_impersonations i
  where i.ended_at is null and (i.person_id = new.id or i.actor_id = new.id);
  return null;
end;
$$;
comment on function private.admin_on_login_closed() is
  'After a person was banned or deleted: they act as nobody any more, and nobody as them.';
create trigger admin_on_login_closed after update of banned_until, deleted_at on auth.users
  for each row when (
    (old.banned_until, old.deleted_at) is distinct from (new.banned_until, new.deleted_at)
    and (new.banned_until > now() or new.deleted_at is not null)
  )
  execute function private.admin_on_login_closed();

create function private.admin_forget_person()
returns trigger
language plpgsql
volatile
security definer -- nobody else writes decisions and impersonations
set search_path = ''
as $$
begin
  delete from public.admin_decisions d where d.person_id = new.id;
  delete from private.admin_impersonations i where i.person_id = new.id;
  return null;
end;
$$;
comment on function private.admin_forget_person() is
  'After a person was erased: what was decided about them goes, appeals with it, and why somebody acted as them. A ban stays, as their membership''s status.';
create trigger admin_forget_person after update of erased_at on public.people
  for each row when (old.erased_at is null and new.erased_at is not null)
  execute function private.admin_forget_person();

select private.declare_metric(
  'impersonations_open', 'gauge', 'Admins who act as a member at the moment.',
  $$select count(*) as value from private.admin_impersonations i where i.ended_at is null$$
);
