import { type Context, Hono } from "hono";
import type { CaughtMail, OutgoingMail, Tag } from "./mail.ts";
import type { MailStore } from "./store.ts";

/** An answer of Resend's, with its names for what is wrong. */
class Refusal extends Error {
  constructor(
    readonly status: 400 | 401 | 403 | 404 | 409 | 422 | 500,
    readonly code: string,
    message: string,
  ) {
    super(message);
  }
}

const batchAtMost = 100;
const receiversAtMost = 50;
const keyAtMost = 256;

/** Addresses that have the provider fail, such as `fail-500@nexus.test`, to see what happens then. */
const failing = /^fail-(500|422)@/;

interface Remembered {
  body: string;
  /** Undefined while the first request is still being worked on. */
  answer?: unknown;
}

/**
 * The part of Resend's HTTP API that sends: what an application posts lands in the inbox. Keys of
 * idempotency are kept for as long as the stack runs (Resend: a day).
 */
export function resendApi(store: MailStore, apiKey: string): Hono {
  const app = new Hono();
  const remembered = new Map<string, Remembered>();

  const withKey = async (c: Context, next: () => Promise<void>) => {
    const token = /^Bearer (.+)$/.exec(c.req.header("authorization") ?? "")?.[1];
    if (!token) throw new Refusal(401, "missing_api_key", "Missing API Key");
    if (token !== apiKey) throw new Refusal(403, "invalid_api_key", "API key is invalid");
    await next();
  };
  app.use("/emails/*", withKey);
  app.get("/domains", withKey, (c) => c.json({ object: "list", has_more: false, data: [] }));

  const once = async (key: string | undefined, body: string, work: () => Promise<unknown>) => {
    if (key === undefined) return await work();
    if (key.length < 1 || key.length > keyAtMost) {
      throw new Refusal(400, "invalid_idempotency_key", "The key must be between 1-256 chars.");
    }
    const known = remembered.get(key);
    if (known) return repeated(known, body);
    const entry: Remembered = { body };
    remembered.set(key, entry);
    try {
      return entry.answer = await work();
    } catch (error) {
      remembered.delete(key);
      throw error;
    }
  };

  app.post("/emails", async (c) => {
    const body = await c.req.text();
    const answer = await once(c.req.header("idempotency-key"), body, async () => {
      const { id } = await store.add(readMail(parse(body)));
      return { id };
    });
    return c.json(answer);
  });
  app.post("/emails/batch", async (c) => {
    const body = await c.req.text();
    const answer = await once(c.req.header("idempotency-key"), body, async () => {
      const mails = parse(body);
      if (!Array.isArray(mails) || mails.length < 1 || mails.length > batchAtMost) {
        throw invalid(`The batch must hold 1 to ${batchAtMost} emails.`);
      }
      const data: { id: string }[] = [];
      for (const mail of mails.map(readMail)) data.push({ id: (await store.add(mail)).id });
      return { data };
    });
    return c.json(answer);
  });
  app.get("/emails/:id", async (c) => {
    const mail = await store.get(c.req.param("id"));
    if (!mail) throw new Refusal(404, "not_found", "Email not found");
    return c.json(present(mail));
  });

  app.onError((error, c) => {
    const { status, code, message } = error instanceof Refusal
      ? error
      : new Refusal(500, "application_error", "Internal server error");
    return c.json({ statusCode: status, name: code, message }, status);
  });
  return app;
}

function repeated({ body, answer }: Remembered, again: string): unknown {
  if (body !== again) {
    throw new Refusal(
      409,
      "invalid_idempotent_request",
      "Same idempotency key used with a different request payload.",
    );
  }
  if (answer === undefined) {
    throw new Refusal(
      409,
      "concurrent_idempotent_requests",
      "Same idempotency key used while original request is still in progress.",
    );
  }
  return answer;
}

function parse(body: string): unknown {
  try {
    return JSON.parse(body);
  } catch {
    throw invalid("The request body is not valid JSON.");
  }
}

function readMail(given: unknown): OutgoingMail {
  if (typeof given !== "object" || given === null) throw missing("from");
  const mail = given as Record<string, unknown>;
  for (const field of ["from", "to", "subject"]) if (!mail[field]) throw missing(field);
  if (!mail.html && !mail.text) throw missing("html` or `text");
  const from = addresses(mail.from, "from")[0]!;
  const to = addresses(mail.to, "to");
  const fail = to.map((address) => failing.exec(address)?.[1]).find(Boolean);
  if (fail === "500") throw new Refusal(500, "application_error", "Internal server error");
  if (fail === "422") throw invalid("This address is made to be refused.");
  return {
    from,
    to,
    cc: addresses(mail.cc ?? [], "cc"),
    bcc: addresses(mail.bcc ?? [], "bcc"),
    reply_to: addresses(mail.reply_to ?? [], "reply_to"),
    subject: text(mail.subject, "subject"),
    text: text(mail.text ?? "", "text"),
    html: text(mail.html ?? "", "html"),
    headers: (mail.headers ?? {}) as Record<string, string>,
    tags: tags(mail.tags ?? []),
  };
}

const form = /^(?:[^<>\r\n]*<[^\s<>@,;]+@[^\s<>@,;]+>|[^\s<>@,;]+@[^\s<>@,;]+)$/;

function addresses(value: unknown, field: string): string[] {
  const list = Array.isArray(value) ? value : [value];
  if (list.length > receiversAtMost || !list.every((item) => form.test(String(item)))) {
    throw invalid(
      `Invalid \`${field}\` field. The email address needs to follow the ` +
        "`email@example.com` or `Name <email@example.com>` format.",
    );
  }
  return list.map(String);
}

function text(value: unknown, field: string): string {
  if (typeof value !== "string") throw invalid(`The \`${field}\` field must be a string.`);
  return value;
}

function tags(value: unknown): Tag[] {
  const list = value as Tag[];
  const valid = Array.isArray(list) &&
    list.every(({ name, value }) => /^[\w-]{1,256}$/.test(name) && /^[\w-]{1,256}$/.test(value));
  if (!valid) {
    throw invalid("Tags should only contain ASCII letters, numbers, underscores, or dashes.");
  }
  return list;
}

const present = (
  { id, created_at, from, to, cc, bcc, reply_to, subject, html, text, tags }: CaughtMail,
) => ({
  object: "email",
  id,
  to,
  from,
  created_at,
  subject,
  html,
  text,
  bcc,
  cc,
  reply_to,
  tags,
  last_event: "delivered",
  scheduled_at: null,
});

const invalid = (message: string) => new Refusal(422, "validation_error", message);

const missing = (field: string) =>
  new Refusal(422, "missing_required_field", `Missing \`${field}\` field.`);
