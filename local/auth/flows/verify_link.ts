import type { TokenAnswer } from "../access_tokens.ts";
import type { Auth } from "../auth.ts";
import type { Call } from "../call.ts";
import { AuthError, invalid } from "../errors.ts";
import { pkcePrefix } from "../one_time_tokens.ts";
import { redirectOf } from "../redirects.ts";
import { halfConfirmed, openLink } from "./verify.ts";

/** The OAuth names of the statuses a link can fail with. */
const oauthErrors: Record<number, string> = {
  400: "invalid_request",
  401: "unauthorized_client",
  403: "access_denied",
  500: "server_error",
  503: "temporarily_unavailable",
};

/** `GET /verify`: the link of a mail. It always leads on to the app, which reads what came of it. */
export async function verifyLink(auth: Auth, call: Call): Promise<Response> {
  const token = call.query.get("token");
  if (!call.query.get("type")) throw invalid("Verify requires a verification type");
  if (!token) throw invalid("Verify requires a token or a token hash");
  const target = new URL(redirectOf(auth.config, call));
  const pkce = token.startsWith(pkcePrefix);
  try {
    const { tokens, code } = await openLink(auth, call, token);
    if (tokens) target.hash = String(tokenFragment(tokens, call.query.get("type")!));
    else if (code) target.searchParams.set("code", code);
    else say(target, { message: halfConfirmed }, pkce);
  } catch (error) {
    if (!(error instanceof AuthError)) throw error;
    say(target, problem(error), pkce);
  }
  return new Response(null, { status: 303, headers: { location: target.href } });
}

/** Puts a message where the app looks for it: the fragment, and for PKCE the query as well. */
function say(target: URL, message: Record<string, string>, pkce: boolean): void {
  target.hash = String(new URLSearchParams(message));
  if (!pkce) return;
  for (const [name, value] of Object.entries(message)) target.searchParams.set(name, value);
}

function problem({ status, code, message }: AuthError): Record<string, string> {
  const error = oauthErrors[status];
  return { ...(error && { error }), error_code: code, error_description: message };
}

function tokenFragment(tokens: TokenAnswer, type: string): URLSearchParams {
  return new URLSearchParams({
    access_token: tokens.access_token,
    expires_at: String(tokens.expires_at),
    expires_in: String(tokens.expires_in),
    refresh_token: tokens.refresh_token,
    token_type: tokens.token_type,
    type,
  });
}
