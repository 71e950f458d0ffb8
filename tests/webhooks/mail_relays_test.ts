import { Buffer } from "node:buffer";
import assert from "node:assert/strict";
import { generateKeyPairSync, sign } from "node:crypto";
import { assertProblem } from "../support/api.ts";
import { certificate } from "../support/certificate.ts";
import { createPerson, randomAddress } from "../support/clients.ts";
import { withDatabase } from "../support/database.ts";
import { deliveriesOf, notify } from "../notifications/support.ts";
import { createWebhooks } from "./support.ts";

const ours = "arn:aws:sns:eu-west-1:123456789012:bounces";
const certificateUrl =
  "https://sns.eu-west-1.amazonaws.com/SimpleNotificationService-0123456789abcdef0123456789abcdef.pem";

const sendgrid = generateKeyPairSync("ec", { namedCurve: "P-256" });
const folder = await Deno.makeTempDir();
const amazon = await certificate(folder, "sns.amazonaws.com", "rsa");
await Deno.remove(folder, { recursive: true });

/** What the function asked Amazon for. */
const asked: string[] = [];

const { app } = createWebhooks({
  SENDGRID_WEBHOOK_KEY: sendgrid.publicKey.export({ format: "der", type: "spki" }).toString(
    "base64",
  ),
  SES_TOPIC_ARNS: ours,
}, {
  callProvider: (url) => {
    asked.push(String(url));
    return Promise.resolve(new Response(amazon.cert));
  },
});

const post = (path: string, body: string, headers: Record<string, string> = {}) =>
  app.request(`/webhooks/mail/${path}`, {
    method: "POST",
    headers: { "x-forwarded-for": randomAddress(), ...headers },
    body,
  });

/** A mail that went out by SMTP, with what the relay or our own header calls it. */
async function mailed(id = `<${crypto.randomUUID()}@nexus.test>`) {
  const person = await createPerson();
  const event = await withDatabase(async (sql) => {
    const event = await notify(sql, person);
    await sql`update private.notifications_deliveries
      set status = 'sent', provider = 'smtp', provider_id = ${id}
      where event_id = ${event} and channel = 'email'`;
    return event;
  });
  return { person, event, id };
}

const statusOf = (event: string) =>
  withDatabase(async (sql) => (await deliveriesOf(sql, event)).email!.status);

const suppressed = (address: string) =>
  withDatabase(async (sql) => {
    const [row] = await sql`
      select private.notifications_is_suppressed(${address}, 'auth.password_changed') as it`;
    return row!.it;
  });

/** A call as SendGrid makes it. */
function bySendGrid(events: unknown[], { at = 0, key = sendgrid.privateKey } = {}) {
  const body = JSON.stringify(events);
  const timestamp = String(Math.floor(Date.now() / 1000) + at);
  return post("sendgrid", body, {
    "x-twilio-email-event-webhook-timestamp": timestamp,
    "x-twilio-email-event-webhook-signature": sign("sha256", Buffer.from(timestamp + body), key)
      .toString("base64"),
  });
}

interface Said {
  [field: string]: string;
}

/** A message as SNS posts it, signed once it says all it should. */
function bySns(said: Partial<Said>, changedLater: Partial<Said> = {}) {
  const message: Said = {
    Type: "Notification",
    MessageId: crypto.randomUUID(),
    TopicArn: ours,
    Timestamp: new Date().toISOString(),
    SignatureVersion: "2",
    SigningCertURL: certificateUrl,
    Message: "{}",
    ...said as Said,
  };
  const names = message.Type === "Notification"
    ? ["Message", "MessageId", "Subject", "Timestamp", "TopicArn", "Type"]
    : ["Message", "MessageId", "SubscribeURL", "Timestamp", "Token", "TopicArn", "Type"];
  const text = names.filter((name) => message[name] !== undefined)
    .map((name) => `${name}\n${message[name]}\n`).join("");
  const Signature = sign("sha256", Buffer.from(text), amazon.key).toString("base64");
  return post("ses", JSON.stringify({ ...message, Signature, ...changedLater }));
}

const bounce = (address: string, mail: unknown, bounceType = "Permanent") =>
  JSON.stringify({
    notificationType: "Bounce",
    bounce: { bounceType, bouncedRecipients: [{ emailAddress: address }] },
    mail,
  });

Deno.test("SendGrid: what its calls say of each mail is noted, several in one", async () => {
  const [delivered, bounced, blocked] = [await mailed(), await mailed(), await mailed()];
  const response = await bySendGrid([
    { event: "delivered", email: delivered.person.email, "smtp-id": delivered.id },
    { event: "bounce", type: "bounce", email: bounced.person.email, "smtp-id": bounced.id },
    { event: "bounce", type: "blocked", email: blocked.person.email, "smtp-id": blocked.id },
    { event: "open", email: delivered.person.email },
  ]);
  assert.equal(response.status, 200);
  assert.deepEqual(
    [await statusOf(delivered.event), await statusOf(bounced.event), await statusOf(blocked.event)],
    ["delivered", "bounced", "bounced"],
  );
  assert.equal(await suppressed(bounced.person.email), true);
  assert.equal(await suppressed(blocked.person.email), false, "refused for now");
});

Deno.test("Z10: SendGrid: replayed, old, changed or of another key, a call is refused", async () => {
  const { event, id } = await mailed();
  const complaint = [{ event: "spamreport", "smtp-id": id }];
  const delivery = [{ event: "delivered", "smtp-id": id, sg_event_id: crypto.randomUUID() }];
  const [now, other] = [
    Math.floor(Date.now() / 1000),
    generateKeyPairSync("ec", { namedCurve: "P-256" }),
  ];
  const body = JSON.stringify(delivery);
  // The same call under another signature, which everybody can make who has seen it.
  const replay = () =>
    post("sendgrid", body, {
      "x-twilio-email-event-webhook-timestamp": String(now),
      "x-twilio-email-event-webhook-signature": sign(
        "sha256",
        Buffer.from(now + body),
        sendgrid.privateKey,
      ).toString("base64"),
    });
  assert.equal((await replay()).status, 200);
  for (
    const response of [
      await replay(),
      await bySendGrid(complaint, { at: -301 }),
      await bySendGrid(complaint, { key: other.privateKey }),
      await post("sendgrid", JSON.stringify(complaint)),
    ]
  ) await assertProblem(response, 401, "webhooks.signature_refused");
  assert.equal(await statusOf(event), "delivered");
});

Deno.test("SES: bounces and complaints come through a topic of ours, by SES's name of the mail or ours", async () => {
  const [named, headed, full] = [
    await mailed(`0102-${crypto.randomUUID()}`),
    await mailed(),
    await mailed(),
  ];
  const mailOf = (id: string) => ({
    messageId: "0102-of-amazon",
    headers: [{ name: "Message-ID", value: id }],
  });
  const calls = [
    bounce(named.person.email, { messageId: named.id }),
    bounce(full.person.email, mailOf(full.id), "Transient"),
    JSON.stringify({
      eventType: "Complaint",
      complaint: { complainedRecipients: [{ emailAddress: headed.person.email }] },
      mail: mailOf(headed.id),
    }),
  ];
  for (const Message of calls) assert.equal((await bySns({ Message })).status, 200);
  assert.deepEqual(
    [await statusOf(named.event), await statusOf(headed.event), await statusOf(full.event)],
    ["bounced", "complained", "bounced"],
  );
  assert.equal(await suppressed(named.person.email), true);
  assert.equal(await suppressed(full.person.email), false, "a full mailbox");
});

Deno.test("SES: a subscription of our topic is confirmed, and nobody else's address is called", async () => {
  const SubscribeURL =
    `https://sns.eu-west-1.amazonaws.com/?Action=ConfirmSubscription&TopicArn=${ours}&Token=abc`;
  const said = { Type: "SubscriptionConfirmation", Token: "abc", SubscribeURL };
  assert.equal((await bySns(said)).status, 200);
  assert.ok(asked.includes(SubscribeURL));
  for (
    const elsewhere of [
      "https://sns.eu-west-1.amazonaws.com.evil.test/?Action=ConfirmSubscription&Token=abc",
      "http://sns.eu-west-1.amazonaws.com/?Action=ConfirmSubscription&Token=abc",
      "https://sns.eu-west-1.amazonaws.com/?Action=DeleteTopic&Token=abc",
      "https://169.254.169.254/?Action=ConfirmSubscription&Token=abc",
    ]
  ) {
    const response = await bySns({ ...said, SubscribeURL: elsewhere });
    await assertProblem(response, 401, "webhooks.signature_refused");
    assert.ok(!asked.includes(elsewhere));
  }
});

Deno.test("Z10: SES: another's topic, certificate or words, and what is old or comes again, is refused", async () => {
  const { person, event, id } = await mailed(`0102-${crypto.randomUUID()}`);
  const Message = bounce(person.email, { messageId: id });
  // SNS repeats what was not taken under its first signature.
  const Timestamp = new Date(Date.now() - 3 * 3_600_000).toISOString();
  const again = { Message: "{}", MessageId: crypto.randomUUID(), Timestamp };
  const delivery = JSON.stringify({ notificationType: "Delivery", mail: { messageId: id } });
  assert.equal((await bySns({ ...again, Message: delivery })).status, 200);
  const theirs =
    "https://sns.evil.test/SimpleNotificationService-0123456789abcdef0123456789abcdef.pem";
  const refused = [
    await bySns({ ...again, Message: delivery }),
    await bySns({ Message, TopicArn: ours.replace("123456789012", "210987654321") }),
    await bySns({ Message, SigningCertURL: theirs }),
    await bySns({ Message, SigningCertURL: certificateUrl.replace(".com", ".com.evil.test") }),
    await bySns({ Message, SignatureVersion: "1" }),
    await bySns({ Message, Timestamp: new Date(Date.now() - 86_401_000).toISOString() }),
    await bySns({ Message, Timestamp: new Date(Date.now() + 310_000).toISOString() }),
    await bySns({ Message: "{}" }, { Message }),
    await post("ses", "{}"),
    await post("ses", "no"),
  ];
  for (const response of refused) await assertProblem(response, 401, "webhooks.signature_refused");
  assert.equal(await statusOf(event), "delivered");
  assert.ok(asked.every((url) => url.startsWith("https://sns.eu-west-1.amazonaws.com/")));
});
