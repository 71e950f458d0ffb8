import { readConfig } from "shared/config.ts";
import { createServices } from "shared/services.ts";
import { createApp } from "./app.ts";
import { handlers } from "./handlers.ts";

const services = createServices("worker", readConfig(Deno.env.toObject()));
Deno.serve(createApp(services, handlers).fetch);
