import { timingSafeEqual } from "node:crypto";
import type { Context } from "hono";
import { checkProviders } from "shared/email/send.ts";
import { ProblemError } from "shared/errors/problem.ts";
import { application } from "shared/http/application.ts";
import type { Env } from "shared/http/env.ts";
import { unlimited } from "shared/http/limits.ts";
import { describeError } from "shared/log.ts";
import type { Secret } from "shared/secret.ts";
import type { Services } from "shared/services.ts";
import { inBackground } from "./background.ts";
import { drain, type Limits, standardLimits } from "./drain.ts";
import type { Handler } from "./handlers.ts";

/**
 * The function that the database calls when there are jobs. It answers at once and works on in the
 * background; a call that comes meanwhile only has it look again.
 */
export function createApp(
  services: Services,
  handlers: Record<string, Handler>,
  limits: Limits = standardLimits,
) {
  const app = application(services);
  const stop = new AbortController();
  // The runtime says so before it ends the function: what is begun is finished, no more is taken.
  globalThis.addEventListener("beforeunload", () => stop.abort());
  let draining = false;
  let calledAgain = false;

  const work = async () => {
    draining = true;
    try {
      do {
        calledAgain = false;
        await drain(services, handlers, stop.signal, limits);
      } while (calledAgain && !stop.signal.aborted);
    } catch (error) {
      services.log("error", "the worker gave up", describeError(error));
    } finally {
      draining = false;
    }
  };

  // Called by the database alone, up to once a second: the secret is what keeps others out.
  app.post("/worker", unlimited, async (c: Context<Env>) => {
    await requireSecret(c.req.header("authorization"), services.config.workerSecret);
    if (draining) calledAgain = true;
    else inBackground(work());
    return c.json({ status: "accepted" }, 202);
  });
  return app;
}

/** The function as it is deployed: a provider's wrong key is in the log before a mail fails by it. */
export function start(services: Services, handlers: Record<string, Handler>) {
  inBackground(checkProviders(services));
  return createApp(services, handlers);
}

async function requireSecret(header: string | undefined, secret: Secret | undefined) {
  const given = header?.replace(/^bearer\s+/i, "") ?? "";
  // Digests have one length, so comparing them takes the same time whatever was given.
  const [a, b] = await Promise.all([digest(given), digest(secret?.reveal() ?? "")]);
  if (!secret || !timingSafeEqual(a, b)) throw new ProblemError("auth.required");
}

const digest = async (text: string) =>
  new Uint8Array(await crypto.subtle.digest("SHA-256", new TextEncoder().encode(text)));
