import assert from "node:assert/strict";
import { must } from "../support/answers.ts";
import { assertProblem, callApi, tokenOf } from "../support/api.ts";
import { createPerson, signIn } from "../support/clients.ts";
import {
  codeOf,
  createEnrolled,
  enrol,
  overStack,
  read as readFactor,
} from "../two_factor/support.ts";
import { Authenticator } from "./authenticator.ts";
import {
  type AddedPasskey,
  addPasskey,
  answerTo,
  createApp,
  createHolder,
  optionsOf,
  read,
  stepUp,
} from "./support.ts";

const app = await createApp();

const useCode = (token: string, code: string | undefined) =>
  overStack("/backup-code", token, { code });
const remove = (id: string, token: string) =>
  callApi(`/v1/passkeys/${id}`, { method: "DELETE", token });
const statusOf = (token: string) =>
  readFactor<{ factors: string[]; backup_codes_left: number; enabled: boolean }>(
    overStack("/status", token),
  );

Deno.test("A11: whoever loses their only passkey gets in by a backup code that came with it", async () => {
  const holder = await createHolder(app);
  const codes = holder.passkey.backup_codes;
  assert.equal(new Set(codes).size, 10);
  const client = await signIn(holder.email);
  const token = await tokenOf({ client });
  const { factors, enabled, backup_codes_left } = await statusOf(token);
  assert.deepEqual([factors, enabled, backup_codes_left], [["passkey"], false, 10]);

  await readFactor(useCode(token, codes[0]));
  await must(client.rpc("passkeys_list"));
  await read(remove(holder.passkey.id, token));
  await assertProblem(await useCode(token, codes[1]), 409, "two_factor.not_enabled");
});

Deno.test("A11: codes are made once, and anew where they are wanted", async () => {
  const holder = await createHolder(app);
  const { passkey } = await addPasskey(app, holder);
  assert.deepEqual(passkey.backup_codes, []);
  const token = await tokenOf(holder);
  const { backup_codes } = await readFactor<{ backup_codes: string[] }>(
    overStack("/backup-codes/regenerate", token),
  );
  await assertProblem(
    await useCode(token, holder.passkey.backup_codes[0]),
    422,
    "two_factor.code_refused",
  );
  await readFactor(useCode(token, backup_codes[0]));
});

Deno.test("A11: of two first passkeys at the same moment, one brings codes that are good", async () => {
  const person = await createPerson();
  const token = await tokenOf(person);
  const options = await Promise.all([1, 2].map(() => optionsOf("register", app, token)));
  const added = await Promise.all(options.map((one) => {
    const credential = new Authenticator(app.origin).create(one);
    return read<AddedPasskey>(answerTo("register", { credential }, token));
  }));
  const codes = added.flatMap(({ backup_codes }) => backup_codes);
  assert.equal(codes.length, 10);
  await readFactor(useCode(token, codes[3]));
});

Deno.test("backup codes stay for as long as there is a factor of any kind", async () => {
  const person = await createEnrolled();
  const { passkey, authenticator } = await addPasskey(app, person);
  assert.deepEqual(passkey.backup_codes, []);
  const token = await tokenOf(person);
  assert.deepEqual((await statusOf(token)).factors, ["passkey", "totp"]);
  await readFactor(overStack("/disable", token, {}));
  await read(stepUp(app, authenticator, token));
  assert.deepEqual(
    await statusOf(token).then(({ factors, backup_codes_left }) => [
      factors,
      backup_codes_left,
    ]),
    [["passkey"], 10],
  );
  await readFactor(useCode(token, person.backupCodes[0]));
});

Deno.test("an app that is set up beside a passkey brings codes in place of the earlier ones", async () => {
  const holder = await createHolder(app);
  const enrolled = await enrol(holder);
  assert.equal(enrolled.backupCodes.length, 10);
  const client = await signIn(holder.email);
  const token = await tokenOf({ client });
  await assertProblem(
    await useCode(token, holder.passkey.backup_codes[0]),
    422,
    "two_factor.code_refused",
  );
  await readFactor(useCode(token, enrolled.backupCodes[0]));
  await read(remove(holder.passkey.id, token));
  await readFactor(overStack("/verify", token, { code: codeOf(enrolled.secret) }));
});
