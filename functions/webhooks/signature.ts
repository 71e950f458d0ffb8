import { Buffer } from "node:buffer";
import { createHmac, timingSafeEqual } from "node:crypto";
import { ProblemError } from "shared/errors/problem.ts";
import type { Secret } from "shared/secret.ts";

/** Seconds that a call may be old, or ahead of our clock. */
const tolerance = 300;

/**
 * Verifies a call after Standard Webhooks and gives its id, which is good for one use only.
 * Everything that is wrong with it is refused in one way, so that nobody learns how far they came.
 * Svix, which calls for Resend, signs the same under names of its own.
 */
export function verifySignature(
  secrets: readonly Secret[],
  headers: Headers,
  body: string,
  prefix: "webhook" | "svix" = "webhook",
): string {
  const id = headers.get(`${prefix}-id`) ?? "";
  const timestamp = headers.get(`${prefix}-timestamp`) ?? "";
  if (!/^[\w.-]{1,200}$/.test(id)) refuse("no usable webhook-id");
  checkTime(/^\d{1,12}$/.test(timestamp) ? Number(timestamp) : NaN);
  const given = (headers.get(`${prefix}-signature`) ?? "").split(/[ ,]+/);
  const signed = `${id}.${timestamp}.${body}`;
  const expected = secrets.map((secret) =>
    createHmac("sha256", Buffer.from(secret.reveal(), "base64")).update(signed).digest()
  );
  const matches = given.some((signature) => {
    const bytes = Buffer.from(signature, "base64");
    return expected.some((hmac) => bytes.length === hmac.length && timingSafeEqual(bytes, hmac));
  });
  if (!matches) refuse(secrets.length === 0 ? "no secret is configured" : "no signature fits");
  return id;
}

/**
 * Refuses what was not signed just now, or is older than `oldest` seconds. Takes seconds since 1970.
 */
export function checkTime(signedAt: number, oldest = tolerance): void {
  const age = Date.now() / 1000 - signedAt;
  if (!(age <= oldest && -age <= tolerance)) refuse("the timestamp is not of now");
}

/** The reason is for our log alone. */
export function refuse(reason: string): never {
  throw new ProblemError("webhooks.signature_refused", { cause: new Error(reason) });
}
