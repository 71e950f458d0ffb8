-- Newsletters, writing: drafts, templates, and a look at them before anybody else gets them.

create function private.newsletters_check_content(content jsonb)
returns void
language plpgsql
immutable
security invoker
set search_path = ''
as $$
declare
  v_fault text := private.notifications_document_fault(newsletters_check_content.content);
begin
  if v_fault is not null then
    raise sqlstate 'PT422' using message = 'request.invalid', detail = 'content.' || v_fault;
  end if;
end;
$$;
comment on function private.newsletters_check_content(jsonb) is
  'Raises request.invalid for what is no document { subject, preview?, greeting?, blocks }, with the place as detail.';

create function private.newsletters_check_segment(tenant_id uuid, segment_id uuid)
returns void
language plpgsql
stable
security definer -- reads segments past their policies
set search_path = ''
as $$
#variable_conflict use_column
begin
  if newsletters_check_segment.segment_id is not null and not exists (
    select from public.newsletters_segments s
    where s.tenant_id = newsletters_check_segment.tenant_id and s.id = newsletters_check_segment.segment_id
  ) then
    raise sqlstate 'PT404' using message = 'newsletters.segment_not_found';
  end if;
end;
$$;
comment on function private.newsletters_check_segment(uuid, uuid) is
  'Raises newsletters.segment_not_found; null is everybody.';

create function private.newsletters_lock(tenant_id uuid, newsletter_id uuid)
returns public.newsletters
language plpgsql
volatile
security definer -- locks newsletters past their policies
set search_path = ''
as $$
#variable_conflict use_column
declare
  v_newsletter public.newsletters;
begin
  select * into v_newsletter from public.newsletters n
  where n.tenant_id = newsletters_lock.tenant_id and n.id = newsletters_lock.newsletter_id
  for no key update;
  if not found then
    raise sqlstate 'PT404' using message = 'newsletters.not_found';
  end if;
  return v_newsletter;
end;
$$;
comment on function private.newsletters_lock(uuid, uuid) is 'The newsletter, locked. Raises newsletters.not_found.';

create function private.newsletters_check_test(subjects text[], test_share integer, test_hours integer)
returns void
language plpgsql
immutable
security invoker
set search_path = ''
as $$
declare
  v_fault text := case
    when cardinality(subjects) > 3 then 'subjects: three at most beside that of the content'
    when exists (
      select from unnest(subjects) s (subject) where coalesce(char_length(btrim(s.subject)), 0) not between 1 and 200
    ) then 'subjects'
    when coalesce(test_share not between 5 and 50, true) then 'test_share: 5 to 50'
    when coalesce(test_hours not between 1 and 72, true) then 'test_hours: 1 to 72'
  end;
begin
  if v_fault is not null then
    raise sqlstate 'PT422' using message = 'request.invalid', detail = v_fault;
  end if;
end;
$$;
comment on function private.newsletters_check_test(text[], integer, integer) is
  'Raises request.invalid for a test of subjects that cannot be.';

create function public.newsletters_save(
  tenant_id uuid,
  name text,
  content jsonb,
  newsletter_id uuid default null,
  segment_id uuid default null,
  subjects text[] default '{}',
  test_share integer default 20,
  test_hours integer default 4,
  version integer default null
)
returns public.newsletters
language plpgsql
volatile
security definer -- clients may not write newsletters
set search_path = ''
as $$
#variable_conflict use_column
declare
  v_me uuid := private.require(newsletters_save.tenant_id, 'newsletters.write');
  v_subjects text[] := coalesce(newsletters_save.subjects, '{}');
  v_newsletter public.newsletters;
begin
  perform private.newsletters_check_name(newsletters_save.name, 120);
  perform private.newsletters_check_content(newsletters_save.content);
  perform private.newsletters_check_test(v_subjects, newsletters_save.test_share, newsletters_save.test_hours);
  perform private.newsletters_check_segment(newsletters_save.tenant_id, newsletters_save.segment_id);
  if newsletters_save.newsletter_id is null then
    insert into public.newsletters (
      tenant_id, name, content, segment_id, subjects, test_share, test_hours, created_by
    )
    values (
      newsletters_save.tenant_id, btrim(newsletters_save.name), newsletters_save.content,
      newsletters_save.segment_id, v_subjects, newsletters_save.test_share, newsletters_save.test_hours, v_me
    )
    returning * into v_newsletter;
    return v_newsletter;
  end if;
  v_newsletter := private.newsletters_lock(newsletters_save.tenant_id, newsletters_save.newsletter_id);
  if v_newsletter.status <> 'draft' then
    raise sqlstate 'PT409' using
      message = 'request.transition_refused', detail = 'newsletters: ' || v_newsletter.status;
  elsif newsletters_save.version <> v_newsletter.version then
    raise sqlstate 'PT412' using message = 'request.precondition_failed', detail = v_newsletter.version::text;
  end if;
  update public.newsletters n
  set name = btrim(newsletters_save.name), content = newsletters_save.content,
    segment_id = newsletters_save.segment_id, subjects = v_subjects,
    test_share = newsletters_save.test_share, test_hours = newsletters_save.test_hours
  where n.tenant_id = v_newsletter.tenant_id and n.id = v_newsletter.id
  returning * into v_newsletter;
  return v_newsletter;
end;
$$;
comment on function public.newsletters_save(uuid, text, jsonb, uuid, uuid, text[], integer, integer, integer) is
  'Begins a newsletter, or changes a draft: content is { subject, preview?, greeting?, blocks } of text alone, segment_id null everybody, subjects others to try on test_share percent for test_hours, version the one that was read (permission newsletters.write). Raises newsletters.not_found, newsletters.segment_not_found, request.transition_refused, request.precondition_failed, request.invalid.';
grant execute on function public.newsletters_save(uuid, text, jsonb, uuid, uuid, text[], integer, integer, integer)
  to authenticated;

create function public.newsletters_save_template(
  tenant_id uuid, name text, content jsonb, template_id uuid default null
)
returns public.newsletters_templates
language plpgsql
volatile
security definer -- clients may not write templates
set search_path = ''
as $$
#variable_conflict use_column
declare
  v_template public.newsletters_templates;
begin
  perform private.require(newsletters_save_template.tenant_id, 'newsletters.write');
  perform private.newsletters_check_name(newsletters_save_template.name, 80);
  perform private.newsletters_check_content(newsletters_save_template.content);
  if newsletters_save_template.template_id is null then
    insert into public.newsletters_templates (tenant_id, name, content)
    values (
      newsletters_save_template.tenant_id, btrim(newsletters_save_template.name),
      newsletters_save_template.content
    )
    returning * into v_template;
  else
    update public.newsletters_templates t
    set name = btrim(newsletters_save_template.name), content = newsletters_save_template.content
    where t.tenant_id = newsletters_save_template.tenant_id and t.id = newsletters_save_template.template_id
    returning * into v_template;
    if not found then
      raise sqlstate 'PT404' using message = 'newsletters.template_not_found';
    end if;
  end if;
  return v_template;
exception when unique_violation then
  raise sqlstate 'PT409' using message = 'newsletters.name_taken';
end;
$$;
comment on function public.newsletters_save_template(uuid, text, jsonb, uuid) is
  'Keeps a document to begin newsletters with, or changes one (permission newsletters.write). Raises newsletters.template_not_found, newsletters.name_taken, request.invalid.';
grant execute on function public.newsletters_save_template(uuid, text, jsonb, uuid) to authenticated;

create function public.newsletters_delete_template(tenant_id uuid, template_id uuid)
returns public.newsletters_templates
language plpgsql
volatile
security definer -- clients may not write templates
set search_path = ''
as $$
#variable_conflict use_column
declare
  v_template public.newsletters_templates;
begin
  perform private.require(newsletters_delete_template.tenant_id, 'newsletters.write');
  delete from public.newsletters_templates t
  where t.tenant_id = newsletters_delete_template.tenant_id and t.id = newsletters_delete_template.template_id
  returning * into v_template;
  if not found then
    raise sqlstate 'PT404' using message = 'newsletters.template_not_found';
  end if;
  return v_template;
end;
$$;
comment on function public.newsletters_delete_template(uuid, uuid) is
  'Deletes a template; newsletters begun with it keep their words (permission newsletters.write). Raises newsletters.template_not_found.';
grant execute on function public.newsletters_delete_template(uuid, uuid) to authenticated;

create function public.newsletters_send_test(tenant_id uuid, newsletter_id uuid)
returns public.newsletters
language plpgsql
volatile
security definer -- nobody else writes documents
set search_path = ''
as $$
declare
  v_me uuid := private.require(newsletters_send_test.tenant_id, 'newsletters.write');
  v_newsletter public.newsletters :=
    private.newsletters_lock(newsletters_send_test.tenant_id, newsletters_send_test.newsletter_id);
  v_document uuid := private.uuid_v7();
begin
  perform private.require_rate('newsletters-test:' || v_newsletter.tenant_id || ':' || v_me, 20, interval '1 hour');
  -- A document of its own: what is changed afterwards is not what was looked at.
  perform private.notify_document(v_newsletter.tenant_id, v_document, 'newsletters.test', v_newsletter.content);
  perform private.notify_bulk(v_newsletter.tenant_id, v_document, array[v_me]);
  return v_newsletter;
end;
$$;
comment on function public.newsletters_send_test(uuid, uuid) is
  'Mails a newsletter, as it is now, to the caller alone; nothing of that is counted (permission newsletters.write). Raises newsletters.not_found, limits.exceeded.';
grant execute on function public.newsletters_send_test(uuid, uuid) to authenticated;

create function public.newsletters_preview(tenant_id uuid, newsletter_id uuid)
returns jsonb
language plpgsql
stable
security definer -- reads newsletters and tenants past their policies
set search_path = ''
as $$
#variable_conflict use_column
declare
  v_me uuid := private.require(newsletters_preview.tenant_id, 'newsletters.read');
  v_preview jsonb;
begin
  select jsonb_build_object(
    'template', 'newsletters.issue', 'locale', coalesce(p.locale, t.locale),
    'brand', private.notifications_brand(t), 'document', n.content, 'name', m.display_name,
    'subjects', to_jsonb((n.content ->> 'subject') || n.subjects)
  )
  into v_preview
  from public.newsletters n
  join public.tenants t on t.id = n.tenant_id
  join public.members m on m.tenant_id = n.tenant_id and m.person_id = v_me
  join public.people p on p.id = m.person_id
  where n.tenant_id = newsletters_preview.tenant_id and n.id = newsletters_preview.newsletter_id;
  if v_preview is null then
    raise sqlstate 'PT404' using message = 'newsletters.not_found';
  end if;
  return v_preview;
end;
$$;
comment on function public.newsletters_preview(uuid, uuid) is
  'What a mail of the newsletter to the caller would be made of, for the function api to render (permission newsletters.read). Raises newsletters.not_found.';
grant execute on function public.newsletters_preview(uuid, uuid) to authenticated;
