import assert from "node:assert/strict";
import { randomAddress } from "./clients.ts";
import { getStack } from "./stack.ts";

/** What Supabase Auth does for whoever holds a token of a session it knows. */
const asked: [path: string, method: string, body?: unknown][] = [
  ["/user", "GET"],
  ["/user", "PUT", { password: "Taken-over-1" }],
  ["/user", "PUT", { email: "taken-over@nexus.test" }],
  ["/user/identities/authorize?provider=github", "GET"],
  ["/factors", "POST", { factor_type: "totp", friendly_name: "Mine" }],
  ["/reauthenticate", "GET"],
  ["/logout?scope=global", "POST"],
];

/** That none of it is done for this token. */
export async function assertAuthRefuses(t: Deno.TestContext, token: string): Promise<void> {
  const { url, publishableKey } = getStack();
  for (const [path, method, body] of asked) {
    await t.step(`${method} ${path} ${JSON.stringify(body ?? "")}`, async () => {
      const response = await fetch(`${url}/auth/v1${path}`, {
        method,
        headers: {
          apikey: publishableKey,
          authorization: `Bearer ${token}`,
          "content-type": "application/json",
          "x-forwarded-for": randomAddress(),
        },
        ...(body === undefined ? {} : { body: JSON.stringify(body) }),
      });
      await response.body?.cancel();
      assert.ok(response.status >= 400, String(response.status));
    });
  }
}
