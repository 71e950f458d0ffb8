import { createMiddleware } from "hono/factory";
import { ProblemError } from "../errors/problem.ts";
import type { Env } from "./env.ts";

/** For routes that take a form with a file: what is no form is told so before it is read. */
export const formOnly = createMiddleware<Env>(async (c, next) => {
  if (!/^multipart\/form-data\b/i.test(c.req.header("content-type") ?? "")) {
    throw new ProblemError("request.unsupported_media_type");
  }
  await next();
});
