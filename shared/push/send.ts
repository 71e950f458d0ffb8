import { ProblemError } from "../errors/problem.ts";
import type { Services } from "../services.ts";
import { pushToApp } from "./fcm.ts";
import type { PushMessage, Target } from "./message.ts";
import { pushToBrowser } from "./web.ts";

/** What a push service needs of the services. */
export type Needed = Pick<Services, "callProvider" | "config">;

/**
 * `gone`: the device is no more. `refused`: this message will never be taken, another one may be.
 * `not_configured`: the project has no keys for devices of this kind.
 */
export type Outcome = "sent" | "gone" | "refused" | "not_configured";

/** Tells one device. Throws where another try makes sense. */
export async function sendPush(
  services: Needed,
  target: Target,
  message: PushMessage,
  signal?: AbortSignal,
): Promise<Outcome> {
  const send = target.kind === "web" ? pushToBrowser : pushToApp;
  try {
    return await send(services, target, message, signal);
  } catch (error) {
    // A subscription that leads into our own network is nobody's device.
    if (error instanceof ProblemError && error.code === "request.address_refused") return "gone";
    throw error;
  }
}
