import assert from "node:assert/strict";
import { mailTo } from "../support/mail.ts";
import { authMail, createWebhooks, hookCall, secretOf } from "./support.ts";

const { app, lines } = createWebhooks();

async function assertRefused(request: Request, to = app) {
  const response = await to.fetch(request);
  const body = await response.json();
  assert.deepEqual([response.status, body.code], [401, "webhooks.signature_refused"]);
  assert.equal(body.detail, undefined, "what was wrong is for the log alone");
}

Deno.test("Z10: a call that Auth signed is taken once; played again, it is refused", async () => {
  const id = crypto.randomUUID();
  const mail = authMail("signup");
  assert.equal((await app.fetch(hookCall(mail, { id }))).status, 200);
  const replayed = await app.fetch(hookCall(mail, { id }));
  assert.deepEqual(
    [replayed.status, (await replayed.json()).code],
    [401, "webhooks.signature_refused"],
  );
  assert.ok(await mailTo(mail.user.email, "auth.signup"));
});

Deno.test("a call with another secret, another body or without a signature is refused", async () => {
  const mail = authMail("signup");
  await assertRefused(hookCall(mail, { secret: "another" }));
  const tampered = new Request(hookCall(mail), {
    body: JSON.stringify({ ...mail, user: { ...mail.user, email: "eve@nexus.test" } }),
  });
  await assertRefused(tampered);
  for (const name of ["webhook-id", "webhook-timestamp", "webhook-signature"]) {
    await assertRefused(hookCall(mail, { headers: { [name]: "" } }));
  }
  await assertRefused(hookCall(mail, { headers: { "webhook-signature": "v1,AAAA v1a,BBBB" } }));
});

Deno.test("Z10: a call is refused that is more than five minutes old, or ahead", async () => {
  for (const at of [-310, 310, -1e9]) await assertRefused(hookCall(authMail("signup"), { at }));
  const late = await app.fetch(hookCall(authMail("signup"), { at: -280 }));
  assert.equal(late.status, 200);
  await assertRefused(hookCall(authMail("signup"), { headers: { "webhook-timestamp": "1e9" } }));
});

Deno.test("while the secret is changed, either is good", async () => {
  const both = createWebhooks({
    SEND_EMAIL_HOOK_SECRET: `${secretOf("new")}|${secretOf("auth")}`,
  }).app;
  for (const secret of ["new", "auth"]) {
    assert.equal((await both.fetch(hookCall(authMail("signup"), { secret }))).status, 200);
  }
  await assertRefused(hookCall(authMail("signup"), { secret: "another" }), both);
  const several = hookCall(authMail("signup"));
  several.headers.set("webhook-signature", `v1,AAAA, ${several.headers.get("webhook-signature")}`);
  assert.equal((await both.fetch(several)).status, 200);
});

Deno.test("without a secret every call is refused", async () => {
  const { app: without } = createWebhooks({ SEND_EMAIL_HOOK_SECRET: "" });
  await assertRefused(hookCall(authMail("signup")), without);
});

Deno.test("why a call was refused is in the log, and nothing that it carried", async () => {
  const mail = authMail("signup");
  await assertRefused(hookCall(mail, { secret: "another" }));
  assert.ok(lines.some(({ event }) => event.reason === "no signature fits"));
  assert.ok(!JSON.stringify(lines).includes(mail.user.email));
});
