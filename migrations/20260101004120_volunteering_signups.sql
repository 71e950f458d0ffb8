-- Volunteering, signing up: places go as they come, or by the hand of whoever runs it; never more than
-- there are.

select private.declare_notification('volunteering.' || what, group_key => 'opportunity_id')
from unnest(array['signed_up', 'accepted', 'declined', 'cancelled']) what;

create function private.volunteering_notice(opportunity public.volunteering_opportunities)
returns jsonb
language plpgsql
stable
security definer -- reads tenants past their policies
set search_path = ''
as $$
#variable_conflict use_column
begin
  return jsonb_strip_nulls(jsonb_build_object(
    'opportunity_id', opportunity.id, 'title', opportunity.title,
    'link', (
      select rtrim(t.app_url, '/') || '/volunteering/' || opportunity.id
      from public.tenants t where t.id = opportunity.tenant_id
    )
  ));
end;
$$;
comment on function private.volunteering_notice(public.volunteering_opportunities) is
  'The values of a notice about an opportunity.';

create function private.volunteering_move(
  opportunity public.volunteering_opportunities, signup public.volunteering_signups, status text
)
returns public.volunteering_signups
language plpgsql
volatile
security definer -- nobody else writes sign-ups
set search_path = ''
as $$
#variable_conflict use_column
declare
  v_signup public.volunteering_signups;
  v_change integer := (volunteering_move.status = 'accepted')::integer - (signup.status = 'accepted')::integer;
begin
  if signup.status = volunteering_move.status then
    raise sqlstate 'PT409' using
      message = 'request.transition_refused', detail = 'volunteering_signups: ' || signup.status;
  elsif opportunity.accepted + v_change > opportunity.capacity then
    raise sqlstate 'PT409' using message = 'volunteering.full';
  end if;
  update public.volunteering_signups s set status = volunteering_move.status
  where s.tenant_id = signup.tenant_id and s.opportunity_id = signup.opportunity_id and s.person_id = signup.person_id
  returning * into v_signup;
  update public.volunteering_opportunities o set accepted = o.accepted + v_change
  where o.tenant_id = opportunity.tenant_id and o.id = opportunity.id and v_change <> 0;
  return v_signup;
end;
$$;
comment on function private.volunteering_move(public.volunteering_opportunities, public.volunteering_signups, text) is
  'Moves a sign-up on, under the lock of its opportunity, and keeps its places. Raises volunteering.full, request.transition_refused.';

create function public.volunteering_sign_up(tenant_id uuid, opportunity uuid, note text default null)
returns public.volunteering_signups
language plpgsql
volatile
security definer -- clients may not write sign-ups
set search_path = ''
as $$
#variable_conflict use_column
declare
  v_me uuid := private.require(volunteering_sign_up.tenant_id, 'volunteering.help');
  v_opportunity public.volunteering_opportunities :=
    private.volunteering_lock(volunteering_sign_up.tenant_id, volunteering_sign_up.opportunity, v_me);
  v_signup public.volunteering_signups;
  v_new boolean;
  v_note text := nullif(btrim(volunteering_sign_up.note), '');
begin
  if char_length(v_note) > 500 then
    raise sqlstate 'PT422' using message = 'request.invalid', detail = 'note: at most 500 characters';
  elsif v_opportunity.status <> 'open' or v_opportunity.ends_at <= now() then
    raise sqlstate 'PT409' using message = 'volunteering.closed';
  end if;
  perform private.require_rate(
    'volunteering-sign-up:' || v_opportunity.tenant_id || ':' || v_me, 60, interval '1 hour'
  );
  insert into public.volunteering_signups (tenant_id, opportunity_id, person_id)
  values (v_opportunity.tenant_id, v_opportunity.id, v_me)
  on conflict do nothing;
  v_new := found;
  update public.volunteering_signups s set note = v_note
  where s.tenant_id = v_opportunity.tenant_id and s.opportunity_id = v_opportunity.id and s.person_id = v_me
  returning * into v_signup;
  if v_signup.status in ('accepted', 'declined')
    or (v_signup.status = 'applied' and v_opportunity.by_hand and not v_new)
  then
    return v_signup;
  end if;
  if v_signup.status = 'withdrawn' or not v_opportunity.by_hand then
    v_signup := private.volunteering_move(
      v_opportunity, v_signup, case when v_opportunity.by_hand then 'applied' else 'accepted' end
    );
  end if;
  if v_opportunity.organiser_id <> v_me then
    perform private.notify(
      v_opportunity.organiser_id, 'volunteering.signed_up', private.volunteering_notice(v_opportunity),
      v_opportunity.tenant_id
    );
  end if;
  return v_signup;
end;
$$;
comment on function public.volunteering_sign_up(uuid, uuid, text) is
  'Offers to help: accepted at once where there is room, or when whoever runs it says so (permission volunteering.help). Again, it is answered with what stands. Raises volunteering.not_found, volunteering.closed, volunteering.full, limits.exceeded, request.invalid.';
grant execute on function public.volunteering_sign_up(uuid, uuid, text) to authenticated;

create function public.volunteering_withdraw(tenant_id uuid, opportunity uuid)
returns public.volunteering_signups
language plpgsql
volatile
security definer -- clients may not write sign-ups
set search_path = ''
as $$
#variable_conflict use_column
declare
  v_me uuid := private.require(volunteering_withdraw.tenant_id, 'volunteering.help');
  v_opportunity public.volunteering_opportunities :=
    private.volunteering_lock(volunteering_withdraw.tenant_id, volunteering_withdraw.opportunity, v_me);
  v_signup public.volunteering_signups;
begin
  select * into v_signup from public.volunteering_signups s
  where s.tenant_id = v_opportunity.tenant_id and s.opportunity_id = v_opportunity.id and s.person_id = v_me;
  if not found then
    raise sqlstate 'PT404' using message = 'volunteering.signup_not_found';
  end if;
  return private.volunteering_move(v_opportunity, v_signup, 'withdrawn');
end;
$$;
comment on function public.volunteering_withdraw(uuid, uuid) is
  'The caller does not help after all; their place is free (permission volunteering.help). Raises volunteering.not_found, volunteering.signup_not_found, request.transition_refused.';
grant execute on function public.volunteering_withdraw(uuid, uuid) to authenticated;

create function public.volunteering_answer(tenant_id uuid, opportunity uuid, person uuid, accept boolean)
returns public.volunteering_signups
language plpgsql
volatile
security definer -- clients may not write sign-ups
set search_path = ''
as $$
#variable_conflict use_column
declare
  v_me uuid := private.require(volunteering_answer.tenant_id, 'volunteering.read');
  v_opportunity public.volunteering_opportunities :=
    private.volunteering_lock(volunteering_answer.tenant_id, volunteering_answer.opportunity, v_me);
  v_signup public.volunteering_signups;
  v_status text := case when volunteering_answer.accept then 'accepted' else 'declined' end;
begin
  perform private.volunteering_require_runner(v_opportunity, v_me);
  if volunteering_answer.accept is null then
    raise sqlstate 'PT422' using message = 'request.invalid', detail = 'accept';
  end if;
  select * into v_signup from public.volunteering_signups s
  where s.tenant_id = v_opportunity.tenant_id and s.opportunity_id = v_opportunity.id
    and s.person_id = volunteering_answer.person;
  if not found then
    raise sqlstate 'PT404' using message = 'volunteering.signup_not_found';
  elsif v_signup.status = 'withdrawn' then
    raise sqlstate 'PT409' using
      message = 'request.transition_refused', detail = 'volunteering_signups: ' || v_signup.status;
  end if;
  v_signup := private.volunteering_move(v_opportunity, v_signup, v_status);
  perform private.notify(
    v_signup.person_id, 'volunteering.' || v_status, private.volunteering_notice(v_opportunity),
    v_opportunity.tenant_id
  );
  return v_signup;
end;
$$;
comment on function public.volunteering_answer(uuid, uuid, uuid, boolean) is
  'Says whether somebody who signed up helps, for whoever runs it (permission volunteering.read). Raises volunteering.not_found, volunteering.not_yours, volunteering.signup_not_found, volunteering.full, request.transition_refused, request.invalid.';
grant execute on function public.volunteering_answer(uuid, uuid, uuid, boolean) to authenticated;

create function public.volunteering_set_status(tenant_id uuid, opportunity uuid, status text)
returns public.volunteering_opportunities
language plpgsql
volatile
security definer -- clients may not write opportunities
set search_path = ''
as $$
#variable_conflict use_column
declare
  v_me uuid := private.require(volunteering_set_status.tenant_id, 'volunteering.read');
  v_opportunity public.volunteering_opportunities :=
    private.volunteering_lock(volunteering_set_status.tenant_id, volunteering_set_status.opportunity, v_me);
begin
  perform private.volunteering_require_runner(v_opportunity, v_me);
  if coalesce(volunteering_set_status.status not in ('open', 'closed', 'cancelled'), true) then
    raise sqlstate 'PT422' using message = 'request.invalid', detail = 'status: open, closed or cancelled';
  elsif v_opportunity.status = volunteering_set_status.status then
    raise sqlstate 'PT409' using
      message = 'request.transition_refused', detail = 'volunteering_opportunities: ' || v_opportunity.status;
  end if;
  update public.volunteering_opportunities o set status = volunteering_set_status.status
  where o.tenant_id = v_opportunity.tenant_id and o.id = v_opportunity.id
  returning * into v_opportunity;
  if v_opportunity.status = 'cancelled' then
    perform private.notify_all(
      array(
        select s.person_id from public.volunteering_signups s
        where s.tenant_id = v_opportunity.tenant_id and s.opportunity_id = v_opportunity.id
          and s.status in ('applied', 'accepted')
      ),
      'volunteering.cancelled', private.volunteering_notice(v_opportunity), v_opportunity.tenant_id
    );
  end if;
  return v_opportunity;
end;
$$;
comment on function public.volunteering_set_status(uuid, uuid, text) is
  'Opens, closes or cancels a call, for whoever runs it; cancelled it stays, and all who signed up hear of it. Hours of a closed one can still be logged (permission volunteering.read). Raises volunteering.not_found, volunteering.not_yours, request.transition_refused, request.invalid.';
grant execute on function public.volunteering_set_status(uuid, uuid, text) to authenticated;
