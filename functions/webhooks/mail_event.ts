import { z } from "@hono/zod-openapi";
import type { Context } from "hono";
import { ProblemError } from "shared/errors/problem.ts";
import type { Env } from "shared/http/env.ts";
import { originOf } from "shared/http/origin.ts";

/** What a provider says of one mail after it took it. */
export interface MailEvent {
  /** What the provider, or our own headers, call the mail: any of these may be what we know it by. */
  provider_ids: string[];
  event: "delivered" | "bounced" | "complained";
  addresses: string[];
  /** False where it may be better tomorrow: a full mailbox, a server that is away. */
  permanent: boolean;
}

/** Has the database note the events of one signed call, which counts once. */
export async function note(
  c: Context<Env>,
  provider: "resend" | "smtp",
  call: string,
  events: MailEvent[],
): Promise<void> {
  if (events.length === 0) return;
  await c.var.services.database.asService(originOf(c.req, c.var)).rpc(
    "notifications_mail_events",
    { call_id: call, provider, events },
  );
}

/** The address of `Name <address>`. */
export const addressIn = (mailbox: string): string =>
  /<([^<>]+)>\s*$/.exec(mailbox)?.[1] ?? mailbox;

/** A signed body as what it should be. */
export function parsed<Schema extends z.ZodType>(schema: Schema, body: string): z.infer<Schema> {
  try {
    return schema.parse(JSON.parse(body));
  } catch (cause) {
    throw new ProblemError("request.invalid", {
      detail: cause instanceof z.ZodError ? z.prettifyError(cause) : "Not JSON",
      cause,
    });
  }
}
