import assert from "node:assert/strict";
import { type Mail, send } from "shared/email/send.ts";
import { UnknownOutcome, UnsendableMail } from "shared/email/unsendable.ts";
import { ProblemError } from "shared/errors/problem.ts";
import { createTestServices } from "../../support/services.ts";

const mail: Mail = {
  to: "ana@nexus.test",
  subject: "Hello\r\nBcc: eve@nexus.test",
  html: "<p>Hello</p>",
  text: "Hello",
  template: "auth.signup",
  idempotencyKey: "mail-1",
};

interface Asked {
  headers: Headers;
  body: Record<string, unknown>;
}

/** Runs a test against a provider of its own, and with what it was asked. */
async function withProvider(
  answer: (attempt: number) => Response,
  work: (
    services: ReturnType<typeof createTestServices>["services"],
    asked: Asked[],
  ) => Promise<void>,
) {
  const asked: Asked[] = [];
  const server = Deno.serve(
    { hostname: "127.0.0.1", port: 0, onListen: () => {} },
    async (request) => {
      assert.equal(new URL(request.url).pathname, "/emails");
      asked.push({ headers: request.headers, body: await request.json() });
      return answer(asked.length);
    },
  );
  const origin = `http://127.0.0.1:${server.addr.port}`;
  const { services } = createTestServices({
    RESEND_API_URL: `${origin}/`,
    RESEND_API_KEY: "re_of_the_test",
    EMAIL_FROM: "Nexus <mail@nexus.test>",
    NEXUS_LOCAL_PROVIDERS: origin,
  });
  try {
    await work(services, asked);
  } finally {
    await server.shutdown();
  }
}

const refused = (status: number, name: string) => () =>
  Response.json({ statusCode: status, name, message: "no" }, { status });

Deno.test("send() hands the mail to the provider with the key that sends it once", () =>
  withProvider(() => Response.json({ id: "p-1" }), async (services, asked) => {
    const sent = await send(services, { ...mail, onBehalfOf: "Time, Bank" });
    assert.deepEqual(sent, { provider: "resend", id: "p-1" });
    const [{ headers, body }] = asked as [Asked];
    assert.equal(headers.get("authorization"), "Bearer re_of_the_test");
    assert.equal(headers.get("idempotency-key"), "mail-1");
    assert.deepEqual(body, {
      from: "Time Bank via Nexus <mail@nexus.test>",
      to: ["ana@nexus.test"],
      subject: "Hello Bcc: eve@nexus.test",
      html: "<p>Hello</p>",
      text: "Hello",
      headers: {},
      tags: [{ name: "template", value: "auth_signup" }],
    });
  }));

for (const [status, name] of [[500, "application_error"], [429, "rate_limit_exceeded"]] as const) {
  Deno.test(`send() ends as unavailable when the provider goes on answering ${status}`, () =>
    withProvider(refused(status, name), async (services, asked) => {
      await assert.rejects(
        send(services, mail),
        (error) => error instanceof ProblemError && error.code === "unavailable",
      );
      // The job comes again: tries within one would hide how the first of them ended.
      assert.equal(asked.length, 1);
    }));
}

Deno.test("send() does not come back with what the provider refuses for good", () =>
  withProvider(refused(422, "validation_error"), async (services, asked) => {
    await assert.rejects(send(services, mail), UnsendableMail);
    assert.equal(asked.length, 1);
  }));

Deno.test("a mail that the provider took before in another wording counts as sent", () =>
  withProvider(refused(409, "invalid_idempotent_request"), async (services) => {
    assert.equal((await send(services, mail)).id, undefined);
  }));

Deno.test("a mail that the provider is just taking is asked for again later", () =>
  withProvider(refused(409, "concurrent_idempotent_requests"), async (services) => {
    await assert.rejects(send(services, mail), UnknownOutcome);
  }));

Deno.test("more than one receiver, and nothing is sent at all", () =>
  withProvider(() => Response.json({ id: "p" }), async (services, asked) => {
    const to = "ana@nexus.test, eve@nexus.test";
    await assert.rejects(send(services, { ...mail, to }), UnsendableMail);
    assert.equal(asked.length, 0);
  }));

Deno.test("without a provider or a sender the services start, and send() says what is missing", async () => {
  for (const env of [{}, { RESEND_API_KEY: "re_of_the_test" }, { EMAIL_FROM: "m@nexus.test" }]) {
    const { services } = createTestServices(env);
    await assert.rejects(
      send(services, mail),
      (error) => error instanceof ProblemError && error.code === "email.not_configured",
    );
  }
});
