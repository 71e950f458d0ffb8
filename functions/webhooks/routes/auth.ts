import { z } from "@hono/zod-openapi";
import { canSend } from "shared/email/send.ts";
import { ProblemError } from "shared/errors/problem.ts";
import { unlimited } from "shared/http/limits.ts";
import { originOf } from "shared/http/origin.ts";
import { router } from "shared/http/router.ts";
import { mailsOf, SendEmail } from "../auth_mails.ts";
import { verifySignature } from "../signature.ts";

/**
 * Supabase Auth's hooks. Auth rations its own calls, and all of them come from one address, so the
 * limit by address would let one busy minute stop everybody's sign-up.
 */
export const auth = router();

/**
 * Auth waits for this within the transaction of whoever signs up, five seconds at most. So the mail
 * is kept and handed to the worker at once: it survives a provider that is slow or away, which a
 * call of the provider from here would not. Where nothing could be sent, Auth learns it now.
 */
auth.post("/send-email", unlimited, async (c) => {
  const { services } = c.var;
  const body = await c.req.text();
  const call = verifySignature(services.config.email.hookSecrets, c.req.raw.headers, body);
  if (!canSend(services.config)) throw new ProblemError("email.not_configured");
  const payload = parse(body);
  await services.database.asService(originOf(c.req, c.var)).rpc("notifications_send_auth_emails", {
    call_id: call,
    run_id: payload.metadata?.uuid ?? call,
    person: payload.user.id,
    locale: payload.user.user_metadata.locale ?? null,
    emails: mailsOf(payload, services.config),
  }, 4_000);
  return c.json({});
});

function parse(body: string): z.infer<typeof SendEmail> {
  try {
    return SendEmail.parse(JSON.parse(body));
  } catch (cause) {
    // Whatever it is, Auth sent it: a new kind of mail, or another form of an old one.
    throw new ProblemError("request.invalid", {
      detail: cause instanceof z.ZodError ? z.prettifyError(cause) : "Not JSON",
      cause,
    });
  }
}
