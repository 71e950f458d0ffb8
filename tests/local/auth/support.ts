import { type AuthError, createClient, type SupabaseClient } from "@supabase/supabase-js";
import { decodeJwt } from "jose";
import { createAuth } from "../../../local/auth/mod.ts";
import type { Mail } from "../../../local/mail/mail.ts";
import { type Keys, loadKeys } from "../../../local/keys.ts";
import { type AuthConfig, readSettings } from "../../../local/settings.ts";
import { randomAddress } from "../../support/clients.ts";
import { getStack } from "../../support/stack.ts";
import { until } from "../../support/wait.ts";
import type { ISql as Sql } from "postgres";

/** The origin the clients of an Auth under test believe in; nobody listens there. */
export const origin = "http://auth.test";

export const password = "Correct-horse-7";

export const newEmail = (): string => `${crypto.randomUUID()}@nexus.test`;

/** An Auth of a test's own settings, within this process and on the stack's database. */
export interface AuthUnderTest extends AsyncDisposable {
  keys: Keys;
  /** What it would have sent, the oldest first. */
  mails: Mail[];
  /** What it wrote to the stack's log. */
  lines: string[];
  /** A visitor with an address of their own. */
  visitor(options?: { address?: string; flow?: "implicit" | "pkce" }): SupabaseClient;
  /** The client of a server that holds the secret key. */
  operator(): SupabaseClient;
  request(path: string, init?: RequestInit & { address?: string }): Promise<Response>;
  /** The newest mail to an address. */
  mailTo(email: string): Mail;
}

export async function startAuth(changes: Partial<AuthConfig> = {}): Promise<AuthUnderTest> {
  const settings = readSettings([], {});
  // Auth's own mails, unless a test brings a hook: it sees them before anybody else does.
  Object.assign(settings.config.auth, { hooks: {}, ...changes });
  const home = await Deno.makeTempDir({ prefix: "nexus-auth-" });
  const keys = await loadKeys(home, `${origin}/auth/v1`, undefined);
  const mails: Mail[] = [];
  const lines: string[] = [];
  const part = await createAuth({
    settings,
    keys,
    database: { url: databaseUrlOf },
    deliver: (mail) => Promise.resolve(void mails.push(mail)),
    log: (line) => void lines.push(line),
  });
  const fetchFrom = (address: string): typeof fetch => (input, init) =>
    part.fetch(new Request(input, init), { address });
  const client = (key: string, address: string, flow: "implicit" | "pkce") =>
    createClient(origin, key, {
      // A PKCE client keeps its verifier between the two halves of a flow.
      auth: {
        persistSession: flow === "pkce",
        autoRefreshToken: false,
        flowType: flow,
        storage: memory(),
      },
      global: { fetch: fetchFrom(address) },
    });
  return {
    keys,
    mails,
    lines,
    visitor: ({ address = randomAddress(), flow = "implicit" } = {}) =>
      client(keys.publishable, address, flow),
    operator: () => client(keys.secret, randomAddress(), "implicit"),
    request: (path, { address = randomAddress(), ...init } = {}) =>
      fetchFrom(address)(`${origin}/auth/v1${path}`, init),
    mailTo(email) {
      const mail = mails.findLast(({ to }) => to === email);
      if (!mail) throw new Error(`no mail to ${email}`);
      return mail;
    },
    async [Symbol.asyncDispose]() {
      await part.stop();
      await Deno.remove(home, { recursive: true });
    },
  };
}

function memory() {
  const items = new Map<string, string>();
  return {
    getItem: (key: string) => items.get(key) ?? null,
    setItem: (key: string, value: string) => void items.set(key, value),
    removeItem: (key: string) => void items.delete(key),
  };
}

/** The embedded database's login roles share one password. */
function databaseUrlOf(role: string): string {
  const url = new URL(getStack().databaseUrl);
  url.username = role;
  return url.href;
}

/** Makes a person with a confirmed address, and a client they are signed in with. */
export async function signedIn(auth: AuthUnderTest, email = newEmail()) {
  const created = await auth.operator().auth.admin.createUser({
    email,
    password,
    email_confirm: true,
  });
  if (created.error) throw created.error;
  const client = auth.visitor();
  const { data, error } = await client.auth.signInWithPassword({ email, password });
  if (error) throw error;
  return { id: created.data.user.id, email, client, session: data.session };
}

/** The status and the code of a refusal. */
export function refusal(
  { error }: { error: AuthError | null },
): [number | undefined, string | undefined] {
  return [error?.status, error?.code];
}

/** The claims of an access token, unverified. */
export function claimsOf(accessToken: string): Record<string, unknown> {
  return decodeJwt(accessToken);
}

export async function backendOf(sql: Sql): Promise<number> {
  const [row] = await sql`select pg_backend_pid() as pid`;
  return row!.pid;
}

/** Waits until some statement waits for one of these backends, and gives the backend it runs on. */
export async function waiterFor(watch: Sql, ...backends: number[]): Promise<number> {
  return await until(async () => {
    const [waiting] = await watch`
      select pid from pg_stat_activity
      where pg_blocking_pids(pid) && ${backends}::int[] and pid <> all (${backends}::int[])`;
    return waiting?.pid as number | undefined;
  });
}

export const median = (values: number[]): number =>
  values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)]!;

/** Two medians this close say nothing: 10 ms, and more only where a busy machine makes all of it slow. */
export const tolerance = (typical: number): number => Math.max(10, 0.15 * typical);
