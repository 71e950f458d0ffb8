import assert from "node:assert/strict";
import { signedIn } from "shared/auth/signed_in.ts";
import { application } from "shared/http/application.ts";
import { lenient, limited, unlimited } from "shared/http/limits.ts";
import { router } from "shared/http/router.ts";
import { callApi, tokenOf } from "../support/api.ts";
import { createPerson, randomAddress } from "../support/clients.ts";
import { createTestServices } from "../support/services.ts";
import { getStack } from "../support/stack.ts";

const strict = { name: "probe", by: "ip" as const, limit: 2, window: 900 };

/** Two instances of an application on the running project, sharing nothing but its database. */
function createTestApps(env: Record<string, string> = {}) {
  const { url, publishableKey, secretKey } = getStack();
  return [1, 2].map(() => {
    const { services, lines } = createTestServices({
      SUPABASE_URL: url,
      SUPABASE_PUBLISHABLE_KEYS: JSON.stringify({ default: publishableKey }),
      SUPABASE_SECRET_KEYS: JSON.stringify({ default: secretKey }),
      ...env,
    });
    const routes = router();
    routes.get("/open", (c) => c.text("ok"));
    routes.get("/strict", limited(strict), (c) => c.text("ok"));
    routes.get("/lenient", lenient, (c) => c.text("ok"));
    routes.get("/free", unlimited, (c) => c.text("ok"));
    const closed = router();
    closed.get("/", signedIn as never, (c) => c.text("ok"));
    const app = application(services).route("/", routes).route("/closed", closed);
    const ask = async (path: string, address: string, token?: string) =>
      await app.request(path, {
        headers: {
          "x-forwarded-for": address,
          ...(token === undefined ? {} : { authorization: `Bearer ${token}` }),
        },
      });
    return { ask, lines };
  });
}

/** The statuses of so many calls, eight at a time. */
async function statuses(count: number, call: (number: number) => Promise<Response>) {
  const found: number[] = [];
  let next = 0;
  await Promise.all(Array.from({ length: 8 }, async () => {
    while (next < count) found.push((await call(next++)).status);
  }));
  return found;
}

Deno.test("100 requests a minute come through from an address, shared by all instances", async () => {
  const apps = createTestApps();
  const address = randomAddress();
  const found = await statuses(104, (number) => apps[number % 2]!.ask("/open", address));
  assert.equal(found.filter((status) => status === 200).length, 100);
  assert.equal(found.filter((status) => status === 429).length, 4);
  assert.equal((await apps[0]!.ask("/open", randomAddress())).status, 200);
});

Deno.test("answers tell the limit, what is left of it and when it begins anew", async () => {
  const [app] = createTestApps();
  const { headers } = await app!.ask("/open", randomAddress());
  assert.deepEqual(
    ["ratelimit-limit", "ratelimit-remaining", "ratelimit-policy"].map((name) => headers.get(name)),
    ["100", "99", "100;w=60"],
  );
  const reset = Number(headers.get("ratelimit-reset"));
  assert.ok(reset > 50 && reset <= 61, `${reset}`);
});

Deno.test("a refusal is 429 limits.exceeded with Retry-After, from memory too", async () => {
  const [app] = createTestApps({ NEXUS_LIMITS: "ip=1/60" });
  const address = randomAddress();
  assert.equal((await app!.ask("/open", address)).status, 200);
  for (let again = 0; again < 3; again++) {
    const response = await app!.ask("/open", address);
    assert.equal(response.status, 429);
    assert.equal((await response.json()).code, "limits.exceeded");
    const wait = Number(response.headers.get("retry-after"));
    assert.ok(wait > 60 && wait <= 120, `${wait}`);
    assert.equal(response.headers.get("ratelimit-remaining"), "0");
    assert.equal(response.headers.get("ratelimit-reset"), String(wait));
  }
});

Deno.test("a signed-in person counts as themselves, wherever they come from", async () => {
  const [app] = createTestApps({ NEXUS_LIMITS: "ip=1/60,person=3/60" });
  const [ana, ben] = await Promise.all(
    [createPerson(), createPerson()].map(async (person) => await tokenOf(await person)),
  );
  const address = randomAddress();
  for (let n = 0; n < 3; n++) {
    assert.equal((await app!.ask("/closed", randomAddress(), ana)).status, 200);
  }
  assert.equal((await app!.ask("/closed", randomAddress(), ana)).status, 429);
  // Neighbours behind one address do not use up each other's.
  assert.equal((await app!.ask("/closed", address, ben)).status, 200);
  assert.equal((await app!.ask("/closed", address, ben)).status, 200);
});

Deno.test("a bad token counts by address: nobody uses up a person's limit without theirs", async () => {
  const [app] = createTestApps({ NEXUS_LIMITS: "ip=2/60" });
  const token = await tokenOf(await createPerson());
  const [head, body] = token.split(".");
  const address = randomAddress();
  const calls = [1, 2, 3].map(() => () => app!.ask("/closed", address, `${head}.${body}.AAAA`));
  const found: number[] = [];
  for (const call of calls) found.push((await call()).status);
  assert.deepEqual(found, [401, 401, 429]);
  assert.equal((await app!.ask("/closed", address, token)).status, 200);
});

Deno.test("a stricter limit holds on its route alone, and the configuration may change it", async () => {
  const [app] = createTestApps();
  const address = randomAddress();
  const found = [1, 2, 3].map(() => () => app!.ask("/strict", address));
  const seen: number[] = [];
  for (const call of found) seen.push((await call()).status);
  assert.deepEqual(seen, [200, 200, 429]);
  assert.equal((await app!.ask("/open", address)).status, 200);

  const [looser] = createTestApps({ NEXUS_LIMITS: "probe=50/900" });
  const response = await looser!.ask("/strict", randomAddress());
  assert.equal(response.headers.get("ratelimit-limit"), "50");
  assert.equal(response.headers.get("ratelimit-policy"), "100;w=60, 50;w=900");
});

Deno.test("another header than the trusted one changes nothing", async () => {
  const [app] = createTestApps({
    NEXUS_LIMITS: "ip=1/60",
    NEXUS_CLIENT_ADDRESS_HEADER: "cf-connecting-ip",
  });
  const [first, second] = [randomAddress(), randomAddress()];
  // Both lack the trusted header, so they share the count of those without an address.
  await app!.ask("/open", first);
  assert.equal((await app!.ask("/open", second)).status, 429);
});

Deno.test("without a database what holds everywhere is waived, and a route's own limit stays shut", async () => {
  const dead = { SUPABASE_URL: "http://127.0.0.1:9" };
  const [app] = createTestApps(dead);
  assert.equal((await app!.ask("/open", randomAddress())).status, 200);
  assert.ok(app!.lines.some(({ event }) => event.message === "limits cannot be asked"));
  const response = await app!.ask("/strict", randomAddress());
  assert.deepEqual([response.status, (await response.json()).code], [503, "unavailable"]);
});

Deno.test("while the database is too busy to count, nobody gets through uncounted", async () => {
  await using busy = Deno.serve(
    { hostname: "127.0.0.1", port: 0, onListen() {} },
    () => Response.json({ code: "PGRST003", message: "Timed out" }, { status: 504 }),
  );
  const [app] = createTestApps({ SUPABASE_URL: `http://127.0.0.1:${busy.addr.port}` });
  const response = await app!.ask("/open", randomAddress());
  assert.deepEqual([response.status, (await response.json()).code], [503, "unavailable"]);
  assert.equal((await app!.ask("/lenient", randomAddress())).status, 200);
});

Deno.test("a route without limits asks nothing", async () => {
  const [app] = createTestApps({ SUPABASE_URL: "http://127.0.0.1:9" });
  const { status, headers } = await app!.ask("/free", randomAddress());
  assert.deepEqual([status, headers.get("ratelimit-limit")], [200, null]);
  assert.ok(!app!.lines.some(({ level }) => level === "warn"));
});

Deno.test("the deployed function counts, too", async () => {
  const { headers, status } = await callApi("/health/ready");
  assert.deepEqual([status, headers.get("ratelimit-remaining")], [200, "99"]);
  assert.equal((await callApi("/health/live")).headers.get("ratelimit-limit"), null);
});
