-- Documents, enclosing: papers that come with a registration, before there is a session or a proved
-- address. They lie apart from the files, seen by nobody, and are handed in once the address is proved;
-- those of a registration that nobody proves go.

create table private.documents_enclosures (
  tenant_id uuid not null references public.tenants (id) on delete cascade,
  id uuid not null default private.uuid_v7(),
  person_id uuid references public.people (id) on delete cascade,
  type text not null,
  name text not null,
  path text not null generated always as (
    tenant_id::text || '/enclosed/' || id::text || '/' || name
  ) stored,
  stated jsonb,
  expires_at timestamptz not null default now() + interval '1 hour',
  primary key (tenant_id, id),
  foreign key (tenant_id, type) references public.documents_types (tenant_id, slug) on delete restrict
);
comment on table private.documents_enclosures is
  'Scans that came with a registration: kept before it is looked at whether the address is known, so that the time tells nothing. Past expires_at they go.';
comment on column private.documents_enclosures.person_id is
  'Whose registration it is; null where the address was known, or the registration has not come about yet.';
create index documents_enclosures_person on private.documents_enclosures (person_id);
create index documents_enclosures_type on private.documents_enclosures (tenant_id, type);
create index documents_enclosures_expires_at on private.documents_enclosures (expires_at);

-- With the registration
create function public.documents_enclose(
  tenant_id uuid, client text, type text, name text, content_type text, size bigint,
  width integer default null, height integer default null, stated jsonb default null
)
returns jsonb
language plpgsql
volatile
security definer -- nobody else writes enclosures
set search_path = ''
as $$
#variable_conflict use_column
declare
  v_type public.documents_types;
  v_enclosure private.documents_enclosures;
begin
  if not exists (
    select from public.tenants t
    where t.id = documents_enclose.tenant_id and 'documents' = any (t.modules)
  ) then
    raise sqlstate 'PT404' using message = 'tenants.module_off', detail = 'documents';
  end if;
  v_type := private.documents_require_type(documents_enclose.tenant_id, documents_enclose.type);
  perform private.documents_check_stated(v_type, documents_enclose.stated);
  perform private.files_check_upload(
    documents_enclose.name, documents_enclose.content_type, documents_enclose.size,
    documents_enclose.width, documents_enclose.height
  );
  perform private.files_check_bucket(
    'documents', documents_enclose.content_type, documents_enclose.size
  );
  perform private.require_rate(
    'documents_enclosed_by:' || documents_enclose.client, 15, interval '1 hour'
  );
  -- Strangers must not fill the tenant's room, wherever they come from, nor keep others from
  -- registering by it: these show their papers once they are in.
  if not (
    private.rate_limit('documents_enclosed:' || v_type.tenant_id, 500, interval '1 hour')
  ).allowed then
    return null;
  end if;
  insert into private.documents_enclosures (tenant_id, type, name, stated)
  values (
    v_type.tenant_id, v_type.slug, documents_enclose.name,
    case when v_type.must_match <> '{}' then documents_enclose.stated end
  )
  returning * into v_enclosure;
  return jsonb_build_object('id', v_enclosure.id, 'path', v_enclosure.path);
end;
$$;
comment on function public.documents_enclose(uuid, text, text, text, text, bigint, integer, integer, jsonb) is
  'For the function api: a place for a scan that comes with a registration, { id, path }, for an hour unless accounts_register names it; null where the tenant takes no more from strangers for now. Fifteen an hour for a client. Raises tenants.module_off, documents.type_unknown, files.type_unsupported, files.too_large, limits.exceeded, request.invalid.';
grant execute on function public.documents_enclose(uuid, text, text, text, text, bigint, integer, integer, jsonb)
  to service_role;

create function private.documents_enclosed_by(person uuid, tenant_id uuid, enclosures uuid[])
returns void
language plpgsql
volatile
security definer -- nobody else writes enclosures
set search_path = ''
as $$
#variable_conflict use_column
begin
  -- What came with an earlier registration of the address goes: it may have been somebody else's.
  perform private.documents_drop_enclosures(documents_enclosed_by.person);
  -- Two days: a link to prove the address lives one.
  update private.documents_enclosures e
  set person_id = documents_enclosed_by.person, expires_at = now() + interval '2 days'
  where e.tenant_id = documents_enclosed_by.tenant_id
    and e.id = any (documents_enclosed_by.enclosures)
    and e.person_id is null and e.expires_at > now();
end;
$$;
comment on function private.documents_enclosed_by(uuid, uuid, uuid[]) is
  'The scans are of this registration, in place of those of an earlier one, and wait for its address to be proved.';

create function private.documents_drop_enclosures(person uuid, tenant_id uuid default null)
returns void
language sql
volatile
security definer -- nobody else writes enclosures
set search_path = ''
as $$
  update private.documents_enclosures e set expires_at = now()
  where e.person_id = documents_drop_enclosures.person and e.expires_at > now()
    and coalesce(e.tenant_id = documents_drop_enclosures.tenant_id, true);
$$;
comment on function private.documents_drop_enclosures(uuid, uuid) is
  'What the person enclosed is handed in nowhere any more, and goes.';

-- Once the address is proved
create function private.documents_on_login_confirmed()
returns trigger
language plpgsql
volatile
security definer -- writes jobs for Auth's role
set search_path = ''
as $$
#variable_conflict use_column
declare
  v_enclosure private.documents_enclosures;
begin
  for v_enclosure in
    update private.documents_enclosures e set expires_at = now() + interval '7 days'
    where e.person_id = new.id and e.expires_at > now()
    returning e.*
  loop
    perform private.enqueue(
      'documents.enclosed', jsonb_build_object('enclosure', v_enclosure.id), v_enclosure.tenant_id,
      'documents_enclosures:' || v_enclosure.id, 'documents.enclosed:' || v_enclosure.id
    );
  end loop;
  return null;
end;
$$;
comment on function private.documents_on_login_confirmed() is
  'After an address was proved: a job hands in what came with the registration.';
create trigger documents_on_login_confirmed after update of email_confirmed_at on auth.users
  for each row when (old.email_confirmed_at is null and new.email_confirmed_at is not null)
  execute function private.documents_on_login_confirmed();

create function private.documents_on_password_changed()
returns trigger
language plpgsql
volatile
security definer -- writes enclosures for Auth's role
set search_path = ''
as $$
begin
  perform private.documents_drop_enclosures(new.id);
  return null;
end;
$$;
comment on function private.documents_on_password_changed() is
  'After another password of an address that nobody has proved: it may be somebody else who registers, and not theirs is what came before.';
create trigger documents_on_password_changed after update of encrypted_password on auth.users
  for each row when (
    new.email_confirmed_at is null and old.encrypted_password is distinct from new.encrypted_password
  )
  execute function private.documents_on_password_changed();

create function public.documents_enclosed(tenant_id uuid, enclosure uuid)
returns jsonb
language sql
stable
security definer -- reads enclosures
set search_path = ''
as $$
  select jsonb_build_object(
    'path', e.path, 'name', e.name,
    'wanted', e.expires_at > now() and u.email_confirmed_at is not null
  )
  from private.documents_enclosures e
  left join auth.users u on u.id = e.person_id
  where e.tenant_id = documents_enclosed.tenant_id and e.id = documents_enclosed.enclosure;
$$;
comment on function public.documents_enclosed(uuid, uuid) is
  'For the worker: where a scan that came with a registration lies, and whether it is to be handed in (wanted) or only to go: { path, name, wanted }; null when it is gone.';
grant execute on function public.documents_enclosed(uuid, uuid) to service_role;

create function public.documents_begin_enclosed(
  tenant_id uuid, enclosure uuid, name text, content_type text, size bigint,
  width integer default null, height integer default null
)
returns public.files
language plpgsql
volatile
security definer -- nobody else writes files
set search_path = ''
as $$
#variable_conflict use_column
declare
  v_enclosure private.documents_enclosures;
begin
  select * into v_enclosure from private.documents_enclosures e
  where e.tenant_id = documents_begin_enclosed.tenant_id and e.id = documents_begin_enclosed.enclosure
    and e.person_id is not null;
  if not found then
    raise sqlstate 'PT404' using message = 'files.not_found';
  end if;
  return private.documents_reserve(
    private.documents_require_type(v_enclosure.tenant_id, v_enclosure.type), v_enclosure.person_id,
    v_enclosure.stated, v_enclosure.id,
    documents_begin_enclosed.name, documents_begin_enclosed.content_type,
    documents_begin_enclosed.size, documents_begin_enclosed.width, documents_begin_enclosed.height
  );
end;
$$;
comment on function public.documents_begin_enclosed(uuid, uuid, text, text, bigint, integer, integer) is
  'For the worker: as documents_begin, for a scan that came with the person''s registration. Raises files.not_found, documents.type_unknown, documents.already_submitted, documents.submissions_exhausted, files.type_unsupported, files.too_large, files.quota_exceeded, request.invalid.';
grant execute on function public.documents_begin_enclosed(uuid, uuid, text, text, bigint, integer, integer)
  to service_role;

create function public.documents_enclosure_gone(tenant_id uuid, enclosure uuid)
returns void
language sql
volatile
security definer -- nobody else writes enclosures
set search_path = ''
as $$
  delete from private.documents_enclosures e
  where e.tenant_id = documents_enclosure_gone.tenant_id and e.id = documents_enclosure_gone.enclosure;
$$;
comment on function public.documents_enclosure_gone(uuid, uuid) is
  'For the worker: the object of an enclosed scan is gone, so its row goes, too.';
grant execute on function public.documents_enclosure_gone(uuid, uuid) to service_role;

create function private.documents_sweep_enclosures()
returns bigint
language sql
volatile
security definer -- writes jobs
set search_path = ''
as $$
  -- Asked for again each hour, until it is gone.
  select count(private.enqueue(
    'documents.enclosed', jsonb_build_object('enclosure', e.id), e.tenant_id,
    'documents_enclosures:' || e.id,
    format('documents.enclosed:%s:%s', e.id, to_char(now() at time zone 'UTC', 'YYYYMMDDHH24'))
  ))
  from (
    select * from private.documents_enclosures e
    where e.expires_at <= now() order by e.expires_at limit 500
  ) e;
$$;
comment on function private.documents_sweep_enclosures() is
  'Has enclosed scans removed that were handed in, or came with a registration that nobody proved. Returns how many.';
select private.schedule(
  'documents-sweep-enclosures', '31 * * * *', 'select private.documents_sweep_enclosures()'
);
