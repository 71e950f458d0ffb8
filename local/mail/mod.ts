import { Hono } from "hono";
import { join } from "../paths.ts";
import type { Settings } from "../settings.ts";
import type { Deliver } from "./mail.ts";
import { listPage, mailPage } from "./page.ts";
import { MailStore } from "./store.ts";

/** The local inbox: no mail leaves the machine. */
export interface Inbox {
  deliver: Deliver;
  stop(): Promise<void>;
}

/** Catches mails in the stack's folder and shows them on the port of `[local_smtp]`. */
export function startMail({ settings }: { settings: Pick<Settings, "home" | "ports"> }): Inbox {
  const store = new MailStore(join(settings.home, "mail"));
  const app = createApp(store);
  const server = Deno.serve(
    { hostname: "127.0.0.1", port: settings.ports.mail, onListen: () => {} },
    (request) => app.fetch(request),
  );
  return {
    deliver: (mail) => store.add(mail),
    stop: () => server.shutdown(),
  };
}

function createApp(store: MailStore): Hono {
  const app = new Hono();
  // A mail may show a picture, but nothing in it runs.
  app.use(async (c, next) => {
    await next();
    c.header("content-security-policy", "default-src 'none'; img-src *; style-src 'unsafe-inline'");
  });
  app.get("/api/messages", async (c) => c.json(await store.list(c.req.query("to"))));
  app.get("/api/messages/:id", async (c) => {
    const mail = await store.get(c.req.param("id"));
    return mail ? c.json(mail) : c.json({ message: "No such mail" }, 404);
  });
  app.delete("/api/messages", async (c) => {
    await store.clear();
    return c.body(null, 204);
  });
  app.get("/", async (c) => c.html(listPage(await store.list())));
  app.get("/messages/:id", async (c) => {
    const mail = await store.get(c.req.param("id"));
    return mail ? c.html(mailPage(mail)) : c.text("No such mail", 404);
  });
  return app;
}
