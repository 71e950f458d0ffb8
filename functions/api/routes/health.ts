import { createRoute, z } from "@hono/zod-openapi";
import { operator } from "shared/auth/signed_in.ts";
import type { Database } from "shared/database/client.ts";
import { problems, signedInErrors } from "shared/errors/openapi.ts";
import { ProblemError } from "shared/errors/problem.ts";
import { byOperator } from "shared/http/openapi.ts";
import { originOf } from "shared/http/origin.ts";
import { router } from "shared/http/router.ts";
import { describeError, type Log } from "shared/log.ts";

const Health = z.object({ status: z.enum(["ok", "degraded", "down"]) }).openapi("Health");

const DetailedHealth = Health.extend({
  checks: z.record(z.string(), z.unknown()),
}).openapi("DetailedHealth");

type Checks = z.infer<typeof DetailedHealth>["checks"];

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
  responses: { 200: json("It runs", Health), ...problems() },
});

const readiness = {
  200: json("It serves: `ok`, or `degraded` where something behind it is late", Health),
  503: json("It cannot serve", Health),
  500: problems()[500],
};

const overall = createRoute({
  ...open,
  path: "/",
  operationId: "getHealth",
  summary: "The same answer as `/health/ready`, for monitors that know one address",
  responses: readiness,
});

const ready = createRoute({
  ...open,
  path: "/ready",
  operationId: "getReadiness",
  summary: "Whether the function can serve: asks the database",
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
  middleware: [operator] as const,
  responses: {
    200: json("Every check with its result", DetailedHealth),
    ...problems("members.permission_denied", ...signedInErrors),
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

/** A check's result is its status, or an object that has one. */
const statusOf = (check: unknown): unknown =>
  typeof check === "object" && check !== null && "status" in check ? check.status : check;

const summary = (checks: Checks) =>
  Object.values(checks).map(statusOf).every((status) => status === "ok") ? "ok" : "degraded";

/** The checks of the database, or undefined when it does not answer. */
async function ask(database: Database, log: Log): Promise<Checks | undefined> {
  try {
    return await database.rpc<Checks>("operations_health", {}, patience);
  } catch (error) {
    const down = error instanceof ProblemError && ["unavailable", "timeout"].includes(error.code);
    if (!down) throw error;
    log("warn", "the database does not answer", describeError(error));
    return undefined;
  }
}

export const health = router();

health.openapi(live, (c) => c.json({ status: "ok" } as const, 200));

for (const route of [overall, ready]) {
  health.openapi(route, async (c) => {
    const { database, log } = c.var.services;
    const checks = await ask(database.asService(originOf(c.req, c.var)), log);
    return checks
      ? c.json({ status: summary(checks) } as const, 200)
      : c.json({ status: "down" } as const, 503);
  });
}

health.openapi(detailed, async (c) => {
  const { bySecretKey, database, services } = c.var;
  const checks = await ask(database, services.log);
  if (checks) return c.json({ status: summary(checks), checks } as const, 200);
  if (!bySecretKey) throw new ProblemError("unavailable", { retryAfter: 5 });
  return c.json({ status: "down", checks: { database: { status: "down" } } } as const, 503);
});
