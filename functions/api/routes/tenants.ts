import { createRoute, z } from "@hono/zod-openapi";
import { signedIn } from "shared/auth/signed_in.ts";
import type { Database } from "shared/database/client.ts";
import { problems, signedInErrors } from "shared/errors/openapi.ts";
import { ProblemError } from "shared/errors/problem.ts";
import { etagOf, expectedVersion, isKnown } from "shared/http/etag.ts";
import { bySession } from "shared/http/openapi.ts";
import { router } from "shared/http/router.ts";
import { jsonObject, text } from "shared/http/schemas.ts";

const webAddress = z.url({ protocol: /^https?$/ }).max(2048);

/** Columns that the table's grants let an admin change; the table checks what they mean. */
const fields = {
  name: text(120),
  logo_url: webAddress.nullable(),
  time_zone: text(64).openapi({ example: "Europe/Zurich" }),
  locale: z.string().regex(/^[a-z]{2,3}(-[A-Za-z0-9]{2,8})*$/).max(35),
  modules: z.array(z.string().max(40)).max(100),
  settings: jsonObject()
    .refine((value) => JSON.stringify(value).length <= 8192, "Too large: at most 8 kB")
    .openapi({ description: "Replaces all, at most 8 kB. `features` holds the switches." }),
  registration_policy: z.enum(["open", "approval", "invitation", "domain", "documents"]),
  app_url: webAddress.nullable(),
};

const Tenant = z.object({
  id: z.uuid(),
  slug: z.string(),
  ...fields,
  version: z.int(),
}).openapi("Tenant");

const columns = Object.keys(Tenant.shape).join(", ");

const TenantChanges = z.strictObject(fields).partial()
  .refine((changes) => Object.keys(changes).length > 0, "Nothing to change")
  .openapi("TenantChanges", { minProperties: 1 });

const params = z.object({
  slug: z.string().max(40).openapi({ param: { name: "slug", in: "path" }, example: "timebank" }),
});

const etag = z.object({
  etag: z.string().openapi({ description: "The version, for `If-Match`", example: '"3"' }),
});

const found = (description: string) => ({
  description,
  headers: etag,
  content: { "application/json": { schema: Tenant } },
});

const common = {
  path: "/{slug}",
  tags: ["tenants"],
  security: bySession,
};

const refusals = [
  "request.invalid",
  "tenants.not_found",
  "members.not_active",
  ...signedInErrors,
] as const;

const get = createRoute({
  ...common,
  method: "get",
  middleware: [signedIn] as const,
  operationId: "getTenant",
  summary: "A tenant I belong to, with its version as ETag",
  request: {
    params,
    headers: z.object({ "if-none-match": z.string().optional() }),
  },
  responses: {
    200: found("The tenant"),
    304: { description: "It is the version of `If-None-Match`" },
    ...problems(...refusals),
  },
});

const update = createRoute({
  ...common,
  method: "patch",
  middleware: [signedIn] as const,
  operationId: "updateTenant",
  summary: "Change a tenant (permission `tenants.update`)",
  description: "Only the named fields change. With `If-Match` nothing changes unless the tenant " +
    "still has that version: people who edit at the same time do not overwrite each other.",
  request: {
    params,
    headers: z.object({ "if-match": z.string().optional() }),
    body: { required: true, content: { "application/json": { schema: TenantChanges } } },
  },
  responses: {
    200: found("The tenant after the change"),
    ...problems(
      ...refusals,
      "request.too_large",
      "request.unsupported_media_type",
      "request.precondition_failed",
      "tenants.module_unknown",
      "limits.feature_unknown",
      "members.permission_denied",
    ),
  },
});

type TenantRow = z.infer<typeof Tenant>;

/** The membership behind the slug; the database refuses what is not the caller's. */
async function membership(database: Database, slug: string) {
  const { tenant_id, role } = await database.rpc<{ tenant_id: string; role: string }>(
    "people_session",
    { tenant: slug, needs_tenant: true },
  );
  return { id: tenant_id, role };
}

async function read(database: Database, id: string): Promise<TenantRow> {
  const [row] = await database.query<TenantRow[]>((client) =>
    client.from("tenants").select(columns).eq("id", id)
  );
  if (!row) throw new ProblemError("tenants.not_found");
  return row;
}

export const tenants = router();

tenants.openapi(get, async (c) => {
  const { database } = c.var;
  const member = await membership(database, c.req.valid("param").slug);
  c.set("tenant", member);
  const tenant = await read(database, member.id);
  c.header("etag", etagOf(tenant.version));
  return isKnown(c.req, tenant.version) ? c.body(null, 304) : c.json(tenant, 200);
});

tenants.openapi(update, async (c) => {
  const { database } = c.var;
  const changes = c.req.valid("json");
  const expected = expectedVersion(c.req);
  const member = await membership(database, c.req.valid("param").slug);
  c.set("tenant", member);
  const [changed] = await database.query<TenantRow[]>((client) => {
    const change = client.from("tenants").update(changes).eq("id", member.id);
    return (expected === undefined ? change : change.eq("version", expected)).select(columns);
  });
  if (!changed) {
    // The table tells neither reason: it changed no row.
    const { version } = await read(database, member.id);
    if (expected !== undefined && version !== expected) {
      throw new ProblemError("request.precondition_failed", {
        detail: `It is version ${version}.`,
      });
    }
    throw new ProblemError("members.permission_denied", { detail: "tenants.update" });
  }
  c.header("etag", etagOf(changed.version));
  return c.json(changed, 200);
});
