import type { Context, MiddlewareHandler } from "hono";
import { createMiddleware } from "hono/factory";
import { matchedRoutes } from "hono/route";
import type { Env } from "./env.ts";

/** A request limit: so many requests in a window of so many seconds. */
export interface Limit {
  limit: number;
  window: number;
}

/** A limit with the name that the configuration knows it by, and whom it counts. */
export interface NamedLimit extends Limit {
  name: string;
  by: "ip" | "person";
}

/** What a route can ask of the middleware that runs before it, for every route. */
export interface Declaration {
  limit?: NamedLimit;
  /** Not counted at all. */
  unlimited?: true;
  /** Counted where that is possible: the route has something to say when it is not. */
  lenient?: true;
  bodyLimit?: number;
  /** The same, for a form with files alone. */
  formLimit?: number;
  /** Answers browsers with a page, which a policy of its own holds. */
  page?: true;
}

const declarations = new WeakMap<object, Declaration>();

/** A middleware that does nothing itself: it carries what `declaredBy` finds beforehand. */
export function declare(declaration: Declaration): MiddlewareHandler<Env> {
  const carrier = createMiddleware((_c, next) => next());
  declarations.set(carrier, declaration);
  return carrier;
}

/** What the routes that a request matched declare, the outermost first. */
export function declaredBy(c: Context): Declaration[] {
  return matchedRoutes(c).flatMap(({ handler }) => declarations.get(handler) ?? []);
}

/** For routes that take more than the usual body, such as uploads. */
export const bodyUpTo = (bytes: number): MiddlewareHandler<Env> => declare({ bodyLimit: bytes });

/** For routes that take JSON, or a form with files, which may be larger. */
export const formUpTo = (bytes: number): MiddlewareHandler<Env> => declare({ formLimit: bytes });
