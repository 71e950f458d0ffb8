import assert from "node:assert/strict";
import { must } from "../support/answers.ts";
import {
  admin,
  anonymous,
  createPerson,
  defaultPassword as password,
  proveRecently,
} from "../support/clients.ts";
import { withDatabase } from "../support/database.ts";
import { codeIn, linkIn, mailTo } from "../support/mail.ts";
import { until } from "../support/wait.ts";

const newEmail = () => `${crypto.randomUUID()}@nexus.test`;

/** Follows a mail's link as a browser does, up to the app it leads to. */
async function follow(link: string): Promise<URLSearchParams> {
  const response = await fetch(link, { redirect: "manual" });
  await response.body?.cancel();
  assert.equal(response.status, 303);
  return new URLSearchParams(new URL(response.headers.get("location")!).hash.slice(1));
}

Deno.test("whoever signs up gets a mail whose link confirms the address and signs them in", async () => {
  const email = newEmail();
  const { error } = await anonymous().auth.signUp({ email, password });
  assert.equal(error, null);
  const answer = await follow(linkIn(await mailTo(email, "auth.signup")));
  const { data } = await anonymous().auth.getUser(answer.get("access_token")!);
  assert.equal(data.user?.email, email);
});

Deno.test("the code of the same mail does it, too", async () => {
  const email = newEmail();
  const visitor = anonymous();
  await visitor.auth.signUp({ email, password });
  const token = codeIn(await mailTo(email, "auth.signup"));
  const { data, error } = await visitor.auth.verifyOtp({ email, token, type: "signup" });
  assert.equal(error, null);
  assert.equal(data.user?.email, email);
});

Deno.test("a forgotten password is reset by the mail that was asked for", async () => {
  const { email } = await createPerson();
  const visitor = anonymous();
  assert.equal((await visitor.auth.resetPasswordForEmail(email)).error, null);
  const token = codeIn(await mailTo(email, "auth.recovery"));
  assert.equal((await visitor.auth.verifyOtp({ email, token, type: "recovery" })).error, null);
  assert.equal((await visitor.auth.updateUser({ password: "Another-pass-8" })).error, null);
  const again = await anonymous().auth.signInWithPassword({ email, password: "Another-pass-8" });
  assert.equal(again.error, null);
});

Deno.test("a magic link and an invitation lead in", async () => {
  const { email } = await createPerson();
  await anonymous().auth.signInWithOtp({ email });
  const login = await follow(linkIn(await mailTo(email, "auth.magiclink")));
  assert.ok(login.get("access_token"));
  const invited = newEmail();
  await must(admin().auth.admin.inviteUserByEmail(invited));
  const accepted = await follow(linkIn(await mailTo(invited, "auth.invite")));
  assert.equal(accepted.get("type"), "invite");
});

Deno.test("an address changes once both the old and the new one have agreed by mail", async () => {
  const person = await createPerson();
  await proveRecently(person);
  const { client, email } = person;
  const next = newEmail();
  assert.equal((await client.auth.updateUser({ email: next })).error, null);
  await follow(linkIn(await mailTo(email, "auth.email_change")));
  assert.equal((await client.auth.getUser()).data.user?.email, email);
  await follow(linkIn(await mailTo(next, "auth.email_change")));
  assert.equal((await client.auth.getUser()).data.user?.email, next);
});

Deno.test("a mail is in the language that the person has chosen", async () => {
  const { client, email } = await createPerson();
  await must(client.rpc("people_update_me", { changes: { locale: "de" } }));
  await anonymous().auth.resetPasswordForEmail(email);
  const mail = await mailTo(email, "auth.recovery");
  assert.equal(mail.subject, "Setzen Sie Ihr Passwort zurück");
});

Deno.test("once a mail is sent, its link, its code and where it went are forgotten", async () => {
  const { id, email } = await createPerson();
  await anonymous().auth.resetPasswordForEmail(email);
  const { id: providerId } = await mailTo(email, "auth.recovery");
  await withDatabase(async (sql) => {
    const kept = await until(async () => {
      const [row] = await sql`
        select e.address, e.payload, d.provider_id
        from private.notifications_events e
        join private.notifications_deliveries d on d.event_id = e.id
        where e.person_id = ${id} and d.status = 'sent'`;
      return row;
    });
    assert.deepEqual({ ...kept }, { address: null, payload: {}, provider_id: providerId });
  });
});
