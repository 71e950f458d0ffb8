import { OpenAPIHono, type z } from "@hono/zod-openapi";
import { type Fault, ProblemError } from "../errors/problem.ts";
import type { Env } from "./env.ts";

/** Faults beyond this many help nobody and make a large answer out of a bad request. */
const faultsShown = 20;

/** The routes of one capability: a request that does not match its schema ends as `request.invalid`. */
export function router<E extends Env = Env>(): OpenAPIHono<E> {
  return new OpenAPIHono<E>({
    defaultHook: (result) => {
      if (result.success) return;
      const errors = result.error.issues.slice(0, faultsShown)
        .map((issue) => faultOf(result.target, issue));
      throw new ProblemError("request.invalid", { errors });
    },
  });
}

function faultOf(target: string, issue: z.core.$ZodIssue): Fault {
  const escape = (key: PropertyKey) => String(key).replaceAll("~", "~0").replaceAll("/", "~1");
  return {
    in: target,
    pointer: issue.path.map((key) => `/${escape(key)}`).join(""),
    detail: issue.message,
  };
}
