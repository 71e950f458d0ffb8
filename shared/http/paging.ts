import { z } from "@hono/zod-openapi";
import { Buffer } from "node:buffer";
import { ProblemError } from "../errors/problem.ts";

const largestPage = 100;

/** Query of every list: `limit`, where to go on, and the time it is about. */
export const pageQuery = z.object({
  limit: z.coerce.number().int().min(1).max(largestPage).default(50),
  cursor: z.string().min(1).max(512).optional()
    .openapi({ description: "`next_cursor` of the page before" }),
  from: z.iso.datetime({ offset: true }).optional().openapi({ description: "Not before" }),
  to: z.iso.datetime({ offset: true }).optional().openapi({ description: "Before" }),
});

/** Body of every list. */
export const listOf = <T extends z.ZodType>(item: T) =>
  z.object({
    data: z.array(item),
    next_cursor: z.string().nullable().openapi({ description: "Null on the last page" }),
  });

/** The place after which a page goes on, as text that clients hand back and do not look into. */
export const encodeCursor = (position: unknown): string =>
  Buffer.from(JSON.stringify(position)).toString("base64url");

/** Reads a cursor; whatever is not one of ours ends as `request.invalid`. */
export function decodeCursor<T extends z.ZodType>(position: T, cursor: string): z.infer<T> {
  try {
    return position.parse(JSON.parse(Buffer.from(cursor, "base64url").toString()));
  } catch (cause) {
    throw new ProblemError("request.invalid", {
      errors: [{ in: "query", pointer: "/cursor", detail: "Not a cursor of this list" }],
      cause,
    });
  }
}

/** A page out of rows that were asked for with one more than `limit`: the one more tells if any follow. */
export function pageOf<T>(rows: readonly T[], limit: number, positionOf: (row: T) => unknown) {
  const data = rows.slice(0, limit);
  const last = data.at(-1);
  const more = rows.length > limit && last !== undefined;
  return { data, next_cursor: more ? encodeCursor(positionOf(last)) : null };
}
