import assert from "node:assert/strict";
import { admin, anonymous } from "../../support/clients.ts";
import { getStack } from "../../support/stack.ts";
import { assertRefused, call, must, withYard } from "./support.ts";

Deno.test("who may not read is told that there is nothing", async () => {
  await withYard(async ({ of, ana, ben, bucket }) => {
    const path = `${ana.id}/secret`;
    await must(of(ana.client).upload(path, "secret"));
    assertRefused(await of(ben.client).download(path), "404", "NoSuchKey");
    assertRefused(await of(ben.client).info(path), "404", "NoSuchKey");
    assertRefused(await of(anonymous()).download(path), "404", "NoSuchKey");
    assert.equal((await of(ben.client).exists(path)).data, false);
    assert.equal((await of(ana.client).exists(path)).data, true);
    for (const url of [`public/${bucket}`, bucket]) {
      const answer = await fetch(`${getStack().url}/storage/v1/object/${url}/${path}`);
      assert.equal((await answer.json()).code, "NoSuchBucket");
    }
    assert.equal(await (await must(of(admin()).download(path))).text(), "secret");
  });
});

Deno.test("a public bucket is read by everybody and written by whom the policies let", async () => {
  await withYard(async ({ of, ana, ben }) => {
    const path = `${ana.id}/page.html`;
    await must(of(ana.client).upload(path, "<script>", { contentType: "text/html" }));
    const { data } = of(anonymous()).getPublicUrl(path, { download: "naïve.html" });
    const answer = await fetch(data.publicUrl);
    assert.equal(await answer.text(), "<script>");
    assert.equal(answer.headers.get("content-type"), "text/plain");
    assert.match(answer.headers.get("content-disposition")!, /^attachment; filename=na%C3%AFve/);
    assert.equal(await (await must(of(ben.client).download(path))).text(), "<script>");
    assertRefused(await of(ben.client).update(path, "x"), "403", "AccessDenied");
    const missing = await fetch(of(ben.client).getPublicUrl("no").data.publicUrl);
    assert.equal((await missing.json()).code, "NoSuchKey");
  }, { public: true });
});

Deno.test("ranges and conditions are honoured", async () => {
  await withYard(async ({ of, ana, bucket }) => {
    const path = `${ana.id}/digits`;
    await must(of(ana.client).upload(path, "0123456789"));
    const get = (headers: HeadersInit, method = "GET") =>
      call(`/object/authenticated/${bucket}/${path}`, ana.client, { headers, method });
    const ranges: Record<string, [number, string, string | null]> = {
      "bytes=0-3": [206, "0123", "bytes 0-3/10"],
      "bytes=8-": [206, "89", "bytes 8-9/10"],
      "bytes=-3": [206, "789", "bytes 7-9/10"],
      "bytes=5-99": [206, "56789", "bytes 5-9/10"],
      "bytes=10-": [416, "", "bytes */10"],
      "bytes=4-2": [416, "", "bytes */10"],
      "bytes=0-1,4-5": [200, "0123456789", null],
    };
    for (const [range, expected] of Object.entries(ranges)) {
      const answer = await get({ range });
      const { status, headers } = answer;
      assert.deepEqual(
        [status, await answer.text(), headers.get("content-range")],
        expected,
        range,
      );
    }
    const whole = await get({});
    assert.equal(await whole.text(), "0123456789");
    const etag = whole.headers.get("etag")!;
    assert.equal(etag, '"781e5e245d69b566979b86e28d23f2c7"');
    const since = whole.headers.get("last-modified")!;
    assert.equal((await get({ "if-none-match": etag })).status, 304);
    assert.equal((await get({ "if-modified-since": since })).status, 304);
    const other = await get({ "if-none-match": '"other"' });
    assert.equal(await other.text(), "0123456789");
    const head = await get({}, "HEAD");
    assert.deepEqual([head.status, head.headers.get("etag"), await head.text()], [200, etag, ""]);
  });
});

Deno.test("tokens that are bad, old or absent are refused", async () => {
  await withYard(async ({ bucket, ana }) => {
    const path = `/object/authenticated/${bucket}/${ana.id}/x`;
    const get = async (headers: HeadersInit) =>
      await (await fetch(`${getStack().url}/storage/v1${path}`, { headers })).json();
    for (const token of ["garbage", "a.b.c"]) {
      const body = await get({ authorization: `Bearer ${token}` });
      assert.deepEqual([body.statusCode, body.error], ["403", "Unauthorized"]);
    }
    assert.equal((await get({})).code, "NoSuchBucket");
    const listing = await fetch(`${getStack().url}/storage/v1/bucket`);
    assert.equal(listing.status, 400);
    assert.match((await listing.json()).message, /authorization/);
  });
});
