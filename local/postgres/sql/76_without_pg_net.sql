-- Schema net as pg_net has it: requests are rows of an unlogged queue, so a request is made by its
-- transaction's commit and lost by a crash. local/extensions/net.ts takes them from there.
set local role supabase_admin;

create schema if not exists net authorization supabase_admin;

do $$
begin
  if to_regtype('net.http_method') is null then
    create domain net.http_method as text
      check (value ilike 'get' or value ilike 'post' or value ilike 'delete');
    create type net.request_status as enum ('PENDING', 'SUCCESS', 'ERROR');
    create type net.http_response as (status_code integer, headers jsonb, body text);
    create type net.http_response_result as (
      status net.request_status, message text, response net.http_response
    );
  end if;
end;
$$;

create unlogged table if not exists net.http_request_queue (
  id bigserial,
  method net.http_method not null,
  url text not null,
  headers jsonb,
  body bytea,
  timeout_milliseconds int not null
);

create unlogged table if not exists net._http_response (
  id bigint,
  status_code integer,
  content_type text,
  headers jsonb,
  content text,
  timed_out boolean,
  error_msg text,
  created timestamptz not null default now()
);
create index if not exists _http_response_created_idx on net._http_response (created);

create or replace function net._urlencode_string(string varchar) returns text
language sql immutable strict as $$
  select coalesce(string_agg(
    case when chr ~ '^[A-Za-z0-9_.~-]$' then chr
      else upper(regexp_replace(encode(convert_to(chr, 'UTF8'), 'hex'), '(..)', '%\1', 'g')) end,
    '' order by place
  ), '')
  from string_to_table(string, null) with ordinality character (chr, place)
$$;

create or replace function net._request(
  method net.http_method, url text, params jsonb, headers jsonb, body bytea, timeout_milliseconds int
) returns bigint language plpgsql set search_path = '' as $$
declare
  query text;
  request_id bigint;
begin
  select string_agg(net._urlencode_string(key) || '=' || net._urlencode_string(value), '&') into query
  from jsonb_each_text(params);
  insert into net.http_request_queue (method, url, headers, body, timeout_milliseconds)
  values (
    method,
    url || coalesce(case when strpos(url, '?') > 0 then '&' else '?' end || query, ''),
    headers, body, timeout_milliseconds
  )
  returning id into request_id;
  return request_id;
end;
$$;

create or replace function net.http_get(
  url text, params jsonb default '{}', headers jsonb default '{}',
  timeout_milliseconds int default 5000
) returns bigint language sql strict as $$
  select net._request('GET', url, params, headers, null, timeout_milliseconds)
$$;

create or replace function net.http_delete(
  url text, params jsonb default '{}', headers jsonb default '{}',
  timeout_milliseconds int default 5000, body jsonb default null
) returns bigint language sql as $$
  select net._request(
    'DELETE', url, params, headers, convert_to(body::text, 'UTF8'), timeout_milliseconds
  )
$$;

create or replace function net.http_post(
  url text, body jsonb default '{}', params jsonb default '{}',
  headers jsonb default '{"Content-Type": "application/json"}',
  timeout_milliseconds int default 5000
) returns bigint language plpgsql set search_path = '' as $$
declare
  content_type text;
begin
  select header.value into content_type
  from jsonb_each_text(coalesce(headers, '{}')) header
  where lower(header.key) = 'content-type' limit 1;
  if content_type is null then
    headers := coalesce(headers, '{}') || '{"Content-Type": "application/json"}';
  elsif content_type <> 'application/json' then
    raise exception 'Content-Type header must be "application/json"';
  end if;
  if body is null then
    raise exception 'body must not be null';
  end if;
  return net._request(
    'POST', url, params, headers, convert_to(body::text, 'UTF8'), timeout_milliseconds
  );
end;
$$;

create or replace function net.http_collect_response(request_id bigint, async boolean default true)
returns net.http_response_result language plpgsql strict as $$
declare
  answer net._http_response;
begin
  loop
    select * into answer from net._http_response r where r.id = request_id;
    exit when found or async;
    perform pg_sleep(0.05);
  end loop;
  if answer.id is null then
    return ('PENDING', 'request is pending processing', null)::net.http_response_result;
  end if;
  return (
    'SUCCESS', 'ok', (answer.status_code, answer.headers, answer.content)::net.http_response
  )::net.http_response_result;
end;
$$;

-- As the extension grants since its version 0.12: what keeps clients out is that the Data API does
-- not expose the schema.
grant usage on schema net to public;
grant all on all sequences in schema net to public;
grant all on all tables in schema net to public;

reset role;
