import { z } from "@hono/zod-openapi";
import { catalogue, type ErrorCode } from "./catalogue.ts";

const Fault = z.object({
  in: z.string().openapi({ description: "Part of the request: json, query, param or header" }),
  pointer: z.string().openapi({ description: "JSON pointer within that part" }),
  detail: z.string(),
});

/** RFC 9457 body of every refusal and failure. */
export const Problem = z.object({
  type: z.string().openapi({ example: "urn:nexus:error:request.invalid" }),
  title: z.string(),
  status: z.int(),
  code: z.string().openapi({ description: "Stable, and the one thing to decide on" }),
  detail: z.string().optional(),
  request_id: z.string(),
  errors: z.array(Fault).optional(),
}).openapi("Problem");

type StatusOf<C extends ErrorCode> = (typeof catalogue)[C]["status"];

type ProblemResponses<C extends ErrorCode> = {
  [S in StatusOf<C>]: {
    description: string;
    content: { "application/problem+json": { schema: typeof Problem } };
  };
};

/** What any route can end with. */
const always = ["internal", "limits.exceeded"] as const;

/** What any route that asks the database can end with. */
export const databaseErrors = ["unavailable", "timeout"] as const;

/** What any route for signed-in people can end with, the trust check of the database included. */
export const signedInErrors = [
  "auth.read_only",
  "auth.required",
  "auth.session_bounded",
  "auth.session_ended",
  "two_factor.required",
  ...databaseErrors,
] as const;

/** What any route behind `inTenant` can end with besides. */
export const inTenantErrors = [
  "tenants.not_found",
  "members.not_active",
  "tenants.ambiguous",
] as const;

/** OpenAPI `responses` for the codes that a route declares, grouped by status. */
export function problems<C extends ErrorCode>(
  ...codes: C[]
): ProblemResponses<C | (typeof always)[number]> {
  const byStatus = Map.groupBy(
    new Set<ErrorCode>([...codes, ...always]),
    (code) => catalogue[code].status,
  );
  return Object.fromEntries(
    [...byStatus].map(([status, list]) => [status, describe(list)]),
  ) as unknown as ProblemResponses<C | (typeof always)[number]>;
}

function describe(codes: ErrorCode[]) {
  return {
    description: codes.map((code) => `\`${code}\`: ${catalogue[code].title}.`).join("\n"),
    content: {
      "application/problem+json": {
        schema: Problem.extend({ code: z.enum(codes as [ErrorCode, ...ErrorCode[]]) }),
      },
    },
  };
}
