import assert from "node:assert/strict";
import type { CaughtMail, Mail } from "../../../local/mail/mail.ts";
import { sourceOf } from "../../../local/mail/source.ts";
import { withInbox } from "./support.ts";

const mailOf = (to: string, subject: string): Mail => ({
  to,
  subject,
  action: "signup",
  text: subject,
  html: `<p>${subject}</p>`,
  code: "123456",
});

const list = async (url: string, query = ""): Promise<CaughtMail[]> =>
  await (await fetch(`${url}/api/messages${query}`)).json();

Deno.test("caught mails are listed the newest first, and found by their reader", () =>
  withInbox(async ({ deliver }, url) => {
    for (const subject of ["first", "second", "third"]) {
      await deliver(mailOf(subject === "second" ? "ben@nexus.test" : "ana@nexus.test", subject));
    }
    assert.deepEqual((await list(url)).map(({ subject }) => subject), ["third", "second", "first"]);
    const [mail] = await list(url, "?to=Ben@nexus.test");
    const read: CaughtMail = await (await fetch(`${url}/api/messages/${mail!.id}`)).json();
    assert.deepEqual([read.subject, read.tags], ["second", [{
      name: "template",
      value: "signup",
    }]]);
  }));

Deno.test("one mail is deleted, or all of them", () =>
  withInbox(async ({ deliver }, url) => {
    for (const subject of ["first", "second", "third"]) await deliver(mailOf("a@b.test", subject));
    const [third] = await list(url);
    const remove = (path = "") => fetch(`${url}/api/messages${path}`, { method: "DELETE" });
    assert.equal((await remove(`/${third!.id}`)).status, 204);
    assert.deepEqual((await list(url)).map(({ subject }) => subject), ["second", "first"]);
    const again = await remove(`/${third!.id}`);
    assert.equal(again.status, 404);
    await again.body?.cancel();
    assert.equal((await remove()).status, 204);
    assert.deepEqual(await list(url), []);
  }));

Deno.test("people read mails on a page, which runs nothing of what they contain", () =>
  withInbox(async ({ deliver }, url) => {
    await deliver(mailOf("ana@nexus.test", "<script>alert(1)</script>"));
    const response = await fetch(url);
    assert.match(response.headers.get("content-security-policy")!, /default-src 'none'/);
    const page = await response.text();
    assert.ok(page.includes("&lt;script>"));
    const [, path] = /href="(\/messages\/[\w-]+)"/.exec(page)!;
    const shown = await (await fetch(url + path)).text();
    assert.ok(shown.includes(`<iframe title="The mail" sandbox=`) && !shown.includes("<script"));
    const framed = await fetch(`${url}${path}/html`);
    assert.match(framed.headers.get("content-security-policy")!, /default-src 'none'/);
    assert.equal(await framed.text(), `<base target="_blank"><p><script>alert(1)</script></p>`);
  }));

Deno.test("what is no mail is not found, be it a path out of the folder", () =>
  withInbox(async (_inbox, url) => {
    for (const id of ["unknown", "..%2Fkeys", "%2E%2E%2Fkeys"]) {
      for (const path of [`/api/messages/${id}`, `/messages/${id}`, `/messages/${id}/raw`]) {
        const response = await fetch(url + path);
        assert.equal(response.status, 404);
        await response.body?.cancel();
      }
    }
  }));

Deno.test("the source of a mail is RFC 5322, whatever letters it holds", () =>
  withInbox(async ({ deliver }, url) => {
    await deliver({ ...mailOf("ana@nexus.test", "Grüße\r\nBcc: eve@nexus.test"), text: "Grüße" });
    const [mail] = await list(url);
    const source = await (await fetch(`${url}/api/messages/${mail!.id}/raw`)).text();
    const [head = "", body = ""] = source.split(/\r\n\r\n(.*)/s);
    const headers = Object.fromEntries(
      head.split("\r\n").map((line) => line.split(/: (.*)/s).slice(0, 2)),
    );
    assert.equal(headers.To, "ana@nexus.test");
    assert.equal(headers.Bcc, undefined);
    assert.match(headers.Subject, /^=\?utf-8\?B\?[\w+/=]+\?=/);
    assert.match(headers["Content-Type"], /^multipart\/alternative; boundary="/);
    assert.ok(body.includes(btoa(String.fromCharCode(...new TextEncoder().encode("Grüße")))));
    assert.ok(source.split("\r\n").every((line) => line.length <= 998));
  }));

Deno.test("the source names only what is there", () => {
  const source = sourceOf({
    id: "0",
    created_at: "2026-01-02T03:04:05.000Z",
    from: "Zeitbörse <mail@nexus.test>",
    to: ["a@b.test", "c@d.test"],
    cc: [],
    bcc: ["e@f.test"],
    reply_to: ["g@h.test"],
    subject: "Hello",
    text: "Hello",
    html: "",
    headers: { "X-Kind": "test" },
    tags: [],
  });
  const head = source.split("\r\n\r\n")[0]!.split("\r\n");
  assert.deepEqual(head.slice(0, 6), [
    "Date: Fri, 02 Jan 2026 03:04:05 +0000",
    `From: =?utf-8?B?${btoa("Zeitb\xc3\xb6rse")}?= <mail@nexus.test>`,
    "To: a@b.test, c@d.test",
    "Reply-To: g@h.test",
    "Subject: Hello",
    "Message-ID: <0@nexus.local>",
  ]);
  assert.ok(head.includes("X-Kind: test") && !source.includes("text/html"));
});
