import { createHmac } from "node:crypto";
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

/** What is kept: the legacy pair as first signed, or clients that hold it would be out at a restart. */
type Stored = Pick<Keys, "publishable" | "secret" | "signing" | "anon" | "serviceRole"> & {
  made: number;
};

const tenYears = 10 * 365 * 24 * 3600;

/** Loads or makes the keys of `home`; `issuer` is `<api url>/auth/v1`. */
export async function loadKeys(
  home: string,
  issuer: string,
  jwtSecret: string | undefined = Deno.env.get("JWT_SECRET"),
): Promise<Keys> {
  const { made, ...stored } = await readStored(join(home, "keys.json"));
  const keys = { ...stored, jwtSecret, issuer };
  return jwtSecret === undefined ? keys : { ...keys, ...await legacyPair(keys, made, true) };
}

async function readStored(file: string): Promise<Stored> {
  try {
    return JSON.parse(await Deno.readTextFile(file));
  } catch (error) {
    if (!(error instanceof Deno.errors.NotFound)) throw error;
  }
  const { privateKey } = await generateKeyPair("ES256", { extractable: true });
  const signing = { ...(await exportJWK(privateKey)), alg: "ES256", use: "sig" };
  const keys = {
    publishable: `sb_publishable_${randomText()}`,
    secret: `sb_secret_${randomText()}`,
    signing: { ...signing, kid: await calculateJwkThumbprint(signing) },
  };
  const made = Math.floor(Date.now() / 1000);
  const stored = { ...keys, made, ...await legacyPair(keys, made, false) };
  // Whole or not at all: keys cut short by a crash would lock everybody out.
  await Deno.writeTextFile(`${file}.new`, JSON.stringify(stored, null, 2), { mode: 0o600 });
  await Deno.rename(`${file}.new`, file);
  return stored;
}

async function legacyPair(
  keys: Pick<Keys, "signing"> & Partial<Pick<Keys, "jwtSecret">>,
  iat: number,
  legacy: boolean,
): Promise<Pick<Keys, "anon" | "serviceRole">> {
  const sign = (role: string) =>
    signToken(keys, { iss: "supabase", role, iat, exp: iat + tenYears }, { legacy });
  const [anon, serviceRole] = await Promise.all([sign("anon"), sign("service_role")]);
  return { anon, serviceRole };
}

function randomText(): string {
  const bytes = crypto.getRandomValues(new Uint8Array(24));
  return btoa(String.fromCharCode(...bytes)).replaceAll("+", "-").replaceAll("/", "_");
}

/** 32 secret bytes that are as old as the home's keys, and need no place of their own. */
export const derive = ({ secret }: Pick<Keys, "secret">, purpose: string) =>
  createHmac("sha256", secret).update(purpose).digest();

/** The key ring of authenticator secrets: the same at every start, or nobody could sign in again. */
export const twoFactorKeys = (keys: Pick<Keys, "secret">): string =>
  `local:${derive(keys, "two_factor").toString("base64")}`;

/** The JWKS that hosted publishes at `/auth/v1/.well-known/jwks.json`: public parts only. */
export function publicJwks(keys: Keys): { keys: JWK[] } {
  const { d: _private, ...jwk } = keys.signing;
  return { keys: [{ ...jwk, key_ops: ["verify"], ext: true }] };
}
