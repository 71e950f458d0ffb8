import assert from "node:assert/strict";
import type { Database } from "shared/database/client.ts";
import { ProblemError } from "shared/errors/problem.ts";
import type { Store } from "shared/files/store.ts";
import { keepUpload } from "shared/files/upload.ts";
import { jpeg } from "../../files/pictures.ts";

const begun = { id: "file", bucket: "images", path: "tenant/person/file/a.jpg", size: 1 };

/** Doors that remember what went through them, and fail where they are told to. */
function doors(failing: string) {
  const objects = new Set<string>();
  const calls: string[] = [];
  const did = (name: string) => {
    calls.push(name);
    if (name === failing) throw new ProblemError("unavailable");
  };
  const store: Store = {
    async put(bucket, path) {
      await Promise.resolve();
      objects.add(`${bucket}/${path}`);
      did(`put ${path.split("/")[3]}`);
    },
    list: (bucket, folder) =>
      Promise.resolve(
        [...objects].filter((path) => path.startsWith(`${bucket}/${folder}/`))
          .map((path) => path.slice(bucket.length + 1)),
      ),
    remove(bucket, paths) {
      for (const path of paths) objects.delete(`${bucket}/${path}`);
      return Promise.resolve();
    },
    get: () => Promise.resolve(undefined),
    move: () => Promise.resolve(),
    sign: () => Promise.resolve(""),
    publicUrl: () => "",
  };
  const database: Database = {
    async rpc<T>(name: string) {
      await Promise.resolve();
      did(name);
      return begun as T;
    },
    query: () => Promise.reject(new Error("no query is expected")),
  };
  return { objects, calls, doors: { asCaller: database, asService: database, store } };
}

const request = {
  tenantId: "tenant",
  bucket: "images",
  name: "a.jpg",
  bytes: await jpeg(200, 150),
};

Deno.test("an upload that fails at any step leaves no object, and gives its room back", async () => {
  for (const step of ["put webp", "files_add_variant", "put a.jpg", "files_finish"]) {
    const { objects, calls, doors: given } = doors(step);
    await assert.rejects(keepUpload(given, request), { code: "unavailable" });
    assert.ok(calls.includes(step), step);
    assert.deepEqual([...objects], [], step);
    assert.equal(calls.at(-1), "files_abandon", step);
  }
});

Deno.test("an upload that is refused at its begin has nothing to leave", async () => {
  const { calls, doors: given } = doors("files_begin");
  await assert.rejects(keepUpload(given, request), { code: "unavailable" });
  assert.deepEqual(calls, ["files_begin"]);
});

Deno.test("an upload that succeeds ends when its bytes are there", async () => {
  const { objects, calls, doors: given } = doors("");
  await keepUpload(given, request);
  assert.equal(objects.size, 2);
  assert.deepEqual(calls, [
    "files_begin",
    "put webp",
    "files_add_variant",
    "put a.jpg",
    "files_finish",
  ]);
});
