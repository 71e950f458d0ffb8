import { send } from "shared/email/send.ts";
import { createTestServices } from "../../support/services.ts";
import { mail } from "./support.ts";

// A process of its own, because what certificates a runtime trusts is settled when it starts.
const { SMTP_URL, EMAIL_FROM } = Deno.env.toObject();
await send(createTestServices({ SMTP_URL: SMTP_URL!, EMAIL_FROM: EMAIL_FROM! }).services, mail);
