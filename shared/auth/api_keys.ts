import { Buffer } from "node:buffer";
import { decodeJwt } from "jose";
import type { Config } from "../config.ts";
import type { Doors, Origin } from "../database/client.ts";
import { ProblemError } from "../errors/problem.ts";
import { Lru } from "./lru.ts";
import { digestOf } from "./random_secret.ts";
import { sessionFor } from "./session.ts";
import type { Budget, Tokens } from "./tokens.ts";

const prefix = "nxk_";

/** Whether a bearer is one of our API keys, by its form. */
export const isApiKey = (bearer: string): boolean => /^nxk_[0-9a-f]{64}$/.test(bearer);

/** Milliseconds after which a key is looked up again: its last use, and that its session still stands. */
const knownFor = 60_000;

interface Opened {
  tenant_id: string;
  id: string;
  person: string;
  name: string;
  permissions: string[];
  read_only: boolean;
  requests_per_minute: number;
  session_until: string;
  sealed: string | null;
}

interface Session {
  token: string;
  until: number;
  tenantId: string;
  budget: Budget;
}

interface Known {
  session: Promise<Session>;
  until: number;
}

/** Opens a session with a key, bound to what the key permits, and shares it with the other instances. */
export class ApiKeys {
  readonly #known = new Lru<string, Known>(1000);
  /** Uses that the database was told of, by key and address: until when it need not hear of the next. */
  readonly #noted = new Lru<string, number>(1000);

  constructor(readonly services: { config: Config; database: Doors }) {}

  /** The key's session. Fails with `auth.required` for a key that is not good. */
  async sessionFor(key: string, origin: Origin = {}): Promise<Session> {
    const digest = await digestOf(key);
    const session = await this.#sessionBy(key, digest, origin);
    await this.#note(digest, session, origin);
    return session;
  }

  async #note(digest: string, { tenantId, budget }: Session, origin: Origin): Promise<void> {
    const use = `${digest} ${origin["x-forwarded-for"] ?? ""}`;
    if ((this.#noted.get(use) ?? 0) > Date.now()) return;
    this.#noted.set(use, Date.now() + knownFor);
    const args = { tenant_id: tenantId, api_key: budget.apiKey };
    try {
      await this.services.database.asService(origin).rpc<boolean>("api_keys_used", args);
    } catch (error) {
      this.#noted.delete(use);
      throw error;
    }
  }

  async #sessionBy(key: string, digest: string, origin: Origin): Promise<Session> {
    const known = this.#known.get(digest);
    if (known && known.until > Date.now()) return await known.session;
    // Requests that come while it is opened wait for it.
    const entry: Known = { session: this.#open(key, digest, origin), until: Infinity };
    this.#known.set(digest, entry);
    try {
      const session = await entry.session;
      entry.until = session.until;
      return session;
    } catch (error) {
      this.#known.delete(digest);
      throw error;
    }
  }

  /** The access token of that session, looked up at this moment. */
  async freshTokenFor(key: string, origin?: Origin): Promise<string> {
    this.#known.delete(await digestOf(key));
    return (await this.sessionFor(key, origin)).token;
  }

  async #open(key: string, digest: string, origin: Origin): Promise<Session> {
    const database = this.services.database.asService(origin);
    const opened = await database.rpc<Opened>("api_keys_open", { digest });
    const seal = await Seal.of(key, opened.id);
    const shared = opened.sealed === null ? undefined : await seal.open(opened.sealed);
    const token = shared ?? await this.#begin(opened, seal, origin);
    return {
      token,
      until: Math.min(Date.now() + knownFor, expiryOf(token) - 60_000),
      tenantId: opened.tenant_id,
      budget: { apiKey: opened.id, perMinute: opened.requests_per_minute },
    };
  }

  async #begin(opened: Opened, seal: Seal, origin: Origin): Promise<string> {
    const { access_token } = await sessionFor(this.services, opened.person, {
      purpose: "api_key",
      bounds: {
        label: opened.name,
        tenant_id: opened.tenant_id,
        permissions: opened.permissions,
        read_only: opened.read_only,
        expires_at: opened.session_until,
      },
      factor: "delegated",
    }, origin);
    const good = await this.services.database.asService(origin).rpc<boolean>("api_keys_opened", {
      tenant_id: opened.tenant_id,
      api_key: opened.id,
      session: decodeJwt(access_token).session_id,
      sealed: await seal.close(access_token),
      good_until: new Date(expiryOf(access_token)).toISOString(),
    });
    if (!good) throw new ProblemError("auth.required");
    return access_token;
  }
}

const expiryOf = (token: string): number => decodeJwt(token).exp! * 1000;

/** Tokens of sessions as they are, and API keys by the sessions they open. */
export const withApiKeys = (tokens: Tokens, keys: ApiKeys): Tokens => ({
  async verify(bearer, origin) {
    if (!bearer.startsWith(prefix)) return await tokens.verify(bearer);
    if (!isApiKey(bearer)) {
      throw new ProblemError("auth.required", { detail: "The API key is not one of ours." });
    }
    const { token, budget } = await keys.sessionFor(bearer, origin);
    return { ...await tokens.verify(token), budget };
  },
});

/** AES-256-GCM under a key made of the API key: nobody opens it who has not got that. */
class Seal {
  private constructor(readonly key: CryptoKey, readonly about: Uint8Array<ArrayBuffer>) {}

  static async of(apiKey: string, id: string): Promise<Seal> {
    const text = new TextEncoder();
    const material = await crypto.subtle.importKey("raw", text.encode(apiKey), "HKDF", false, [
      "deriveKey",
    ]);
    const key = await crypto.subtle.deriveKey(
      { name: "HKDF", hash: "SHA-256", salt: new Uint8Array(), info: text.encode("session") },
      material,
      { name: "AES-GCM", length: 256 },
      false,
      ["encrypt", "decrypt"],
    );
    return new Seal(key, text.encode(id));
  }

  async close(token: string): Promise<string> {
    const iv = crypto.getRandomValues(new Uint8Array(12));
    const plain = new TextEncoder().encode(token);
    const sealed = await crypto.subtle.encrypt(
      { name: "AES-GCM", iv, additionalData: this.about },
      this.key,
      plain,
    );
    return Buffer.concat([iv, new Uint8Array(sealed)]).toString("base64url");
  }

  async open(text: string): Promise<string> {
    const bytes = Uint8Array.from(Buffer.from(text, "base64url"));
    const plain = await crypto.subtle.decrypt(
      { name: "AES-GCM", iv: bytes.subarray(0, 12), additionalData: this.about },
      this.key,
      bytes.subarray(12),
    );
    return new TextDecoder().decode(plain);
  }
}
