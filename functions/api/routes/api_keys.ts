import { createRoute, z } from "@hono/zod-openapi";
import { decodeJwt } from "jose";
import { isApiKey } from "shared/auth/api_keys.ts";
import { databaseErrors, problems } from "shared/errors/openapi.ts";
import { ProblemError } from "shared/errors/problem.ts";
import { limited } from "shared/http/limits.ts";
import { originOf } from "shared/http/origin.ts";
import { router } from "shared/http/router.ts";

const Exchange = z.strictObject({
  api_key: z.string().max(200).openapi({ example: "nxk_4f0c…" }),
}).openapi("ApiKeyExchange");

const Token = z.object({
  access_token: z.string(),
  token_type: z.literal("bearer"),
  expires_in: z.int(),
  expires_at: z.int(),
}).openapi("ApiKeyToken");

const exchange = createRoute({
  method: "post",
  path: "/token",
  operationId: "exchangeApiKey",
  summary: "An access token for an API key, for the Data API and Realtime",
  description:
    "Here the key itself is taken as the bearer as well. The token permits what the key " +
    "does, in the one tenant; when it runs out, ask again.",
  tags: ["api_keys"],
  security: [],
  middleware: [limited({ name: "api_keys", by: "ip", limit: 30, window: 300 })] as const,
  request: { body: { required: true, content: { "application/json": { schema: Exchange } } } },
  responses: {
    200: { description: "The token", content: { "application/json": { schema: Token } } },
    ...problems(
      "api_keys.refused",
      "auth.banned",
      "auth.email_unconfirmed",
      "people.not_found",
      "request.invalid",
      "request.too_large",
      "request.unsupported_media_type",
      ...databaseErrors,
    ),
  },
});

export const apiKeys = router();

apiKeys.openapi(exchange, async (c) => {
  const { api_key } = c.req.valid("json");
  if (!isApiKey(api_key)) throw new ProblemError("api_keys.refused");
  const origin = originOf(c.req, c.var);
  const token = await c.var.services.apiKeys.freshTokenFor(api_key, origin).catch(refused);
  const expires_at = decodeJwt(token).exp!;
  const expires_in = expires_at - Math.floor(Date.now() / 1000);
  return c.json(
    { access_token: token, token_type: "bearer" as const, expires_in, expires_at },
    200,
  );
});

/** As a bearer a bad key is a bad login; here it is a bad argument of a request without one. */
function refused(error: unknown): never {
  if (!(error instanceof ProblemError) || error.code !== "auth.required") throw error;
  throw new ProblemError("api_keys.refused", { cause: error });
}
