import { application } from "shared/http/application.ts";
import type { Services } from "shared/services.ts";
import { auth } from "./routes/auth.ts";
import { mail } from "./routes/mail.ts";

/** What providers and Supabase Auth call: nobody is signed in here, a signature stands for each call. */
export function createApp(services: Services) {
  const app = application(services);
  app.route("/webhooks/auth", auth);
  app.route("/webhooks/mail", mail);
  return app;
}
