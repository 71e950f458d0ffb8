import assert from "node:assert/strict";
import { withDatabase } from "../../support/database.ts";
import { blockedBy, signedIn, startAuth } from "./support.ts";

Deno.test("the death of a backend in the middle of a transaction fails one request, no more", async () => {
  await using auth = await startAuth();
  const { id, session } = await signedIn(auth);
  const refresh = async () => {
    const response = await auth.request("/token?grant_type=refresh_token", {
      method: "POST",
      body: JSON.stringify({ refresh_token: session.refresh_token }),
    });
    await response.body?.cancel();
    return response.status;
  };
  await withDatabase(async (sql) => {
    const { pending } = await sql.begin(async (tx) => {
      await tx`select from auth.sessions where user_id = ${id} for update`;
      const pending = refresh();
      await sql`select pg_terminate_backend(${await blockedBy(tx, sql)})`;
      return { pending };
    });
    assert.equal(await pending, 500);
  });
  assert.equal(await refresh(), 200);
});
