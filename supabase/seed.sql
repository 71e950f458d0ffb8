-- The five demo communities: tenants, modules, roles and currencies. People come by `deno task seed`,
-- through the admin API. Safe to run again.
do $$
declare
  v_tenant record;
begin
  for v_tenant in
    select *
    from (values
      (
        'timebank', 'Riverside Time Bank', 'Europe/Dublin', 'approval',
        array['wallet', 'listings', 'exchanges', 'groups', 'events', 'feed', 'messaging', 'newsletters',
          'gamification', 'federation', 'safeguarding', 'abuse', 'goals', 'volunteering'],
        '[{ "code": "hours", "name": "Hours", "kind": "time" }]'::jsonb
      ),
      (
        'cafe', 'Pixel Café', 'Europe/Madrid', 'open',
        array['wallet', 'stations', 'reservations', 'shop', 'loyalty', 'messaging'],
        '[{ "code": "eur", "name": "Euro", "kind": "money", "decimals": 2 },
          { "code": "points", "name": "Points", "kind": "points" }]'
      ),
      (
        'companion', 'Lumen Companions', 'America/Los_Angeles', 'open',
        array['wallet', 'companions', 'messaging', 'gamification', 'shop'],
        '[{ "code": "coins", "name": "Coins", "kind": "points" }]'
      ),
      (
        'media', 'Cinema Club', 'Europe/Berlin', 'invitation',
        array['wallet', 'catalog', 'watch', 'parental', 'loyalty'],
        '[{ "code": "points", "name": "Points", "kind": "points" }]'
      ),
      (
        'campus', 'Campus Network', 'Asia/Kolkata', 'documents',
        array['wallet', 'documents', 'groups', 'events', 'feed', 'messaging', 'gamification'],
        '[{ "code": "points", "name": "Points", "kind": "points" }]'
      )
    ) demo (slug, name, time_zone, registration_policy, modules, currencies)
    where not exists (select from public.tenants t where t.slug = demo.slug)
  loop
    perform public.tenants_create(
      slug => v_tenant.slug,
      name => v_tenant.name,
      modules => v_tenant.modules,
      currencies => v_tenant.currencies,
      time_zone => v_tenant.time_zone,
      registration_policy => v_tenant.registration_policy
    );
  end loop;
end;
$$;
