import type { Config } from "../config.ts";
import type { Origin } from "../database/client.ts";
import { ProblemError } from "../errors/problem.ts";
import { span } from "../tracing.ts";

/** The tokens of a session, as Supabase Auth answers with them. */
export interface Tokens {
  access_token: string;
  refresh_token: string;
  token_type: string;
  expires_in: number;
  expires_at: number;
  user: { id: string };
}

/** What Auth refused a request with: its own stable code. */
export class AuthRefusal extends Error {
  override name = "AuthRefusal";

  constructor(readonly status: number, readonly code: string) {
    super(`Supabase Auth answered ${status} ${code}`);
  }
}

interface Request {
  method: string;
  body?: Record<string, unknown> | undefined;
  /** Whose act it is; the secret key's without one. */
  token?: string | undefined;
}

/** Milliseconds: a hash under load takes half a second, and Auth waits for its mail hook five. */
const answerWithin = 12_000;

/**
 * Supabase Auth on behalf of a client: it counts by the client's address and keeps the client's
 * device, as if they had asked it themselves. Refusals leave as `AuthRefusal`, too many as
 * `limits.exceeded`, and what gives no answer as `unavailable`.
 */
export class AuthServer {
  constructor(readonly config: Config, readonly origin: Origin) {}

  signIn(email: string, password: string): Promise<Tokens> {
    return this.#call("/token?grant_type=password", { method: "POST", body: { email, password } });
  }

  refresh(refresh_token: string): Promise<Tokens> {
    return this.#call("/token?grant_type=refresh_token", {
      method: "POST",
      body: { refresh_token },
    });
  }

  /** Makes a login, whose address is not proved unless that is said; Auth sends no mail. */
  createUser(user: {
    email: string;
    password?: string;
    email_confirm?: boolean;
    user_metadata: Record<string, unknown>;
  }): Promise<{ id: string }> {
    return this.#call("/admin/users", { method: "POST", body: { email_confirm: false, ...user } });
  }

  /** As an operator: nobody has to confirm anything. */
  updateUser(id: string, changes: Record<string, unknown>): Promise<unknown> {
    return this.#call(`/admin/users/${id}`, { method: "PUT", body: changes });
  }

  /** As the person: a new password ends their other sessions, a new address is confirmed by mail. */
  updateSelf(token: string, changes: Record<string, unknown>): Promise<unknown> {
    return this.#call("/user", { method: "PUT", body: changes, token });
  }

  unlink(token: string, identity: string): Promise<unknown> {
    return this.#call(`/user/identities/${identity}`, { method: "DELETE", token });
  }

  #call<T>(path: string, request: Request): Promise<T> {
    const name = path.split("?")[0]!.replace(/[0-9a-f]{8}-[0-9a-f-]{27}/, ":id");
    return span(
      `auth ${request.method} ${name}`,
      {},
      () => this.#send(path, request) as Promise<T>,
    );
  }

  async #send(path: string, { method, body, token }: Request): Promise<unknown> {
    const secretKey = this.config.secretKey.reveal();
    const { "x-forwarded-for": address, "user-agent": userAgent } = this.origin;
    const response = await fetch(`${this.config.supabaseUrl}/auth/v1${path}`, {
      method,
      headers: {
        apikey: secretKey,
        authorization: `Bearer ${token ?? secretKey}`,
        "x-supabase-api-version": "2024-01-01",
        // Taken from whoever holds the secret key.
        ...(address === undefined ? {} : { "sb-forwarded-for": address }),
        ...(userAgent === undefined ? {} : { "user-agent": userAgent }),
        ...(body === undefined ? {} : { "content-type": "application/json" }),
      },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
      signal: AbortSignal.timeout(answerWithin),
    }).catch((cause) => {
      throw new ProblemError("unavailable", { retryAfter: 1, cause });
    });
    const answer = await response.json().catch(() => ({}));
    if (!response.ok) throw refusalOf(response, answer);
    return answer;
  }
}

function refusalOf({ status, headers }: Response, answer: { code?: unknown }): Error {
  const refusal = new AuthRefusal(status, String(answer.code ?? ""));
  if (status === 429) {
    const retryAfter = Number(headers.get("retry-after")) || 60;
    return new ProblemError("limits.exceeded", { retryAfter, cause: refusal });
  }
  if (status < 500) return refusal;
  return new ProblemError("unavailable", { retryAfter: 1, cause: refusal });
}
