/** The roles that a part of the stack may log in as. */
export type DatabaseRole =
  | "supabase_admin"
  | "postgres"
  | "authenticator"
  | "supabase_auth_admin"
  | "supabase_storage_admin"
  | "supabase_realtime_admin";

/** Builds connection URLs for one server: all login roles share a password, as `supabase start` has it. */
export function urlsOf(
  server: { host: string; port: number; database: string; password: string; search?: string },
): (role: DatabaseRole) => string {
  const host = server.host.includes(":") ? `[${server.host}]` : server.host;
  return (role) =>
    `postgresql://${role}:${encodeURIComponent(server.password)}@${host}:${server.port}/` +
    `${encodeURIComponent(server.database)}${server.search ?? ""}`;
}
