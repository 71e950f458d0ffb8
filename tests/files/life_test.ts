import assert from "node:assert/strict";
import { assertProblem } from "../support/api.ts";
import { must } from "../support/answers.ts";
import { admin, type Person } from "../support/clients.ts";
import { withDatabase } from "../support/database.ts";
import { createMember, createTenant, type Tenant } from "../support/tenants.ts";
import { until } from "../support/wait.ts";
import { jpeg, pdf, png, webp } from "./pictures.ts";
import { link, type Upload, upload, uploaded } from "./support.ts";

const photo = await jpeg(800, 600);

/** The worker has a second for each job, and other tests' jobs before it. */
const patience = { timeout: 30_000 };

interface Stored {
  bucket_id: string;
  name: string;
}

const objectsOf = (file: Pick<Upload, "path">): Promise<Stored[]> =>
  withDatabase((sql) =>
    sql<Stored[]>`
      select bucket_id, name from storage.objects
      where name like ${`${file.path.split("/").slice(0, 3).join("/")}/%`} order by name`
  );

const rowOf = (id: string) =>
  withDatabase(async (sql) => (await sql`select * from files where id = ${id}`)[0]);

const statusOf = async ({ id }: { id: string }) => (await rowOf(id))!.status;

const hold = async (owner: Person, { id }: Tenant, what: true | string[]) =>
  await must(
    owner.client.from("tenants").update({ settings: { files: { hold: what } } }).eq("id", id),
  );

const act = (person: Person, name: string, { id }: Tenant, file: string) =>
  person.client.rpc(name, { tenant_id: id, file });

const refusal = async (call: ReturnType<typeof act>) => (await call).error?.message;

Deno.test("a thumbnail follows in the worker: small, and without what the original names", async () => {
  const tenant = await createTenant();
  const ana = await createMember(tenant);
  const files = await Promise.all(
    [photo, await png(700, 350), await webp(640, 640)].map((bytes) =>
      uploaded(ana, tenant, { bytes })
    ),
  );
  const sizes = await Promise.all(files.map(async ({ id, path }) => {
    const thumbnail = await until(async () => {
      const { data } = await ana.client.from("files_variants").select("*").eq("file_id", id)
        .eq("kind", "thumbnail");
      return data?.[0];
    }, patience);
    assert.equal(thumbnail.path, path.replace(/([^/]+)\.\w+$/, "thumbnail/$1.webp"));
    const { url } = await (await link(ana, tenant, id, "?variant=thumbnail")).json();
    const bytes = new Uint8Array(await (await fetch(url)).arrayBuffer());
    assert.equal(bytes.byteLength, thumbnail.size);
    return [thumbnail.width, thumbnail.height];
  }));
  assert.deepEqual(sizes, [[320, 240], [320, 160], [320, 320]]);
});

Deno.test("a held file is seen by its owner and reviewers alone, until one of them lets it go", async () => {
  const tenant = await createTenant();
  const [owner, staff, ana, ben] = await Promise.all([
    createMember(tenant, "owner"),
    createMember(tenant, "staff"),
    createMember(tenant),
    createMember(tenant),
  ]);
  await hold(owner, tenant, ["images", "avatars"]);
  const file = await uploaded(ana, tenant, { bytes: photo });
  assert.equal(await statusOf(file), "held");
  await assertProblem(await link(ben, tenant, file.id), 404, "files.not_found");
  assert.ok((await ben.client.storage.from("images").download(file.path)).error);
  assert.ok((await ben.client.storage.from("images").download(file.webp!.path)).error);
  for (const person of [ana, staff]) {
    assert.equal((await link(person, tenant, file.id)).status, 200);
  }
  assert.equal(
    await refusal(act(ana, "files_release", tenant, file.id)),
    "members.permission_denied",
  );
  assert.equal(
    await refusal(act(ben, "files_reject", tenant, file.id)),
    "members.permission_denied",
  );
  await must(act(staff, "files_release", tenant, file.id));
  assert.equal((await link(ben, tenant, file.id)).status, 200);
  assert.equal(
    await refusal(act(staff, "files_release", tenant, file.id)),
    "request.transition_refused",
  );
  assert.equal(
    await refusal(act(staff, "files_reject", tenant, file.id)),
    "request.transition_refused",
  );

  const paper = await uploaded(ana, tenant, { bytes: pdf(), bucket: "documents" });
  assert.equal(await statusOf(paper), "released");
  assert.equal(await statusOf(await uploaded(staff, tenant, { bytes: photo })), "released");
  await hold(owner, tenant, true);
  const held = await uploaded(ana, tenant, { bytes: pdf(), bucket: "documents" });
  assert.equal(await statusOf(held), "held");
  await must(act(staff, "files_reject", tenant, held.id));
  assert.equal(await statusOf(held), "rejected");
  const notices = await must<{ kind: string; payload: Record<string, unknown> }[]>(
    ana.client.from("notifications").select("kind, payload").eq("tenant_id", tenant.id),
  );
  const told = notices.find(({ kind }) => kind === "files.rejected");
  assert.equal(told?.payload.file_id, held.id, "whose file it was is told");

  // A scanner looks with the secret key, where nobody signs in.
  const scanned = await uploaded(ana, tenant, { bytes: photo });
  const waiting = await must<{ id: string }[]>(
    admin().from("files").select("id").eq("tenant_id", tenant.id).eq("status", "held"),
  );
  assert.deepEqual(waiting, [{ id: scanned.id }]);
  await must(admin().rpc("files_release", { tenant_id: tenant.id, file: scanned.id }));
  assert.equal((await link(ben, tenant, scanned.id)).status, 200);
});

Deno.test("a held avatar waits where nobody unasked can read, and moves when it is let go", async () => {
  const tenant = await createTenant();
  const [owner, ana] = await Promise.all([createMember(tenant, "owner"), createMember(tenant)]);
  await hold(owner, tenant, ["avatars"]);
  const face = await uploaded(ana, tenant, { bytes: photo, bucket: "avatars" });
  assert.deepEqual([await statusOf(face), face.bucket], ["held", "images"]);
  const publicUrl = ana.client.storage.from("avatars").getPublicUrl(face.path).data.publicUrl;
  assert.equal((await fetch(publicUrl)).status, 400);
  await until(async () => (await objectsOf(face)).length === 3, patience);
  await must(act(owner, "files_release", tenant, face.id));
  await until(async () => (await rowOf(face.id))!.bucket === "avatars", patience);
  assert.deepEqual(new Uint8Array(await (await fetch(publicUrl)).arrayBuffer()), photo);
  assert.deepEqual([...new Set((await objectsOf(face)).map(({ bucket_id }) => bucket_id))], [
    "avatars",
  ]);
  const { url } = await (await link(ana, tenant, face.id, "?variant=webp")).json();
  assert.match(url, /\/object\/public\/avatars\//);
  assert.equal((await fetch(url)).status, 200);
});

Deno.test("deleting closes a file at once, and takes every object of it, links included", async () => {
  const tenant = await createTenant();
  const [ana, ben, owner] = await Promise.all([
    createMember(tenant),
    createMember(tenant),
    createMember(tenant, "owner"),
  ]);
  const file = await uploaded(ana, tenant, { bytes: photo });
  const { url } = await (await link(ben, tenant, file.id, "?variant=webp")).json();
  await until(async () => (await objectsOf(file)).length === 3, patience);
  assert.equal(
    await refusal(act(ben, "files_delete", tenant, file.id)),
    "members.permission_denied",
  );
  await must(act(ana, "files_delete", tenant, file.id));
  await assertProblem(await link(ana, tenant, file.id), 404, "files.not_found");
  assert.equal(await refusal(act(ana, "files_delete", tenant, file.id)), "files.not_found");
  await until(async () => !await rowOf(file.id), patience);
  assert.deepEqual([...await objectsOf(file)], []);
  assert.equal((await (await fetch(url)).json()).code, "NoSuchKey");

  const other = await uploaded(ana, tenant, { bytes: photo });
  await must(act(owner, "files_delete", tenant, other.id));
  await until(async () => !await rowOf(other.id), patience);
  const trail = await withDatabase((sql) =>
    sql`select action from private.audit_log where resource = ${`files:${other.id}`} order by id`
  );
  assert.deepEqual(trail.map(({ action }) => action), ["FILE_UPLOADED", "FILE_DELETED"]);
});

Deno.test("erasing a person takes all their files, in every tenant and bucket, and nobody else's", async () => {
  const [first, second] = await Promise.all([createTenant(), createTenant()]);
  const [ana, ben] = await Promise.all([createMember(first), createMember(first)]);
  await must(admin().rpc("members_add", { tenant_id: second.id, person: ana.id, role: "member" }));
  const hers = await Promise.all([
    uploaded(ana, first, { bytes: photo }),
    uploaded(ana, first, { bytes: photo, bucket: "avatars" }),
    uploaded(ana, second, { bytes: pdf(), bucket: "documents" }),
  ]);
  const his = await uploaded(ben, first, { bytes: photo });
  const { error } = await admin().auth.admin.deleteUser(ana.id);
  assert.equal(error, null);
  for (const file of hers) {
    await until(async () => !await rowOf(file.id), patience);
    assert.deepEqual([...await objectsOf(file)], []);
  }
  const left = await withDatabase((sql) =>
    sql`select name from storage.objects where name like ${`%${ana.id}%`}`
  );
  assert.deepEqual([...left], []);
  assert.equal(await statusOf(his), "released");
});

Deno.test("an upload that never came to an end is swept, with whatever it left", async () => {
  const tenant = await createTenant();
  const ana = await createMember(tenant);
  const begun = await must<{ id: string; path: string }>(ana.client.rpc("files_begin", {
    tenant_id: tenant.id,
    bucket: "images",
    name: "half.png",
    content_type: "image/png",
    size: 100,
  }));
  const bytes = await png();
  const type = { contentType: "image/png" };
  assert.equal((await admin().storage.from("images").upload(begun.path, bytes, type)).error, null);
  await withDatabase(async (sql) => {
    await sql`select private.files_sweep()`;
    assert.equal(await statusOf(begun), "pending", "it may still be on its way");
    await sql`update files set created_at = now() - interval '2 hours' where id = ${begun.id}`;
    await sql`select private.files_sweep()`;
  });
  await until(async () => !await rowOf(begun.id), patience);
  assert.deepEqual([...await objectsOf(begun)], []);
  const { data } = await ana.client.rpc("files_usage", { tenant_id: tenant.id });
  assert.deepEqual([data.person_used, data.tenant_used], [0, 0]);
});

Deno.test("a person begins uploads for themselves, and the server alone ends them", async () => {
  const tenant = await createTenant();
  const ana = await createMember(tenant);
  const begin = async (change: Record<string, unknown>) => {
    const picture = { bucket: "images", name: "a.png", content_type: "image/png", size: 10 };
    return await ana.client.rpc("files_begin", { tenant_id: tenant.id, ...picture, ...change });
  };
  const refusals: [Record<string, unknown>, string][] = [
    [{ bucket: "exports" }, "request.invalid"],
    [{ bucket: null }, "request.invalid"],
    [{ name: "../x" }, "request.invalid"],
    [{ name: "A.png" }, "request.invalid"],
    [{ size: 0 }, "request.invalid"],
    [{ size: null }, "request.invalid"],
    [{ width: -1, height: 5 }, "request.invalid"],
    [{ content_type: "text/html" }, "files.type_unsupported"],
    [{ size: 10_485_761 }, "files.too_large"],
    [{ size: 10_485_760, tenant_id: crypto.randomUUID() }, "tenants.not_found"],
  ];
  for (const [change, code] of refusals) {
    assert.equal((await begin(change)).error?.message, code, JSON.stringify(change));
  }
  const { data: begun } = await begin({});
  const { error } = await ana.client.storage.from("images")
    .upload(begun.path, "x", { contentType: "image/png" });
  assert.match(error!.message, /row-level security/);
  for (
    const name of [
      "files_finish",
      "files_abandon",
      "files_removed",
      "files_published",
      "files_read",
    ]
  ) {
    assert.equal((await act(ana, name, tenant, begun.id)).error?.code, "42501", name);
  }
  assert.equal((await upload(ana, tenant, { bytes: await png() })).status, 201);
});

Deno.test("every state of a file can be reached and left, but the last", async () => {
  const steps = await withDatabase((sql) =>
    sql<{ from_state: string; to_state: string }[]>`
      select from_state, to_state from private.transitions where machine = 'files'`
  );
  const [from, to] = [steps.map((step) => step.from_state), steps.map((step) => step.to_state)];
  const states = ["pending", "held", "released", "rejected", "deleted"];
  assert.deepEqual(states.filter((state) => !from.includes(state)), ["deleted"]);
  assert.deepEqual(states.filter((state) => !to.includes(state)), ["pending"]);
});
