-- Notifications, tracking: what a mail to many carries so that its capability can count it.

create function private.notifications_tracking(event private.notifications_events)
returns jsonb
language plpgsql
stable
security definer -- calls the capability that the kind belongs to
set search_path = ''
as $$
#variable_conflict use_column
declare
  v_track name := (select k.track from private.notifications_kinds k where k.kind = event.kind);
  v_tracking jsonb;
begin
  if v_track is not null then
    execute format('select private.%I($1)', v_track) into v_tracking using event;
  end if;
  return v_tracking;
end;
$$;
comment on function private.notifications_tracking(private.notifications_events) is
  'What the mail carries to be counted: { token, links, opens }; null where its kind is not.';
