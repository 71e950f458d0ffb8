import { createECDH } from "node:crypto";
import { derive, type Keys } from "./keys.ts";
import type { HookConfig, Settings } from "./settings.ts";

/** What this stack's mails need on their way: Auth, the functions and the inbox have to agree on it. */
export interface Outgoing {
  /** The settings with the hooks as this stack reaches them. */
  settings: Settings;
  /** The key of the inbox, which speaks a provider's API. */
  apiKey: string;
  /** What `supabase secrets set` would be told. */
  secrets: Record<string, string>;
}

const thisMachine = /^(host\.docker\.internal|127\.0\.0\.1|localhost)$/;

/**
 * Sends every mail to the inbox: Auth's own through the hook of `config.toml`, all of them by the
 * provider's API. The developer's own keys are not asked: no mail leaves the machine.
 */
export function outgoingMail(settings: Settings, keys: Pick<Keys, "secret">): Outgoing {
  const { ports, config } = settings;
  const apiKey = `re_${derive(keys, "mail").toString("base64url")}`;
  const inbox = `http://127.0.0.1:${ports.mail}`;
  const { send_email: hook } = config.auth.hooks;
  // Not the one of `config.toml`, which everybody knows.
  const hookSecret = `v1,whsec_${derive(keys, "send_email").toString("base64")}`;
  const hooks = {
    ...config.auth.hooks,
    ...(hook && { send_email: reachable(hook, settings, hookSecret) }),
  };
  return {
    settings: { ...settings, config: { ...config, auth: { ...config.auth, hooks } } },
    apiKey,
    secrets: {
      RESEND_API_URL: inbox,
      RESEND_API_KEY: apiKey,
      EMAIL_FROM: "Nexus <mail@nexus.local>",
      NEXUS_LOCAL_PROVIDERS: inbox,
      SEND_EMAIL_HOOK_SECRET: hookSecret,
      ...vapidKeys(keys),
    },
  };
}

/** A key pair of web push that is as old as the home's keys, so that subscriptions survive a restart. */
function vapidKeys(keys: Pick<Keys, "secret">): Record<string, string> {
  const pair = createECDH("prime256v1");
  const secret = derive(keys, "vapid");
  pair.setPrivateKey(secret);
  return {
    VAPID_PUBLIC_KEY: pair.getPublicKey("base64url"),
    VAPID_PRIVATE_KEY: secret.toString("base64url"),
    VAPID_SUBJECT: "mailto:mail@nexus.example",
  };
}

/** A hook on the port of this project's API is on ours, wherever that was moved; others stay as they are. */
function reachable(hook: HookConfig, { ports, config }: Settings, secrets: string): HookConfig {
  if (!URL.canParse(hook.uri)) return hook;
  const url = new URL(hook.uri);
  if (!thisMachine.test(url.hostname) || url.port !== String(config.ports.api)) return hook;
  url.host = `127.0.0.1:${ports.api}`;
  return { uri: url.href, secrets };
}
