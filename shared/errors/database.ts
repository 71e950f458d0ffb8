import { catalogue, isErrorCode } from "./catalogue.ts";
import { ProblemError } from "./problem.ts";

/** An error as PostgREST and supabase-js report it; `code` is a SQLSTATE or one of PostgREST's own. */
export interface DatabaseError {
  code?: string | null;
  message?: string | null;
  details?: string | null;
  hint?: string | null;
}

/** What the database reported where no client may read it; `cause` of an `internal` problem. */
export class DatabaseFailure extends Error {
  override name = "DatabaseFailure";

  constructor({ code, message, details }: DatabaseError, status: number) {
    super(`${code || "no code"}: ${message ?? ""}${details ? ` (${details})` : ""}`);
    this.stack = `${this.name}: ${this.message} [HTTP ${status}]`;
  }
}

/** Connections refused or cut, resources exhausted, shutting down, read-only after a failover. */
const passing = /^(08...|53...|57P0[1-5]|25006|PGRST00[0-3])$/;

/** The transaction was rolled back through no fault of its own: conflict, deadlock, lock or time limit. */
const rolledBack = /^(40...|55P03|57014)$/;

/** PostgREST refused the token: not signed by the project, expired, or no token where one is needed. */
const tokenRefused = /^PGRST30[0-3]$/;

/** Text that JSON can carry and Postgres cannot store: NUL and lone surrogates. */
const unstorable = /^(22021|22P05)$/;

/**
 * Translates what a call of the Data API failed with. SQL raises
 * `raise sqlstate 'PT409' using message = '<code>', detail = …`; everything else is judged by its
 * code and status. What nobody foresaw is `internal`, with the original as its cause.
 */
export function fromDatabase(error: DatabaseError, status: number): ProblemError {
  const code = error.code ?? "";
  const cause = new DatabaseFailure(error, status);
  if (code.startsWith("PT")) return raised(error, cause);
  if (tokenRefused.test(code)) return new ProblemError("auth.required", { cause });
  if (unstorable.test(code)) {
    return new ProblemError("request.invalid", {
      detail: "The request holds text that cannot be stored.",
      cause,
    });
  }
  if (status === 504 || timedOut(error, status)) return new ProblemError("timeout", { cause });
  if (passing.test(code) || rolledBack.test(code) || [0, 502, 503].includes(status)) {
    return new ProblemError("unavailable", { retryAfter: 1, cause });
  }
  return new ProblemError("internal", { cause });
}

/** supabase-js reports a failed fetch with status 0 and the error's name before its message. */
const timedOut = ({ message }: DatabaseError, status: number) =>
  status === 0 && /^(TimeoutError|AbortError):/.test(message ?? "");

function raised(
  { code, message, details, hint }: DatabaseError,
  cause: DatabaseFailure,
): ProblemError {
  if (isErrorCode(message) && code === `PT${catalogue[message].status}`) {
    // supabase-js shows no headers, so a limit tells its seconds in the hint as well.
    const retryAfter = message === "limits.exceeded" ? { retryAfter: Number(hint) || 1 } : {};
    return new ProblemError(message, { detail: details ?? undefined, ...retryAfter, cause });
  }
  return new ProblemError("internal", { cause });
}
