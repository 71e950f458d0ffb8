import { createRoute, z } from "@hono/zod-openapi";
import { inTenant, signedIn } from "shared/auth/signed_in.ts";
import { inTenantErrors, problems, signedInErrors } from "shared/errors/openapi.ts";
import { bySession } from "shared/http/openapi.ts";
import { listOf, pageQuery } from "shared/http/paging.ts";
import { router } from "shared/http/router.ts";
import { Activity, Change, membershipStatus, User, UserWithHistory } from "./admin_schemas.ts";

const params = z.object({ id: z.uuid().openapi({ param: { name: "id", in: "path" } }) });

const common = {
  tags: ["admin"],
  security: bySession,
};

const refusals = [
  "request.invalid",
  "members.permission_denied",
  ...inTenantErrors,
  ...signedInErrors,
] as const;

const actErrors = [
  "auth.session_bounded",
  "members.not_found",
  "members.not_yourself",
  "members.role_above_own",
  "request.transition_refused",
  ...refusals,
] as const;

const json = <T extends z.ZodType>(description: string, schema: T) => ({
  description,
  content: { "application/json": { schema } },
});

const list = createRoute({
  ...common,
  middleware: [signedIn, inTenant] as const,
  method: "get",
  path: "/users",
  operationId: "listUsers",
  summary: "The tenant's members, for its admins",
  description: "Permission `members.manage`. Those who left are listed by `status=left` alone.",
  request: {
    query: pageQuery.extend({
      search: z.string().trim().min(1).max(200).optional().openapi({
        description: "A part of the name, or a whole e-mail address",
      }),
      status: membershipStatus.optional(),
      role: z.string().max(160).optional(),
      attention: z.enum(["unverified", "pending", "stuck"]).optional(),
      sort: z.enum(["name", "-name", "joined", "-joined"]).default("name"),
    }),
  },
  responses: { 200: json("A page of members", listOf(User)), ...problems(...refusals) },
});

const get = createRoute({
  ...common,
  middleware: [signedIn, inTenant] as const,
  method: "get",
  path: "/users/{id}",
  operationId: "getUser",
  summary: "A member, with what was decided about them",
  description: "Permission `members.manage`.",
  request: { params },
  responses: {
    200: json("The member", UserWithHistory),
    ...problems("members.not_found", ...refusals),
  },
});

const activity = createRoute({
  ...common,
  middleware: [signedIn, inTenant] as const,
  method: "get",
  path: "/users/{id}/activity",
  operationId: "listUserActivity",
  summary: "What a member did and what was done to them, newest first",
  description: "Permissions `members.manage` and `audit.read`. Reading it is itself on the trail.",
  request: { params, query: pageQuery.pick({ limit: true, cursor: true }) },
  responses: {
    200: json("A page of the trail", listOf(Activity)),
    ...problems("members.not_found", ...refusals),
  },
});

const change = createRoute({
  ...common,
  middleware: [signedIn, inTenant] as const,
  method: "patch",
  path: "/users/{id}",
  operationId: "changeUser",
  summary: "Warn, suspend, ban or readmit a member, or give them another role",
  description: "Permission `members.manage`. The same acts are the RPCs `members_set_status`, " +
    "`members_set_role` and `admin_warn`.",
  request: { params, body: { required: true, ...json("The act", Change) } },
  responses: {
    200: json("The member after it", UserWithHistory),
    ...problems(
      "members.last_owner",
      "members.ownership_is_offered",
      "members.role_not_found",
      "request.too_large",
      "request.unsupported_media_type",
      ...actErrors,
    ),
  },
});

const close = createRoute({
  ...common,
  middleware: [signedIn, inTenant] as const,
  method: "delete",
  path: "/users/{id}",
  operationId: "closeMembership",
  summary: "End a membership",
  description: "Permission `members.manage`. The person and what they did stay; whoever left may " +
    "join again as the tenant's policy says.",
  request: { params },
  responses: {
    200: json("The member after it", UserWithHistory),
    ...problems("members.last_owner", ...actErrors),
  },
});

const nudge = createRoute({
  ...common,
  middleware: [signedIn, inTenant] as const,
  method: "post",
  path: "/users/{id}/nudge",
  operationId: "nudgeUser",
  summary: "Remind somebody on the way in of what they still have to do",
  description: "Permission `members.manage`, once a day for each person; the RPC is " +
    "`members_nudge`.",
  request: { params },
  responses: {
    202: { description: "They are reminded" },
    ...problems("members.not_found", "members.waits_for_you", ...refusals),
  },
});

export const admin = router();

type Page<T> = (T & { cursor: string })[];

/** RPCs tell the place of each row; a full page has another behind it. */
function pageFrom<T>(found: Page<T>, limit: number) {
  const next_cursor = found.length === limit ? found.at(-1)?.cursor ?? null : null;
  return { data: found.map(({ cursor: _, ...row }) => row), next_cursor };
}

admin.openapi(list, async (c) => {
  const { limit, ...filters } = c.req.valid("query");
  const found = await c.var.database.rpc<Page<z.infer<typeof User>>>("admin_users", {
    ...filters,
    tenant_id: c.var.tenant.id,
    page_size: limit,
  });
  return c.json(pageFrom(found, limit), 200);
});

admin.openapi(get, async (c) => {
  const target = { tenant_id: c.var.tenant.id, person: c.req.valid("param").id };
  return c.json(UserWithHistory.parse(await c.var.database.rpc("admin_user", target)), 200);
});

admin.openapi(activity, async (c) => {
  const { limit, cursor } = c.req.valid("query");
  const found = await c.var.database.rpc<Page<z.infer<typeof Activity>>>("admin_activity", {
    tenant_id: c.var.tenant.id,
    person: c.req.valid("param").id,
    cursor,
    page_size: limit,
  });
  return c.json(pageFrom(found, limit), 200);
});

admin.openapi(change, async (c) => {
  const target = { tenant_id: c.var.tenant.id, person: c.req.valid("param").id };
  const { database } = c.var;
  const asked = c.req.valid("json");
  if ("warning" in asked) {
    const { warning: reason, until } = asked;
    await database.rpc("admin_warn", { ...target, reason, until });
  } else {
    await database.rpc("role" in asked ? "members_set_role" : "members_set_status", {
      ...target,
      ...asked,
    });
  }
  return c.json(UserWithHistory.parse(await database.rpc("admin_user", target)), 200);
});

admin.openapi(close, async (c) => {
  const target = { tenant_id: c.var.tenant.id, person: c.req.valid("param").id };
  const { database } = c.var;
  await database.rpc("members_set_status", { ...target, status: "left" });
  return c.json(UserWithHistory.parse(await database.rpc("admin_user", target)), 200);
});

admin.openapi(nudge, async (c) => {
  const target = { tenant_id: c.var.tenant.id, person: c.req.valid("param").id };
  await c.var.database.rpc("members_nudge", target);
  return c.body(null, 202);
});
