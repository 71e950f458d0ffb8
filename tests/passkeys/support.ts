import { createClient } from "@supabase/supabase-js";
import assert from "node:assert/strict";
import { callApi, tokenOf } from "../support/api.ts";
import { createPerson, type Person, randomAddress } from "../support/clients.ts";
import { getStack } from "../support/stack.ts";
import { createTenant, type Tenant } from "../support/tenants.ts";
import { Authenticator, type Deviation } from "./authenticator.ts";

/** A tenant, and where its app lives. */
export interface App extends Tenant {
  origin: string;
}

/** A tenant whose app lives at a domain of its own. */
export async function createApp(
  { origin = `https://${crypto.randomUUID()}.example.org`, settings = {} } = {},
): Promise<App> {
  return { ...await createTenant({ app_url: `${origin}/start`, settings }), origin };
}

/** What the routes answer when they are asked for options. */
export interface Options {
  challenge: string;
  rp: { id: string; name: string };
  rpId: string;
  user: { id: string; name: string; displayName: string };
  excludeCredentials: { id: string }[];
  allowCredentials?: { id: string }[];
  authenticatorSelection: Record<string, unknown>;
  userVerification: string;
}

export interface Passkey {
  id: string;
  name: string;
  rp_id: string;
  synced: boolean;
  last_used_at: string | null;
}

export interface AddedPasskey extends Passkey {
  backup_codes: string[];
}

export interface Session {
  access_token: string;
  refresh_token: string;
}

export type Step = "register" | "login" | "step-up";

const path = "/v1/passkeys";

export const askOptions = (step: Step, tenant: { slug: string }, token?: string) =>
  callApi(`${path}/${step}/options`, {
    body: { tenant: tenant.slug },
    ...(token === undefined ? {} : { token }),
  });

export const answerTo = (step: Step, body: Record<string, unknown>, token?: string) =>
  callApi(`${path}/${step}/verify`, { body, ...(token === undefined ? {} : { token }) });

/** The body of an answer that has to be good. */
export async function read<T>(response: Promise<Response>): Promise<T> {
  const answer = await response;
  const body = await answer.json();
  assert.ok(answer.ok, JSON.stringify(body));
  return body;
}

export const optionsOf = (step: Step, tenant: { slug: string }, token?: string) =>
  read<Options>(askOptions(step, tenant, token));

/** Adds a passkey to the person, in their present session. */
export async function addPasskey(
  app: App,
  person: Pick<Person, "client">,
  { authenticator = new Authenticator(app.origin), name = "Phone" } = {},
) {
  const token = await tokenOf(person);
  const options = await optionsOf("register", app, token);
  const credential = authenticator.create(options);
  const passkey = await read<AddedPasskey>(answerTo("register", { name, credential }, token));
  return { authenticator, passkey };
}

/** Somebody with a passkey for the app, and a session verified by making it. */
export async function createHolder(app: App, counting = true) {
  const person = await createPerson();
  const authenticator = new Authenticator(app.origin, counting);
  return { ...person, ...await addPasskey(app, person, { authenticator }) };
}

/** Signs in by the passkey; the answer as it came. */
export async function login(app: App, authenticator: Authenticator, deviation: Deviation = {}) {
  const options = await optionsOf("login", app);
  return await answerTo("login", { credential: authenticator.get(options, deviation) });
}

/** Gives the passkey in a session; the answer as it came. */
export async function stepUp(
  app: App,
  authenticator: Authenticator,
  token: string,
  deviation: Deviation = {},
) {
  const options = await optionsOf("step-up", app, token);
  return await answerTo("step-up", { credential: authenticator.get(options, deviation) }, token);
}

/** A client with the session that a route answered. */
export async function clientOf(answer: Response) {
  const session = await read<Session>(Promise.resolve(answer));
  const client = createClient(getStack().url, getStack().publishableKey, {
    auth: { persistSession: false, autoRefreshToken: false },
    global: { headers: { "x-forwarded-for": randomAddress() } },
  });
  const { error } = await client.auth.setSession(session);
  assert.equal(error, null);
  return client;
}
