import { invalid } from "./errors.ts";

const pattern =
  /^[a-zA-Z0-9.!#$%&'*+/=?^_`{|}~-]+@[a-zA-Z0-9](?:[a-zA-Z0-9-]{0,61}[a-zA-Z0-9])?(?:\.[a-zA-Z0-9](?:[a-zA-Z0-9-]{0,61}[a-zA-Z0-9])?)*$/;

/** An address as it is kept: in lower case. */
export function requireEmail(email: string | undefined): string {
  if (!email) throw invalid("An email address is required");
  if (email.length > 255) throw invalid("An email address is too long");
  if (!pattern.test(email)) throw invalid("Unable to validate email address: invalid format");
  return email.toLowerCase();
}
