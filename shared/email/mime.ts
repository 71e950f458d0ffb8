import type { Message } from "./send.ts";

/** The same Message-ID at each try, so that readers see a mail that came twice as one. */
export const contentOf = (message: Message) => ({
  from: message.from,
  to: message.to,
  subject: message.subject,
  html: message.html,
  text: message.text,
  headers: message.headers,
  messageId: `<${message.idempotencyKey}@${message.fromAddress.split("@")[1]}>`,
});
