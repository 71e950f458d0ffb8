-- Audit, proof: the chain of a tenant checked from end to end, each night and whenever an admin asks;
-- and how long the trail is kept.

create function private.audit_added_line(tenant_id uuid, after bigint, sealed private.audit_sealed)
returns uuid
language sql
stable
security invoker
set search_path = ''
as $$
  with begin as (
    select coalesce(
      (
        select s.ids[1] from private.audit_seals s
        where s.tenant_id = audit_added_line.tenant_id and s.sequence = audit_added_line.after
      ),
      '00000000-0000-0000-0000-000000000000'
    ) as id
  )
  select fresh.id
  from (
    select l.id from private.audit_log l, begin
    where l.tenant_id = audit_added_line.tenant_id and l.id >= begin.id
      and (l.transaction_id < sealed.below or l.id <= sealed.settled)
    except
    select unnest(s.ids) from private.audit_seals s, begin
    where s.tenant_id = audit_added_line.tenant_id and s.ids[cardinality(s.ids)] >= begin.id
  ) fresh
  order by fresh.id
  limit 1;
$$;
comment on function private.audit_added_line(uuid, bigint, private.audit_sealed) is
  'The first line that should be sealed and stands in no seal, from the lines of this seal on; null when there is none.';

create function private.audit_verify(tenant_id uuid, after bigint default 0)
returns private.audit_verdict
language plpgsql
stable
security definer -- reads seals and the key
set search_path = ''
as $$
#variable_conflict use_column
declare
  v_key bytea := private.audit_key();
  v_sealed private.audit_sealed;
  v_seal private.audit_seals;
  v_last private.audit_seals;
  v_verdict private.audit_verdict;
  v_lines bigint := 0;
begin
  select * into v_sealed from private.audit_sealed;
  if audit_verify.after > 0 then
    select * into v_last from private.audit_seals s
    where s.tenant_id = audit_verify.tenant_id and s.sequence = audit_verify.after;
  end if;
  -- The seals of months that were dropped stay; the last of them is where the lines begin.
  for v_seal in
    select s.* from private.audit_seals s
    where s.tenant_id = audit_verify.tenant_id and s.sequence > audit_verify.after
    order by s.sequence
  loop
    if v_seal.sequence <> coalesce(v_last.sequence, 0) + 1 or v_seal.previous_mac is distinct from v_last.mac then
      return row(
        audit_verify.tenant_id, false, v_lines, v_seal.sequence, v_seal.ids[1], 'chain_broken'
      )::private.audit_verdict;
    end if;
    v_last := v_seal;
    continue when v_seal.ids[1] < v_sealed.kept_from;

    v_verdict := private.audit_verify_seal(v_seal, v_key);
    v_lines := v_lines + v_verdict.lines;
    if not v_verdict.intact then
      return v_verdict;
    end if;
  end loop;

  v_verdict := null;
  v_verdict.line := private.audit_added_line(audit_verify.tenant_id, audit_verify.after, v_sealed);
  return row(
    audit_verify.tenant_id, v_verdict.line is null, v_lines, v_last.sequence, v_verdict.line,
    case when v_verdict.line is not null then 'line_added' end
  )::private.audit_verdict;
end;
$$;
comment on function private.audit_verify(uuid, bigint) is
  'Checks a tenant''s chain and the lines that are kept, from the seal after this one on, and names the first broken line.';

create table private.audit_verdicts (
  tenant_id uuid primary key references public.tenants (id) on delete cascade,
  verdict jsonb not null,
  sequence bigint not null,
  mac bytea,
  lines bigint not null,
  checked_at timestamptz not null default now()
);
comment on table private.audit_verdicts is
  'What the last check of each tenant''s trail found, and up to which seal: the next goes on from there.';

create function private.audit_check(tenant_id uuid, full_length boolean default false)
returns private.audit_verdict
language plpgsql
volatile
security definer -- reads seals and writes verdicts
set search_path = ''
as $$
#variable_conflict use_column
declare
  v_known private.audit_verdicts;
  v_verdict private.audit_verdict;
begin
  select v.* into v_known
  from private.audit_verdicts v
  join private.audit_seals s on s.tenant_id = v.tenant_id and s.sequence = v.sequence and s.mac = v.mac
  where v.tenant_id = audit_check.tenant_id and v.verdict -> 'intact' = 'true' and not audit_check.full_length;

  v_verdict := private.audit_verify(audit_check.tenant_id, coalesce(v_known.sequence, 0));
  v_verdict.lines := v_verdict.lines + coalesce(v_known.lines, 0);
  insert into private.audit_verdicts (tenant_id, verdict, sequence, mac, lines)
  values (
    audit_check.tenant_id, to_jsonb(v_verdict), coalesce(v_verdict.sequence, 0),
    (
      select s.mac from private.audit_seals s
      where s.tenant_id = audit_check.tenant_id and s.sequence = v_verdict.sequence
    ),
    v_verdict.lines
  )
  on conflict (tenant_id) do update
    set verdict = excluded.verdict, sequence = excluded.sequence, mac = excluded.mac,
      lines = excluded.lines, checked_at = now();
  return v_verdict;
end;
$$;
comment on function private.audit_check(uuid, boolean) is
  'Checks a tenant''s trail from where the last check ended (or all of it) and keeps the verdict. A check that found it broken, or whose last seal is not there any more, is done again from the start.';

create function private.audit_verify_all(full_length boolean default false)
returns integer
language plpgsql
volatile
security definer -- reads seals and writes verdicts
set search_path = ''
as $$
declare
  v_tenant uuid;
  v_verdict private.audit_verdict;
  v_broken integer := 0;
begin
  for v_tenant in select t.id from public.tenants t order by t.id loop
    v_verdict := private.audit_check(v_tenant, audit_verify_all.full_length);
    if not v_verdict.intact then
      v_broken := v_broken + 1;
      perform private.audit('AUDIT_BROKEN', 'tenants:' || v_tenant, null, to_jsonb(v_verdict), v_tenant);
    end if;
  end loop;
  return v_broken;
end;
$$;
comment on function private.audit_verify_all(boolean) is
  'Checks every tenant''s trail, writes AUDIT_BROKEN where one is broken; returns how many are.';

create function private.audit_checks()
returns jsonb
language sql
stable
security invoker
set search_path = ''
as $$
  select jsonb_build_object(
    'audit',
    case when exists (select from private.audit_verdicts v where v.verdict -> 'intact' = 'false') then 'broken' else 'ok' end
  );
$$;
comment on function private.audit_checks() is 'For readiness: whether the last check of every trail found it intact.';

create type public.audit_proof as (
  intact boolean,
  lines bigint,
  sequence bigint,
  mac text,
  line uuid,
  reason text
);
comment on type public.audit_proof is
  'The state of a tenant''s trail now. sequence and mac name its last seal: kept elsewhere, they show later that nothing before them was cut off.';

create function public.audit_prove(tenant_id uuid, sequence bigint default null, mac text default null)
returns public.audit_proof
language plpgsql
volatile
security definer -- reads seals and the key
set search_path = ''
as $$
#variable_conflict use_column
declare
  v_person uuid := private.require(audit_prove.tenant_id, 'audit.read');
  v_verdict private.audit_verdict := private.audit_check(audit_prove.tenant_id);
  v_proof public.audit_proof;
begin
  v_proof.intact := v_verdict.intact;
  v_proof.lines := v_verdict.lines;
  v_proof.line := v_verdict.line;
  v_proof.reason := v_verdict.reason;
  select s.sequence, encode(s.mac, 'hex') into v_proof.sequence, v_proof.mac
  from private.audit_seals s
  where s.tenant_id = audit_prove.tenant_id
  order by s.sequence desc
  limit 1;
  if audit_prove.mac is not null and v_proof.intact and not exists (
    select from private.audit_seals s
    where s.tenant_id = audit_prove.tenant_id and s.sequence = audit_prove.sequence
      and encode(s.mac, 'hex') = lower(audit_prove.mac)
  ) then
    v_proof.intact := false;
    v_proof.reason := 'tail_missing';
  end if;
  perform private.audit('AUDIT_READ', 'tenants:' || audit_prove.tenant_id, null, null, audit_prove.tenant_id, v_person);
  return v_proof;
end;
$$;
comment on function public.audit_prove(uuid, bigint, text) is
  'Checks the tenant''s trail (permission audit.read), and whether a seal noted earlier (sequence and mac of a former proof) is still part of it.';
grant execute on function public.audit_prove(uuid, bigint, text) to authenticated;

-- Retention: a tenant's details go after its own number of days, a month of lines after the longest.
create function private.audit_retention(settings jsonb)
returns interval
language sql
immutable
security invoker
set search_path = ''
as $$
  select make_interval(days => coalesce(
    case
      when jsonb_typeof(settings -> 'audit_retention_days') = 'number'
        then greatest(least((settings ->> 'audit_retention_days')::numeric, 3650), 1)::integer
    end,
    90
  ));
$$;
comment on function private.audit_retention(jsonb) is
  'How long a tenant keeps its trail: audit_retention_days of its settings, 1 to 3650, else 90.';

create function private.audit_retain()
returns integer
language plpgsql
volatile
security invoker
set search_path = ''
as $$
declare
  v_longest interval;
  v_month record;
  v_kept_from uuid;
  v_cleared integer;
begin
  delete from private.audit_details d
  using public.tenants t
  where d.tenant_id = t.id and d.id < private.uuid_floor(now() - private.audit_retention(t.settings));
  get diagnostics v_cleared = row_count;

  select max(private.audit_retention(t.settings)) into v_longest from public.tenants t;
  -- Dropping a month locks the whole trail: rather tomorrow than keeping its writers waiting.
  perform set_config('lock_timeout', '3s', true);
  for v_month in
    select substring(c.relname from 11) as suffix
    from pg_catalog.pg_inherits i
    join pg_catalog.pg_class c on c.oid = i.inhrelid
    where i.inhparent = 'private.audit_log'::regclass and c.relname ~ '^audit_log_\d{4}_\d{2}$'
      and (to_timestamp(substring(c.relname from 11), 'YYYY_MM') at time zone 'UTC' + interval '1 month')
        at time zone 'UTC' < now() - v_longest
    order by 1
  loop
    execute format('drop table private.audit_log_%1$s, private.audit_details_%1$s', v_month.suffix);
    v_kept_from := private.uuid_floor(
      (to_date(v_month.suffix, 'YYYY_MM') + interval '1 month') at time zone 'UTC'
    );
    update private.audit_sealed set kept_from = greatest(kept_from, v_kept_from) where only_row;
  end loop;
  return v_cleared;
end;
$$;
comment on function private.audit_retain() is
  'Clears details past their tenant''s retention and drops the months past the longest; returns how many details went.';

select private.schedule(
  'audit-seal', '* * * * *', 'select private.audit_signed_out(), private.audit_seal()'
);
select private.schedule('audit-verify', '17 3 * * 1-6', 'select private.audit_verify_all()');
select private.schedule('audit-verify-all', '17 3 * * 0', 'select private.audit_verify_all(full_length => true)');
select private.schedule('audit-retain', '47 3 * * *', 'select private.audit_make_months(), private.audit_retain()');

select private.declare_metric(
  'audit_broken_trails', 'gauge', 'Tenants whose trail the last check found changed.',
  $$select count(*) as value from private.audit_verdicts v where v.verdict -> 'intact' = 'false'$$
);
