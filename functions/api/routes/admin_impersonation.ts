import { createRoute, z } from "@hono/zod-openapi";
import { decodeJwt } from "jose";
import { sessionFor } from "shared/auth/session.ts";
import { inTenant, signedIn } from "shared/auth/signed_in.ts";
import { inTenantErrors, problems, signedInErrors } from "shared/errors/openapi.ts";
import { bySession } from "shared/http/openapi.ts";
import { originOf } from "shared/http/origin.ts";
import { router } from "shared/http/router.ts";
import { text } from "shared/http/schemas.ts";

const moment = z.iso.datetime({ offset: true });

const Wish = z.strictObject({
  reason: text(500).openapi({ description: "The member is told it afterwards" }),
  writes: z.boolean().default(false).openapi({
    description: "Not only reads. Value is never moved, whatever this says",
  }),
}).openapi("Impersonate");

const Impersonation = z.object({
  id: z.uuid(),
  person_id: z.uuid(),
  read_only: z.boolean(),
  expires_at: moment,
  access_token: z.string().openapi({
    description:
      "For the Data API, Realtime and these routes. Supabase Auth does not know it: it " +
      "is not refreshed, and changes nothing of the member's login",
  }),
}).openapi("Impersonation", {
  description: "A session of the member that opens this tenant only. Its `GET /users/me` has " +
    "`impersonation`, for a banner",
});

/** What `admin_impersonate` grants, and the session has to be bound to. */
interface Grant {
  id: string;
  tenant_id: string;
  person_id: string;
  actor_id: string;
  read_only: boolean;
  expires_at: string;
}

const common = {
  path: "/users/{id}/impersonate",
  tags: ["admin"],
  security: bySession,
};

const params = z.object({ id: z.uuid().openapi({ param: { name: "id", in: "path" } }) });

const refusals = [
  "members.permission_denied",
  "request.invalid",
  ...inTenantErrors,
  ...signedInErrors,
] as const;

const begin = createRoute({
  ...common,
  middleware: [signedIn, inTenant] as const,
  method: "post",
  operationId: "impersonateUser",
  summary: "Act as a member below oneself, for 15 minutes",
  description: "Permission `admin.impersonate`, and every permission that the member has. Both " +
    "stand in the trail behind what is done, and the member is told when it is over.",
  request: {
    params,
    body: { required: true, content: { "application/json": { schema: Wish } } },
  },
  responses: {
    201: {
      description: "The member's session",
      content: { "application/json": { schema: Impersonation } },
    },
    ...problems(
      "admin.impersonation_not_found",
      "auth.banned",
      "auth.email_unconfirmed",
      "members.not_found",
      "members.not_yourself",
      "members.role_above_own",
      "people.not_found",
      "request.too_large",
      "request.transition_refused",
      "request.unsupported_media_type",
      ...refusals,
    ),
  },
});

const end = createRoute({
  ...common,
  middleware: [signedIn, inTenant] as const,
  method: "delete",
  operationId: "endImpersonation",
  summary: "Stop acting as the member",
  description: "With one's own session. Signing that one out does the same within a minute.",
  request: { params },
  responses: {
    204: { description: "Its session is ended" },
    ...problems("admin.impersonation_not_found", ...refusals),
  },
});

export const impersonation = router();

impersonation.openapi(begin, async (c) => {
  const { database, services, tenant } = c.var;
  const { reason, writes } = c.req.valid("json");
  const grant = await database.rpc<Grant>("admin_impersonate", {
    tenant_id: tenant.id,
    person: c.req.valid("param").id,
    reason,
    writes,
  });
  const { tenant_id, actor_id, read_only, expires_at } = grant;
  const origin = originOf(c.req, c.var);
  const { access_token } = await sessionFor(services, grant.person_id, {
    purpose: "impersonation",
    bounds: { tenant_id, actor_id, read_only, expires_at },
    factor: "delegated",
  }, origin);
  await services.database.asService(origin).rpc("admin_impersonation_opened", {
    tenant_id,
    impersonation: grant.id,
    session: decodeJwt(access_token).session_id,
  });
  const { id, person_id } = grant;
  return c.json({ id, person_id, read_only, expires_at, access_token }, 201);
});

impersonation.openapi(end, async (c) => {
  await c.var.database.rpc("admin_impersonation_end", {
    tenant_id: c.var.tenant.id,
    person: c.req.valid("param").id,
  });
  return c.body(null, 204);
});
