import assert from "node:assert/strict";
import { Bytes } from "../../../local/storage/bytes.ts";

async function withBytes(test: (bytes: Bytes, folder: string) => Promise<void>): Promise<void> {
  const folder = await Deno.makeTempDir();
  try {
    await test(await Bytes.open(`${folder}/bytes`), folder);
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
}

const body = (text: string) => new Blob([text]).stream();

async function textOf(bytes: Bytes, version: string): Promise<string | undefined> {
  const stream = await bytes.read(version, 0, 1000);
  return stream && await new Response(stream).text();
}

async function filesIn(bytes: Bytes): Promise<string[]> {
  const folders = await Array.fromAsync(Deno.readDir(bytes.folder));
  const files = await Promise.all(
    folders.map(({ name }) => Array.fromAsync(Deno.readDir(`${bytes.folder}/${name}`))),
  );
  return files.flat().map(({ name }) => name);
}

Deno.test("a sweep takes the files that no row names, and no other", async () => {
  await withBytes(async (bytes) => {
    const kept = await bytes.receive(body("kept"), 10);
    const left = await Promise.all([1, 2, 3].map(() => bytes.receive(body("left"), 10)));
    // What a crash between the bytes and the row leaves is such a file, perhaps half written.
    const asked: string[] = [];
    const removed = await bytes.sweep((versions) => {
      asked.push(...versions);
      return Promise.resolve(new Set([kept.version]));
    });
    assert.equal(removed, 3);
    assert.deepEqual(asked.sort(), [kept, ...left].map(({ version }) => version).sort());
    assert.deepEqual(await filesIn(bytes), [kept.version]);
    assert.equal(await textOf(bytes, kept.version), "kept");
  });
});

Deno.test("a body that is too long, or breaks off, leaves no file", async () => {
  await withBytes(async (bytes) => {
    await assert.rejects(bytes.receive(body("four+"), 4), { code: "EntityTooLarge" });
    const broken = new ReadableStream<Uint8Array>({
      pull: (controller) => controller.error(new Error("gone")),
    });
    await assert.rejects(bytes.receive(broken, 4), { message: "gone" });
    assert.deepEqual(await filesIn(bytes), []);
    assert.equal((await bytes.receive(body("four"), 4)).size, 4);
  });
});

Deno.test("a version that is none of ours is no path", async () => {
  await withBytes(async (bytes, folder) => {
    await Deno.writeTextFile(`${folder}/secret`, "secret");
    for (const version of ["../../secret", "..", "", `${folder}/secret`]) {
      assert.equal(await textOf(bytes, version), undefined);
      assert.equal(await bytes.copy(version), undefined);
      await bytes.remove([version]);
    }
    assert.equal(await Deno.readTextFile(`${folder}/secret`), "secret");
  });
});

Deno.test("who reads is not disturbed by who removes", async () => {
  await withBytes(async (bytes) => {
    const { version } = await bytes.receive(body("read on"), 10);
    const stream = await bytes.read(version, 5, 2);
    await bytes.remove([version]);
    assert.equal(await new Response(stream).text(), "on");
    assert.equal(await textOf(bytes, version), undefined);
  });
});
