import type { Mail } from "shared/email/send.ts";

export const mail: Mail = {
  to: "ana@nexus.test",
  onBehalfOf: "Filmklub Zürich",
  subject: "Grüße & mehr",
  html: "<p>Grüße</p>",
  text: "Grüße",
  headers: { "List-Unsubscribe": "<https://nexus.test/setting?token=a>" },
  template: "auth.signup",
  idempotencyKey: "0190c0de-0000-7000-8000-000000000001",
};
