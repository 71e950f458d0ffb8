import postgres from "postgres";

/**
 * Extensions that migrations and the tests' tools may ask for: hosted's `postgres` may create them
 * though it is no superuser, here the superuser does it for it.
 */
const privileged = `
  create extension if not exists vector with schema extensions;
  create extension if not exists pgtap with schema extensions;
  create extension if not exists plpgsql_check with schema extensions;`;

export async function createPrivilegedExtensions(superuserUrl: string): Promise<void> {
  const sql = postgres(superuserUrl, { max: 1, onnotice() {} });
  try {
    await sql.unsafe(privileged).simple();
  } finally {
    await sql.end({ timeout: 5 });
  }
}
