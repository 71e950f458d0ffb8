import { join } from "../../local/paths.ts";
import { root } from "../../local/settings.ts";
import { cliCommand } from "../../local/supabase_cli.ts";

export interface CliOutput {
  code: number;
  stdout: string;
  stderr: string;
}

/** Runs the CLI on the project in `folder`. */
export async function supabase(
  folder: string,
  args: string[],
  env: Record<string, string> = {},
): Promise<CliOutput> {
  const { code, stdout, stderr } = await cliCommand(folder, args, { env }).output();
  const text = (bytes: Uint8Array) => new TextDecoder().decode(bytes);
  return { code, stdout: text(stdout), stderr: text(stderr) };
}

/** The CLI comes from npm: without npx, or offline with an empty cache, there is nothing to run. */
export async function isCliAvailable(): Promise<boolean> {
  try {
    return (await supabase(root, ["--version"])).code === 0;
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return false;
    throw error;
  }
}

/** A project folder for the Supabase CLI. */
export interface Project extends AsyncDisposable {
  folder: string;
}

/** A project folder as ours, but for the port of its database: the CLI reads it from there. */
export async function makeProject(port: number): Promise<Project> {
  const folder = await Deno.makeTempDir({ prefix: "nexus-project-" });
  const project = join(folder, "supabase");
  await Deno.mkdir(project);
  const config = await Deno.readTextFile(join(root, "supabase", "config.toml"));
  await Deno.writeTextFile(
    join(project, "config.toml"),
    config.replace("port = 54322", `port = ${port}`),
  );
  await Deno.copyFile(join(root, "supabase", "seed.sql"), join(project, "seed.sql"));
  await Deno.symlink(join(root, "migrations"), join(project, "migrations"));
  return { folder, [Symbol.asyncDispose]: () => Deno.remove(folder, { recursive: true }) };
}
