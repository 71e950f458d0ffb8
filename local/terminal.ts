const encoder = new TextEncoder();

/** Tells the person who ran the command, on standard output. */
export function say(text: string): void {
  print(encoder.encode(`${text}\n`));
}

/** Tells them what went wrong, on standard error. */
export function warn(text: string): void {
  print(encoder.encode(`${text}\n`), Deno.stderr);
}

/** Writes all of `bytes`: one write may take only a part of them. */
export function print(
  bytes: Uint8Array,
  to: typeof Deno.stdout | typeof Deno.stderr = Deno.stdout,
): void {
  for (let rest = bytes; rest.length > 0;) rest = rest.subarray(to.writeSync(rest));
}

/** What runs a task for whoever ran this one: with nothing but Node installed, there is no `deno`. */
export function taskRunner(env: Record<string, string> = Deno.env.toObject()): string {
  return env.npm_command === "exec" ? `npx -y deno@${Deno.version.deno} task` : "deno task";
}
