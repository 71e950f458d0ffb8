import { readConfig } from "shared/config.ts";
import { checkProviders } from "shared/email/send.ts";
import { createServices } from "shared/services.ts";
import { createApp } from "./app.ts";
import { inBackground } from "./background.ts";
import { handlers } from "./handlers.ts";

const services = createServices("worker", readConfig(Deno.env.toObject()));
// Nobody waits for the answer: a wrong key is in the log before the first mail fails by it.
inBackground(checkProviders(services));
Deno.serve(createApp(services, handlers).fetch);
