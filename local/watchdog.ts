// The shell waits for the end of its input, which comes when this process is gone however it went.
const script = `trap '' HUP INT TERM
while read -r _; do :; done
kill -s "$2" "$1" 2>/dev/null || exit 0
for _ in 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16 17 18 19 20; do
  sleep 0.1
  kill -0 "$1" 2>/dev/null || exit 0
done
kill -s "$3" "$1"`;

/** Ends `pid` when this process disappears; `dismiss` it once `pid` has ended by itself. */
export function watch(
  pid: number,
  { stopSignal, killSignal }: { stopSignal: Deno.Signal; killSignal: Deno.Signal },
): { dismiss(): Promise<void> } {
  const signals = [stopSignal, killSignal].map((name) => name.replace("SIG", ""));
  const shell = new Deno.Command("sh", {
    args: ["-c", script, "nexus-watchdog", String(pid), ...signals],
    stdin: "piped",
    stdout: "null",
    stderr: "null",
  }).spawn();
  return {
    async dismiss() {
      signal(shell, "SIGKILL");
      await shell.status;
      await shell.stdin.abort().catch(() => {});
    },
  };
}

/** Signals a child that may have ended meanwhile. */
export function signal(child: Deno.ChildProcess, name: Deno.Signal): void {
  try {
    child.kill(name);
  } catch {
    // It ended between our decision and the signal.
  }
}
