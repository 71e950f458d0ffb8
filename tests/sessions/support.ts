import { createClient, type SupabaseClient } from "@supabase/supabase-js";
import { decodeJwt } from "jose";
import { type Opening, sessionFor, type SessionTokens } from "shared/auth/session.ts";
import type { Services } from "shared/services.ts";
import { defaultPassword, type Person, randomAddress } from "../support/clients.ts";
import { createTestServices } from "../support/services.ts";
import { getStack } from "../support/stack.ts";

/** The services of a function in front of the stack. */
export function functionServices(env: Record<string, string> = {}): Services {
  const { url, publishableKey, secretKey } = getStack();
  return createTestServices({
    SUPABASE_URL: url,
    SUPABASE_PUBLISHABLE_KEYS: JSON.stringify({ default: publishableKey }),
    SUPABASE_SECRET_KEYS: JSON.stringify({ default: secretKey }),
    ...env,
  }).services;
}

/** A client that knows an access token and nothing else, as one of a session we opened. */
export function clientWith(token: string): SupabaseClient {
  return createClient(getStack().url, getStack().publishableKey, {
    accessToken: () => Promise.resolve(token),
    global: { headers: { "x-forwarded-for": randomAddress() } },
  });
}

export interface OpenedSession {
  id: string;
  tokens: SessionTokens;
  token: string;
  client: SupabaseClient;
}

/** A session that a function opens for a person. */
export async function openSession(
  person: Pick<Person, "id">,
  opening: Partial<Opening> = {},
): Promise<OpenedSession> {
  const origin = { "x-forwarded-for": randomAddress() };
  const whole = { purpose: "test", ...opening };
  const tokens = await sessionFor(functionServices(), person.id, whole, origin);
  const token = tokens.access_token;
  return { id: sessionIdOf(token), tokens, token, client: clientWith(token) };
}

export const sessionIdOf = (token: string) => decodeJwt<{ session_id: string }>(token).session_id;

/** Whether the client may join the private channel. */
export async function joins({ client, token }: OpenedSession, topic: string): Promise<boolean> {
  await client.realtime.setAuth(token);
  const channel = client.channel(topic, { config: { private: true } });
  const state = await new Promise<string>((resolve) => channel.subscribe(resolve));
  await client.removeAllChannels();
  return state === "SUBSCRIBED";
}

/** A login past all functions of ours, as an app with this user agent makes it. */
export async function signInFrom(email: string, userAgent: string): Promise<SupabaseClient> {
  const client = createClient(getStack().url, getStack().publishableKey, {
    auth: { persistSession: false, autoRefreshToken: false },
    global: { headers: { "user-agent": userAgent, "x-forwarded-for": randomAddress() } },
  });
  const { error } = await client.auth.signInWithPassword({ email, password: defaultPassword });
  if (error) throw error;
  return client;
}
