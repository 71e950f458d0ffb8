import { createRoute, z } from "@hono/zod-openapi";
import { inTenant, signedIn } from "shared/auth/signed_in.ts";
import { toCsv } from "shared/csv.ts";
import { inTenantErrors, problems, signedInErrors } from "shared/errors/openapi.ts";
import { bySession } from "shared/http/openapi.ts";
import { listOf, pageQuery } from "shared/http/paging.ts";
import { router } from "shared/http/router.ts";
import { jsonObject } from "shared/http/schemas.ts";

const Line = z.object({
  id: z.uuid(),
  created_at: z.iso.datetime({ offset: true }),
  action: z.string(),
  resource: z.string().openapi({ example: "members:018f…" }),
  actor: z.uuid().nullable().openapi({ description: "Null: the system" }),
  impersonator: z.uuid().nullable(),
  session_id: z.uuid().nullable(),
  request_id: z.string().nullable(),
  ip: z.string().nullable(),
  user_agent: z.string().nullable(),
  before: jsonObject().nullable(),
  after: jsonObject().nullable(),
}).openapi("AuditLine", { description: "Addresses, before and after are null once erased" });

const columns = Object.keys(Line.shape) as (keyof z.infer<typeof Line>)[];

const search = createRoute({
  method: "get",
  path: "/audit-logs",
  operationId: "searchAuditLogs",
  summary: "The trail of the tenant, newest first",
  description: "Permission `audit.read`. Reading it is itself on the trail.",
  tags: ["audit"],
  security: bySession,
  middleware: [signedIn, inTenant] as const,
  request: {
    query: pageQuery.extend({
      actor: z.uuid().optional(),
      action: z.string().max(60).optional().openapi({ example: "MEMBER_ROLE_CHANGED" }),
      resource: z.string().max(200).optional(),
      format: z.enum(["json", "csv"]).default("json"),
    }),
  },
  responses: {
    200: {
      description: "A page of lines. As CSV its cells are safe for spreadsheets, and the header " +
        "`Next-Cursor` names the next page.",
      content: {
        "application/json": { schema: listOf(Line) },
        "text/csv": { schema: z.string() },
      },
    },
    ...problems(
      "request.invalid",
      "members.permission_denied",
      ...inTenantErrors,
      ...signedInErrors,
    ),
  },
});

export const audit = router();

audit.openapi(search, async (c) => {
  const { limit, format, ...filters } = c.req.valid("query");
  const found = await c.var.database.rpc<(z.infer<typeof Line> & { cursor: string })[]>(
    "audit_search",
    { ...filters, tenant_id: c.var.tenant.id, page_size: limit },
  );
  const next_cursor = found.length === limit ? found.at(-1)?.cursor ?? null : null;
  const data = found.map(({ cursor: _, ...line }) => line);
  if (format === "json") return c.json({ data, next_cursor }, 200);
  c.header("content-disposition", 'attachment; filename="audit-logs.csv"');
  if (next_cursor !== null) c.header("next-cursor", next_cursor);
  return c.body(toCsv(data, columns), 200, { "content-type": "text/csv; charset=utf-8" });
});
