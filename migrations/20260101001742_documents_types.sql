-- Documents, types: admins say what is wanted and by what rules. A type is switched off, never
-- deleted: what was checked names it.

create function private.documents_type_fault(changes jsonb)
returns text
language sql
immutable
security invoker
set search_path = ''
as $$
  select case
    when jsonb_typeof(changes) is distinct from 'object' then 'changes: an object is wanted'
    else (
      select key
      from jsonb_each(changes) given(key, value)
      where not coalesce(
        case
          when key = 'name' then
            jsonb_typeof(value) = 'string' and char_length(btrim(value #>> '{}')) between 1 and 80
          when key = 'description' then
            jsonb_typeof(value) = 'null'
            or jsonb_typeof(value) = 'string' and char_length(value #>> '{}') between 1 and 1000
          when key in ('active', 'required', 'two_person', 'keep_file', 'badge') then jsonb_typeof(value) = 'boolean'
          when key = 'max_submissions' then value #>> '{}' ~ '^([1-9]|10)$' and jsonb_typeof(value) = 'number'
          when key = 'valid_days' then
            jsonb_typeof(value) = 'null'
            or jsonb_typeof(value) = 'number' and value #>> '{}' ~ '^[1-9][0-9]{0,3}$'
          when key = 'must_match' then
            jsonb_typeof(value) = 'array' and value <@ '["name", "birth_date"]' and jsonb_array_length(value) <= 2
          when key = 'remind_days' and jsonb_typeof(value) = 'array' then
            jsonb_array_length(value) <= 5 and not exists (
              select from jsonb_array_elements(value) day
              where jsonb_typeof(day) <> 'number' or day #>> '{}' !~ '^[1-9][0-9]{0,2}$'
            )
        end,
        false
      )
      order by key
      limit 1
    )
  end;
$$;
comment on function private.documents_type_fault(jsonb) is
  'The first key of the changes that is unknown or has a bad value; null when all are good.';

create function private.documents_values_of(list jsonb)
returns text[]
language sql
immutable
security invoker
set search_path = ''
as $$
  select array(select jsonb_array_elements_text(list));
$$;
comment on function private.documents_values_of(jsonb) is 'A JSON list as an array of text.';

create function public.documents_type_save(tenant_id uuid, slug text, changes jsonb)
returns public.documents_types
language plpgsql
volatile
security definer -- nobody else writes the types
set search_path = ''
as $$
#variable_conflict use_column
declare
  v_actor uuid := private.require(documents_type_save.tenant_id, 'documents.manage');
  v_fault text := private.documents_type_fault(changes);
  v_before public.documents_types;
  v_type public.documents_types;
begin
  if coalesce(documents_type_save.slug !~ '^[a-z][a-z0-9_]{1,30}$', true) then
    v_fault := 'slug';
  end if;
  if v_fault is not null then
    raise sqlstate 'PT422' using message = 'request.invalid', detail = v_fault;
  end if;
  insert into public.documents_types (tenant_id, slug, name)
  values (documents_type_save.tenant_id, documents_type_save.slug, documents_type_save.slug)
  on conflict do nothing;
  select * into v_before from public.documents_types t
  where t.tenant_id = documents_type_save.tenant_id and t.slug = documents_type_save.slug
  for no key update;

  if coalesce((changes -> 'badge')::boolean, v_before.badge)
    and coalesce(changes -> 'must_match', to_jsonb(v_before.must_match)) = '[]'
  then
    raise sqlstate 'PT422' using
      message = 'request.invalid', detail = 'badge: must_match has to name something';
  end if;
  update public.documents_types t
  set name = coalesce(btrim(changes ->> 'name'), t.name),
    description = case when changes ? 'description' then changes ->> 'description' else t.description end,
    active = coalesce((changes -> 'active')::boolean, t.active),
    required = coalesce((changes -> 'required')::boolean, t.required),
    two_person = coalesce((changes -> 'two_person')::boolean, t.two_person),
    keep_file = coalesce((changes -> 'keep_file')::boolean, t.keep_file),
    badge = coalesce((changes -> 'badge')::boolean, t.badge),
    max_submissions = coalesce((changes -> 'max_submissions')::smallint, t.max_submissions),
    valid_days = case
      when changes ? 'valid_days' then (changes ->> 'valid_days')::integer else t.valid_days
    end,
    must_match = case
      when changes ? 'must_match' then private.documents_values_of(changes -> 'must_match') else t.must_match
    end,
    remind_days = case
      when changes ? 'remind_days' then private.documents_values_of(changes -> 'remind_days')::integer[]
      else t.remind_days
    end
  where t.tenant_id = v_before.tenant_id and t.slug = v_before.slug
  returning * into v_type;
  perform private.audit(
    'DOCUMENT_TYPE_SAVED', 'documents_types:' || v_type.slug,
    private.changed(to_jsonb(v_before), to_jsonb(v_type)), private.changed(to_jsonb(v_type), to_jsonb(v_before)),
    v_type.tenant_id, v_actor
  );
  return v_type;
end;
$$;
comment on function public.documents_type_save(uuid, text, jsonb) is
  'Makes a type of documents, or changes name, description, active, required, two_person, keep_file, badge, must_match, max_submissions, valid_days or remind_days of one (permission documents.manage). Any other key, a bad value, or a badge for which nothing has to match, raises request.invalid with it as detail.';
grant execute on function public.documents_type_save(uuid, text, jsonb) to authenticated;

-- A way in that is switched off would let nobody in.
create function private.documents_check_policy()
returns trigger
language plpgsql
volatile
security invoker
set search_path = ''
as $$
begin
  if new.registration_policy = 'documents' and not 'documents' = any (new.modules) then
    raise sqlstate 'PT422' using
      message = 'request.invalid', detail = 'registration_policy: documents needs the module documents';
  end if;
  return new;
end;
$$;
comment on function private.documents_check_policy() is
  'Before insert or update on tenants: who joins by documents needs the module. Raises request.invalid.';

create trigger documents_check_policy before insert or update of registration_policy, modules on public.tenants
  for each row execute function private.documents_check_policy();
