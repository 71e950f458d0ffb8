import { createRoute, z } from "@hono/zod-openapi";
import { operator } from "shared/auth/signed_in.ts";
import type { Database } from "shared/database/client.ts";
import { problems, signedInErrors } from "shared/errors/openapi.ts";
import { lenient, unlimited } from "shared/http/limits.ts";
import { byOperator } from "shared/http/openapi.ts";
import { originOf } from "shared/http/origin.ts";
import { router } from "shared/http/router.ts";
import { describeError, type Log } from "shared/log.ts";

const Health = z.object({ status: z.enum(["ok", "degraded", "down"]) }).openapi("Health");

const Readiness = Health.extend({
  checks: z.record(z.string(), z.string()).openapi({ description: "`ok`, or what is wrong" }),
});

const DetailedHealth = Readiness.extend({
  figures: z.record(z.string(), z.unknown()).optional(),
}).openapi("DetailedHealth");

const json = <S extends z.ZodType>(description: string, schema: S) => ({
  description,
  content: { "application/json": { schema } },
});

const common = { method: "get" as const, tags: ["operations"] };
const open = { ...common, security: [] };

const live = createRoute({
  ...open,
  path: "/live",
  operationId: "getLiveness",
  summary: "Whether the function runs; asks nothing else",
  middleware: [unlimited] as const,
  responses: { 200: json("It runs", Health), ...problems() },
});

const readiness = {
  ...problems(),
  200: json("It serves: `ok`, or `degraded` where something behind it is late", Health),
  503: json("It cannot serve", Health),
};

const overall = createRoute({
  ...open,
  path: "/",
  operationId: "getHealth",
  summary: "The same answer as `/health/ready`, for monitors that know one address",
  middleware: [lenient] as const,
  responses: readiness,
});

const ready = createRoute({
  ...open,
  path: "/ready",
  operationId: "getReadiness",
  summary: "Whether the function can serve: asks the database",
  middleware: [lenient] as const,
  responses: readiness,
});

const unavailable = problems("unavailable", "timeout");

const detailed = createRoute({
  ...common,
  path: "/detailed",
  operationId: "getDetailedHealth",
  summary: "What was checked and found",
  description: "For operators: permission `operations.read` in the tenant `platform`, or the " +
    "secret key.",
  security: byOperator,
  middleware: [lenient, operator] as const,
  responses: {
    200: json("Every check with its result", DetailedHealth),
    ...problems(
      "tenants.not_found",
      "members.not_active",
      "members.permission_denied",
      ...signedInErrors,
    ),
    503: {
      description: `The secret key learns what is down. Others: ${unavailable[503].description}`,
      content: {
        ...unavailable[503].content,
        "application/json": { schema: DetailedHealth },
      },
    },
  },
});

/** Monitors give up early, so an answer that takes longer counts as none. */
const patience = 3_000;

/** What the database says of its own health; whatever keeps it from answering counts as down. */
async function probe<T>(database: Database, rpc: string, log: Log): Promise<T | undefined> {
  try {
    return await database.rpc<T>(rpc, {}, patience);
  } catch (error) {
    log("warn", "the database does not answer", describeError(error));
    return undefined;
  }
}

export const health = router();

health.openapi(live, (c) => c.json({ status: "ok" } as const, 200));

for (const route of [overall, ready]) {
  health.openapi(route, async (c) => {
    const { database, log } = c.var.services;
    const service = database.asService(originOf(c.req, c.var));
    const found = await probe<z.infer<typeof Readiness>>(service, "operations_ready", log);
    return found ? c.json({ status: found.status }, 200) : c.json({ status: "down" as const }, 503);
  });
}

health.openapi(detailed, async (c) => {
  type Details = z.infer<typeof DetailedHealth>;
  const { bySecretKey, database, services } = c.var;
  const rpc = "operations_health";
  if (!bySecretKey) return c.json(await database.rpc<Details>(rpc, {}, patience), 200);
  const found = await probe<Details>(database, rpc, services.log);
  if (found) return c.json(found, 200);
  return c.json({ status: "down" as const, checks: { database: "no answer" } }, 503);
});
