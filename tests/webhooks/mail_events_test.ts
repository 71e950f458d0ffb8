import assert from "node:assert/strict";
import { createHmac } from "node:crypto";
import { assertProblem } from "../support/api.ts";
import { must } from "../support/answers.ts";
import { admin, createPerson, randomAddress } from "../support/clients.ts";
import { withDatabase } from "../support/database.ts";
import { createMember, createTenant } from "../support/tenants.ts";
import { declareKinds, delivered, deliveriesOf, notify } from "../notifications/support.ts";
import { createWebhooks, secretOf } from "./support.ts";

const secret = secretOf("resend").replace("v1,", "");
const { app } = createWebhooks({ RESEND_WEBHOOK_SECRET: secret });

interface Call {
  id?: string;
  at?: number;
  with?: string;
}

/** A call as Svix makes it for Resend. */
function call(type: string, data: Record<string, unknown>, options: Call = {}) {
  const body = JSON.stringify({ type, created_at: new Date().toISOString(), data });
  const id = options.id ?? `msg_${crypto.randomUUID().replaceAll("-", "")}`;
  const timestamp = String(Math.floor(Date.now() / 1000) + (options.at ?? 0));
  const key = secretOf(options.with ?? "resend").replace("v1,whsec_", "");
  const signature = createHmac("sha256", Uint8Array.fromBase64(key))
    .update(`${id}.${timestamp}.${body}`).digest("base64");
  return app.request("/webhooks/mail/resend", {
    method: "POST",
    headers: {
      "x-forwarded-for": randomAddress(),
      "content-type": "application/json",
      "svix-id": id,
      "svix-timestamp": timestamp,
      "svix-signature": `v1,${signature}`,
    },
    body,
  });
}

/** A person who got a mail, with what Resend calls it. */
async function mailed() {
  const person = await createPerson();
  const event = await withDatabase(async (sql) => {
    const id = await notify(sql, person);
    await delivered(sql, id, "sent");
    return id;
  });
  const { provider_id } = await withDatabase(async (sql) =>
    (await deliveriesOf(sql, event)).email!
  );
  return { person, event, data: { email_id: provider_id, to: [person.email] } };
}

const statusOf = (event: string) =>
  withDatabase(async (sql) => (await deliveriesOf(sql, event)).email!.status);

const nextOf = (person: { id: string }, kind = "auth.password_changed") =>
  withDatabase(async (sql) => {
    const event = await notify(sql, person, { kind });
    const { email } = await deliveriesOf(sql, event);
    return email!.status === "waiting"
      ? await Promise.any([delivered(sql, event, "sent"), delivered(sql, event, "skipped")])
      : email!;
  });

Deno.test("a delivery that the provider reports is noted with the mail", async () => {
  const { event, data } = await mailed();
  assert.equal((await call("email.delivered", data)).status, 200);
  assert.equal(await statusOf(event), "delivered");
});

Deno.test("a permanent bounce ends mail to the address, whoever has it and however it is written", async () => {
  const { person, event, data } = await mailed();
  const to = [`Ana <${person.email.toUpperCase()}>`];
  const bounce = { type: "Permanent", subType: "General", message: "no such mailbox" };
  assert.equal((await call("email.bounced", { ...data, to, bounce })).status, 200);
  assert.equal(await statusOf(event), "bounced");
  const next = await nextOf(person);
  assert.deepEqual([next.status, next.reason], ["skipped", "suppressed"]);
  assert.equal(
    await must(admin().rpc("notifications_release_address", { address: person.email })),
    true,
  );
  assert.equal((await nextOf(person)).status, "sent");
  await withDatabase(async (sql) => {
    const [row] = await sql`
      select count(*)::int as count from private.notifications_suppressions s
      where s::text ilike ${`%${person.email}%`}`;
    assert.equal(row!.count, 0, "the list holds nobody's address");
  });
});

Deno.test("a full mailbox is no reason to give up on an address; a complaint is", async () => {
  const { person, event, data } = await mailed();
  await call("email.bounced", { ...data, bounce: { type: "Transient" } });
  assert.equal(await statusOf(event), "bounced");
  assert.equal((await nextOf(person)).status, "sent");
  const other = await mailed();
  await call("email.complained", other.data);
  assert.equal(await statusOf(other.event), "complained");
  await declareKinds();
  const { reason } = await nextOf(other.person, "notifications.test_mail");
  assert.equal(reason, "suppressed");
  assert.equal((await nextOf(other.person)).status, "sent", "security mail is wanted all the same");
});

Deno.test("events come in any order: a late delivery does not undo a bounce", async () => {
  const { event, data } = await mailed();
  await call("email.bounced", { ...data, bounce: { type: "Transient" } });
  assert.equal((await call("email.delivered", data)).status, 200);
  assert.equal(await statusOf(event), "bounced");
});

Deno.test("Z10: a call counts once: its replay is refused, and so is what is old, unsigned or another's", async () => {
  const { event, data } = await mailed();
  const id = `msg_${crypto.randomUUID()}`;
  assert.equal((await call("email.delivered", data, { id })).status, 200);
  const refused: Promise<Response> | Response[] = [
    await call("email.complained", data, { id }),
    await call("email.complained", data, { at: -301 }),
    await call("email.complained", data, { with: "auth" }),
    await app.request("/webhooks/mail/resend", { method: "POST", body: "{}" }),
  ];
  for (const response of refused) await assertProblem(response, 401, "webhooks.signature_refused");
  assert.equal(await statusOf(event), "delivered");
  const { app: unconfigured } = createWebhooks();
  const response = await unconfigured.request("/webhooks/mail/resend", { method: "POST" });
  await assertProblem(response, 401, "webhooks.signature_refused");
});

Deno.test("what means nothing here is answered and left; what is no event is refused", async () => {
  assert.equal((await call("email.opened", { email_id: "x" })).status, 200);
  assert.equal((await call("contact.created", { id: "x" })).status, 200);
  const nothing = await call("email.delivered", { email_id: "of nobody", to: ["x@nexus.test"] });
  assert.equal(nothing.status, 200);
  await assertProblem(await call("email.delivered", { email_id: 7 }), 422, "request.invalid");
});

Deno.test("a burst of bounces holds that kind of mail in that tenant, and no security mail", async () => {
  await declareKinds();
  const tenant = await createTenant();
  const person = await createMember(tenant);
  const kind = "notifications.test_mail";
  await withDatabase(async (sql) => {
    const events = await Promise.all(
      Array.from({ length: 10 }, () => notify(sql, person, { kind, tenant })),
    );
    for (const event of events) await delivered(sql, event, "sent");
    for (const event of events) {
      const { email } = await deliveriesOf(sql, event);
      const bounced = await call("email.bounced", {
        email_id: email!.provider_id,
        bounce: { type: "Transient" },
      });
      assert.equal(bounced.status, 200);
    }
    const held = await delivered(sql, await notify(sql, person, { kind, tenant }), "held");
    assert.ok(held.due_at.getTime() > Date.now() + 50 * 60_000);
    await delivered(sql, await notify(sql, person), "sent");
    const elsewhere = await createTenant();
    const other = await createMember(elsewhere);
    await delivered(sql, await notify(sql, other, { kind, tenant: elsewhere }), "sent");
  });
});
