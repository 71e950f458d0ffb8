import { createRoute, z } from "@hono/zod-openapi";
import { signedIn } from "shared/auth/signed_in.ts";
import type { Database } from "shared/database/client.ts";
import { databaseErrors, problems, signedInErrors } from "shared/errors/openapi.ts";
import { ProblemError } from "shared/errors/problem.ts";
import { limited } from "shared/http/limits.ts";
import { bySession } from "shared/http/openapi.ts";
import { clientPlace, originOf } from "shared/http/origin.ts";
import { router } from "shared/http/router.ts";
import { text } from "shared/http/schemas.ts";
import { type Approver, DeviceCodes } from "../device_codes.ts";
import { entryErrors } from "./accounts_schemas.ts";

const grantType = "urn:ietf:params:oauth:grant-type:device_code";

const clientId = text(80).openapi({
  description: "What the device calls itself; the person who approves it sees it",
  example: "Station 7",
});

const CodeRequest = z.object({
  client_id: clientId,
  tenant: z.string().min(1).max(40).openapi({
    description: "Slug of the tenant that the device is to open, and the only one it will",
  }),
}).openapi("DeviceCodeRequest");

const Codes = z.object({
  device_code: z.string(),
  user_code: z.string().openapi({ example: "WDJB-MJHT" }),
  verification_uri: z.string(),
  verification_uri_complete: z.string(),
  expires_in: z.int(),
  interval: z.int().openapi({ description: "Seconds to wait between two polls" }),
}).openapi("DeviceCodes");

const TokenRequest = z.object({
  grant_type: z.string().max(100).openapi({
    description: "That of device codes (RFC 8628), or `refresh_token` (RFC 6749)",
    example: grantType,
  }),
  device_code: z.string().min(1).max(200).optional(),
  refresh_token: z.string().min(1).max(200).optional(),
  client_id: clientId,
}).openapi("DeviceTokenRequest");

const Tokens = z.object({
  access_token: z.string(),
  refresh_token: z.string(),
  token_type: z.literal("bearer"),
  expires_in: z.int(),
  expires_at: z.int(),
}).openapi("SessionTokens");

const Refusal = z.object({
  error: z.enum([
    "authorization_pending",
    "slow_down",
    "access_denied",
    "expired_token",
    "invalid_grant",
    "invalid_request",
    "unsupported_grant_type",
  ]),
  error_description: z.string(),
}).openapi("DeviceRefusal", { description: "As RFC 8628 (3.5) and RFC 6749 (5.2) have it" });

const UserCode = z.string().min(8).max(20).openapi({ example: "WDJB-MJHT" });
const Typed = z.strictObject({ user_code: UserCode }).openapi("UserCode");

const Waiting = z.object({
  client: z.string(),
  place: z.string().nullable().openapi({ description: "The country it asks from, where known" }),
  expires_at: z.iso.datetime({ offset: true }),
  tenant: z.object({ id: z.uuid(), slug: z.string(), name: z.string() }),
}).openapi("WaitingDevice");

const Decision = z.object({ client: z.string(), approved: z.boolean() }).openapi("DeviceDecision");

const answer = <T extends z.ZodType>(description: string, schema: T) => ({
  description,
  content: { "application/json": { schema } },
});

/** OAuth clients send forms, everybody else JSON. */
const formOrJson = <T extends z.ZodType>(schema: T) => ({
  body: {
    content: { "application/json": { schema }, "application/x-www-form-urlencoded": { schema } },
  },
});

const bodyErrors = [
  "request.invalid",
  "request.too_large",
  "request.unsupported_media_type",
] as const;

const common = { tags: ["device_codes"], method: "post" as const };

const begin = createRoute({
  ...common,
  path: "/code",
  operationId: "beginDeviceCode",
  summary: "Begin to sign in on a device without a keyboard (RFC 8628)",
  description: "The device shows `user_code`; the person approves it in a session of theirs.",
  security: [],
  middleware: [limited({ name: "device_codes", by: "ip", limit: 30, window: 300 })] as const,
  request: formOrJson(CodeRequest),
  responses: {
    200: answer("What to show, and what to poll with", Codes),
    ...problems("tenants.not_found", ...bodyErrors, ...databaseErrors),
  },
});

const token = createRoute({
  ...common,
  path: "/token",
  operationId: "pollDeviceCode",
  summary: "Ask whether the device was approved, and later for its next session",
  description:
    "Gives the device a session of its own, once. It opens the one tenant, and nothing " +
    "that is the person's alone or at Supabase Auth. Before the token runs out, ask here with " +
    "`grant_type=refresh_token`: the token before ends with that, and each refresh token is good " +
    "once. One that comes again later than a minute signs the device out. While its person is " +
    "suspended there, it gets nothing, and keeps what it has.",
  security: [],
  request: formOrJson(TokenRequest),
  responses: {
    200: answer("The tokens of the device's session", Tokens),
    400: answer("Not yet, or never", Refusal),
    ...problems(
      "auth.banned",
      "auth.email_unconfirmed",
      "people.not_found",
      ...entryErrors,
      ...bodyErrors,
      ...databaseErrors,
    ),
  },
});

const decisionErrors = ["device_codes.not_found", ...bodyErrors, ...signedInErrors] as const;

const show = createRoute({
  ...common,
  path: "/show",
  operationId: "showDevice",
  summary: "Which device waits under a code, before it is approved",
  security: bySession,
  middleware: [signedIn] as const,
  request: { body: { required: true, content: { "application/json": { schema: Typed } } } },
  responses: { 200: answer("The device", Waiting), ...problems(...decisionErrors) },
});

const decision = (path: string, operationId: string, summary: string) =>
  createRoute({
    ...common,
    path,
    operationId,
    summary,
    security: bySession,
    middleware: [signedIn] as const,
    request: { body: { required: true, content: { "application/json": { schema: Typed } } } },
    responses: { 200: answer("What was decided", Decision), ...problems(...decisionErrors) },
  });

const approve = decision("/approve", "approveDevice", "Let a device sign in as me");
const deny = decision("/deny", "denyDevice", "Refuse a device");

const descriptions: Record<z.infer<typeof Refusal>["error"], string> = {
  authorization_pending: "Nobody has approved it yet.",
  slow_down: "Wait five seconds more between two polls from now on.",
  access_denied: "It was refused.",
  expired_token: "The code ran out: begin again.",
  invalid_grant: "There is no such code or token, or it was used.",
  invalid_request: "What the grant is for is missing: device_code or refresh_token.",
  unsupported_grant_type: `Only ${grantType} and refresh_token are taken here.`,
};

const refusal = (error: z.infer<typeof Refusal>["error"]) => ({
  error,
  error_description: descriptions[error],
});

/** What came in either form; in neither there is nothing that the schema would have checked. */
function given<T extends object>({ json, form }: { json: T; form: T }): T {
  const found = { ...form, ...json };
  if (Object.keys(found).length === 0) throw new ProblemError("request.unsupported_media_type");
  return found;
}

/** The caller, who stands for all of the person: a device or a key approves nothing. */
const approver = (database: Database) => database.rpc<Approver>("sessions_current");

export const deviceCodes = router();

deviceCodes.openapi(begin, async (c) => {
  const { client_id, tenant } = given({ json: c.req.valid("json"), form: c.req.valid("form") });
  const codes = new DeviceCodes(c.var.services, originOf(c.req, c.var));
  const place = clientPlace(c.req, c.var.services.config.http.clientPlaceHeader);
  return c.json(await codes.begin(tenant, client_id, place), 200);
});

deviceCodes.openapi(token, async (c) => {
  const { grant_type, device_code, refresh_token, client_id } = given({
    json: c.req.valid("json"),
    form: c.req.valid("form"),
  });
  const renewing = grant_type === "refresh_token";
  if (!renewing && grant_type !== grantType) {
    return c.json(refusal("unsupported_grant_type"), 400);
  }
  const secret = renewing ? refresh_token : device_code;
  if (secret === undefined) return c.json(refusal("invalid_request"), 400);
  const codes = new DeviceCodes(c.var.services, originOf(c.req, c.var));
  const granted = await (renewing ? codes.renew(secret, client_id) : codes.poll(secret, client_id));
  return typeof granted === "string" ? c.json(refusal(granted), 400) : c.json(granted, 200);
});

deviceCodes.openapi(show, async (c) => {
  const codes = new DeviceCodes(c.var.services, originOf(c.req, c.var));
  const caller = await approver(c.var.database);
  return c.json(
    await codes.show<z.infer<typeof Waiting>>(caller, c.req.valid("json").user_code),
    200,
  );
});

for (const [route, approved] of [[approve, true], [deny, false]] as const) {
  deviceCodes.openapi(route, async (c) => {
    const codes = new DeviceCodes(c.var.services, originOf(c.req, c.var));
    const caller = await approver(c.var.database);
    return c.json(await codes.decide(caller, c.req.valid("json").user_code, approved), 200);
  });
}
