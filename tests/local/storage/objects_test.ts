import assert from "node:assert/strict";
import { admin, createPerson } from "../../support/clients.ts";
import { assertRefused, call, must, withYard } from "./support.ts";

Deno.test("moving keeps bytes and id, and both ends ask the policies", async () => {
  await withYard(async ({ of, ana, ben }) => {
    const mine = of(ana.client);
    const [from, to] = [`${ana.id}/from`, `${ana.id}/sub/to`];
    const { id } = await must(mine.upload(from, "moved"));
    assertRefused(await of(ben.client).move(from, `${ben.id}/stolen`), "404", "NoSuchKey");
    assertRefused(await mine.move(from, `${ben.id}/gift`), "403", "AccessDenied");
    assertRefused(await mine.move(`${ana.id}/none`, to), "404", "NoSuchKey");
    await must(mine.upload(`${ana.id}/taken`, "taken"));
    assertRefused(await mine.move(from, `${ana.id}/taken`), "409", "ResourceAlreadyExists");
    assertRefused(await mine.move(from, `${ana.id}/ü`), "400", "InvalidKey");
    await must(mine.move(from, to));
    assert.equal(await (await must(mine.download(to))).text(), "moved");
    assert.equal((await must(mine.info(to))).id, id);
    assertRefused(await mine.download(from), "404", "NoSuchKey");
  });
});

Deno.test("a copy stands alone: its own bytes, its own owner, perhaps another bucket", async () => {
  await withYard(async ({ of, ana, ben }) => {
    const mine = of(ana.client);
    const path = `${ana.id}/original`;
    const options = { contentType: "text/x-original", metadata: { kept: true } };
    await must(mine.upload(path, "original", options));
    const { path: copied } = await must(mine.copy(path, `${ana.id}/copy`));
    assert.match(copied, /\/copy$/);
    await must(mine.remove([path]));
    assert.equal(await (await must(mine.download(`${ana.id}/copy`))).text(), "original");
    const info = await must(mine.info(`${ana.id}/copy`));
    assert.deepEqual([info.contentType, info.metadata], ["text/x-original", { kept: true }]);
    assertRefused(await of(ben.client).copy(`${ana.id}/copy`, `${ben.id}/c`), "404", "NoSuchKey");
    assertRefused(await mine.copy(`${ana.id}/copy`, `${ben.id}/c`), "403", "AccessDenied");
    await withYard(async (other) => {
      const destinationBucket = other.bucket;
      assertRefused(
        await mine.copy(`${ana.id}/copy`, `${ben.id}/c`, { destinationBucket }),
        "403",
        "AccessDenied",
      );
      await must(mine.copy(`${ana.id}/copy`, `${ana.id}/c`, { destinationBucket }));
      await must(mine.move(`${ana.id}/copy`, `${ana.id}/m`, { destinationBucket }));
      assert.equal(
        await (await must(other.of(ana.client).download(`${ana.id}/c`))).text(),
        "original",
      );
      assert.equal(
        await (await must(other.of(ana.client).download(`${ana.id}/m`))).text(),
        "original",
      );
    });
  });
});

Deno.test("removing answers what was removed, and is silent about what was not one's own", async () => {
  await withYard(async ({ of, ana, ben, bucket }) => {
    const paths = [`${ana.id}/1`, `${ana.id}/2`];
    for (const path of paths) await must(of(ana.client).upload(path, "x"));
    assert.deepEqual(await must(of(ben.client).remove(paths)), []);
    const removed = await must(of(ana.client).remove([...paths, `${ana.id}/none`]));
    assert.deepEqual(removed.map(({ name }) => name).sort(), paths);
    assertRefused(await of(ana.client).download(paths[0]!), "404", "NoSuchKey");
    assertRefused(await of(ana.client).remove([]), "400", "InvalidRequest");
    const gone = await call(`/object/${bucket}/${paths[0]}`, ana.client, { method: "DELETE" });
    assert.equal((await gone.json()).code, "NoSuchKey");
  });
});

Deno.test("buckets are the operator's: made, changed, emptied and deleted", async () => {
  const { storage } = admin();
  const id = `bucket-${crypto.randomUUID()}`;
  const limits = { fileSizeLimit: "20mb", allowedMimeTypes: ["image/png", "text/*"] };
  assert.deepEqual(await must(storage.createBucket(id, { public: false, ...limits })), {
    name: id,
  });
  assertRefused(await storage.createBucket(id), "409", "ResourceAlreadyExists");
  const made = await must(storage.getBucket(id));
  assert.deepEqual(
    [made.public, made.file_size_limit, made.allowed_mime_types, made.type],
    [false, 20_000_000, ["image/png", "text/*"], "STANDARD"],
  );
  await must(storage.updateBucket(id, { public: true, fileSizeLimit: null }));
  const changed = await must(storage.getBucket(id));
  assert.deepEqual(
    [changed.public, changed.file_size_limit, changed.allowed_mime_types],
    [true, null, ["image/png", "text/*"]],
  );
  assert.ok((await must(storage.listBuckets({ search: id }))).some((bucket) => bucket.id === id));

  await must(storage.from(id).upload("a/b.txt", "x", { contentType: "text/plain" }));
  assertRefused(await storage.deleteBucket(id), "409", "ResourceNotEmpty");
  await must(storage.emptyBucket(id));
  assert.deepEqual(await must(storage.from(id).list()), []);
  await must(storage.deleteBucket(id));
  assertRefused(await storage.getBucket(id), "404", "NoSuchBucket");
  assertRefused(await storage.deleteBucket(id), "404", "NoSuchBucket");

  for (const name of ["a/b", "", " x", "ü", "x".repeat(101)]) {
    assertRefused(await storage.createBucket(name), "400", "InvalidBucketName");
  }
  assertRefused(
    await storage.createBucket("x", { public: false, fileSizeLimit: "much" }),
    "400",
    "InvalidRequest",
  );
  assertRefused(
    await storage.createBucket("x", { public: false, fileSizeLimit: "90gb" }),
    "413",
    "EntityTooLarge",
  );
});

Deno.test("people make no buckets and see none", async () => {
  const { storage } = (await createPerson()).client;
  assertRefused(await storage.createBucket(`x-${crypto.randomUUID()}`), "403", "AccessDenied");
  assert.deepEqual(await must(storage.listBuckets()), []);
  assertRefused(await storage.getBucket("exports"), "404", "NoSuchBucket");
  assertRefused(await storage.deleteBucket("exports"), "404", "NoSuchBucket");
});

Deno.test("what hosted sells and this stack lacks says so", async () => {
  await withYard(async ({ of, ana }) => {
    await must(of(ana.client).upload(`${ana.id}/p.png`, "x"));
    const transformed = of(ana.client).download(`${ana.id}/p.png`, { transform: { width: 10 } });
    assertRefused(await transformed, "409", "FeatureNotEnabled");
    assertRefused(await of(ana.client).purgeCache(`${ana.id}/p.png`), "403", "AccessDenied");
    await must(of(admin()).purgeCache(`${ana.id}/p.png`));
  });
});
