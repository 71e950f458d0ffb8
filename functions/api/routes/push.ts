import { createRoute, z } from "@hono/zod-openapi";
import { signedIn } from "shared/auth/signed_in.ts";
import { problems, signedInErrors } from "shared/errors/openapi.ts";
import { ProblemError } from "shared/errors/problem.ts";
import { bySession } from "shared/http/openapi.ts";
import { router } from "shared/http/router.ts";
import { text } from "shared/http/schemas.ts";

const endpoint = z.url({ protocol: /^https$/ }).max(4096)
  .openapi({ example: "https://updates.push.services.mozilla.com/wpush/v2/…" });

const token = z.string().regex(/^[A-Za-z0-9_:.-]{16,4096}$/)
  .openapi({ description: "The app's FCM registration token" });

const label = text(120).optional()
  .openapi({ description: "What its owner knows it by", example: "Firefox on the laptop" });

/** `PushSubscription.toJSON()`, as browsers make it, with a label beside. */
const Subscription = z.object({
  endpoint,
  expirationTime: z.number().nullish(),
  keys: z.object({
    p256dh: z.string().regex(/^[A-Za-z0-9_-]{87}=?$/),
    auth: z.string().regex(/^[A-Za-z0-9_-]{22}(==)?$/),
  }),
  label,
}).openapi("PushSubscription");

const Device = z.strictObject({ token, label }).openapi("PushDevice");

const body = <T extends z.ZodType>(schema: T) => ({
  body: { required: true, content: { "application/json": { schema } } },
});

const registered = {
  description: "Registered, until it is removed or its push service says that it is gone",
  content: { "application/json": { schema: z.object({ id: z.uuid() }) } },
};

const bodyErrors = [
  "request.invalid",
  "request.too_large",
  "request.unsupported_media_type",
] as const;

const common = { tags: ["push"], security: bySession };

const key = createRoute({
  method: "get",
  path: "/vapid-key",
  operationId: "getVapidKey",
  summary: "The key that a browser subscribes with",
  description: "The `applicationServerKey` of `pushManager.subscribe()`, as base64url.",
  tags: ["push"],
  security: [],
  responses: {
    200: {
      description: "The key",
      content: { "application/json": { schema: z.object({ public_key: z.string() }) } },
    },
    ...problems("push.not_configured"),
  },
});

const subscribe = createRoute({
  ...common,
  middleware: [signedIn] as const,
  method: "post",
  path: "/subscriptions",
  operationId: "addPushSubscription",
  summary: "Have this browser told of what concerns me",
  description: "Sent again whenever the app starts, it says that the browser is still there. A " +
    "browser belongs to whoever subscribed last; twenty devices a person.",
  request: body(Subscription),
  responses: { 201: registered, ...problems(...bodyErrors, ...signedInErrors) },
});

const unsubscribe = createRoute({
  ...common,
  middleware: [signedIn] as const,
  method: "delete",
  path: "/subscriptions",
  operationId: "removePushSubscription",
  summary: "Have this browser told of nothing any more",
  request: body(z.object({ endpoint })),
  responses: {
    204: { description: "It is not registered" },
    ...problems(...bodyErrors, ...signedInErrors),
  },
});

const addDevice = createRoute({
  ...common,
  middleware: [signedIn] as const,
  method: "post",
  path: "/devices",
  operationId: "addPushDevice",
  summary: "Have this app told of what concerns me",
  request: body(Device),
  responses: { 201: registered, ...problems(...bodyErrors, ...signedInErrors) },
});

const removeDevice = createRoute({
  ...common,
  middleware: [signedIn] as const,
  method: "delete",
  path: "/devices",
  operationId: "removePushDevice",
  summary: "Have this app told of nothing any more",
  request: body(z.strictObject({ token })),
  responses: {
    204: { description: "It is not registered" },
    ...problems(...bodyErrors, ...signedInErrors),
  },
});

export const push = router();

push.openapi(key, (c) => {
  const { vapid } = c.var.services.config.push;
  if (!vapid) throw new ProblemError("push.not_configured");
  return c.json({ public_key: vapid.publicKey }, 200);
});

push.openapi(subscribe, async (c) => {
  const { endpoint, keys, label } = c.req.valid("json");
  const id = await c.var.database.rpc<string>("push_subscribe", { endpoint, ...keys, label });
  return c.json({ id }, 201);
});

push.openapi(unsubscribe, async (c) => {
  await c.var.database.rpc("push_remove", { address: c.req.valid("json").endpoint });
  return c.body(null, 204);
});

push.openapi(addDevice, async (c) => {
  const id = await c.var.database.rpc<string>("push_add_device", c.req.valid("json"));
  return c.json({ id }, 201);
});

push.openapi(removeDevice, async (c) => {
  await c.var.database.rpc("push_remove", { address: c.req.valid("json").token });
  return c.body(null, 204);
});
