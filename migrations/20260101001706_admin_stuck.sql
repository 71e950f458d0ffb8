-- Admin, stuck: people who do not get in. Admins are told of them.

select private.declare_notification('admin.people_stuck', email => 'daily', push => 'off');

create function private.admin_tell_stuck()
returns bigint
language plpgsql
volatile
security definer -- reads members past their policies
set search_path = ''
as $$
#variable_conflict use_column
declare
  v_tenant record;
  v_count bigint := 0;
begin
  -- Who got stuck within the last day: nobody is told of the same person each morning.
  for v_tenant in
    select m.tenant_id, count(*) as people
    from public.members m
    where m.status = 'pending' and m.waiting_since < private.admin_stuck_since()
      and m.waiting_since >= private.admin_stuck_since() - interval '1 day'
    group by m.tenant_id
  loop
    perform private.admin_tell_admins(
      v_tenant.tenant_id, 'admin.people_stuck', jsonb_build_object('people', v_tenant.people::text)
    );
    v_count := v_count + 1;
  end loop;
  return v_count;
end;
$$;
comment on function private.admin_tell_stuck() is
  'Tells the admins of each tenant how many people got stuck within a day. Returns how many tenants there were.';
select private.schedule('admin-tell-stuck', '20 6 * * *', 'select private.admin_tell_stuck()');
