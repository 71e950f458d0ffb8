import { z } from "@hono/zod-openapi";
import { ProblemError } from "shared/errors/problem.ts";
import { unlimited } from "shared/http/limits.ts";
import { originOf } from "shared/http/origin.ts";
import { router } from "shared/http/router.ts";
import { verifySignature } from "../signature.ts";

/** What mail providers tell of a mail after they took it. They ration their own calls. */
export const mail = router();

/** Resend's events, as far as they change anything here; what else it tells is answered and left. */
const Event = z.object({
  type: z.string(),
  data: z.object({
    email_id: z.string().max(200).default(""),
    to: z.union([z.string(), z.array(z.string())]).default([])
      .transform((to) => [to].flat()),
    bounce: z.object({ type: z.string().default("") }).optional(),
  }),
});

const outcomes: Record<string, "delivered" | "bounced" | "complained"> = {
  "email.delivered": "delivered",
  "email.bounced": "bounced",
  "email.complained": "complained",
};

mail.post("/resend", unlimited, async (c) => {
  const { services } = c.var;
  const body = await c.req.text();
  const secrets = services.config.email.resendSecrets;
  const call = verifySignature(secrets, c.req.raw.headers, body, "svix");
  const { type, data } = parse(body);
  const event = outcomes[type];
  if (!event) return c.json({});
  await services.database.asService(originOf(c.req, c.var)).rpc("notifications_mail_event", {
    call_id: call,
    provider: "resend",
    provider_id: data.email_id,
    event,
    addresses: data.to.map(addressIn),
    // A full mailbox or a server that is away is no reason to give up on an address.
    permanent: event !== "bounced" || data.bounce?.type === "Permanent",
  });
  return c.json({});
});

/** The address of `Name <address>`. */
const addressIn = (mailbox: string): string => /<([^<>]+)>\s*$/.exec(mailbox)?.[1] ?? mailbox;

function parse(body: string): z.infer<typeof Event> {
  try {
    return Event.parse(JSON.parse(body));
  } catch (cause) {
    throw new ProblemError("request.invalid", {
      detail: cause instanceof z.ZodError ? z.prettifyError(cause) : "Not JSON",
      cause,
    });
  }
}
