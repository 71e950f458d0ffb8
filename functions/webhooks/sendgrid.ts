import { Buffer } from "node:buffer";
import { createHash, createPublicKey, verify } from "node:crypto";
import { z } from "@hono/zod-openapi";
import type { MailEvent } from "./mail_event.ts";
import { checkTime, refuse } from "./signature.ts";

const prefix = "x-twilio-email-event-webhook";

/**
 * Verifies a call of SendGrid's signed event webhook (ECDSA on P-256 over time and body) and gives
 * what it is known by: the digest of what was signed, for a signature can be rewritten.
 */
export function verifySendGrid(keys: readonly string[], headers: Headers, body: string): string {
  const timestamp = headers.get(`${prefix}-timestamp`) ?? "";
  const signature = Buffer.from(headers.get(`${prefix}-signature`) ?? "", "base64");
  checkTime(/^\d{1,12}$/.test(timestamp) ? Number(timestamp) : NaN);
  const signed = Buffer.from(timestamp + body);
  if (!keys.some((key) => fits(key, signed, signature))) {
    refuse(keys.length === 0 ? "no key is configured" : "no signature fits");
  }
  return `sendgrid:${createHash("sha256").update(signed).digest("hex")}`;
}

function fits(key: string, signed: Buffer, signature: Buffer): boolean {
  try {
    const der = Buffer.from(key, "base64");
    return verify(
      "sha256",
      signed,
      createPublicKey({ key: der, format: "der", type: "spki" }),
      signature,
    );
  } catch {
    // What is no signature at all.
    return false;
  }
}

/** SendGrid's events, several in one call, as far as they change anything here. */
export const SendGridEvents = z.array(z.object({
  event: z.string(),
  email: z.string().max(254).default(""),
  type: z.string().default(""),
  "smtp-id": z.string().max(200).default(""),
}));

const outcomes: Record<string, MailEvent["event"]> = {
  delivered: "delivered",
  bounce: "bounced",
  spamreport: "complained",
};

export const ofSendGrid = (events: z.infer<typeof SendGridEvents>): MailEvent[] =>
  events.flatMap(({ event: said, email, type, "smtp-id": id }) => {
    const event = outcomes[said];
    return event
      ? [{
        provider_ids: [id],
        event,
        addresses: email ? [email] : [],
        // `blocked` is a refusal for now: of the content, or by a list.
        permanent: event !== "bounced" || type !== "blocked",
      }]
      : [];
  });
