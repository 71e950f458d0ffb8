import assert from "node:assert/strict";
import { must } from "../support/answers.ts";
import { assertProblem, tokenOf } from "../support/api.ts";
import { createPerson } from "../support/clients.ts";
import { findChromium, openChromium } from "../support/chromium.ts";
import { create, get, openPage, servePages } from "./browser.ts";
import { answerTo, clientOf, createApp, optionsOf, type Passkey, read } from "./support.ts";

const executable = findChromium();
const what = "Chromium with its virtual authenticator";

Deno.test({
  name: executable ? `${what} registers, signs in, and is refused what it must be` : (
    `${what}: skipped, none is installed (Debian: apt-get install chromium)`
  ),
  ignore: !executable,
}, async (t) => {
  await using pages = servePages();
  await using strange = servePages();
  await using browser = await openChromium(executable!);
  const origin = `http://localhost:${pages.addr.port}`;
  const app = await createApp({ origin });
  const { page, device } = await openPage(browser, origin);
  const person = await createPerson();
  const token = await tokenOf(person);
  const login = (credential: unknown) => answerTo("login", { credential });

  await t.step("register: a discoverable credential for the app's domain", async () => {
    const credential = await create(page, await optionsOf("register", app, token));
    const passkey = await read<Passkey>(
      answerTo("register", { name: "Laptop", credential }, token),
    );
    assert.equal(passkey.rp_id, "localhost");
    const [kept] = await device.credentials();
    assert.deepEqual([kept!.isResidentCredential, kept!.rpId], [true, "localhost"]);
  });

  await t.step("register: the browser knows what is there already", async () => {
    await assert.rejects(
      create(page, await optionsOf("register", app, token)),
      /InvalidStateError/,
    );
  });

  await t.step("log in: without saying who one is", async () => {
    const client = await clientOf(await login(await get(page, await optionsOf("login", app))));
    const me = await must<{ id: string; two_factor_required: boolean }>(client.rpc("people_me"));
    assert.deepEqual([me.id, me.two_factor_required], [person.id, false]);
  });

  await t.step("give it as a second factor", async () => {
    const credential = await get(page, await optionsOf("step-up", app, token));
    await read(answerTo("step-up", { credential }, token));
  });

  await t.step("A15: the same answer again is refused", async () => {
    const credential = await get(page, await optionsOf("login", app));
    await read(login(credential));
    await assertProblem(await login(credential), 422, "passkeys.refused");
  });

  await t.step("A15: another origin of the same domain is refused", async () => {
    await page.goto(`http://localhost:${strange.addr.port}`);
    const credential = await get(page, await optionsOf("login", app));
    await page.goto(origin);
    await assertProblem(await login(credential), 422, "passkeys.refused");
  });

  await t.step("A15: at another domain the browser does not even offer it", async () => {
    await page.goto(`http://127.0.0.1:${strange.addr.port}`);
    const options = await optionsOf("login", app);
    await assert.rejects(get(page, options), /SecurityError/);
    await page.goto(origin);
  });

  await t.step("A15: a user who was not verified is refused", async () => {
    const options = await optionsOf("login", app);
    await device.setVerified(false);
    await assert.rejects(get(page, options), /NotAllowedError/);
    const credential = await get(page, { ...options, userVerification: "discouraged" });
    await device.setVerified(true);
    await assertProblem(await login(credential), 422, "passkeys.refused");
  });

  await t.step("A15: a copy of the authenticator from before is refused", async () => {
    const [{ signCount } = { signCount: 0 }] = await device.credentials();
    assert.ok(signCount > 2);
    await device.rollBack(1);
    const credential = await get(page, await optionsOf("login", app));
    await assertProblem(await login(credential), 422, "passkeys.refused");
    await device.rollBack(signCount);
    await read(login(await get(page, await optionsOf("login", app))));
  });
});
