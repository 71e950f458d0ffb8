-- What a new object in public grants by itself. Written once: migrations revoke from it later, and a
-- changed chapter must not give it back.
do $$
declare
  creator text;
  kind text;
begin
  if current_setting('nexus.bootstrap', true) <> '' then
    return;
  end if;
  foreach creator in array array['postgres', 'supabase_admin'] loop
    foreach kind in array array['tables', 'functions', 'sequences'] loop
      execute format(
        'alter default privileges for role %I in schema public grant all on %s '
        'to postgres, anon, authenticated, service_role', creator, kind
      );
    end loop;
  end loop;
  -- `[api] auto_expose_new_tables`: hosted projects made since 2026 are closed like this.
  if not current_setting('nexus.auto_expose')::boolean then
    alter default privileges for role postgres in schema public
      revoke select, insert, update, delete on tables from anon, authenticated, service_role;
    alter default privileges for role postgres in schema public
      revoke usage, select on sequences from anon, authenticated, service_role;
    alter default privileges for role postgres in schema public
      revoke execute on functions from anon, authenticated, service_role;
  end if;
end;
$$;
