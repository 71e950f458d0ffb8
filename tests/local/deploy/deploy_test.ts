import assert from "node:assert/strict";
import { join } from "../../../local/paths.ts";
import { readProjectConfig, root } from "../../../local/settings.ts";
import { deadEnvironment } from "../../support/services.ts";
import { isCliAvailable } from "../../support/supabase_cli.ts";
import { makePlace, query } from "../postgres/support.ts";
import { FakeApi, ref } from "./fake_api.ts";
import { startAndAsk, typeCheck, unpack } from "./upload.ts";

async function deploy(env: Record<string, string>) {
  const { code, stdout, stderr } = await new Deno.Command(Deno.execPath(), {
    args: ["run", "-A", "--quiet", "local/deploy.ts"],
    cwd: root,
    // Empty ones stand for what the stack under test has set.
    env: { NO_COLOR: "1", SUPABASE_URL: "", SUPABASE_DB_URL: "", ...env },
  }).output();
  const text = (bytes: Uint8Array) => new TextDecoder().decode(bytes);
  return { code, said: text(stdout) + text(stderr) };
}

const complete = {
  SUPABASE_ACCESS_TOKEN: `sbp_${"0".repeat(40)}`,
  SUPABASE_PROJECT_REF: ref,
  SUPABASE_DB_PASSWORD: "secret",
  NEXUS_SITE_URL: "https://app.example",
  SEND_EMAIL_HOOK_SECRET: `v1,whsec_${btoa("known to Auth and to webhooks alone")}`,
};

Deno.test("a deployment lists everything that is missing, at once, and does nothing", async () => {
  const names = Object.keys(complete);
  const { code, said } = await deploy(Object.fromEntries(names.map((name) => [name, ""])));
  assert.equal(code, 1);
  for (const name of names) assert.match(said, new RegExp(`^  ${name}: `, "m"));
});

Deno.test("a deployment refuses what is no project and no address", async () => {
  const refused = async (change: Record<string, string>) =>
    (await deploy({ ...complete, ...change })).said;
  assert.match(await refused({ SUPABASE_PROJECT_REF: "nexus" }), /twenty small letters/);
  assert.match(await refused({ NEXUS_SITE_URL: "app.example" }), /is no URL/);
  assert.match(await refused({ NEXUS_BODY_LIMIT: "much" }), /NEXUS_BODY_LIMIT/);
  assert.match(await refused({ GOOGLE_CLIENT_ID: "x" }), /GOOGLE_CLIENT_SECRET: the other half/);
});

const available = await isCliAvailable();

Deno.test({
  name: `deploying to a project${available ? "" : " (ignored: npx cannot get the Supabase CLI)"}`,
  ignore: !available,
  async fn(t) {
    await using place = await makePlace();
    const database = await place.start();
    await using stopping = new AsyncDisposableStack();
    stopping.defer(() => database.stop());
    const url = database.url("postgres");
    await using api = new FakeApi(url);
    const folder = await Deno.makeTempDir({ prefix: "nexus-deploy-test-" });
    stopping.defer(() => Deno.remove(folder, { recursive: true }));
    const profile = join(folder, "profile.yaml");
    await Deno.writeTextFile(profile, api.profile);
    const env = {
      ...complete,
      SUPABASE_DB_PASSWORD: "",
      SUPABASE_DB_URL: url,
      SUPABASE_PROFILE: profile,
      NEXUS_CORS_ORIGINS: "https://app.example",
      GITHUB_CLIENT_ID: "Iv1.of-nobody",
      GITHUB_CLIENT_SECRET: "github-secret-of-nobody",
      EMAIL_FROM: "Ana's $hop \\o/ <mail@app.example>",
    };
    const vault = () =>
      query(url, async (sql) => {
        const rows = await sql<{ name: string; value: string }[]>`
          select name, decrypted_secret as value from vault.decrypted_secrets
          where name in ('functions_url', 'worker_secret')`;
        return new Map(rows.map(({ name, value }) => [name, value]));
      });

    await t.step("every step succeeds", async () => {
      const { code, said } = await deploy(env);
      assert.equal(code, 0, said);
    });

    await t.step("people's mails lead to the app, and the password rule is ours", () => {
      assert.equal(api.auth.site_url, "https://app.example");
      assert.equal(api.auth.uri_allow_list, "https://app.example/**");
      assert.equal(api.auth.password_min_length, 8);
      assert.equal(
        api.auth.hook_send_email_uri,
        `https://${ref}.supabase.co/functions/v1/webhooks/auth/send-email`,
      );
      assert.equal(api.auth.hook_send_email_secrets, complete.SEND_EMAIL_HOOK_SECRET);
    });

    await t.step("providers are on whose keys are given", () => {
      assert.deepEqual(
        [api.auth.external_github_enabled, api.auth.external_github_client_id],
        [true, env.GITHUB_CLIENT_ID],
      );
      assert.ok(!api.auth.external_google_enabled);
    });

    await t.step("every migration is applied", async () => {
      const files = Array.from(Deno.readDirSync(join(root, "migrations")));
      const [row] = await query(
        url,
        (sql) => sql`select count(*)::int as applied from supabase_migrations.schema_migrations`,
      );
      assert.equal(row?.applied, files.length);
    });

    await t.step("the database and the worker know the same secret and the address", async () => {
      const entries = await vault();
      assert.equal(entries.get("functions_url"), `https://${ref}.supabase.co/functions/v1`);
      assert.match(entries.get("worker_secret") ?? "", /^[0-9a-f]{64}$/);
      assert.deepEqual(Object.fromEntries(api.secrets), {
        NEXUS_CORS_ORIGINS: "https://app.example",
        EMAIL_FROM: env.EMAIL_FROM,
        NEXUS_SITE_URL: complete.NEXUS_SITE_URL,
        SEND_EMAIL_HOOK_SECRET: complete.SEND_EMAIL_HOOK_SECRET,
        WORKER_SECRET: entries.get("worker_secret"),
      });
    });

    for (const { name, verifyJwt } of readProjectConfig(root, {}).functions) {
      await t.step(`the upload of ${name} type-checks and starts by itself`, async () => {
        const upload = api.uploads.get(name);
        assert.ok(upload);
        assert.equal(upload.metadata.verify_jwt, verifyJwt);
        const place = join(folder, name);
        await unpack(place, upload);
        await typeCheck(place, upload);
        const response = await startAndAsk(place, upload, `/${name}/nothing-here`, {
          ...deadEnvironment,
          ...Object.fromEntries(api.secrets),
        });
        assert.equal((await response.json()).code, "request.not_found");
      });
    }

    await t.step("deploying again keeps the worker's secret", async () => {
      const before = (await vault()).get("worker_secret");
      const { code, said } = await deploy(env);
      assert.equal(code, 0, said);
      assert.equal((await vault()).get("worker_secret"), before);
      assert.equal(api.secrets.get("WORKER_SECRET"), before);
    });

    await t.step("what the CLI fails at ends the deployment", async () => {
      const wrong = { ...env, SUPABASE_ACCESS_TOKEN: `sbx_${"0".repeat(40)}` };
      const { code, said } = await deploy(wrong);
      assert.equal(code, 1);
      assert.match(said, /supabase config push failed/);
      assert.doesNotMatch(said, /^Migrations/m);
    });
  },
});
