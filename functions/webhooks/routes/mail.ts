import { z } from "@hono/zod-openapi";
import { unlimited } from "shared/http/limits.ts";
import { router } from "shared/http/router.ts";
import { addressIn, type MailEvent, note, parsed } from "../mail_event.ts";
import { ofSendGrid, SendGridEvents, verifySendGrid } from "../sendgrid.ts";
import { ofSes, SesEvent } from "../ses.ts";
import { verifySignature } from "../signature.ts";
import { confirmSns, verifySns } from "../sns.ts";

/**
 * What mail providers tell of a mail after they took it. They ration their own calls. What changes
 * nothing here is answered and left. SendGrid and SES are reached by SMTP, and so are their mails known.
 */
export const mail = router();

/** Resend's events, as far as they change anything here. */
const ResendEvent = z.object({
  type: z.string(),
  data: z.object({
    email_id: z.string().max(200).default(""),
    to: z.union([z.string(), z.array(z.string())]).default([])
      .transform((to) => [to].flat()),
    bounce: z.object({ type: z.string().default("") }).optional(),
  }),
});

const outcomes: Record<string, MailEvent["event"]> = {
  "email.delivered": "delivered",
  "email.bounced": "bounced",
  "email.complained": "complained",
};

mail.post("/resend", unlimited, async (c) => {
  const body = await c.req.text();
  const secrets = c.var.services.config.email.resendSecrets;
  const call = verifySignature(secrets, c.req.raw.headers, body, "svix");
  const { type, data } = parsed(ResendEvent, body);
  const event = outcomes[type];
  if (!event) return c.json({});
  await note(c, "resend", call, [{
    provider_ids: [data.email_id],
    event,
    addresses: data.to.map(addressIn),
    // A full mailbox or a server that is away is no reason to give up on an address.
    permanent: event !== "bounced" || data.bounce?.type === "Permanent",
  }]);
  return c.json({});
});

mail.post("/sendgrid", unlimited, async (c) => {
  const body = await c.req.text();
  const keys = c.var.services.config.email.sendgridKeys;
  const call = verifySendGrid(keys, c.req.raw.headers, body);
  await note(c, "smtp", call, ofSendGrid(parsed(SendGridEvents, body)));
  return c.json({});
});

mail.post("/ses", unlimited, async (c) => {
  const { services } = c.var;
  const { call, message } = await verifySns(services, await c.req.text());
  if (message.Type === "SubscriptionConfirmation") await confirmSns(services, message);
  if (message.Type === "Notification") {
    await note(c, "smtp", call, ofSes(parsed(SesEvent, message.Message)));
  }
  return c.json({});
});
