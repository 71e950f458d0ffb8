-- Admin, stuck: people who do not get in by themselves. Those who wait for an admin are told of by
-- members; these wait for something that they do not manage or do not know of.

select private.declare_notification('admin.people_stuck', email => 'daily', push => 'off');

create function private.admin_tell_stuck()
returns bigint
language sql
volatile
security definer -- reads members past their policies
set search_path = ''
as $$
  select count(private.notify_all(
    private.members_with(stuck.tenant_id, 'members.manage'), 'admin.people_stuck',
    jsonb_build_object('people', stuck.people::text), stuck.tenant_id
  ))
  from (
    select m.tenant_id, count(*) as people
    from public.members m
    -- Who got stuck within the last day: nobody is told of the same person each morning.
    where m.status = 'pending' and m.waiting_for <> 'approval'
      and m.waiting_since < private.admin_stuck_since()
      and m.waiting_since >= private.admin_stuck_since() - interval '1 day'
    group by m.tenant_id
  ) stuck;
$$;
comment on function private.admin_tell_stuck() is
  'Tells the admins of each tenant how many people got stuck within a day. Returns how many tenants there were.';
select private.schedule('admin-tell-stuck', '20 6 * * *', 'select private.admin_tell_stuck()');
