import { Buffer } from "node:buffer";
import { createHmac } from "node:crypto";
import type { HookConfig } from "../../settings.ts";
import type { Json } from "../body.ts";
import { AuthError, type ErrorCode } from "../errors.ts";

/** Hosted's limits: milliseconds for all attempts together, attempts, pause after a broken one, bytes of an answer. */
const timeout = 5_000;
const attempts = 3;
const backoff = 2_000;
const maximumBytes = 200 * 1024;

/** Posts the payload, signed by Standard Webhooks, and gives the answer. */
export async function callHttp(hook: HookConfig, payload: Json): Promise<unknown> {
  const body = JSON.stringify(payload);
  const signal = AbortSignal.timeout(timeout);
  try {
    for (let attempt = 1; attempt <= attempts; attempt++) {
      const response = await post(hook, body, signal);
      if (response === undefined) {
        if (attempt < attempts) await pause(backoff, signal);
        else {throw refused(
            "hook_timeout_after_retry",
            "Failed to reach hook after maximum retries",
          );}
      } else if (!await asksToRetry(response)) return await read(response);
    }
  } catch (error) {
    if (!signal.aborted || error instanceof AuthError) throw error;
    const seconds = (timeout / 1000).toFixed(6);
    throw refused(
      "hook_timeout",
      `Failed to reach hook within maximum time of ${seconds} seconds`,
    );
  }
  throw failed("Service currently unavailable due to hook");
}

/** The answer, or undefined when the hook could not be reached this time. */
async function post(
  hook: HookConfig,
  body: string,
  signal: AbortSignal,
): Promise<Response | undefined> {
  const id = crypto.randomUUID();
  const timestamp = String(Math.floor(Date.now() / 1000));
  const headers: Record<string, string> = {
    "content-type": "application/json",
    "webhook-id": id,
    "webhook-timestamp": timestamp,
    "webhook-signature": signaturesOf(hook.secrets, `${id}.${timestamp}.${body}`),
  };
  try {
    return await fetch(hook.uri, { method: "POST", headers, body, signal });
  } catch (error) {
    if (signal.aborted) throw error;
    return undefined;
  }
}

/** One signature for each secret of `v1,whsec_<base64>`, more than one while a secret is being changed. */
function signaturesOf(secrets: string | undefined, content: string): string {
  const keys = (secrets ?? "").split("|").map((secret) => {
    const key = /^v1,(?:whsec_)?([A-Za-z0-9+/=_-]+)$/.exec(secret)?.[1];
    if (key === undefined) throw failed("Error generating signatures: invalid signature format");
    return Buffer.from(key, "base64");
  });
  return keys
    .map((key) => `v1,${createHmac("sha256", key).update(content).digest("base64")}`)
    .join(", ");
}

async function asksToRetry({ status, headers, body }: Response): Promise<boolean> {
  const asked = (status === 429 || status === 503) && Boolean(headers.get("retry-after"));
  if (asked) await body?.cancel();
  return asked;
}

async function read(response: Response): Promise<unknown> {
  const { status, headers } = response;
  if (![200, 202, 204].includes(status)) {
    await response.body?.cancel();
    throw failed(refusals[status] ?? `Unexpected status code returned from hook: ${status}`);
  }
  const type = headers.get("content-type");
  if (!type && status === 204) return undefined;
  if (type?.split(";")[0]?.trim().toLowerCase() !== "application/json") {
    await response.body?.cancel();
    const message = type
      ? `Invalid JSON response. Received content-type: ${type}`
      : "Invalid Content-Type: Missing Content-Type header";
    throw new AuthError(400, "hook_payload_invalid_content_type", message);
  }
  const text = await readText(response);
  try {
    return text === "" ? undefined : JSON.parse(text);
  } catch (cause) {
    throw new AuthError(500, "unexpected_failure", "Error unmarshaling JSON output.", { cause });
  }
}

const refusals: Record<number, string> = {
  400: "Invalid payload sent to hook",
  401: "Hook requires authorization token",
  429: "Service currently unavailable due to hook",
  503: "Service currently unavailable due to hook",
};

async function readText(response: Response): Promise<string> {
  const parts: Uint8Array[] = [];
  let size = 0;
  // Leaving the loop by throwing cancels the rest.
  for await (const part of response.body ?? []) {
    size += part.length;
    if (size > maximumBytes) {
      const message = `Payload size exceeded size limit of ${maximumBytes} bytes`;
      throw refused("hook_payload_over_size_limit", message);
    }
    parts.push(part);
  }
  return new TextDecoder().decode(Buffer.concat(parts));
}

async function pause(milliseconds: number, signal: AbortSignal): Promise<void> {
  await new Promise<void>((resolve) => {
    const timer = setTimeout(resolve, milliseconds);
    signal.addEventListener("abort", () => (clearTimeout(timer), resolve()), { once: true });
  });
  signal.throwIfAborted();
}

const failed = (message: string) => new AuthError(500, "unexpected_failure", message);

const refused = (code: ErrorCode, message: string) => new AuthError(422, code, message);
