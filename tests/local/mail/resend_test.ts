import assert from "node:assert/strict";
import { apiKey, withInbox } from "./support.ts";

const mail = {
  from: "Nexus <mail@nexus.test>",
  to: ["ana@nexus.test"],
  subject: "Hello",
  html: "<p>Hello</p>",
  text: "Hello",
};

/** Asks the inbox as a client of Resend does. */
async function ask(
  url: string,
  path: string,
  body?: unknown,
  { token = `Bearer ${apiKey}`, key = "" } = {},
) {
  const response = await fetch(url + path, {
    method: body === undefined ? "GET" : "POST",
    headers: {
      ...(token && { authorization: token }),
      ...(key && { "idempotency-key": key }),
      "content-type": "application/json",
    },
    ...(body !== undefined && { body: typeof body === "string" ? body : JSON.stringify(body) }),
  });
  return { status: response.status, body: await response.json() };
}

const caught = async (url: string): Promise<unknown[]> =>
  await (await fetch(`${url}/api/messages`)).json();

Deno.test("a mail sent by Resend's API is in the inbox, and found by the id it got", () =>
  withInbox(async (_inbox, url) => {
    const sent = await ask(url, "/emails", { ...mail, to: "ana@nexus.test", reply_to: "b@c.test" });
    assert.equal(sent.status, 200);
    const { body } = await ask(url, `/emails/${sent.body.id}`);
    assert.deepEqual(
      [body.object, body.id, body.to, body.reply_to, body.html, body.last_event],
      ["email", sent.body.id, ["ana@nexus.test"], ["b@c.test"], "<p>Hello</p>", "delivered"],
    );
    const unknown = await ask(url, `/emails/${crypto.randomUUID()}`);
    assert.deepEqual([unknown.status, unknown.body.name], [404, "not_found"]);
  }));

Deno.test("a batch is taken whole or not at all", () =>
  withInbox(async (_inbox, url) => {
    const { status, body } = await ask(url, "/emails/batch", [mail, { ...mail, subject: "Again" }]);
    assert.deepEqual([status, body.data.length, (await caught(url)).length], [200, 2, 2]);
    const broken = await ask(url, "/emails/batch", [mail, { ...mail, to: "nobody" }]);
    assert.deepEqual([broken.status, (await caught(url)).length], [422, 2]);
    for (const batch of [[], Array(101).fill(mail), mail]) {
      assert.equal((await ask(url, "/emails/batch", batch)).status, 422);
    }
  }));

Deno.test("only who has the key may send", () =>
  withInbox(async (_inbox, url) => {
    const none = await ask(url, "/emails", mail, { token: "" });
    assert.deepEqual(none, {
      status: 401,
      body: { statusCode: 401, name: "missing_api_key", message: "Missing API Key" },
    });
    const wrong = await ask(url, "/emails", mail, { token: "Bearer re_another" });
    assert.deepEqual([wrong.status, wrong.body.name], [403, "invalid_api_key"]);
    const batch = await ask(url, "/emails/batch", [mail], { token: "" });
    assert.equal(batch.status, 401);
    assert.deepEqual(await caught(url), []);
  }));

Deno.test("a key of idempotency sends once, and belongs to one mail", () =>
  withInbox(async (_inbox, url) => {
    const first = await ask(url, "/emails", mail, { key: "job-1" });
    const second = await ask(url, "/emails", mail, { key: "job-1" });
    assert.deepEqual(second, first);
    const other = await ask(url, "/emails", { ...mail, subject: "Other" }, { key: "job-1" });
    assert.deepEqual([other.status, other.body.name], [409, "invalid_idempotent_request"]);
    const long = await ask(url, "/emails", mail, { key: "k".repeat(257) });
    assert.deepEqual([long.status, long.body.name], [400, "invalid_idempotency_key"]);
    assert.equal((await caught(url)).length, 1);
  }));

Deno.test("a refused mail leaves its key free", () =>
  withInbox(async (_inbox, url) => {
    const failing = { ...mail, to: "fail-500@nexus.test" };
    assert.equal((await ask(url, "/emails", failing, { key: "job-2" })).status, 500);
    assert.equal((await ask(url, "/emails", mail, { key: "job-2" })).status, 200);
  }));

Deno.test("what Resend refuses is refused in its words", () =>
  withInbox(async (_inbox, url) => {
    const { to: _to, ...nobody } = mail;
    const refusals: [unknown, string][] = [
      [nobody, "missing_required_field"],
      [{ ...mail, html: "", text: "" }, "missing_required_field"],
      ["{", "validation_error"],
      [{ ...mail, from: "nobody" }, "validation_error"],
      [{ ...mail, to: "a@b.test, c@d.test" }, "validation_error"],
      [{ ...mail, to: "a@b.test\r\nBcc: c@d.test" }, "validation_error"],
      [{ ...mail, to: Array(51).fill("a@b.test") }, "validation_error"],
      [{ ...mail, tags: [{ name: "a b", value: "c" }] }, "validation_error"],
      [{ ...mail, to: "fail-422@nexus.test" }, "validation_error"],
    ];
    for (const [body, name] of refusals) {
      const answer = await ask(url, "/emails", body);
      assert.deepEqual([answer.status, answer.body.name], [422, name], JSON.stringify(body));
      assert.equal(answer.body.statusCode, 422);
    }
    assert.deepEqual(await caught(url), []);
  }));
