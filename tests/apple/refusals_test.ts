import assert from "node:assert/strict";
import { assertProblem, callApi } from "../support/api.ts";
import { withDatabase } from "../support/database.ts";
import { type AppleUser, FakeApple } from "./fake_apple.ts";
import { appOrigin, locationOf, newVerifier, personOf, signIn, startProject } from "./support.ts";

const newUser = (): AppleUser => ({
  subject: `000000.${crypto.randomUUID()}.0000`,
  email: `${crypto.randomUUID()}@nexus.test`,
});

async function begin(project: ReturnType<typeof startProject>) {
  const { verifier, challenge } = await newVerifier();
  return { verifier, there: locationOf(await project.authorize(challenge), 302).href };
}

Deno.test("a state comes back once, within ten minutes, and is one that was sent", async (t) => {
  await using apple = new FakeApple();
  const project = startProject(apple);
  const refused = async (answer: Response) =>
    await assertProblem(answer, 422, "apple.state_refused");
  await t.step("invented", async () => {
    await refused(await project.post({ state: "A".repeat(43), code: "x" }));
    await refused(await project.get({ state: "A".repeat(43), code: "x" }));
  });
  await t.step("used", async () => {
    const { there } = await begin(project);
    const form = apple.consent(there, newUser());
    locationOf(await project.post(form), 303);
    await refused(await project.post(form));
  });
  await t.step("used at the same moment", async () => {
    const { there } = await begin(project);
    const form = apple.consent(there, newUser());
    const answers = await Promise.all(Array.from({ length: 6 }, () => project.post(form)));
    assert.equal(answers.filter(({ status }) => status === 303).length, 1);
  });
  await t.step("old", async () => {
    const { there } = await begin(project);
    await withDatabase((sql) =>
      sql`update private.apple_states set expires_at = now()
        where nonce = ${new URL(there).searchParams.get("nonce")}`
    );
    await refused(await project.post(apple.consent(there, newUser())));
  });
});

Deno.test("the answer may come in the address, too", async () => {
  await using apple = new FakeApple();
  const project = startProject(apple);
  const { verifier, there } = await begin(project);
  const back = locationOf(await project.get(apple.consent(there, newUser())), 303);
  assert.equal((await project.token(back.searchParams.get("code")!, verifier)).status, 200);
});

Deno.test("an ID token that is not Apple's, not for us or not for now is refused", async (t) => {
  await using apple = new FakeApple();
  const project = startProject(apple);
  const now = Math.floor(Date.now() / 1000);
  const users: Record<string, Partial<AppleUser>> = {
    "by a key that is not Apple's": { foreignKey: true },
    "by Apple's public key as a shared secret": { confused: true },
    "of another issuer": { claims: { iss: "https://appleid.apple.com.evil.example" } },
    "for another client": { claims: { aud: "org.other" } },
    "of yesterday": { claims: { iat: now - 90_000, exp: now - 3_600 } },
    "of another sign-in": { claims: { nonce: "A".repeat(43) } },
    "without a nonce": { claims: { nonce: undefined } },
    "of nobody": { claims: { sub: undefined } },
  };
  for (const [name, deviation] of Object.entries(users)) {
    await t.step(name, async () => {
      const { error, code } = await signIn(project, apple, { ...newUser(), ...deviation });
      assert.deepEqual([error, code], ["apple.refused", null]);
    });
  }
});

Deno.test("a code that Apple does not take ends the sign-in, and so does a secret or verifier it does not know", async (t) => {
  await using apple = new FakeApple();
  const project = startProject(apple);
  await t.step("an invented code", async () => {
    const { there } = await begin(project);
    const { state } = apple.consent(there, newUser());
    const back = locationOf(await project.post({ state: state!, code: "invented" }), 303);
    assert.equal(back.searchParams.get("error"), "apple.refused");
  });
  await t.step("the code of another sign-in", async () => {
    const [mine, theirs] = await Promise.all([begin(project), begin(project)]);
    const { code } = apple.consent(theirs.there, newUser());
    const { state } = apple.consent(mine.there, newUser());
    const back = locationOf(await project.post({ state: state!, code: code! }), 303);
    assert.equal(back.searchParams.get("error"), "apple.refused");
  });
  await t.step("another project's key", async () => {
    const { error } = await signIn(
      startProject(apple, { APPLE_KEY_ID: "OTHERKEY01" }),
      apple,
      newUser(),
    );
    assert.equal(error, "apple.refused");
  });
  assert.deepEqual(apple.refusals, ["invalid_grant", "invalid_grant", "invalid_client"]);
});

Deno.test("what is cancelled at Apple, and what fails there, is told to the app by its code", async (t) => {
  await using apple = new FakeApple();
  const project = startProject(apple);
  const errorOf = async (error: string) => {
    const state = new URL((await begin(project)).there).searchParams.get("state")!;
    return locationOf(await project.post({ state, error }), 303).searchParams.get("error");
  };
  assert.equal(await errorOf("user_cancelled_authorize"), "apple.cancelled");
  assert.equal(await errorOf("invalid_request"), "apple.refused");
  await t.step("Apple is down", async () => {
    apple.failures.push(new Response("down", { status: 503 }));
    assert.equal((await signIn(project, apple, newUser())).error, "unavailable");
  });
  await t.step("Apple answers something else", async () => {
    apple.failures.push(new Response("<html>"), Response.json({ access_token: "a" }));
    assert.equal((await signIn(project, apple, newUser())).error, "apple.refused");
    assert.equal((await signIn(project, apple, newUser())).error, "apple.refused");
  });
});

Deno.test("a code opens a session once, within two minutes, and for the app that began alone", async (t) => {
  await using apple = new FakeApple();
  const project = startProject(apple);
  const user = newUser();
  const refused = async (answer: Response) =>
    await assertProblem(answer, 422, "apple.code_refused");
  await t.step("another app, and then nobody", async () => {
    const { code, verifier } = await signIn(project, apple, user);
    await refused(await project.token(code!, (await newVerifier()).verifier));
    await refused(await project.token(code!, verifier));
  });
  await t.step("used", async () => {
    const { code, verifier } = await signIn(project, apple, user);
    assert.equal((await project.token(code!, verifier)).status, 200);
    await refused(await project.token(code!, verifier));
  });
  await t.step("used at the same moment", async () => {
    const { code, verifier } = await signIn(project, apple, user);
    const answers = await Promise.all(
      Array.from({ length: 6 }, () => project.token(code!, verifier)),
    );
    assert.equal(answers.filter(({ ok }) => ok).length, 1);
  });
  await t.step("old", async () => {
    const { id } = await personOf(project, apple, user);
    const { code, verifier } = await signIn(project, apple, user);
    await withDatabase((sql) =>
      sql`update private.apple_codes set expires_at = now() where person_id = ${id}`
    );
    await refused(await project.token(code!, verifier));
  });
  await t.step("invented", async () => {
    const { verifier } = await newVerifier();
    await refused(await project.token("A".repeat(43), verifier));
  });
});

Deno.test("the browser is sent to apps of this project alone", async () => {
  await using apple = new FakeApple();
  const project = startProject(apple);
  const { challenge } = await newVerifier();
  for (
    const redirect of [
      "https://evil.example/",
      `${appOrigin}.evil.example/`,
      `${appOrigin}@evil.example/`,
      appOrigin.replace("https", "http"),
    ]
  ) {
    const answer = await project.authorize(challenge, redirect);
    await assertProblem(answer, 422, "apple.redirect_refused");
  }
  const answer = await project.authorize(challenge, "javascript:alert(1)");
  await assertProblem(answer, 422, "request.invalid");
  await assertProblem(await project.authorize("short"), 422, "request.invalid");
});

Deno.test("a project that does not sign in with Apple says so", async () => {
  const { challenge, verifier } = await newVerifier();
  const query = new URLSearchParams({ redirect_to: appOrigin, code_challenge: challenge });
  const path = "/v1/auth/oauth/apple";
  const state = "A".repeat(43);
  for (
    const answer of [
      callApi(`${path}/authorize?${query}`),
      callApi(`${path}/callback?state=${state}`),
      callApi(`${path}/callback`, {
        method: "POST",
        body: `state=${state}`,
        headers: { "content-type": "application/x-www-form-urlencoded" },
      }),
      callApi(`${path}/token`, { body: { code: "x", code_verifier: verifier } }),
    ]
  ) {
    await assertProblem(await answer, 404, "apple.not_configured");
  }
});

Deno.test("what is left behind by sign-ins that nobody finished is forgotten", async () => {
  await using apple = new FakeApple();
  const project = startProject(apple);
  const nonce = new URL((await begin(project)).there).searchParams.get("nonce");
  await withDatabase(async (sql) => {
    await sql`update private.apple_states set expires_at = now() where nonce = ${nonce}`;
    const [row] = await sql`select private.apple_forget_old()::int as gone`;
    assert.ok(row!.gone >= 1);
    assert.equal((await sql`select from private.apple_states where nonce = ${nonce}`).length, 0);
  });
});
