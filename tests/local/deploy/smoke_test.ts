import assert from "node:assert/strict";
import { root } from "../../../local/settings.ts";
import { getStack } from "../../support/stack.ts";
import { isCliAvailable } from "../../support/supabase_cli.ts";
import { FakeApi, ref } from "./fake_api.ts";

async function smoke(env: Record<string, string>, ...paths: string[]) {
  const { code, stdout, stderr } = await new Deno.Command(Deno.execPath(), {
    args: ["run", "-A", "--quiet", "tests/smoke.ts", ...paths],
    cwd: root,
    env: { NO_COLOR: "1", ...env },
  }).output();
  const text = (bytes: Uint8Array) => new TextDecoder().decode(bytes);
  return { code, said: text(stdout) + text(stderr) };
}

Deno.test("the smoke test names what is missing in the environment", async () => {
  const { code, said } = await smoke({ SUPABASE_ACCESS_TOKEN: "", SUPABASE_PROJECT_REF: "" });
  assert.equal(code, 1);
  assert.match(said, /SUPABASE_ACCESS_TOKEN, SUPABASE_PROJECT_REF/);
});

const available = await isCliAvailable();

Deno.test({
  name: `the smoke test finds the keys and runs against the project${
    available ? "" : " (ignored: npx cannot get the Supabase CLI)"
  }`,
  ignore: !available,
  async fn() {
    const { url, databaseUrl, publishableKey, secretKey } = getStack();
    await using api = new FakeApi(databaseUrl);
    Object.assign(api.keys, { publishable: publishableKey, secret: secretKey });
    const profile = await Deno.makeTempFile({ suffix: ".yaml" });
    try {
      await Deno.writeTextFile(profile, api.profile);
      const { code, said } = await smoke(
        {
          SUPABASE_ACCESS_TOKEN: `sbp_${"0".repeat(40)}`,
          SUPABASE_PROJECT_REF: ref,
          SUPABASE_PROFILE: profile,
          SUPABASE_URL: url,
          SUPABASE_DB_URL: databaseUrl,
          SUPABASE_PUBLISHABLE_KEY: "",
          SUPABASE_SECRET_KEY: "",
        },
        "tests/conventions/schema_test.ts",
        "tests/wallet/live_test.ts",
      );
      assert.equal(code, 0, said);
      assert.match(said, /^[1-9]\d* passed, 0 failed$/m);
    } finally {
      await Deno.remove(profile);
    }
  },
});
