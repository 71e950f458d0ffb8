-- Moderation, acts: reporting and deciding.

create function private.moderation_moderators(tenant_id uuid, extra uuid[], without uuid[])
returns uuid[]
language sql
stable
security definer -- reads members past their policies
set search_path = ''
as $$
  select coalesce(array_agg(distinct m.person_id), '{}')
  from public.members m
  where m.tenant_id = moderation_moderators.tenant_id and m.status = 'active'
    and m.person_id <> all (coalesce(moderation_moderators.without, '{}'))
    and (
      m.person_id = any (coalesce(moderation_moderators.extra, '{}'))
      or exists (
        select from public.role_permissions rp
        where rp.tenant_id = m.tenant_id and rp.role = m.role and rp.permission = 'moderation.review'
      )
    );
$$;
comment on function private.moderation_moderators(uuid, uuid[], uuid[]) is
  'Who is told: the tenant''s moderators and those of the place, but not who is concerned themselves.';

create function private.moderation_call(kind text, what text)
returns text
language plpgsql
stable
security definer -- nobody else reads the kinds
set search_path = ''
as $$
#variable_conflict use_column
declare
  v_kind private.moderation_kinds;
begin
  select * into v_kind from private.moderation_kinds k where k.kind = moderation_call.kind;
  return format('private.%I', case what
    when 'describe' then v_kind.describe when 'remove' then v_kind.remove else v_kind.restore end);
end;
$$;
comment on function private.moderation_call(text, text) is
  'The function that a capability declared for its kind: describe, remove or restore.';

create function private.moderation_place(tenant_id uuid, kind text, subject uuid)
returns uuid
language plpgsql
stable
security definer -- calls the capability that owns the thing
set search_path = ''
as $$
#variable_conflict use_column
declare
  v_function name;
  v_place uuid;
begin
  select k.place into v_function from private.moderation_kinds k where k.kind = moderation_place.kind;
  if v_function is not null then
    execute format('select private.%I($1, $2)', v_function)
      into v_place using moderation_place.tenant_id, moderation_place.subject;
  end if;
  return v_place;
end;
$$;
comment on function private.moderation_place(uuid, text, uuid) is 'The group that the thing stands in; null: in none.';

create function public.moderation_report(
  tenant_id uuid, kind text, subject uuid, reason text, note text default null
)
returns public.moderation_reports
language plpgsql
volatile
security definer -- clients may not write reports
set search_path = ''
as $$
#variable_conflict use_column
declare
  v_me uuid := private.require(moderation_report.tenant_id, 'moderation.report');
  v_described jsonb;
  v_subject private.moderation_subject;
  v_case public.moderation_cases;
  v_report public.moderation_reports;
begin
  if moderation_report.reason is null or moderation_report.reason not in (
    'spam', 'harassment', 'hate', 'sexual', 'violence', 'self_harm', 'fraud', 'privacy', 'other'
  ) then
    raise sqlstate 'PT422' using message = 'request.invalid', detail = 'reason';
  elsif char_length(moderation_report.note) > 1000 then
    raise sqlstate 'PT422' using message = 'request.invalid', detail = 'note';
  elsif not exists (select from private.moderation_kinds k where k.kind = moderation_report.kind) then
    raise sqlstate 'PT422' using message = 'moderation.kind_unknown';
  end if;
  perform private.require_rate('moderation-report:' || moderation_report.tenant_id || ':' || v_me, 30, interval '1 hour');
  execute format('select to_jsonb(%s($1, $2, $3))', private.moderation_call(moderation_report.kind, 'describe'))
    into v_described using moderation_report.tenant_id, moderation_report.subject, v_me;
  v_subject := jsonb_populate_record(null::private.moderation_subject, v_described);
  if v_subject.author_id is null then
    raise sqlstate 'PT404' using message = 'moderation.subject_not_found';
  end if;

  insert into public.moderation_cases as c (tenant_id, kind, subject_id, author_id, place_id, excerpt)
  values (
    moderation_report.tenant_id, moderation_report.kind, moderation_report.subject, v_subject.author_id,
    private.moderation_place(moderation_report.tenant_id, moderation_report.kind, moderation_report.subject),
    left(v_subject.excerpt, 500)
  )
  on conflict (tenant_id, kind, subject_id) where status = 'open' do update set reports = c.reports
  returning * into v_case;
  insert into public.moderation_reports (tenant_id, case_id, reporter_id, reason, note)
  values (v_case.tenant_id, v_case.id, v_me, moderation_report.reason, nullif(btrim(moderation_report.note), ''))
  on conflict do nothing
  returning * into v_report;
  if not found then
    select * into v_report from public.moderation_reports r
    where r.tenant_id = v_case.tenant_id and r.case_id = v_case.id and r.reporter_id = v_me;
    return v_report;
  end if;
  update public.moderation_cases c set reports = c.reports + 1
  where c.tenant_id = v_case.tenant_id and c.id = v_case.id;
  perform private.audit(
    'MODERATION_REPORTED', 'moderation_cases:' || v_case.id, null,
    jsonb_build_object('kind', v_case.kind, 'subject', v_case.subject_id, 'reason', v_report.reason),
    v_case.tenant_id, v_me
  );
  perform private.moderation_alert(v_case, 'reported', v_subject.moderators, array[v_me, v_case.author_id]);
  return v_report;
end;
$$;
comment on function public.moderation_report(uuid, text, uuid, text, text) is
  'Reports a thing the caller sees to the moderators; a second report of theirs is answered with the first (permission moderation.report). Raises moderation.kind_unknown, moderation.subject_not_found, limits.exceeded, request.invalid.';
grant execute on function public.moderation_report(uuid, text, uuid, text, text) to authenticated;

create function private.moderation_alert(matter public.moderation_cases, what text, extra uuid[], without uuid[])
returns void
language plpgsql
volatile
security definer -- nobody else tells moderators
set search_path = ''
as $$
declare
  v_people uuid[] := private.moderation_moderators(matter.tenant_id, extra, without);
begin
  perform private.notify_all(
    v_people, 'moderation.' || what,
    jsonb_build_object('case_id', matter.id, 'subject_kind', matter.kind), matter.tenant_id
  );
  perform private.announce_to(
    v_people, 'moderation:' || what,
    jsonb_build_object('tenant_id', matter.tenant_id, 'case_id', matter.id, 'kind', matter.kind),
    'moderation.report'
  );
end;
$$;
comment on function private.moderation_alert(public.moderation_cases, text, uuid[], uuid[]) is
  'Tells moderators of a case, in their inbox and live.';

create function private.moderation_notice(matter public.moderation_cases)
returns jsonb
language plpgsql
stable
security definer -- reads tenants past their policies
set search_path = ''
as $$
#variable_conflict use_column
begin
  return jsonb_strip_nulls(jsonb_build_object(
    'case_id', matter.id, 'about', 'moderation_cases:' || matter.id,
    'link', (
      select rtrim(t.app_url, '/') || '/moderation/' || matter.id from public.tenants t where t.id = matter.tenant_id
    )
  ));
end;
$$;
comment on function private.moderation_notice(public.moderation_cases) is
  'The values of a notice to whom a case concerns: its id, and where the tenant''s app shows it.';

create function private.moderation_lock(tenant_id uuid, case_id uuid)
returns public.moderation_cases
language plpgsql
volatile
security definer -- locks a case past its policies
set search_path = ''
as $$
#variable_conflict use_column
declare
  v_case public.moderation_cases;
begin
  select * into v_case from public.moderation_cases c
  where c.tenant_id = moderation_lock.tenant_id and c.id = moderation_lock.case_id
  for no key update;
  if not found then
    raise sqlstate 'PT404' using message = 'moderation.case_not_found';
  end if;
  return v_case;
end;
$$;
comment on function private.moderation_lock(uuid, uuid) is 'The case, locked. Raises moderation.case_not_found.';

create function private.moderation_carry_out(matter public.moderation_cases, action text)
returns void
language plpgsql
volatile
security definer -- calls the capability that owns the thing
set search_path = ''
as $$
declare
  v_snapshot jsonb;
  v_reason text := coalesce(left(matter.note, 1000), matter.kind);
begin
  -- What is decided about a person goes by the door for that: it asks for members.manage and for a role
  -- above theirs, keeps the decision, tells them, and takes their appeal (admin_appeal).
  if moderation_carry_out.action = 'warn' then
    perform public.admin_warn(matter.tenant_id, matter.author_id, v_reason);
  elsif moderation_carry_out.action = 'suspend' then
    perform public.members_set_status(matter.tenant_id, matter.author_id, 'suspended', v_reason);
  elsif moderation_carry_out.action = 'remove' then
    execute format('select %s($1, $2)', private.moderation_call(matter.kind, 'remove'))
      into v_snapshot using matter.tenant_id, matter.subject_id;
    insert into private.moderation_kept (tenant_id, case_id, snapshot)
    values (matter.tenant_id, matter.id, coalesce(v_snapshot, '{}'));
  end if;
end;
$$;
comment on function private.moderation_carry_out(public.moderation_cases, text) is
  'Does what was decided: removes the thing, or warns or suspends its author by admin''s own doors.';

create function private.moderation_require(tenant_id uuid, case_id uuid)
returns uuid
language plpgsql
stable
security definer -- reads cases past their policies
set search_path = ''
as $$
#variable_conflict use_column
declare
  v_me uuid := private.person();
  v_place uuid := (
    select c.place_id from public.moderation_cases c
    where c.tenant_id = moderation_require.tenant_id and c.id = moderation_require.case_id
  );
begin
  if private.can(moderation_require.tenant_id, 'groups.read')
    and private.groups_moderates(moderation_require.tenant_id, v_place, v_me)
  then
    return v_me;
  end if;
  return private.require(moderation_require.tenant_id, 'moderation.review');
end;
$$;
comment on function private.moderation_require(uuid, uuid) is
  'The caller, if the case is theirs to decide: a moderator of the tenant, or of the group it stands in. Raises what require raises.';

create function public.moderation_decide(tenant_id uuid, case_id uuid, action text, note text default null)
returns public.moderation_cases
language plpgsql
volatile
security definer -- clients may not write cases
set search_path = ''
as $$
#variable_conflict use_column
declare
  v_me uuid := private.moderation_require(moderation_decide.tenant_id, moderation_decide.case_id);
  v_case public.moderation_cases :=
    private.moderation_lock(moderation_decide.tenant_id, moderation_decide.case_id);
  v_action text := nullif(moderation_decide.action, 'dismiss');
begin
  if moderation_decide.action is null or moderation_decide.action not in ('dismiss', 'warn', 'remove', 'suspend') then
    raise sqlstate 'PT422' using message = 'request.invalid', detail = 'action: dismiss, warn, remove or suspend';
  elsif char_length(moderation_decide.note) > 2000 then
    raise sqlstate 'PT422' using message = 'request.invalid', detail = 'note';
  elsif v_case.author_id = v_me then
    raise sqlstate 'PT403' using message = 'moderation.own_case';
  elsif v_case.status <> 'open' then
    raise sqlstate 'PT409' using
      message = 'request.transition_refused', detail = 'moderation_cases: ' || v_case.status;
  end if;
  update public.moderation_cases c
  set status = case when v_action is null then 'dismissed' else 'actioned' end, action = v_action,
    decided_by = v_me, decided_at = now(), note = nullif(btrim(moderation_decide.note), '')
  where c.tenant_id = v_case.tenant_id and c.id = v_case.id
  returning * into v_case;
  perform private.moderation_carry_out(v_case, v_action);
  perform private.audit(
    'MODERATION_DECIDED', 'moderation_cases:' || v_case.id, null,
    jsonb_build_object('action', moderation_decide.action), v_case.tenant_id, v_me
  );
  if v_action = 'remove' then
    perform private.notify(
      v_case.author_id, 'moderation.decided',
      private.moderation_notice(v_case), v_case.tenant_id
    );
  end if;
  perform private.notify_all(
    array(
      select r.reporter_id from public.moderation_reports r
      where r.tenant_id = v_case.tenant_id and r.case_id = v_case.id
    ),
    'moderation.closed', jsonb_build_object('about', 'moderation_cases:' || v_case.id), v_case.tenant_id
  );
  return v_case;
end;
$$;
comment on function public.moderation_decide(uuid, uuid, text, text) is
  'Decides an open case: dismiss it, remove the thing, or warn or suspend its author, which takes members.manage, too (permission moderation.review, or moderating the group it stands in). Author and reporters are told. Raises moderation.case_not_found, moderation.own_case, request.transition_refused, request.invalid, members.*.';
grant execute on function public.moderation_decide(uuid, uuid, text, text) to authenticated;
