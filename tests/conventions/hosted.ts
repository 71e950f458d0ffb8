/**
 * Hosted Supabase as data (PostgreSQL 17, November 2026): who exists, who owns what, who may what.
 * `hosted_test.ts` compares the running database with it, whichever that is.
 */

/** Attributes of each role; what is not named, the role does not have. */
export const roles: Record<string, string[]> = {
  anon: ["inherit"],
  authenticated: ["inherit"],
  authenticator: ["login"],
  dashboard_user: ["createdb", "createrole", "inherit", "replication"],
  pgbouncer: ["inherit", "login"],
  postgres: ["bypassrls", "createdb", "createrole", "inherit", "login", "replication"],
  service_role: ["bypassrls", "inherit"],
  supabase_admin: [
    "bypassrls",
    "createdb",
    "createrole",
    "inherit",
    "login",
    "replication",
    "superuser",
  ],
  supabase_auth_admin: ["login"],
  supabase_etl_admin: ["inherit", "login", "replication"],
  supabase_read_only_user: ["bypassrls", "inherit", "login"],
  supabase_realtime_admin: ["createrole", "login", "replication"],
  supabase_replication_admin: ["inherit", "login", "replication"],
  supabase_storage_admin: ["createrole", "login"],
};

/** Settings of each role, those of libraries that only hosted's server loads excepted. */
export const settings: Record<string, string[]> = {
  anon: ["statement_timeout=3s"],
  authenticated: ["statement_timeout=8s"],
  authenticator: ["lock_timeout=8s", "statement_timeout=8s"],
  postgres: ['search_path="$user", public, extensions'],
  supabase_admin: ["log_statement=none", 'search_path="$user", public, auth, extensions'],
  supabase_auth_admin: [
    "idle_in_transaction_session_timeout=60000",
    "log_statement=none",
    "search_path=auth",
  ],
  supabase_realtime_admin: ["search_path=public, extensions, realtime"],
  supabase_storage_admin: ["log_statement=none", "search_path=storage"],
};

/** Which roles each role belongs to; `*` where it may grant them on. */
export const memberships: Record<string, string[]> = {
  authenticator: ["anon", "authenticated", "service_role"],
  postgres: [
    "anon*",
    "authenticated*",
    "authenticator*",
    "pg_create_subscription",
    "pg_monitor*",
    "pg_read_all_data*",
    "pg_signal_backend*",
    "service_role*",
  ],
  supabase_etl_admin: ["pg_read_all_data"],
  supabase_read_only_user: ["pg_read_all_data"],
  supabase_realtime_admin: ["anon", "authenticated", "service_role"],
  supabase_storage_admin: ["authenticator"],
};

/**
 * What hosted's `postgres` gets from an extension of the server, and the embedded one by inheriting
 * these roles: never by `set role`, and not on hosted itself.
 */
export const inheritedByPostgres = [
  "supabase_auth_admin",
  "supabase_realtime_admin",
  "supabase_storage_admin",
];

/** Owner of each schema, and what others may in it; `*` where they may grant it on. */
export const schemas: Record<string, { owner: string; grants: Record<string, string> }> = {
  auth: {
    owner: "supabase_admin",
    grants: {
      anon: "USAGE",
      authenticated: "USAGE",
      dashboard_user: "CREATE USAGE",
      postgres: "USAGE",
      service_role: "USAGE",
      supabase_auth_admin: "CREATE USAGE",
      supabase_realtime_admin: "USAGE",
    },
  },
  cron: { owner: "supabase_admin", grants: { postgres: "USAGE*" } },
  extensions: {
    owner: "postgres",
    grants: {
      anon: "USAGE",
      authenticated: "USAGE",
      dashboard_user: "CREATE USAGE",
      service_role: "USAGE",
      supabase_realtime_admin: "USAGE",
    },
  },
  graphql_public: {
    owner: "supabase_admin",
    grants: { anon: "USAGE", authenticated: "USAGE", postgres: "USAGE*", service_role: "USAGE" },
  },
  public: {
    owner: "pg_database_owner",
    grants: {
      anon: "USAGE",
      authenticated: "USAGE",
      postgres: "USAGE",
      public: "USAGE",
      service_role: "USAGE",
      supabase_realtime_admin: "CREATE USAGE",
    },
  },
  realtime: {
    owner: "supabase_admin",
    grants: {
      anon: "USAGE",
      authenticated: "USAGE",
      postgres: "USAGE*",
      service_role: "USAGE",
      supabase_realtime_admin: "CREATE* USAGE*",
    },
  },
  storage: {
    owner: "supabase_admin",
    grants: {
      anon: "USAGE",
      authenticated: "USAGE",
      dashboard_user: "CREATE USAGE",
      postgres: "USAGE*",
      service_role: "USAGE",
      supabase_storage_admin: "CREATE* USAGE*",
    },
  },
  vault: {
    owner: "supabase_admin",
    grants: { postgres: "USAGE*", service_role: "USAGE" },
  },
};

const all = "DELETE INSERT MAINTAIN REFERENCES SELECT TRIGGER TRUNCATE UPDATE";
const allOn = all.split(" ").map((privilege) => `${privilege}*`).join(" ");
const allReadingOn = all.replace("SELECT", "SELECT*");

/** Owner of each table, and what others may on it. All of them have row level security. */
export const tables: Record<string, { owner: string; grants: Record<string, string> }> = {
  "auth.identities": {
    owner: "supabase_auth_admin",
    grants: { dashboard_user: all, postgres: allReadingOn },
  },
  "auth.schema_migrations": { owner: "supabase_auth_admin", grants: { postgres: "SELECT*" } },
  "auth.sessions": {
    owner: "supabase_auth_admin",
    grants: { dashboard_user: all, postgres: allReadingOn },
  },
  "auth.users": {
    owner: "supabase_auth_admin",
    grants: { dashboard_user: all, postgres: allReadingOn },
  },
  "realtime.messages": {
    owner: "supabase_realtime_admin",
    grants: {
      anon: "INSERT SELECT UPDATE",
      authenticated: "INSERT SELECT UPDATE",
      dashboard_user: all,
      postgres: all,
      service_role: "INSERT SELECT UPDATE",
    },
  },
  "storage.buckets": {
    owner: "supabase_storage_admin",
    grants: { anon: all, authenticated: all, postgres: allOn, service_role: all },
  },
  "storage.migrations": { owner: "supabase_storage_admin", grants: {} },
  "storage.objects": {
    owner: "supabase_storage_admin",
    grants: { anon: all, authenticated: all, postgres: allOn, service_role: all },
  },
};

/** Owner of each function that migrations call. */
export const functions: Record<string, string> = {
  "auth.email()": "supabase_auth_admin",
  "auth.jwt()": "supabase_auth_admin",
  "auth.role()": "supabase_auth_admin",
  "auth.uid()": "supabase_auth_admin",
  "realtime.broadcast_changes(text,text,text,text,text,record,record,text)":
    "supabase_realtime_admin",
  "realtime.send(jsonb,text,text,boolean)": "supabase_realtime_admin",
  "realtime.send_binary(bytea,text,text,boolean)": "supabase_realtime_admin",
  "realtime.topic()": "supabase_realtime_admin",
  "storage.extension(text)": "supabase_storage_admin",
  "storage.filename(text)": "supabase_storage_admin",
  "storage.foldername(text)": "supabase_storage_admin",
};

const toEverybody = ["anon", "authenticated", "postgres", "service_role"];

/** By whom and where new tables, functions and sequences are granted, and to whom. */
export const defaultPrivileges: Record<string, string[]> = {
  "supabase_admin in extensions": ["postgres"],
  "supabase_admin in graphql_public": toEverybody,
  "supabase_admin in public": toEverybody,
  "supabase_admin in realtime": ["dashboard_user", "postgres"],
  "supabase_auth_admin in auth": ["dashboard_user", "postgres"],
  "postgres in storage": toEverybody,
};

/** Extensions that every project has, and their schema. */
export const extensions: Record<string, string> = {
  pg_stat_statements: "extensions",
  pgcrypto: "extensions",
  "uuid-ossp": "extensions",
};
