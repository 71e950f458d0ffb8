import assert from "node:assert/strict";
import { anonymous } from "../../support/clients.ts";
import { withDatabase } from "../../support/database.ts";
import { assertRefused, call, must, withYard } from "./support.ts";

const text = async (blob: Blob) => await blob.text();

Deno.test("every kind of body arrives as it was sent", async (t) => {
  await withYard(async ({ of, ana }) => {
    const mine = of(ana.client);
    const bytes = new TextEncoder().encode("bytes é 🙂");
    const form = new FormData();
    form.append("", new File([bytes], "x.txt", { type: "text/plain" }));
    const bodies = {
      text: "bytes é 🙂",
      bytes,
      buffer: bytes.buffer,
      blob: new Blob([bytes], { type: "text/plain" }),
      file: new File([bytes], "any.txt", { type: "text/plain" }),
      form,
      stream: new Blob([bytes]).stream(),
    };
    for (const [kind, body] of Object.entries(bodies)) {
      await t.step(kind, async () => {
        const path = `${ana.id}/${kind}.txt`;
        const made = await must(mine.upload(path, body, { contentType: "text/plain" }));
        assert.deepEqual([made.path, made.fullPath.endsWith(`/${path}`)], [path, true]);
        const blob = await must(mine.download(path));
        assert.equal(await text(blob), "bytes é 🙂");
        assert.match(blob.type, /^text\/plain/);
        assert.equal((await must(mine.info(path))).id, made.id);
      });
    }
    await t.step("nothing at all", async () => {
      await must(mine.upload(`${ana.id}/empty`, new Blob([])));
      assert.equal((await must(mine.download(`${ana.id}/empty`))).size, 0);
    });
    await t.step("a form whose content holds line ends and dashes", async () => {
      const tricky = '--\r\n--x\r\n\r\nContent-Disposition: form-data; name=""\r\n--';
      await must(mine.upload(`${ana.id}/tricky`, new Blob([tricky])));
      assert.equal(await text(await must(mine.download(`${ana.id}/tricky`))), tricky);
    });
  });
});

Deno.test("type, cache time and metadata are kept, from a form and from raw bytes", async () => {
  await withYard(async ({ of, ana, bucket }) => {
    const mine = of(ana.client);
    const options = { contentType: "image/x-y", cacheControl: "60", metadata: { made: "by ana" } };
    const bodies = {
      raw: new Uint8Array([1, 2, 3]),
      form: new Blob(["123"], { type: "image/x-y" }),
    };
    for (const [kind, body] of Object.entries(bodies)) {
      const path = `${ana.id}/${kind}`;
      await must(mine.upload(path, body, options));
      const info = await must(mine.info(path));
      assert.deepEqual(
        [info.size, info.contentType, info.cacheControl, info.metadata, info.bucketId, info.name],
        [3, "image/x-y", "max-age=60", { made: "by ana" }, bucket, path],
      );
      const answer = await call(`/object/${bucket}/${path}`, ana.client);
      await answer.body?.cancel();
      assert.equal(answer.headers.get("cache-control"), "max-age=60");
      assert.equal(answer.headers.get("content-type"), "image/x-y");
    }
  });
});

Deno.test("a name is taken once; upsert and update replace, and no old bytes stay", async () => {
  await withYard(async ({ of, ana }) => {
    const mine = of(ana.client);
    const path = `${ana.id}/one`;
    const { id } = await must(mine.upload(path, "first"));
    assertRefused(await mine.upload(path, "second"), "409", "ResourceAlreadyExists");
    assert.equal(await text(await must(mine.download(path))), "first");
    const versionOf = async () => (await must(mine.info(path))).version;
    const before = await versionOf();
    assert.equal((await must(mine.upload(path, "third", { upsert: true }))).id, id);
    assert.equal(await text(await must(mine.download(path))), "third");
    assert.notEqual(await versionOf(), before);
    await must(mine.update(path, "fourth"));
    assert.equal(await text(await must(mine.download(path))), "fourth");
  });
});

Deno.test("of many uploads of one name at once, one wins whole", async () => {
  await withYard(async ({ of, ana }) => {
    const path = `${ana.id}/race`;
    const answers = await Promise.all(
      Array.from({ length: 8 }, (_, i) => of(ana.client).upload(path, String(i).repeat(50_000))),
    );
    const winner = answers.findIndex(({ error }) => error === null);
    assert.equal(answers.filter(({ error }) => error === null).length, 1);
    for (const [i, answer] of answers.entries()) {
      if (i !== winner) assertRefused(answer, "409", "ResourceAlreadyExists");
    }
    const stored = await text(await must(of(ana.client).download(path)));
    assert.equal(stored, String(winner).repeat(50_000));
  });
});

Deno.test("policies decide where a person may put something, and nothing stays of a refusal", async () => {
  await withYard(async ({ of, ana, ben, bucket }) => {
    const denied = [
      await of(ben.client).upload(`${ana.id}/ben.txt`, "x"),
      await of(ben.client).upload(`${ana.id}/ben.txt`, "x", { upsert: true }),
      await of(ben.client).upload("top.txt", "x"),
      await of(anonymous()).upload(`${ana.id}/anon.txt`, "x"),
    ];
    for (const answer of denied) assertRefused(answer, "403", "AccessDenied");
    await must(of(ana.client).upload(`${ana.id}/mine.txt`, "mine"));
    assertRefused(
      await of(ben.client).upload(`${ana.id}/mine.txt`, "ben's", { upsert: true }),
      "403",
      "AccessDenied",
    );
    assertRefused(await of(ben.client).update(`${ana.id}/mine.txt`, "x"), "403", "AccessDenied");
    assert.equal(await text(await must(of(ana.client).download(`${ana.id}/mine.txt`))), "mine");
    await withDatabase(async (sql) => {
      const rows = await sql`select owner_id from storage.objects where bucket_id = ${bucket}`;
      assert.deepEqual([...rows], [{ owner_id: ana.id }]);
    });
  });
});

Deno.test("size and type limits of the bucket hold, for forms, bytes and streams", async () => {
  await withYard(async ({ of, ana }) => {
    const mine = of(ana.client);
    const png = { contentType: "image/png" };
    const path = `${ana.id}/x`;
    const large = new Uint8Array(2001);
    const endless = new ReadableStream({
      pull: (controller) => controller.enqueue(new Uint8Array(1000)),
    });
    const tooLarge = [
      await mine.upload(path, large, png),
      await mine.upload(path, new Blob([large], { type: "image/png" })),
      await mine.upload(path, endless, png),
    ];
    for (const answer of tooLarge) assertRefused(answer, "413", "EntityTooLarge");
    assertRefused(
      await mine.upload(path, "x", { contentType: "text/html" }),
      "415",
      "InvalidMimeType",
    );
    assertRefused(await mine.upload(path, new Blob(["x"])), "415", "InvalidMimeType");
    assertRefused(await mine.upload(path, "x", { contentType: "image" }), "415", "InvalidMimeType");
    await must(mine.upload(path, new Uint8Array(2000), png));
    await must(mine.upload(`${path}.svg`, "x", { contentType: "image/svg+xml; charset=utf-8" }));
  }, { public: false, fileSizeLimit: "2kb", allowedMimeTypes: ["image/*"] });
});

Deno.test("names that S3 would not take, and buckets that are not there, are refused", async () => {
  await withYard(async ({ of, ana }) => {
    for (const name of ["ü.txt", "a\u0000b", "a\\b", "a#b", "a%zz", "tab\t"]) {
      const path = `${ana.id}/${encodeURIComponent(name)}`;
      assertRefused(await of(ana.client).upload(path, "x"), "400", "InvalidKey");
    }
    const nowhere = ana.client.storage.from(`none-${crypto.randomUUID()}`);
    assertRefused(await nowhere.upload(`${ana.id}/x`, "x"), "404", "NoSuchBucket");
    assertRefused(await nowhere.download(`${ana.id}/x`), "404", "NoSuchBucket");
  });
});

Deno.test("names cannot lead out of the folder of files", async () => {
  await withYard(async ({ bucket, ana }) => {
    for (const path of ["..%2f..%2f..%2fkeys.json", "%2e%2e/%2e%2e/keys.json", "/../keys.json"]) {
      for (const way of ["", "authenticated/", "public/", "info/"]) {
        const answer = await call(`/object/${way}${bucket}/${ana.id}/${path}`, ana.client);
        assert.ok(answer.status >= 400, `${way}${path}: ${answer.status}`);
        assert.doesNotMatch(await answer.text(), /sb_secret_/);
      }
    }
    // Even a version written by an operator's hand stays what it is: a name of ours or of nothing.
    await withDatabase((sql) =>
      sql`
        insert into storage.objects (bucket_id, name, version, metadata)
        values (${bucket}, ${`${ana.id}/odd`}, '../../../keys.json',
          '{"size": 9, "mimetype": "text/plain", "eTag": "x", "cacheControl": "", "lastModified": "2026-01-01T00:00:00Z"}')`
    );
    const answer = await call(`/object/${bucket}/${ana.id}/odd`, ana.client);
    assert.equal((await answer.json()).code, "NoSuchKey");
  });
});

Deno.test("an upload that breaks off leaves nothing", async () => {
  await withYard(async ({ bucket, ana }) => {
    const stop = new AbortController();
    const breaking = new ReadableStream<Uint8Array>({
      start(controller) {
        controller.enqueue(new Uint8Array(100_000));
        setTimeout(() => stop.abort(), 100);
      },
    });
    await assert.rejects(call(`/object/${bucket}/${ana.id}/half`, ana.client, {
      method: "POST",
      body: breaking,
      signal: stop.signal,
      headers: { "content-type": "text/plain" },
    }));
    await withDatabase(async (sql) => {
      const rows = await sql`select from storage.objects where bucket_id = ${bucket}`;
      assert.equal(rows.length, 0);
    });
  });
});
