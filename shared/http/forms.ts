import type { Context } from "hono";
import { createMiddleware } from "hono/factory";
import { ProblemError } from "../errors/problem.ts";
import type { Env } from "./env.ts";

/** Whether the body says that it is a form that may carry files. */
export const isForm = (c: Context): boolean =>
  /^multipart\/form-data\b/i.test(c.req.header("content-type") ?? "");

/** For routes that take a form with a file: what is no form is told so before it is read. */
export const formOnly = createMiddleware<Env>(async (c, next) => {
  if (!isForm(c)) throw new ProblemError("request.unsupported_media_type");
  await next();
});
