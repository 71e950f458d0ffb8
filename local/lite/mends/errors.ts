import { type Answer, answerWith } from "../answer.ts";
import type { Mend, Parts } from "../mend.ts";

/**
 * A failure in Postgres answers as PostgREST 14 answers it: its own status for each class of
 * SQLSTATE, and code, message, detail and hint as raised. Lite answers most of them with 500 and
 * the code "SUP".
 */
export const errors: Mend = {
  name: "errors",
  connection(parts) {
    parts.connection.normalizeDbError = (error) => normalized(error, parts);
  },
  fetch(next, { options }) {
    return async (request) => {
      const response = await next(request);
      return response.status === 500 ? await withoutInternals(response, options.log) : response;
    };
  },
};

interface DatabaseError {
  code: string;
  severity: string;
  message: string;
  detail?: string;
  hint?: string;
}

function normalized(error: unknown, { current }: Parts): unknown {
  if (isDatabaseError(error)) {
    // These three lite knows: it completes the message as PostgREST words it, or reads the answer out of it.
    if (["42703", "42883", "PGRST"].includes(error.code)) return error;
    const { code, message, detail, hint } = error;
    return answerWith({
      status: statusOf(error, current().role === "anon"),
      code,
      message,
      details: detail,
      hint,
    });
  }
  const answer = error instanceof Error ? connectionFailure(error) : undefined;
  return answer ? answerWith(answer) : error;
}

function isDatabaseError(error: unknown): error is DatabaseError {
  return error instanceof Error && "severity" in error && "code" in error;
}

const byState: Record<string, number> = {
  "23503": 409,
  "23505": 409,
  "25006": 405,
  "53400": 500,
  "57P01": 503,
  "42P01": 404,
  "42P17": 500,
  P0001: 400,
};

const byClass: Record<string, number> = {
  "08": 503,
  "09": 500,
  "0L": 403,
  "0P": 403,
  "25": 500,
  "28": 403,
  "2D": 500,
  "38": 500,
  "39": 500,
  "3B": 500,
  "40": 500,
  "53": 503,
  "54": 500,
  "55": 500,
  "57": 500,
  "58": 500,
  F0: 500,
  HV: 500,
  P0: 500,
  XX: 500,
};

/** The HTTP status of a SQLSTATE: PostgREST's table. */
export function statusOf({ code, message }: DatabaseError, anonymous: boolean): number {
  if (code === "42501") return anonymous ? 401 : 403;
  if (code === "21000") return message.endsWith("requires a WHERE clause") ? 400 : 500;
  if (code === "22023" && /^role .* does not exist$/.test(message)) return 401;
  if (code.startsWith("PT")) {
    const chosen = Number(code.slice(2));
    return chosen >= 200 && chosen <= 599 ? chosen : 500;
  }
  return byState[code] ?? byClass[code.slice(0, 2)] ?? 400;
}

function connectionFailure(error: Error & { code?: unknown }): Answer | undefined {
  if (error.message === "timeout exceeded when trying to connect") {
    const message = "Timed out acquiring connection from connection pool.";
    return { status: 504, code: "PGRST003", message };
  }
  if (/^E[A-Z]+$/.test(String(error.code))) {
    const message = "Database connection error. Retrying the connection.";
    return { status: 503, code: "PGRST000", message };
  }
  if (/^(Connection terminated|Client (has encountered|was closed))/.test(error.message)) {
    const message = "Database client error. Retrying the connection.";
    return { status: 503, code: "PGRST001", message };
  }
  return undefined;
}

// An error of lite's own is for the log: its text names what the client has no business to know.
async function withoutInternals(
  response: Response,
  log: (line: string) => void,
): Promise<Response> {
  const text = await response.text();
  if (text.startsWith("{") && !text.includes('"code":"SUP"')) {
    return new Response(text, response);
  }
  log(`a request failed: ${text}`);
  const body = { code: "PGRSTX00", details: null, hint: null, message: "Internal error" };
  return Response.json(body, { status: 500 });
}
