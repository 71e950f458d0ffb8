import assert from "node:assert/strict";
import { withDatabase } from "../../support/database.ts";
import { until } from "../../support/wait.ts";
import { backendOf, newEmail, password, signedIn, startAuth, waiterFor } from "./support.ts";

Deno.test("the death of a backend in the middle of a statement fails one request, no more", async () => {
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
      await sql`select pg_terminate_backend(${await waiterFor(sql, await backendOf(tx))})`;
      return { pending };
    });
    assert.equal(await pending, 500);
  });
  assert.equal(await refresh(), 200);
});

Deno.test("the death of a backend between the statements of a transaction does no more, either", async () => {
  // Auth waits for a hook within the transaction of a verification; meanwhile its backend is killed.
  const hook = Deno.serve(
    { hostname: "127.0.0.1", port: 0, onListen: () => {} },
    async (request) => {
      const { user_id, claims } = await request.json();
      if (kill) await killWhoHolds(user_id);
      return Response.json({ claims });
    },
  );
  let kill = true;
  const uri = `http://127.0.0.1:${hook.addr.port}`;
  try {
    await using auth = await startAuth({
      hooks: { custom_access_token: { uri, secrets: "v1,whsec_c2VjcmV0" } },
    });
    const email = newEmail();
    await auth.visitor().auth.signUp({ email, password });
    const verify = () =>
      auth.visitor().auth.verifyOtp({ email, token: auth.mailTo(email).code!, type: "signup" });
    assert.equal((await verify()).error?.status, 500);
    kill = false;
    assert.equal((await verify()).error, null);
  } finally {
    await hook.shutdown();
  }
});

/** Terminates the backend that has the user's row locked. */
async function killWhoHolds(userId: string): Promise<void> {
  await withDatabase(async (sql) => {
    await sql.begin(async (tx) => {
      const mine = await backendOf(tx);
      const locked = tx`select from auth.users where id = ${userId} for update`.execute();
      await until(async () => {
        const [blocked] = await sql`select pg_blocking_pids(${mine}) as holders`;
        for (const pid of blocked!.holders) await sql`select pg_terminate_backend(${pid})`;
        return blocked!.holders.length > 0;
      });
      await locked;
    });
  });
}
