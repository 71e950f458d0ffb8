-- People: one row for each human, whatever tenants they belong to. The id is that of auth.users,
-- without a foreign key: when the login goes, the row stays as an anonymous counterpart for ledgers.

create function private.is_locale(tag text)
returns boolean
language sql
immutable
security invoker
set search_path = ''
as $$
  select tag ~ '^[a-z]{2,3}(-[A-Za-z0-9]{2,8})*$' and char_length(tag) <= 35;
$$;
comment on function private.is_locale(text) is 'Whether a text has the form of a language tag such as de-CH; null for null.';

create table public.people (
  id uuid primary key,
  display_name text not null check (char_length(btrim(display_name)) between 1 and 80),
  avatar_url text check (avatar_url ~ '^https?://' and char_length(avatar_url) <= 2048),
  locale text check (private.is_locale(locale)),
  time_zone text,
  preferences jsonb not null default '{}'
    check (jsonb_typeof(preferences) = 'object' and octet_length(preferences::text) <= 8192),
  deletion_due_at timestamptz,
  erased_at timestamptz,
  created_at timestamptz not null default now(),
  updated_at timestamptz not null default now()
);
comment on table public.people is
  'A person across all tenants. Read and changed by themselves alone; fellow members see members.';
comment on column public.people.locale is 'Null: the tenant''s.';
comment on column public.people.deletion_due_at is
  'When the person will be erased, as they asked; null: not at all.';

create function private.people_check()
returns trigger
language plpgsql
volatile
security invoker
set search_path = ''
as $$
begin
  if new.time_zone is not null then
    perform private.check_time_zone(new.time_zone);
  end if;
  new.updated_at := now();
  return new;
end;
$$;
comment on function private.people_check() is 'Before insert or update: known time zone, updated_at.';

create trigger people_check before insert or update on public.people
  for each row execute function private.people_check();

-- The login's life is the person's
create function private.people_on_login_created()
returns trigger
language plpgsql
volatile
security definer -- Auth's role has no right on people
set search_path = ''
as $$
begin
  insert into public.people (id, display_name, locale)
  values (
    new.id,
    coalesce(nullif(left(btrim(new.raw_user_meta_data ->> 'display_name'), 80), ''), 'Member'),
    -- What a client says of itself must not keep it from signing up.
    case when private.is_locale(new.raw_user_meta_data ->> 'locale')
      then new.raw_user_meta_data ->> 'locale' end
  );
  return new;
exception when unique_violation then
  raise sqlstate 'PT409' using message = 'people.erased', detail = 'This id belonged to an erased person.';
end;
$$;
comment on function private.people_on_login_created() is
  'After insert on auth.users: makes the person. An erased id cannot be created again (people.erased).';

create function private.people_on_login_removed()
returns trigger
language plpgsql
volatile
security definer -- Auth's role has no right on people
set search_path = ''
as $$
begin
  update public.people p
  set display_name = 'Former member', avatar_url = null, locale = null, time_zone = null,
    preferences = '{}', deletion_due_at = null,
    erased_at = coalesce(p.erased_at, now())
  where p.id = old.id;
  return null;
end;
$$;
comment on function private.people_on_login_removed() is
  'After delete, hard or soft, on auth.users: keeps the row and takes everything personal out of it.';

create trigger people_on_login_created after insert on auth.users
  for each row execute function private.people_on_login_created();
create trigger people_on_login_deleted after delete on auth.users
  for each row execute function private.people_on_login_removed();
create trigger people_on_login_soft_deleted after update of deleted_at on auth.users
  for each row when (old.deleted_at is null and new.deleted_at is not null)
  execute function private.people_on_login_removed();

-- Logins that were there before this file ran
insert into public.people (id, display_name)
select u.id, coalesce(nullif(left(btrim(u.raw_user_meta_data ->> 'display_name'), 80), ''), 'Member')
from auth.users u;

alter table public.people enable row level security;
