import { readConfig } from "shared/config.ts";
import { createServices } from "shared/services.ts";
import { createApp } from "./app.ts";

Deno.serve(createApp(createServices("webhooks", readConfig(Deno.env.toObject()))).fetch);
