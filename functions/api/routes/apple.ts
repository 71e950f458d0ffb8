import { createRoute, z } from "@hono/zod-openapi";
import type { HonoRequest } from "hono";
import { databaseErrors, problems } from "shared/errors/openapi.ts";
import type { Env } from "shared/http/env.ts";
import { limited } from "shared/http/limits.ts";
import { originOf } from "shared/http/origin.ts";
import { router } from "shared/http/router.ts";
import { AppleSignIn } from "../apple.ts";
import { notePlaceOf } from "../places.ts";
import { body, bodyErrors, entry, entryErrors, TokensBody } from "./accounts_schemas.ts";

/** Each leaves a row until Apple answers. A café or a campus comes from one address. */
const signIns = limited({ name: "apple", by: "ip", limit: 200, window: 300 });

const Begin = z.object({
  redirect_to: z.url({ protocol: /^https?$/ }).max(2048).openapi({
    description: "The app's page that takes `code` or `error`; its origin is one of the project's",
  }),
  code_challenge: z.string().regex(/^[A-Za-z0-9_-]{43}$/).openapi({
    description: "SHA-256 (base64url) of what the app keeps, and shows at `token` (RFC 7636, S256)",
  }),
});

const AppleAnswer = z.object({
  state: z.string().min(1).max(200),
  code: z.string().min(1).max(2048).optional(),
  error: z.string().max(200).optional(),
  user: z.string().max(4096).optional().openapi({
    description: "JSON with the person's name, at the first sign-in only",
  }),
}).openapi("AppleAnswer");

const Redeem = z.strictObject({
  code: z.string().min(1).max(200),
  code_verifier: z.string().regex(/^[A-Za-z0-9._~-]{43,128}$/),
  tenant: entry,
}).openapi("AppleCode");

const common = { tags: ["apple"], security: [] };
const there = (description: string) => ({
  description,
  headers: { location: { schema: { type: "string" as const, format: "uri" } } },
});

const authorize = createRoute({
  ...common,
  method: "get",
  path: "/authorize",
  operationId: "beginAppleSignIn",
  summary: "Go to Apple to sign in",
  middleware: [signIns] as const,
  request: { query: Begin },
  responses: {
    302: there("To Apple"),
    ...problems(
      "apple.not_configured",
      "apple.redirect_refused",
      "request.invalid",
      ...databaseErrors,
    ),
  },
});

const answered = {
  303: there(
    "To the app, with `code` for `token`, or with `error`: `apple.cancelled`, `apple.refused`, " +
      "`apple.email_required` (Apple has not verified one), `apple.email_unconfirmed` (an account " +
      "has the address and never confirmed it) or `unavailable`",
  ),
};

const callback = createRoute({
  ...common,
  method: "post",
  path: "/callback",
  operationId: "finishAppleSignIn",
  summary: "Apple's answer, posted by the browser from Apple's page",
  description: "No cookie is looked at: the state, which is good once, says which sign-in it is.",
  middleware: [signIns] as const,
  request: {
    body: {
      required: true,
      content: { "application/x-www-form-urlencoded": { schema: AppleAnswer } },
    },
  },
  responses: {
    ...answered,
    ...problems("apple.not_configured", "apple.state_refused", ...bodyErrors, ...databaseErrors),
  },
});

const callbackByLink = createRoute({
  ...common,
  method: "get",
  path: "/callback",
  operationId: "finishAppleSignInByLink",
  summary: "Apple's answer, where it comes in the address",
  middleware: [signIns] as const,
  request: { query: AppleAnswer },
  responses: {
    ...answered,
    ...problems(
      "apple.not_configured",
      "apple.state_refused",
      "request.invalid",
      ...databaseErrors,
    ),
  },
});

const token = createRoute({
  ...common,
  method: "post",
  path: "/token",
  operationId: "redeemAppleCode",
  summary: "A session for the code that came back",
  description: "Within two minutes, once, and only for the app that began. Apple is no second " +
    "factor: whoever has one gives it in this session.",
  middleware: [signIns] as const,
  request: body(Redeem),
  responses: {
    200: { description: "A session", content: { "application/json": { schema: TokensBody } } },
    ...problems(
      "apple.code_refused",
      "apple.not_configured",
      "auth.banned",
      "auth.email_unconfirmed",
      "people.not_found",
      ...entryErrors,
      ...bodyErrors,
      ...databaseErrors,
    ),
  },
});

export const apple = router();

const signInOf = (c: { req: HonoRequest; var: Env["Variables"] }) =>
  new AppleSignIn(c.var.services, originOf(c.req, c.var));

apple.openapi(authorize, async (c) => {
  const { redirect_to, code_challenge } = c.req.valid("query");
  return c.redirect(await signInOf(c).begin(redirect_to, code_challenge), 302);
});
apple.openapi(
  callback,
  async (c) => c.redirect(await signInOf(c).finish(c.req.valid("form")), 303),
);
apple.openapi(
  callbackByLink,
  async (c) => c.redirect(await signInOf(c).finish(c.req.valid("query")), 303),
);
apple.openapi(token, async (c) => {
  const { code, code_verifier, tenant } = c.req.valid("json");
  const opened = await signInOf(c).redeem(code, code_verifier, tenant);
  await notePlaceOf(c, opened);
  return c.json(opened, 200);
});
