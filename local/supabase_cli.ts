/** The real Supabase CLI, as it comes from npm. */
export const cli = "supabase@3.1.0";

/** How to run the CLI on the project in `folder`. */
export function cliCommand(folder: string, args: string[], options: Deno.CommandOptions = {}) {
  return new Deno.Command("npx", {
    stdin: "null",
    ...options,
    // Without `--agent no` its answers may be wrapped for the program it believes it talks to.
    args: ["-y", cli, ...args, "--agent", "no", "--workdir", folder],
    env: { SUPABASE_TELEMETRY_DISABLED: "1", ...options.env },
  });
}
