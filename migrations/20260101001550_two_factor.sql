-- Two factor: time-based codes (RFC 6238) and backup codes. Ciphers and hashes are the functions'
-- work: the database keeps what they made of a secret, and sees to it that each code counts once.

select private.declare_notification('two_factor.' || what, security => true)
from unnest(array['enabled', 'disabled', 'backup_code_used', 'backup_codes_replaced']) what;

create table private.two_factor_enrolments (
  person_id uuid primary key references public.people (id) on delete cascade,
  secret text not null check (secret ~ '^v1(\.[A-Za-z0-9_-]+){3}$' and char_length(secret) <= 300),
  last_step bigint,
  created_at timestamptz not null default now(),
  confirmed_at timestamptz
);
comment on table private.two_factor_enrolments is
  'Authenticator apps. One that is not confirmed by a code within ten minutes counts for nothing.';
comment on column private.two_factor_enrolments.secret is
  'Encrypted for this person: v1.<key>.<nonce>.<ciphertext>. The keys are the functions'' alone.';
comment on column private.two_factor_enrolments.last_step is
  'The latest time step whose code was accepted: neither it nor an earlier one is accepted again.';

create table private.two_factor_backup_sets (
  person_id uuid primary key references public.people (id) on delete cascade,
  salt text not null check (salt ~ '^[0-9a-f]{32}$'),
  memory_kib integer not null,
  passes integer not null,
  created_at timestamptz not null default now()
);
comment on table private.two_factor_backup_sets is
  'How the present backup codes of a person were hashed (argon2id): a salt for each set.';

create table private.two_factor_backup_codes (
  person_id uuid not null references private.two_factor_backup_sets (person_id) on delete cascade,
  digest text not null check (digest ~ '^[0-9a-f]{64}$'),
  used_at timestamptz,
  primary key (person_id, digest)
);
comment on table private.two_factor_backup_codes is 'Backup codes, each for one use.';

insert into private.audit_actions (name, description)
values
  ('TWO_FACTOR_BACKUP_REPLACED', 'Somebody had new backup codes made'),
  ('TWO_FACTOR_BACKUP_USED', 'A session was verified by a backup code'),
  ('TWO_FACTOR_DISABLED', 'Somebody removed their authenticator app'),
  ('TWO_FACTOR_ENABLED', 'Somebody confirmed an authenticator app'),
  ('TWO_FACTOR_RULE_SET', 'A tenant said which role needs a second factor, and from when on'),
  ('TWO_FACTOR_VERIFIED', 'A session was verified by a code');

-- The caller's own view
create function public.two_factor_status()
returns jsonb
language sql
stable
security definer -- reads what is closed to clients
set search_path = ''
as $$
  select jsonb_build_object(
    'person_id', one.person,
    'session_id', private.session_id(),
    'label', coalesce(u.email, u.phone, u.id::text),
    'enabled', e.confirmed_at is not null,
    'enabled_at', e.confirmed_at,
    'required', private.person() is null,
    'verified', v.session_id is not null and v.method <> 'device',
    'verified_at', case when v.method <> 'device' then v.verified_at end,
    'remembered', coalesce(v.method = 'device', false),
    'recent', private.recent_factor(private.session_id()),
    'factors', coalesce(
      (select jsonb_agg(f.kind order by f.kind) from private.trust_factors f where f.person_id = one.person),
      '[]'
    ),
    'backup_codes_left', (
      select count(*) from private.two_factor_backup_codes c
      where c.person_id = one.person and c.used_at is null
    )
  )
  from (select private.unverified_person()) one(person)
  join auth.users u on u.id = one.person
  left join private.two_factor_enrolments e on e.person_id = one.person
  left join private.trust_sessions v on v.session_id = private.session_id();
$$;
comment on function public.two_factor_status() is
  'Whether the caller has an authenticator app, and what their session has proved: enabled, required (before anything opens), verified, recent (within five minutes), remembered (let in by a remembered device), factors (totp, passkey), backup_codes_left. Raises auth.required, auth.session_ended.';
grant execute on function public.two_factor_status() to authenticated;

create function public.two_factor_disable()
returns jsonb
language plpgsql
volatile
security definer -- nobody else writes enrolments
set search_path = ''
as $$
#variable_conflict use_column
declare
  v_person uuid := private.require_person();
begin
  if not exists (
    select from private.two_factor_enrolments e
    where e.person_id = v_person and e.confirmed_at is not null
  ) then
    raise sqlstate 'PT409' using message = 'two_factor.not_enabled';
  end if;
  perform private.require_recent_factor();

  perform private.two_factor_forget(v_person);
  perform private.audit('TWO_FACTOR_DISABLED', 'people:' || v_person, actor => v_person);
  perform private.notify(v_person, 'two_factor.disabled');
  return public.two_factor_status();
end;
$$;
comment on function public.two_factor_disable() is
  'Removes the caller''s authenticator app, and the backup codes unless another factor needs them. What sessions had proved by them is void. Raises two_factor.not_enabled, two_factor.recent_required.';
grant execute on function public.two_factor_disable() to authenticated;

create function private.two_factor_forget(person uuid)
returns void
language plpgsql
volatile
security definer -- nobody else writes enrolments
set search_path = ''
as $$
begin
  delete from private.two_factor_enrolments e where e.person_id = two_factor_forget.person;
  delete from private.trust_factors f
  where f.person_id = two_factor_forget.person and f.kind = 'totp';
  delete from private.trust_sessions v
  where v.person_id = two_factor_forget.person and v.method = 'totp';
  perform private.two_factor_drop_backup(two_factor_forget.person);
end;
$$;
comment on function private.two_factor_forget(uuid) is
  'Removes the person''s authenticator app, and what sessions had proved by it.';

create function private.two_factor_drop_backup(person uuid)
returns void
language plpgsql
volatile
security definer -- nobody else writes backup codes
set search_path = ''
as $$
begin
  if not exists (
    select from private.trust_factors f where f.person_id = two_factor_drop_backup.person
  ) then
    delete from private.two_factor_backup_sets s where s.person_id = two_factor_drop_backup.person;
    delete from private.trust_sessions v
    where v.person_id = two_factor_drop_backup.person and v.method = 'backup_code';
  end if;
end;
$$;
comment on function private.two_factor_drop_backup(uuid) is
  'After a factor went: backup codes stand in for factors of every kind, and go with the last one.';

create function private.two_factor_on_person_erased()
returns trigger
language plpgsql
volatile
security definer -- nobody else writes enrolments
set search_path = ''
as $$
begin
  perform private.two_factor_forget(new.id);
  return null;
end;
$$;
comment on function private.two_factor_on_person_erased() is 'After a person was erased: their secrets go.';

create trigger two_factor_on_person_erased after update of erased_at on public.people
  for each row when (old.erased_at is null and new.erased_at is not null)
  execute function private.two_factor_on_person_erased();

-- A tenant's rule
select private.declare_permission(
  'two_factor.manage', 'Say which roles need a second factor', array['admin']
);

create function public.two_factor_set_rule(tenant_id uuid, role text, required_from timestamptz)
returns public.roles
language plpgsql
volatile
security definer -- nobody else writes roles
set search_path = ''
as $$
#variable_conflict use_column
declare
  v_actor uuid := private.require(two_factor_set_rule.tenant_id, 'two_factor.manage');
  v_before public.roles;
  v_role public.roles;
begin
  perform private.members_guard_role(two_factor_set_rule.tenant_id, v_actor, two_factor_set_rule.role);
  select * into v_before from public.roles r
  where r.tenant_id = two_factor_set_rule.tenant_id and r.slug = two_factor_set_rule.role
  for update;
  if v_before.parts is not null then
    -- What is made of several roles follows theirs.
    raise sqlstate 'PT404' using message = 'members.role_not_found', detail = v_before.slug;
  end if;

  update public.roles r set two_factor_from = two_factor_set_rule.required_from
  where r.tenant_id = v_before.tenant_id and r.slug = v_before.slug
  returning * into v_role;
  perform private.audit(
    'TWO_FACTOR_RULE_SET', 'roles:' || v_role.slug,
    jsonb_build_object('two_factor_from', v_before.two_factor_from),
    jsonb_build_object('two_factor_from', v_role.two_factor_from), v_role.tenant_id
  );
  return v_role;
end;
$$;
comment on function public.two_factor_set_rule(uuid, text, timestamptz) is
  'Says from when on a role of the tenant needs a second factor; null: never (permission two_factor.manage). From then on a session without one sees nothing of the tenant. Raises members.role_not_found, members.role_above_own, members.permission_denied.';
grant execute on function public.two_factor_set_rule(uuid, text, timestamptz) to authenticated;

select private.declare_metric(
  'two_factor_enrolments', 'gauge', 'Confirmed authenticator apps, by the key their secret is encrypted with.',
  $$select count(e.person_id) as value,
      jsonb_build_object('key', coalesce(split_part(e.secret, '.', 2), 'none')) as labels
    from (select) one
    left join private.two_factor_enrolments e on e.confirmed_at is not null
    group by coalesce(split_part(e.secret, '.', 2), 'none')$$
);
