import { type Browser, chromium } from "playwright-core";
import { until } from "./wait.ts";

const names = ["chromium", "chromium-browser", "google-chrome", "google-chrome-stable"];

/** Where this machine has Chromium (Debian: `apt-get install chromium`); undefined where it has none. */
export function findChromium(): string | undefined {
  const folders = (Deno.env.get("PATH") ?? "").split(":");
  return folders.flatMap((folder) => names.map((name) => `${folder}/${name}`)).find((path) => {
    try {
      return Deno.statSync(path).isFile;
    } catch {
      return false;
    }
  });
}

/** A Chromium of the test's own, spoken to by DevTools. */
export async function openChromium(executable: string): Promise<Browser & AsyncDisposable> {
  const profile = await Deno.makeTempDir({ prefix: "nexus-chromium-" });
  const child = new Deno.Command(executable, {
    args: [
      ...["--headless=new", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage"],
      ...["--no-first-run", "--remote-debugging-port=0", `--user-data-dir=${profile}`],
      "about:blank",
    ],
    stdout: "null",
    stderr: "null",
  }).spawn();
  // Chromium writes there which port it took.
  const port = await until(
    async () => (await Deno.readTextFile(`${profile}/DevToolsActivePort`)).split("\n")[0],
    { timeout: 30_000, every: 100, message: "Chromium's DevTools port" },
  );
  const browser = await chromium.connectOverCDP(`http://127.0.0.1:${port}`);
  return Object.assign(browser, {
    async [Symbol.asyncDispose]() {
      await browser.close();
      child.kill("SIGTERM");
      await child.status;
      await Deno.remove(profile, { recursive: true });
    },
  });
}

/** A test that needs Chromium; where there is none, it says so instead of passing. */
export function testInChromium(
  name: string,
  work: (browser: Browser, t: Deno.TestContext) => Promise<void>,
): void {
  const executable = findChromium();
  Deno.test({
    name: executable ? name : `${name} (skipped: no Chromium on this machine)`,
    ignore: executable === undefined,
    fn: async (t) => {
      await using browser = await openChromium(executable!);
      await work(browser, t);
    },
  });
}
