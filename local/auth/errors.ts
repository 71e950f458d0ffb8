import type { Log } from "../part.ts";
import { postgresError } from "./database.ts";

/** GoTrue's error codes, as far as this stand-in answers with them. */
export type ErrorCode =
  | "anonymous_provider_disabled"
  | "bad_code_verifier"
  | "bad_json"
  | "bad_jwt"
  | "email_exists"
  | "email_not_confirmed"
  | "flow_state_expired"
  | "flow_state_not_found"
  | "hook_payload_invalid_content_type"
  | "hook_payload_over_size_limit"
  | "hook_timeout"
  | "hook_timeout_after_retry"
  | "identity_not_found"
  | "invalid_credentials"
  | "manual_linking_disabled"
  | "mfa_factor_not_found"
  | "mfa_totp_enroll_not_enabled"
  | "no_authorization"
  | "not_admin"
  | "otp_disabled"
  | "otp_expired"
  | "over_email_send_rate_limit"
  | "over_request_rate_limit"
  | "phone_provider_disabled"
  | "provider_disabled"
  | "reauthentication_needed"
  | "reauthentication_not_valid"
  | "refresh_token_already_used"
  | "refresh_token_not_found"
  | "same_password"
  | "saml_provider_disabled"
  | "session_expired"
  | "session_not_found"
  | "signup_disabled"
  | "single_identity_not_deletable"
  | "unexpected_failure"
  | "unknown"
  | "user_already_exists"
  | "user_banned"
  | "user_not_found"
  | "validation_failed"
  | "weak_password";

interface Extra {
  /** Seconds after which the same request may succeed. */
  retryAfter?: number;
  /** Members of the body beside the code and the message. */
  body?: Record<string, unknown>;
  cause?: unknown;
}

/** A refusal as GoTrue words it. */
export class AuthError extends Error {
  constructor(
    readonly status: number,
    readonly code: ErrorCode,
    message: string,
    readonly extra: Extra = {},
  ) {
    super(message, { cause: extra.cause });
  }
}

export const invalid = (message: string): AuthError =>
  new AuthError(400, "validation_failed", message);

/** Gives a failure of the database the message GoTrue has for it; a refusal of ours stays itself. */
export async function orFail<T>(message: string, work: Promise<T>): Promise<T> {
  try {
    return await work;
  } catch (cause) {
    if (cause instanceof AuthError) throw cause;
    throw new AuthError(500, "unexpected_failure", message, { cause });
  }
}

const versionHeader = "x-supabase-api-version";

/** The answer to a request that failed, in the shape of the API version the client asks for. */
export function errorResponse(error: unknown, request: Request, log: Log): Response {
  const refusal = error instanceof AuthError ? error : new AuthError(
    500,
    "unexpected_failure",
    "Unexpected failure, please check server logs for more information",
    { cause: error },
  );
  if (refusal.status >= 500) log(`auth: ${refusal.message}: ${explain(refusal.cause)}`);
  const modern = (request.headers.get(versionHeader) ?? "") >= "2024-01-01";
  const headers = new Headers({ "x-sb-error-code": refusal.code });
  if (modern) headers.set(versionHeader, "2024-01-01");
  if (refusal.extra.retryAfter !== undefined) {
    headers.set("retry-after", String(refusal.extra.retryAfter));
  }
  if (!modern) {
    const raised = raisedInDatabase(refusal.cause);
    if (raised) return Response.json(raised.body, { status: raised.status, headers });
  }
  const { code, status, message, extra } = refusal;
  const body = modern ? { code, message } : { code: status, error_code: code, msg: message };
  return Response.json({ ...body, ...extra.body }, { status, headers });
}

const explain = (cause: unknown) => cause instanceof Error ? cause.stack ?? cause.message : cause;

/** GoTrue shows older clients what a trigger raised; a `PTxyz` also sets the status. */
function raisedInDatabase(cause: unknown) {
  const error = postgresError(cause);
  if (!error?.code) return undefined;
  const chosen = /^PT(\d{3})$/.exec(error.code)?.[1];
  if (!chosen && error.code !== "P0001" && !error.code.startsWith("23")) return undefined;
  const { code, message, hint, detail } = error;
  return { status: Number(chosen ?? 500), body: { code, message, hint, detail } };
}
