import type { Log } from "../../part.ts";
import type { AuthConfig, HookConfig, HookName } from "../../settings.ts";
import { isObject, type Json } from "../body.ts";
import type { Call } from "../call.ts";
import type { Database, Sql } from "../database.ts";
import { AuthError } from "../errors.ts";
import { requireClaims } from "./claims.ts";
import { callHttp } from "./http.ts";
import { callFunction } from "./postgres.ts";

/** How a hook is named in the metadata it gets. */
const labels: Record<HookName, string> = {
  custom_access_token: "customize-access-token",
  before_user_created: "before-user-created",
  send_email: "send-email",
};

/** Runs the hooks of `[auth.hook.*]` with hosted's payloads. */
export class Hooks {
  constructor(
    private readonly configured: AuthConfig["hooks"],
    private readonly database: Database,
    private readonly log: Log,
  ) {}

  has(name: HookName): boolean {
    return this.configured[name] !== undefined;
  }

  /** Whether the hook is a function in the database. */
  inDatabase(name: HookName): boolean {
    return this.configured[name]?.uri.startsWith("pg-functions:") ?? false;
  }

  /** The claims as the hook gives them back; as they are where there is no hook. */
  async customizeAccessToken(
    sql: Sql,
    call: Call,
    userId: string,
    claims: Json,
    method: string,
  ): Promise<Json> {
    if (!this.has("custom_access_token")) return claims;
    const payload = { user_id: userId, claims, authentication_method: method };
    return requireClaims(await this.#run("custom_access_token", sql, call, payload));
  }

  /** Lets the hook refuse a user before there is one. */
  async beforeUserCreated(call: Call, user: Json): Promise<void> {
    await this.#run("before_user_created", this.database, call, { user });
  }

  async sendEmail(sql: Sql, call: Call, user: Json, emailData: Json): Promise<void> {
    await this.#run("send_email", sql, call, { user, email_data: emailData });
  }

  async #run(name: HookName, sql: Sql, call: Call, payload: Json): Promise<unknown> {
    const hook = this.configured[name];
    if (!hook) return undefined;
    const metadata = {
      uuid: crypto.randomUUID(),
      time: new Date().toISOString(),
      name: labels[name],
      ip_address: call.address,
    };
    const output = await this.#dispatch(hook, sql, { metadata, ...payload });
    refuseIfAsked(output);
    return output;
  }

  async #dispatch(hook: HookConfig, sql: Sql, payload: Json): Promise<unknown> {
    try {
      if (!hook.uri.startsWith("pg-functions:")) return await callHttp(hook, payload);
      // The timeout of a function is set for its transaction, so it needs one.
      return sql === this.database
        ? await this.database.transaction((inner) => callFunction(hook.uri, inner, payload))
        : await callFunction(hook.uri, sql, payload);
    } catch (cause) {
      if (cause instanceof AuthError) throw cause;
      this.log(`auth: hook ${hook.uri} failed: ${(cause as Error).message}`);
      throw new AuthError(500, "unexpected_failure", `Error running hook URI: ${hook.uri}`);
    }
  }
}

/** A hook refuses with `{ error: { http_code, message } }`. */
function refuseIfAsked(output: unknown): void {
  if (!isObject(output) || !isObject(output.error)) return;
  const { message, http_code } = output.error;
  if (typeof message !== "string" || message === "") return;
  const status = typeof http_code === "number" && http_code >= 200 && http_code <= 599
    ? http_code
    : 500;
  throw new AuthError(status, status === 500 ? "unexpected_failure" : "unknown", message);
}
