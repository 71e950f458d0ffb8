-- Members, directory: what members tell about themselves in a tenant, field by field, and to whom. A
-- value is a row, so that row level security decides about each.

create table public.members_fields (
  tenant_id uuid not null references public.tenants (id) on delete restrict,
  slug text not null check (slug ~ '^[a-z][a-z0-9_]{1,30}$'),
  label text not null check (char_length(btrim(label)) between 1 and 60),
  kind text not null check (kind in ('text', 'url', 'email', 'phone', 'date')),
  visibility text not null check (visibility in ('everyone', 'staff', 'nobody')),
  place smallint not null default 0,
  primary key (tenant_id, slug)
);
comment on table public.members_fields is 'What members of a tenant may tell about themselves.';
comment on column public.members_fields.visibility is 'Of a value whose owner says nothing else.';

create table public.members_values (
  tenant_id uuid not null,
  person_id uuid not null,
  field text not null,
  value text not null check (char_length(btrim(value)) between 1 and 1000),
  visibility text not null check (visibility in ('everyone', 'staff', 'nobody')),
  updated_at timestamptz not null default now(),
  primary key (tenant_id, person_id, field),
  foreign key (tenant_id, person_id) references public.members (tenant_id, person_id) on delete cascade,
  foreign key (tenant_id, field) references public.members_fields (tenant_id, slug) on delete cascade
);
comment on table public.members_values is
  'What a member tells, and to whom: everyone who sees the member, staff (members.details), or nobody but themselves.';
create index members_values_field on public.members_values (tenant_id, field);
create index members_by_name on public.members (tenant_id, lower(display_name), person_id);

select private.declare_permission(
  'members.details', 'See what members tell to staff alone', array['admin', 'staff']
);

create table private.members_first_fields (
  slug text primary key,
  label text not null,
  kind text not null,
  visibility text not null,
  place smallint not null
);
comment on table private.members_first_fields is 'The fields every tenant starts with.';
insert into private.members_first_fields (slug, label, kind, visibility, place)
values
  ('about', 'About me', 'text', 'everyone', 1), ('place', 'Where I live', 'text', 'everyone', 2),
  ('website', 'Website', 'url', 'everyone', 3), ('email', 'Email', 'email', 'nobody', 4),
  ('phone', 'Phone', 'phone', 'nobody', 5);

create function private.members_fields_on_tenant_created()
returns trigger
language plpgsql
volatile
security definer -- writes fields for whoever may make a tenant
set search_path = ''
as $$
begin
  insert into public.members_fields (tenant_id, slug, label, kind, visibility, place)
  select new.id, f.slug, f.label, f.kind, f.visibility, f.place from private.members_first_fields f;
  return null;
end;
$$;
comment on function private.members_fields_on_tenant_created() is 'After insert on tenants: the first fields.';
create trigger members_fields_on_tenant_created after insert on public.tenants
  for each row execute function private.members_fields_on_tenant_created();

-- Row level security
alter table public.members_fields enable row level security;
create policy members_fields_select_member on public.members_fields
  for select to authenticated
  using (tenant_id = any (array(select private.tenants_with('tenants.read'))));

alter table public.members_values enable row level security;
create policy members_values_select_reader on public.members_values
  for select to authenticated
  using (
    tenant_id = any (array(select private.tenants_with('tenants.read')))
    and (
      person_id = (select private.person())
      or (
        (
          (visibility = 'everyone' and tenant_id = any (array(select private.tenants_with('members.read'))))
          or (visibility = 'staff' and tenant_id = any (array(select private.tenants_with('members.details'))))
        )
        -- Who does not see the member sees nothing of them: this read is under their own policy.
        and exists (
          select from public.members m
          where m.tenant_id = members_values.tenant_id and m.person_id = members_values.person_id
        )
      )
    )
  );
grant select on public.members_fields, public.members_values to authenticated, service_role;

-- What goes with them
create function private.members_forget_values()
returns trigger
language plpgsql
volatile
security definer -- nobody else writes values
set search_path = ''
as $$
begin
  delete from public.members_values v where v.tenant_id = new.tenant_id and v.person_id = new.person_id;
  return null;
end;
$$;
comment on function private.members_forget_values() is
  'After somebody left: what they told about themselves goes. Being banned or suspended only hides it.';
create trigger members_forget_values after update of status on public.members
  for each row when (new.status = 'left' and old.status <> 'left')
  execute function private.members_forget_values();

create function private.members_erase_values()
returns trigger
language plpgsql
volatile
security definer -- nobody else writes values
set search_path = ''
as $$
begin
  delete from public.members_values v where v.person_id = new.id;
  return null;
end;
$$;
comment on function private.members_erase_values() is
  'After somebody was erased: what they told about themselves goes, in every tenant.';
create trigger members_values_erased after update of erased_at on public.people
  for each row when (new.erased_at is not null and old.erased_at is null)
  execute function private.members_erase_values();
