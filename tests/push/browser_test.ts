import assert from "node:assert/strict";
import { composePush } from "shared/push/message.ts";
import { pushToBrowser } from "shared/push/web.ts";
import { testInChromium } from "../support/chromium.ts";
import { Receiver } from "../support/push_service.ts";
import { until } from "../support/wait.ts";
import { createPushWorld } from "./support.ts";

/** A service worker as an app would have it: it shows what the push says. */
const worker = `
self.addEventListener("install", () => self.skipWaiting());
self.addEventListener("activate", (event) => event.waitUntil(self.clients.claim()));
self.addEventListener("push", (event) => {
  const { notification } = event.data.json();
  const { title, navigate, ...options } = notification;
  event.waitUntil((async () => {
    const cache = await caches.open("pushed");
    await cache.put("/last", Response.json({ title, navigate, ...options }));
    await self.registration.showNotification(title, { ...options, data: { navigate } });
  })());
});`;

function serveApp() {
  return Deno.serve(
    { hostname: "127.0.0.1", port: 0, onListen: () => {} },
    (request) =>
      new URL(request.url).pathname === "/worker.js"
        ? new Response(worker, { headers: { "content-type": "text/javascript" } })
        : new Response("<!doctype html><title>App</title>", {
          headers: { "content-type": "text/html" },
        }),
  );
}

testInChromium(
  "a push that was encrypted for a browser is shown by its service worker",
  async (browser) => {
    const world = await createPushWorld();
    const receiver = await Receiver.create();
    const message = composePush({
      id: crypto.randomUUID(),
      tenant_id: crypto.randomUUID(),
      locale: "es",
      brand: null,
      template: "two_factor.enabled",
      kind: "two_factor.enabled",
      data: { link: "https://app.nexus.test/security" },
      security: true,
      expires_at: null,
      unread: 3,
      targets: [],
    }, world.services.config);
    const target = {
      id: crypto.randomUUID(),
      kind: "web" as const,
      address: world.service.endpoint("browser"),
      p256dh: receiver.p256dh,
      auth: receiver.auth,
    };
    assert.equal(await pushToBrowser(world.services, target, message), "sent");
    const [pushed] = [...world.service.waiting.get("browser")!.values()];
    const data = await receiver.decrypt(pushed!.body);

    const app = serveApp();
    const origin = `http://127.0.0.1:${app.addr.port}`;
    try {
      const context = await browser.newContext();
      await context.grantPermissions(["notifications"], { origin });
      const page = await context.newPage();
      await page.goto(origin);
      const devtools = await context.newCDPSession(page);
      const registrations: { registrationId: string; scopeURL: string }[] = [];
      devtools.on(
        "ServiceWorker.workerRegistrationUpdated",
        (event) => registrations.push(...event.registrations),
      );
      await devtools.send("ServiceWorker.enable");
      await page.evaluate(`navigator.serviceWorker.register("/worker.js")
      .then(() => navigator.serviceWorker.ready).then(() => true)`);
      const { registrationId } = await until(
        () => registrations.find(({ scopeURL }) => scopeURL.startsWith(origin)),
        { timeout: 10_000 },
      );
      await devtools.send("ServiceWorker.deliverPushMessage", { origin, registrationId, data });
      const shown = await until(
        () =>
          page.evaluate(`caches.open("pushed").then((cache) => cache.match("/last"))
          .then((response) => response?.json())`) as Promise<Record<string, unknown>>,
        { timeout: 10_000, every: 100 },
      );
      assert.equal(shown.title, "La verificación en dos pasos está activada");
      assert.equal(shown.navigate, "https://app.nexus.test/security");
      assert.equal(shown.tag, message.tag);
      assert.deepEqual([shown.lang, shown.app_badge], ["es", "3"]);
      await context.close();
    } finally {
      await app.shutdown();
    }
  },
);
