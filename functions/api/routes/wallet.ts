import { createRoute, z } from "@hono/zod-openapi";
import type { Context } from "hono";
import { inTenant, signedIn } from "shared/auth/signed_in.ts";
import { fromCsv, toCsv } from "shared/csv.ts";
import { inTenantErrors, problems, signedInErrors } from "shared/errors/openapi.ts";
import { ProblemError } from "shared/errors/problem.ts";
import { bySession } from "shared/http/openapi.ts";
import { listOf, pageQuery } from "shared/http/paging.ts";
import { router } from "shared/http/router.ts";
import { text } from "shared/http/schemas.ts";

const currency = z.string().regex(/^[a-z][a-z0-9_]{1,15}$/).openapi({ example: "hours" });
const amount = z.int().openapi({ description: "In the currency's smallest unit" });

const linked = {
  reverses: z.uuid().nullable(),
  reversed_by: z.uuid().nullable().openapi({ description: "Null while the transfer stands" }),
};

const Entry = z.object({
  id: z.uuid(),
  transfer_id: z.uuid(),
  kind: z.string(),
  created_at: z.iso.datetime({ offset: true }),
  amount,
  balance_after: z.int().nullable(),
  counterpart: z.uuid().nullable(),
  category: z.string().nullable(),
  memo: z.string().nullable(),
  ...linked,
}).openapi("WalletEntry", { description: "One line of a statement, newest first" });

const Transfer = z.object({
  id: z.uuid(),
  kind: z.string(),
  created_at: z.iso.datetime({ offset: true }),
  currency: z.string(),
  amount,
  from_account: z.uuid().nullable(),
  from_person: z.uuid().nullable(),
  to_account: z.uuid().nullable(),
  to_person: z.uuid().nullable(),
  actor: z.uuid().nullable(),
  category: z.string().nullable(),
  memo: z.string().nullable(),
  part_of: z.uuid().nullable(),
  ...linked,
}).openapi("WalletTransfer", { description: "A transfer as admins see it" });

const filters = pageQuery.extend({
  category: z.string().max(60).optional(),
  format: z.enum(["json", "csv"]).default("json"),
});

const statement = createRoute({
  method: "get",
  path: "/statement",
  operationId: "getWalletStatement",
  summary: "The statement of an account, with its running balance",
  tags: ["wallet"],
  security: bySession,
  middleware: [signedIn, inTenant] as const,
  request: {
    query: filters.extend({
      currency,
      counterpart: z.uuid().optional(),
      account: z.uuid().optional().openapi({
        description: "An organisation's, or with wallet.read_all any",
      }),
    }),
  },
  responses: {
    200: page(Entry),
    ...problems(
      "request.invalid",
      "members.permission_denied",
      "tenants.module_off",
      "wallet.currency_unknown",
      "wallet.not_found",
      ...inTenantErrors,
      ...signedInErrors,
    ),
  },
});

const transfers = createRoute({
  method: "get",
  path: "/transfers",
  operationId: "searchWalletTransfers",
  summary: "Every transfer of the tenant, for admins",
  description: "Permission `wallet.read_all`.",
  tags: ["wallet"],
  security: bySession,
  middleware: [signedIn, inTenant] as const,
  request: {
    query: filters.extend({ currency: currency.optional(), person: z.uuid().optional() }),
  },
  responses: {
    200: page(Transfer),
    ...problems(
      "request.invalid",
      "members.permission_denied",
      "tenants.module_off",
      ...inTenantErrors,
      ...signedInErrors,
    ),
  },
});

const Report = z.object({
  id: z.uuid().nullable().openapi({ description: "Null in a dry run" }),
  lines: z.int(),
  faults: z.array(z.object({ line: z.int(), code: z.string(), detail: z.string().nullable() })),
  dry_run: z.boolean(),
  replayed: z.boolean(),
}).openapi("WalletBatchReport", { description: "Lines count from 1 behind the header" });

const batch = createRoute({
  method: "post",
  path: "/batches",
  operationId: "sendWalletBatch",
  summary: "Up to 1,000 payments from a CSV file, all or none",
  description: "Columns: `from`, `to` (a person's id or e-mail address, or an account's id), " +
    "`amount`, `currency`, and `memo`, `category` where wanted. Permission `wallet.settle`.",
  tags: ["wallet"],
  security: bySession,
  middleware: [signedIn, inTenant] as const,
  request: {
    query: z.object({
      dry_run: z.enum(["true", "false"]).default("false")
        .openapi({ description: "Only tells which lines are faulty" }),
    }),
    headers: z.object({ "idempotency-key": z.string().min(1).max(255) }),
    body: {
      required: true,
      content: {
        "text/csv": { schema: z.string().openapi({ example: "from,to,amount,currency" }) },
      },
    },
  },
  responses: {
    200: { description: "What was done", content: { "application/json": { schema: Report } } },
    ...problems(
      "request.invalid",
      "request.too_large",
      "request.unsupported_media_type",
      "members.permission_denied",
      "tenants.module_off",
      "wallet.batch_refused",
      "wallet.idempotency_mismatch",
      ...inTenantErrors,
      ...signedInErrors,
    ),
  },
});

const BatchLine = z.strictObject({
  from: text(320),
  to: text(320),
  amount: text(20),
  currency: text(16),
  memo: text(500).or(z.literal("")).optional(),
  category: text(60).or(z.literal("")).optional(),
});

function page<T extends z.ZodType>(item: T) {
  return {
    description: "A page. As CSV its cells are safe for spreadsheets, and the header " +
      "`Next-Cursor` names the next page.",
    content: {
      "application/json": { schema: listOf(item) },
      "text/csv": { schema: z.string() },
    },
  };
}

/** The page as a list, or as a file with the cursor in a header. */
function answer<T extends object>(
  c: Context,
  found: (T & { cursor: string })[],
  { limit, format, name }: { limit: number; format: "json" | "csv"; name: string },
  columns: (keyof T & string)[],
) {
  const next_cursor = found.length === limit ? found.at(-1)?.cursor ?? null : null;
  const data = found.map(({ cursor: _, ...line }) => line as unknown as T);
  if (format === "json") return c.json({ data, next_cursor }, 200);
  c.header("content-disposition", `attachment; filename="${name}.csv"`);
  if (next_cursor !== null) c.header("next-cursor", next_cursor);
  return c.body(toCsv(data, columns), 200, { "content-type": "text/csv; charset=utf-8" });
}

export const wallet = router();

wallet.openapi(statement, async (c) => {
  const { limit, format, ...asked } = c.req.valid("query");
  const found = await c.var.database.rpc<(z.infer<typeof Entry> & { cursor: string })[]>(
    "wallet_statement",
    { ...asked, tenant_id: c.var.tenant.id, page_size: limit },
  );
  const columns = Object.keys(Entry.shape) as (keyof z.infer<typeof Entry>)[];
  return answer(c, found, { limit, format, name: "statement" }, columns);
});

wallet.openapi(transfers, async (c) => {
  const { limit, format, ...asked } = c.req.valid("query");
  const found = await c.var.database.rpc<(z.infer<typeof Transfer> & { cursor: string })[]>(
    "wallet_search",
    { ...asked, tenant_id: c.var.tenant.id, page_size: limit },
  );
  const columns = Object.keys(Transfer.shape) as (keyof z.infer<typeof Transfer>)[];
  return answer(c, found, { limit, format, name: "transfers" }, columns);
});

wallet.openapi(batch, async (c) => {
  if (!/^text\/csv\b/i.test(c.req.header("content-type") ?? "")) {
    throw new ProblemError("request.unsupported_media_type");
  }
  const lines = fromCsv(await c.req.text(), BatchLine);
  const report = await c.var.database.rpc<z.infer<typeof Report>>("wallet_batch", {
    tenant_id: c.var.tenant.id,
    lines,
    idempotency_key: c.req.valid("header")["idempotency-key"],
    dry_run: c.req.valid("query").dry_run === "true",
  });
  return c.json(report, 200);
});
