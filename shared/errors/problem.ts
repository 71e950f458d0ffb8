import { catalogue, type ErrorCode } from "./catalogue.ts";

/** One fault in a request: where it is, and what is wrong there. */
export interface Fault {
  in: string;
  /** JSON pointer within that part of the request. */
  pointer: string;
  detail: string;
}

interface ProblemOptions {
  detail?: string | undefined;
  errors?: Fault[];
  /** Seconds after which a repetition makes sense. */
  retryAfter?: number;
  cause?: unknown;
}

/** A refusal or failure that the client is told about by its code. */
export class ProblemError extends Error {
  override name = "ProblemError";
  readonly detail: string | undefined;
  readonly errors: Fault[] | undefined;
  readonly retryAfter: number | undefined;

  constructor(readonly code: ErrorCode, options: ProblemOptions = {}) {
    super(code, options.cause === undefined ? {} : { cause: options.cause });
    this.detail = options.detail;
    this.errors = options.errors;
    this.retryAfter = options.retryAfter;
  }

  get status(): (typeof catalogue)[ErrorCode]["status"] {
    return catalogue[this.code].status;
  }
}

/** The body of RFC 9457, and the headers that belong to the status. */
export function problemAnswer({ code, status, detail, errors, retryAfter }: ProblemError) {
  const body = {
    type: `urn:nexus:error:${code}`,
    title: catalogue[code].title,
    status,
    code,
    ...(detail === undefined ? {} : { detail }),
    ...(errors === undefined ? {} : { errors }),
  };
  const headers: Record<string, string> = { "content-type": "application/problem+json" };
  if (status === 401) headers["www-authenticate"] = 'Bearer realm="nexus"';
  if (retryAfter !== undefined) headers["retry-after"] = String(retryAfter);
  return { body, status, headers };
}
