-- Newsletters, rights, and sequences: mails that follow a member's joining, one after the other.

create table public.newsletters_sequences (
  tenant_id uuid not null references public.tenants (id) on delete cascade,
  id uuid not null default private.uuid_v7(),
  name text not null check (char_length(btrim(name)) between 1 and 80),
  segment_id uuid,
  active boolean not null default false,
  active_since timestamptz,
  created_at timestamptz not null default now(),
  updated_at timestamptz not null default now(),
  primary key (tenant_id, id),
  unique (tenant_id, name),
  foreign key (tenant_id, segment_id) references public.newsletters_segments (tenant_id, id) on delete restrict
);
comment on table public.newsletters_sequences is
  'Mails that each new member gets, one after the other. Who joined before it was switched on is not in it.';
create index newsletters_sequences_active on public.newsletters_sequences (active_since) where active;
create index newsletters_sequences_segment on public.newsletters_sequences (tenant_id, segment_id);
create trigger newsletters_sequences_touch before update on public.newsletters_sequences
  for each row execute function private.touch();

create table public.newsletters_steps (
  tenant_id uuid not null,
  sequence_id uuid not null,
  place integer not null check (place between 1 and 20),
  id uuid not null default private.uuid_v7(),
  after_hours integer not null check (after_hours between 0 and 8760),
  content jsonb not null,
  primary key (tenant_id, sequence_id, place),
  unique (tenant_id, id),
  foreign key (tenant_id, sequence_id)
    references public.newsletters_sequences (tenant_id, id) on delete cascade
);
comment on table public.newsletters_steps is
  'The mails of a sequence: how many hours after the one before, or after joining. Each is a document of notifications under the same id.';

create table private.newsletters_followers (
  tenant_id uuid not null,
  sequence_id uuid not null,
  person_id uuid not null,
  place integer not null,
  due_at timestamptz,
  primary key (tenant_id, sequence_id, person_id),
  foreign key (tenant_id, sequence_id)
    references public.newsletters_sequences (tenant_id, id) on delete cascade,
  foreign key (tenant_id, person_id) references public.members (tenant_id, person_id) on delete cascade
);
comment on table private.newsletters_followers is 'How far a member is in a sequence: the next mail and when; due_at null: through.';
create index newsletters_followers_due on private.newsletters_followers (due_at) where due_at is not null;
create index newsletters_followers_person on private.newsletters_followers (tenant_id, person_id);

-- Row level security: for those who work on newsletters. Readers get mails.
alter table public.newsletters enable row level security;
create policy newsletters_select_editor on public.newsletters
  for select to authenticated
  using (tenant_id = any (array(select private.tenants_with('newsletters.read'))));

alter table public.newsletters_variants enable row level security;
create policy newsletters_variants_select_editor on public.newsletters_variants
  for select to authenticated
  using (tenant_id = any (array(select private.tenants_with('newsletters.read'))));

alter table public.newsletters_segments enable row level security;
create policy newsletters_segments_select_editor on public.newsletters_segments
  for select to authenticated
  using (tenant_id = any (array(select private.tenants_with('newsletters.read'))));

alter table public.newsletters_tags enable row level security;
create policy newsletters_tags_select_editor on public.newsletters_tags
  for select to authenticated
  using (
    tenant_id = any (array(select private.tenants_with('newsletters.read')))
    or (
      tenant_id = any (array(select private.tenants_with('newsletters.receive')))
      and person_id = (select private.person())
    )
  );

alter table public.newsletters_templates enable row level security;
create policy newsletters_templates_select_editor on public.newsletters_templates
  for select to authenticated
  using (tenant_id = any (array(select private.tenants_with('newsletters.read'))));

alter table public.newsletters_recurring enable row level security;
create policy newsletters_recurring_select_editor on public.newsletters_recurring
  for select to authenticated
  using (tenant_id = any (array(select private.tenants_with('newsletters.read'))));

alter table public.newsletters_sequences enable row level security;
create policy newsletters_sequences_select_editor on public.newsletters_sequences
  for select to authenticated
  using (tenant_id = any (array(select private.tenants_with('newsletters.read'))));

alter table public.newsletters_steps enable row level security;
create policy newsletters_steps_select_editor on public.newsletters_steps
  for select to authenticated
  using (tenant_id = any (array(select private.tenants_with('newsletters.read'))));

grant select on
  public.newsletters, public.newsletters_variants, public.newsletters_segments, public.newsletters_tags,
  public.newsletters_templates, public.newsletters_recurring, public.newsletters_sequences,
  public.newsletters_steps
to authenticated, service_role;
