import { createMiddleware } from "hono/factory";
import { ProblemError } from "../errors/problem.ts";
import type { Env } from "./env.ts";

const reading = ["GET", "HEAD", "OPTIONS"];

/**
 * For every route that takes a cookie as proof of who asks: browsers send cookies along whoever
 * wrote the page, so a writing request has to come from one of our own origins. Nothing else needs
 * it, because no foreign page can make a browser send an `Authorization` header.
 */
export const fromOwnPages = createMiddleware<Env>(async (c, next) => {
  const { origins } = c.var.services.config.http;
  const origin = c.req.header("origin") ?? "";
  const own = origins.includes(origin) || c.req.header("sec-fetch-site") === "same-origin";
  if (!reading.includes(c.req.method) && !own) throw new ProblemError("request.cross_site");
  await next();
});
