-- Exchanges, reading: one's own, the latest first, and what waits for a broker, the oldest first. Both
-- walk an index from where the page before ended.

create function private.exchanges_page(tenant_id uuid, person uuid, box text, before uuid, page_size integer)
returns setof uuid
language plpgsql
stable
security definer -- enters by the parts of one person
rows 50
set search_path = ''
-- One index for each box, whoever asks and however far they have read.
set plan_cache_mode = force_generic_plan
as $$
#variable_conflict use_column
begin
  if exchanges_page.box in ('open', 'waiting') then
    return query
    select p.exchange_id
    from public.exchanges_parts p
    where p.tenant_id = exchanges_page.tenant_id and p.person_id = exchanges_page.person and p.ended_at is null
      and p.exchange_id < exchanges_page.before
      and (
        exchanges_page.box = 'open'
        -- Nobody is asked how long it was before all have agreed.
        or p.agreed_at is null
        -- As a value: with exists the plan would collect all of everybody's that wait.
        or p.confirmed_at is null and (
          select e.status = 'pending_confirmation' from public.exchanges e
          where e.tenant_id = p.tenant_id and e.id = p.exchange_id
        )
      )
    order by p.exchange_id desc
    limit page_size;
  else
    return query
    select p.exchange_id
    from public.exchanges_parts p
    where p.tenant_id = exchanges_page.tenant_id and p.person_id = exchanges_page.person
      and p.exchange_id < exchanges_page.before
      and (exchanges_page.box = 'all' or p.ended_at is not null)
    order by p.exchange_id desc
    limit page_size;
  end if;
end;
$$;
comment on function private.exchanges_page(uuid, uuid, text, uuid, integer) is
  'The ids of a page of somebody''s exchanges, the latest first. Costs a page, or what is open, however many they had.';

create function public.exchanges_list(
  tenant_id uuid, box text default 'all', cursor uuid default null, page_size integer default 50
)
returns setof public.exchanges
language plpgsql
stable
security definer -- enters by the parts of one person
set search_path = ''
as $$
#variable_conflict use_column
declare
  v_me uuid := private.require(exchanges_list.tenant_id, 'exchanges.read');
begin
  perform private.check_page(page_size);
  if exchanges_list.box is null or exchanges_list.box not in ('all', 'open', 'closed', 'waiting') then
    raise sqlstate 'PT422' using message = 'request.invalid', detail = 'box: all, open, closed or waiting';
  end if;
  return query
  select e.*
  from public.exchanges e
  -- An array, for joined the plan could read all exchanges of the tenant.
  where e.tenant_id = exchanges_list.tenant_id and e.id = any (array(
    select private.exchanges_page(
      exchanges_list.tenant_id, v_me, exchanges_list.box,
      coalesce(exchanges_list.cursor, 'ffffffff-ffff-ffff-ffff-ffffffffffff'), page_size
    )
  ))
  order by e.id desc;
end;
$$;
comment on function public.exchanges_list(uuid, text, uuid, integer) is
  'The caller''s exchanges, the latest first: all, open, closed, or waiting for the caller to agree or confirm (permission exchanges.read). cursor: the id of the last one seen. page_size: 1 to 100. Raises request.invalid.';
grant execute on function public.exchanges_list(uuid, text, uuid, integer) to authenticated;

create function public.exchanges_queue(
  tenant_id uuid, status text default null, cursor uuid default null, page_size integer default 50
)
returns setof public.exchanges
language plpgsql
stable
security definer -- enters by what waits
set search_path = ''
as $$
#variable_conflict use_column
declare
  v_me uuid := private.require(exchanges_queue.tenant_id, 'exchanges.broker');
begin
  perform private.check_page(page_size);
  if exchanges_queue.status not in ('pending_broker', 'disputed') then
    raise sqlstate 'PT422' using message = 'request.invalid', detail = 'status: pending_broker or disputed';
  end if;
  return query
  select e.*
  from public.exchanges e
  where e.tenant_id = exchanges_queue.tenant_id and e.status in ('pending_broker', 'disputed')
    and (exchanges_queue.status is null or e.status = exchanges_queue.status)
    and (exchanges_queue.cursor is null or e.id > exchanges_queue.cursor)
    and not exists (
      select from public.exchanges_parts p
      where p.tenant_id = e.tenant_id and p.exchange_id = e.id and p.person_id = v_me
    )
  order by e.id
  limit page_size;
end;
$$;
comment on function public.exchanges_queue(uuid, text, uuid, integer) is
  'What waits for a broker, the oldest first, but for the caller''s own cases: pending_broker, disputed, or both (permission exchanges.broker). cursor: the id of the last one seen. page_size: 1 to 100. Raises request.invalid.';
grant execute on function public.exchanges_queue(uuid, text, uuid, integer) to authenticated;
