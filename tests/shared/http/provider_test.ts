import assert from "node:assert/strict";
import { ProblemError } from "shared/errors/problem.ts";
import { Circuits } from "shared/http/circuit.ts";
import { createProviderClient } from "shared/http/provider.ts";
import { Metrics } from "shared/metrics.ts";
import type { Resolve } from "shared/http/outbound.ts";

type Answer = (request: Request, number: number) => Response | Promise<Response>;

/** A provider on this machine that answers as told, and a client that may call it. */
async function withProvider(
  answer: Answer,
  work: (
    setup: {
      url: string;
      call: ReturnType<typeof createProviderClient>;
      requests: Request[];
      pauses: number[];
    },
  ) => Promise<void>,
  options: { circuits?: Circuits; resolve?: Resolve; metrics?: Metrics } = {},
) {
  const requests: Request[] = [];
  const pauses: number[] = [];
  await using server = Deno.serve(
    { hostname: "127.0.0.1", port: 0, onListen() {} },
    (request) => answer(request, requests.push(request)),
  );
  const url = `http://127.0.0.1:${server.addr.port}`;
  const call = createProviderClient({
    localProviders: [url],
    log: () => {},
    wait: (milliseconds) => {
      pauses.push(milliseconds);
      return Promise.resolve();
    },
    ...options,
  });
  await work({ url, call, requests, pauses });
}

async function codeOf(call: Promise<unknown>): Promise<string> {
  try {
    await call;
  } catch (error) {
    assert.ok(error instanceof ProblemError, String(error));
    return error.code;
  }
  return "none";
}

Deno.test("what fails in passing is tried three times, with growing pauses that differ", async () => {
  const flaky: Answer = (_request, number) =>
    number < 3 ? new Response("", { status: 503 }) : Response.json({ ok: true });
  await withProvider(flaky, async ({ url, call, requests, pauses }) => {
    const response = await call(url, {}, { name: "mail" });
    assert.deepEqual(await response.json(), { ok: true });
    assert.equal(requests.length, 3);
    assert.ok(pauses[0]! >= 200 && pauses[0]! <= 400, `${pauses[0]}`);
    assert.ok(pauses[1]! >= 400 && pauses[1]! <= 800, `${pauses[1]}`);
  });
});

Deno.test("the last answer is handed on, whatever it says", async () => {
  await withProvider(() => new Response("no", { status: 500 }), async ({ url, call, requests }) => {
    assert.equal((await call(url, {}, { name: "mail" })).status, 500);
    assert.equal(requests.length, 3);
  });
});

Deno.test("a refusal is an answer: nothing is tried again", async () => {
  await withProvider(
    () => new Response("", { status: 422 }),
    async ({ url, call, requests, pauses }) => {
      assert.equal((await call(url, {}, { name: "mail" })).status, 422);
      assert.deepEqual([requests.length, pauses], [1, []]);
    },
  );
});

Deno.test("what acts is repeated only where that is harmless", async () => {
  const fail = () => new Response("", { status: 502 });
  await withProvider(fail, async ({ url, call, requests }) => {
    await call(url, { method: "POST", body: "x" }, { name: "a" });
    assert.equal(requests.length, 1);
    const headers = { "idempotency-key": "1" };
    await call(url, { method: "POST", body: "x", headers }, { name: "b" });
    assert.equal(requests.length, 4);
    await call(url, { method: "POST", body: "x" }, { name: "c", repeatable: true });
    assert.equal(requests.length, 7);
  });
});

Deno.test("Retry-After is kept to, and one that is too long ends the tries", async () => {
  const busy = (seconds: string): Answer => () =>
    new Response("", { status: 429, headers: { "retry-after": seconds } });
  await withProvider(busy("2"), async ({ url, call, pauses }) => {
    await call(url, {}, { name: "mail" });
    assert.deepEqual(pauses, [2000, 2000]);
  });
  await withProvider(busy("60"), async ({ url, call, pauses }) => {
    assert.equal((await call(url, {}, { name: "mail" })).status, 429);
    assert.deepEqual(pauses, []);
  });
});

Deno.test("Z10: a provider that does not answer in time is given up on", async () => {
  const never: Answer = (request) =>
    new Promise((resolve) =>
      request.signal.addEventListener("abort", () => resolve(new Response()))
    );
  await withProvider(never, async ({ url, call, requests }) => {
    assert.equal(await codeOf(call(url, {}, { name: "slow", timeout: 50 })), "unavailable");
    assert.equal(requests.length, 3);
  });
});

Deno.test("Z10: after repeated failure nobody waits for it, until one call tries again", async () => {
  let now = 0;
  const circuits = new Circuits(3, 30_000, () => now);
  let status = 500;
  await withProvider(() => new Response("", { status }), async ({ url, call, requests }) => {
    await call(url, {}, { name: "mail" });
    assert.equal(await codeOf(call(url, {}, { name: "mail" })), "unavailable");
    assert.equal(requests.length, 3);
    await call(url, {}, { name: "another" });
    assert.equal(requests.length, 6);

    now = 31_000;
    assert.equal(await codeOf(call(url, {}, { name: "mail" })), "unavailable");
    assert.equal(requests.length, 7, "one trial, and the circuit is open again");
    now = 62_000;
    status = 200;
    assert.equal((await call(url, {}, { name: "mail" })).status, 200);
    assert.equal((await call(url, {}, { name: "mail" })).status, 200);
  }, { circuits });
});

Deno.test("each call is counted by its outcome", async () => {
  const metrics = new Metrics("test");
  await withProvider(() => new Response("", { status: 404 }), async ({ url, call }) => {
    await call(url, {}, { name: "mail" });
    assert.equal(
      await codeOf(call("https://10.0.0.1/", {}, { name: "mail" })),
      "request.address_refused",
    );
  }, { metrics });
  const { samples } = metrics.read().find(({ name }) => name === "provider_calls_total")!;
  assert.deepEqual(
    samples.map(({ labels, value }) => [labels.provider, labels.outcome, value]),
    [["mail", "404", 1], ["mail", "request.address_refused", 1]],
  );
});

Deno.test("a name that is not found is a failure to try again, and then unavailable", async () => {
  let asked = 0;
  const call = createProviderClient({
    localProviders: [],
    log: () => {},
    wait: () => Promise.resolve(),
    resolve: () => {
      asked++;
      return Promise.reject(Object.assign(new Error("no such host"), { code: "ENOTFOUND" }));
    },
  });
  assert.equal(
    await codeOf(call("https://nowhere.example.org/", {}, { name: "hook" })),
    "unavailable",
  );
  assert.equal(asked, 3);
});

Deno.test("Z7: nothing but public https addresses is called", async () => {
  const call = createProviderClient({ localProviders: [], log: () => {} });
  const targets = [
    "http://example.org/",
    "https://127.0.0.1/",
    "https://2130706433/",
    "https://0x7f.1/",
    "https://[::1]/",
    "https://[::ffff:10.0.0.1]/",
    "https://169.254.169.254/latest/meta-data",
    "https://localhost/",
    "https://localhost./",
    "https://db.internal/",
    "https://kong/",
    "https://user:password@example.org/",
  ];
  for (const target of targets) {
    assert.equal(
      await codeOf(call(target, {}, { name: "hook" })),
      "request.address_refused",
      target,
    );
  }
});

Deno.test("Z7: a name that leads inside is refused, if only one of its addresses does", async () => {
  const resolve = () => Promise.resolve(["93.184.215.14", "10.0.0.5"]);
  const call = createProviderClient({ localProviders: [], log: () => {}, resolve });
  const refused = call("https://rebind.example.org/", {}, { name: "hook" });
  assert.equal(await codeOf(refused), "request.address_refused");
});

Deno.test("Z7: a redirect to an inner address is not followed, nor one without end", async () => {
  const to = (location: string): Answer => () =>
    new Response(null, { status: 302, headers: { location } });
  await withProvider(to("https://169.254.169.254/"), async ({ url, call, requests }) => {
    assert.equal(await codeOf(call(url, {}, { name: "hook" })), "request.address_refused");
    assert.equal(requests.length, 1);
  });
  await withProvider(to("/again"), async ({ url, call, requests }) => {
    assert.equal(await codeOf(call(url, {}, { name: "hook" })), "request.address_refused");
    assert.equal(requests.length, 4);
  });
});

Deno.test("a redirect of a writing request is handed back, not followed", async () => {
  const away: Answer = () => new Response(null, { status: 307, headers: { location: "/x" } });
  await withProvider(away, async ({ url, call, requests }) => {
    const { status } = await call(url, { method: "POST", body: "x" }, { name: "hook" });
    assert.deepEqual([status, requests.length], [307, 1]);
  });
});
