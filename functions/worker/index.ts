import { readConfig } from "shared/config.ts";
import { createServices } from "shared/services.ts";
import { start } from "./app.ts";
import { handlers } from "./handlers.ts";

Deno.serve(start(createServices("worker", readConfig(Deno.env.toObject())), handlers).fetch);
