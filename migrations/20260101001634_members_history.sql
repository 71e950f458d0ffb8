-- Members, history: when somebody came, left, came back, and as what. It outlives the trail's
-- retention, so that who rejoins is known by what they were.

create table public.members_history (
  tenant_id uuid not null,
  id uuid not null default private.uuid_v7(),
  person_id uuid not null,
  status text not null,
  role text not null,
  admitted_by text,
  actor uuid,
  created_at timestamptz not null default now(),
  primary key (tenant_id, id),
  foreign key (tenant_id, person_id) references public.members (tenant_id, person_id) on delete restrict
);
comment on table public.members_history is
  'Each status and role that a membership had, since when, and who gave it; actor is null where it was nobody.';
create index members_history_person on public.members_history (tenant_id, person_id, id);

create trigger members_history_append_only before update or delete on public.members_history
  for each row execute function private.refuse_change();
create trigger members_history_not_truncated before truncate on public.members_history
  for each statement execute function private.refuse_change();

create function private.members_remember_begun()
returns trigger
language plpgsql
volatile
security definer -- nobody else writes the history
set search_path = ''
as $$
-- @plpgsql_check_options: newtable = begun
declare
  -- Once a statement: many come at once where a tenant is brought in from elsewhere.
  v_actor uuid := private.person();
begin
  insert into public.members_history (tenant_id, person_id, status, role, admitted_by, actor)
  select b.tenant_id, b.person_id, b.status, b.role, b.admitted_by, v_actor from begun b;
  return null;
end;
$$;
comment on function private.members_remember_begun() is 'After memberships began.';

create function private.members_remember_changed()
returns trigger
language plpgsql
volatile
security definer -- nobody else writes the history
set search_path = ''
as $$
begin
  insert into public.members_history (tenant_id, person_id, status, role, admitted_by, actor)
  values (new.tenant_id, new.person_id, new.status, new.role, new.admitted_by, private.person());
  return null;
end;
$$;
comment on function private.members_remember_changed() is 'After a membership changed its status or role.';

create trigger members_remember_begun after insert on public.members
  referencing new table as begun
  for each statement execute function private.members_remember_begun();
create trigger members_remember_changed after update of status, role on public.members
  for each row when ((old.status, old.role) is distinct from (new.status, new.role))
  execute function private.members_remember_changed();

alter table public.members_history enable row level security;
create policy members_history_select_manager on public.members_history
  for select to authenticated
  using (
    tenant_id = any (array(select private.tenants_with('tenants.read')))
    and (
      person_id = (select private.person())
      or tenant_id = any (array(select private.tenants_with('members.manage')))
    )
  );
grant select on public.members_history to authenticated, service_role;
