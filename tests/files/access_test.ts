import assert from "node:assert/strict";
import { assertProblem } from "../support/api.ts";
import { anonymous } from "../support/clients.ts";
import { withDatabase } from "../support/database.ts";
import { createMember, createTenant, type Tenant } from "../support/tenants.ts";
import { jpeg, pdf, png } from "./pictures.ts";
import { link, uploaded } from "./support.ts";

const photo = await jpeg(400, 300);

async function objectsOf(tenant: Tenant): Promise<string[]> {
  const rows = await withDatabase((sql) =>
    sql<{ path: string }[]>`
      select bucket_id || '/' || name as path from storage.objects
      where name like ${`${tenant.id}/%`} order by 1`
  );
  return rows.map(({ path }) => path);
}

Deno.test("no client reaches the buckets past the checks, in its own folder or another's", async () => {
  const [tenant, other] = await Promise.all([createTenant(), createTenant()]);
  const [ana, ben] = await Promise.all([
    createMember(tenant, "owner"),
    createMember(other, "owner"),
  ]);
  const file = await uploaded(ana, tenant, { bytes: await png() });
  const type = { contentType: "image/png" };
  for (const bucket of ["avatars", "images", "documents", "exports"]) {
    for (const { client } of [ana, ben, { client: anonymous() }]) {
      const storage = client.storage.from(bucket);
      const path = `${tenant.id}/${ana.id}/${file.id}/own.png`;
      for (const upsert of [false, true]) {
        const put = await storage.upload(path, "x", { ...type, upsert });
        assert.ok(put.error, `${bucket} upload`);
      }
      assert.ok((await storage.createSignedUploadUrl(path)).error, `${bucket} signed upload`);
      assert.ok((await storage.update(file.path, "x", type)).error, `${bucket} update`);
      assert.ok((await storage.move(file.path, path)).error, `${bucket} move`);
      assert.ok((await storage.copy(file.path, path)).error, `${bucket} copy`);
      assert.deepEqual((await storage.remove([file.path])).data ?? [], [], `${bucket} remove`);
    }
  }
  const theirs = ben.client.storage.from("images");
  assert.ok((await theirs.download(file.path)).error);
  assert.ok((await theirs.createSignedUrl(file.path, 60)).error);
  assert.ok((await theirs.info(file.path)).error);
  assert.deepEqual((await theirs.list(`${tenant.id}/${ana.id}`)).data, []);
  assert.equal(
    (await ana.client.storage.from("images").list(`${tenant.id}/${ana.id}`)).data!.length,
    1,
  );
  assert.equal((await objectsOf(tenant)).filter((path) => path.endsWith("/own.png")).length, 0);
});

Deno.test("a link opens a private file to whoever may see it, for a while", async () => {
  const tenant = await createTenant();
  const [ana, ben, guest] = await Promise.all([
    createMember(tenant),
    createMember(tenant),
    createMember(tenant, "guest"),
  ]);
  const stranger = await createMember(await createTenant());
  const file = await uploaded(ana, tenant, { bytes: photo });
  for (const person of [ana, ben, guest]) {
    const response = await link(person, tenant, file.id, "?seconds=60");
    const { url, expires_at } = await response.json();
    assert.ok(Math.abs(Date.parse(expires_at) - Date.now() - 60_000) < 5_000);
    assert.deepEqual(new Uint8Array(await (await fetch(url)).arrayBuffer()), photo);
  }
  const small = await (await link(ben, tenant, file.id, "?variant=webp")).json();
  assert.equal((await (await fetch(small.url)).arrayBuffer()).byteLength, file.webp!.size);
  await assertProblem(await link(ben, tenant, crypto.randomUUID()), 404, "files.not_found");
  await assertProblem(await link(ben, tenant, file.id, "?seconds=9999"), 422, "request.invalid");
  await assertProblem(await link(stranger, tenant, file.id), 404, "tenants.not_found");

  const paper = await uploaded(ana, tenant, { bytes: pdf(), bucket: "documents" });
  await assertProblem(await link(ben, tenant, paper.id), 404, "files.not_found");
  const staff = await createMember(tenant, "staff");
  assert.equal((await link(staff, tenant, paper.id)).status, 200);

  const face = await uploaded(ana, tenant, { bytes: photo, bucket: "avatars" });
  const open = await (await link(ben, tenant, face.id)).json();
  assert.equal(open.expires_at, null);
  assert.equal((await fetch(open.url)).status, 200);
});
