import { createRoute, z } from "@hono/zod-openapi";
import { signedIn } from "shared/auth/signed_in.ts";
import { problems, signedInErrors } from "shared/errors/openapi.ts";
import { bySession } from "shared/http/openapi.ts";
import { router } from "shared/http/router.ts";
import { notePlace } from "../places.ts";
import { jsonObject, text } from "shared/http/schemas.ts";

const locale = z.string().regex(/^[a-z]{2,3}(-[A-Za-z0-9]{2,8})*$/).max(35)
  .openapi({ example: "de-CH" });

const Membership = z.object({
  id: z.uuid(),
  slug: z.string(),
  name: z.string(),
  role: z.string(),
  status: z.enum(["pending", "active", "suspended", "banned", "left"]),
  waiting_for: z.enum(["email", "approval", "documents"]).nullable().openapi({
    description: "What a pending membership still lacks",
  }),
  two_factor_from: z.iso.datetime({ offset: true }).nullable().openapi({
    description: "From when on the role needs a second factor; without one it opens nothing then",
  }),
  modules: z.array(z.string()),
  permissions: z.array(z.string()),
}).openapi("Membership", { description: "A membership that is not active opens nothing" });

const Me = z.object({
  id: z.uuid(),
  email: z.email().nullable(),
  email_verified: z.boolean(),
  display_name: z.string(),
  avatar_url: z.url().nullable(),
  locale: locale.nullable().openapi({ description: "Null: the tenant's" }),
  time_zone: z.string().nullable().openapi({ description: "Null: the tenant's" }),
  preferences: jsonObject(),
  deletion_due_at: z.iso.datetime({ offset: true }).nullable().openapi({
    description: "When I am erased, as I asked, unless I sign in before",
  }),
  two_factor_required: z.boolean().openapi({
    description: "The session opens nothing before `POST /2fa/verify`, and this is a reduced form",
  }),
  impersonation: z.object({
    by: z.uuid(),
    name: z.string(),
    read_only: z.boolean(),
    expires_at: z.iso.datetime({ offset: true }),
  }).nullable().openapi({
    description: "Who really sits there, for a banner; null in a session of one's own",
  }),
  providers: z.array(z.string()),
  tenants: z.array(Membership),
}).openapi("Me");

/** The database holds them to the same form. */
const Preferences = z.strictObject({
  theme: z.enum(["system", "light", "dark"]),
  contrast: z.enum(["normal", "high"]),
  text_scale: z.number().min(0.5).max(3),
  reduced_motion: z.boolean(),
  clock: z.enum(["12h", "24h"]),
  week_start: z.enum(["monday", "saturday", "sunday"]),
  apps: jsonObject().openapi({ description: "What apps keep for themselves, by their names" }),
}).partial().openapi("Preferences", { description: "Replaces all, at most 8 kB" });

const MeChanges = z.strictObject({
  display_name: text(80),
  locale: locale.nullable(),
  time_zone: text(64).nullable().openapi({ example: "Europe/Zurich" }),
  preferences: Preferences,
}).partial().openapi("MeChanges");

const me = { description: "The caller", content: { "application/json": { schema: Me } } };

const get = createRoute({
  method: "get",
  path: "/me",
  operationId: "getMe",
  summary: "Who I am, and what I may do in which tenant",
  tags: ["people"],
  security: bySession,
  middleware: [signedIn] as const,
  responses: { 200: me, ...problems(...signedInErrors) },
});

const update = createRoute({
  method: "patch",
  path: "/me",
  operationId: "updateMe",
  summary: "Change my profile",
  description: "Only the named fields change. Null takes `locale` and `time_zone` back to the " +
    "tenant's.",
  tags: ["people"],
  security: bySession,
  middleware: [signedIn] as const,
  request: { body: { required: true, content: { "application/json": { schema: MeChanges } } } },
  responses: {
    200: me,
    ...problems(
      "request.invalid",
      "request.too_large",
      "request.unsupported_media_type",
      ...signedInErrors,
    ),
  },
});

export const people = router();

people.openapi(get, async (c) => {
  const { caller, database } = c.var;
  const found = await database.rpc<z.infer<typeof Me>>("people_me");
  // Who signed in at Auth directly comes by here at last.
  await notePlace(c, caller.sessionId, caller.personId);
  return c.json(found, 200);
});

people.openapi(update, async (c) => {
  const changes = c.req.valid("json");
  return c.json(await c.var.database.rpc<z.infer<typeof Me>>("people_update_me", { changes }), 200);
});
