-- Exchanges, reading: one's own, the latest first, and what waits for a broker, the oldest first. Both
-- walk an index from where the page before ended.

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
  from public.exchanges_parts p
  join public.exchanges e on e.tenant_id = p.tenant_id and e.id = p.exchange_id
  where p.tenant_id = exchanges_list.tenant_id and p.person_id = v_me
    and (exchanges_list.cursor is null or p.exchange_id < exchanges_list.cursor)
    and case exchanges_list.box
      when 'open' then e.due_at is not null
      when 'closed' then e.due_at is null
      when 'waiting' then
        e.status = 'pending_provider' and p.agreed_at is null
        or e.status = 'pending_confirmation' and p.confirmed_at is null
      else true
    end
  order by p.exchange_id desc
  limit page_size;
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
