import { startMail } from "../../../local/mail/mod.ts";
import { freeOffset } from "../../support/ports.ts";

/** The key that senders to a test's inbox need. */
export const apiKey = "re_of_the_test";

/** Runs a test with an inbox of its own, in a folder that goes with it. */
export async function withInbox(
  work: (inbox: ReturnType<typeof startMail>, url: string) => Promise<void>,
): Promise<void> {
  const home = await Deno.makeTempDir({ prefix: "nexus-mail-" });
  const mail = 54324 + freeOffset();
  const settings = { home, ports: { api: 0, db: 0, studio: 0, mail } };
  const inbox = startMail({ settings, apiKey });
  try {
    await work(inbox, `http://127.0.0.1:${mail}`);
  } finally {
    await inbox.stop();
    await Deno.remove(home, { recursive: true });
  }
}
