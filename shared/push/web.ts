import webpush from "web-push";
import { Lru } from "../auth/lru.ts";
import type { Config } from "../config.ts";
import { ProblemError } from "../errors/problem.ts";
import type { Needed, Outcome } from "./send.ts";
import type { PushMessage, Target } from "./message.ts";

/** Milliseconds: an endpoint is whatever a browser says it is, and must not hold the worker. */
const timeout = 5_000;

/** The push services of the browsers there are, by the end of their hosts. */
const services = ["googleapis.com", "mozilla.com", "apple.com", "windows.com"];

/** A service's name, of which there are few: each has a circuit and figures of its own. */
function serviceOf(endpoint: string): string {
  const { hostname } = new URL(endpoint);
  const known = services.find((end) => hostname.endsWith(`.${end}`));
  return `push ${known ?? "elsewhere"}`;
}

/**
 * Pushes to a browser: encrypted for it alone (RFC 8291), signed as ours (VAPID, RFC 8292). The
 * topic has a push service keep one copy of a notice that comes again.
 */
export async function pushToBrowser(
  { callProvider, config }: Needed,
  { address, p256dh, auth }: Target,
  message: PushMessage,
  signal?: AbortSignal,
): Promise<Outcome> {
  const { vapid } = config.push;
  if (!vapid) return "not_configured";
  const { headers, body } = webpush.generateRequestDetails(
    { endpoint: address, keys: { p256dh: p256dh!, auth: auth! } },
    JSON.stringify(declarative(message)),
    {
      contentEncoding: "aes128gcm",
      TTL: message.ttl,
      urgency: message.urgent ? "high" : "normal",
      topic: message.tag,
    },
  );
  // It is fetch's own to say how long the body is.
  const { "Content-Length": _length, ...sent } = headers as Record<string, string>;
  const response = await callProvider(address, {
    method: "POST",
    headers: {
      ...Object.fromEntries(Object.entries(sent).map(([name, value]) => [name, String(value)])),
      authorization: signatureFor(new URL(address).origin, vapid),
    },
    body: new Uint8Array(body!),
  }, { name: serviceOf(address), timeout, repeatable: false, ...(signal && { signal }) });
  await response.body?.cancel();
  return outcomeOf(response.status);
}

const signatures = new Lru<string, { value: string; until: number }>(100);

/** Seconds that a signature is good for (RFC 8292 allows a day), and for how long one is used. */
const lifetime = 12 * 3_600;
const useFor = 6 * 3_600;

/** Signing costs as much CPU as encrypting, and a signature is good for every message to its service. */
function signatureFor(origin: string, vapid: NonNullable<Config["push"]["vapid"]>): string {
  const { publicKey, privateKey, subject } = vapid;
  const key = `${origin} ${publicKey}`;
  const known = signatures.get(key);
  if (known && known.until > Date.now()) return known.value;
  const { Authorization: value } = webpush.getVapidHeaders(
    origin,
    subject,
    publicKey,
    privateKey.reveal(),
    "aes128gcm",
    Math.floor(Date.now() / 1000) + lifetime,
  );
  signatures.set(key, { value, until: Date.now() + useFor * 1000 });
  return value;
}

/**
 * The form that Safari shows without a service worker (Declarative Web Push), and that a service
 * worker elsewhere reads as JSON: iOS ends subscriptions whose pushes showed nothing.
 */
const declarative = (message: PushMessage) => ({
  web_push: 8030,
  notification: {
    title: message.title,
    body: message.body,
    lang: message.language,
    dir: message.direction,
    navigate: message.link,
    tag: message.tag,
    app_badge: String(message.unread),
    data: message.data,
  },
});

function outcomeOf(status: number): Outcome {
  if (status >= 200 && status < 300) return "sent";
  if (status === 404 || status === 410) return "gone";
  if (status === 429 || status >= 500) {
    throw new ProblemError("unavailable", { cause: new Error(`the push service said ${status}`) });
  }
  return "refused";
}
