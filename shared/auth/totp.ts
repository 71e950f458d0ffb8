import encodeQr from "qr";
import { generateURI, ScureBase32Plugin, verifySync } from "otplib";

/** RFC 6238 as every authenticator app knows it: HMAC-SHA-1, six digits, steps of 30 seconds. */
const period = 30;

/** RFC 4226 §4 asks for 160 bits. */
const secretBytes = 20;

const base32 = new ScureBase32Plugin();

export const createTotpSecret = (): Uint8Array<ArrayBuffer> =>
  crypto.getRandomValues(new Uint8Array(secretBytes));

/** What an encrypted secret is bound to. */
export const secretAbout = (person: string): string => `two_factor:${person}`;

/**
 * The time step that a code belongs to: the present one, or one to either side, since clocks differ
 * and people type slowly. Undefined for a code of no such step. A step counts once, which is for the
 * caller to see to.
 */
export function totpStep(secret: Uint8Array, code: string, now = Date.now()): number | undefined {
  const result = verifySync({
    secret,
    token: code,
    period,
    epoch: Math.floor(now / 1000),
    // In seconds: whoever is less than a step away is at most one step off.
    epochTolerance: period,
  });
  return result.valid && "timeStep" in result ? result.timeStep : undefined;
}

/** What the person's app is shown: the secret to type, and the same as a link and as a picture. */
export function totpEnrolment(secret: Uint8Array, issuer: string, label: string) {
  const text = base32.encode(secret);
  const uri = generateURI({ issuer, label, secret: text, period });
  return {
    secret: text,
    otpauth_uri: uri,
    qr_svg: encodeQr(uri, "svg", { ecc: "low", border: 4 }),
  };
}
