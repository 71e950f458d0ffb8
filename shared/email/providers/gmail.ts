import { Buffer } from "node:buffer";
import MailComposer from "nodemailer/lib/mail-composer";
import { googleToken } from "../../google.ts";
import { contentOf } from "../mime.ts";
import type { MailProvider, Needed } from "../send.ts";
import { NotTaken, UnsendableMail } from "../unsendable.ts";
import { failureOf } from "./answer.ts";

const name = "gmail";
const scope = "https://www.googleapis.com/auth/gmail.send";

/** The Gmail API, for a sender of Google Workspace whose domain lets a service account send. */
export const gmail: MailProvider = {
  isConfigured: ({ gmail }) => gmail !== undefined,

  async send(services, message, signal) {
    const mime = await new MailComposer(contentOf(message)).compile().build();
    const raw = Buffer.from(mime).toString("base64url");
    const post = async (fresh: boolean) =>
      await call(services, raw, await tokenOf(services, fresh), signal);
    let response = await post(false);
    if (response.status === 401) {
      await response.body?.cancel();
      response = await post(true);
    }
    const body = await response.json().catch(() => ({})) as { id?: string };
    if (response.ok) return body.id;
    const said = `Gmail answered ${response.status}`;
    if ([400, 413].includes(response.status)) throw new UnsendableMail(said);
    throw new NotTaken(said);
  },

  async check(services) {
    await tokenOf(services, true);
  },
};

function call({ callProvider, config }: Needed, raw: string, token: string, signal?: AbortSignal) {
  return callProvider(`${config.email.gmail!.url}/gmail/v1/users/me/messages/send`, {
    method: "POST",
    headers: { authorization: `Bearer ${token}`, "content-type": "application/json" },
    body: JSON.stringify({ raw }),
  }, { name, repeatable: false, ...(signal && { signal }) })
    .catch((error) => {
      throw failureOf(name, error);
    });
}

async function tokenOf({ callProvider, config }: Needed, fresh: boolean): Promise<string> {
  const { gmail, from } = config.email;
  try {
    return await googleToken(callProvider, gmail!.account, {
      scope,
      subject: from!.address,
      fresh,
    });
  } catch (cause) {
    throw new NotTaken("Gmail gave no token", { cause });
  }
}
