import assert from "node:assert/strict";
import { must } from "../support/answers.ts";
import { callApi, tokenOf } from "../support/api.ts";
import { createPerson, type Person } from "../support/clients.ts";
import { withDatabase } from "../support/database.ts";
import { addMember, createMember, createTenant, type Tenant } from "../support/tenants.ts";
import { until } from "../support/wait.ts";
import { jpeg, pdf } from "../files/pictures.ts";
import { assertAnswer, reauthenticate } from "./support.ts";

const photo = await jpeg(300, 200);

async function show(
  person: Person,
  tenant: Pick<Tenant, "slug">,
  bytes: Uint8Array<ArrayBuffer> = photo,
): Promise<Response> {
  const form = new FormData();
  form.append("file", new File([bytes], "me.jpg", { type: "image/jpeg" }));
  const encoded = new Response(form);
  return await callApi("/v1/users/me/avatar", {
    method: "POST",
    token: await tokenOf(person),
    headers: {
      "nexus-tenant": tenant.slug,
      "content-type": encoded.headers.get("content-type")!,
    },
    body: await encoded.arrayBuffer(),
  });
}

const pictureOf = async ({ client }: Pick<Person, "client">) =>
  (await must<{ avatar_url: string | null }>(client.rpc("people_me"))).avatar_url;

Deno.test("a picture shows everywhere, and replaces the one before", async () => {
  const tenant = await createTenant();
  const ana = await createMember(tenant);
  const other = await createTenant();
  await addMember(other, ana);
  const first = await (await show(ana, tenant)).json();
  assert.equal(await pictureOf(ana), first.avatar_url);
  const response = await fetch(first.avatar_url);
  assert.equal(response.status, 200);
  await response.body?.cancel();
  const copies = await must<{ avatar_url: string }[]>(
    ana.client.from("members").select("avatar_url").eq("person_id", ana.id),
  );
  assert.deepEqual(copies.map(({ avatar_url }) => avatar_url), [
    first.avatar_url,
    first.avatar_url,
  ]);
  const second = await (await show(ana, other)).json();
  assert.equal(await pictureOf(ana), second.avatar_url);
  await until(async () => {
    const rows = await withDatabase((sql) => sql`select 1 from files where id = ${first.file.id}`);
    return rows.length === 0;
  });
});

Deno.test("where a tenant looks first, the picture shows once it was let go", async () => {
  const tenant = await createTenant({ settings: { files: { hold: true } } });
  const [owner, ana] = await Promise.all([createMember(tenant, "owner"), createMember(tenant)]);
  const answer = await show(ana, tenant);
  const { avatar_url, file } = await answer.json();
  assert.deepEqual([answer.status, avatar_url, await pictureOf(ana)], [201, null, null]);
  await must(owner.client.rpc("files_release", { tenant_id: tenant.id, file: file.id }));
  const url = await until(() => pictureOf(ana), { timeout: 10_000 });
  const response = await fetch(url);
  assert.equal(response.status, 200);
  await response.body?.cancel();
  const next = await (await show(ana, tenant)).json();
  await must(owner.client.rpc("files_reject", { tenant_id: tenant.id, file: next.file.id }));
  assert.equal(await pictureOf(ana), url);
});

Deno.test("a picture that goes, by whichever door, shows no longer", async () => {
  const tenant = await createTenant();
  const ana = await createMember(tenant);
  const { file } = await (await show(ana, tenant)).json();
  await must(ana.client.rpc("files_delete", { tenant_id: tenant.id, file: file.id }));
  assert.equal(await pictureOf(ana), null);
  await show(ana, tenant);
  const me = await must<{ avatar_url: null }>(ana.client.rpc("accounts_remove_avatar"));
  assert.equal(me.avatar_url, null);
});

Deno.test("no picture comes from a PDF, a stranger, or straight into the profile", async () => {
  const tenant = await createTenant();
  const [ana, stranger] = [await createMember(tenant), await createPerson()];
  await assertAnswer(show(ana, tenant, pdf()), 415, "files.type_unsupported");
  await assertAnswer(show(stranger, tenant), 404, "tenants.not_found");
  await assertAnswer(
    callApi("/v1/users/me", {
      method: "PATCH",
      token: await tokenOf(ana),
      body: { avatar_url: "https://example.org/x.png" },
    }),
    422,
    "request.invalid",
  );
});

/** Gives the person a second provider, as Auth does after a login by it. */
const link = ({ id, email }: Person, provider: string) =>
  withDatabase((sql) =>
    sql`insert into auth.identities (
        provider_id, user_id, identity_data, provider, last_sign_in_at, created_at, updated_at
      )
      values (${crypto.randomUUID()}, ${id}, ${
      sql.json({ sub: id, email })
    }, ${provider}, now(), now(), now())`
  );

interface Provider {
  id: string;
  provider: string;
}

Deno.test("providers are listed, and unlinked until one is left", async () => {
  const person = await createPerson();
  await link(person, "google");
  const token = await tokenOf(person);
  const list = async () =>
    (await (await callApi("/v1/users/me/providers", { token })).json()).data as Provider[];
  const unlink = (id: string) =>
    callApi(`/v1/users/me/providers/${id}`, { method: "DELETE", token });
  assert.deepEqual((await list()).map(({ provider }) => provider), ["email", "google"]);
  await assertAnswer(reauthenticate(token, { password: person.password }), 204);
  await assertAnswer(unlink(crypto.randomUUID()), 404, "accounts.provider_not_found");
  await assertAnswer(unlink((await list())[1]!.id), 204);
  const [left, ...others] = await list();
  assert.deepEqual([left!.provider, others], ["email", []]);
  await assertAnswer(unlink(left!.id), 409, "accounts.last_provider");
});

Deno.test("a person's providers are theirs alone", async () => {
  const [person, other] = [await createPerson(), await createPerson()];
  await link(other, "github");
  const [own] = await must<Provider[]>(person.client.rpc("accounts_providers"));
  assert.equal(own!.provider, "email");
  const [, theirs] = await must<Provider[]>(other.client.rpc("accounts_providers"));
  await link(person, "google");
  const token = await tokenOf(person);
  await reauthenticate(token, { password: person.password });
  await assertAnswer(
    callApi(`/v1/users/me/providers/${theirs!.id}`, { method: "DELETE", token }),
    404,
    "accounts.provider_not_found",
  );
});
