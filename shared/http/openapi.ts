import { createRoute, type OpenAPIHono, z } from "@hono/zod-openapi";
import { problems } from "../errors/openapi.ts";
import type { Env } from "./env.ts";

/** Security requirements that routes declare, by the names of their schemes. */
export const bySession = [{ session: [] }];
export const byOperator = [{ session: [] }, { secret_key: [] }];
export const bySecretKey = [{ secret_key: [] }];

interface About {
  /** Path prefix of the function, such as `/api`. */
  prefix: string;
  title: string;
  description: string;
  /** Capability slug to what its routes are for. */
  tags: Record<string, string>;
}

/** Serves the OpenAPI 3.1 document of all routes registered before the first request for it. */
export function serveOpenApi(app: OpenAPIHono<Env>, about: About): void {
  app.openAPIRegistry.registerComponent("securitySchemes", "session", {
    type: "http",
    scheme: "bearer",
    bearerFormat: "JWT",
    description: "Access token of a session of Supabase Auth.",
  });
  app.openAPIRegistry.registerComponent("securitySchemes", "secret_key", {
    type: "apiKey",
    in: "header",
    name: "apikey",
    description: "Secret key of the project, for operators.",
  });
  const route = createRoute({
    method: "get",
    path: `${about.prefix}/openapi.json`,
    operationId: "getOpenApi",
    summary: "This document",
    tags: ["operations"],
    security: [],
    responses: {
      200: {
        description: "OpenAPI 3.1",
        content: { "application/json": { schema: z.looseObject({ openapi: z.string() }) } },
      },
      ...problems(),
    },
  });
  let document: string | undefined;
  app.openAPIRegistry.registerPath(route);
  app.get(route.path, (c) => {
    document ??= JSON.stringify(app.getOpenAPI31Document({
      openapi: "3.1.0",
      info: { title: about.title, version: "1", description: about.description },
      servers: [{ url: "/functions/v1" }],
      tags: Object.entries(about.tags).map(([name, description]) => ({ name, description })),
    }));
    return c.body(document, 200, {
      "content-type": "application/json",
      "cache-control": "public, max-age=300",
    });
  });
}
