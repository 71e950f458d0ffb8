import { z } from "@hono/zod-openapi";

/** What JSON can carry and Postgres cannot store: NUL, and halves of surrogate pairs. */
const isStorable = (text: string) => text.isWellFormed() && !text.includes("\0");

const lengthOf = (text: string) => [...text].length;

/** One line or more of text somebody typed, without blanks around it; counted in characters. */
export const text = (longest: number) =>
  z.string().trim().min(1)
    .refine((value) => lengthOf(value) <= longest, `Too long: at most ${longest} characters`)
    .refine(isStorable, "Holds characters that cannot be stored")
    .openapi({ minLength: 1, maxLength: longest });

const deepest = 16;

function isStorableJson(value: unknown, depth = 0): boolean {
  if (typeof value === "string") return isStorable(value);
  if (typeof value !== "object" || value === null) return true;
  return depth < deepest &&
    Object.entries(value).every(([key, item]) =>
      isStorable(key) && isStorableJson(item, depth + 1)
    );
}

/** A JSON object of the client's own making. */
export const jsonObject = () =>
  z.record(z.string(), z.unknown())
    .refine((value) => isStorableJson(value), "Too deep, or holds text that cannot be stored")
    .openapi({ additionalProperties: true });
