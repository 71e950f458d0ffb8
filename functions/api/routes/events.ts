import { createRoute, z } from "@hono/zod-openapi";
import { databaseErrors, problems } from "shared/errors/openapi.ts";
import { originOf } from "shared/http/origin.ts";
import { router } from "shared/http/router.ts";
import { type Calendar, calendarText } from "../calendar.ts";

const feed = createRoute({
  method: "get",
  path: "/feeds/{file}",
  operationId: "getEventsFeed",
  summary: "A calendar of one's own events, or of a group's",
  description:
    "For calendar programs, which can send no token: the address is the secret. The RPC " +
    "`events_feed_create` makes one, and with the next one or `events_feed_end` it is over. It shows " +
    "what its owner may see at this moment, from thirty days ago to four hundred ahead.",
  tags: ["events"],
  security: [],
  request: {
    params: z.object({
      file: z.string().max(200).openapi({
        param: { name: "file", in: "path" },
        description: "The token, and `.ics`",
      }),
    }),
  },
  responses: {
    200: {
      description: "The calendar (RFC 5545)",
      content: { "text/calendar": { schema: z.string() } },
    },
    ...problems("events.feed_not_found", "request.invalid", ...databaseErrors),
  },
});

export const events = router();

events.openapi(feed, async (c) => {
  const asService = c.var.services.database.asService(originOf(c.req, c.var));
  const calendar = await asService.rpc<Calendar>("events_feed_read", {
    token: c.req.valid("param").file.replace(/\.ics$/, ""),
  });
  return c.body(calendarText(calendar), 200, {
    "content-type": "text/calendar; charset=utf-8",
    "content-disposition": 'inline; filename="events.ics"',
    "cache-control": "private, no-store",
  });
});
