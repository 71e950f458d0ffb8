import assert from "node:assert/strict";
import { assertRefused, must } from "../support/answers.ts";
import { assertProblem, callApi, tokenOf } from "../support/api.ts";
import { createPerson, signIn } from "../support/clients.ts";
import { addMember, createMember } from "../support/tenants.ts";
import { ageFactors, codeOf, createEnrolled, overStack } from "../two_factor/support.ts";
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
  stepUp,
} from "./support.ts";

const app = await createApp();

Deno.test("a passkey is a second factor: a password alone opens nothing from then on", async () => {
  const holder = await createHolder(app);
  await addMember(app, holder);
  // The session that made it has given it.
  assert.equal((await must<unknown[]>(holder.client.from("tenants").select("id"))).length, 1);

  const client = await signIn(holder.email);
  assert.deepEqual(await must(client.from("tenants").select("id")), []);
  await assertRefused(client.rpc("passkeys_list"), 403, "two_factor.required");
  const token = await tokenOf({ client });
  await assertProblem(await callApi("/v1/passkeys", { token }), 403, "two_factor.required");

  const options = await optionsOf("step-up", app, token);
  assert.deepEqual(options.allowCredentials?.map(({ id }) => id), [holder.authenticator.id]);
  await read(stepUp(app, holder.authenticator, token));
  assert.equal((await must<unknown[]>(client.from("tenants").select("id"))).length, 1);
});

Deno.test("a role that asks for a second factor opens to whoever comes by a passkey", async () => {
  const owner = await createHolder(app);
  await addMember(app, owner, "owner");
  const holder = await createHolder(app);
  await addMember(app, holder);
  const bare = await createMember(app);
  await must(owner.client.rpc("two_factor_set_rule", {
    tenant_id: app.id,
    role: "member",
    required_from: new Date(0).toISOString(),
  }));
  const client = await clientOf(await login(app, holder.authenticator));
  assert.equal((await must<unknown[]>(client.from("tenants").select("id"))).length, 1);
  assert.deepEqual(await must(bare.client.from("tenants").select("id")), []);
});

Deno.test("either factor opens the session of somebody who has both", async () => {
  const person = await createEnrolled();
  const { authenticator } = await addPasskey(app, person);
  const byCode = await signIn(person.email);
  await read(
    overStack("/verify", await tokenOf({ client: byCode }), { code: codeOf(person.secret) }),
  );
  const byPasskey = await signIn(person.email);
  await read(stepUp(app, authenticator, await tokenOf({ client: byPasskey })));
  for (const client of [byCode, byPasskey]) {
    assert.equal(
      (await must<{ two_factor_required: boolean }>(client.rpc("people_me")))
        .two_factor_required,
      false,
    );
  }
});

Deno.test("A13: a passkey given again is a recent factor", async () => {
  const holder = await createHolder(app);
  const token = await tokenOf(holder);
  await ageFactors(holder, "6 minutes");
  await assertProblem(await askOptions("register", app, token), 403, "two_factor.recent_required");
  await read(stepUp(app, holder.authenticator, token));
  await optionsOf("register", app, token);
});

Deno.test("A15: what is given for a session is its own person's, and answers its own challenge", async (t) => {
  const [holder, other] = await Promise.all([createHolder(app), createHolder(app)]);
  const client = await signIn(holder.email);
  const token = await tokenOf({ client });
  const isClosed = async () => {
    const { data } = await client.rpc("people_me");
    assert.equal(data.two_factor_required, true);
  };
  await t.step("not somebody else's passkey", async () => {
    await assertProblem(await stepUp(app, other.authenticator, token), 422, "passkeys.refused");
    await isClosed();
  });
  await t.step("not the challenge of a login", async () => {
    const credential = holder.authenticator.get(await optionsOf("login", app));
    await assertProblem(
      await answerTo("step-up", { credential }, token),
      422,
      "passkeys.refused",
    );
    await isClosed();
  });
  await t.step("not a challenge of another session", async () => {
    const options = await optionsOf("step-up", app, await tokenOf(holder));
    const credential = holder.authenticator.get(options);
    await assertProblem(
      await answerTo("step-up", { credential }, token),
      422,
      "passkeys.refused",
    );
    await isClosed();
  });
  await t.step("not a counter that has been seen", async () => {
    const answer = await stepUp(app, holder.authenticator, token, { counter: 1 });
    await assertProblem(answer, 422, "passkeys.refused");
    await isClosed();
  });
});

Deno.test("whoever has no passkey for the domain is told so", async () => {
  const token = await tokenOf(await createPerson());
  await assertProblem(await askOptions("step-up", app, token), 404, "passkeys.not_found");
  await createHolder(await createApp());
  await assertProblem(await askOptions("step-up", app, token), 404, "passkeys.not_found");
});
