import type { Part } from "../part.ts";

/** Storage is not embedded yet: a client is told so instead of being left with a strange error. */
export const storage: Part = {
  fetch: () =>
    Promise.resolve(Response.json({
      statusCode: "501",
      error: "not_implemented",
      message: "The embedded stack has no Storage yet.",
    }, { status: 501 })),
  stop: () => Promise.resolve(),
};
