import assert from "node:assert/strict";
import { codeIn, linkIn, mailsTo, mailTo } from "../support/mail.ts";
import { authMail, createWebhooks, hookCall } from "./support.ts";

const { app } = createWebhooks();

async function send(payload: ReturnType<typeof authMail>) {
  const response = await app.fetch(hookCall(payload));
  assert.deepEqual([response.status, await response.json()], [200, {}]);
  return payload.user.email;
}

for (const action of ["signup", "invite", "magiclink", "recovery"]) {
  Deno.test(`the mail for ${action} carries Auth's link and code`, async () => {
    const mail = await mailTo(await send(authMail(action)), `auth.${action}`);
    const link = new URL(linkIn(mail));
    assert.equal(link.origin + link.pathname, "http://auth.nexus.test:54321/auth/v1/verify");
    assert.deepEqual(Object.fromEntries(link.searchParams), {
      token: "hash-of-123456",
      type: action,
      redirect_to: "https://app.nexus.test/welcome?a=b",
    });
    assert.equal(codeIn(mail), "123456");
    assert.equal(mail.from, "Nexus <mail@nexus.local>");
  });
}

Deno.test("a change of address asks both, each with the code and the link that are theirs", async () => {
  const new_email = `${crypto.randomUUID()}@nexus.test`;
  const old = await send(authMail("email_change", {
    user: { new_email },
    token: "111111",
    token_hash: "hash-of-222222",
    token_new: "222222",
    token_hash_new: "hash-of-111111",
  }));
  for (const [address, code] of [[old, "111111"], [new_email, "222222"]] as const) {
    const mail = await mailTo(address, "auth.email_change");
    assert.equal(codeIn(mail), code);
    assert.equal(new URL(linkIn(mail)).searchParams.get("token"), `hash-of-${code}`);
    assert.ok(mail.text.includes(`from ${old} to ${new_email}`));
  }
});

Deno.test("a change of address that the old one has no say in asks the new one alone", async () => {
  const new_email = `${crypto.randomUUID()}@nexus.test`;
  const old = await send(authMail("email_change", { user: { new_email } }));
  assert.equal(codeIn(await mailTo(new_email, "auth.email_change")), "123456");
  assert.deepEqual(await mailsTo(old), []);
});

Deno.test("a reauthentication is a code and no link", async () => {
  const mail = await mailTo(await send(authMail("reauthentication")), "auth.reauthentication");
  assert.equal(codeIn(mail), "123456");
  assert.ok(!mail.text.includes("/verify"));
});

Deno.test("a changed address is told where its owner still reads; other notices go to the person", async () => {
  const old_email = `${crypto.randomUUID()}@nexus.test`;
  const now = await send(authMail("email_changed_notification", { old_email }));
  assert.ok((await mailTo(old_email, "auth.email_changed")).text.includes(old_email));
  assert.deepEqual(await mailsTo(now), []);
  const notices = ["password_changed", "phone_changed", "identity_linked", "mfa_factor_enrolled"];
  for (const notice of notices) {
    const to = await send(authMail(`${notice}_notification`, { provider: "github" }));
    const mail = await mailTo(to, `auth.${notice.replace("mfa_", "")}`);
    assert.ok(!/\/verify|123456/.test(mail.text), "a notice carries no secret");
  }
});

Deno.test("Auth calling again, because an answer got lost, sends nothing twice", async () => {
  const payload = authMail("recovery");
  const to = await send(payload);
  await send(payload);
  await mailTo(to, "auth.recovery");
  assert.equal((await mailsTo(to)).length, 1);
});

Deno.test("a mail is in the language that the person signed up in", async () => {
  const mail = await mailTo(
    await send(authMail("signup", { user: { user_metadata: { locale: "de-CH" } } })),
    "auth.signup",
  );
  assert.equal(mail.subject, "Bestätigen Sie Ihre E-Mail-Adresse");
  const odd = authMail("signup", { user: { user_metadata: { locale: { evil: true } } } });
  assert.equal(
    (await mailTo(await send(odd), "auth.signup")).subject,
    "Confirm your email address",
  );
});

Deno.test("where no provider is configured, Auth is told at once", async () => {
  for (const env of [{ RESEND_API_KEY: "" }, { EMAIL_FROM: "" }]) {
    const { app: silent } = createWebhooks(env);
    const response = await silent.fetch(hookCall(authMail("signup")));
    assert.deepEqual(
      [response.status, (await response.json()).code],
      [503, "email.not_configured"],
    );
    assert.equal(response.headers.get("retry-after"), null, "Auth would only ask again");
  }
});

Deno.test("what is no mail of Auth's is refused, however well it is signed", async () => {
  for (const payload of ["{", "[]", { user: {} }, authMail("unheard_of")]) {
    const response = await app.fetch(hookCall(payload));
    assert.deepEqual([response.status, (await response.json()).code], [422, "request.invalid"]);
  }
});
