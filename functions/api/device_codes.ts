import { decodeJwt } from "jose";
import { digestOf, randomSecret } from "shared/auth/random_secret.ts";
import { sessionFor, type SessionTokens } from "shared/auth/session.ts";
import type { Origin } from "shared/database/client.ts";
import { ProblemError } from "shared/errors/problem.ts";
import type { Services } from "shared/services.ts";

/** RFC 8628, 6.1: no vowels, so no words, and nothing that looks like something else. */
const alphabet = "BCDFGHJKLMNPQRSTVWXZ";
const userCodeLength = 8;

/** Two devices of a tenant with one user code are next to impossible, ten times in a row more so. */
const tries = 10;

/** Ten codes in five minutes: of 20^8 nobody guesses one that waits. */
const attempts = { quota: 10, seconds: 300 };

interface Begun {
  taken: boolean;
  app_url: string | null;
  expires_in: number;
  interval: number;
}

/** What RFC 8628 (3.5) and RFC 6749 (5.2) have a device told. */
export type DeviceError =
  | "authorization_pending"
  | "slow_down"
  | "access_denied"
  | "expired_token"
  | "invalid_grant";

/** Longer than any token lives: the session ends with its token, or when the device has its next. */
const sessionLife = 65 * 60_000;

type Granted = { error: DeviceError } | {
  error?: undefined;
  device: string;
  person: string;
  tenant_id: string;
  verified: boolean;
};

/** Who approves: a person whose session the database has just found trusted and without bounds. */
export interface Approver {
  person_id: string;
  session_id: string;
}

/** Sign-in on what has no keyboard: codes are drawn here, and everything that counts is in the database. */
export class DeviceCodes {
  constructor(readonly services: Services, readonly origin: Origin) {}

  get #database() {
    return this.services.database.asService(this.origin);
  }

  async begin(tenant: string, client: string, place: string | undefined) {
    const deviceCode = randomSecret();
    const digest = await digestOf(deviceCode);
    for (let attempt = 0; attempt < tries; attempt++) {
      const userCode = drawUserCode();
      const begun = await this.#database.rpc<Begun>("device_codes_begin", {
        tenant,
        client,
        digest,
        user_code: userCode,
        place: place ?? null,
      });
      if (!begun.taken) return this.#answer(deviceCode, userCode, begun);
    }
    throw new ProblemError("unavailable", { retryAfter: 1 });
  }

  #answer(deviceCode: string, userCode: string, { app_url, expires_in, interval }: Begun) {
    const { http, supabaseUrl } = this.services.config;
    const app = (app_url ?? http.origins[0] ?? supabaseUrl).replace(/\/+$/, "");
    const shown = `${userCode.slice(0, 4)}-${userCode.slice(4)}`;
    return {
      device_code: deviceCode,
      user_code: shown,
      verification_uri: `${app}/device`,
      verification_uri_complete: `${app}/device?user_code=${shown}`,
      expires_in,
      interval,
    };
  }

  /** The tokens of the device's own session, once; until then what it is to do. */
  async poll(deviceCode: string, client: string): Promise<SessionTokens | DeviceError> {
    const digest = await digestOf(deviceCode);
    const granted = await this.#database.rpc<Granted>("device_codes_poll", { digest, client });
    return await this.#open(granted, client, null);
  }

  /** The next session of a device, for the refresh token it was given with the last. */
  async renew(refreshToken: string, client: string): Promise<SessionTokens | DeviceError> {
    const digest = await digestOf(refreshToken);
    const granted = await this.#database.rpc<Granted>("device_codes_renew", { digest, client });
    return await this.#open(granted, client, digest);
  }

  /** Auth's own refresh token never leaves: with it the device could ask Auth for all of the person. */
  async #open(
    granted: Granted,
    label: string,
    used: string | null,
  ): Promise<SessionTokens | DeviceError> {
    if (granted.error !== undefined) return granted.error;
    const { device, person, tenant_id, verified } = granted;
    const tokens = await sessionFor(this.services, person, {
      purpose: "device",
      bounds: { tenant_id, label, expires_at: new Date(Date.now() + sessionLife).toISOString() },
      ...(verified ? { factor: "delegated" } : {}),
    }, this.origin);
    const refresh_token = randomSecret();
    const opened = await this.#database.rpc<boolean>("device_codes_opened", {
      device,
      session: decodeJwt(tokens.access_token).session_id,
      secret: await digestOf(refresh_token),
      used,
    });
    return opened ? { ...tokens, refresh_token } : "invalid_grant";
  }

  async show<T>({ person_id: person }: Approver, userCode: string): Promise<T> {
    const user_code = await this.#typed(person, userCode);
    return await this.#database.rpc("device_codes_show", { person, user_code });
  }

  async decide(
    { person_id: person, session_id: session }: Approver,
    userCode: string,
    approve: boolean,
  ): Promise<{ client: string; approved: boolean }> {
    const user_code = await this.#typed(person, userCode);
    return await this.#database.rpc("device_codes_decide", { person, session, user_code, approve });
  }

  /** Counted in a call of its own, committed before the code is looked for. */
  async #typed(person: string, userCode: string): Promise<string> {
    const verdict = await this.#database.rpc<{ allowed: boolean; retry_after: number }>(
      "limits_attempt",
      { key: `device_codes:${person}`, ...attempts },
    );
    if (!verdict.allowed) {
      throw new ProblemError("limits.exceeded", { retryAfter: verdict.retry_after });
    }
    return userCode.toUpperCase().replaceAll(/[^A-Z]/g, "");
  }
}

/** Each letter as likely as any other: bytes beyond the last full round of the alphabet are drawn anew. */
function drawUserCode(): string {
  const unbiased = 256 - 256 % alphabet.length;
  let code = "";
  while (code.length < userCodeLength) {
    const [byte] = crypto.getRandomValues(new Uint8Array(1));
    if (byte! < unbiased) code += alphabet[byte! % alphabet.length];
  }
  return code;
}
