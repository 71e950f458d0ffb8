import { Buffer } from "node:buffer";
import { createHmac } from "node:crypto";
import type { Services } from "shared/services.ts";
import { createApp } from "../../functions/webhooks/app.ts";
import { randomAddress } from "../support/clients.ts";
import { createTestServices } from "../support/services.ts";
import { getStack } from "../support/stack.ts";

const keyOf = (name: string) => Buffer.from(`${name}, a key of some length`.padEnd(32, "."));

export const secretOf = (name: string): string => `v1,whsec_${keyOf(name).toString("base64")}`;

/** The function `webhooks` with secrets of the test's own, on the database of the stack. */
export function createWebhooks(
  env: Record<string, string> = {},
  changes: Partial<Services> = {},
) {
  const { url, publishableKey, secretKey } = getStack();
  const { services, lines } = createTestServices({
    SUPABASE_URL: url,
    SUPABASE_PUBLISHABLE_KEYS: JSON.stringify({ default: publishableKey }),
    SUPABASE_SECRET_KEYS: JSON.stringify({ default: secretKey }),
    RESEND_API_KEY: "re_of_the_test",
    EMAIL_FROM: "Nexus <mail@nexus.test>",
    SEND_EMAIL_HOOK_SECRET: secretOf("auth"),
    ...env,
  });
  return { app: createApp({ ...services, ...changes }), lines };
}

export interface HookCall {
  id?: string;
  /** Seconds from now. */
  at?: number;
  secret?: string;
  headers?: Record<string, string>;
}

/** A call as Auth makes it. */
export function hookCall(
  payload: unknown,
  { id, at = 0, secret = "auth", headers }: HookCall = {},
) {
  const body = typeof payload === "string" ? payload : JSON.stringify(payload);
  const call = id ?? crypto.randomUUID();
  const timestamp = String(Math.floor(Date.now() / 1000) + at);
  const signature = createHmac("sha256", keyOf(secret)).update(`${call}.${timestamp}.${body}`);
  return new Request("http://functions/webhooks/auth/send-email", {
    method: "POST",
    headers: {
      "content-type": "application/json",
      "x-forwarded-for": randomAddress(),
      "webhook-id": call,
      "webhook-timestamp": timestamp,
      "webhook-signature": `v1,${signature.digest("base64")}`,
      ...headers,
    },
    body,
  });
}

/** What Auth says of a mail. */
export function authMail(action: string, changes: Record<string, unknown> = {}) {
  const { user, ...data } = changes as { user?: Record<string, unknown> };
  return {
    metadata: { uuid: crypto.randomUUID() },
    user: {
      id: crypto.randomUUID(),
      email: `${crypto.randomUUID()}@nexus.test`,
      user_metadata: {},
      ...user,
    },
    email_data: {
      email_action_type: action,
      token: "123456",
      token_hash: "hash-of-123456",
      token_new: "",
      token_hash_new: "",
      redirect_to: "https://app.nexus.test/welcome?a=b",
      site_url: "http://auth.nexus.test:54321/auth/v1",
      old_email: "",
      provider: "",
      ...data,
    },
  };
}
