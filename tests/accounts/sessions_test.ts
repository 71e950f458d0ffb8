import assert from "node:assert/strict";
import { assertRefused, must } from "../support/answers.ts";
import { callApi, tokenOf } from "../support/api.ts";
import { anonymous, createPerson } from "../support/clients.ts";
import { withDatabase } from "../support/database.ts";
import { assertAnswer, clientOf, login, post, type Tokens } from "./support.ts";

const refreshOf = ({ refresh_token }: Tokens) => ({ refresh_token });

Deno.test("logging out: this session, the others, or all, on the next statement", async (t) => {
  const { email, password } = await createPerson();
  const begin = () => login(email, { password });
  const isOpen = async ({ access_token: token }: Tokens) =>
    (await callApi("/v1/users/me", { token })).status === 200;
  const end = async ({ access_token: token }: Tokens, scope: string) =>
    (await (await post("/logout", { scope }, { token })).json()).ended;
  await t.step("local", async () => {
    const [one, two] = [await begin(), await begin()];
    assert.equal(await end(one, "local"), 1);
    assert.deepEqual([await isOpen(one), await isOpen(two)], [false, true]);
    await assertAnswer(post("/refresh", refreshOf(one)), 401, "accounts.refresh_refused");
  });
  await t.step("others", async () => {
    const [one, two] = [await begin(), await begin()];
    assert.ok(await end(one, "others") >= 2);
    assert.deepEqual([await isOpen(one), await isOpen(two)], [true, false]);
  });
  await t.step("global", async () => {
    const [one, two] = [await begin(), await begin()];
    await end(one, "global");
    assert.deepEqual([await isOpen(one), await isOpen(two)], [false, false]);
  });
  await t.step("anything else", async () => {
    const { access_token: token } = await begin();
    await assertAnswer(post("/logout", { scope: "mine" }, { token }), 422, "request.invalid");
    const rpc = anonymous().rpc("accounts_logout", { scope: "mine" });
    await assertRefused(rpc.setHeader("authorization", `Bearer ${token}`), 422, "request.invalid");
  });
});

Deno.test("refreshing: new tokens for the same session, once for each", async () => {
  const { email, password } = await createPerson();
  const first = await login(email, { password });
  const answer = await post("/refresh", refreshOf(first));
  assert.equal(answer.status, 200);
  const second: Tokens = await answer.json();
  assert.notEqual(second.refresh_token, first.refresh_token);
  await must((await clientOf(second)).rpc("people_me"));
  await assertAnswer(
    post("/refresh", { refresh_token: "nobodys" }),
    401,
    "accounts.refresh_refused",
  );
});

Deno.test("A1: a refresh token that comes again ends its session, for every door", async () => {
  const { email, password } = await createPerson();
  const first = await login(email, { password });
  const second: Tokens = await (await post("/refresh", refreshOf(first))).json();
  const third: Tokens = await (await post("/refresh", refreshOf(second))).json();
  await withDatabase((sql) =>
    sql`update auth.refresh_tokens set updated_at = now() - interval '1 minute'
      where token = ${first.refresh_token}`
  );
  await assertAnswer(post("/refresh", refreshOf(first)), 401, "accounts.refresh_refused");
  await assertAnswer(post("/refresh", refreshOf(third)), 401, "accounts.refresh_refused");
  const { access_token: token } = third;
  await assertAnswer(callApi("/v1/users/me", { token }), 401, "auth.session_ended");
});

Deno.test("A2: twenty refreshes at once leave one live token", async () => {
  const { email, password } = await createPerson();
  const tokens = await login(email, { password });
  const answers = await Promise.all(
    Array.from({ length: 20 }, () => post("/refresh", refreshOf(tokens))),
  );
  const live = new Set(
    await Promise.all(answers.map(async (answer) => (await answer.json()).refresh_token)),
  );
  assert.equal(live.size, 1);
});

Deno.test("A3: people see nothing of what Auth keeps of tokens and sessions", async () => {
  const { client } = await createPerson();
  for (const table of ["refresh_tokens", "sessions", "users"]) {
    const { error } = await client.schema("auth").from(table).select("*").limit(1);
    assert.ok(error, `auth.${table} is closed to people`);
  }
});

Deno.test("A6: who logged out is out of the Data API, too", async () => {
  const person = await createPerson();
  const token = await tokenOf(person);
  await assertAnswer(post("/logout", {}, { token }), 200);
  await assertRefused(person.client.rpc("people_me"), 401, "auth.session_ended");
});
