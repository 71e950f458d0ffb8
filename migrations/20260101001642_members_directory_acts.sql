-- Members, directory, acts: the tenant's fields, one's own values, and the list of everybody.

create function public.members_field_save(
  tenant_id uuid, slug text, label text, kind text default 'text', visibility text default 'everyone',
  place smallint default 0
)
returns public.members_fields
language plpgsql
volatile
security definer -- nobody else writes fields
set search_path = ''
as $$
#variable_conflict use_column
declare
  v_field public.members_fields;
begin
  perform private.require(members_field_save.tenant_id, 'tenants.update');
  if (
    select count(*) from public.members_fields f
    where f.tenant_id = members_field_save.tenant_id and f.slug <> members_field_save.slug
  ) >= 50 then
    raise sqlstate 'PT422' using message = 'request.invalid', detail = 'at most 50 fields';
  end if;
  insert into public.members_fields (tenant_id, slug, label, kind, visibility, place)
  values (
    members_field_save.tenant_id, members_field_save.slug, btrim(members_field_save.label),
    members_field_save.kind, members_field_save.visibility, members_field_save.place
  )
  -- The kind stays: what people wrote under it is of that kind.
  on conflict (tenant_id, slug) do update
    set label = excluded.label, visibility = excluded.visibility, place = excluded.place
  returning * into v_field;
  perform private.audit(
    'TENANT_UPDATED', 'members_fields:' || v_field.slug, null, to_jsonb(v_field), v_field.tenant_id
  );
  return v_field;
exception when check_violation or not_null_violation then
  raise sqlstate 'PT422' using message = 'request.invalid', detail = 'slug, label, kind, visibility or place';
end;
$$;
comment on function public.members_field_save(uuid, text, text, text, text, smallint) is
  'Makes a field of the directory, or changes its label, place and first visibility (permission tenants.update). kind: text, url, email, phone or date. Raises request.invalid.';
grant execute on function public.members_field_save(uuid, text, text, text, text, smallint) to authenticated;

create function public.members_field_delete(tenant_id uuid, slug text)
returns public.members_fields
language plpgsql
volatile
security definer -- nobody else writes fields
set search_path = ''
as $$
#variable_conflict use_column
declare
  v_field public.members_fields;
begin
  perform private.require(members_field_delete.tenant_id, 'tenants.update');
  delete from public.members_fields f
  where f.tenant_id = members_field_delete.tenant_id and f.slug = members_field_delete.slug
  returning * into v_field;
  if not found then
    raise sqlstate 'PT404' using
      message = 'members.field_not_found', detail = coalesce(members_field_delete.slug, 'null');
  end if;
  perform private.audit(
    'TENANT_UPDATED', 'members_fields:' || v_field.slug, to_jsonb(v_field), null, v_field.tenant_id
  );
  return v_field;
end;
$$;
comment on function public.members_field_delete(uuid, text) is
  'Removes a field with all that people wrote under it (permission tenants.update). Raises members.field_not_found.';
grant execute on function public.members_field_delete(uuid, text) to authenticated;

create function private.members_value_fault(kind text, value text, visibility text)
returns text
language sql
immutable
security invoker
set search_path = ''
as $$
  select case
    when members_value_fault.value is null or char_length(btrim(members_value_fault.value)) not between 1 and 1000
      then 'value'
    when members_value_fault.visibility not in ('everyone', 'staff', 'nobody') then 'visibility'
    when not case members_value_fault.kind
      when 'url' then members_value_fault.value ~ '^https?://[^[:space:]]+$'
      when 'email' then members_value_fault.value ~ '^[^@[:space:]]+@[^@[:space:]]+\.[^@[:space:]]+$'
      when 'phone' then members_value_fault.value ~ '^\+?[0-9][0-9 ()./-]{3,30}$'
      when 'date' then members_value_fault.value ~ '^\d{4}-\d\d-\d\d$' and pg_input_is_valid(members_value_fault.value, 'date')
      else true
    end then members_value_fault.kind
  end;
$$;
comment on function private.members_value_fault(text, text, text) is
  'What is wrong with a value of this kind; null when nothing.';

create function public.members_tell(tenant_id uuid, changes jsonb)
returns setof public.members_values
language plpgsql
volatile
security definer -- nobody else writes values
set search_path = ''
as $$
#variable_conflict use_column
declare
  v_person uuid := private.require(members_tell.tenant_id, 'tenants.read');
  v_change record;
  v_field public.members_fields;
  v_fault text;
begin
  if jsonb_typeof(changes) is distinct from 'object' then
    raise sqlstate 'PT422' using message = 'request.invalid', detail = 'changes: an object is wanted';
  end if;
  for v_change in select c.key, c.value from jsonb_each(changes) c loop
    select * into v_field from public.members_fields f
    where f.tenant_id = members_tell.tenant_id and f.slug = v_change.key
    for key share;
    if not found then
      raise sqlstate 'PT404' using message = 'members.field_not_found', detail = left(v_change.key, 40);
    elsif jsonb_typeof(v_change.value) = 'null' then
      delete from public.members_values v
      where v.tenant_id = members_tell.tenant_id and v.person_id = v_person and v.field = v_change.key;
      continue;
    end if;
    v_fault := private.members_value_fault(
      v_field.kind, v_change.value ->> 'value',
      coalesce(v_change.value ->> 'visibility', v_field.visibility)
    );
    if v_fault is not null then
      raise sqlstate 'PT422' using message = 'request.invalid', detail = format('%s: %s', v_field.slug, v_fault);
    end if;
    insert into public.members_values (tenant_id, person_id, field, value, visibility)
    values (
      members_tell.tenant_id, v_person, v_field.slug, btrim(v_change.value ->> 'value'),
      coalesce(v_change.value ->> 'visibility', v_field.visibility)
    )
    on conflict (tenant_id, person_id, field) do update
      set value = excluded.value, visibility = excluded.visibility, updated_at = now();
  end loop;
  return query
    select v.* from public.members_values v
    where v.tenant_id = members_tell.tenant_id and v.person_id = v_person order by v.field;
end;
$$;
comment on function public.members_tell(uuid, jsonb) is
  'The caller tells about themselves: { field: { value, visibility } }, null takes a field back; all that they tell then. visibility: everyone, staff, nobody; the field''s own where none is given. Raises members.field_not_found, request.invalid.';
grant execute on function public.members_tell(uuid, jsonb) to authenticated;

-- Everybody
create function private.members_require_reader(tenant_id uuid)
returns uuid
language plpgsql
stable
security definer -- asks require
set search_path = ''
as $$
begin
  return private.require(members_require_reader.tenant_id, 'members.read');
end;
$$;
comment on function private.members_require_reader(uuid) is
  'The caller, if they see other members; for the directory, which reads with the caller''s own rights.';
grant execute on function private.members_require_reader(uuid) to authenticated;

create type public.members_entry as (
  person_id uuid,
  display_name text,
  avatar_url text,
  role text,
  told jsonb,
  cursor text
);
comment on type public.members_entry is
  'A member as the caller may see them; told: the values they may see, by field. cursor continues after this line.';

create function public.members_directory(
  tenant_id uuid, search text default null, role text default null, cursor text default null,
  page_size int default 50
)
returns setof public.members_entry
language plpgsql
stable
security invoker
set search_path = ''
as $$
#variable_conflict use_column
declare
  -- As its caller: row level security says who is seen, and what of them.
  v_after jsonb := jsonb '["", "00000000-0000-0000-0000-000000000000"]';
  v_like text := '%' || regexp_replace(btrim(members_directory.search), '([\\%_])', '\\\1', 'g') || '%';
begin
  perform private.members_require_reader(members_directory.tenant_id);
  if page_size is null or page_size not between 1 and 100 then
    raise sqlstate 'PT422' using message = 'request.invalid', detail = 'page_size: 1 to 100';
  elsif members_directory.cursor is not null then
    if not pg_input_is_valid(members_directory.cursor, 'jsonb')
      or not pg_input_is_valid(coalesce(members_directory.cursor::jsonb ->> 1, ''), 'uuid')
    then
      raise sqlstate 'PT422' using message = 'request.invalid', detail = 'cursor';
    end if;
    v_after := members_directory.cursor::jsonb;
  end if;
  return query
    select m.person_id, m.display_name, m.avatar_url, m.role,
      coalesce(
        (
          select jsonb_object_agg(v.field, v.value) from public.members_values v
          where v.tenant_id = m.tenant_id and v.person_id = m.person_id
        ),
        '{}'
      ),
      jsonb_build_array(lower(m.display_name), m.person_id)::text
    from public.members m
    where m.tenant_id = members_directory.tenant_id and m.status = 'active'
      and m.person_id <> all (array(select private.messaging_apart(members_directory.tenant_id)))
      and (lower(m.display_name), m.person_id) > (v_after ->> 0, (v_after ->> 1)::uuid)
      and (members_directory.role is null or members_directory.role = any (string_to_array(m.role, '+') || m.role))
      and (
        v_like is null or m.display_name ilike v_like or exists (
          select from public.members_values v
          where v.tenant_id = m.tenant_id and v.person_id = m.person_id and v.value ilike v_like
        )
      )
    order by lower(m.display_name), m.person_id
    limit page_size;
end;
$$;
comment on function public.members_directory(uuid, text, text, text, int) is
  'The active members by name, as the caller may see them (permission members.read): search looks into names and into what they tell the caller, role also finds who has it among several. Of two of whom one blocked the other neither finds the other. Raises request.invalid.';
grant execute on function public.members_directory(uuid, text, text, text, int) to authenticated;
