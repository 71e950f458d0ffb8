import assert from "node:assert/strict";
import { assertProblem, callApi, tokenOf } from "../support/api.ts";
import { createPerson, signIn } from "../support/clients.ts";
import { withDatabase } from "../support/database.ts";
import { mailTo } from "../support/mail.ts";
import { createTenant } from "../support/tenants.ts";
import { ageFactors, createEnrolled } from "../two_factor/support.ts";
import { Authenticator, type Deviation } from "./authenticator.ts";
import {
  addPasskey,
  answerTo,
  askOptions,
  createApp,
  createHolder,
  type Options,
  optionsOf,
  type Passkey,
  read,
} from "./support.ts";

const app = await createApp();

Deno.test("a passkey is made for the domain of the tenant's app, discoverable and with the user verified", async () => {
  const person = await createPerson();
  const token = await tokenOf(person);
  const options = await optionsOf("register", app, token);
  assert.deepEqual(options.rp, { id: new URL(app.origin).hostname, name: app.name });
  assert.equal(options.user.name, person.email);
  assert.match(options.user.id, /^[\w-]{43}$/);
  assert.ok(!atob(options.user.id.replaceAll("-", "+").replaceAll("_", "/")).includes(person.id));
  assert.deepEqual(options.authenticatorSelection, {
    residentKey: "required",
    requireResidentKey: true,
    userVerification: "required",
  });
  assert.deepEqual(options.excludeCredentials, []);

  const authenticator = new Authenticator(app.origin);
  const answer = await answerTo("register", { credential: authenticator.create(options) }, token);
  assert.equal(answer.status, 201);
  const passkey: Passkey = await answer.json();
  assert.deepEqual([passkey.name, passkey.rp_id], ["Passkey", options.rp.id]);
  const { text } = await mailTo(person.email, "passkeys.added");
  assert.match(text, new RegExp(options.rp.id));
  const again = await optionsOf("register", app, token);
  assert.deepEqual(again.excludeCredentials.map(({ id }) => id), [authenticator.id]);
  assert.equal(again.user.id, options.user.id);
});

Deno.test("A15: what does not fit the challenge, the domain or the page is refused, and so is a user who was not verified", async (t) => {
  const token = await tokenOf(await createPerson());
  const deviations: Record<string, Deviation> = {
    "another origin": { origin: "https://evil.example" },
    "an origin that only begins alike": { origin: `${app.origin}.evil.example` },
    "another domain": { rpId: "example.org" },
    "an invented challenge": { challenge: "A".repeat(43) },
    "the answer to a login": { type: "webauthn.get" },
    "a page in a frame": { crossOrigin: true },
    "a user who was only present": { userVerified: false },
    "a kind of key nobody asked for": { algorithm: -47 },
  };
  for (const [name, deviation] of Object.entries(deviations)) {
    await t.step(name, async () => {
      const options = await optionsOf("register", app, token);
      const credential = new Authenticator(app.origin).create(options, deviation);
      const answer = await answerTo("register", { credential }, token);
      await assertProblem(answer, 422, "passkeys.refused");
    });
  }
  const { data } = await read<{ data: Passkey[] }>(callApi("/v1/passkeys", { token }));
  assert.deepEqual(data, []);
});

Deno.test("A15: a challenge is answered once, in five minutes, in the session it was made for", async (t) => {
  const person = await createPerson();
  const token = await tokenOf(person);
  const register = (options: Options, by: string, credential?: unknown) =>
    answerTo(
      "register",
      { credential: credential ?? new Authenticator(app.origin).create(options) },
      by,
    );
  await t.step("not after it failed", async () => {
    const options = await optionsOf("register", app, token);
    const wrong = new Authenticator(app.origin).create(options, { userVerified: false });
    await assertProblem(await register(options, token, wrong), 422, "passkeys.refused");
    await assertProblem(await register(options, token), 422, "passkeys.refused");
  });
  await t.step("not by another session of the person, nor by somebody else", async () => {
    const options = await optionsOf("register", app, token);
    const client = await signIn(person.email);
    for (const other of [{ client }, await createPerson()]) {
      const by = await tokenOf(other);
      await assertProblem(await register(options, by), 422, "passkeys.refused");
    }
    // Those did not spend it.
    await read(register(options, token));
  });
  await t.step("not for another act", async () => {
    const options = { ...await optionsOf("register", app, token) };
    const { challenge } = await optionsOf("login", app);
    await assertProblem(await register({ ...options, challenge }, token), 422, "passkeys.refused");
  });
  await t.step("not after five minutes", async () => {
    const options = await optionsOf("register", app, token);
    await withDatabase((sql) =>
      sql`update private.passkeys_challenges set expires_at = expires_at - interval '5 minutes'
        where challenge = ${options.challenge}`
    );
    await assertProblem(await register(options, token), 422, "passkeys.refused");
  });
  await t.step("once, however many come at the same moment", async () => {
    const options = await optionsOf("register", app, token);
    const answers = await Promise.all(Array.from({ length: 10 }, () => register(options, token)));
    assert.equal(answers.filter(({ status }) => status === 201).length, 1);
    await Promise.all(answers.map((answer) => answer.body?.cancel()));
  });
});

Deno.test("one has several passkeys, each once, and twenty at most", async () => {
  const holder = await createHolder(app);
  const token = await tokenOf(holder);
  await addPasskey(app, holder, { name: "Laptop" });

  const options = await optionsOf("register", app, token);
  const copy = holder.authenticator.create(options);
  const refused = await answerTo("register", { credential: copy }, token);
  await assertProblem(refused, 409, "passkeys.already_registered");

  const late = await optionsOf("register", app, token);
  await withDatabase((sql) =>
    sql`insert into private.passkeys (person_id, credential_id, rp_id, public_key, counter, aaguid, synced, backed_up, name)
      select person_id, left(credential_id, 30) || n, rp_id, public_key, 0, aaguid, false, false, 'Key ' || n
      from private.passkeys, generate_series(11, 28) n where id = ${holder.passkey.id}`
  );
  await assertProblem(await askOptions("register", app, token), 409, "passkeys.too_many");
  const credential = new Authenticator(app.origin).create(late);
  await assertProblem(await answerTo("register", { credential }, token), 409, "passkeys.too_many");
  const { data } = await read<{ data: Passkey[] }>(callApi("/v1/passkeys", { token }));
  assert.deepEqual(data.slice(0, 2).map(({ name }) => name), ["Phone", "Laptop"]);
  assert.equal(data.length, 20);
});

Deno.test("whoever has a factor gives it before another way in is added", async () => {
  const person = await createEnrolled();
  const client = await signIn(person.email);
  await assertProblem(
    await askOptions("register", app, await tokenOf({ client })),
    403,
    "two_factor.required",
  );
  const token = await tokenOf(person);
  const options = await optionsOf("register", app, token);
  await ageFactors(person, "6 minutes");
  await assertProblem(
    await askOptions("register", app, token),
    403,
    "two_factor.recent_required",
  );
  // Begun in time, it may be finished.
  await read(
    answerTo("register", { credential: new Authenticator(app.origin).create(options) }, token),
  );
});

Deno.test("whoever has none proves who they are where the session began a while ago", async () => {
  const person = await createPerson();
  const token = await tokenOf(person);
  await withDatabase((sql) =>
    sql`update auth.sessions set created_at = now() - interval '6 minutes'
      where user_id = ${person.id}`
  );
  await assertProblem(
    await askOptions("register", app, token),
    403,
    "accounts.reauthentication_required",
  );
  const body = { password: person.password };
  const proved = await callApi("/v1/auth/reauthenticate", { token, body });
  assert.ok(proved.ok, await proved.text());
  await optionsOf("register", app, token);
});

Deno.test("a factor that came meanwhile has to be given before the passkey counts", async () => {
  const person = await createPerson();
  const other = await signIn(person.email);
  const token = await tokenOf(person);
  const options = await optionsOf("register", app, token);
  await addPasskey(app, { client: other });
  const credential = new Authenticator(app.origin).create(options);
  await assertProblem(
    await answerTo("register", { credential }, token),
    403,
    "two_factor.required",
  );
});

Deno.test("passkeys are for tenants whose app has a domain", async (t) => {
  const token = await tokenOf(await createPerson());
  for (
    const app_url of [null, "http://example.org", "https://192.0.2.1", "https://user@example.org"]
  ) {
    await t.step(String(app_url), async () => {
      const tenant = await createTenant({ app_url });
      await assertProblem(await askOptions("register", tenant, token), 409, "passkeys.no_domain");
      await assertProblem(await askOptions("login", tenant), 409, "passkeys.no_domain");
    });
  }
  const nobody = { slug: "nobody-knows" };
  await assertProblem(await askOptions("register", nobody, token), 404, "tenants.not_found");
  await assertProblem(await askOptions("login", nobody), 404, "tenants.not_found");
});
