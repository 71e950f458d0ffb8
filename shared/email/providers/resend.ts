import type { MailProvider } from "../send.ts";
import { NotTaken, UnsendableMail } from "../unsendable.ts";
import { failureOf } from "./answer.ts";

const name = "resend";

/** Resend's HTTP API. The mail's key makes a repetition harmless for a day. */
export const resend: MailProvider = {
  isConfigured: ({ resend }) => resend.key !== undefined,

  async send({ callProvider, config: { email: { resend: { url, key } } } }, message, signal) {
    const response = await callProvider(`${url}/emails`, {
      method: "POST",
      headers: {
        authorization: `Bearer ${key!.reveal()}`,
        "content-type": "application/json",
        "idempotency-key": message.idempotencyKey,
      },
      body: JSON.stringify({
        from: message.from,
        to: [message.to],
        subject: message.subject,
        html: message.html,
        text: message.text,
        headers: message.headers,
        tags: [{ name: "template", value: message.template.replaceAll(/[^\w-]/g, "_") }],
      }),
      // The job comes again; tries within the call would hide how the first of them ended.
    }, { name, repeatable: false, ...(signal && { signal }) })
      .catch((error) => {
        throw failureOf(name, error);
      });
    return await readAnswer(response);
  },

  async check({ callProvider, config: { email: { resend: { url, key } } } }) {
    const response = await callProvider(`${url}/domains`, {
      headers: { authorization: `Bearer ${key!.reveal()}` },
    }, { name });
    const body = await readBody(response);
    // A key that may only send is not allowed to ask, and Resend says so by a name of its own.
    if (!response.ok && body.name !== "restricted_api_key") {
      throw new Error(`Resend answered ${response.status} ${body.name ?? ""}`);
    }
  },
};

const readBody = async (response: Response) =>
  await response.json().catch(() => ({})) as { id?: string; name?: string };

/** What Resend's names of errors mean for us. */
async function readAnswer(response: Response): Promise<string | undefined> {
  const body = await readBody(response);
  if (response.ok) return body.id;
  if (body.name === "invalid_idempotent_request") return undefined;
  const said = `Resend answered ${response.status} ${body.name ?? ""}`;
  // The mail is being taken at this moment, by a job of ours that is thought dead.
  if (body.name === "concurrent_idempotent_requests") throw failureOf(name, new Error(said));
  if ([400, 413, 422].includes(response.status)) throw new UnsendableMail(said);
  throw new NotTaken(said);
}
