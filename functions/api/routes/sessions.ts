import { createRoute, z } from "@hono/zod-openapi";
import { signedIn } from "shared/auth/signed_in.ts";
import { problems, signedInErrors } from "shared/errors/openapi.ts";
import { bySession } from "shared/http/openapi.ts";
import { router } from "shared/http/router.ts";
import { notePlace } from "../places.ts";

const Session = z.object({
  id: z.uuid(),
  device: z.string().nullable().openapi({ example: "Firefox, Windows" }),
  place: z.string().nullable().openapi({
    description: "The country (ISO 3166) it was last known to be used from, where that is known",
    example: "CH",
  }),
  last_seen_at: z.iso.datetime({ offset: true }).openapi({
    description: "Its last login or refresh",
  }),
  current: z.boolean().openapi({ description: "It is the one that asks" }),
}).openapi("Session");

const common = { tags: ["sessions"], security: bySession };

const list = createRoute({
  ...common,
  method: "get",
  path: "/",
  operationId: "listSessions",
  summary: "Where I am signed in",
  middleware: [signedIn] as const,
  responses: {
    200: {
      description: "The sessions, the one that asks first",
      content: { "application/json": { schema: z.object({ data: z.array(Session) }) } },
    },
    ...problems(...signedInErrors),
  },
});

const end = createRoute({
  ...common,
  method: "delete",
  path: "/{id}",
  operationId: "endSession",
  summary: "Sign a device out",
  middleware: [signedIn] as const,
  description: "From the next statement on its tokens open nothing. All others at once: " +
    "`POST /auth/logout`.",
  request: {
    params: z.object({ id: z.uuid().openapi({ param: { name: "id", in: "path" } }) }),
  },
  responses: {
    204: { description: "It has ended" },
    ...problems("request.invalid", "sessions.not_found", ...signedInErrors),
  },
});

export const sessions = router();

sessions.openapi(list, async (c) => {
  const { caller, database } = c.var;
  await notePlace(c, caller.sessionId, caller.personId);
  return c.json({ data: await database.rpc<z.infer<typeof Session>[]>("sessions_list") }, 200);
});

sessions.openapi(end, async (c) => {
  await c.var.database.rpc("sessions_end", { session: c.req.valid("param").id });
  return c.body(null, 204);
});
