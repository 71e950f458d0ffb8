import assert from "node:assert/strict";
import { sessionFor } from "shared/auth/session.ts";
import { assertRefused, must } from "../support/answers.ts";
import { admin, createPerson, signIn } from "../support/clients.ts";
import { withDatabase } from "../support/database.ts";
import { createMember, createTenant } from "../support/tenants.ts";
import { createEnrolled } from "../two_factor/support.ts";
import { functionServices, openSession, sessionIdOf } from "./support.ts";

const sessionsOf = (person: string) =>
  withDatabase(async (sql) => [
    ...await sql<{ id: string; purpose: string | null }[]>`
      select s.id, b.purpose from auth.sessions s
      left join private.trust_bounds b on b.session_id = s.id where s.user_id = ${person}`,
  ]);

Deno.test("a session is opened for a person by their id, and refreshes like any other", async () => {
  const person = await createPerson();
  const { client, tokens, id } = await openSession(person, { purpose: "passkey" });
  assert.equal((await must<{ id: string }>(client.rpc("people_me"))).id, person.id);
  const { data, error } = await person.client.auth.refreshSession({
    refresh_token: tokens.refresh_token,
  });
  assert.equal(error, null);
  assert.equal(sessionIdOf(data.session!.access_token), id);
  assert.equal((await sessionsOf(person.id)).find((row) => row.id === id)?.purpose, "passkey");
});

Deno.test("no session is opened for who may not sign in", async (t) => {
  const services = functionServices();
  const refused = async (person: string, code: string) => {
    await assert.rejects(sessionFor(services, person, { purpose: "test" }), { code });
    assert.deepEqual(await sessionsOf(person), []);
  };
  await t.step("nobody", () => refused(crypto.randomUUID(), "people.not_found"));
  await t.step("unconfirmed", async () => {
    const { data } = await admin().auth.admin.createUser({
      email: `${crypto.randomUUID()}@nexus.test`,
      password: "Nexus-demo-1",
    });
    await refused(data.user!.id, "auth.email_unconfirmed");
  });
  await t.step("banned", async () => {
    const { data } = await admin().auth.admin.createUser({
      email: `${crypto.randomUUID()}@nexus.test`,
      email_confirm: true,
      ban_duration: "1h",
    });
    await refused(data.user!.id, "auth.banned");
  });
  await t.step("erased", async () => {
    const { id } = await createPerson();
    await admin().auth.admin.deleteUser(id);
    await refused(id, "people.not_found");
  });
  await t.step("banned while it is opened: it opens nothing", async () => {
    const person = await createPerson();
    const { client } = await openSession(person);
    await admin().auth.admin.updateUserById(person.id, { ban_duration: "1h" });
    await assertRefused(client.rpc("people_me"), 401, "auth.session_ended");
  });
});

Deno.test("several sessions opened for one person at once are all good", async () => {
  const person = await createPerson();
  const opened = await Promise.all(Array.from({ length: 4 }, () => openSession(person)));
  assert.equal(new Set(opened.map(({ id }) => id)).size, 4);
  for (const { client } of opened) await must(client.rpc("people_me"));
});

Deno.test("a session whose bounds cannot be kept is handed to nobody", async () => {
  const person = await createPerson();
  const before = await sessionsOf(person.id);
  const purpose = "not a purpose";
  await assert.rejects(sessionFor(functionServices(), person.id, { purpose }));
  assert.deepEqual((await sessionsOf(person.id)).map(({ id }) => id), before.map(({ id }) => id));
});

Deno.test("A12: a session we open waits for its second factor, unless opening it was one", async () => {
  const person = await createEnrolled();
  const plain = await openSession(person, { purpose: "apple" });
  await assertRefused(plain.client.rpc("people_session"), 403, "two_factor.required");
  for (const factor of ["passkey", "delegated"] as const) {
    const { client } = await openSession(person, { factor });
    await must(client.rpc("people_session"));
  }
});

Deno.test("nobody but the functions opens sessions or writes what they stand for", async () => {
  const tenant = await createTenant();
  const { id, email } = await createMember(tenant, "owner");
  const client = await signIn(email);
  for (
    const [name, args] of [
      ["sessions_opening", { person: id }],
      ["sessions_opened", { session: id, person: id, purpose: "test" }],
    ] as const
  ) {
    const { error } = await client.rpc(name, args);
    assert.ok(["42501", "PGRST202"].includes(error?.code ?? ""), `${name}: ${error?.code}`);
  }
  const opened = { session: crypto.randomUUID(), person: id, purpose: "test" };
  await assertRefused(admin().rpc("sessions_opened", opened), 401, "auth.session_ended");
});
