import { createClient, type SupabaseClient } from "@supabase/supabase-js";
import { decodeJwt } from "jose";
import type { Config } from "../config.ts";
import type { Origin } from "../database/client.ts";
import { ProblemError } from "../errors/problem.ts";
import type { Services } from "../services.ts";

/** How much of the person a session stands for at most; what is left out does not bound it. */
export interface Bounds {
  /** What its owner knows it by, where the user agent would not tell. */
  label?: string;
  /** The one tenant it opens. */
  tenant_id?: string | null;
  /** What it permits of what the person's role does. */
  permissions?: readonly string[] | null;
  /** It opens nothing in a transaction that may write. */
  read_only?: boolean;
  /** ISO 8601. */
  expires_at?: string | null;
  /** Who really sits there, where it is an impersonation. */
  actor_id?: string | null;
}

export interface Opening {
  /** What the session is for, such as `passkey`, `device` or `impersonation`. */
  purpose: string;
  bounds?: Bounds;
  /**
   * The second factor that opening it was: a passkey, or that of the person who had it opened
   * (`delegated`). Without one the session is asked for it like any other.
   */
  factor?: "passkey" | "delegated";
  /** Slug of a tenant that has to let the person in, where they named one. */
  tenant?: string | undefined;
}

/** What Supabase Auth answers to a login. */
export interface SessionTokens {
  access_token: string;
  refresh_token: string;
  token_type: "bearer";
  expires_in: number;
  expires_at: number;
}

type OpeningServices = Pick<Services, "config" | "database">;

/** Two openings for one person at the same moment void each other's link: the later one is good. */
const tries = 6;

/**
 * Opens a session of Supabase Auth for somebody who proved themselves to us. The one place that does:
 * it refuses people who may not sign in (`people.not_found`, `auth.banned`,
 * `auth.email_unconfirmed`, of a tenant they named `members.pending` and its like), and the tokens leave it only when the database knows what the session
 * stands for.
 */
export async function sessionFor(
  services: OpeningServices,
  person: string,
  { purpose, bounds = {}, factor, tenant }: Opening,
  origin: Origin = {},
): Promise<SessionTokens> {
  const database = services.database.asService(origin);
  const { email } = await database.rpc<{ email: string }>("sessions_opening", {
    person,
    tenant: tenant ?? null,
  });
  const auth = authFor(services.config, origin);
  const tokens = await signIn(auth, person, email);
  try {
    await database.rpc("sessions_opened", {
      session: decodeJwt(tokens.access_token).session_id,
      person,
      purpose,
      bounds,
      factor: factor ?? null,
    });
  } catch (error) {
    await auth.admin.signOut(tokens.access_token, "local");
    const ended = error instanceof ProblemError && error.code === "auth.session_ended";
    throw ended ? unavailable(error) : error;
  }
  return tokens;
}

/** Auth's door for the secret key, which tells it whom it is asked for. */
function authFor(config: Config, origin: Origin): SupabaseClient["auth"] {
  const address = origin["x-forwarded-for"];
  const userAgent = origin["user-agent"];
  return createClient(config.supabaseUrl, config.secretKey.reveal(), {
    auth: { persistSession: false, autoRefreshToken: false, detectSessionInUrl: false },
    global: {
      headers: {
        ...(address === undefined ? {} : { "sb-forwarded-for": address }),
        ...(userAgent === undefined ? {} : { "user-agent": userAgent }),
      },
    },
  }).auth;
}

async function signIn(
  auth: SupabaseClient["auth"],
  person: string,
  email: string,
): Promise<SessionTokens> {
  for (let attempt = 1;; attempt++) {
    const link = await auth.admin.generateLink({ type: "magiclink", email });
    // The address went to somebody else since it was read.
    if (link.data.user && link.data.user.id !== person) throw new ProblemError("people.not_found");
    if (link.error) throw unavailable(link.error);
    const { data, error } = await auth.verifyOtp({
      token_hash: link.data.properties.hashed_token,
      type: "magiclink",
    });
    if (data.session) return tokensOf(data.session);
    if (error?.status === 429) {
      throw new ProblemError("limits.exceeded", { retryAfter: 60, cause: error });
    }
    if (error?.code === "user_banned") throw new ProblemError("auth.banned");
    if (error?.code !== "otp_expired" || attempt === tries) throw unavailable(error);
    await pause(Math.random() * 50 * 2 ** attempt);
  }
}

const unavailable = (cause: unknown) => new ProblemError("unavailable", { retryAfter: 1, cause });

const pause = (milliseconds: number) => new Promise((resolve) => setTimeout(resolve, milliseconds));

function tokensOf(session: {
  access_token: string;
  refresh_token: string;
  expires_in: number;
  expires_at?: number;
}): SessionTokens {
  const { access_token, refresh_token, expires_in, expires_at } = session;
  return {
    access_token,
    refresh_token,
    token_type: "bearer",
    expires_in,
    expires_at: expires_at ?? Math.floor(Date.now() / 1000) + expires_in,
  };
}
