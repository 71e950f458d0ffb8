import assert from "node:assert/strict";
import { twoFactorHandlers } from "../../functions/worker/handlers/two_factor.ts";
import { assertProblem, tokenOf } from "../support/api.ts";
import type { Person } from "../support/clients.ts";
import { withDatabase } from "../support/database.ts";
import { createTestServices } from "../support/services.ts";
import { getStack } from "../support/stack.ts";
import { codeOf, createEnrolled, forgetSteps, newKey, read, startFunction } from "./support.ts";

const keyOf = async ({ id }: Person) => {
  const [row] = await withDatabase((sql) =>
    sql`select split_part(secret, '.', 2) as key from private.two_factor_enrolments
      where person_id = ${id}`
  );
  return row!.key as string;
};

/** Names of keys that no other test has. */
const newName = (name: string) => `${name}_${crypto.randomUUID().slice(0, 8)}`;

Deno.test("A10: a new key in front encrypts, the one behind it still opens, and then may go", async () => {
  const [oldName, name] = [newName("old"), newName("new")];
  const [oldKey, key] = [newKey(oldName), newKey(name)];
  const person = await createEnrolled(startFunction({ TWO_FACTOR_KEYS: oldKey }));
  const token = await tokenOf(person);
  assert.equal(await keyOf(person), oldName);

  const verifyWith = async (keys: string) => {
    await forgetSteps(person);
    return await startFunction({ TWO_FACTOR_KEYS: keys })("/verify", token, {
      code: codeOf(person.secret),
    });
  };
  await assertProblem(await verifyWith(key), 503, "unavailable");
  await read(verifyWith(`${key},${oldKey}`));
  assert.equal(await keyOf(person), name);
  await read(verifyWith(key));
  await assertProblem(await verifyWith(oldKey), 503, "unavailable");
});

Deno.test("A10: the worker brings every secret under the present key, and touches none it cannot open", async () => {
  const [oldName, name, goneName] = [newName("old"), newName("new"), newName("gone")];
  const [oldKey, key] = [newKey(oldName), newKey(name)];
  const person = await createEnrolled(startFunction({ TWO_FACTOR_KEYS: oldKey }));
  const lost = await createEnrolled(startFunction({ TWO_FACTOR_KEYS: newKey(goneName) }));
  const movedName = newName("moved");
  const damaged = await createEnrolled(startFunction({ TWO_FACTOR_KEYS: newKey(goneName) }));
  const { url, publishableKey, secretKey } = getStack();
  const { services, lines } = createTestServices({
    SUPABASE_URL: url,
    SUPABASE_PUBLISHABLE_KEYS: JSON.stringify({ default: publishableKey }),
    SUPABASE_SECRET_KEYS: JSON.stringify({ default: secretKey }),
    TWO_FACTOR_KEYS: `${key},${oldKey},${newKey(movedName)}`,
  });
  // Under an old key by its name, and not to be opened.
  await withDatabase((sql) =>
    sql`update private.two_factor_enrolments set secret = replace(secret, ${goneName}, ${movedName})
      where person_id = ${damaged.id}`
  );
  const job = {
    id: crypto.randomUUID(),
    tenant_id: crypto.randomUUID(),
    kind: "two_factor.rotate",
    aggregate: null,
    payload: {},
    attempts: 1,
  };
  for (let times = 0; times < 2; times++) {
    await twoFactorHandlers["two_factor.rotate"]!(job, services, new AbortController().signal);
  }
  const keys = await Promise.all([person, lost, damaged].map(keyOf));
  assert.deepEqual(keys, [name, goneName, movedName]);
  assert.deepEqual(lines.map(({ level }) => level), ["error", "error"]);
  await forgetSteps(person);
  const after = startFunction({ TWO_FACTOR_KEYS: key });
  await read(after("/verify", await tokenOf(person), { code: codeOf(person.secret) }));
});
