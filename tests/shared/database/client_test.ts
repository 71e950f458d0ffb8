import assert from "node:assert/strict";
import { readConfig } from "shared/config.ts";
import { createDoors, type Doors } from "shared/database/client.ts";
import { ProblemError } from "shared/errors/problem.ts";
import { deadEnvironment } from "../../support/services.ts";

/** A Data API that answers as it is told: the failures here cannot be provoked from a real one. */
async function withDataApi(
  answer: (request: Request) => Response | Promise<Response>,
  work: (doors: Doors) => Promise<void>,
) {
  await using server = Deno.serve({ hostname: "127.0.0.1", port: 0, onListen() {} }, answer);
  const SUPABASE_URL = `http://127.0.0.1:${server.addr.port}`;
  await work(createDoors(readConfig({ ...deadEnvironment, SUPABASE_URL })));
}

async function codeOf(call: Promise<unknown>): Promise<string> {
  const outcome = await call.catch((error) => error);
  assert.ok(outcome instanceof ProblemError, String(outcome));
  return outcome.code;
}

Deno.test("a call carries the caller's token, the publishable key and where it came from", async () => {
  let seen: Request | undefined;
  await withDataApi(async (request) => {
    seen = request.clone();
    return Response.json(await request.json());
  }, async (doors) => {
    const database = doors.asCaller("token-of-ana", {
      "x-request-id": "r1",
      "x-forwarded-for": "203.0.113.7",
      "user-agent": "test/1",
    });
    assert.deepEqual(await database.rpc("people_me", { a: 1 }), { a: 1 });
    assert.equal(new URL(seen!.url).pathname, "/rest/v1/rpc/people_me");
    assert.deepEqual(
      ["authorization", "apikey", "x-request-id", "x-forwarded-for", "user-agent"]
        .map((name) => seen!.headers.get(name)),
      ["Bearer token-of-ana", "sb_publishable_of_nobody_at_all", "r1", "203.0.113.7", "test/1"],
    );
  });
});

Deno.test("the service's door carries the secret key", async () => {
  await withDataApi(
    (request) => Response.json(request.headers.get("apikey")),
    async (doors) => {
      assert.equal(await doors.asService().rpc("any"), "sb_secret_of_nobody_at_all");
    },
  );
});

Deno.test("refusals and failures of the Data API leave as problems", async () => {
  const answers: [unknown, number, string][] = [
    [{ code: "PT404", message: "tenants.not_found" }, 404, "tenants.not_found"],
    [{ code: "PGRST303", message: "JWT expired" }, 401, "auth.required"],
    [
      { code: "57014", message: "canceling statement due to statement timeout" },
      500,
      "unavailable",
    ],
    [{ code: "PGRST202", message: "no such function" }, 404, "internal"],
  ];
  for (const [body, status, code] of answers) {
    await withDataApi(() => Response.json(body, { status }), async (doors) => {
      assert.equal(await codeOf(doors.asService().rpc("any")), code);
    });
  }
  await withDataApi(() => new Response("upstream is gone", { status: 503 }), async (doors) => {
    assert.equal(await codeOf(doors.asService().rpc("any")), "unavailable");
  });
});

Deno.test("waiting ends after the time given", async () => {
  const release = Promise.withResolvers<Response>();
  await withDataApi(() => release.promise, async (doors) => {
    const started = performance.now();
    assert.equal(await codeOf(doors.asService().rpc("any", {}, 50)), "timeout");
    assert.ok(performance.now() - started < 5_000);
    release.resolve(Response.json(null));
  });
});

Deno.test("a Data API that nobody serves is unavailable", async () => {
  const doors = createDoors(readConfig(deadEnvironment));
  assert.equal(await codeOf(doors.asService().rpc("any")), "unavailable");
});
