-- Exchanges, requests: from a listing, or directly between two members, or of several at once whose
-- times add up to nothing. Whoever proposes has agreed; the others are asked.

create function private.exchanges_require_partner(tenant_id uuid, person uuid, partner uuid)
returns void
language plpgsql
stable
security definer -- reads members and blocks past their policies
set search_path = ''
as $$
#variable_conflict use_column
begin
  if partner = person then
    raise sqlstate 'PT422' using message = 'exchanges.with_yourself';
  end if;
  perform private.messaging_require_partner(exchanges_require_partner.tenant_id, person, partner);
  if not exists (
    select from public.members m
    join public.role_permissions rp
      on rp.tenant_id = m.tenant_id and rp.role = m.role and rp.permission = 'exchanges.take_part'
    where m.tenant_id = exchanges_require_partner.tenant_id and m.person_id = partner
  ) then
    raise sqlstate 'PT404' using message = 'members.not_found';
  end if;
end;
$$;
comment on function private.exchanges_require_partner(uuid, uuid, uuid) is
  'Raises exchanges.with_yourself, members.not_found for whoever could not answer, messaging.blocked.';

create function private.exchanges_listing(tenant_id uuid, listing_id uuid, person uuid)
returns public.listings
language plpgsql
stable
security definer -- reads listings past their policies
set search_path = ''
as $$
#variable_conflict use_column
declare
  v_listing public.listings;
begin
  select * into v_listing from public.listings l
  where l.tenant_id = exchanges_listing.tenant_id and l.id = exchanges_listing.listing_id
    and l.visible and private.listings_sees(l.tenant_id, l.id, person);
  if not found then
    raise sqlstate 'PT404' using message = 'listings.not_found';
  end if;
  return v_listing;
end;
$$;
comment on function private.exchanges_listing(uuid, uuid, uuid) is
  'A listing that others see, and this person too. Raises listings.not_found.';

create function private.exchanges_open(exchange public.exchanges, parts public.exchanges_parts[], actor uuid, note text)
returns public.exchanges
language plpgsql
volatile
security definer -- nobody else writes exchanges
set search_path = ''
as $$
#variable_conflict use_column
declare
  v_due timestamptz := private.exchanges_due(exchange, 'pending_provider');
  v_exchange public.exchanges;
begin
  if exchange.starts_at <= now() or exchange.starts_at > now() + interval '1 year' then
    raise sqlstate 'PT422' using message = 'request.invalid', detail = 'starts_at: within a year';
  end if;
  perform private.require_rate('exchanges-request:' || exchange.tenant_id || ':' || actor, 30, interval '1 hour');
  insert into public.exchanges (
    tenant_id, kind, listing_id, requester_id, provider_id, offered, currency, minutes, starts_at, due_at, remind_at
  )
  values (
    exchange.tenant_id, exchange.kind, exchange.listing_id, exchange.requester_id, exchange.provider_id,
    exchange.offered, private.exchanges_currency(exchange.tenant_id), exchange.minutes, exchange.starts_at,
    v_due, private.exchanges_remind_at(exchange, 'pending_provider', v_due)
  )
  on conflict (tenant_id, listing_id, requester_id, provider_id)
    where kind = 'direct' and status in ('pending_provider', 'pending_broker', 'accepted') do nothing
  returning * into v_exchange;
  if not found then
    raise sqlstate 'PT409' using message = 'exchanges.already_open';
  end if;
  insert into public.exchanges_parts (tenant_id, exchange_id, person_id, side, minutes, agreed_at)
  select v_exchange.tenant_id, v_exchange.id, p.person_id, p.side, p.minutes,
    case when p.person_id = exchanges_open.actor then now() end
  from unnest(parts) p;
  perform private.exchanges_say(v_exchange, exchanges_open.actor, 'request', note);
  perform private.audit(
    'EXCHANGE_REQUESTED', 'exchanges:' || v_exchange.id, null,
    jsonb_build_object('kind', v_exchange.kind, 'minutes', v_exchange.minutes),
    v_exchange.tenant_id, exchanges_open.actor
  );
  perform private.exchanges_tell(
    v_exchange, 'exchanges.requested', private.exchanges_people(v_exchange), exchanges_open.actor
  );
  perform private.exchanges_announce(v_exchange);
  return v_exchange;
end;
$$;
comment on function private.exchanges_open(public.exchanges, public.exchanges_parts[], uuid, text) is
  'Writes a proposal and asks the others. Raises exchanges.already_open, exchanges.no_currency, limits.exceeded, request.invalid.';

create function public.exchanges_request(
  tenant_id uuid,
  minutes integer,
  person uuid default null,
  listing_id uuid default null,
  offer boolean default false,
  note text default null,
  starts_at timestamptz default null
)
returns public.exchanges
language plpgsql
volatile
security definer -- clients may not write exchanges
set search_path = ''
as $$
#variable_conflict use_column
declare
  v_me uuid := private.require(exchanges_request.tenant_id, 'exchanges.take_part');
  v_partner uuid := exchanges_request.person;
  v_listing public.listings;
  v_exchange public.exchanges;
begin
  v_exchange.minutes := private.exchanges_check_minutes(exchanges_request.minutes);
  v_exchange.offered := coalesce(exchanges_request.offer, false);
  if exchanges_request.listing_id is not null then
    v_listing := private.exchanges_listing(exchanges_request.tenant_id, exchanges_request.listing_id, v_me);
    -- An offer is asked for; who answers a request offers.
    v_exchange.offered := v_listing.kind = 'request';
    v_partner := coalesce(v_partner, v_listing.owner_id);
    if v_partner <> v_listing.owner_id then
      raise sqlstate 'PT422' using message = 'request.invalid', detail = 'person: the listing is somebody else''s';
    end if;
  end if;
  perform private.exchanges_require_partner(exchanges_request.tenant_id, v_me, v_partner);
  v_exchange.tenant_id := exchanges_request.tenant_id;
  v_exchange.kind := 'direct';
  v_exchange.listing_id := exchanges_request.listing_id;
  v_exchange.requester_id := case when v_exchange.offered then v_partner else v_me end;
  v_exchange.provider_id := case when v_exchange.offered then v_me else v_partner end;
  v_exchange.starts_at := exchanges_request.starts_at;
  v_exchange := private.exchanges_open(
    v_exchange,
    array[
      row(null, null, v_exchange.requester_id, 'receives', v_exchange.minutes, null, null, null, null, null, null),
      row(null, null, v_exchange.provider_id, 'gives', v_exchange.minutes, null, null, null, null, null, null)
    ]::public.exchanges_parts[],
    v_me, note
  );
  if v_exchange.listing_id is not null then
    perform private.listings_attend(v_exchange.tenant_id, v_exchange.listing_id, v_me, 'contact');
  end if;
  return v_exchange;
end;
$$;
comment on function public.exchanges_request(uuid, integer, uuid, uuid, boolean, text, timestamptz) is
  'Proposes an exchange of 15 to 1440 minutes to a member, who has to agree (permission exchanges.take_part). The caller receives, or gives with offer; from a listing_id, as the listing is: its owner is the other. Raises exchanges.invalid_minutes, exchanges.with_yourself, exchanges.already_open, exchanges.no_currency, listings.not_found, members.not_found, messaging.blocked, limits.exceeded, request.invalid.';
grant execute on function public.exchanges_request(uuid, integer, uuid, uuid, boolean, text, timestamptz) to authenticated;

-- Groups
create function private.exchanges_read_parts(parts jsonb)
returns public.exchanges_parts[]
language plpgsql
immutable
security invoker
set search_path = ''
as $$
declare
  v_parts public.exchanges_parts[];
  v_fault text := case
    when jsonb_typeof(parts) is distinct from 'array' then 'an array is wanted'
    when jsonb_array_length(parts) not between 3 and 50 then '3 to 50 people'
  end;
begin
  if v_fault is null then
    begin
      v_parts := array(
        select row(null, null, p.person, p.side, p.minutes, null, null, null, null, null, null)::public.exchanges_parts
        from jsonb_to_recordset(parts) p(person uuid, side text, minutes integer)
      );
    exception when invalid_text_representation or numeric_value_out_of_range or invalid_parameter_value then
      v_fault := '{ person, side, minutes }';
    end;
    v_fault := coalesce(v_fault, (
      select case
        when bool_or(p.person_id is null or p.side is null or p.side not in ('gives', 'receives'))
          then '{ person, side: gives or receives, minutes }'
        when count(distinct p.person_id) < count(*) then 'everybody once'
        when count(distinct p.side) < 2 then 'somebody gives, somebody receives'
      end
      from unnest(v_parts) p
    ));
  end if;
  if v_fault is not null then
    raise sqlstate 'PT422' using message = 'request.invalid', detail = 'parts: ' || v_fault;
  end if;
  return v_parts;
end;
$$;
comment on function private.exchanges_read_parts(jsonb) is 'Who gives and who receives how much. Raises request.invalid.';

create function public.exchanges_request_group(
  tenant_id uuid, parts jsonb, note text default null, starts_at timestamptz default null
)
returns public.exchanges
language plpgsql
volatile
security definer -- clients may not write exchanges
set search_path = ''
as $$
#variable_conflict use_column
declare
  v_me uuid := private.require(exchanges_request_group.tenant_id, 'exchanges.take_part');
  v_parts public.exchanges_parts[] := private.exchanges_read_parts(exchanges_request_group.parts);
  v_part public.exchanges_parts;
  v_exchange public.exchanges;
  v_rest integer := 0;
begin
  v_exchange.minutes := 0;
  if not exists (select from unnest(v_parts) p where p.person_id = v_me) then
    raise sqlstate 'PT422' using message = 'request.invalid', detail = 'parts: you are one of them';
  end if;
  foreach v_part in array v_parts loop
    perform private.exchanges_check_minutes(v_part.minutes);
    if v_part.person_id <> v_me then
      perform private.exchanges_require_partner(exchanges_request_group.tenant_id, v_me, v_part.person_id);
    end if;
    v_rest := v_rest + case v_part.side when 'gives' then v_part.minutes else -v_part.minutes end;
    v_exchange.minutes := v_exchange.minutes + case v_part.side when 'gives' then v_part.minutes else 0 end;
  end loop;
  if v_rest <> 0 then
    raise sqlstate 'PT422' using message = 'exchanges.unbalanced', detail = v_rest::text;
  end if;
  v_exchange.tenant_id := exchanges_request_group.tenant_id;
  v_exchange.kind := 'group';
  v_exchange.requester_id := v_me;
  v_exchange.offered := false;
  v_exchange.starts_at := exchanges_request_group.starts_at;
  return private.exchanges_open(v_exchange, v_parts, v_me, note);
end;
$$;
comment on function public.exchanges_request_group(uuid, jsonb, text, timestamptz) is
  'Proposes an exchange of 3 to 50 members, the caller one of them (permission exchanges.take_part). parts: [{ person, side: gives or receives, minutes }]; what is given is what is received. Everybody has to agree. Raises exchanges.invalid_minutes, exchanges.unbalanced (detail: by how much), exchanges.no_currency, members.not_found, messaging.blocked, limits.exceeded, request.invalid.';
grant execute on function public.exchanges_request_group(uuid, jsonb, text, timestamptz) to authenticated;
