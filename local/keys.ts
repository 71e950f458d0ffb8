import { calculateJwkThumbprint, exportJWK, generateKeyPair, type JWK } from "jose";
import { join } from "./paths.ts";
import { signToken } from "./tokens.ts";

/** The project's keys: made once per home, kept in `keys.json` (mode 0600), never in the repository. */
export interface Keys {
  publishable: string;
  secret: string;
  signing: JWK & { kid: string };
  /** Legacy key pair: long-lived tokens for the roles `anon` and `service_role`. */
  anon: string;
  serviceRole: string;
  /** Where set, HS256 tokens signed with it are accepted too, as on projects that still have a shared secret. */
  jwtSecret: string | undefined;
  issuer: string;
}

type Stored = Pick<Keys, "publishable" | "secret" | "signing">;

const tenYears = 10 * 365 * 24 * 3600;

/** Loads or makes the keys of `home`; `issuer` is `<api url>/auth/v1`. */
export async function loadKeys(
  home: string,
  issuer: string,
  jwtSecret: string | undefined = Deno.env.get("JWT_SECRET"),
): Promise<Keys> {
  const stored = await readStored(join(home, "keys.json"));
  const keys: Keys = { ...stored, anon: "", serviceRole: "", jwtSecret, issuer };
  const iat = Math.floor(Date.now() / 1000);
  const legacy = (role: string) =>
    signToken(keys, { iss: "supabase", role, iat, exp: iat + tenYears }, {
      legacy: jwtSecret !== undefined,
    });
  [keys.anon, keys.serviceRole] = await Promise.all([legacy("anon"), legacy("service_role")]);
  return keys;
}

async function readStored(file: string): Promise<Stored> {
  try {
    return JSON.parse(await Deno.readTextFile(file));
  } catch (error) {
    if (!(error instanceof Deno.errors.NotFound)) throw error;
  }
  const { privateKey } = await generateKeyPair("ES256", { extractable: true });
  const signing = { ...(await exportJWK(privateKey)), alg: "ES256", use: "sig" };
  const kid = await calculateJwkThumbprint(signing);
  const stored: Stored = {
    publishable: `sb_publishable_${randomText()}`,
    secret: `sb_secret_${randomText()}`,
    signing: { ...signing, kid },
  };
  await Deno.writeTextFile(file, JSON.stringify(stored, null, 2), { mode: 0o600 });
  return stored;
}

function randomText(): string {
  const bytes = crypto.getRandomValues(new Uint8Array(24));
  return btoa(String.fromCharCode(...bytes)).replaceAll("+", "-").replaceAll("/", "_");
}

/** The JWKS that hosted publishes at `/auth/v1/.well-known/jwks.json`: public parts only. */
export function publicJwks(keys: Keys): { keys: JWK[] } {
  const { d: _private, ...jwk } = keys.signing;
  return { keys: [{ ...jwk, key_ops: ["verify"], ext: true }] };
}
