import assert from "node:assert/strict";
import { callApi, tokenOf } from "../support/api.ts";
import type { Person } from "../support/clients.ts";
import { withDatabase } from "../support/database.ts";

export const grantType = "urn:ietf:params:oauth:grant-type:device_code";

export interface Codes {
  device_code: string;
  user_code: string;
  verification_uri: string;
  verification_uri_complete: string;
  expires_in: number;
  interval: number;
}

/** A device that begins to sign in to the tenant. */
export async function begin(tenant: string, client_id = "Station 7"): Promise<Codes> {
  const answer = await callApi("/v1/auth/device/code", { body: { client_id, tenant } });
  const body = await answer.json();
  assert.equal(answer.status, 200, JSON.stringify(body));
  return body;
}

export const ask = (device_code: string, client_id = "Station 7", grant_type = grantType) =>
  callApi("/v1/auth/device/token", { body: { grant_type, device_code, client_id } });

/** What a device that asks is told: the error of the RFC, or its tokens. */
export async function poll(codes: Pick<Codes, "device_code">, client_id?: string) {
  const answer = await ask(codes.device_code, client_id);
  const body = await answer.json();
  assert.equal(answer.status, "error" in body ? 400 : 200, JSON.stringify(body));
  return body;
}

/** What a device that asks for its next session is told. */
export async function renew(
  { refresh_token }: { refresh_token: string },
  client_id = "Station 7",
) {
  const body = { grant_type: "refresh_token", refresh_token, client_id };
  const answer = await callApi("/v1/auth/device/token", { body });
  const told = await answer.json();
  assert.equal(answer.status, "error" in told ? 400 : 200, JSON.stringify(told));
  return told;
}

/** A device that a person has let in to the tenant: its tokens. */
export async function letIn(person: Pick<Person, "client">, tenant: { slug: string }) {
  const codes = await begin(tenant.slug);
  assert.equal((await decide(person, codes.user_code)).status, 200);
  return await poll(codes);
}

/** Lets the device poll again at once, as if it had waited. */
export const wait = ({ user_code }: Codes) =>
  withDatabase((sql) =>
    sql`update private.device_codes set polled_at = polled_at - interval '1 hour'
      where user_code = ${user_code.replace("-", "")}`
  );

export async function decide(person: Pick<Person, "client">, user_code: string, what = "approve") {
  const token = await tokenOf(person);
  return await callApi(`/v1/auth/device/${what}`, { token, body: { user_code } });
}
