import { deepStrictEqual as assertEquals } from "node:assert/strict";
import { Client } from "pg";
import { randomAddress } from "../../support/clients.ts";
import { getStack } from "../../support/stack.ts";
import { until } from "../../support/wait.ts";

Deno.test("the stack serves what was just created, and not what was dropped", async () => {
  const { url, publishableKey, databaseUrl } = getStack();
  // Not in `public`, which other tests take stock of at the same time.
  const name = `scratch_${crypto.randomUUID().replaceAll("-", "")}`;
  const owner = new URL(databaseUrl);
  owner.username = "supabase_admin";
  const client = new Client({ connectionString: owner.href });
  await client.connect();
  const call = async () => {
    const response = await fetch(`${url}/rest/v1/rpc/${name}`, {
      method: "POST",
      headers: {
        apikey: publishableKey,
        "content-profile": "graphql_public",
        "content-type": "application/json",
        "x-forwarded-for": randomAddress(),
      },
      body: "{}",
    });
    await response.body?.cancel();
    return response.status;
  };
  try {
    assertEquals(await call(), 404);
    await client.query(`create function graphql_public.${name}() returns int language sql
      as 'select 1'; grant execute on function graphql_public.${name}() to anon`);
    await until(async () => await call() === 200, { timeout: 2_000 });
    await client.query(`drop function graphql_public.${name}()`);
    await until(async () => await call() === 404, { timeout: 2_000 });
  } finally {
    await client.query(`drop function if exists graphql_public.${name}()`);
    await client.end();
  }
});
