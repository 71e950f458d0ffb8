-- Moderation, appeals: whose thing was removed may say once why that is wrong, and another moderator
-- than the first decides. Overturned, it is there again. A warning or suspension is appealed where it
-- was decided: admin_appeal.

create function public.moderation_appeal(tenant_id uuid, case_id uuid, statement text)
returns public.moderation_cases
language plpgsql
volatile
security definer -- clients may not write cases
set search_path = ''
as $$
#variable_conflict use_column
declare
  -- Not private.require: who was suspended by the decision can appeal it all the same.
  v_me uuid := private.require_person();
  v_case public.moderation_cases;
begin
  if coalesce(moderation_appeal.statement !~ '\S' or char_length(moderation_appeal.statement) > 4000, true) then
    raise sqlstate 'PT422' using message = 'request.invalid', detail = 'statement: 1 to 4000 characters';
  elsif not exists (
    select from public.members m where m.tenant_id = moderation_appeal.tenant_id and m.person_id = v_me
  ) then
    raise sqlstate 'PT404' using message = 'tenants.not_found';
  end if;
  v_case := private.moderation_lock(moderation_appeal.tenant_id, moderation_appeal.case_id);
  if v_case.author_id <> v_me or v_case.status in ('open', 'dismissed') then
    raise sqlstate 'PT404' using message = 'moderation.case_not_found';
  elsif v_case.status <> 'actioned' or v_case.action <> 'remove' then
    raise sqlstate 'PT409' using
      message = 'request.transition_refused',
      detail = format('moderation_cases: %s, %s', v_case.status, v_case.action);
  elsif v_case.decided_at < now() - interval '30 days' then
    raise sqlstate 'PT409' using message = 'moderation.appeal_over';
  end if;
  update public.moderation_cases c
  set status = 'appealed', appeal = btrim(moderation_appeal.statement), appealed_at = now()
  where c.tenant_id = v_case.tenant_id and c.id = v_case.id
  returning * into v_case;
  perform private.audit('MODERATION_APPEALED', 'moderation_cases:' || v_case.id, null, null, v_case.tenant_id, v_me);
  perform private.moderation_alert(v_case, 'appealed', null, array[v_me, v_case.decided_by]);
  return v_case;
end;
$$;
comment on function public.moderation_appeal(uuid, uuid, text) is
  'Appeals the removal of something of the caller''s, within 30 days and once; a suspended member may. Raises tenants.not_found, moderation.case_not_found, moderation.appeal_over, request.transition_refused, request.invalid.';
grant execute on function public.moderation_appeal(uuid, uuid, text) to authenticated;

create function private.moderation_take_back(matter public.moderation_cases)
returns void
language plpgsql
volatile
security definer -- calls the capability that owns the thing
set search_path = ''
as $$
#variable_conflict use_column
declare
  v_snapshot jsonb;
begin
  select k.snapshot into v_snapshot from private.moderation_kept k
  where k.tenant_id = matter.tenant_id and k.case_id = matter.id;
  if found then
    execute format('select %s($1, $2, $3)', private.moderation_call(matter.kind, 'restore'))
      using matter.tenant_id, matter.subject_id, v_snapshot;
  end if;
end;
$$;
comment on function private.moderation_take_back(public.moderation_cases) is
  'Brings back what was removed, while it is kept.';

create function public.moderation_decide_appeal(
  tenant_id uuid, case_id uuid, uphold boolean, note text default null
)
returns public.moderation_cases
language plpgsql
volatile
security definer -- clients may not write cases
set search_path = ''
as $$
#variable_conflict use_column
declare
  v_me uuid := private.require(moderation_decide_appeal.tenant_id, 'moderation.review');
  v_case public.moderation_cases :=
    private.moderation_lock(moderation_decide_appeal.tenant_id, moderation_decide_appeal.case_id);
begin
  if moderation_decide_appeal.uphold is null or char_length(moderation_decide_appeal.note) > 2000 then
    raise sqlstate 'PT422' using message = 'request.invalid', detail = 'uphold, note';
  elsif v_case.author_id = v_me or v_case.decided_by = v_me then
    raise sqlstate 'PT403' using message = 'moderation.own_case';
  elsif v_case.status <> 'appealed' then
    raise sqlstate 'PT409' using
      message = 'request.transition_refused', detail = 'moderation_cases: ' || v_case.status;
  end if;
  update public.moderation_cases c
  set status = case when moderation_decide_appeal.uphold then 'upheld' else 'overturned' end,
    appeal_decided_by = v_me, appeal_decided_at = now(),
    appeal_note = nullif(btrim(moderation_decide_appeal.note), '')
  where c.tenant_id = v_case.tenant_id and c.id = v_case.id
  returning * into v_case;
  if not moderation_decide_appeal.uphold then
    perform private.moderation_take_back(v_case);
  end if;
  delete from private.moderation_kept k where k.tenant_id = v_case.tenant_id and k.case_id = v_case.id;
  perform private.audit(
    'MODERATION_APPEAL_DECIDED', 'moderation_cases:' || v_case.id, null,
    jsonb_build_object('status', v_case.status), v_case.tenant_id, v_me
  );
  perform private.notify(
    v_case.author_id, 'moderation.appeal_decided',
    private.moderation_notice(v_case) || jsonb_build_object('outcome', v_case.status), v_case.tenant_id
  );
  return v_case;
end;
$$;
comment on function public.moderation_decide_appeal(uuid, uuid, boolean, text) is
  'Upholds a removal or overturns it, which brings back what was removed; never by who decided first (permission moderation.review). Raises moderation.case_not_found, moderation.own_case, request.transition_refused, request.invalid.';
grant execute on function public.moderation_decide_appeal(uuid, uuid, boolean, text) to authenticated;

create function private.moderation_forget()
returns integer
language plpgsql
volatile
security definer -- nobody else deletes what is kept
set search_path = ''
as $$
#variable_conflict use_column
declare
  v_count integer;
begin
  delete from private.moderation_kept k
  using public.moderation_cases c
  where c.tenant_id = k.tenant_id and c.id = k.case_id and c.status <> 'appealed'
    and k.created_at < now() - interval '30 days';
  get diagnostics v_count = row_count;
  return v_count;
end;
$$;
comment on function private.moderation_forget() is
  'Deletes what was removed for good, once no appeal can bring it back any more.';

select private.schedule('moderation-forget', '51 4 * * *', 'select private.moderation_forget()');
