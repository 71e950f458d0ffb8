import { timingSafeEqual } from "node:crypto";
import type { Secret } from "../secret.ts";

const digest = async (text: string) =>
  new Uint8Array(await crypto.subtle.digest("SHA-256", new TextEncoder().encode(text)));

/** Whether the request carries a secret key of the project, as `apikey` or as bearer. */
export async function hasSecretKey(headers: Headers, keys: readonly Secret[]): Promise<boolean> {
  const bearer = headers.get("authorization")?.replace(/^bearer\s+/i, "");
  const given = [headers.get("apikey"), bearer].filter((key) => typeof key === "string");
  const expected = await Promise.all(keys.map((key) => digest(key.reveal())));
  const digests = await Promise.all(given.map(digest));
  // Digests have one length, so comparing them takes the same time whatever was given.
  return digests.some((a) => expected.some((b) => timingSafeEqual(a, b)));
}
