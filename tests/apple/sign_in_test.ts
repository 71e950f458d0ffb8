import assert from "node:assert/strict";
import { createClient } from "@supabase/supabase-js";
import { assertProblem, callApi, tokenOf } from "../support/api.ts";
import { admin, anonymous, createPerson, type Person, randomAddress } from "../support/clients.ts";
import { withDatabase } from "../support/database.ts";
import { mailsTo, mailTo } from "../support/mail.ts";
import { getStack } from "../support/stack.ts";
import { createEnrolled } from "../two_factor/support.ts";
import { clientId, FakeApple } from "./fake_apple.ts";
import {
  appOrigin,
  locationOf,
  newVerifier,
  personOf,
  redirectTo,
  signIn,
  startProject,
} from "./support.ts";

const newSubject = () => `000000.${crypto.randomUUID()}.0000`;
const newEmail = () => `${crypto.randomUUID()}@nexus.test`;

Deno.test("whoever is new gets an account with the address and the name that Apple tells", async () => {
  await using apple = new FakeApple();
  const project = startProject(apple);
  const user = { subject: newSubject(), email: newEmail() };
  const name = { firstName: "Ana", lastName: "Müller" };
  const { id, token } = await personOf(project, apple, { ...user, name });
  const { data } = await admin().auth.admin.getUserById(id);
  assert.equal(data.user?.email, user.email);
  assert.ok(data.user?.email_confirmed_at);
  const client = createClient(getStack().url, getStack().publishableKey, {
    accessToken: () => Promise.resolve(token),
  });
  const me = await client.rpc("people_me");
  assert.deepEqual([me.data.display_name, me.data.email_verified], ["Ana Müller", true]);

  // From then on the account is known by Apple's name for it, whatever the address is.
  assert.equal((await personOf(project, apple, user)).id, id);
  assert.equal((await personOf(project, apple, { ...user, email: newEmail() })).id, id);
  assert.equal((await personOf(project, apple, { subject: user.subject })).id, id);
  assert.deepEqual(await mailsTo(user.email), []);
});

Deno.test("Auth is told whose account it makes: the client's address and device", async () => {
  await using apple = new FakeApple();
  const { url } = getStack();
  const told: (string | null)[][] = [];
  await using proxy = Deno.serve(
    { port: 0, hostname: "127.0.0.1", onListen() {} },
    (request) => {
      const { pathname, search } = new URL(request.url);
      if (pathname === "/auth/v1/admin/users") {
        told.push(["sb-forwarded-for", "user-agent"].map((name) => request.headers.get(name)));
      }
      return fetch(`${url}${pathname}${search}`, request);
    },
  );
  const project = startProject(apple, { SUPABASE_URL: `http://127.0.0.1:${proxy.addr.port}` });
  const { challenge } = await newVerifier();
  const there = locationOf(await project.authorize(challenge), 302);
  const form = apple.consent(there.href, { subject: newSubject(), email: newEmail() });
  const address = randomAddress();
  const back = await project.call("/callback", {
    method: "POST",
    body: new URLSearchParams(form),
    headers: { "x-forwarded-for": address, "user-agent": "Nexus-App/7" },
  });
  assert.ok(locationOf(back, 303).searchParams.get("code"));
  assert.deepEqual(told, [[address, "Nexus-App/7"]]);
});

Deno.test("a relay address is an address like any other, and known to be one", async () => {
  await using apple = new FakeApple();
  const project = startProject(apple);
  const user = {
    subject: newSubject(),
    email: `${crypto.randomUUID().slice(0, 10)}@privaterelay.appleid.com`,
    relay: "true",
  };
  const { id } = await personOf(project, apple, user);
  await withDatabase(async (sql) => {
    const [row] = await sql`
      select relay from private.apple_identities where subject = ${user.subject} and person_id = ${id}`;
    assert.equal(row!.relay, true);
  });
});

Deno.test("an account with the same address is taken where both sides have verified it, and its owner is told", async () => {
  await using apple = new FakeApple();
  const project = startProject(apple);
  const person = await createPerson();
  const user = { subject: newSubject(), email: person.email.toUpperCase(), emailVerified: true };
  assert.equal((await personOf(project, apple, user)).id, person.id);
  await mailTo(person.email, "auth.identity_linked");
  // Once only.
  await personOf(project, apple, user);
  await withDatabase(async (sql) => {
    const lines = await sql`
      select from private.audit_log
      where resource = ${`people:${person.id}`} and action = 'APPLE_LINKED'`;
    assert.equal(lines.length, 1);
  });
});

Deno.test("an address that we have not confirmed is nobody's yet, so its account is not taken", async () => {
  await using apple = new FakeApple();
  const email = newEmail();
  const { error } = await anonymous().auth.signUp({ email, password: "Squatter-1-squats" });
  assert.equal(error, null);
  const { error: refused, code } = await signIn(startProject(apple), apple, {
    subject: newSubject(),
    email,
  });
  assert.deepEqual([refused, code], ["apple.email_unconfirmed", null]);
});

Deno.test("an address that Apple has not verified, or does not tell, makes and takes no account", async () => {
  await using apple = new FakeApple();
  const project = startProject(apple);
  const person = await createPerson();
  for (
    const user of [
      { email: person.email, emailVerified: false },
      { email: person.email, emailVerified: "false" },
      { email: newEmail(), emailVerified: false },
      {},
    ]
  ) {
    const { error } = await signIn(project, apple, { subject: newSubject(), ...user });
    assert.equal(error, "apple.email_required");
  }
});

Deno.test("the name that comes unsigned is a name and no more", async () => {
  await using apple = new FakeApple();
  const project = startProject(apple);
  const victim = await createPerson();
  const { challenge, verifier } = await newVerifier();
  const there = locationOf(await project.authorize(challenge), 302);
  const form = apple.consent(there.href, { subject: newSubject(), email: newEmail() });
  const user = JSON.stringify({ email: victim.email, name: { firstName: "x".repeat(200) } });
  const back = locationOf(await project.post({ ...form, user }), 303);
  const session = await (await project.token(back.searchParams.get("code")!, verifier)).json();
  const { data } = await admin().auth.getUser(session.access_token);
  assert.notEqual(data.user?.id, victim.id);
});

Deno.test("Apple is no second factor: whoever has one gives it in the new session", async () => {
  await using apple = new FakeApple();
  const person = await createEnrolled();
  const user = { subject: newSubject(), email: person.email };
  const { id, token } = await personOf(startProject(apple), apple, user);
  assert.equal(id, person.id);
  const client = createClient(getStack().url, getStack().publishableKey, {
    accessToken: () => Promise.resolve(token),
  });
  assert.equal((await client.rpc("people_me")).data.two_factor_required, true);
});

Deno.test("A5: whoever is banned stays out", async () => {
  await using apple = new FakeApple();
  const project = startProject(apple);
  const user = { subject: newSubject(), email: newEmail() };
  const { id } = await personOf(project, apple, user);
  await admin().auth.admin.updateUserById(id, { ban_duration: "1h" });
  const { code, verifier } = await signIn(project, apple, user);
  await assertProblem(await project.token(code!, verifier), 403, "auth.banned");
});

Deno.test("two who come for one new account at the same moment are one person", async () => {
  await using apple = new FakeApple();
  const project = startProject(apple);
  const user = { subject: newSubject(), email: newEmail() };
  const people = await Promise.all(
    Array.from({ length: 4 }, () => personOf(project, apple, user)),
  );
  assert.equal(new Set(people.map(({ id }) => id)).size, 1);
});

Deno.test("Apple stands among the providers, until its owner signs in by it no longer", async () => {
  await using apple = new FakeApple();
  const project = startProject(apple);
  const person = await createPerson();
  const user = { subject: newSubject(), email: person.email };
  await personOf(project, apple, user);
  const token = await tokenOf(person);
  const providersOf = async () => {
    const { data } = await (await callApi("/v1/users/me/providers", { token })).json();
    return data as { id: string; provider: string }[];
  };
  const listed = await providersOf();
  assert.deepEqual(listed.map(({ provider }) => provider), ["email", "apple"]);
  assert.deepEqual((await person.client.rpc("people_me")).data.providers, ["apple", "email"]);

  const { id } = listed[1]!;
  const unlink = (by: string) =>
    callApi(`/v1/users/me/providers/${id}`, { method: "DELETE", token: by });
  await assertProblem(await unlink(token), 403, "accounts.reauthentication_required");
  const reauthenticate = async ({ client, password }: Person) => {
    const by = await tokenOf({ client });
    const proved = await callApi("/v1/auth/reauthenticate", { token: by, body: { password } });
    assert.ok(proved.ok, await proved.text());
    return by;
  };
  const stranger = await reauthenticate(await createPerson());
  // Not theirs, so Auth is asked, which looks first at how many they have.
  await assertProblem(await unlink(stranger), 409, "accounts.last_provider");
  await reauthenticate(person);
  assert.equal((await unlink(token)).status, 204);
  await mailTo(person.email, "auth.identity_unlinked");
  assert.deepEqual((await providersOf()).map(({ provider }) => provider), ["email"]);
});

Deno.test("an erased person's Apple account is nobody's", async () => {
  await using apple = new FakeApple();
  const project = startProject(apple);
  const user = { subject: newSubject(), email: newEmail() };
  const { id } = await personOf(project, apple, user);
  await admin().auth.admin.deleteUser(id);
  assert.notEqual((await personOf(project, apple, user)).id, id);
});

Deno.test("Apple is asked for what it documents, and shown a secret made for the moment", async () => {
  await using apple = new FakeApple();
  const project = startProject(apple);
  const { challenge } = await newVerifier();
  const there = locationOf(await project.authorize(challenge), 302);
  assert.equal(`${there.origin}${there.pathname}`, `${apple.url}/auth/authorize`);
  const asked = Object.fromEntries(there.searchParams);
  assert.deepEqual(
    { ...asked, state: "", nonce: "", code_challenge: "" },
    {
      client_id: clientId,
      redirect_uri: `${getStack().url}/functions/v1/api/v1/auth/oauth/apple/callback`,
      response_type: "code",
      response_mode: "form_post",
      scope: "name email",
      code_challenge_method: "S256",
      state: "",
      nonce: "",
      code_challenge: "",
    },
  );
  for (const one of [asked.state, asked.nonce, asked.code_challenge]) {
    assert.match(one!, /^[\w-]{43}$/);
  }
  assert.notEqual(asked.code_challenge, challenge);

  await personOf(project, apple, { subject: newSubject(), email: newEmail() });
  const [secret] = apple.secretsSeen;
  const { exp, iat } = JSON.parse(atob(secret!.split(".")[1]!));
  assert.equal(exp - iat, 300);
  assert.ok(redirectTo.startsWith(appOrigin));
});
