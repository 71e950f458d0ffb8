import postgres from "postgres";
import { Chroot } from "./chroot.ts";

function variable(name: string): string {
  const value = Deno.env.get(name);
  if (!value) throw new Error(`${name} is not set: run these by \`deno task test:extensions\`.`);
  return value;
}

/** The chroot that the database under test runs in, for its other programs. */
export const getChroot = (): Chroot => new Chroot(variable("NEXUS_TEST_CHROOT"));

/** What only hosted's own services may do, such as running the tools of an extension. */
export const superuserUrl = (): string => variable("NEXUS_TEST_SUPERUSER_URL");

/** Runs `work` on a connection as the superuser. */
export async function asSuperuser<T>(work: (sql: postgres.Sql) => Promise<T>): Promise<T> {
  const sql = postgres(superuserUrl(), { max: 1, onnotice() {} });
  try {
    return await work(sql);
  } finally {
    await sql.end({ timeout: 5 });
  }
}
