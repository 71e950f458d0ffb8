import assert from "node:assert/strict";
import type { Mail } from "../../../local/mail/mail.ts";
import { startMail } from "../../../local/mail/mod.ts";
import { freeOffset } from "../../support/ports.ts";

async function withInbox(
  work: (inbox: ReturnType<typeof startMail>, url: string) => Promise<void>,
) {
  const home = await Deno.makeTempDir({ prefix: "nexus-mail-" });
  const mail = 54324 + freeOffset();
  const inbox = startMail({ settings: { home, ports: { api: 0, db: 0, studio: 0, mail } } });
  try {
    await work(inbox, `http://127.0.0.1:${mail}`);
  } finally {
    await inbox.stop();
    await Deno.remove(home, { recursive: true });
  }
}

const mailOf = (to: string, subject: string): Mail => ({
  to,
  subject,
  action: "signup",
  text: subject,
  html: `<p>${subject}</p>`,
  code: "123456",
});

Deno.test("caught mails are listed the newest first, and found by their reader", () =>
  withInbox(async ({ deliver }, url) => {
    for (const subject of ["first", "second", "third"]) {
      await deliver(mailOf(subject === "second" ? "ben@nexus.test" : "ana@nexus.test", subject));
    }
    const list = async (query = "") => {
      const mails: { id: string; subject: string }[] =
        await (await fetch(`${url}/api/messages${query}`)).json();
      return mails;
    };
    assert.deepEqual((await list()).map(({ subject }) => subject), ["third", "second", "first"]);
    const [mail] = await list("?to=Ben@nexus.test");
    const read = await (await fetch(`${url}/api/messages/${mail!.id}`)).json();
    assert.deepEqual([read.subject, read.code], ["second", "123456"]);
    assert.equal((await fetch(`${url}/api/messages`, { method: "DELETE" })).status, 204);
    assert.deepEqual(await list(), []);
  }));

Deno.test("people read mails on a page, which runs nothing of what they contain", () =>
  withInbox(async ({ deliver }, url) => {
    await deliver(mailOf("ana@nexus.test", "<script>alert(1)</script>"));
    const response = await fetch(url);
    assert.match(response.headers.get("content-security-policy")!, /default-src 'none'/);
    const page = await response.text();
    assert.ok(page.includes("&lt;script>"));
    const [, path] = /href="(\/messages\/[\w-]+)"/.exec(page)!;
    const mail = await fetch(url + path);
    assert.equal(mail.status, 200);
    assert.match(mail.headers.get("content-security-policy")!, /default-src 'none'/);
    await mail.body?.cancel();
  }));

Deno.test("what is no mail is not found, be it a path out of the folder", () =>
  withInbox(async (_inbox, url) => {
    for (const id of ["unknown", "..%2Fkeys", "%2E%2E%2Fkeys"]) {
      const response = await fetch(`${url}/api/messages/${id}`);
      assert.equal(response.status, 404);
      await response.body?.cancel();
    }
  }));
