import type { HonoRequest } from "hono";
import { createMiddleware } from "hono/factory";
import { ProblemError } from "../errors/problem.ts";
import type { Env, ForOperators, InTenant, SignedIn } from "../http/env.ts";
import { originOf } from "../http/origin.ts";
import { hasSecretKey } from "./secret_key.ts";

const bearer = /^bearer +(\S+)$/i;

async function identify(request: HonoRequest, variables: Env["Variables"]) {
  const token = bearer.exec(request.header("authorization") ?? "")?.[1];
  if (token === undefined) throw new ProblemError("auth.required");
  const { tokens, database } = variables.services;
  const origin = originOf(request, variables);
  const caller = await tokens.verify(token, origin);
  // An API key speaks by the token of the session it opened.
  return { caller, database: database.asCaller(caller.token, origin) };
}

/**
 * For routes of signed-in people: verifies the token and opens the database with the caller's
 * rights. Whether the session is still trusted is answered by the RPC the route calls, so that
 * trust costs no trip of its own; a route that calls none goes behind `inTenant`.
 */
export const signedIn = createMiddleware<SignedIn>(async (c, next) => {
  const { caller, database } = await identify(c.req, c.var);
  c.set("caller", caller);
  c.set("database", database);
  await next();
});

interface Session {
  tenant_id: string;
  role: string;
}

/**
 * After `signedIn`, for routes within a tenant: asks the database whether the session is trusted,
 * and which membership the `Nexus-Tenant` header, or else the person's only one, stands for.
 */
export const inTenant = createMiddleware<InTenant>(async (c, next) => {
  const session = await c.var.database.rpc<Session>("people_session", {
    tenant: c.req.header("nexus-tenant") ?? null,
    needs_tenant: true,
  });
  c.set("tenant", { id: session.tenant_id, role: session.role });
  await next();
});

/**
 * For routes of operators: opens the database with the secret key where the request carries one,
 * else with the caller's rights. The RPC that the route calls decides whether a person may.
 */
export const operator = createMiddleware<ForOperators>(async (c, next) => {
  const { config, database } = c.var.services;
  const bySecretKey = await hasSecretKey(c.req.raw.headers, config.secretKeys);
  c.set("bySecretKey", bySecretKey);
  c.set(
    "database",
    bySecretKey
      ? database.asService(originOf(c.req, c.var))
      : (await identify(c.req, c.var)).database,
  );
  await next();
});

/** For routes of machines of the operators: the secret key, and nothing else, opens them. */
export const withSecretKey = createMiddleware<ForOperators>(async (c, next) => {
  const { config, database } = c.var.services;
  if (!await hasSecretKey(c.req.raw.headers, config.secretKeys)) {
    throw new ProblemError("auth.required");
  }
  c.set("bySecretKey", true);
  c.set("database", database.asService(originOf(c.req, c.var)));
  await next();
});
