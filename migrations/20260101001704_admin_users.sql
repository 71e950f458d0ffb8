-- Admin, users: the list of a tenant's members as its admins need it, with those who are stuck on the
-- way in.

-- Parts of names are found by trigrams where the server has them; elsewhere a search reads the
-- tenant's own members.
do $$
begin
  if 2 = (select count(*) from pg_available_extensions where name in ('pg_trgm', 'btree_gin')) then
    create extension if not exists pg_trgm with schema extensions;
    create extension if not exists btree_gin with schema extensions;
    -- A project may have them elsewhere already.
    execute (
      select format(
        'create index members_search on public.members
          using gin (tenant_id %1$s.uuid_ops, display_name %2$s.gin_trgm_ops)',
        max(e.extnamespace::regnamespace::text) filter (where e.extname = 'btree_gin'),
        max(e.extnamespace::regnamespace::text) filter (where e.extname = 'pg_trgm')
      )
      from pg_extension e
    );
  end if;
end;
$$;
create index members_by_time on public.members (tenant_id, created_at, person_id);

create type public.admin_user as (
  id uuid,
  display_name text,
  avatar_url text,
  email text,
  email_verified boolean,
  role text,
  status text,
  waiting_for text,
  waiting_since timestamptz,
  stuck boolean,
  suspended_until timestamptz,
  restricted_until timestamptz,
  joined_at timestamptz,
  last_sign_in_at timestamptz,
  cursor text
);
comment on type public.admin_user is
  'A member as the tenant''s admins see them. waiting_for: email, approval or documents, while pending; stuck: for three days already. cursor continues after this row.';

create function private.admin_stuck_since()
returns timestamptz
language sql
stable
security invoker
set search_path = ''
as $$
  select now() - interval '3 days';
$$;
comment on function private.admin_stuck_since() is
  'Whoever has been waiting to be let in since before this needs help.';

create function private.admin_user_of(member public.members, sort_key jsonb)
returns public.admin_user
language plpgsql
stable
security definer -- reads logins and decisions past their policies
set search_path = ''
as $$
#variable_conflict use_column
declare
  v_user public.admin_user;
begin
  select u.email, u.email_confirmed_at is not null, u.last_sign_in_at
  into v_user.email, v_user.email_verified, v_user.last_sign_in_at
  from auth.users u
  where u.id = member.person_id and u.deleted_at is null;
  select max(d.until) filter (where d.kind = 'suspension'), max(d.until) filter (where d.kind = 'restriction')
  into v_user.suspended_until, v_user.restricted_until
  from public.admin_decisions d
  where d.person_id = member.person_id and d.tenant_id = member.tenant_id and d.status = 'standing';
  v_user.id := member.person_id;
  v_user.display_name := member.display_name;
  v_user.avatar_url := member.avatar_url;
  v_user.email_verified := coalesce(v_user.email_verified, false);
  v_user.role := member.role;
  v_user.status := member.status;
  v_user.waiting_for := member.waiting_for;
  v_user.waiting_since := member.waiting_since;
  v_user.stuck := coalesce(member.waiting_since < private.admin_stuck_since(), false);
  v_user.joined_at := member.created_at;
  v_user.cursor := jsonb_build_array(admin_user_of.sort_key, member.person_id)::text;
  return v_user;
end;
$$;
comment on function private.admin_user_of(public.members, jsonb) is 'One row of the list of users.';

create function private.admin_check_list(attention text, sort text, cursor text, page_size integer)
returns void
language plpgsql
stable
security invoker
set search_path = ''
as $$
declare
  v_cursor jsonb := case when pg_input_is_valid(cursor, 'jsonb') then cursor::jsonb end;
  v_fault text := case
    when attention is not null and attention not in ('unverified', 'pending', 'stuck') then 'attention'
    when sort is null or sort not in ('name', '-name', 'joined', '-joined') then 'sort'
    when page_size is null or page_size not between 1 and 100 then 'page_size: 1 to 100'
  end;
begin
  if v_fault is null and cursor is not null and (
    jsonb_typeof(v_cursor) is distinct from 'array' or num_nulls(v_cursor ->> 0, v_cursor ->> 1) > 0
    or not pg_input_is_valid(v_cursor ->> 1, 'uuid')
    or sort like '%joined' and not pg_input_is_valid(v_cursor ->> 0, 'timestamptz')
  ) then
    v_fault := 'cursor';
  end if;
  if v_fault is not null then
    raise sqlstate 'PT422' using message = 'request.invalid', detail = v_fault;
  end if;
end;
$$;
comment on function private.admin_check_list(text, text, text, integer) is
  'Raises request.invalid (detail: the argument) for what the list of users does not take.';

create function public.admin_users(
  tenant_id uuid,
  search text default null,
  status text default null,
  role text default null,
  attention text default null,
  "from" timestamptz default null,
  "to" timestamptz default null,
  sort text default 'name',
  cursor text default null,
  page_size int default 50
)
returns setof public.admin_user
language plpgsql
stable
security definer -- reads logins past what members may see of each other
set search_path = ''
as $$
#variable_conflict use_column
declare
  v_search text := nullif(btrim(admin_users.search), '');
  v_by_address boolean := v_search like '%_@_%';
  v_key text := case when sort like '%name' then 'lower(m.display_name)' else 'm.created_at' end;
  v_order text := case when sort like '-%' then 'desc' else 'asc' end;
  v_cursor jsonb;
begin
  perform private.require(admin_users.tenant_id, 'members.manage');
  perform private.admin_check_list(attention, sort, admin_users.cursor, page_size);
  v_cursor := admin_users.cursor::jsonb;
  -- Planned for the filters that are given, so that each enters by its own index.
  return query execute format(
    'select found.*
    from (
      select m as member, %1$s as sort_key from public.members m
      where m.tenant_id = $1 %3$s
      order by %1$s %2$s, m.person_id %2$s limit $10
    ) page
    cross join lateral private.admin_user_of(page.member, to_jsonb(page.sort_key)) found
    order by page.sort_key %2$s, (page.member).person_id %2$s',
    v_key, v_order,
    concat_ws(
      ' ',
      case when status is null then $sql$and m.status <> 'left'$sql$ else 'and m.status = $2' end,
      case when role is not null then $sql$and $3 = any (string_to_array(m.role, '+') || m.role)$sql$ end,
      case when "from" is not null then 'and m.created_at >= $4' end,
      case when "to" is not null then 'and m.created_at < $5' end,
      case
        when v_by_address then 'and m.person_id in (
          select u.id from auth.users u where u.email = lower($6) and u.is_sso_user = false)'
        when v_search is not null then 'and m.display_name ilike $7'
      end,
      case attention
        when 'pending' then $sql$and m.status = 'pending'$sql$
        when 'unverified' then $sql$and m.status = 'pending' and m.waiting_for = 'email'$sql$
        when 'stuck' then $sql$and m.status = 'pending' and m.waiting_since < private.admin_stuck_since()$sql$
      end,
      case when v_cursor is not null then format(
        'and (%s, m.person_id) %s ($8::%s, $9)', v_key,
        case v_order when 'desc' then '<' else '>' end,
        case when sort like '%name' then 'text' else 'timestamptz' end
      ) end
    )
  )
  using admin_users.tenant_id, admin_users.status, admin_users.role, admin_users."from", admin_users."to",
    v_search, '%' || regexp_replace(v_search, '([\\%_])', '\\\1', 'g') || '%',
    v_cursor ->> 0, (v_cursor ->> 1)::uuid, page_size;
end;
$$;
comment on function public.admin_users(
  uuid, text, text, text, text, timestamptz, timestamptz, text, text, int
) is
  'The tenant''s members for its admins (permission members.manage), those who left only by status. search: a part of the name, or a whole e-mail address; role: one that they have, beside others or not; attention: unverified, pending or stuck; from and to: when they joined; sort: name, -name, joined or -joined. Raises request.invalid.';
grant execute on function public.admin_users(
  uuid, text, text, text, text, timestamptz, timestamptz, text, text, int
) to authenticated;
