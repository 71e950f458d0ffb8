import assert from "node:assert/strict";
import { en } from "shared/email/locales/en.ts";
import { slugs } from "../conventions/allowed.ts";
import { withDatabase } from "../support/database.ts";

/** Capabilities, and Supabase Auth, whose mails are ours to send. */
const owners = new Set([...slugs, "auth"]);

Deno.test("every kind that a capability declares has its wording, and every wording a kind", async () => {
  const kinds = await withDatabase((sql) =>
    sql<{ kind: string; template: string }[]>`
      select kind, template from private.notifications_kinds
      where kind not like 'notifications.test%'`
  );
  const written = new Set(Object.keys(en.templates));
  const declared = new Set(kinds.map(({ template }) => template));
  assert.deepEqual(kinds.filter(({ template }) => !written.has(template)), []);
  assert.deepEqual([...written.difference(declared)], [], "wording that nobody sends");
});

Deno.test("a kind belongs to its capability, and nobody is told of what nobody declared", async () => {
  await withDatabase(async (sql) => {
    const kinds = await sql<{ kind: string }[]>`select kind from private.notifications_kinds`;
    const stray = kinds.filter(({ kind }) => !owners.has(kind.split(".")[0]!));
    assert.deepEqual(stray, []);
    await assert.rejects(
      () => sql`select private.notify(gen_random_uuid(), 'notifications.nonsense')`,
      /nobody declared a notification of kind notifications\.nonsense/,
    );
  });
});

Deno.test("every step of a delivery leads somewhere, but for those that end it", async () => {
  const steps = await withDatabase((sql) =>
    sql<{ from_state: string; to_state: string }[]>`
      select from_state, to_state from private.transitions
      where machine = 'notifications_deliveries'`
  );
  const final = ["bounced", "complained", "digested", "skipped"];
  const begins = ["waiting", "held", "digest", "sent"];
  const states = new Set(steps.flatMap(({ from_state, to_state }) => [from_state, to_state]));
  for (const state of states) {
    const left = steps.some(({ from_state }) => from_state === state);
    assert.equal(left, !final.includes(state), `${state} is left`);
    const reached = steps.some(({ to_state }) => to_state === state);
    assert.ok(reached || begins.includes(state), `${state} is reached`);
  }
});
