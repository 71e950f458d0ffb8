import { ProblemError } from "../errors/problem.ts";
import { googleToken } from "../google.ts";
import type { PushMessage, Target } from "./message.ts";
import type { Needed, Outcome } from "./send.ts";

const scope = "https://www.googleapis.com/auth/firebase.messaging";

interface FcmError {
  error?: {
    status?: string;
    details?: { errorCode?: string; fieldViolations?: { field?: string }[] }[];
  };
}

/** Pushes to an app by FCM's HTTP v1: one call a token, for Firebase's batches are gone. */
export async function pushToApp(
  services: Needed,
  target: Target,
  message: PushMessage,
  signal?: AbortSignal,
): Promise<Outcome> {
  const { fcm } = services.config.push;
  if (!fcm) return "not_configured";
  const call = async (fresh: boolean) => {
    const token = await googleToken(services.callProvider, fcm.account, { scope, fresh });
    return await services.callProvider(
      `${fcm.url}/v1/projects/${encodeURIComponent(fcm.account.project)}/messages:send`,
      {
        method: "POST",
        headers: { authorization: `Bearer ${token}`, "content-type": "application/json" },
        body: JSON.stringify({ message: messageOf(target, message) }),
      },
      { name: "fcm", repeatable: false, ...(signal && { signal }) },
    );
  };
  let response = await call(false);
  if (response.status === 401) {
    await response.body?.cancel();
    response = await call(true);
  }
  return outcomeOf(response.status, await response.json().catch(() => ({})) as FcmError);
}

/** The tag, or collapse id, has a device show a notice that comes again in its own place. */
const messageOf = ({ address }: Target, message: PushMessage) => ({
  token: address,
  notification: { title: message.title, body: message.body },
  data: { ...message.data, link: message.link, unread: String(message.unread) },
  android: {
    collapse_key: message.tag,
    priority: message.urgent ? "HIGH" : "NORMAL",
    ttl: `${message.ttl}s`,
    notification: { tag: message.tag },
  },
  apns: {
    headers: {
      "apns-collapse-id": message.tag,
      "apns-priority": message.urgent ? "10" : "5",
    },
    payload: { aps: { badge: message.unread, "thread-id": message.data.kind } },
  },
});

function outcomeOf(status: number, { error }: FcmError): Outcome {
  if (status >= 200 && status < 300) return "sent";
  const details = error?.details ?? [];
  const code = details.find(({ errorCode }) => errorCode)?.errorCode;
  const badToken = details.some(({ fieldViolations = [] }) =>
    fieldViolations.some(({ field }) => field === "message.token")
  );
  if (status === 404 || code === "UNREGISTERED" || code === "SENDER_ID_MISMATCH" || badToken) {
    return "gone";
  }
  if ([401, 429].includes(status) || status >= 500) {
    throw new ProblemError("unavailable", { cause: new Error(`FCM answered ${status}`) });
  }
  return "refused";
}
