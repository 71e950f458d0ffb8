-- Schema vault as supabase_vault has it. The extension's key lies outside the database; here it lies
-- in a table beside the secrets. So a dump of vault.secrets shows no secret, but postgres, which reads
-- every table, and whoever holds the data folder could put the two together.
set local role supabase_admin;

create schema if not exists vault authorization supabase_admin;

create table if not exists vault._root_key (key text not null);
insert into vault._root_key (key)
select encode(extensions.gen_random_bytes(32), 'hex')
where not exists (select from vault._root_key);

create or replace function vault._crypto_aead_det_noncegen() returns bytea
language sql volatile set search_path = '' as $$
  select extensions.gen_random_bytes(16)
$$;

create table if not exists vault.secrets (
  id uuid primary key default gen_random_uuid(),
  name text,
  description text not null default '',
  secret text not null,
  key_id uuid,
  nonce bytea default vault._crypto_aead_det_noncegen(),
  created_at timestamptz not null default current_timestamp,
  updated_at timestamptz not null default current_timestamp
);
comment on table vault.secrets is
  'Table with encrypted `secret` column for storing sensitive information on disk.';
create unique index if not exists secrets_name_idx on vault.secrets (name) where name is not null;

create or replace function vault._crypto_aead_det_encrypt(
  message bytea, additional bytea, key_id bigint, context bytea default 'pgsodium',
  nonce bytea default null
) returns bytea language sql security definer set search_path = '' as $$
  select extensions.pgp_sym_encrypt_bytea(
    message, k.key || encode(additional, 'hex') || encode(nonce, 'hex'), 's2k-mode=1'
  )
  from vault._root_key k
$$;

create or replace function vault._crypto_aead_det_decrypt(
  message bytea, additional bytea, key_id bigint, context bytea default 'pgsodium',
  nonce bytea default null
) returns bytea language sql stable security definer set search_path = '' as $$
  select extensions.pgp_sym_decrypt_bytea(
    message, k.key || encode(additional, 'hex') || encode(nonce, 'hex')
  )
  from vault._root_key k
$$;

create or replace view vault.decrypted_secrets as
select s.id, s.name, s.description, s.secret,
  convert_from(vault._crypto_aead_det_decrypt(
    message := decode(s.secret, 'base64'), additional := convert_to(s.id::text, 'utf8'),
    key_id := 0, context := 'pgsodium'::bytea, nonce := s.nonce
  ), 'utf8') as decrypted_secret,
  s.key_id, s.nonce, s.created_at, s.updated_at
from vault.secrets s;

create or replace function vault.create_secret(
  new_secret text, new_name text default null, new_description text default '',
  new_key_id uuid default null
) returns uuid language plpgsql security definer set search_path = '' as $$
declare
  secret_id uuid := gen_random_uuid();
  fresh bytea := vault._crypto_aead_det_noncegen();
begin
  insert into vault.secrets (id, name, description, nonce, secret)
  values (secret_id, new_name, new_description, fresh, encode(vault._crypto_aead_det_encrypt(
    message := convert_to(new_secret, 'utf8'), additional := convert_to(secret_id::text, 'utf8'),
    key_id := 0, nonce := fresh
  ), 'base64'));
  return secret_id;
end;
$$;

create or replace function vault.update_secret(
  secret_id uuid, new_secret text default null, new_name text default null,
  new_description text default null, new_key_id uuid default null
) returns void language plpgsql security definer set search_path = '' as $$
begin
  update vault.secrets s
  set secret = case when new_secret is null then s.secret
      else encode(vault._crypto_aead_det_encrypt(
        message := convert_to(new_secret, 'utf8'), additional := convert_to(s.id::text, 'utf8'),
        key_id := 0, nonce := s.nonce
      ), 'base64') end,
    name = coalesce(new_name, s.name),
    description = coalesce(new_description, s.description),
    updated_at = now()
  where s.id = secret_id;
end;
$$;

revoke all on all functions in schema vault from public;
grant usage on schema vault to postgres with grant option;
grant select, delete on vault.secrets, vault.decrypted_secrets to postgres with grant option;
grant execute on function vault.create_secret, vault.update_secret, vault._crypto_aead_det_decrypt
  to postgres with grant option;
grant usage on schema vault to service_role;
grant select, delete on vault.secrets, vault.decrypted_secrets to service_role;
grant execute on function vault.create_secret, vault.update_secret, vault._crypto_aead_det_decrypt
  to service_role;

reset role;
