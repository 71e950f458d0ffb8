import { createRoute, z } from "@hono/zod-openapi";
import { withSecretKey } from "shared/auth/signed_in.ts";
import { problems } from "shared/errors/openapi.ts";
import { lenient } from "shared/http/limits.ts";
import { bySecretKey } from "shared/http/openapi.ts";
import { router } from "shared/http/router.ts";
import { describeError } from "shared/log.ts";
import { type Metric, renderMetrics, type Sample } from "shared/metrics.ts";

interface Figure extends Omit<Sample, "value"> {
  name: string;
  /** Null: known, but without a value yet. */
  value: number | null;
  kind: "counter" | "gauge";
  help: string;
}

const get = createRoute({
  method: "get",
  path: "/",
  operationId: "getMetrics",
  summary: "The figures of the project, for Prometheus",
  description: "Text format 0.0.4. What the database knows is the same from every instance; " +
    "`http_*` counts what the answering instance has served since it started, under the label " +
    "`isolate`. Without a database only `database_up 0` and those are there.",
  tags: ["operations"],
  security: bySecretKey,
  middleware: [lenient, withSecretKey] as const,
  responses: {
    200: {
      description: "All metrics",
      content: { "text/plain": { schema: z.string() } },
    },
    ...problems("auth.required"),
  },
});

/** A scrape is given up after 10 s by default. */
const patience = 8_000;

export const metrics = router();

metrics.openapi(get, async (c) => {
  const { services, database } = c.var;
  const figures = await database.rpc<Figure[]>("operations_metrics", {}, patience).catch(
    (error) => {
      services.log("warn", "the database gives no figures", describeError(error));
      return undefined;
    },
  );
  const up: Metric = {
    name: "database_up",
    kind: "gauge",
    help: "Whether the database answered this scrape.",
    samples: [{ labels: {}, value: figures ? 1 : 0 }],
  };
  const text = renderMetrics([up, ...grouped(figures ?? []), ...services.metrics.read()]);
  return c.text(text, 200, { "content-type": "text/plain; version=0.0.4; charset=utf-8" });
});

function grouped(figures: Figure[]): Metric[] {
  return [...Map.groupBy(figures, ({ name }) => name)].map(([name, values]) => ({
    name,
    kind: values[0]!.kind,
    help: values[0]!.help,
    samples: values.flatMap(({ value, labels }) => value === null ? [] : { value, labels }),
  }));
}
