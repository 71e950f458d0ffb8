import assert from "node:assert/strict";
import postgres from "postgres";
import { withDatabase } from "../../support/database.ts";
import { type AuthUnderTest, claimsOf, newEmail, password, refusal, startAuth } from "./support.ts";

/** Runs a test with a function that only Auth may call, as a project would grant it. */
async function withFunction(body: string, work: (uri: string) => Promise<void>) {
  const schema = `hook_${crypto.randomUUID().replaceAll("-", "")}`;
  await withDatabase(async (sql: postgres.Sql) => {
    await sql.unsafe(`
      create schema ${schema};
      create function ${schema}."the Hook"(event jsonb) returns jsonb
        language plpgsql volatile set search_path = '' as $$ begin ${body} end $$;
      grant usage on schema ${schema} to supabase_auth_admin;
      grant execute on all functions in schema ${schema} to supabase_auth_admin;
    `);
    try {
      await work(`pg-functions://postgres/${schema}/the%20Hook`);
    } finally {
      await sql.unsafe(`drop schema ${schema} cascade`);
    }
  });
}

async function personOf(auth: AuthUnderTest) {
  const email = newEmail();
  const { data } = await auth.operator().auth.admin.createUser({
    email,
    password,
    email_confirm: true,
  });
  return { email, id: data.user!.id };
}

const sessionsOf = (id: string) =>
  withDatabase((sql) => sql`select from auth.sessions where user_id = ${id}`);

Deno.test("a function sets claims, and sees the session it is asked about", () =>
  withFunction(
    `return jsonb_build_object('claims', event -> 'claims' || jsonb_build_object(
      'caller', current_user,
      'sessions', (
        select count(*) from auth.sessions where id = (event -> 'claims' ->> 'session_id')::uuid
      )
    ));`,
    async (uri) => {
      await using auth = await startAuth({
        hooks: { custom_access_token: { uri, secrets: undefined } },
      });
      const { email } = await personOf(auth);
      const { data } = await auth.visitor().auth.signInWithPassword({ email, password });
      const { caller, sessions } = claimsOf(data.session!.access_token);
      assert.deepEqual([caller, sessions], ["supabase_auth_admin", 1]);
    },
  ));

Deno.test("a function that refuses, raises or takes over two seconds opens no session", async () => {
  const cases: [string, number, number][] = [
    [`return '{"error": {"http_code": 403, "message": "Not today"}}';`, 403, 0],
    [`raise exception 'broken';`, 500, 0],
    [`perform pg_sleep(4); return event;`, 500, 1_900],
  ];
  for (const [body, status, milliseconds] of cases) {
    await withFunction(body, async (uri) => {
      await using auth = await startAuth({
        hooks: { custom_access_token: { uri, secrets: undefined } },
      });
      const { id, email } = await personOf(auth);
      const began = performance.now();
      const failed = await auth.visitor().auth.signInWithPassword({ email, password });
      const took = performance.now() - began;
      assert.equal(refusal(failed)[0], status);
      assert.ok(took >= milliseconds && took < milliseconds + 1_800, `took ${took} ms`);
      assert.equal((await sessionsOf(id)).length, 0);
    });
  }
});

Deno.test("a function may refuse a user before there is one", () =>
  withFunction(
    `if event -> 'user' ->> 'email' like 'no-%' then
      return '{"error": {"http_code": 422, "message": "Not you"}}';
    end if;
    return '{}';`,
    async (uri) => {
      await using auth = await startAuth({
        hooks: { before_user_created: { uri, secrets: undefined } },
      });
      const signUp = (email: string) => auth.visitor().auth.signUp({ email, password });
      assert.equal((await signUp(newEmail())).error, null);
      const { error } = await signUp(`no-${newEmail()}`);
      assert.deepEqual([error?.status, error?.message], [422, "Not you"]);
    },
  ));
