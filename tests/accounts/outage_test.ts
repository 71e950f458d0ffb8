import assert from "node:assert/strict";
import { createApp } from "../../functions/api/app.ts";
import { createPerson, randomAddress } from "../support/clients.ts";
import { withDatabase } from "../support/database.ts";
import { createTestServices } from "../support/services.ts";
import { getStack } from "../support/stack.ts";

const json = (status: number, code: string) => Response.json({ code }, { status });

const failures: Record<string, { answer(): Response | Promise<Response>; expected: unknown[] }> = {
  "Auth is down": { answer: () => json(503, "unexpected_failure"), expected: [503, "unavailable"] },
  "Auth has no time": {
    answer: () => json(429, "over_request_rate_limit"),
    expected: [429, "limits.exceeded"],
  },
  "Auth knows the project no more": {
    answer: () => json(422, "email_provider_disabled"),
    expected: [500, "internal"],
  },
};

/** The function api, with this in the place of Auth's sign-in. */
async function withAuth(
  answer: () => Response | Promise<Response>,
  work: (login: (address: string, password: string) => Promise<unknown[]>) => Promise<void>,
  email: string,
) {
  const { url, publishableKey, secretKey } = getStack();
  await using proxy = Deno.serve(
    { port: 0, hostname: "127.0.0.1", onListen() {} },
    (request) => {
      const { pathname, search } = new URL(request.url);
      if (pathname === "/auth/v1/token") return answer();
      return fetch(`${url}${pathname}${search}`, request);
    },
  );
  const { services } = createTestServices({
    SUPABASE_URL: `http://127.0.0.1:${proxy.addr.port}`,
    SUPABASE_PUBLISHABLE_KEYS: JSON.stringify({ default: publishableKey }),
    SUPABASE_SECRET_KEYS: JSON.stringify({ default: secretKey }),
  });
  const app = createApp(services);
  await work(async (address, password) => {
    const response = await app.request("/api/v1/auth/login", {
      method: "POST",
      headers: { "content-type": "application/json", "x-forwarded-for": address },
      body: JSON.stringify({ email, password }),
    });
    return [response.status, (await response.json()).code];
  });
}

const countsOf = (email: string, address: string) =>
  withDatabase(async (sql) => {
    const [row] = await sql`
      select (select sum(used)::int from private.limits_attempts where key in (
          private.accounts_attempt_key('login', 'address', ${email}, null),
          private.accounts_attempt_key('login', 'ip', null, ${address})
        )) as attempts,
        (select failures from private.accounts_failures
          where address_key = private.accounts_address_key(${email})) as failures`;
    return { ...row };
  });

for (const [name, { answer, expected }] of Object.entries(failures)) {
  Deno.test(`A7: nobody has failed where ${name}, for an account, a client and the hundred`, async () => {
    const { email, password } = await createPerson();
    const address = randomAddress();
    await withAuth(answer, async (login) => {
      for (let count = 0; count < 6; count++) {
        assert.deepEqual(await login(address, password), expected);
      }
    }, email);
    assert.deepEqual(await countsOf(email, address), { attempts: 0, failures: 0 });
  });
}
