-- Operations, metrics: the list that every capability declares its figures in. Stands this early so
-- that the chapters after it can; operations_metrics, which reads it, comes with operations.

create table private.metrics (
  name text not null check (name ~ '^[a-z][a-z0-9_]{2,80}$'),
  kind text not null check (kind in ('counter', 'gauge')),
  help text not null,
  query text not null,
  primary key (name, query)
);
comment on table private.metrics is
  'Figures for GET /api/metrics. Several capabilities may add rows to one name, told apart by their labels.';
comment on column private.metrics.query is
  'Yields rows (value) or (value, labels jsonb); run at every scrape, so it has to be cheap at any size.';

create function private.declare_metric(name text, kind text, help text, query text)
returns void
language sql
volatile
security invoker
set search_path = ''
as $$
  insert into private.metrics (name, kind, help, query)
  values (declare_metric.name, declare_metric.kind, declare_metric.help, declare_metric.query)
  on conflict (name, query) do update set kind = excluded.kind, help = excluded.help;
$$;
comment on function private.declare_metric(text, text, text, text) is
  'For migrations: adds a figure. The query is kept as text and may name tables that come later in the same file.';
