-- Accounts, profile: the picture a person shows everywhere, and the providers they sign in with.

create table private.accounts_avatars (
  tenant_id uuid not null,
  file_id uuid not null,
  person_id uuid not null references public.people (id) on delete cascade,
  url text not null check (url ~ '^https?://' and char_length(url) <= 2048),
  primary key (tenant_id, file_id),
  foreign key (tenant_id, file_id) references public.files (tenant_id, id) on delete cascade
);
comment on table private.accounts_avatars is
  'Pictures that people uploaded of themselves: the one that shows, and one that a tenant looks at first.';
create index accounts_avatars_person on private.accounts_avatars (person_id);

create function private.accounts_discard_avatars(person uuid, but uuid default null)
returns void
language plpgsql
volatile
security definer -- nobody else writes files
set search_path = ''
as $$
#variable_conflict use_column
declare
  v_file public.files;
begin
  for v_file in
    select f.* from private.accounts_avatars a
    join public.files f on f.tenant_id = a.tenant_id and f.id = a.file_id
    where a.person_id = accounts_discard_avatars.person and f.status <> 'deleted'
      and a.file_id is distinct from but
    order by f.tenant_id, f.id
  loop
    perform private.files_discard(v_file);
  end loop;
end;
$$;
comment on function private.accounts_discard_avatars(uuid, uuid) is
  'Removes the pictures of a person, all but one where it is named.';

create function private.accounts_show_avatar(avatar private.accounts_avatars)
returns void
language plpgsql
volatile
security definer -- writes people
set search_path = ''
as $$
begin
  update public.people p set avatar_url = avatar.url where p.id = avatar.person_id;
  perform private.accounts_discard_avatars(avatar.person_id, avatar.file_id);
end;
$$;
comment on function private.accounts_show_avatar(private.accounts_avatars) is
  'The picture becomes the person''s, in every tenant; the ones before go.';

create function public.accounts_set_avatar(tenant_id uuid, person uuid, file uuid, url text)
returns boolean
language plpgsql
volatile
security definer -- nobody else writes avatars
set search_path = ''
as $$
#variable_conflict use_column
declare
  v_file public.files := private.files_lock(accounts_set_avatar.tenant_id, accounts_set_avatar.file);
  v_avatar private.accounts_avatars;
begin
  if v_file.person_id <> accounts_set_avatar.person or v_file.status not in ('held', 'released')
    or not (v_file.bucket = 'avatars' or v_file.publish)
  then
    raise sqlstate 'PT404' using message = 'files.not_found';
  end if;
  insert into private.accounts_avatars (tenant_id, file_id, person_id, url)
  values (v_file.tenant_id, v_file.id, v_file.person_id, accounts_set_avatar.url)
  returning * into v_avatar;
  if v_file.bucket <> 'avatars' then
    return false;
  end if;
  perform private.accounts_show_avatar(v_avatar);
  return true;
end;
$$;
comment on function public.accounts_set_avatar(uuid, uuid, uuid, text) is
  'For the function api: an uploaded avatar becomes the person''s picture, in place of the one before; false where a reviewer has to let it go first. Raises files.not_found.';
grant execute on function public.accounts_set_avatar(uuid, uuid, uuid, text) to service_role;

create function private.accounts_follow_avatar()
returns trigger
language plpgsql
volatile
security definer -- writes people for whoever reviews files
set search_path = ''
as $$
#variable_conflict use_column
declare
  v_avatar private.accounts_avatars;
begin
  select * into v_avatar from private.accounts_avatars a
  where a.tenant_id = new.tenant_id and a.file_id = new.id;
  if not found then
    return null;
  elsif new.status = 'released' and new.bucket = 'avatars' then
    perform private.accounts_show_avatar(v_avatar);
  elsif new.status in ('rejected', 'deleted') then
    update public.people p set avatar_url = null
    where p.id = v_avatar.person_id and p.avatar_url = v_avatar.url;
  end if;
  return null;
end;
$$;
comment on function private.accounts_follow_avatar() is
  'After a file was let go, refused or deleted: a person''s picture shows, or goes.';

create trigger accounts_follow_avatar after update of status, bucket on public.files
  for each row execute function private.accounts_follow_avatar();

create function public.accounts_remove_avatar()
returns jsonb
language plpgsql
volatile
security definer -- writes people and files
set search_path = ''
as $$
#variable_conflict use_column
declare
  v_person uuid := private.require_person();
begin
  perform private.accounts_discard_avatars(v_person);
  update public.people p set avatar_url = null where p.id = v_person;
  return private.people_document(v_person);
end;
$$;
comment on function public.accounts_remove_avatar() is
  'The caller shows no picture any more; the file goes. Returns GET /users/me. Raises auth.*.';
grant execute on function public.accounts_remove_avatar() to authenticated;

-- Providers
create type public.accounts_provider as (
  id uuid,
  provider text,
  email text,
  created_at timestamptz,
  last_used_at timestamptz
);

create function public.accounts_providers()
returns setof public.accounts_provider
language plpgsql
stable
security definer -- auth.identities is closed to clients
set search_path = ''
as $$
declare
  v_person uuid := private.require_person();
begin
  return query
    select i.id, i.provider, i.email, i.created_at, i.last_sign_in_at
    from auth.identities i
    where i.user_id = v_person
    union all
    -- Bound by ourselves, of which Auth knows nothing.
    select a.id, 'apple', null, a.created_at, a.last_used_at
    from private.apple_identities a
    where a.person_id = v_person
    order by 4, 1;
end;
$$;
comment on function public.accounts_providers() is
  'The providers by which the caller signs in; `email` is their own address and password. Raises auth.*.';
grant execute on function public.accounts_providers() to authenticated;
