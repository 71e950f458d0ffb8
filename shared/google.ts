import { importPKCS8, SignJWT } from "jose";
import type { GoogleAccount } from "./config_providers.ts";
import type { CallProvider } from "./http/provider.ts";

/** Seconds that Google lets an assertion live at most, and before its end that a token is renewed. */
const lifetime = 3_600;
const margin = 300;

const cache = new Map<string, { token: string; until: number }>();
const asking = new Map<string, Promise<string>>();

interface Wanted {
  scope: string;
  /** Whom the account speaks for, where the domain's administrator allows it. */
  subject?: string;
  /** Without regard to the token at hand: Google has just refused it. */
  fresh?: boolean;
}

/**
 * A token of Google's for a service account (OAuth 2.0, RFC 7523). One is kept for each purpose
 * until shortly before it ends, and several who need one at once wait for the same.
 */
export async function googleToken(
  callProvider: CallProvider,
  account: GoogleAccount,
  { scope, subject, fresh = false }: Wanted,
): Promise<string> {
  const key = [account.email, account.keyId, account.tokenUrl, scope, subject].join(" ");
  const known = cache.get(key);
  if (!fresh && known && known.until > Date.now()) return known.token;
  const promise = asking.get(key) ?? ask(callProvider, account, scope, subject).then((answer) => {
    cache.set(key, answer);
    return answer.token;
  }).finally(() => asking.delete(key));
  asking.set(key, promise);
  return await promise;
}

async function ask(
  callProvider: CallProvider,
  account: GoogleAccount,
  scope: string,
  subject: string | undefined,
) {
  const response = await callProvider(account.tokenUrl, {
    method: "POST",
    body: new URLSearchParams({
      grant_type: "urn:ietf:params:oauth:grant-type:jwt-bearer",
      assertion: await assertionOf(account, scope, subject),
    }),
  }, { name: "google", repeatable: true });
  const body = await response.json().catch(() => ({})) as Record<string, unknown>;
  if (!response.ok || typeof body.access_token !== "string") {
    throw new Error(`Google answered ${response.status} ${body.error ?? ""}`);
  }
  const seconds = Number(body.expires_in ?? lifetime);
  return { token: body.access_token, until: Date.now() + (seconds - margin) * 1000 };
}

async function assertionOf(account: GoogleAccount, scope: string, subject: string | undefined) {
  const jwt = new SignJWT({ scope })
    .setProtectedHeader({ alg: "RS256", typ: "JWT", kid: account.keyId })
    .setIssuer(account.email)
    .setAudience(account.tokenUrl)
    .setIssuedAt()
    .setExpirationTime(`${lifetime}s`);
  if (subject) jwt.setSubject(subject);
  return await jwt.sign(await importPKCS8(account.privateKey.reveal(), "RS256"));
}
