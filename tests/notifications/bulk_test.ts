import assert from "node:assert/strict";
import { isDeepStrictEqual } from "node:util";
import type postgres from "postgres";
import { callApi } from "../support/api.ts";
import { withDatabase } from "../support/database.ts";
import { mailsTo, mailTo } from "../support/mail.ts";
import { createMember, createTenant, setStatus, type Tenant } from "../support/tenants.ts";
import { admin } from "../support/clients.ts";
import { until } from "../support/wait.ts";
import { declareKinds } from "./support.ts";

const kind = "notifications.test_bulk";
const template = "notifications.digest";
const form = { "content-type": "application/x-www-form-urlencoded" };

const content = {
  subject: "News of June",
  preview: "What happened in June",
  greeting: "Dear {name},",
  blocks: [
    { type: "heading", text: "Summer <script>" },
    { type: "paragraph", text: "We **met** [here](https://nexus.test/here?a=b&c=d)." },
    { type: "button", text: "Read on", link: "https://nexus.test/june" },
  ],
};

/** Keeps a document and mails it. */
async function mail(
  sql: postgres.Sql,
  tenant: Tenant,
  { persons = [], addresses = [], document = crypto.randomUUID() }: {
    persons?: string[];
    addresses?: string[];
    document?: string;
  },
) {
  await sql`select private.notify_document(
    ${tenant.id}, ${document}, ${kind}, ${sql.json(content)})`;
  await sql`select private.notify_bulk(${tenant.id}, ${document}, ${persons}, ${addresses})`;
  return document;
}

interface State {
  stop_reason: string | null;
  statuses: Record<string, number>;
  reasons: Record<string, number>;
}

async function stateOf(sql: postgres.Sql, tenant: Tenant, document: string): Promise<State> {
  const [row] = await sql`select private.notify_bulk_state(${tenant.id}, ${document}) as state`;
  const { stop_reason, statuses, reasons } = row!.state;
  return { stop_reason, statuses, reasons };
}

const settled = (sql: postgres.Sql, tenant: Tenant, document: string, statuses: object) =>
  until(async () => {
    const state = await stateOf(sql, tenant, document);
    return isDeepStrictEqual(state.statuses, statuses) ? state : undefined;
  }, { timeout: 10_000, message: `${document} is ${JSON.stringify(statuses)}` });

const addressOf = (name: string) => `${name}-${crypto.randomUUID()}@nexus.test`;

Deno.test("a document goes to each of many once, in a mail of their own with a way out of it", () =>
  withDatabase(async (sql) => {
    await declareKinds();
    const tenant = await createTenant({ name: "Film Club" });
    const [person, address] = [await createMember(tenant), addressOf("reader")];
    const named = { persons: [person.id, person.id], addresses: [address, address.toUpperCase()] };
    const document = await mail(sql, tenant, named);
    await mail(sql, tenant, { ...named, document });
    await settled(sql, tenant, document, { sent: 2 });
    for (const to of [person.email, address]) {
      const mails = await mailsTo(to);
      assert.deepEqual(mails.map(({ subject }) => subject), ["News of June"]);
    }
    const own = await mailTo(person.email, template);
    assert.match(own.text, /^Dear .+,$/m);
    assert.ok(own.html.includes("Summer &lt;script&gt;"), "what was written is text");
    assert.ok(own.html.includes('<a href="https://nexus.test/here?a=b&amp;c=d"'));
    assert.ok(own.text.includes("here (https://nexus.test/here?a=b&c=d)"));
    const strange = await mailTo(address, template);
    assert.doesNotMatch(strange.text, /Dear/, "nobody knows a name");
    assert.ok(strange.text.includes("sent to this address on behalf of Film Club"));
    const links = [own, strange].map(({ headers }) => headers["List-Unsubscribe"]);
    assert.equal(new Set(links).size, 2);
  }));

Deno.test("RFC 8058: an address without a person switches a kind off, and it stays off", () =>
  withDatabase(async (sql) => {
    await declareKinds();
    const tenant = await createTenant();
    const address = addressOf("reader");
    await mail(sql, tenant, { addresses: [address] });
    const { headers } = await mailTo(address, template);
    assert.equal(headers["List-Unsubscribe-Post"], "List-Unsubscribe=One-Click");
    const [, link = ""] = /<(\S+)>/.exec(headers["List-Unsubscribe"] ?? "") ?? [];
    const { pathname, search } = new URL(link);
    const path = pathname.replace("/functions/v1/api", "") + search;
    assert.equal(
      (await (await callApi(path)).json()).setting,
      "instant",
      "reading changes nothing",
    );
    const post = (body: string) => callApi(path, { method: "POST", headers: form, body });
    assert.equal((await post("setting=weekly")).status, 422, "an address has no digests");
    const left = await (await post("List-Unsubscribe=One-Click")).json();
    assert.equal(left.setting, "off");
    const next = await mail(sql, tenant, { addresses: [` ${address.toUpperCase()} `] });
    const { reasons } = await settled(sql, tenant, next, { skipped: 1 });
    assert.deepEqual(reasons, { switched_off: 1 });
    const elsewhere = await createTenant();
    const other = await mail(sql, elsewhere, { addresses: [address] });
    await settled(sql, elsewhere, other, { sent: 1 });
    assert.equal((await (await post("setting=instant")).json()).setting, "instant");
    await settled(sql, tenant, await mail(sql, tenant, { addresses: [address] }), { sent: 1 });
    const [kept] = await sql`
      select count(*)::int as count from private.notifications_refusals r
      where r::text ilike ${`%${address}%`}`;
    assert.equal(kept!.count, 0, "the list holds nobody's address");
  }));

Deno.test("what is sent to many goes to those alone who are members and want it", () =>
  withDatabase(async (sql) => {
    await declareKinds();
    const tenant = await createTenant();
    const owner = await createMember(tenant, "owner");
    const [reader, gone, quiet] = await Promise.all([1, 2, 3].map(() => createMember(tenant)));
    await setStatus(owner.client, tenant, gone!, "suspended");
    const { error } = await quiet!.client.rpc("notifications_choose", {
      tenant_id: tenant.id,
      kind,
      channel: "email",
      setting: "off",
    });
    assert.equal(error, null);
    const persons = [reader!.id, gone!.id, quiet!.id];
    const document = await mail(sql, tenant, { persons });
    const { reasons } = await settled(sql, tenant, document, { sent: 1, skipped: 1 });
    assert.deepEqual(reasons, { not_member: 1 });
    const told = await sql`
      select r.id from private.notify_bulk_recipients(${tenant.id}, ${document}, 'sent') r (id)`;
    assert.deepEqual(told.map(({ id }) => id), [reader!.id]);
  }));

Deno.test("a document that is stopped sends nothing more until it is resumed, or never", () =>
  withDatabase(async (sql) => {
    await declareKinds();
    const tenant = await createTenant();
    const [first, second] = [addressOf("first"), addressOf("second")];
    const document = await mail(sql, tenant, {});
    await sql`select private.notify_bulk_stop(${tenant.id}, ${document})`;
    await mail(sql, tenant, { document, addresses: [first] });
    await settled(sql, tenant, document, { held: 1 });
    await sql`select private.notifications_release()`;
    assert.equal((await stateOf(sql, tenant, document)).stop_reason, "asked");
    await sql`select private.notify_bulk_resume(${tenant.id}, ${document})`;
    await sql`select private.notifications_release()`;
    await settled(sql, tenant, document, { sent: 1 });
    await sql`select private.notify_bulk_stop(${tenant.id}, ${document})`;
    await mail(sql, tenant, { document, addresses: [second] });
    await settled(sql, tenant, document, { sent: 1, held: 1 });
    await sql`select private.notify_bulk_withdraw(${tenant.id}, ${document})`;
    await sql`select private.notifications_release()`;
    const { reasons } = await settled(sql, tenant, document, { sent: 1, skipped: 1 });
    assert.deepEqual(reasons, { expired: 1 });
  }));

Deno.test("a burst of bounces stops the document it came from", () =>
  withDatabase(async (sql) => {
    await declareKinds();
    const tenant = await createTenant();
    const addresses = Array.from({ length: 10 }, (_, n) => addressOf(`reader-${n}`));
    const document = await mail(sql, tenant, { addresses });
    await settled(sql, tenant, document, { sent: 10 });
    const sent = await sql`
      select d.provider_id from private.notifications_deliveries d
      join private.notifications_events e on e.tenant_id = d.tenant_id and e.id = d.event_id
      where e.tenant_id = ${tenant.id} and e.document_id = ${document}`;
    for (const { provider_id } of sent) {
      const { error } = await admin().rpc("notifications_mail_events", {
        call_id: crypto.randomUUID(),
        provider: "resend",
        events: [{
          provider_ids: [provider_id],
          event: "bounced",
          addresses: [],
          permanent: false,
        }],
      });
      assert.equal(error, null);
    }
    const { stop_reason } = await settled(sql, tenant, document, { bounced: 10 });
    assert.equal(stop_reason, "bounces");
    await mail(sql, tenant, { document, addresses: [addressOf("late")] });
    await settled(sql, tenant, document, { held: 1, bounced: 10 });
  }));

Deno.test("a document with anything in it but its own few forms is refused, by its place", () =>
  withDatabase(async (sql) => {
    await declareKinds();
    const { id: tenant } = await createTenant();
    const { blocks, ...rest } = content;
    const faults: [string, postgres.JSONValue][] = [
      ["document", "text"],
      ["subject", { ...rest, subject: " ", blocks }],
      ["blocks", { ...rest, blocks: [] }],
      ["blocks[0].type", { ...rest, blocks: [{ type: "html", html: "<b>" }] }],
      ["blocks[1].text", { ...rest, blocks: [blocks[0]!, { type: "paragraph" }] }],
      ["blocks[0].link", {
        ...rest,
        blocks: [{ type: "button", text: "x", link: "javascript:x" }],
      }],
      ["blocks[0].url", { ...rest, blocks: [{ type: "image", url: "http://x.test/a", alt: "" }] }],
      ["blocks[0].alt", { ...rest, blocks: [{ type: "image", url: "https://x.test/a" }] }],
      ["blocks[0].items", { ...rest, blocks: [{ type: "list", items: [1] }] }],
    ];
    for (const [detail, document] of faults) {
      const refused = sql`
        select private.notify_document(
          ${tenant}, ${crypto.randomUUID()}, ${kind}, ${sql.json(document)})`;
      await assert.rejects(refused, { code: "PT422", message: "request.invalid", detail });
    }
    const secure = sql`select private.notify_document(
      ${tenant}, ${crypto.randomUUID()}, 'auth.password_changed', ${sql.json(content)})`;
    await assert.rejects(secure, /is not one that is mailed to many/);
  }));
