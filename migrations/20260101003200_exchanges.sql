-- Exchanges: one gives time, another receives it, and both say afterwards how long it was. What they
-- agree on is paid by the wallet in the same transaction; where they do not, somebody else decides.
-- What people write stands apart, in notes, and can be erased.

insert into private.audit_actions (name, description)
values
  ('EXCHANGE_REQUESTED', 'Somebody proposed an exchange'),
  ('EXCHANGE_MOVED', 'An exchange went on to another state'),
  ('EXCHANGE_ESCALATED', 'A dispute nobody had decided in time was shown to who manages exchanges'),
  ('EXCHANGE_REVIEWED', 'Somebody rated whom they had an exchange with');

select private.declare_permission(
  'exchanges.read', 'See the own exchanges, and how members were rated', array['admin', 'staff', 'member']
);
select private.declare_permission(
  'exchanges.take_part', 'Propose and answer exchanges', array['admin', 'staff', 'member']
);
select private.declare_permission(
  'exchanges.broker', 'See all exchanges, approve them and decide disputes', array['admin', 'staff'],
  own_cases => false
);
select private.declare_permission(
  'exchanges.manage', 'Be told of disputes that nobody decided in time', array['admin']
);

select private.declare_feature(
  'exchanges.holds', false, 'Whether the agreed time is set aside once an exchange is accepted'
);

-- Exchanges
create table public.exchanges (
  tenant_id uuid not null references public.tenants (id) on delete restrict,
  id uuid not null default private.uuid_v7(),
  kind text not null check (kind in ('direct', 'group')),
  listing_id uuid,
  requester_id uuid not null,
  provider_id uuid check (provider_id <> requester_id),
  offered boolean not null default false,
  currency text collate "C" not null,
  minutes integer not null check (minutes between 15 and 72000),
  final_minutes integer check (final_minutes between 1 and 90000),
  status text not null default 'pending_provider' check (
    status in (
      'pending_provider', 'pending_broker', 'accepted', 'in_progress', 'pending_confirmation', 'disputed',
      'completed', 'declined', 'cancelled', 'expired', 'reversed'
    )
  ),
  reason text check (reason in ('party', 'broker', 'difference', 'deadline', 'member_gone')),
  starts_at timestamptz,
  due_at timestamptz,
  remind_at timestamptz,
  escalated_at timestamptz,
  accepted_at timestamptz,
  completed_at timestamptz,
  decided_by uuid,
  transfer_id uuid,
  created_at timestamptz not null default now(),
  updated_at timestamptz not null default now(),
  primary key (tenant_id, id),
  foreign key (tenant_id, listing_id) references public.listings (tenant_id, id) on delete set null (listing_id),
  foreign key (tenant_id, requester_id) references public.members (tenant_id, person_id) on delete restrict,
  foreign key (tenant_id, provider_id) references public.members (tenant_id, person_id) on delete restrict,
  foreign key (tenant_id, currency) references public.wallet_currencies (tenant_id, code) on delete restrict,
  check (case kind when 'direct' then provider_id is not null and minutes <= 1440 else provider_id is null end),
  check ((transfer_id is null) = (status not in ('completed', 'reversed'))),
  check ((final_minutes is null) = (transfer_id is null))
);
comment on table public.exchanges is
  'Exchanges of time between two members (direct) or several (group), and how far each has come (docs/exchanges.md).';
comment on column public.exchanges.requester_id is 'Who receives and pays; of a group, who proposed it.';
comment on column public.exchanges.provider_id is 'Who gives and is paid; of a group null: its parts say who does.';
comment on column public.exchanges.offered is 'Proposed by the provider, so that it is the requester who has to agree.';
comment on column public.exchanges.minutes is 'As agreed; of a group the sum of what is given.';
comment on column public.exchanges.final_minutes is 'As paid.';
comment on column public.exchanges.reason is
  'Why it is in its state: by a party or a broker, by difference of what was confirmed, by deadline, because a member went.';
comment on column public.exchanges.due_at is 'When its state ends by itself; null once it has come to an end.';
comment on column public.exchanges.remind_at is 'When those it waits for are reminded; null once they were.';
comment on column public.exchanges.escalated_at is 'Since when who manages exchanges knows of the dispute.';
comment on column public.exchanges.decided_by is 'The broker who approved or refused it, or decided the dispute.';
comment on column public.exchanges.transfer_id is 'What the wallet booked for it, to be undone by wallet_reverse.';
create index exchanges_requester on public.exchanges (tenant_id, requester_id, id);
create index exchanges_provider on public.exchanges (tenant_id, provider_id, id);
create index exchanges_listing on public.exchanges (tenant_id, listing_id) where listing_id is not null;
create index exchanges_currency on public.exchanges (tenant_id, currency);
create index exchanges_queue on public.exchanges (tenant_id, id) where status in ('pending_broker', 'disputed');
create index exchanges_due on public.exchanges (due_at) where due_at is not null;
create index exchanges_remind on public.exchanges (remind_at) where remind_at is not null;
create unique index exchanges_transfer on public.exchanges (tenant_id, transfer_id) where transfer_id is not null;
create unique index exchanges_open on public.exchanges (tenant_id, listing_id, requester_id, provider_id)
  where kind = 'direct' and status in ('pending_provider', 'pending_broker', 'accepted');

insert into private.transitions (machine, from_state, to_state)
select 'exchanges', split_part(step, '>', 1), split_part(step, '>', 2)
from unnest(array[
  'pending_provider>pending_broker', 'pending_provider>accepted', 'pending_provider>declined',
  'pending_provider>cancelled', 'pending_provider>expired',
  'pending_broker>accepted', 'pending_broker>declined', 'pending_broker>cancelled', 'pending_broker>expired',
  'accepted>in_progress', 'accepted>cancelled', 'accepted>expired',
  'in_progress>pending_confirmation', 'in_progress>cancelled', 'in_progress>expired',
  'pending_confirmation>completed', 'pending_confirmation>disputed', 'pending_confirmation>cancelled',
  'disputed>completed', 'disputed>cancelled', 'completed>reversed'
]) step;
create trigger exchanges_transition before update of status on public.exchanges
  for each row execute function private.enforce_transition();
create trigger exchanges_touch before update on public.exchanges
  for each row execute function private.touch();

-- Parts: who gives and who receives how much
create table public.exchanges_parts (
  tenant_id uuid not null,
  exchange_id uuid not null,
  person_id uuid not null,
  side text not null check (side in ('gives', 'receives')),
  minutes integer not null check (minutes between 15 and 1440),
  agreed_at timestamptz,
  confirmed_minutes integer check (confirmed_minutes between 15 and 1440),
  confirmed_at timestamptz,
  final_minutes integer check (final_minutes >= 0),
  hold_id uuid,
  ended_at timestamptz,
  primary key (tenant_id, exchange_id, person_id),
  foreign key (tenant_id, exchange_id) references public.exchanges (tenant_id, id) on delete cascade,
  foreign key (tenant_id, person_id) references public.members (tenant_id, person_id) on delete restrict,
  foreign key (tenant_id, hold_id) references public.wallet_holds (tenant_id, id) on delete restrict,
  check ((confirmed_minutes is null) = (confirmed_at is null))
);
comment on table public.exchanges_parts is
  'Who takes part in an exchange on which side, with how much: as agreed, as they confirmed it, as it was paid.';
comment on column public.exchanges_parts.hold_id is 'What was set aside of the receiver''s account when it was accepted.';
comment on column public.exchanges_parts.ended_at is
  'When the exchange came to an end: said of each part, so that a person''s open ones are found without all they ever had.';
create index exchanges_parts_person on public.exchanges_parts (tenant_id, person_id, exchange_id);
create index exchanges_parts_open on public.exchanges_parts (tenant_id, person_id, exchange_id) where ended_at is null;
create index exchanges_parts_hold on public.exchanges_parts (tenant_id, hold_id) where hold_id is not null;

-- Notes: all that people write about an exchange
create table public.exchanges_notes (
  tenant_id uuid not null,
  id uuid not null default private.uuid_v7(),
  exchange_id uuid not null,
  author_id uuid not null,
  kind text not null check (kind in ('request', 'decline', 'cancel', 'dispute', 'statement', 'broker', 'resolution')),
  body text check (char_length(body) between 1 and 2000),
  created_at timestamptz not null default now(),
  primary key (tenant_id, id),
  foreign key (tenant_id, exchange_id) references public.exchanges (tenant_id, id) on delete cascade,
  foreign key (tenant_id, author_id) references public.members (tenant_id, person_id) on delete restrict
);
comment on table public.exchanges_notes is
  'What was written with a step of an exchange, and what was said in a dispute. body is null once it was removed or its author erased.';
create index exchanges_notes_exchange on public.exchanges_notes (tenant_id, exchange_id, id);
create index exchanges_notes_author on public.exchanges_notes (tenant_id, author_id);

-- Row level security
create function private.exchanges_shared()
returns setof uuid
language plpgsql
stable
security definer -- spares every exchange the policies of its parts
rows 20
set search_path = ''
as $$
begin
  return query
  select p.exchange_id
  from public.exchanges_parts p
  join public.exchanges e on e.tenant_id = p.tenant_id and e.id = p.exchange_id and e.kind = 'group'
  where p.tenant_id in (select private.tenants_with('exchanges.read')) and p.person_id = private.person();
end;
$$;
comment on function private.exchanges_shared() is 'Group exchanges that the caller takes part in.';
grant execute on function private.exchanges_shared() to authenticated, service_role;

alter table public.exchanges enable row level security;
create policy exchanges_select_party on public.exchanges
  for select to authenticated
  using (
    tenant_id = any (array(select private.tenants_with('exchanges.read')))
    and (
      requester_id = (select private.person())
      or provider_id = (select private.person())
      or id = any (array(select private.exchanges_shared()))
      or tenant_id = any (array(select private.tenants_with('exchanges.broker')))
    )
  );

alter table public.exchanges_parts enable row level security;
create policy exchanges_parts_select_party on public.exchanges_parts
  for select to authenticated
  using (
    tenant_id = any (array(select private.tenants_with('exchanges.read')))
    and exists (
      select from public.exchanges e -- as far as the caller may see them
      where e.tenant_id = exchanges_parts.tenant_id and e.id = exchanges_parts.exchange_id
    )
  );

alter table public.exchanges_notes enable row level security;
create policy exchanges_notes_select_party on public.exchanges_notes
  for select to authenticated
  using (
    tenant_id = any (array(select private.tenants_with('exchanges.read')))
    and exists (
      select from public.exchanges e -- as far as the caller may see them
      where e.tenant_id = exchanges_notes.tenant_id and e.id = exchanges_notes.exchange_id
    )
  );

grant select on public.exchanges, public.exchanges_parts, public.exchanges_notes to authenticated, service_role;

select private.declare_metric(
  'exchanges_waiting', 'gauge', 'Exchanges that wait for a broker, by state.',
  $$select count(e.id) as value, jsonb_build_object('status', s.status) as labels
    from unnest(array['pending_broker', 'disputed']) s (status)
    left join public.exchanges e on e.status = s.status and e.status in ('pending_broker', 'disputed')
    group by s.status$$
);
