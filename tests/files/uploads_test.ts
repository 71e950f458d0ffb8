import assert from "node:assert/strict";
import { assertProblem, callApi, tokenOf } from "../support/api.ts";
import { createPerson, type Person } from "../support/clients.ts";
import { withDatabase } from "../support/database.ts";
import { createMember, createTenant, setStatus, type Tenant } from "../support/tenants.ts";
import { until } from "../support/wait.ts";
import { changed, gif, joined, jpeg, pdf, png, webp, withExif } from "./pictures.ts";
import { upload, uploaded } from "./support.ts";

const photo = await jpeg(400, 300);

async function liveIn(tenant: Tenant): Promise<string[]> {
  const rows = await withDatabase((sql) =>
    sql<{ id: string }[]>`
      select id from files where tenant_id = ${tenant.id} and status <> 'deleted'`
  );
  return rows.map(({ id }) => id);
}

async function objectsOf(tenant: Tenant): Promise<string[]> {
  const rows = await withDatabase((sql) =>
    sql<{ path: string }[]>`
      select bucket_id || '/' || name as path from storage.objects
      where name like ${`${tenant.id}/%`} order by 1`
  );
  return rows.map(({ path }) => path);
}

Deno.test("an upload is kept as it is, with a smaller WebP beside it", async () => {
  const tenant = await createTenant();
  const ana = await createMember(tenant);
  const response = await upload(ana, tenant, { bytes: photo, name: "Holiday  Zürich.JPEG" });
  assert.equal(response.status, 201);
  const file = await response.json();
  const folder = `${tenant.id}/${ana.id}/${file.id}`;
  assert.ok(file.webp.size < photo.byteLength);
  assert.deepEqual(file, {
    id: file.id,
    bucket: "images",
    path: `${folder}/holiday-zurich.jpg`,
    content_type: "image/jpeg",
    size: photo.byteLength,
    width: 400,
    height: 300,
    webp: {
      path: `${folder}/webp/holiday-zurich.webp`,
      size: file.webp.size,
      saving_percent: Math.floor((1 - file.webp.size / photo.byteLength) * 100),
    },
  });
  const { data } = await ana.client.storage.from("images").download(file.path);
  assert.deepEqual(new Uint8Array(await data!.arrayBuffer()), photo);
  const derived = await ana.client.storage.from("images").download(file.webp.path);
  assert.match(await derived.data!.text(), /^RIFF.{4}WEBP/s);
  const { data: row } = await ana.client.from("files").select("*, files_variants(kind, size)")
    .eq("files_variants.kind", "webp").single();
  assert.deepEqual([row.id, row.files_variants], [file.id, [{
    kind: "webp",
    size: file.webp.size,
  }]]);
});

Deno.test("every format is taken, by its bytes and not by its name or declared type", async () => {
  const tenant = await createTenant();
  const ana = await createMember(tenant);
  const cases = [
    { bytes: await png(), name: "x.jpg", type: "image/jpeg", expected: "image/png", webp: true },
    { bytes: gif(), name: "x.exe", type: "text/html", expected: "image/gif", webp: false },
    { bytes: await webp(), name: "x", type: "", expected: "image/webp", webp: false },
    {
      bytes: withExif(await jpeg(64, 48), 6),
      name: "../../../etc/passwd",
      type: "a/b",
      expected: "image/jpeg",
      webp: null,
    },
  ];
  for (const { bytes, name, type, expected, webp } of cases) {
    const file = await uploaded(ana, tenant, { bytes, name, type });
    assert.equal(file.content_type, expected);
    if (webp !== null) assert.equal(file.webp !== null, webp, expected);
    assert.match(file.path, new RegExp(`^${tenant.id}/${ana.id}/${file.id}/(x|passwd)\\.\\w+$`));
  }
  const paper = await uploaded(ana, tenant, { bytes: pdf(), name: "a.pdf", bucket: "documents" });
  assert.deepEqual([paper.content_type, paper.width, paper.webp], ["application/pdf", null, null]);
});

Deno.test("what is no picture, or a damaged one, leaves nothing", async (t) => {
  const tenant = await createTenant();
  const ana = await createMember(tenant);
  const scan = joined(photo.slice(0, photo.length - 2000), new Uint8Array([0xff, 0xd9]));
  const cases: [string, Uint8Array<ArrayBuffer>, number, string][] = [
    ["a script called .jpg", joined("<script>alert(1)</script>"), 415, "files.type_unsupported"],
    ["an SVG", joined("<svg onload='alert(1)'/>"), 415, "files.type_unsupported"],
    ["nothing", new Uint8Array(), 415, "files.type_unsupported"],
    ["a PDF among pictures", pdf(), 415, "files.type_unsupported"],
    ["a picture that breaks off", photo.slice(0, 2000), 422, "files.damaged"],
    ["a PNG with a script behind it", joined(await png(), "<script>"), 422, "files.damaged"],
    ["a script that begins like a GIF", joined("GIF89a/*x*/=1;alert(1)//"), 422, "files.damaged"],
    [
      "a PNG whose pixels are no pixels",
      changed(await png(), 60, ...Array(40).fill(0)),
      422,
      "files.damaged",
    ],
    [
      "a header that claims 4 gigapixels",
      changed(await png(), 16, 0, 0, 255, 255, 0, 0, 255, 255),
      422,
      "files.too_many_pixels",
    ],
    ["a GIF of 65535 squared", gif(65_535, 65_535), 422, "files.too_many_pixels"],
  ];
  for (const [what, bytes, status, code] of cases) {
    await t.step(what, async () => {
      await assertProblem(await upload(ana, tenant, { bytes }), status, code);
    });
  }
  await t.step("a JPEG that lost its last rows is still a picture", async () => {
    const response = await upload(ana, tenant, { bytes: scan });
    await response.body?.cancel();
    assert.ok([201, 422].includes(response.status));
  });
  // What was abandoned is removed by the worker.
  await until(async () => {
    const live = await liveIn(tenant);
    const objects = await objectsOf(tenant);
    return objects.every((path) => live.some((id) => path.includes(`/${id}/`)));
  }, { timeout: 30_000 });
});

Deno.test("Z4: large pictures are kept and not decoded; too large bodies are refused unread", async () => {
  const tenant = await createTenant();
  const ana = await createMember(tenant);
  const large = changed(await png(), 16, 0, 0, 0x20, 0, 0, 0, 0x10, 0);
  const file = await uploaded(ana, tenant, { bytes: large });
  assert.deepEqual([file.width, file.height, file.webp], [8192, 4096, null]);

  const heavy = new Uint8Array(10 * 1024 ** 2 + 1);
  heavy.set(await jpeg());
  await assertProblem(await upload(ana, tenant, { bytes: heavy }), 413, "files.too_large");
  const over = new Uint8Array(11 * 1024 ** 2);
  await assertProblem(await upload(ana, tenant, { bytes: over }), 413, "request.too_large");
});

Deno.test("a request that is no upload is refused", async () => {
  const tenant = await createTenant();
  const token = await tokenOf(await createMember(tenant));
  const headers = { "nexus-tenant": tenant.slug };
  const post = (body: unknown, more = {}) =>
    callApi("/v1/uploads", { method: "POST", token, body, headers: { ...headers, ...more } });
  await assertProblem(await post({ file: "x" }), 415, "request.unsupported_media_type");
  const type = { "content-type": "multipart/form-data; boundary=x" };
  const form = (...parts: string[]) =>
    parts.map((part) => `--x\r\ncontent-disposition: form-data; ${part}\r\n`).join("") +
    "--x--\r\n";
  const bad = [
    form('name="other"\r\n\r\nx'),
    form('name="file"\r\n\r\nno file'),
    form('name="file"; filename="a"\r\n\r\nx', 'name="bucket"\r\n\r\nexports'),
    "nothing like a form",
  ];
  for (const body of bad) await assertProblem(await post(body, type), 422, "request.invalid");
});

Deno.test("who may not upload is told why, and takes no room", async () => {
  const tenant = await createTenant();
  const owner = await createMember(tenant, "owner");
  const sending = { bytes: await png() };
  const refused = async (person: Person, status: number, code: string) =>
    await assertProblem(await upload(person, tenant, sending), status, code);
  await refused(await createPerson(), 404, "tenants.not_found");
  await refused(await createMember(await createTenant(), "owner"), 404, "tenants.not_found");
  await refused(await createMember(tenant, "guest"), 403, "members.permission_denied");
  const suspended = await createMember(tenant);
  await setStatus(owner.client, tenant, suspended, "suspended");
  await refused(suspended, 403, "members.not_active");
  const revoked = await createMember(tenant);
  await withDatabase((sql) => sql`delete from auth.sessions where user_id = ${revoked.id}`);
  await refused(revoked, 401, "auth.session_ended");
  assert.deepEqual(await liveIn(tenant), []);
});

Deno.test("an avatar is kept without its notes, so that no stranger reads where it was taken", async () => {
  const tenant = await createTenant();
  const ana = await createMember(tenant);
  const bytes = withExif(photo, 6);
  const face = await uploaded(ana, tenant, { bytes, bucket: "avatars" });
  const { publicUrl } = ana.client.storage.from("avatars").getPublicUrl(face.path).data;
  const seen = await (await fetch(publicUrl)).text();
  assert.doesNotMatch(seen, /GPS/);
  assert.ok(face.size < bytes.byteLength);
  const kept = await uploaded(ana, tenant, { bytes });
  assert.equal(kept.size, bytes.byteLength);
});
