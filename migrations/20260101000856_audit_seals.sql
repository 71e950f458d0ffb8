-- Audit, seals: tamper evidence. The writer takes no lock for it: each minute the lines that can
-- have no more neighbours are sealed, tenant by tenant, each seal chained to the one before with a
-- key from the vault. Who changes, removes or slips in a line, be it the tables' owner, is found by
-- the verifier, which names the first broken line.

do $$
begin
  if exists (select from pg_available_extensions where name = 'supabase_vault') then
    create extension if not exists supabase_vault;
  end if;
  if not exists (select from vault.secrets where name = 'audit_key') then
    perform vault.create_secret(
      encode(extensions.gen_random_bytes(32), 'hex'), 'audit_key', 'HMAC key of the audit seals'
    );
  end if;
end;
$$;

create table private.audit_seals (
  tenant_id uuid not null references public.tenants (id) on delete restrict,
  sequence bigint not null check (sequence > 0),
  ids uuid[] not null check (cardinality(ids) > 0),
  macs bytea not null,
  previous_mac bytea,
  mac bytea not null,
  sealed_at timestamptz not null default now(),
  primary key (tenant_id, sequence)
);
comment on table private.audit_seals is
  'A chain for each tenant: the ids of the lines sealed, eight bytes of HMAC for each, and the HMAC over all of it and the seal before.';

create trigger audit_seals_append_only before update or delete on private.audit_seals
  for each row execute function private.refuse_change();
create trigger audit_seals_not_truncated before truncate on private.audit_seals
  for each statement execute function private.refuse_change();

create table private.audit_sealed (
  only_row boolean primary key default true check (only_row),
  below bigint not null default 0,
  settled uuid not null default '00000000-0000-0000-0000-000000000000',
  cluster bigint not null,
  kept_from uuid not null default '00000000-0000-0000-0000-000000000000'
);
comment on table private.audit_sealed is
  'How far the trail is sealed: lines of transactions below this, and all lines up to settled. Lines below kept_from went with their month.';
comment on column private.audit_sealed.cluster is
  'Whose transactions these are: a dump restored elsewhere meets another counter, so what came with it is settled first.';

create function private.cluster()
returns bigint
language sql
stable
security invoker
set search_path = ''
as $$
  select system_identifier from pg_catalog.pg_control_system();
$$;
comment on function private.cluster() is 'The identifier of the database cluster, another one after a logical restore.';

insert into private.audit_sealed (cluster) values (private.cluster());

create function private.audit_key()
returns bytea
language sql
stable
security definer -- the vault is closed to everybody else
set search_path = ''
as $$
  select decode(s.decrypted_secret, 'hex') from vault.decrypted_secrets s where s.name = 'audit_key';
$$;
comment on function private.audit_key() is 'The HMAC key of the seals.';

create function private.audit_line_mac(line private.audit_log, key bytea)
returns bytea
language sql
immutable
security invoker
set search_path = ''
as $$
  select substring(
    extensions.hmac(
      convert_to(
        jsonb_build_array(
          line.tenant_id, line.id, line.action, line.resource, line.actor, line.impersonator,
          line.session_id, line.request_id, encode(line.details_digest, 'hex'), line.transaction_id,
          extract(epoch from line.created_at)
        )::text,
        'UTF8'
      ),
      audit_line_mac.key, 'sha256'
    )
    from 1 for 8
  );
$$;
comment on function private.audit_line_mac(private.audit_log, bytea) is
  'Eight bytes that stand for a line in its seal; the digest in it stands for the details.';

create function private.audit_seal_mac(tenant_id uuid, sequence bigint, previous bytea, ids uuid[], macs bytea, key bytea)
returns bytea
language sql
immutable
security invoker
set search_path = ''
as $$
  select extensions.hmac(
    coalesce(previous, '') || int8send(sequence) || uuid_send(tenant_id)
    || convert_to(ids::text, 'UTF8') || macs,
    key, 'sha256'
  );
$$;
comment on function private.audit_seal_mac(uuid, bigint, bytea, uuid[], bytea, bytea) is
  'The HMAC of a seal, over its lines and the seal before.';

create function private.audit_set_seals(
  key bytea, after uuid, transactions int8range, up_to uuid default 'ffffffff-ffff-ffff-ffff-ffffffffffff'
)
returns integer
language plpgsql
volatile
security definer -- nobody else writes seals
set search_path = ''
as $$
declare
  v_seals integer;
begin
  insert into private.audit_seals (tenant_id, sequence, ids, macs, previous_mac, mac)
  select fresh.tenant_id, coalesce(last.sequence, 0) + 1, fresh.ids, fresh.macs, last.mac,
    private.audit_seal_mac(
      fresh.tenant_id, coalesce(last.sequence, 0) + 1, last.mac, fresh.ids, fresh.macs, audit_set_seals.key
    )
  from (
    select l.tenant_id, array_agg(l.id order by l.id) as ids,
      string_agg(private.audit_line_mac(l, audit_set_seals.key), '' order by l.id) as macs
    from private.audit_log l
    where l.transaction_id >= lower(transactions)
      and (upper_inf(transactions) or l.transaction_id < upper(transactions))
      and l.id > audit_set_seals.after and l.id <= audit_set_seals.up_to
    group by l.tenant_id
  ) fresh
  left join lateral (
    select s.sequence, s.mac from private.audit_seals s
    where s.tenant_id = fresh.tenant_id
    order by s.sequence desc
    limit 1
  ) last on true;
  get diagnostics v_seals = row_count;
  return v_seals;
end;
$$;
comment on function private.audit_set_seals(bytea, uuid, int8range, uuid) is
  'Sets one seal for each tenant that has lines of these transactions and ids; returns how many.';

create function private.audit_seal()
returns integer
language plpgsql
volatile
security definer -- nobody else writes seals
set search_path = ''
as $$
declare
  v_key bytea := private.audit_key();
  -- Every transaction below has ended, so what it wrote is there and no line can join it.
  v_until bigint := pg_snapshot_xmin(pg_current_snapshot())::text::bigint;
  v_sealed private.audit_sealed;
  v_settled uuid;
  v_seals integer;
begin
  -- One sealer at a time; the second finds nothing left.
  select * into v_sealed from private.audit_sealed for update;
  if v_sealed.cluster = private.cluster() then
    v_seals := private.audit_set_seals(
      v_key, v_sealed.settled, int8range(v_sealed.below, greatest(v_until, v_sealed.below))
    );
    update private.audit_sealed set below = greatest(below, v_until) where only_row;
  else
    -- A restored dump: all that came with it is complete, whatever its transactions were called.
    select l.id into v_settled from private.audit_log l
    where l.transaction_id >= v_sealed.below
    order by l.id desc
    limit 1;
    v_settled := greatest(
      v_sealed.settled, v_settled,
      (select s.ids[cardinality(s.ids)] from private.audit_seals s order by 1 desc limit 1)
    );
    v_seals := private.audit_set_seals(v_key, v_sealed.settled, int8range(v_sealed.below, null), v_settled);
    update private.audit_sealed
    set below = 0, settled = coalesce(v_settled, settled), cluster = private.cluster()
    where only_row;
  end if;
  return v_seals;
end;
$$;
comment on function private.audit_seal() is 'Seals what was written since the last time; returns how many seals were set.';

-- Verifying
create type private.audit_verdict as (
  tenant_id uuid,
  intact boolean,
  lines bigint,
  sequence bigint,
  line uuid,
  reason text
);
comment on type private.audit_verdict is
  'intact, or the seal (sequence) and the first line that broke, with the reason: seal_changed, chain_broken, line_changed, line_missing, line_added, details_changed.';

create function private.audit_verify_seal(seal private.audit_seals, key bytea)
returns private.audit_verdict
language plpgsql
stable
security invoker
set search_path = ''
set plan_cache_mode = 'force_generic_plan' -- planning anew for each seal takes longer than checking it
as $$
#variable_conflict use_column
declare
  v_verdict private.audit_verdict;
  -- The months and the stretch of the trail that the seal covers, so that no seal reads the others' lines.
  v_first uuid := seal.ids[1];
  v_last uuid := seal.ids[cardinality(seal.ids)];
begin
  v_verdict.tenant_id := seal.tenant_id;
  v_verdict.sequence := seal.sequence;
  v_verdict.lines := cardinality(seal.ids);
  if seal.mac <> private.audit_seal_mac(
    seal.tenant_id, seal.sequence, seal.previous_mac, seal.ids, seal.macs, audit_verify_seal.key
  ) then
    v_verdict.intact := false;
    v_verdict.reason := 'seal_changed';
    return v_verdict;
  end if;

  select sealed.id,
    case
      when l.id is null then 'line_missing'
      when substring(seal.macs from (sealed.position::int - 1) * 8 + 1 for 8)
        <> private.audit_line_mac(l, audit_verify_seal.key) then 'line_changed'
      else 'details_changed'
    end
  into v_verdict.line, v_verdict.reason
  from unnest(seal.ids) with ordinality sealed(id, position)
  left join private.audit_log l
    on l.tenant_id = seal.tenant_id and l.id = sealed.id and l.id between v_first and v_last
  left join private.audit_details d
    on d.tenant_id = seal.tenant_id and d.id = sealed.id and d.id between v_first and v_last
  where l.id is null
    or substring(seal.macs from (sealed.position::int - 1) * 8 + 1 for 8)
      <> private.audit_line_mac(l, audit_verify_seal.key)
    or (d.id is not null and l.details_digest is distinct from private.audit_digest(d))
  order by sealed.position
  limit 1;
  v_verdict.intact := v_verdict.line is null;
  return v_verdict;
end;
$$;
comment on function private.audit_verify_seal(private.audit_seals, bytea) is
  'Checks one seal against the lines it names. Erased details are no fault; changed ones are.';
