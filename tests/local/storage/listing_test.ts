import assert from "node:assert/strict";
import { anonymous } from "../../support/clients.ts";
import { assertRefused, must, withYard, type Yard } from "./support.ts";

async function fill({ of, ana }: Yard): Promise<void> {
  for (const name of ["a.txt", "b.txt", "c_d.txt", "deep/x/1", "deep/y/2", "deep/z", "Other/3"]) {
    await must(of(ana.client).upload(`${ana.id}/${name}`, name));
  }
}

Deno.test("a list is one level: folders without id, then files", async () => {
  await withYard(async (yard) => {
    await fill(yard);
    const { of, ana, ben } = yard;
    const names = async (...args: Parameters<ReturnType<Yard["of"]>["list"]>) =>
      (await must(of(ana.client).list(...args))).map(({ name }) => name);
    assert.deepEqual(await names(), [ana.id]);
    assert.deepEqual(await names(ana.id), ["deep", "Other", "a.txt", "b.txt", "c_d.txt"]);
    assert.deepEqual(await names(`${ana.id}/deep/`), ["x", "y", "z"]);
    assert.deepEqual(await names(`${ana.id}/deep/x`), ["1"]);
    assert.deepEqual(await names(ana.id, { search: "C_" }), ["c_d.txt"]);
    assert.deepEqual(await names(ana.id, { search: "%" }), []);
    assert.deepEqual(await names(ana.id, { limit: 2, offset: 1 }), ["Other", "a.txt"]);
    assert.deepEqual(
      (await names(ana.id, { sortBy: { column: "name", order: "desc" } })).slice(2),
      ["c_d.txt", "b.txt", "a.txt"],
    );
    assert.deepEqual(
      (await names(ana.id, { sortBy: { column: "created_at", order: "desc" } })).slice(2),
      ["c_d.txt", "b.txt", "a.txt"],
    );
    const [folder, , file] = await must(of(ana.client).list(ana.id));
    assert.deepEqual([folder!.id, folder!.metadata], [null, null]);
    assert.equal(file!.metadata!.size, 5);
    assert.equal(file!.metadata!.mimetype, "text/plain;charset=UTF-8");
    assert.deepEqual(await must(of(ben.client).list(ana.id)), []);
    assert.deepEqual(await must(of(anonymous()).list()), []);
    assertRefused(
      await of(ana.client).list(ana.id, { sortBy: { column: "id; drop table x" } }),
      "400",
      "InvalidRequest",
    );
  });
});

Deno.test("list-v2 pages by cursor, flat or folder by folder", async () => {
  await withYard(async (yard) => {
    await fill(yard);
    const { of, ana } = yard;
    const mine = of(ana.client);
    const prefix = `${ana.id}/`;
    const flat: string[] = [];
    let cursor: string | undefined;
    do {
      const page = await must(mine.listV2({ prefix, limit: 2, ...(cursor ? { cursor } : {}) }));
      assert.deepEqual(page.folders, []);
      assert.ok(page.objects.length <= 2);
      flat.push(...page.objects.map(({ name }) => name.slice(prefix.length)));
      assert.equal(page.hasNext, page.nextCursor !== undefined);
      cursor = page.nextCursor;
    } while (cursor);
    const all = ["Other/3", "a.txt", "b.txt", "c_d.txt", "deep/x/1", "deep/y/2", "deep/z"];
    assert.deepEqual(flat, all);

    const level = await must(mine.listV2({ prefix, with_delimiter: true }));
    assert.deepEqual(level.folders.map(({ key }) => key), [`${prefix}Other/`, `${prefix}deep/`]);
    assert.deepEqual(level.objects.map(({ name }) => name.slice(prefix.length)), [
      "a.txt",
      "b.txt",
      "c_d.txt",
    ]);
    const latest = await must(
      mine.listV2({ prefix, limit: 1, sortBy: { column: "created_at", order: "desc" } }),
    );
    assert.equal(latest.objects[0]!.name, `${prefix}Other/3`);
    assertRefused(await mine.listV2({ cursor: "garbage" }), "400", "InvalidRequest");
  });
});
