import { type Context, Hono } from "hono";
import { join } from "../paths.ts";
import type { Settings } from "../settings.ts";
import type { CaughtMail, Deliver } from "./mail.ts";
import { framedMail, listPage, mailPage } from "./page.ts";
import { resendApi } from "./resend.ts";
import { sourceOf } from "./source.ts";
import { MailStore } from "./store.ts";

/** The local inbox: no mail leaves the machine. */
export interface Inbox {
  deliver: Deliver;
  stop(): Promise<void>;
}

export interface InboxOptions {
  settings: Pick<Settings, "home" | "ports">;
  /** What senders have to know: the key of Resend's API. */
  apiKey: string;
}

/** Catches mails in the stack's folder and shows them on the port of `[local_smtp]`. */
export function startMail({ settings, apiKey }: InboxOptions): Inbox {
  const store = new MailStore(join(settings.home, "mail"));
  const app = createApp(store);
  app.route("/", resendApi(store, apiKey));
  const server = Deno.serve(
    { hostname: "127.0.0.1", port: settings.ports.mail, onListen: () => {} },
    (request) => app.fetch(request),
  );
  return {
    async deliver({ to, subject, text, html, action }) {
      const tags = [{ name: "template", value: action }];
      const from = "Auth <auth@nexus.local>";
      const others = { cc: [], bcc: [], reply_to: [], headers: {} };
      await store.add({ from, to: [to], subject, text, html, tags, ...others });
    },
    stop: () => server.shutdown(),
  };
}

function createApp(store: MailStore): Hono {
  const app = new Hono();
  // A mail may show a picture, but nothing in it runs.
  app.use(async (c, next) => {
    await next();
    c.header(
      "content-security-policy",
      "default-src 'none'; img-src *; style-src 'unsafe-inline'; frame-src 'self'",
    );
  });
  const withMail = (show: (mail: CaughtMail, c: Context) => Response) => async (c: Context) => {
    const mail = await store.get(c.req.param("id") ?? "");
    return mail ? show(mail, c) : c.json({ message: "No such mail" }, 404);
  };
  const raw = withMail((mail, c) => c.body(sourceOf(mail), 200, { "content-type": "text/plain" }));

  app.get("/api/messages", async (c) => c.json(await store.list(c.req.query("to"))));
  app.get("/api/messages/:id", withMail((mail, c) => c.json(mail)));
  app.get("/api/messages/:id/raw", raw);
  app.delete("/api/messages", async (c) => {
    await store.clear();
    return c.body(null, 204);
  });
  app.delete("/api/messages/:id", async (c) => {
    const removed = await store.remove(c.req.param("id"));
    return removed ? c.body(null, 204) : c.json({ message: "No such mail" }, 404);
  });
  app.get("/", async (c) => c.html(listPage(await store.list())));
  app.get("/messages/:id", withMail((mail, c) => c.html(mailPage(mail)) as Response));
  app.get("/messages/:id/html", withMail((mail, c) => c.html(framedMail(mail)) as Response));
  app.get("/messages/:id/raw", raw);
  return app;
}
