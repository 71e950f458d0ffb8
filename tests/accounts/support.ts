import assert from "node:assert/strict";
import { type Call, callApi, tokenOf } from "../support/api.ts";
import { anonymous, type Person, randomAddress } from "../support/clients.ts";
import { codeIn, mailsTo, mailTo } from "../support/mail.ts";
import { until } from "../support/wait.ts";

export const password = "Correct-horse-7";

export const newEmail = (): string => `${crypto.randomUUID()}@nexus.test`;

export interface Tokens {
  access_token: string;
  refresh_token: string;
  two_factor_required?: boolean;
}

/** Posts to a route of `/auth`, from an address of its own unless told otherwise. */
export const post = (path: string, body: unknown, options: Call = {}): Promise<Response> =>
  callApi(`/v1/auth${path}`, { method: "POST", body, ...options });

/** As `post`, from this address of the network. */
export const postFrom = (address: string, path: string, body: unknown): Promise<Response> =>
  post(path, body, { headers: { "x-forwarded-for": address } });

/** Asserts the status and code of an answer. */
export async function assertAnswer(response: Promise<Response>, status: number, code?: string) {
  const answer = await response;
  const text = await answer.text();
  assert.deepEqual([answer.status, text ? JSON.parse(text).code : undefined], [status, code], text);
  return answer;
}

export const register = (fields: Record<string, unknown> = {}): Promise<Response> =>
  post("/register", { email: newEmail(), password, display_name: "Ana", ...fields });

/** The token in the link of a mail. */
export function tokenIn({ text }: { text: string }): string {
  const [, token] = /#token=([0-9a-f]{64})\b/.exec(text) ?? [];
  if (!token) throw new Error(`no token in: ${text}`);
  return token;
}

/** The newest mail of a template to an address, once there are so many of them. */
export async function newestMail(address: string, template: string, count = 1) {
  const name = template.replaceAll(/[^\w-]/g, "_");
  const mails = await until(async () => {
    const found = (await mailsTo(address))
      .filter(({ tags }) => tags.some(({ value }) => value === name));
    return found.length >= count ? found : undefined;
  }, { timeout: 10_000, every: 50, message: `${count} × ${template} to ${address}` });
  return mails[0]!;
}

/** Registers somebody and proves their address; they have signed in nowhere yet. */
export async function createAccount(fields: Record<string, unknown> = {}): Promise<string> {
  const email = newEmail();
  await assertAnswer(register({ email, ...fields }), 202);
  const token = tokenIn(await mailTo(email, "accounts.verification"));
  await assertAnswer(post("/verify-email", { token }), 204);
  return email;
}

export async function login(email: string, fields: Record<string, unknown> = {}): Promise<Tokens> {
  const response = await post("/login", { email, password, ...fields });
  const body = await response.json();
  assert.equal(response.status, 200, JSON.stringify(body));
  return body;
}

/** A client that goes on with the tokens of an answer. */
export async function clientOf({ access_token, refresh_token }: Tokens) {
  const client = anonymous();
  const { error } = await client.auth.setSession({ access_token, refresh_token });
  assert.equal(error, null);
  return client;
}

/** A registered person, signed in. */
export async function createAccountHolder(): Promise<Person & { token: string }> {
  const email = await createAccount();
  const client = await clientOf(await login(email));
  const { data } = await client.auth.getUser();
  const person = { id: data.user!.id, email, password, client };
  return { ...person, token: await tokenOf(person) };
}

/** Proves the session of a token by password. */
export const reauthenticate = (token: string, proof: Record<string, unknown> = { password }) =>
  post("/reauthenticate", proof, { token });

export const codeFrom = async (address: string, template: string, count = 1): Promise<string> =>
  codeIn(await newestMail(address, template, count));

export { randomAddress };
