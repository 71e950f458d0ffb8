const encoder = new TextEncoder();

/** Tells the person who ran the command, on standard output. */
export function say(text: string): void {
  Deno.stdout.writeSync(encoder.encode(`${text}\n`));
}

/** Tells them what went wrong, on standard error. */
export function warn(text: string): void {
  Deno.stderr.writeSync(encoder.encode(`${text}\n`));
}
