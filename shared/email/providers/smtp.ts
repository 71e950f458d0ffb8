import nodemailer from "nodemailer";
import type { Config } from "../../config.ts";
import { contentOf } from "../mime.ts";
import type { MailProvider } from "../send.ts";
import { NotTaken, UnknownOutcome, UnsendableMail } from "../unsendable.ts";

const name = "smtp";

/** Milliseconds for each step of the conversation. */
const patience = 10_000;

/** Failures before the server could have got anything of a mail. */
const early =
  /ECONNREFUSED|EHOSTUNREACH|ENETUNREACH|Connection timeout|Greeting never|certificate/i;

/** Any SMTP server, encrypted from the first byte: hosted functions reach port 465, not 25 or 587. */
export const smtp: MailProvider = {
  isConfigured: ({ smtp }) => smtp !== undefined,

  async send({ config }, message, signal) {
    const transport = transportOf(config.email.smtp!);
    signal?.addEventListener("abort", () => transport.close(), { once: true });
    try {
      return idOf(await transport.sendMail(contentOf(message)), config.email.smtp!.host);
    } catch (error) {
      throw failureOf(error as SmtpError);
    } finally {
      transport.close();
    }
  },

  async check({ config }) {
    const transport = transportOf(config.email.smtp!);
    try {
      await transport.verify();
    } finally {
      transport.close();
    }
  },
};

function transportOf({ host, port, user, password, secure }: NonNullable<Config["email"]["smtp"]>) {
  return nodemailer.createTransport({
    host,
    port,
    secure,
    ...(user && { auth: { user, pass: password.reveal() } }),
    connectionTimeout: patience,
    greetingTimeout: patience,
    socketTimeout: patience,
    disableFileAccess: true,
    disableUrlAccess: true,
  });
}

/** What the server will know the mail by, when it tells of it: SES gives each a Message-ID of its own. */
function idOf({ messageId, response }: { messageId: string; response: string }, host: string) {
  const [, own] = /\.amazonaws\.com(\.cn)?$/.test(host)
    ? /^250 Ok (\S+)/i.exec(response) ?? []
    : [];
  return own ?? messageId;
}

interface SmtpError extends Error {
  code?: string;
  command?: string;
  responseCode?: number;
}

function failureOf(error: SmtpError): Error {
  const { responseCode = 0, command = "", code = "" } = error;
  const said = `SMTP: ${code} ${command} ${responseCode || ""}`.trim();
  // A refusal is the server's own word that it has nothing: for the receiver or the content for
  // good (5xx), for the sender's login not, since another provider may know better.
  if (responseCode >= 500 && ["RCPT TO", "DATA"].includes(command)) return new UnsendableMail(said);
  if (
    responseCode >= 400 || ["EDNS", "EAUTH", "ETLS"].includes(code) || early.test(error.message)
  ) {
    return new NotTaken(said, { cause: error });
  }
  // The connection broke somewhere on the way: perhaps after the last byte of the mail.
  return new UnknownOutcome(name, error);
}
