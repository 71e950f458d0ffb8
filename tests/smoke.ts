import { StackError } from "../local/part.ts";
import { root } from "../local/settings.ts";
import { cliCommand } from "../local/supabase_cli.ts";
import { warn } from "../local/terminal.ts";

/**
 * What shows within a minute that a deployment serves: its schema, its health, a transfer and the
 * news of it. All of it signs fewer people in than hosted lets one address sign in.
 */
const smoke = [
  "tests/conventions/schema_test.ts",
  "tests/conventions/functions_test.ts",
  "tests/conventions/policies_test.ts",
  "tests/api/health_test.ts",
  "tests/wallet/transfer_test.ts",
  "tests/wallet/live_test.ts",
];

const required = ["SUPABASE_ACCESS_TOKEN", "SUPABASE_PROJECT_REF", "SUPABASE_DB_URL"];

interface Key {
  name: string;
  type: "publishable" | "secret" | "legacy";
  api_key: string;
}

/**
 * `deno task smoke [path …]`: runs tests against the deployed project of SUPABASE_PROJECT_REF. They
 * make tenants and people of their own there.
 */
async function main(paths: string[]): Promise<number> {
  const missing = required.filter((name) => !Deno.env.get(name));
  if (missing.length > 0) throw new StackError(`Set in the environment: ${missing.join(", ")}.`);
  const ref = Deno.env.get("SUPABASE_PROJECT_REF")!;
  const keys = await readKeys(ref);
  const { code } = await new Deno.Command(Deno.execPath(), {
    args: ["run", "-A", "--quiet", "tests/run.ts", ...(paths.length > 0 ? paths : smoke)],
    cwd: root,
    env: {
      SUPABASE_URL: Deno.env.get("SUPABASE_URL") ?? `https://${ref}.supabase.co`,
      SUPABASE_PUBLISHABLE_KEY: keyOf(keys, "publishable"),
      SUPABASE_SECRET_KEY: keyOf(keys, "secret"),
    },
  }).spawn().status;
  return code;
}

async function readKeys(ref: string): Promise<Key[]> {
  const { success, stdout, stderr } = await cliCommand(root, [
    ...["projects", "api-keys", "--reveal", `--remote=${ref}`, "--output-format", "json"],
  ]).output();
  const text = (bytes: Uint8Array) => new TextDecoder().decode(bytes);
  if (!success) throw new StackError(`The project's keys cannot be read:\n${text(stderr)}`);
  return JSON.parse(text(stdout)).keys;
}

function keyOf(keys: Key[], type: Key["type"]): string {
  const key = keys.find((candidate) => candidate.type === type);
  if (!key) throw new StackError(`The project has no ${type} key: make one in its settings.`);
  return key.api_key;
}

try {
  Deno.exit(await main(Deno.args));
} catch (error) {
  warn(error instanceof StackError ? error.message : String((error as Error).stack ?? error));
  Deno.exit(1);
}
