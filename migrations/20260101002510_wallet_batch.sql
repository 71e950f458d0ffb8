-- Wallet, batches: up to 1,000 payments at once, from a CSV file for instance. All or nothing; a dry run
-- tells every faulty line by doing them all, each judged after those before it, and undoing everything.

create type public.wallet_batch_report as (
  id uuid,
  lines integer,
  faults jsonb,
  dry_run boolean,
  replayed boolean
);
comment on type public.wallet_batch_report is
  'faults: [{ line, code, detail }], empty where all may be done. id names the first transfer; null in a dry run.';

create function private.wallet_batch_line(tenant_id uuid, actor uuid, transfer_id uuid, part_of uuid, line jsonb)
returns void
language plpgsql
volatile
security definer -- nobody else writes the ledger
set search_path = ''
as $$
#variable_conflict use_column
declare
  v_transfer public.wallet_transfers;
  v_amount text := line ->> 'amount';
begin
  if not coalesce(pg_input_is_valid(v_amount, 'bigint'), false) then
    raise sqlstate 'PT422' using message = 'wallet.invalid_amount';
  end if;
  perform private.wallet_check_request(v_amount::bigint, 'line', line ->> 'memo', line ->> 'category');
  perform private.wallet_require_currency(wallet_batch_line.tenant_id, line ->> 'currency');
  v_transfer.tenant_id := wallet_batch_line.tenant_id;
  v_transfer.id := wallet_batch_line.transfer_id;
  v_transfer.part_of := wallet_batch_line.part_of;
  v_transfer.kind := 'settlement';
  v_transfer.actor := wallet_batch_line.actor;
  v_transfer.amount := v_amount::bigint;
  v_transfer.currency := line ->> 'currency';
  v_transfer.from_account := private.wallet_batch_account(
    wallet_batch_line.tenant_id, line ->> 'from', v_transfer.currency
  );
  v_transfer.to_account := private.wallet_batch_account(
    wallet_batch_line.tenant_id, line ->> 'to', v_transfer.currency
  );
  if v_transfer.from_account is null then
    raise sqlstate 'PT404' using message = 'wallet.not_found';
  elsif v_transfer.to_account is null then
    raise sqlstate 'PT404' using message = 'wallet.recipient_not_found';
  elsif v_transfer.from_account = v_transfer.to_account then
    raise sqlstate 'PT422' using message = 'wallet.self_transfer';
  end if;
  perform private.wallet_book(
    v_transfer,
    private.wallet_pair(v_transfer.from_account, v_transfer.to_account, v_transfer.amount),
    line ->> 'memo', line ->> 'category'
  );
end;
$$;
comment on function private.wallet_batch_line(uuid, uuid, uuid, uuid, jsonb) is
  'Does one line of a batch. Raises as wallet_transfer does.';

create function private.wallet_book_batch(
  tenant_id uuid, actor uuid, payments private.wallet_payment[], legs private.wallet_batch_leg[]
)
returns void
language plpgsql
volatile
security definer -- nobody else writes ledger and trail
set search_path = ''
as $$
begin
  perform private.wallet_post_batch(wallet_book_batch.tenant_id, wallet_book_batch.actor, payments, legs);
  perform private.audit(
    'WALLET_SETTLED', 'wallet_transfers:' || p.id, null, null, wallet_book_batch.tenant_id,
    wallet_book_batch.actor
  )
  from unnest(payments) p;
  perform private.audit_wake();
end;
$$;
comment on function private.wallet_book_batch(uuid, uuid, private.wallet_payment[], private.wallet_batch_leg[]) is
  'Makes transfers of payments that were all found good: ledger and trail. Raises auth.impersonated.';

create function private.wallet_batch_try(tenant_id uuid, actor uuid, batch_id uuid, lines jsonb, dry_run boolean)
returns jsonb
language plpgsql
volatile
security definer -- nobody else writes the ledger
set search_path = ''
as $$
#variable_conflict use_column
declare
  v_payments private.wallet_payment[] := private.wallet_batch_read(
    wallet_batch_try.tenant_id, wallet_batch_try.batch_id, wallet_batch_try.lines
  );
  v_legs private.wallet_batch_leg[];
  v_line record;
  v_faults jsonb := jsonb '[]';
  v_detail text;
begin
  if v_payments is null then
    -- All accounts in one order first: the lines come in any.
    perform from public.wallet_ledger_accounts a
    where a.tenant_id = wallet_batch_try.tenant_id and a.id in (
      select private.wallet_batch_account(wallet_batch_try.tenant_id, account.name, l.value ->> 'currency')
      from jsonb_array_elements(lines) l, lateral (values (l.value ->> 'from'), (l.value ->> 'to')) account(name)
    )
    order by a.id
    for no key update;
  else
    v_legs := private.wallet_batch_legs(wallet_batch_try.tenant_id, v_payments);
    if v_legs is not null then
      if not wallet_batch_try.dry_run then
        perform private.wallet_book_batch(wallet_batch_try.tenant_id, wallet_batch_try.actor, v_payments, v_legs);
      end if;
      return v_faults;
    end if;
  end if;

  -- One by one: what is refused, and what takes more thought.
  if not wallet_batch_try.dry_run then
    begin
      for v_line in select l.value, l.ordinality from jsonb_array_elements(lines) with ordinality l loop
        perform private.wallet_batch_line(
          wallet_batch_try.tenant_id, wallet_batch_try.actor,
          case v_line.ordinality when 1 then wallet_batch_try.batch_id else private.uuid_v7() end,
          case when v_line.ordinality > 1 then wallet_batch_try.batch_id end, v_line.value
        );
      end loop;
      return v_faults;
    exception when sqlstate 'PT404' or sqlstate 'PT409' or sqlstate 'PT422' then
      null; -- All of it is undone; what follows finds the other faults.
    end;
  end if;
  for v_line in select l.value, l.ordinality from jsonb_array_elements(lines) with ordinality l loop
    begin
      perform private.wallet_batch_line(
        wallet_batch_try.tenant_id, wallet_batch_try.actor, private.uuid_v7(), null, v_line.value
      );
    exception when sqlstate 'PT404' or sqlstate 'PT409' or sqlstate 'PT422' then
      get stacked diagnostics v_detail = pg_exception_detail;
      v_faults := v_faults || jsonb_build_object(
        'line', v_line.ordinality, 'code', sqlerrm, 'detail', nullif(v_detail, '')
      );
    end;
  end loop;
  raise exception 'undone' using errcode = 'NX001', detail = v_faults::text;
exception when sqlstate 'NX001' then
  get stacked diagnostics v_detail = pg_exception_detail;
  return v_detail::jsonb;
end;
$$;
comment on function private.wallet_batch_try(uuid, uuid, uuid, jsonb, boolean) is
  'Does the lines of a batch and returns the faults; with any, or in a dry run, everything is undone.';

create function public.wallet_batch(tenant_id uuid, lines jsonb, idempotency_key text, dry_run boolean default false)
returns public.wallet_batch_report
language plpgsql
volatile
security definer -- clients may not write the ledger
set search_path = ''
as $$
#variable_conflict use_column
declare
  v_person uuid := private.require(wallet_batch.tenant_id, 'wallet.settle');
  v_report public.wallet_batch_report;
  v_earlier uuid;
begin
  perform private.wallet_check_request(1, idempotency_key, null, null);
  if jsonb_typeof(lines) is distinct from 'array' or jsonb_array_length(lines) not between 1 and 1000 then
    raise sqlstate 'PT422' using message = 'request.invalid', detail = 'lines: an array of 1 to 1,000';
  end if;
  v_report.id := private.uuid_v7();
  v_report.lines := jsonb_array_length(wallet_batch.lines);
  v_report.dry_run := coalesce(wallet_batch.dry_run, false);
  v_report.replayed := false;
  if not v_report.dry_run then
    v_earlier := private.wallet_claim(
      wallet_batch.tenant_id, v_person, 'wallet_batch', idempotency_key, wallet_batch.lines, v_report.id
    );
    if v_earlier is not null then
      return row(v_earlier, v_report.lines, '[]'::jsonb, false, true)::public.wallet_batch_report;
    end if;
  end if;
  v_report.faults := private.wallet_batch_try(
    wallet_batch.tenant_id, v_person, v_report.id, wallet_batch.lines, v_report.dry_run
  );
  if not v_report.dry_run and v_report.faults <> '[]' then
    raise sqlstate 'PT422' using message = 'wallet.batch_refused', detail = v_report.faults::text;
  end if;
  v_report.id := case when not v_report.dry_run then v_report.id end;
  return v_report;
end;
$$;
comment on function public.wallet_batch(uuid, jsonb, text, boolean) is
  'Up to 1,000 payments, all or none (permission wallet.settle). lines: [{ from, to, amount, currency, memo?, category? }], from and to as person''s id, e-mail address or account''s id. dry_run: only tells the faults. Raises wallet.key_required, wallet.idempotency_mismatch, request.invalid, wallet.batch_refused (detail: the faults).';
grant execute on function public.wallet_batch(uuid, jsonb, text, boolean) to authenticated;
