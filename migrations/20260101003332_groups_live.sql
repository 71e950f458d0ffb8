-- Groups, live: private-group-{id} is the channel of a group's members. On it go ids and kinds of what
-- happened; what was said is read under row level security, so an ended membership hears nothing more.

create function private.groups_hears(topic text)
returns boolean
language plpgsql
stable
security definer -- asked by realtime's policies, for whatever topic a client names
set search_path = ''
as $$
begin
  return exists (select from private.groups_mine() m (id) where topic = 'private-group-' || m.id);
end;
$$;
comment on function private.groups_hears(text) is 'Whether the caller is in the group whose channel it is.';

create function private.groups_signal(tenant_id uuid, group_id uuid, event text, payload jsonb)
returns void
language plpgsql
volatile
security definer -- clients may not write realtime.messages
set search_path = ''
as $$
begin
  perform realtime.send(
    groups_signal.payload || jsonb_build_object(
      'tenant_id', groups_signal.tenant_id, 'group_id', groups_signal.group_id
    ),
    groups_signal.event, 'private-group-' || groups_signal.group_id, true
  );
end;
$$;
comment on function private.groups_signal(uuid, uuid, text, jsonb) is
  'Says on the group''s channel that something happened: ids and kinds, never what was said.';

create function private.groups_signal_post()
returns trigger
language plpgsql
volatile
security definer -- clients may not write realtime.messages
set search_path = ''
as $$
begin
  perform private.groups_signal(
    new.tenant_id, new.group_id,
    case
      when tg_op = 'INSERT' then 'groups:posted'
      when new.deleted_at is not null then 'groups:deleted'
      else 'groups:edited'
    end,
    jsonb_strip_nulls(jsonb_build_object('post_id', new.id, 'thread_id', new.thread_id, 'kind', new.kind))
  );
  return null;
end;
$$;
comment on function private.groups_signal_post() is 'After something was written, changed or deleted in a group: says so there.';

create trigger groups_posts_signal_new after insert on public.groups_posts
  for each row execute function private.groups_signal_post();
create trigger groups_posts_signal_changed after update of version on public.groups_posts
  for each row execute function private.groups_signal_post();

create function private.groups_signal_group()
returns trigger
language plpgsql
volatile
security definer -- clients may not write realtime.messages
set search_path = ''
as $$
begin
  perform private.groups_signal(new.tenant_id, new.id, 'groups:changed', jsonb_build_object('version', new.version));
  return null;
end;
$$;
comment on function private.groups_signal_group() is 'After a group was changed: says so there.';

create trigger groups_signal after update of name, description, visibility, status on public.groups
  for each row execute function private.groups_signal_group();

create function private.groups_signal_file()
returns trigger
language plpgsql
volatile
security definer -- clients may not write realtime.messages
set search_path = ''
as $$
begin
  perform private.groups_signal(
    coalesce(new.tenant_id, old.tenant_id), coalesce(new.group_id, old.group_id),
    case tg_op when 'INSERT' then 'groups:file_shared' else 'groups:file_unshared' end,
    jsonb_build_object('file_id', coalesce(new.file_id, old.file_id))
  );
  return null;
end;
$$;
comment on function private.groups_signal_file() is 'After a file was shared or taken out: says so in the group.';

create trigger groups_files_signal after insert or delete on public.groups_files
  for each row execute function private.groups_signal_file();

create function private.groups_signal_member()
returns trigger
language plpgsql
volatile
security definer -- clients may not write realtime.messages
set search_path = ''
as $$
begin
  -- Who asks or is invited is for the moderators to read; the channel hears who is in it.
  if new.status = 'active' or (tg_op = 'UPDATE' and old.status = 'active') then
    perform private.groups_signal(
      new.tenant_id, new.group_id, case new.status when 'active' then 'groups:member' else 'groups:member_gone' end,
      jsonb_build_object('person_id', new.person_id, 'role', new.role)
    );
  end if;
  if tg_op = 'INSERT' or new.status <> old.status or new.role <> old.role then
    perform private.announce(
      new.person_id, 'groups:membership',
      jsonb_build_object(
        'tenant_id', new.tenant_id, 'group_id', new.group_id, 'status', new.status, 'role', new.role
      )
    );
  end if;
  return null;
end;
$$;
comment on function private.groups_signal_member() is
  'After somebody came, went or got another role: says so in the group, and to themselves.';

create trigger groups_members_signal after insert or update of status, role on public.groups_members
  for each row execute function private.groups_signal_member();
