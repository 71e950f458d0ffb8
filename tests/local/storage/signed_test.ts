import assert from "node:assert/strict";
import { SignJWT } from "jose";
import { anonymous } from "../../support/clients.ts";
import { getStack } from "../../support/stack.ts";
import { until } from "../../support/wait.ts";
import { assertRefused, must, withYard } from "./support.ts";

Deno.test("a signed URL opens one object, for a while, to whoever has it", async () => {
  await withYard(async ({ of, ana, ben }) => {
    const path = `${ana.id}/with space & co.txt`;
    await must(of(ana.client).upload(path, "signed"));
    const { signedUrl } = await must(of(ana.client).createSignedUrl(path, 60));
    const answer = await fetch(signedUrl);
    assert.equal(await answer.text(), "signed");
    const expires = Date.parse(answer.headers.get("expires")!);
    assert.ok(Math.abs(expires - Date.now() - 60_000) < 5_000);

    const named = await must(of(ana.client).createSignedUrl(path, 60, { download: "a.txt" }));
    const download = await fetch(named.signedUrl);
    await download.body?.cancel();
    assert.match(download.headers.get("content-disposition")!, /a\.txt/);

    assertRefused(await of(ben.client).createSignedUrl(path, 60), "404", "NoSuchKey");
    assertRefused(await of(ana.client).createSignedUrl(path, 0), "400", "InvalidRequest");
    await must(of(ana.client).upload(`${ana.id}/other`, "other"));
    const elsewhere = new URL(signedUrl);
    elsewhere.pathname = elsewhere.pathname.replace(/[^/]+$/, "other");
    assert.equal((await (await fetch(elsewhere)).json()).code, "InvalidSignature");
    assert.equal((await (await fetch(`${signedUrl}x`)).json()).code, "InvalidJWT");
    const bare = new URL(signedUrl);
    bare.search = "";
    assert.equal((await fetch(bare)).status, 400);
  });
});

Deno.test("a signed URL ends with its time, and with its object", async () => {
  await withYard(async ({ of, ana }) => {
    const path = `${ana.id}/short`;
    await must(of(ana.client).upload(path, "short"));
    const brief = await must(of(ana.client).createSignedUrl(path, 1));
    const long = await must(of(ana.client).createSignedUrl(path, 600));
    const codeOf = async (url: string) => (await (await fetch(url)).json()).code;
    await until(async () => (await codeOf(brief.signedUrl).catch(() => "")) === "InvalidJWT");
    await must(of(ana.client).remove([path]));
    assert.equal(await codeOf(long.signedUrl), "NoSuchKey");
  });
});

Deno.test("many are signed at once, an error beside each that is not readable", async () => {
  await withYard(async ({ of, ana, ben }) => {
    await must(of(ana.client).upload(`${ana.id}/a`, "a"));
    await must(of(ben.client).upload(`${ben.id}/b`, "b"));
    const paths = [`${ana.id}/a`, `${ben.id}/b`, "none"];
    const signed = await must(of(ana.client).createSignedUrls(paths, 60));
    assert.deepEqual(signed.map(({ path, error }) => [path, error === null]), [
      [paths[0], true],
      [paths[1], false],
      [paths[2], false],
    ]);
    assert.equal(await (await fetch(signed[0]!.signedUrl!)).text(), "a");
  });
});

Deno.test("a signed upload URL takes one upload from somebody without rights", async () => {
  await withYard(async ({ of, ana, ben }) => {
    const path = `${ana.id}/from-outside`;
    const outside = of(anonymous());
    const { token } = await must(of(ana.client).createSignedUploadUrl(path));
    await must(outside.uploadToSignedUrl(path, token, new Blob(["in"], { type: "text/plain" })));
    assert.equal(await (await must(of(ana.client).download(path))).text(), "in");
    assertRefused(
      await outside.uploadToSignedUrl(path, token, "again"),
      "409",
      "ResourceAlreadyExists",
    );
    assertRefused(
      await outside.uploadToSignedUrl(`${ana.id}/elsewhere`, token, "x"),
      "400",
      "InvalidSignature",
    );
    assertRefused(await of(ben.client).createSignedUploadUrl(path), "403", "AccessDenied");
    const replacing = await must(of(ana.client).createSignedUploadUrl(path, { upsert: true }));
    await must(outside.uploadToSignedUrl(path, replacing.token, "replaced"));
    assert.equal(await (await must(of(ana.client).download(path))).text(), "replaced");
  });
});

Deno.test("a permit to read is none to write, and neither is a token of somebody's making", async () => {
  await withYard(async ({ of, ana, bucket }) => {
    const path = `${ana.id}/read-only`;
    await must(of(ana.client).upload(path, "x"));
    const { signedUrl } = await must(of(ana.client).createSignedUrl(path, 60));
    const read = new URL(signedUrl).searchParams.get("token")!;
    const { token } = await must(
      of(ana.client).createSignedUploadUrl(path, { upsert: true }),
    );
    const code = async (url: string, method: string) =>
      (await (await fetch(`${getStack().url}/storage/v1${url}`, {
        method,
        body: method === "PUT" ? "y" : null,
      })).json()).code;
    const at = `${bucket}/${path}`;
    assert.equal(await code(`/object/upload/sign/${at}?token=${read}`, "PUT"), "InvalidSignature");
    assert.equal(await code(`/object/sign/${at}?token=${token}`, "GET"), "InvalidSignature");
    const forged = await new SignJWT({ url: at }).setProtectedHeader({ alg: "HS256" })
      .setExpirationTime("1h").sign(new TextEncoder().encode(getStack().publishableKey));
    assert.equal(await code(`/object/sign/${at}?token=${forged}`, "GET"), "InvalidJWT");
  });
});
