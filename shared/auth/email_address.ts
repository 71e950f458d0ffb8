import { z } from "@hono/zod-openapi";

const longest = 254;

/** As Supabase Auth takes it: ASCII, one `@`, labels of a domain. */
const pattern =
  /^[a-z0-9.!#$%&'*+/=?^_`{|}~-]+@[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?(?:\.[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?)+$/;

/** One spelling for each address: small letters, and a domain of other letters in Punycode. */
export function normaliseAddress(text: string): string {
  const address = text.normalize("NFKC").trim().toLowerCase();
  const at = address.lastIndexOf("@");
  const domain = address.slice(at + 1);
  if (at < 1 || !/[^\0-\x7f]/.test(domain) || !URL.canParse(`http://${domain}`)) return address;
  return `${address.slice(0, at)}@${new URL(`http://${domain}`).hostname}`;
}

/** A mail address in a request, normalised. */
export const emailAddress = () =>
  z.string().max(longest * 2).transform(normaliseAddress)
    .refine((address) => address.length <= longest && pattern.test(address), "Not a mail address")
    .openapi({ type: "string", format: "email", maxLength: longest, example: "ana@example.org" });
