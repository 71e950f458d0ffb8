-- Groups, posts: discussions with replies, announcements, and files that members share.

create table public.groups_posts (
  tenant_id uuid not null,
  id uuid not null default private.uuid_v7(),
  group_id uuid not null,
  thread_id uuid,
  author_id uuid not null,
  kind text not null check (kind in ('thread', 'announcement', 'reply')),
  title text check (char_length(btrim(title)) between 1 and 200),
  body text check (char_length(body) between 1 and 20000),
  client_id text check (char_length(client_id) between 1 and 64),
  pinned boolean not null default false,
  locked boolean not null default false,
  replies integer not null default 0 check (replies >= 0),
  version integer not null default 1,
  created_at timestamptz not null default now(),
  last_at timestamptz not null default now(),
  edited_at timestamptz,
  deleted_at timestamptz,
  primary key (tenant_id, id),
  check ((kind = 'reply') = (thread_id is not null)),
  check (kind <> 'reply' or title is null),
  check ((body is null) = (deleted_at is not null)),
  foreign key (tenant_id, group_id) references public.groups (tenant_id, id) on delete cascade,
  foreign key (tenant_id, thread_id) references public.groups_posts (tenant_id, id) on delete cascade
) with (fillfactor = 90);
comment on table public.groups_posts is
  'What is written in groups: threads, announcements of its moderators, and replies to either. Deleted they keep their place and lose what they said.';
comment on column public.groups_posts.last_at is 'When something was last said in the thread.';
comment on column public.groups_posts.client_id is 'The client''s own id: sent again, it is answered with the first one.';
create index groups_posts_threads on public.groups_posts (tenant_id, group_id, last_at desc, id desc)
  where thread_id is null;
create index groups_posts_new on public.groups_posts (tenant_id, group_id, created_at) where thread_id is null;
create index groups_posts_replies on public.groups_posts (tenant_id, thread_id, id) where thread_id is not null;
create unique index groups_posts_author on public.groups_posts (tenant_id, author_id, group_id, client_id);

create table public.groups_files (
  tenant_id uuid not null,
  group_id uuid not null,
  file_id uuid not null,
  added_by uuid not null,
  created_at timestamptz not null default now(),
  primary key (tenant_id, group_id, file_id),
  foreign key (tenant_id, group_id) references public.groups (tenant_id, id) on delete cascade,
  foreign key (tenant_id, file_id) references public.files (tenant_id, id) on delete cascade
);
comment on table public.groups_files is 'Files that members share in a group: who reads there sees them.';
create index groups_files_file on public.groups_files (tenant_id, file_id);

create function private.groups_count_thread()
returns trigger
language plpgsql
volatile
security definer -- nobody else writes the counters
set search_path = ''
as $$
#variable_conflict use_column
declare
  v_change integer := case tg_op when 'INSERT' then 1
    else (old.deleted_at is not null)::integer - (new.deleted_at is not null)::integer end;
begin
  if new.thread_id is null then
    update public.groups g set threads = g.threads + v_change
    where g.tenant_id = new.tenant_id and g.id = new.group_id;
  else
    update public.groups_posts p
    set replies = p.replies + v_change,
      last_at = case tg_op when 'INSERT' then greatest(p.last_at, new.created_at) else p.last_at end
    where p.tenant_id = new.tenant_id and p.id = new.thread_id;
  end if;
  return null;
end;
$$;
comment on function private.groups_count_thread() is
  'After something was written or deleted: keeps the group''s threads, a thread''s replies and when it last spoke.';

create trigger groups_posts_count_new after insert on public.groups_posts
  for each row execute function private.groups_count_thread();
create trigger groups_posts_count_deleted after update of deleted_at on public.groups_posts
  for each row when ((old.deleted_at is null) <> (new.deleted_at is null))
  execute function private.groups_count_thread();

-- Row level security: what is in a group is read by its members, and in a public one by everybody but
-- those who were banned from it. Of two of whom one
-- blocked the other neither reads the other, but where they speak for the group.
alter table public.groups_posts enable row level security;
create policy groups_posts_select_reader on public.groups_posts
  for select to authenticated
  using (
    tenant_id = any (array(select private.tenants_with('groups.read')))
    and (
      group_id = any (array(select private.groups_mine()))
      or (
        group_id <> all (array(select private.groups_barred()))
        and exists (
          select from public.groups g
          where g.tenant_id = groups_posts.tenant_id and g.id = groups_posts.group_id
            and g.visibility = 'public' and g.status = 'active'
        )
      )
    )
    and (
      kind = 'announcement'
      or (tenant_id, author_id) not in (select b.tenant_id, b.blocked_id from private.messaging_blocked_pairs() b)
    )
  );

alter table public.groups_files enable row level security;
create policy groups_files_select_reader on public.groups_files
  for select to authenticated
  using (
    tenant_id = any (array(select private.tenants_with('groups.read')))
    and (
      group_id = any (array(select private.groups_mine()))
      or (
        group_id <> all (array(select private.groups_barred()))
        and exists (
          select from public.groups g
          where g.tenant_id = groups_files.tenant_id and g.id = groups_files.group_id
            and g.visibility = 'public' and g.status = 'active'
        )
      )
    )
  );
grant select on public.groups_posts, public.groups_files to authenticated, service_role;

-- A file in attachments is its owner's until a message carries it or a group shares it.
alter policy files_select_member on public.files
  using (
    tenant_id = any (array(select private.tenants_with('tenants.read')))
    and status <> 'deleted'
    and (
      person_id = (select private.person())
      or (
        bucket in ('avatars', 'images') and status = 'released'
        and tenant_id = any (array(select private.tenants_with('files.read')))
      )
      or (
        bucket not in ('exports', 'attachments') and status <> 'pending' and not sealed
        and tenant_id = any (array(select private.tenants_with('files.review')))
      )
      or (
        bucket = 'attachments' and status = 'released' and (
          exists (
            select from public.messaging_attachments a
            where a.tenant_id = files.tenant_id and a.file_id = files.id
          )
          or exists (
            select from public.groups_files s
            where s.tenant_id = files.tenant_id and s.file_id = files.id
          )
        )
      )
    )
  );
