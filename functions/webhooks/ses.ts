import { z } from "@hono/zod-openapi";
import { addressIn, type MailEvent } from "./mail_event.ts";

const recipients = z.array(z.object({ emailAddress: z.string().max(320) })).default([]);

/** What SES says through SNS: of an identity (`notificationType`) or of a configuration set (`eventType`). */
export const SesEvent = z.object({
  notificationType: z.string().optional(),
  eventType: z.string().optional(),
  mail: z.object({
    messageId: z.string().max(200),
    headers: z.array(z.object({ name: z.string(), value: z.string() })).default([]),
  }).optional(),
  bounce: z.object({ bounceType: z.string(), bouncedRecipients: recipients }).optional(),
  complaint: z.object({ complainedRecipients: recipients }).optional(),
});

const outcomes: Record<string, MailEvent["event"]> = {
  Delivery: "delivered",
  Bounce: "bounced",
  Complaint: "complained",
};

export function ofSes(said: z.infer<typeof SesEvent>): MailEvent[] {
  const event = outcomes[said.eventType ?? said.notificationType ?? ""];
  if (!event || !said.mail) return [];
  const own = said.mail.headers.find(({ name }) => name.toLowerCase() === "message-id")?.value;
  const to = [
    ...(said.bounce?.bouncedRecipients ?? []),
    ...(said.complaint?.complainedRecipients ?? []),
  ];
  return [{
    provider_ids: [said.mail.messageId, ...(own ? [own] : [])],
    event,
    addresses: to.map(({ emailAddress }) => addressIn(emailAddress)),
    permanent: event !== "bounced" || said.bounce?.bounceType === "Permanent",
  }];
}
