import { createHash } from "node:crypto";
import { ProblemError } from "../errors/problem.ts";
import { describeError } from "../log.ts";
import type { Services } from "../services.ts";
import { isCommonPassword } from "./common_passwords.ts";

/** As `minimum_password_length` of config.toml, by which Auth judges who asks it directly. */
export const shortestPassword = 8;

/** bcrypt reads no further: what came after would be a part that only seems to count. */
export const longestPasswordBytes = 72;

/** As `password_requirements` of config.toml. */
const wanted: [what: string, pattern: RegExp][] = [
  ["a small letter", /[a-z]/],
  ["a capital letter", /[A-Z]/],
  ["a digit", /\d/],
];

const bytesOf = (text: string) => new TextEncoder().encode(text).length;

/** What is wrong with a password for this address, as far as it is known; undefined when nothing is. */
export function passwordFault(password: string, email?: string): string | undefined {
  if ([...password].length < shortestPassword) {
    return `It has at least ${shortestPassword} characters.`;
  }
  if (bytesOf(password) > longestPasswordBytes) {
    return `It has at most ${longestPasswordBytes} bytes.`;
  }
  const missing = wanted.filter(([, pattern]) => !pattern.test(password)).map(([what]) => what);
  if (missing.length > 0) return `It lacks ${missing.join(" and ")}.`;
  if (isCommonPassword(password)) return "It is among the first that anybody would try.";
  return email && holdsAddress(password.toLowerCase(), email.toLowerCase())
    ? "It contains the mail address."
    : undefined;
}

function holdsAddress(password: string, email: string): boolean {
  const [name = ""] = email.split("@");
  return password.includes(email) || (name.length > 3 && password.includes(name));
}

type Needed = Pick<Services, "callProvider" | "config" | "log">;

/**
 * The one rule for a new password, wherever it is chosen. Ends as `accounts.password_weak`. Whether
 * it was breached is asked where the project names somebody to ask, who learns five hexadecimal
 * digits of its SHA-1; no answer from there stops nobody.
 */
export async function requireGoodPassword(
  services: Needed,
  password: string,
  email?: string,
): Promise<void> {
  const fault = passwordFault(password, email);
  if (fault) throw new ProblemError("accounts.password_weak", { detail: fault });
  if (!await isBreached(services, password)) return;
  throw new ProblemError("accounts.password_weak", {
    detail: "It was among the passwords that were stolen elsewhere.",
  });
}

async function isBreached({ callProvider, config, log }: Needed, password: string) {
  const { breachUrl } = config.accounts;
  if (!breachUrl) return false;
  const digest = createHash("sha1").update(password).digest("hex").toUpperCase();
  try {
    const response = await callProvider(
      `${breachUrl}/range/${digest.slice(0, 5)}`,
      { headers: { "add-padding": "true" } },
      { name: "password_breaches", timeout: 1_500 },
    );
    if (!response.ok) throw new Error(`answered ${response.status}`);
    return holds(await response.text(), digest.slice(5));
  } catch (error) {
    log("warn", "breached passwords cannot be asked for", describeError(error));
    return false;
  }
}

/** Lines of `<rest of the digest>:<count>`; padding has the count 0. */
function holds(list: string, rest: string): boolean {
  return list.split("\n").some((line) => {
    const [suffix, count] = line.trim().split(":");
    return suffix?.toUpperCase() === rest && Number(count) > 0;
  });
}
