import assert from "node:assert/strict";
import { type Person, randomAddress } from "./clients.ts";
import { getStack } from "./stack.ts";

export interface Call {
  method?: string;
  token?: string;
  headers?: Record<string, string>;
  /** Sent as JSON, unless it is text or bytes already. */
  body?: unknown;
}

/** Calls a route of the function `api` as an app would, from an address of its own. */
export function callApi(path: string, { method, token, headers, body }: Call = {}) {
  return fetch(`${getStack().url}/functions/v1/api${path}`, {
    method: method ?? (body === undefined ? "GET" : "POST"),
    headers: {
      "x-forwarded-for": randomAddress(),
      ...(token === undefined ? {} : { authorization: `Bearer ${token}` }),
      ...(body === undefined ? {} : { "content-type": "application/json" }),
      ...headers,
    },
    ...(body === undefined ? {} : { body: isSendable(body) ? body : JSON.stringify(body) }),
  });
}

const isSendable = (body: unknown): body is string | ArrayBuffer =>
  typeof body === "string" || body instanceof ArrayBuffer;

/** The access token of a person's present session. */
export async function tokenOf({ client }: Pick<Person, "client">): Promise<string> {
  const { data } = await client.auth.getSession();
  assert.ok(data.session);
  return data.session.access_token;
}

/** Asserts that an answer is this problem in its full form, and returns the body. */
export async function assertProblem(response: Response, status: number, code: string) {
  const body = await response.json();
  assert.deepEqual([response.status, body.code], [status, code]);
  assert.equal(response.headers.get("content-type"), "application/problem+json");
  assert.equal(body.status, status);
  assert.equal(body.type, `urn:nexus:error:${code}`);
  assert.equal(body.request_id, response.headers.get("x-request-id"));
  return body;
}
