import webpush from "web-push";
import type { CallProvider } from "shared/http/provider.ts";
import { createProviderClient } from "shared/http/provider.ts";
import type { Services } from "shared/services.ts";
import { createServiceAccount, Google } from "../support/google.ts";
import { PushService } from "../support/push_service.ts";
import { createTestServices } from "../support/services.ts";

const tokenUrl = "https://oauth2.nexus.test/token";
const fcmUrl = "https://fcm.nexus.test";
const pushOrigin = "https://push.nexus.test";

/** Push services of the test's own, and the environment that leads a project to them. */
export async function createPushWorld(interfere?: () => Response | undefined) {
  const vapid = webpush.generateVAPIDKeys();
  const { file, publicKey } = await createServiceAccount(tokenUrl);
  const service = new PushService(pushOrigin, vapid.publicKey, interfere);
  const google = new Google(publicKey, tokenUrl, interfere);
  const env = {
    VAPID_PUBLIC_KEY: vapid.publicKey,
    VAPID_PRIVATE_KEY: vapid.privateKey,
    VAPID_SUBJECT: "mailto:ops@nexus.test",
    FCM_SERVICE_ACCOUNT: file,
    FCM_API_URL: fcmUrl,
    EMAIL_FROM: "Nexus <mail@nexus.test>",
  };
  const { services, lines } = createTestServices(env);
  return {
    service,
    google,
    env,
    lines,
    services: { ...services, callProvider: route(services, service, google) },
  };
}

/**
 * Leads calls to the services above without a network. Everything before the wire is the product's
 * own: only what it resolves names by and what carries its requests are the test's.
 */
function route(services: Services, service: PushService, google: Google): CallProvider {
  const real = createProviderClient({
    localProviders: [],
    log: services.log,
    resolve: () => Promise.resolve(["203.0.113.7"]),
    wait: () => Promise.resolve(),
  });
  return (url, init, call) => {
    const { origin } = new URL(url);
    const target = origin === pushOrigin
      ? service
      : origin.endsWith("nexus.test")
      ? google
      : undefined;
    return target ? answer(target, url, init, call.repeatable) : real(url, init, call);
  };
}

async function answer(
  target: PushService | Google,
  url: string | URL,
  init: RequestInit,
  repeatable = false,
): Promise<Response> {
  for (let tries = repeatable ? 3 : 1;; tries--) {
    const response = await target.handle(new Request(url, init));
    if (tries === 1 || response.status < 500) return response;
  }
}
