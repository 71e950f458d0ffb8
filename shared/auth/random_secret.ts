import { Buffer } from "node:buffer";

/** 256 random bits as text that fits anywhere. */
export const randomSecret = (): string =>
  Buffer.from(crypto.getRandomValues(new Uint8Array(32))).toString("base64url");

/** What is kept of such a secret: SHA-256 in hex. With that many random bits it needs no salt. */
export async function digestOf(secret: string): Promise<string> {
  const digest = await crypto.subtle.digest("SHA-256", new TextEncoder().encode(secret));
  return Buffer.from(digest).toString("hex");
}
