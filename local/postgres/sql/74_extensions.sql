-- Extensions that migrations ask for, where the server has them: made by the superuser and handed to
-- postgres, as hosted's own scripts do. Where it has them not, one of the next chapters stands in.
set local role supabase_admin;

do $$
begin
  if exists (select from pg_available_extensions where name = 'pg_cron') then
    create extension if not exists pg_cron with schema pg_catalog;
    grant usage on schema cron to postgres with grant option;
    grant all on all functions in schema cron to postgres with grant option;
    grant all on all tables in schema cron to postgres with grant option;
    revoke all on table cron.job from postgres;
    grant select on table cron.job to postgres with grant option;
  end if;
  if exists (select from pg_available_extensions where name = 'pg_net') then
    create extension if not exists pg_net with schema extensions;
  end if;
  if exists (select from pg_available_extensions where name = 'supabase_vault') then
    create schema if not exists vault;
    create extension if not exists supabase_vault with schema vault cascade;
    grant usage on schema vault to postgres with grant option;
    grant usage on schema vault to service_role;
    grant select, delete on vault.secrets, vault.decrypted_secrets to postgres with grant option;
    grant select, delete on vault.secrets, vault.decrypted_secrets to service_role;
    grant execute on function vault.create_secret, vault.update_secret,
      vault._crypto_aead_det_decrypt to postgres with grant option;
    grant execute on function vault.create_secret, vault.update_secret,
      vault._crypto_aead_det_decrypt to service_role;
  end if;
end;
$$;

reset role;
