import { createRoute, z } from "@hono/zod-openapi";
import { createMiddleware } from "hono/factory";
import { signedIn } from "shared/auth/signed_in.ts";
import { problems, signedInErrors } from "shared/errors/openapi.ts";
import type { SignedIn } from "shared/http/env.ts";
import { lenient, limited } from "shared/http/limits.ts";
import { bySession } from "shared/http/openapi.ts";
import { originOf } from "shared/http/origin.ts";
import { router } from "shared/http/router.ts";
import { type Status, TwoFactor } from "../two_factor.ts";

/** Hashing ten codes costs a third of a second of CPU. */
const costly = limited({ name: "two_factor_codes", by: "person", limit: 10, window: 300 });

interface WithTwoFactor extends SignedIn {
  Variables: SignedIn["Variables"] & { twoFactor: TwoFactor };
}

/** Asks the database who the session is, its second factor aside: these routes lead to giving it. */
const withTwoFactor = createMiddleware<WithTwoFactor>(async (c, next) => {
  const { database, services } = c.var;
  const status = await database.rpc<Status>("two_factor_status");
  const asService = services.database.asService(originOf(c.req, c.var));
  c.set("twoFactor", new TwoFactor(services.config.twoFactor, asService, status));
  await next();
});

const moment = z.iso.datetime({ offset: true }).nullable();

const StatusBody = z.object({
  enabled: z.boolean().openapi({ description: "An authenticator app is set up" }),
  enabled_at: moment,
  required: z.boolean().openapi({ description: "The session opens nothing before it is verified" }),
  verified: z.boolean().openapi({ description: "The session gave a second factor" }),
  verified_at: moment,
  recent: z.boolean().openapi({ description: "It did so within the last five minutes" }),
  remembered: z.boolean().openapi({
    description:
      "A remembered device stood in for it, which opens no tenant whose rule asks for one",
  }),
  factors: z.array(z.enum(["passkey", "totp"])).openapi({
    description: "Kinds of factors the person has; with any, backup codes stand in for it",
  }),
  backup_codes_left: z.int().min(0),
}).openapi("TwoFactorStatus");

const SetUp = z.object({
  secret: z.string().openapi({ description: "Base 32, for apps that cannot see the picture" }),
  otpauth_uri: z.string().openapi({ example: "otpauth://totp/Nexus:ana%40example.org?secret=…" }),
  qr_svg: z.string().openapi({ description: "The URI as an SVG picture" }),
}).openapi("TwoFactorSetUp");

const backupCodes = z.array(z.string().openapi({ example: "7K2M9-XQ4TB" }));

const Verified = z.object({
  confirmed: z.boolean().openapi({ description: "This code confirmed the set-up" }),
  backup_codes: backupCodes.openapi({
    description: "With the code that confirms the set-up: ten codes, shown this once. Else empty.",
  }),
}).openapi("TwoFactorVerified");

const Code = z.strictObject({
  code: z.string().regex(/^\d{6}$/).openapi({ example: "287082" }),
}).openapi("TwoFactorCode");

const BackupCode = z.strictObject({
  code: z.string().min(10).max(30).openapi({ example: "7K2M9-XQ4TB" }),
}).openapi("BackupCode");

const body = <T extends z.ZodType>(schema: T) => ({
  body: { required: true, content: { "application/json": { schema } } },
});

const answer = <T extends z.ZodType>(description: string, schema: T) => ({
  description,
  content: { "application/json": { schema } },
});

const bodyErrors = [
  "request.invalid",
  "request.too_large",
  "request.unsupported_media_type",
] as const;

const codeErrors = [
  "two_factor.code_refused",
  "two_factor.not_configured",
  "two_factor.not_enabled",
  ...bodyErrors,
] as const;

const common = { tags: ["two_factor"], security: bySession };
const ciphering = [signedIn, withTwoFactor] as const;

const status = createRoute({
  ...common,
  method: "get",
  path: "/status",
  operationId: "getTwoFactorStatus",
  summary: "Whether I have a second factor, and what my session has proved",
  description: "Answers before the second factor, too.",
  middleware: [signedIn] as const,
  responses: { 200: answer("The status", StatusBody), ...problems(...signedInErrors) },
});

const setUp = createRoute({
  ...common,
  method: "post",
  path: "/setup",
  operationId: "setUpTwoFactor",
  summary: "Begin to set up an authenticator app",
  description: "Counts for nothing until `POST /2fa/verify` has seen a code of it, within ten " +
    "minutes. Asked again before that, it makes another secret. The session began, or proved " +
    "itself, within the last five minutes.",
  middleware: [...ciphering] as const,
  responses: {
    200: answer("What the app has to be shown", SetUp),
    ...problems(
      "two_factor.already_enabled",
      "two_factor.not_configured",
      "two_factor.recent_required",
      "accounts.reauthentication_required",
      ...signedInErrors,
    ),
  },
});

const verify = createRoute({
  ...common,
  method: "post",
  path: "/verify",
  operationId: "verifyTwoFactor",
  summary: "Give a code of the app: for this session, or to confirm the set-up",
  description: "A code is good for its 30 seconds and those before and after, and once. From the " +
    "confirmation on, every other session of the person opens nothing before it gave a code " +
    "itself. Ten tries in five minutes, backup codes among them.",
  middleware: [...ciphering] as const,
  request: body(Code),
  responses: {
    200: answer("The session is verified", Verified),
    ...problems(...codeErrors, ...signedInErrors),
  },
});

const disable = createRoute({
  ...common,
  method: "post",
  path: "/disable",
  operationId: "disableTwoFactor",
  summary: "Remove the app and the backup codes",
  description: "The session gave a second factor within the last five minutes. A mail tells the " +
    "person.",
  middleware: [signedIn] as const,
  responses: {
    200: answer("The status", StatusBody),
    ...problems("two_factor.not_enabled", "two_factor.recent_required", ...signedInErrors),
  },
});

const useBackupCode = createRoute({
  ...common,
  method: "post",
  path: "/backup-code",
  operationId: "useBackupCode",
  summary: "Give a backup code in place of a factor of any kind",
  middleware: [...ciphering] as const,
  request: body(BackupCode),
  responses: {
    200: answer("The session is verified", z.object({ backup_codes_left: z.int().min(0) })),
    ...problems(
      "two_factor.code_refused",
      "two_factor.not_enabled",
      ...bodyErrors,
      ...signedInErrors,
    ),
  },
});

const regenerate = createRoute({
  ...common,
  method: "post",
  path: "/backup-codes/regenerate",
  operationId: "regenerateBackupCodes",
  summary: "Ten new backup codes; the earlier ones are void",
  description: "The session gave a second factor within the last five minutes.",
  middleware: [costly, lenient, ...ciphering] as const,
  responses: {
    200: answer("The codes, shown this once", z.object({ backup_codes: backupCodes })),
    ...problems(
      "two_factor.not_enabled",
      "two_factor.recent_required",
      ...signedInErrors,
    ),
  },
});

export const twoFactor = router();

const statusOf = (found: unknown) => StatusBody.parse(found);

twoFactor.openapi(
  status,
  async (c) => c.json(statusOf(await c.var.database.rpc("two_factor_status")), 200),
);
twoFactor.openapi(setUp, async (c) => c.json(await c.var.twoFactor.setUp(), 200));
twoFactor.openapi(
  verify,
  async (c) => c.json(await c.var.twoFactor.verify(c.req.valid("json").code), 200),
);
twoFactor.openapi(
  disable,
  async (c) => c.json(statusOf(await c.var.database.rpc("two_factor_disable")), 200),
);
twoFactor.openapi(
  useBackupCode,
  async (c) => c.json(await c.var.twoFactor.useBackupCode(c.req.valid("json").code), 200),
);
twoFactor.openapi(
  regenerate,
  async (c) => c.json({ backup_codes: await c.var.twoFactor.regenerate() }, 200),
);
