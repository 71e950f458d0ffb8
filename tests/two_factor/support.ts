import assert from "node:assert/strict";
import { generateSync } from "otplib";
import { createApp } from "../../functions/api/app.ts";
import { callApi, tokenOf } from "../support/api.ts";
import { admin, createPerson, type Person, randomAddress } from "../support/clients.ts";
import { withDatabase } from "../support/database.ts";
import { createTestServices } from "../support/services.ts";
import { getStack } from "../support/stack.ts";

/** How a test reaches the routes: over the stack, or in a function of its own with other keys. */
export type Api = (path: string, token: string, body?: unknown) => Promise<Response>;

export const overStack: Api = (path, token, body) =>
  callApi(`/v1/2fa${path}`, { token, method: path === "/status" ? "GET" : "POST", body });

/** The function as it starts with this environment, in front of the stack's database. */
export function startFunction(env: Record<string, string>): Api {
  const { url, publishableKey, secretKey } = getStack();
  const { services } = createTestServices({
    SUPABASE_URL: url,
    SUPABASE_PUBLISHABLE_KEYS: JSON.stringify({ default: publishableKey }),
    SUPABASE_SECRET_KEYS: JSON.stringify({ default: secretKey }),
    ...env,
  });
  const app = createApp(services);
  return async (path, token, body) =>
    await app.request(`/api/v1/2fa${path}`, {
      method: path === "/status" ? "GET" : "POST",
      headers: {
        authorization: `Bearer ${token}`,
        "x-forwarded-for": randomAddress(),
        ...(body === undefined ? {} : { "content-type": "application/json" }),
      },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    });
}

/** A key of a ring, as the configuration writes it. */
export const newKey = (name: string): string =>
  `${name}:${crypto.getRandomValues(new Uint8Array(32)).toBase64()}`;

/** What the person's app shows now, or so many steps from now. */
export const codeOf = (secret: string, steps = 0): string =>
  generateSync({ secret, epoch: Math.floor(Date.now() / 1000) + steps * 30 });

/** A code that is right at no time near. */
export function wrongCode(secret: string): string {
  const near = [-2, -1, 0, 1, 2].map((steps) => codeOf(secret, steps));
  return ["000000", "111111", "222222", "333333", "444444", "555555"]
    .find((code) => !near.includes(code))!;
}

/** The body of an answer that has to be good. */
export async function read<T = Record<string, unknown>>(response: Promise<Response>): Promise<T> {
  const answer = await response;
  const body = await answer.json();
  assert.equal(answer.status, 200, JSON.stringify(body));
  return body;
}

/** Lets the codes of steps that were used be used again, so that a test need not wait for the next. */
export async function forgetSteps({ id }: Pick<Person, "id">): Promise<void> {
  await withDatabase((sql) =>
    sql`update private.two_factor_enrolments set last_step = 0 where person_id = ${id}`
  );
}

export interface Enrolled extends Person {
  secret: string;
  backupCodes: string[];
}

/** Sets up an app for the person; their present session is verified by that. */
export async function enrol(person: Person, api: Api = overStack): Promise<Enrolled> {
  const token = await tokenOf(person);
  const { secret } = await read<{ secret: string }>(api("/setup", token));
  const verified = await read<{ confirmed: boolean; backup_codes: string[] }>(
    api("/verify", token, { code: codeOf(secret) }),
  );
  assert.equal(verified.confirmed, true);
  await forgetSteps(person);
  return { ...person, secret, backupCodes: verified.backup_codes };
}

export const createEnrolled = async (api: Api = overStack): Promise<Enrolled> =>
  await enrol(await createPerson(), api);

/** Takes back the moment at which the person's sessions gave their factor. */
export async function ageFactors({ id }: Pick<Person, "id">, interval: string): Promise<void> {
  await withDatabase((sql) =>
    sql`update private.trust_sessions set verified_at = now() - ${interval}::interval
      where person_id = ${id}`
  );
}

/** Counts the failures of a list of answers by code. */
export async function outcomes(answers: Response[]): Promise<Record<string, number>> {
  const codes = await Promise.all(
    answers.map(async (answer) => answer.ok ? "ok" : (await answer.json()).code as string),
  );
  return Object.fromEntries(
    [...Map.groupBy(codes, (code) => code)].map(([code, list]) => [code, list.length]),
  );
}

/** Starts the tries of a person anew. */
export const forgetTries = async ({ id }: Pick<Person, "id">): Promise<void> => {
  const { error } = await admin().rpc("limits_forget", { key: `two_factor:${id}` });
  assert.equal(error, null);
};
