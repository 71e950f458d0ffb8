import assert from "node:assert/strict";
import { must } from "../support/answers.ts";
import { createApp as createApi } from "../../functions/api/app.ts";
import { assertProblem } from "../support/api.ts";
import { admin, createPerson, randomAddress } from "../support/clients.ts";
import { withDatabase } from "../support/database.ts";
import { mailTo } from "../support/mail.ts";
import { createTestServices } from "../support/services.ts";
import { getStack } from "../support/stack.ts";
import { addMember, createMember, createTenant, setStatus } from "../support/tenants.ts";
import { Authenticator, type Deviation } from "./authenticator.ts";
import {
  addPasskey,
  answerTo,
  askOptions,
  clientOf,
  createApp,
  createHolder,
  login,
  optionsOf,
  read,
} from "./support.ts";

const app = await createApp();

const actionsOf = (resource: string) =>
  withDatabase(async (sql) =>
    (await sql`select action from private.audit_log where resource = ${resource} order by id`)
      .map(({ action }) => action)
  );

const sessionsOf = async ({ id }: { id: string }) =>
  (await withDatabase((sql) => sql`select from auth.sessions where user_id = ${id}`)).length;

Deno.test("a passkey opens a real session of its owner, who says nothing else", async () => {
  const holder = await createHolder(app);
  await addMember(app, holder);
  const options = await optionsOf("login", app);
  assert.deepEqual([options.rpId, options.userVerification], [
    new URL(app.origin).hostname,
    "required",
  ]);
  assert.equal(options.allowCredentials, undefined);

  const client = await clientOf(await login(app, holder.authenticator));
  assert.equal((await client.auth.getUser()).data.user?.id, holder.id);
  const me = await must<Record<string, unknown>>(client.rpc("people_me"));
  assert.deepEqual([me.email, me.two_factor_required], [holder.email, false]);
  assert.equal((await must<unknown[]>(client.from("tenants").select("id"))).length, 1);
  const { data, error } = await client.auth.refreshSession();
  assert.equal(error, null);
  assert.equal(data.user?.id, holder.id);
  assert.deepEqual(await actionsOf(`passkeys:${holder.passkey.id}`), [
    "PASSKEY_ADDED",
    "PASSKEY_VERIFIED",
  ]);
});

Deno.test("A15: wrong origin, domain, challenge, signature, owner or an unverified user are refused alike", async (t) => {
  const { authenticator } = await createHolder(app);
  const other = await createHolder(app);
  const deviations: Record<string, Deviation> = {
    "another origin": { origin: "https://evil.example" },
    "the domain above": { rpId: "example.org" },
    "an invented challenge": { challenge: "B".repeat(43) },
    "the answer to a registration": { type: "webauthn.create" },
    "a page in a frame": { crossOrigin: true },
    "a user who was only present": { userVerified: false },
    "somebody else's handle": { userHandle: "C".repeat(43) },
    "no handle": { userHandle: undefined },
  };
  for (const [name, deviation] of Object.entries(deviations)) {
    await t.step(
      name,
      async () =>
        await assertProblem(await login(app, authenticator, deviation), 422, "passkeys.refused"),
    );
  }
  await t.step("a signature by another key", async () => {
    const options = await optionsOf("login", app);
    const credential = authenticator.get(options);
    credential.response.signature = other.authenticator.get(options).response.signature;
    await assertProblem(await answerTo("login", { credential }), 422, "passkeys.refused");
  });
  await t.step("a credential that nobody knows", async () => {
    const stranger = new Authenticator(app.origin);
    const answer = await login(app, stranger, { userHandle: "D".repeat(43) });
    await assertProblem(answer, 422, "passkeys.refused");
  });
  await t.step("and the owner still gets in", async () => {
    await read(login(app, authenticator));
  });
});

Deno.test("A15: a challenge is good for one login, and an answer is good once", async (t) => {
  const { authenticator } = await createHolder(app);
  await t.step("not replayed", async () => {
    const credential = authenticator.get(await optionsOf("login", app));
    await read(answerTo("login", { credential }));
    await assertProblem(await answerTo("login", { credential }), 422, "passkeys.refused");
  });
  await t.step("not after it failed", async () => {
    const options = await optionsOf("login", app);
    const wrong = authenticator.get(options, { userVerified: false });
    await assertProblem(await answerTo("login", { credential: wrong }), 422, "passkeys.refused");
    const credential = authenticator.get(options);
    await assertProblem(await answerTo("login", { credential }), 422, "passkeys.refused");
  });
  await t.step("not after five minutes", async () => {
    const options = await optionsOf("login", app);
    await withDatabase((sql) =>
      sql`update private.passkeys_challenges set expires_at = expires_at - interval '5 minutes'
        where challenge = ${options.challenge}`
    );
    const credential = authenticator.get(options);
    await assertProblem(await answerTo("login", { credential }), 422, "passkeys.refused");
  });
  await t.step("once, however many come at the same moment", async () => {
    const credential = authenticator.get(await optionsOf("login", app));
    const answers = await Promise.all(
      Array.from({ length: 10 }, () => answerTo("login", { credential })),
    );
    assert.equal(answers.filter(({ ok }) => ok).length, 1);
    await Promise.all(answers.map((answer) => answer.body?.cancel()));
  });
});

Deno.test("A15: a counter that has been seen is refused, told to the owner and kept in the trail", async () => {
  const holder = await createHolder(app);
  const { authenticator } = holder;
  await read(login(app, authenticator, { counter: 100 }));
  for (const counter of [100, 99, 0]) {
    const answer = await login(app, authenticator, { counter });
    await assertProblem(answer, 422, "passkeys.refused");
  }
  await read(login(app, authenticator, { counter: 101 }));
  await mailTo(holder.email, "passkeys.copied");
  const actions = await actionsOf(`passkeys:${holder.passkey.id}`);
  assert.equal(actions.filter((action) => action === "PASSKEY_COUNTER_REFUSED").length, 3);
});

Deno.test("A15: of eight with one counter at the same moment, one is taken", async () => {
  const { passkey } = await createHolder(app);
  const accept = () =>
    must<boolean>(
      admin().rpc("passkeys_accept", {
        passkey: passkey.id,
        counter: 50,
        backed_up: false,
      }),
    );
  const taken = await Promise.all(Array.from({ length: 8 }, accept));
  assert.equal(taken.filter(Boolean).length, 1);
});

Deno.test("passkeys that do not count, as synced ones, show zero for good", async () => {
  const { authenticator, passkey } = await createHolder(app, false);
  assert.equal(passkey.synced, true);
  await read(login(app, authenticator));
  await read(login(app, authenticator));
});

Deno.test("A5: whoever is banned stays out", async () => {
  const holder = await createHolder(app);
  const { error } = await admin().auth.admin.updateUserById(holder.id, { ban_duration: "1h" });
  assert.equal(error, null);
  await assertProblem(await login(app, holder.authenticator), 403, "auth.banned");
});

Deno.test("with a tenant, whoever it does not let in gets no session, as at /login", async (t) => {
  const owner = await createMember(app, "owner");
  const holder = await createHolder(app);
  await addMember(app, holder);
  const enter = async (slug: string) => {
    const credential = holder.authenticator.get(await optionsOf("login", app));
    return await answerTo("login", { credential, tenant: slug });
  };
  await t.step("an active member comes in", async () => {
    await read(enter(app.slug));
  });
  const refusals = { suspended: "members.suspended", banned: "members.banned" };
  for (const [status, code] of Object.entries(refusals)) {
    await t.step(status, async () => {
      await setStatus(owner.client, app, holder, status);
      const before = await sessionsOf(holder);
      await assertProblem(await enter(app.slug), 403, code);
      assert.equal(await sessionsOf(holder), before);
    });
  }
  await t.step("who waits", async () => {
    const asked = await createTenant();
    await withDatabase((sql) =>
      sql`insert into members (tenant_id, person_id, display_name) values (${asked.id}, ${holder.id}, 'Ana')`
    );
    await assertProblem(await enter(asked.slug), 403, "members.pending");
  });
  await t.step("a stranger, and no tenant at all", async () => {
    await assertProblem(await enter((await createTenant()).slug), 404, "tenants.not_found");
    await assertProblem(await enter("nowhere"), 404, "tenants.not_found");
  });
  await t.step("without one they come in, and see nothing of it", async () => {
    const client = await clientOf(await login(app, holder.authenticator));
    assert.deepEqual(await must(client.from("tenants").select("id")), []);
  });
});

Deno.test("whoever has several comes in by each", async () => {
  const holder = await createHolder(app);
  const { authenticator } = await addPasskey(app, holder, { name: "Laptop" });
  for (const one of [holder.authenticator, authenticator]) await read(login(app, one));
});

Deno.test("logins are begun so often from one address, and then later", async () => {
  const { url, publishableKey, secretKey } = getStack();
  const { services } = createTestServices({
    SUPABASE_URL: url,
    SUPABASE_PUBLISHABLE_KEYS: JSON.stringify({ default: publishableKey }),
    SUPABASE_SECRET_KEYS: JSON.stringify({ default: secretKey }),
    NEXUS_LIMITS: "passkeys_login=3/300",
  });
  const api = createApi(services);
  const headers = { "x-forwarded-for": randomAddress(), "content-type": "application/json" };
  const body = JSON.stringify({ tenant: app.slug });
  const begin = async () =>
    await api.request("/api/v1/passkeys/login/options", { method: "POST", headers, body });
  for (let time = 0; time < 3; time++) assert.equal((await begin()).status, 200);
  const refused = await begin();
  assert.ok(Number(refused.headers.get("retry-after")) > 0);
  await assertProblem(refused, 429, "limits.exceeded");
});

Deno.test("what is no answer of a browser is refused by its form", async (t) => {
  const { authenticator } = await createHolder(app);
  const credential = authenticator.get(await optionsOf("login", app));
  for (
    const [name, body] of Object.entries({
      "nothing": {},
      "another type": { credential: { ...credential, type: "password" } },
      "no base64url": { credential: { ...credential, id: "not+base64url/" } },
      "more than asked for": { credential, remember: true },
    })
  ) {
    await t.step(
      name,
      async () => await assertProblem(await answerTo("login", body), 422, "request.invalid"),
    );
  }
  await t.step("client data that is no JSON", async () => {
    const response = { ...credential.response, clientDataJSON: "AAAA" };
    const answer = await answerTo("login", { credential: { ...credential, response } });
    await assertProblem(answer, 422, "passkeys.refused");
  });
  await assertProblem(await askOptions("login", { slug: "" }), 422, "request.invalid");
});

Deno.test("a person who has no passkey is told nothing apart from one who is unknown", async () => {
  const person = await createPerson();
  const stranger = new Authenticator(app.origin);
  const handles = await withDatabase((sql) =>
    sql`select handle from private.passkeys_handles where person_id = ${person.id}`
  );
  assert.equal(handles.length, 0);
  const answer = await login(app, stranger, { userHandle: person.id });
  await assertProblem(answer, 422, "passkeys.refused");
});
