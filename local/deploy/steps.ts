import { StackError } from "../part.ts";
import { join } from "../paths.ts";
import { root } from "../settings.ts";
import { cliCommand } from "../supabase_cli.ts";
import type { Target } from "./target.ts";

/** Runs the CLI on `folder` and shows what it says; throws when it fails. */
async function run(folder: string, ...args: string[]): Promise<void> {
  const options = { stdout: "inherit", stderr: "inherit" } as const;
  const { success } = await cliCommand(folder, [...args, "--yes"], options).output();
  if (!success) throw new StackError(`supabase ${args.slice(0, 2).join(" ")} failed.`);
}

/** Runs a file of SQL on the project and returns its rows; the SQL may carry secrets. */
async function query<T>({ ref }: Target, folder: string, sql: string): Promise<T[]> {
  const file = join(folder, "query.sql");
  await Deno.writeTextFile(file, sql, { mode: 0o600 });
  const { success, stdout, stderr } = await cliCommand(root, [
    ...["db", "query", "--file", file, `--remote=${ref}`, "--output-format", "json", "--yes"],
  ]).output();
  const text = (bytes: Uint8Array) => new TextDecoder().decode(bytes);
  if (!success) throw new StackError(`supabase db query failed:\n${text(stderr)}`);
  return JSON.parse(text(stdout));
}

/** Where the Auth server of `supabase start` finds the functions that it calls. */
const localFunctions = /http:\/\/host\.docker\.internal:\d+\/functions\/v1/g;

/** `config.toml` with the addresses of the deployed app in place of this machine's. */
export async function pushConfig(
  { ref, siteUrl, functionsUrl, providers }: Target,
  folder: string,
): Promise<void> {
  const config = (await Deno.readTextFile(join(root, "supabase", "config.toml")))
    .replace(localFunctions, functionsUrl);
  await Deno.mkdir(join(folder, "supabase"));
  await Deno.writeTextFile(
    join(folder, "supabase", "config.toml"),
    `${config}
[remotes.deployed]
project_id = "${ref}"

[remotes.deployed.auth]
site_url = ${JSON.stringify(siteUrl)}
additional_redirect_urls = [${JSON.stringify(`${siteUrl}/**`)}]

[remotes.deployed.auth.hook.send_email]
secrets = "env(SEND_EMAIL_HOOK_SECRET)"
${
      providers.map((name) => `\n[remotes.deployed.auth.external.${name}]\nenabled = true\n`).join(
        "",
      )
    }`,
  );
  await run(folder, "config", "push", `--remote=${ref}`);
}

export async function pushMigrations({ database }: Target): Promise<void> {
  await run(root, "db", "push", `--remote=${database}`);
}

/**
 * What the database needs to call the worker, and the worker to know the database by: the same
 * secret in the vault and in the functions' environment. One that is there already stays.
 */
export async function setSecrets(target: Target, folder: string): Promise<void> {
  const [row] = await query<{ secret: string | null }>(
    target,
    folder,
    `select max(decrypted_secret) as secret from vault.decrypted_secrets where name = 'worker_secret'`,
  );
  const secret = target.workerSecret ?? row?.secret ??
    crypto.getRandomValues(new Uint8Array(32)).toHex();
  const file = join(folder, "secrets.env");
  const lines = Object.entries({ ...target.secrets, WORKER_SECRET: secret })
    .map(([name, value]) => `${name}=${inQuotes(name, value)}\n`);
  await Deno.writeTextFile(file, lines.join(""), { mode: 0o600 });
  await run(root, "secrets", "set", `--env-file=${file}`, `--remote=${target.ref}`);
  const entries = { functions_url: target.functionsUrl, worker_secret: secret };
  await query(target, folder, Object.entries(entries).map(keepInVault).join("\n"));
}

/** The file's form knows three quotes and no way to write one within itself. */
function inQuotes(name: string, value: string): string {
  const quote = ["'", '"', "`"].find((candidate) => !value.includes(candidate));
  if (!quote) throw new StackError(`${name} has all three kinds of quotes: leave one out.`);
  return `${quote}${value}${quote}`;
}

function keepInVault([name, value]: [string, string]): string {
  return `
    select vault.update_secret(id, ${quote(value)}) from vault.secrets where name = ${quote(name)};
    select vault.create_secret(${quote(value)}, ${quote(name)})
    where not exists (select from vault.secrets where name = ${quote(name)});`;
}

const quote = (text: string): string => `'${text.replaceAll("'", "''")}'`;

export async function deployFunctions({ ref }: Target): Promise<void> {
  await run(root, "functions", "deploy", "--use-api", `--remote=${ref}`);
}
