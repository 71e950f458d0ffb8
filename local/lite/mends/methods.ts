import type { Mend } from "../mend.ts";

const known = new Set(["GET", "HEAD", "POST", "PATCH", "PUT", "DELETE", "OPTIONS"]);

/** A method that HTTP knows and PostgREST does not is refused. Lite reads a table for it. */
export const methods: Mend = {
  name: "methods",
  fetch: (next) => async (request) => {
    if (known.has(request.method)) return await next(request);
    const message = `Unsupported HTTP method: ${request.method}`;
    const body = { code: "PGRST117", details: null, hint: null, message };
    const headers = { "Proxy-Status": "PostgREST; error=PGRST117" };
    return Response.json(body, { status: 405, headers });
  },
};
