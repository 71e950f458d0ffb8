import { Buffer } from "node:buffer";
import assert from "node:assert/strict";
import { assertProblem, callApi } from "../support/api.ts";
import type { Person } from "../support/clients.ts";
import { withDatabase } from "../support/database.ts";
import { mailTo } from "../support/mail.ts";
import { createMember, createTenant, type Tenant } from "../support/tenants.ts";
import { declareKinds, deliveriesOf, notify } from "./support.ts";

const form = { "content-type": "application/x-www-form-urlencoded" };

/** A mail of a person, and the path of its own setting. */
async function receive(person: Person, tenant: Tenant, payload = {}) {
  await withDatabase((sql) =>
    notify(sql, person, { kind: "notifications.test_mail", payload, tenant })
  );
  const mail = await mailTo(person.email, "notifications.digest");
  const [, link = ""] = /<(\S+)>/.exec(mail.headers["List-Unsubscribe"] ?? "") ?? [];
  const { pathname, search } = new URL(link);
  return { mail, link, path: pathname.replace("/functions/v1/api", "") + search };
}

async function createWorld(options = {}) {
  await declareKinds();
  const tenant = await createTenant(options);
  return { tenant, person: await createMember(tenant) };
}

Deno.test("the link in a mail lands on that very setting, without a login", async () => {
  const { tenant, person } = await createWorld({ name: "Film & Co" });
  const { mail, link, path } = await receive(person, tenant);
  assert.ok(mail.text.includes(link) && mail.html.includes(link), "for people, too");
  const setting = await (await callApi(path)).json();
  assert.deepEqual(setting, {
    tenant_id: tenant.id,
    tenant: "Film & Co",
    kind: "notifications.test_mail",
    channel: "email",
    scope: "",
    setting: "instant",
    fixed: false,
  });
});

Deno.test("RFC 8058: one click of the mail program switches off that kind, in that tenant, on that channel", async () => {
  const { tenant, person } = await createWorld();
  const { mail, path } = await receive(person, tenant);
  assert.equal(mail.headers["List-Unsubscribe-Post"], "List-Unsubscribe=One-Click");
  const click = () =>
    callApi(path, { method: "POST", headers: form, body: "List-Unsubscribe=One-Click" });
  for (const _ of [1, 2]) assert.equal((await click()).status, 200);
  await withDatabase(async (sql) => {
    const again = await notify(sql, person, { kind: "notifications.test_mail", tenant });
    assert.deepEqual(Object.keys(await deliveriesOf(sql, again)), ["inbox"]);
  });
});

Deno.test("reading the link changes nothing: scanners follow links", async () => {
  const { tenant, person } = await createWorld();
  const { path } = await receive(person, tenant);
  assert.equal((await callApi(path)).status, 200);
  assert.equal((await (await callApi(path)).json()).setting, "instant");
});

Deno.test("browsers get a page in the reader's language, with a form that works without scripts", async () => {
  const { tenant, person } = await createWorld({ locale: "de", name: "Kino <Klub>" });
  const { path } = await receive(person, tenant, { scope: "group-1" });
  const asBrowser = { accept: "text/html,application/xhtml+xml" };
  const response = await callApi(path, { headers: asBrowser });
  assert.equal(response.headers.get("content-type"), "application/xhtml+xml; charset=utf-8");
  assert.match(response.headers.get("content-security-policy")!, /form-action 'self'/);
  const page = await response.text();
  assert.match(page, /<html[^>]* lang="de" dir="ltr">/);
  assert.ok(page.includes("Kino &lt;Klub&gt;"));
  assert.match(page, /value="instant" checked=""/);
  assert.ok(!page.includes("<script"));
  const saved = await callApi(path, {
    method: "POST",
    headers: { ...form, ...asBrowser },
    body: "setting=weekly",
  });
  assert.match(await saved.text(), /Gespeichert/);
  const { setting, scope } = await (await callApi(path)).json();
  assert.deepEqual([setting, scope], ["weekly", "group-1"]);
});

Deno.test("a tenant with a page of its own for settings has browsers sent there", async () => {
  const { tenant, person } = await createWorld();
  await withDatabase((sql) =>
    sql`update public.tenants
      set settings = '{"notifications": {"settings_url": "https://app.nexus.test/settings?a=b"}}'
      where id = ${tenant.id}`
  );
  const { link } = await receive(person, tenant);
  const response = await fetch(link, { headers: { accept: "text/html" }, redirect: "manual" });
  await response.body?.cancel();
  assert.equal(response.status, 303);
  const target = new URL(response.headers.get("location")!);
  assert.deepEqual([target.origin, target.searchParams.get("a")], ["https://app.nexus.test", "b"]);
  assert.equal(target.searchParams.get("token"), new URL(link).searchParams.get("token"));
});

Deno.test("a link that was changed, or whose person was erased, opens nothing", async () => {
  const { tenant, person } = await createWorld();
  const { path } = await receive(person, tenant);
  const token = new URLSearchParams(path.split("?")[1]).get("token")!;
  const [content = "", mac = ""] = token.split(".");
  const other = await createMember(tenant);
  const forged = Buffer.from(
    Buffer.from(content, "base64url").toString().replace(person.id, other.id),
  ).toString("base64url");
  for (const bad of [`${forged}.${mac}`, `${content}.${mac.slice(1)}a`, content, "x", "."]) {
    const response = await callApi(`/v1/notifications/setting?token=${encodeURIComponent(bad)}`);
    await assertProblem(response, 403, "notifications.link_refused");
  }
  await withDatabase((sql) => sql`delete from auth.users where id = ${person.id}`);
  await assertProblem(await callApi(path), 403, "notifications.link_refused");
});

Deno.test("what is no choice is refused, and security mail carries no way to switch it off", async () => {
  const { tenant, person } = await createWorld();
  const { path } = await receive(person, tenant);
  for (const body of ["", "setting=hourly", "List-Unsubscribe=Two-Clicks"]) {
    const response = await callApi(path, { method: "POST", headers: form, body });
    await assertProblem(response, 422, "request.invalid");
  }
  await withDatabase((sql) => notify(sql, person));
  const security = await mailTo(person.email, "auth.password_changed");
  assert.equal(security.headers["List-Unsubscribe"], undefined);
  const [link] = /http\S+setting\?token=\S+/.exec(security.text)!;
  const { pathname, search } = new URL(link);
  const own = pathname.replace("/functions/v1/api", "") + search;
  assert.equal((await (await callApi(own)).json()).fixed, true);
  const response = await callApi(own, { method: "POST", headers: form, body: "setting=off" });
  await assertProblem(response, 422, "request.invalid");
});
