import assert from "node:assert/strict";
import {
  assertAnswer,
  clientOf,
  createAccount,
  login,
  newEmail,
  newestMail,
  password,
  post,
  register,
  tokenIn,
} from "../accounts/support.ts";
import { jpeg, pdf } from "../files/pictures.ts";
import { must } from "../support/answers.ts";
import { randomAddress } from "../support/clients.ts";
import { withDatabase } from "../support/database.ts";
import { mailTo } from "../support/mail.ts";
import { createTenant, type Tenant } from "../support/tenants.ts";
import { until } from "../support/wait.ts";
import { createReviewed, type Document, saveType } from "./support.ts";

type Papers = [type: string, bytes: Uint8Array<ArrayBuffer>][];

/** Registers with papers, as a form does. */
async function registerWith(
  tenant: Pick<Tenant, "slug">,
  papers: Papers,
  fields: Record<string, string> = {},
  address = randomAddress(),
): Promise<Response> {
  const form = new FormData();
  const given = {
    email: newEmail(),
    password,
    display_name: "Ana",
    tenant: tenant.slug,
    ...fields,
  };
  for (const [name, value] of Object.entries(given)) form.append(name, value);
  for (const [type, bytes] of papers) {
    form.append("type", type);
    form.append("file", new File([bytes], "My scan"));
  }
  const encoded = new Response(form);
  const headers = {
    "content-type": encoded.headers.get("content-type")!,
    "x-forwarded-for": address,
  };
  return await post("/register", await encoded.arrayBuffer(), { headers });
}

const prove = async (email: string, count = 1) => {
  const token = tokenIn(await newestMail(email, "accounts.verification", count));
  await assertAnswer(post("/verify-email", { token }), 204);
};

const documentsOf = (tenant: Tenant) =>
  withDatabase(async (sql) => [
    ...await sql<Document[]>`select * from documents where tenant_id = ${tenant.id} order by type`,
  ]);

/** What lies in the tenant's folder of Storage, and what is known to wait there. */
const kept = ({ id }: Tenant) =>
  withDatabase(async (sql) => {
    const [row] = await sql`select
      (select count(*)::int from private.documents_enclosures where tenant_id = ${id}) as rows,
      (select count(*)::int from storage.objects where name like ${`${id}/enclosed/%`}) as objects`;
    return [row!.rows, row!.objects];
  });

/** Lets the time of what was enclosed be over, and the clock come by. */
const sweep = (tenant: Tenant) =>
  withDatabase(async (sql) => {
    await sql`update private.documents_enclosures set expires_at = now() where tenant_id = ${tenant.id}`;
    await sql`select private.jobs_run_schedule('documents-sweep-enclosures', manual => true)`;
  });

/** Counts as if so much had been enclosed before. */
const useUp = (key: string, times: number) =>
  withDatabase((sql) =>
    sql`select private.rate_limit(${`documents_enclosed${key}`}, 500, '1 hour')
      from generate_series(1, ${times}::int)`
  );

const patience = { timeout: 30_000 };

const nothingKept = (tenant: Tenant) =>
  until(async () => (await kept(tenant)).every((count) => count === 0), patience);

Deno.test("papers that come with a registration are handed in once the address is proved, and admit", async () => {
  const { tenant, owner, rita } = await createReviewed();
  await must(saveType(owner, tenant, "degree", { required: true, must_match: ["name"] }));
  const email = newEmail();
  const papers: Papers = [["degree", await jpeg()], ["student_id", pdf()]];
  const fields = { email, stated_name: "Ana Lu", birth_date: "2001-02-03" };
  await assertAnswer(registerWith(tenant, papers, fields), 202);
  assert.deepEqual([await kept(tenant), await documentsOf(tenant)], [[2, 2], []]);
  const { data } = await owner.client.storage.from("documents").list(`${tenant.id}/enclosed`);
  assert.deepEqual(data ?? [], []);

  await prove(email);
  await nothingKept(tenant);
  const [degree, card] = await documentsOf(tenant);
  assert.deepEqual([degree!.status, degree!.stated], ["submitted", {
    name: "Ana Lu",
    birth_date: "2001-02-03",
  }]);
  assert.deepEqual([card!.status, card!.stated], ["submitted", null]);
  await assertAnswer(
    post("/login", { email, password, tenant: tenant.slug }),
    403,
    "members.pending",
  );
  await must(rita.client.rpc("documents_approve", {
    tenant_id: tenant.id,
    document: degree!.id,
    matched: ["name"],
  }));
  await login(email, { tenant: tenant.slug });
});

Deno.test("A9: papers for a known address are answered alike, handed in nowhere, and go", async () => {
  const { tenant } = await createReviewed();
  const email = await createAccount();
  const [known, unknown] = [
    await registerWith(tenant, [["student_id", pdf()]], { email }),
    await registerWith(tenant, [["student_id", pdf()]]),
  ];
  assert.deepEqual([known.status, await known.text()], [unknown.status, await unknown.text()]);
  await mailTo(email, "accounts.already_registered");
  assert.deepEqual(await kept(tenant), [2, 2]);
  const client = await clientOf(await login(email));
  await must(client.rpc("members_join", { tenant: tenant.slug }));
  await sweep(tenant);
  await nothingKept(tenant);
  assert.deepEqual(await documentsOf(tenant), []);
});

Deno.test("papers of a registration that nobody proved go", async () => {
  const { tenant } = await createReviewed();
  const email = newEmail();
  await assertAnswer(registerWith(tenant, [["student_id", pdf()]], { email }), 202);
  await sweep(tenant);
  await nothingKept(tenant);
  await prove(email);
  assert.deepEqual(await documentsOf(tenant), []);
});

Deno.test("whoever registers an address anew is not handed in what another enclosed before", async () => {
  const { tenant } = await createReviewed();
  const email = newEmail();
  const attack = { email, password: "Attacker-pass-1" };
  await assertAnswer(registerWith(tenant, [["student_id", pdf()]], attack), 202);
  await assertAnswer(register({ email, tenant: tenant.slug }), 202);
  await prove(email, 2);
  const wanted = await withDatabase((sql) =>
    sql`select from private.documents_enclosures
      where tenant_id = ${tenant.id} and expires_at > now()`
  );
  assert.equal(wanted.length, 0);
  await sweep(tenant);
  await nothingKept(tenant);
  assert.deepEqual(await documentsOf(tenant), []);
});

Deno.test("what the person has handed in meanwhile stands, and the enclosed one goes", async () => {
  const { tenant } = await createReviewed();
  const email = newEmail();
  await assertAnswer(registerWith(tenant, [["student_id", pdf()]], { email }), 202);
  await withDatabase(async (sql) => {
    await sql`
      insert into documents (tenant_id, person_id, type, sha256)
      select m.tenant_id, m.person_id, 'student_id', ${"0".repeat(64)}
      from members m where m.tenant_id = ${tenant.id} and m.status = 'pending'`;
  });
  await prove(email);
  await nothingKept(tenant);
  assert.deepEqual((await documentsOf(tenant)).map(({ sha256 }) => sha256), ["0".repeat(64)]);
});

Deno.test("strangers who used up what a tenant takes keep nobody from registering; a client has its own limit", async () => {
  const { tenant } = await createReviewed();
  const address = randomAddress();
  const email = newEmail();
  await useUp(`_by:${address}`, 15);
  const papers: Papers = [["student_id", pdf()]];
  await assertAnswer(registerWith(tenant, papers, {}, address), 429, "limits.exceeded");
  const before = await registerWith(tenant, papers);
  assert.deepEqual(await kept(tenant), [1, 1]);
  await useUp(`:${tenant.id}`, 499);
  const after = await registerWith(tenant, papers, { email });
  assert.deepEqual([after.status, await after.text()], [before.status, await before.text()]);
  assert.deepEqual(await kept(tenant), [1, 1]);
  await prove(email);
});

Deno.test("papers that the tenant does not take are refused before there is an account", async (t) => {
  const { tenant, owner } = await createReviewed();
  await must(saveType(owner, tenant, "degree", { must_match: ["name"] }));
  const off = await createTenant();
  const email = newEmail();
  const scan = pdf();
  const cases: [string, () => Promise<Response>, number, string][] = [
    [
      "a type unknown",
      () => registerWith(tenant, [["club_card", scan]], { email }),
      422,
      "documents.type_unknown",
    ],
    [
      "bytes of another kind",
      () => registerWith(tenant, [["student_id", new Uint8Array(9)]], { email }),
      415,
      "files.type_unsupported",
    ],
    [
      "twice the same type",
      () => registerWith(tenant, [["student_id", scan], ["student_id", scan]], { email }),
      422,
      "request.invalid",
    ],
    [
      "nothing stated",
      () => registerWith(tenant, [["degree", scan]], { email }),
      422,
      "request.invalid",
    ],
    ["no paper in a form", () => registerWith(tenant, [], { email }), 422, "request.invalid"],
    [
      "module off",
      () => registerWith(off, [["student_id", scan]], { email }),
      404,
      "tenants.module_off",
    ],
    [
      "a body of another kind",
      () => post("/register", "x", { headers: { "content-type": "text/plain" } }),
      415,
      "request.unsupported_media_type",
    ],
  ];
  for (const [name, call, status, code] of cases) {
    await t.step(name, async () => {
      await assertAnswer(call(), status, code);
    });
  }
  const [made] = await withDatabase((sql) =>
    sql`select count(*)::int as count from auth.users where email = ${email}`
  );
  assert.equal(made!.count, 0);
  assert.deepEqual(await kept(tenant), [0, 0]);
});
