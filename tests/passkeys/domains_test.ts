import assert from "node:assert/strict";
import { assertRefused } from "../support/answers.ts";
import { assertProblem, tokenOf } from "../support/api.ts";
import { createPerson } from "../support/clients.ts";
import { createMember } from "../support/tenants.ts";
import { Authenticator } from "./authenticator.ts";
import { answerTo, createApp, createHolder, login, optionsOf, read } from "./support.ts";

const domain = `${crypto.randomUUID()}.example.org`;
const key = `android:apk-key-hash:${"A".repeat(43)}`;

Deno.test("a tenant with several pages names the domain above them, and all of them", async () => {
  const app = await createApp({
    origin: `https://app.${domain}`,
    settings: {
      passkeys: {
        rp_id: domain,
        origins: [`https://www.${domain}`, `https://${domain}:8443`, key],
      },
    },
  });
  const token = await tokenOf(await createPerson());
  const register = async (origin: string) => {
    const options = await optionsOf("register", app, token);
    assert.equal(options.rp.id, domain);
    const credential = new Authenticator(origin).create(options);
    return await answerTo("register", { credential }, token);
  };
  for (const origin of [`https://www.${domain}`, `https://${domain}:8443`, key, app.origin]) {
    await read(register(origin));
  }
  for (const origin of [`https://${domain}`, `http://app.${domain}`, `https://x.${domain}`]) {
    await assertProblem(await register(origin), 422, "passkeys.refused");
  }
});

Deno.test("an address is taken as browsers write it", async () => {
  const app = await createApp({ origin: `https://APP.${domain}:443` });
  const { rp } = await optionsOf("register", app, await tokenOf(await createPerson()));
  assert.equal(rp.id, `app.${domain}`);
  await createHolder({ ...app, origin: `https://app.${domain}` });
});

Deno.test("nobody names a domain that is not theirs, or an origin beyond it", async (t) => {
  const app = await createApp({ origin: `https://app.${domain}` });
  const owner = await createMember(app, "owner");
  const wrong: Record<string, unknown> = {
    "a list": [],
    "another domain": { rp_id: "example.com" },
    "one that only ends alike": { rp_id: domain.slice(1) },
    "one beneath": { rp_id: `x.app.${domain}` },
    "a top level": { rp_id: "org" },
    "no text": { rp_id: 1 },
    "no list": { origins: "https://example.org" },
    "an origin elsewhere": { origins: ["https://evil.example"] },
    "an origin that only ends alike": { origins: [`https://evil${domain}`] },
    "plain http": { origins: [`http://app.${domain}`] },
    "a path": { origins: [`https://app.${domain}/x`] },
    "a number": { origins: [1] },
    "an unknown word": { rp_name: "x" },
  };
  for (const [name, passkeys] of Object.entries(wrong)) {
    await t.step(name, () =>
      assertRefused(
        owner.client.from("tenants").update({ settings: { passkeys } }).eq("id", app.id).select(),
        422,
        "request.invalid",
      ));
  }
  await t.step("the app moving away from it", async () => {
    const change = (changes: Record<string, unknown>) =>
      owner.client.from("tenants").update(changes).eq("id", app.id).select();
    assert.equal((await change({ settings: { passkeys: { rp_id: domain } } })).error, null);
    await assertRefused(change({ app_url: "https://example.com" }), 422, "request.invalid");
  });
});

Deno.test("a passkey of one domain opens nothing at another, and stays when the app moves", async () => {
  const [one, two] = await Promise.all([createApp(), createApp()]);
  const { authenticator } = await createHolder(one);
  await assertProblem(
    await login(two, authenticator, { origin: two.origin }),
    422,
    "passkeys.refused",
  );
  const owner = await createMember(one, "owner");
  const { error } = await owner.client.from("tenants").update({ app_url: two.origin })
    .eq("id", one.id).select();
  assert.equal(error, null);
  await assertProblem(await login(one, authenticator), 422, "passkeys.refused");
});
