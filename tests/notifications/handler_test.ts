import assert from "node:assert/strict";
import { PermanentFailure } from "../../functions/worker/failure.ts";
import type { Job } from "../../functions/worker/handlers.ts";
import { notificationsHandlers } from "../../functions/worker/handlers/notifications.ts";
import { UnknownOutcome } from "shared/email/unsendable.ts";
import { ProblemError } from "shared/errors/problem.ts";
import type { Services } from "shared/services.ts";
import { createTestServices } from "../support/services.ts";

const handler = notificationsHandlers["notifications.email"]!;

const job: Job = {
  id: crypto.randomUUID(),
  tenant_id: crypto.randomUUID(),
  kind: "notifications.email",
  aggregate: null,
  payload: { event_id: crypto.randomUUID() },
  attempts: 1,
};

const row = { tenant_id: job.tenant_id, event_id: job.payload.event_id, channel: "email" };

const pending = {
  id: row.event_id,
  tenant_id: row.tenant_id,
  to: "ana@nexus.test",
  locale: "en",
  brand: null,
  template: "auth.password_changed",
  kind: "auth.password_changed",
  data: {},
  items: null,
  security: true,
  setting_token: null,
  provider: null,
};

const configured = { RESEND_API_KEY: "re_of_the_test", EMAIL_FROM: "Nexus <mail@nexus.test>" };

interface Options {
  mail?: Record<string, unknown> | null;
  env?: Record<string, string>;
  answer?: () => Response;
  /** What the database fails with when it is told that the mail was sent. */
  forgetful?: Error;
}

/** Runs the handler between a database and a provider that only note what they are asked. */
async function run({ mail = pending, env = configured, answer, forgetful }: Options = {}) {
  const told: [string, unknown][] = [];
  const keys: (string | null)[] = [];
  const { services } = createTestServices(env);
  const rpc = (name: string, args: unknown) => {
    if (name === "notifications_open_emails") return Promise.resolve(mail ? [mail] : []);
    told.push([name, (args as { results: unknown }).results]);
    return forgetful ? Promise.reject(forgetful) : Promise.resolve(null);
  };
  const outcome = handler(job, {
    ...services,
    database: { asService: () => ({ rpc }) } as unknown as Services["database"],
    callProvider: async (_url, init) => {
      keys.push(new Headers(init.headers).get("idempotency-key"));
      return await (answer?.() ?? Response.json({ id: "p-1" }));
    },
  }, new AbortController().signal);
  const error = await outcome.then(() => undefined, (error: Error) => error);
  return { told, keys, error };
}

Deno.test("a mail is sent under its own id, and the database told under which one the provider has it", async () => {
  const { told, keys, error } = await run();
  assert.equal(error, undefined);
  assert.deepEqual(keys, [pending.id]);
  assert.deepEqual(told, [
    ["notifications_settle", [{ ...row, status: "sent", provider: "resend", provider_id: "p-1" }]],
  ]);
});

Deno.test("what is no mail any more is not sent", async () => {
  assert.deepEqual(await run({ mail: null }), { told: [], keys: [], error: undefined });
});

Deno.test("a mail that could not be noted as sent comes again, with the same key", async () => {
  const forgetful = new Error("away");
  const { keys, error } = await run({ forgetful });
  assert.equal(error, forgetful);
  assert.deepEqual([...keys, ...(await run({ forgetful })).keys], [pending.id, pending.id]);
});

Deno.test("without a provider the job ends at once, and the mail waits on", async () => {
  const { told, keys, error } = await run({ env: {} });
  assert.ok(error instanceof PermanentFailure);
  assert.equal(error.message, "email.not_configured");
  assert.deepEqual([told, keys], [[], []]);
});

Deno.test("a mail that the provider or its template refuses is marked, and its job ends at once", async () => {
  const refused = () => Response.json({ name: "validation_error" }, { status: 422 });
  for (const options of [{ answer: refused }, { mail: { ...pending, template: "auth.unknown" } }]) {
    const { told, error } = await run(options);
    assert.ok(error instanceof PermanentFailure);
    assert.deepEqual(told, [
      ["notifications_settle", [{ ...row, status: "refused", reason: error.message }]],
    ]);
  }
});

Deno.test("a provider that is away leaves the mail to the next try", async () => {
  const { told, error } = await run({ answer: () => new Response(null, { status: 502 }) });
  assert.ok(error instanceof ProblemError && error.code === "unavailable");
  assert.deepEqual(told, []);
});

Deno.test("a mail that may be with a provider is noted as theirs, and nobody else is asked", async () => {
  const timedOut = () => {
    throw new DOMException("Signal timed out.", "TimeoutError");
  };
  const { told, error } = await run({ answer: timedOut });
  assert.ok(error instanceof UnknownOutcome);
  assert.deepEqual(told, [
    ["notifications_settle", [{ ...row, status: "waiting", provider: "resend" }]],
  ]);
});
