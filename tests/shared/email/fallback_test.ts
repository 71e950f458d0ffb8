import { Buffer } from "node:buffer";
import assert from "node:assert/strict";
import { canSend, checkProviders, providersOf, send } from "shared/email/send.ts";
import { UnknownOutcome, UnsendableMail } from "shared/email/unsendable.ts";
import { readConfig } from "shared/config.ts";
import { ProblemError } from "shared/errors/problem.ts";
import { createServiceAccount, Google } from "../../support/google.ts";
import { createTestServices, deadEnvironment } from "../../support/services.ts";
import { mail } from "./support.ts";

const tokenUrl = "https://oauth2.nexus.test/token";

interface World {
  env?: Record<string, string>;
  resend?: () => Response | Promise<Response>;
}

/** Resend and Gmail, which note what they are asked, and no third. */
async function createWorld({ env = {}, resend = () => Response.json({ id: "r-1" }) }: World = {}) {
  const { file, publicKey } = await createServiceAccount(tokenUrl);
  const google = new Google(publicKey, tokenUrl);
  const { services, lines } = createTestServices({
    RESEND_API_KEY: "re_of_the_test",
    GMAIL_SERVICE_ACCOUNT: file,
    EMAIL_FROM: "Nexus <mail@nexus.test>",
    ...env,
  });
  const asked: string[] = [];
  const callProvider: typeof services.callProvider = async (url, init, { name }) => {
    asked.push(name);
    return name === "resend" ? await resend() : await google.handle(new Request(url, init));
  };
  return { services: { ...services, callProvider }, google, asked, lines };
}

const refusal = (status: number, name: string) => () => Response.json({ name }, { status });

Deno.test("the first provider that is configured sends; the next one is not asked", async () => {
  const { services, asked } = await createWorld();
  assert.deepEqual(await send(services, mail), { provider: "resend", id: "r-1" });
  assert.deepEqual(asked, ["resend"]);
});

Deno.test("the configuration says who is first, and who is not configured is passed over", async () => {
  const { services, google } = await createWorld({ env: { EMAIL_PROVIDERS: "smtp,gmail,resend" } });
  assert.deepEqual(providersOf(services.config), ["gmail", "resend"]);
  assert.deepEqual(await send(services, mail), { provider: "gmail", id: "gmail-1" });
  const [{ as, mime }] = google.mails as [typeof google.mails[number]];
  assert.equal(as, "mail@nexus.test", "the service account speaks for the sender");
  assert.match(mime, /^To: ana@nexus\.test$/m);
  assert.match(mime, /^Subject: =\?UTF-8\?/m);
  assert.match(mime, /multipart\/alternative/);
});

for (
  const [what, answer] of [
    ["its key is wrong", refusal(403, "invalid_api_key")],
    ["its quota is used up", refusal(429, "daily_quota_exceeded")],
    ["it is broken", refusal(500, "application_error")],
    ["nobody is there", () => {
      throw new TypeError("error sending request: client error (Connect): tcp connect error");
    }],
    ["its circuit is open", () => {
      throw new ProblemError("unavailable", { cause: new Error("The circuit of resend is open.") });
    }],
  ] as const
) {
  Deno.test(`the next provider is asked where the first surely did not take it: ${what}`, async () => {
    const { services, asked } = await createWorld({ resend: answer });
    assert.equal((await send(services, mail)).provider, "gmail");
    assert.deepEqual(asked.slice(0, 1), ["resend"]);
  });
}

Deno.test("a mail that may be with a provider goes to nobody else, then and later", async () => {
  let away = true;
  const { services, asked } = await createWorld({
    resend: () => {
      if (away) throw new DOMException("Signal timed out.", "TimeoutError");
      return Response.json({ id: "r-2" });
    },
  });
  await assert.rejects(
    send(services, mail),
    (error) => error instanceof UnknownOutcome && error.provider === "resend",
  );
  await assert.rejects(send(services, mail, { only: "resend" }), UnknownOutcome);
  away = false;
  assert.equal((await send(services, mail, { only: "resend" })).id, "r-2");
  assert.ok(asked.every((name) => name === "resend"));
});

Deno.test("what is wrong with the mail itself is asked of nobody else", async () => {
  const { services, asked } = await createWorld({ resend: refusal(422, "validation_error") });
  await assert.rejects(send(services, mail), UnsendableMail);
  assert.deepEqual(asked, ["resend"]);
});

Deno.test("where nobody takes it, another try makes sense", async () => {
  const { services } = await createWorld({
    env: { EMAIL_PROVIDERS: "resend" },
    resend: refusal(500, "application_error"),
  });
  await assert.rejects(
    send(services, mail),
    (error) => error instanceof ProblemError && error.code === "unavailable",
  );
});

Deno.test("credentials are asked for at the start: a key that may only send is a good one", async () => {
  const good = await createWorld({ resend: refusal(401, "restricted_api_key") });
  assert.deepEqual(await checkProviders(good.services), { resend: true, gmail: true });
  const bad = await createWorld({ resend: refusal(403, "invalid_api_key") });
  const { publicKey } = await createServiceAccount(tokenUrl);
  const stranger = new Google(publicKey, tokenUrl);
  bad.google.handle = stranger.handle.bind(stranger);
  assert.deepEqual(await checkProviders(bad.services), { resend: false, gmail: false });
  assert.equal(bad.lines.length, 2);
  assert.ok(!JSON.stringify(bad.lines).includes("re_of_the_test"));
});

Deno.test("the configuration refuses what could never send, and says which variable it is", () => {
  const sender = { EMAIL_FROM: "m@nexus.test" };
  assert.equal(canSend(readConfig({ ...deadEnvironment, ...sender })), false);
  const { smtp } = readConfig({
    ...deadEnvironment,
    ...sender,
    SMTP_URL: "smtps://a%40b:c%3Ad@smtp.example.org",
  }).email;
  assert.deepEqual(
    { ...smtp, password: smtp!.password.reveal() },
    { secure: true, host: "smtp.example.org", port: 465, user: "a@b", password: "c:d" },
  );
  const bad: Record<string, string>[] = [
    { SMTP_URL: "smtp://smtp.example.org:587" },
    { EMAIL_PROVIDERS: "resend,pigeon" },
    { GMAIL_SERVICE_ACCOUNT: Buffer.from("{}").toString("base64") },
    { FCM_SERVICE_ACCOUNT: '{"type": "service_account"}' },
    { VAPID_PUBLIC_KEY: "short" },
    { VAPID_SUBJECT: "nobody" },
    { RESEND_WEBHOOK_SECRET: "whsec_short" },
  ];
  for (const env of bad) {
    const [name = ""] = Object.keys(env);
    assert.throws(() => readConfig({ ...deadEnvironment, ...env }), new RegExp(name));
  }
});
