import assert from "node:assert/strict";
import { assertProblem, callApi } from "../support/api.ts";
import { assertRefused, must } from "../support/answers.ts";
import type { Person } from "../support/clients.ts";
import { withDatabase } from "../support/database.ts";
import { mailTo } from "../support/mail.ts";
import { getStack } from "../support/stack.ts";
import { createMember } from "../support/tenants.ts";
import { createWorld, type Newsletter, reached } from "./support.ts";

const world = await createWorld();
const { tenant, head, ask, call, draft, statistics } = world;

/** A newsletter that was sent to these people. */
async function send(tag: string, ...people: Person[]): Promise<Newsletter> {
  const newsletter = await draft(tag, people);
  await call(head, "schedule", { newsletter_id: newsletter.id });
  return await withDatabase((sql) => reached(sql, newsletter, "sent"));
}

/** The links of ours in a person's mail, as paths of the function. */
async function linksFor({ email }: Person): Promise<string[]> {
  const { html } = await mailTo(email, "newsletters.issue");
  return [...html.matchAll(/(?:href|src)="([^"]+\/v1\/newsletters\/[^"]+)"/g)]
    .map(([, url]) => new URL(url!.replaceAll("&amp;", "&")))
    .map(({ pathname, search }) => pathname.replace("/functions/v1/api", "") + search);
}

/** Where a link in a mail leads. */
async function follow(path: string) {
  const url = `${getStack().url}/functions/v1/api${path}`;
  const response = await fetch(url, { redirect: "manual" });
  await response.body?.cancel();
  return [response.status, response.headers.get("location")];
}

Deno.test("a click is counted and leads to where the issue's link leads", async () => {
  const ana = await createMember(tenant);
  const newsletter = await send("clicks", ana);
  const [first, second, ...more] = await linksFor(ana);
  assert.deepEqual(more, [], "and there is no picture: nobody consented");
  assert.deepEqual(await follow(first!), [302, "https://nexus.test/this"]);
  assert.deepEqual(await follow(second!), [302, "https://nexus.test/on"]);
  const [figures] = await statistics(newsletter);
  assert.deepEqual([figures!.clicked, figures!.opened], [2, 0], "nor is it noted who it was");
});

Deno.test("no link of ours leads anywhere but into its issue, whoever made it", async () => {
  const ana = await createMember(tenant);
  await send("forged", ana);
  const [link] = await linksFor(ana);
  const url = new URL(link!, "http://x");
  const token = url.searchParams.get("token")!;
  const forge = (changes: Record<string, string>) => {
    const query = new URLSearchParams({ token, link: "0", ...changes });
    return callApi(`/v1/newsletters/click?${query}`);
  };
  const [content, mac] = token.split(".");
  const forged = [
    { link: "2" },
    { token: `${content}.${mac!.split("").toReversed().join("")}` },
    { token: `${btoa('["https://evil.test"]')}.${mac}` },
    { token: "x" },
  ];
  for (const changes of forged) {
    await assertProblem(await forge(changes), 403, "newsletters.link_refused");
  }
  await assertProblem(await forge({ link: "-1" }), 422, "request.invalid");
  await assertProblem(await forge({ link: "https://evil.test" }), 422, "request.invalid");
  const refused = await callApi("/v1/newsletters/open?token=x");
  await assertProblem(refused, 403, "newsletters.link_refused");
  // Nor does a link to a setting open a newsletter, or the other way round.
  await assertProblem(
    await callApi(`/v1/notifications/setting?token=${encodeURIComponent(token)}`),
    403,
    "notifications.link_refused",
  );
});

Deno.test("opening is noted once, of those alone who let it be", async () => {
  const [ana, ben] = [await createMember(tenant), await createMember(tenant)];
  await call(ana, "consent", { given: true });
  const newsletter = await send("opens", ana, ben);
  const [, , picture] = await linksFor(ana);
  assert.equal((await linksFor(ben)).length, 2);
  for (let times = 0; times < 3; times++) {
    const response = await callApi(picture!);
    assert.deepEqual(
      [response.status, response.headers.get("content-type")],
      [200, "image/gif"],
    );
    assert.equal((await response.bytes()).length, 42);
  }
  assert.equal((await statistics(newsletter))[0]!.opened, 1);
  // Taken back, nothing says any more that it was Ana.
  await call(ana, "consent", { given: false });
  await withDatabase(async (sql) => {
    const rows = await sql`
      select from private.newsletters_recipients where person_id = ${ana.id} and opened_at is not null`;
    assert.equal(rows.length, 0);
  });
  await (await callApi(picture!)).body?.cancel();
  assert.equal((await statistics(newsletter))[0]!.opened, 1, "nor is it noted again");
  await assertRefused(ask(ana, "consent", { given: null }), 422, "request.invalid");
});

Deno.test("RFC 8058: one click ends them, and counts for the issue that was enough", async () => {
  const ana = await createMember(tenant);
  const first = await send("enough", ana);
  const mail = await mailTo(ana.email, "newsletters.issue");
  const [, link = ""] = /<(\S+)>/.exec(mail.headers["List-Unsubscribe"] ?? "") ?? [];
  const { pathname, search } = new URL(link);
  const response = await callApi(pathname.replace("/functions/v1/api", "") + search, {
    method: "POST",
    headers: { "content-type": "application/x-www-form-urlencoded" },
    body: "List-Unsubscribe=One-Click",
  });
  assert.equal((await response.json()).setting, "off");
  assert.equal((await statistics(first))[0]!.unsubscribed, 1);
  const second = await send("more", ana);
  const [figures] = await statistics(second);
  assert.deepEqual([figures!.recipients, figures!.sent], [1, 0]);
});

Deno.test("what a provider says of the mails later is counted", async () => {
  const ana = await createMember(tenant);
  const newsletter = await send("delivered", ana);
  await withDatabase(async (sql) => {
    const settle = (status: string) =>
      sql`update private.notifications_deliveries set status = ${status}
        where person_id = ${ana.id} and kind = 'newsletters.issue'`;
    await settle("delivered");
    await settle("bounced");
    await sql`select private.newsletters_fold()`;
  });
  const [row] = await must<Record<string, number>[]>(
    head.client.from("newsletters_variants").select("sent, delivered, bounced")
      .eq("newsletter_id", newsletter.id),
  );
  assert.deepEqual(row, { sent: 1, delivered: 1, bounced: 1 });
});
