import assert from "node:assert/strict";
import { signToken } from "../../../local/tokens.ts";
import { withHost } from "./fixture.ts";

const echo = `Deno.serve(async (request) =>
  Response.json({
    method: request.method,
    path: new URL(request.url).pathname + new URL(request.url).search,
    body: await request.text(),
    header: request.headers.get("x-told"),
  }, { status: 201, headers: { "x-answer": "yes" } }));`;

Deno.test("a function is called with its own path, and its answer comes back whole", async () => {
  await withHost({ echo }, async ({ call }) => {
    const response = await call("/echo/v1/things?x=1%2C2", {
      method: "PUT",
      body: "héllo",
      headers: { "x-told": "me" },
    });
    assert.equal(response.status, 201);
    assert.equal(response.headers.get("x-answer"), "yes");
    assert.deepEqual(await response.json(), {
      method: "PUT",
      path: "/echo/v1/things?x=1%2C2",
      body: "héllo",
      header: "me",
    });
  });
});

Deno.test("a function that is not configured is hosted's 404", async () => {
  await withHost({ echo }, async ({ call }) => {
    const response = await call("/other");
    assert.equal(response.status, 404);
    assert.deepEqual(await response.json(), {
      code: "NOT_FOUND",
      message: "Requested function was not found",
    });
    await (await call("/echo")).body?.cancel();
  });
});

Deno.test("a page arrives as plain text, as hosted sends it", async () => {
  const page = `Deno.serve(() => new Response("<b>", {
    headers: { "content-type": "text/html; charset=utf-8" },
  }));`;
  await withHost({ page }, async ({ call }) => {
    const response = await call("/page");
    assert.equal(response.headers.get("content-type"), "text/plain; charset=utf-8");
    assert.equal(await response.text(), "<b>");
  });
});

Deno.test("verify_jwt lets only tokens of the project through", async (t) => {
  await withHost({ echo }, async ({ call, keys }) => {
    const now = Math.floor(Date.now() / 1000);
    const answer = async (headers: HeadersInit, method = "GET") => {
      const response = await call("/echo", { method, headers });
      return { status: response.status, body: await response.json() };
    };
    const refused = (message: string) => ({ status: 401, body: { code: 401, message } });

    await t.step("no token", async () => {
      assert.deepEqual(await answer({}), refused("Missing authorization header"));
    });
    await t.step("an expired token", async () => {
      const token = await signToken(keys, { role: "authenticated", exp: now - 60 });
      assert.deepEqual(
        await answer({ authorization: `Bearer ${token}` }),
        refused("Invalid JWT"),
      );
    });
    await t.step("a publishable key is no token", async () => {
      assert.deepEqual(
        await answer({ authorization: `Bearer ${keys.publishable}` }),
        refused("Invalid JWT"),
      );
    });
    await t.step("a good token", async () => {
      const token = await signToken(keys, { role: "authenticated", exp: now + 60 });
      assert.equal((await answer({ authorization: `Bearer ${token}` })).status, 201);
    });
    await t.step("a preflight, which never has a token", async () => {
      assert.equal((await answer({}, "OPTIONS")).status, 201);
    });
  }, { guarded: ["echo"] });
});
