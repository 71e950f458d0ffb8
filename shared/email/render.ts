import { z } from "@hono/zod-openapi";
import { type Brand, type Look, lookOf } from "./brand.ts";
import { Document } from "./document.ts";
import { oneLine } from "./headers.ts";
import { htmlOf } from "./layout.tsx";
import type { Language } from "./locales/mod.ts";
import { textOf } from "./text.ts";
import type { Tracker } from "./tracking.ts";
import { UnsendableMail } from "./unsendable.ts";
import { filler, valuesOf, wordingOf } from "./wording.ts";

/** What a mail is made of, in the language of whoever reads it; every form of it says all of this. */
export interface Content {
  language: string;
  direction: "ltr" | "rtl";
  look: Look;
  sender: string;
  heading: string;
  paragraphs: string[];
  items: { text: string; link: string | undefined }[];
  action: { label: string; link: string; address: string } | undefined;
  code: { label: string; value: string } | undefined;
  why: string;
  settings: { label: string; link: string } | undefined;
  /** What somebody wrote for many readers. */
  document?: Document | undefined;
  /** Counts who follows its links. */
  tracker?: Tracker | undefined;
}

export interface Rendered {
  subject: string;
  html: string;
  text: string;
}

/** A notice that stands in a digest, as often as it came. */
export interface DigestItem {
  template: string;
  data: Record<string, unknown>;
  count: number;
}

export interface MailToRender {
  template: string;
  locale: string | null;
  /** What readers know the sender by: the community, or the platform. */
  sender: string;
  data: unknown;
  brand?: Brand | null;
  items?: DigestItem[] | null;
  /** Where this mail's own setting is changed. */
  settings?: string | undefined;
  /** About the safety of the account: nobody switches it off. */
  security?: boolean;
  /** Its reader has no account here. */
  stranger?: boolean;
  /** Stands in place of the wording. */
  document?: unknown;
  /** Counts who follows the links of a document. */
  tracker?: Tracker | undefined;
  /** The reader's, for a document's greeting. */
  name?: string | null;
}

const Link = z.url({ protocol: /^https?$/ });

/** `link` and `code` have a place of their own in the layout; the other values fill the wording. */
const Data = z.looseObject({ link: Link.optional(), code: z.string().max(64).optional() });

/** Renders a template as HTML and as text. Throws `UnsendableMail` for one that cannot be. */
export function render(mail: MailToRender, known?: Record<string, Language>): Rendered {
  const { template } = mail;
  const { words, wording } = wordingOf(template, mail.locale, known);
  if (mail.document) return renderDocument(mail, known);
  const parsed = Data.safeParse(mail.data);
  if (!parsed.success) throw new UnsendableMail(`${template}: data does not fit`);
  const { link, code, ...values } = parsed.data;
  const sender = oneLine(mail.sender);
  const fill = filler({ ...valuesOf(values), sender }, template);
  const { layout } = words;
  const content: Content = {
    ...frameOf(mail, known),
    heading: fill(wording.heading),
    paragraphs: wording.paragraphs.map(fill),
    items: (mail.items ?? []).map((item) => itemOf(item, mail, sender, known)),
    action: link && wording.action
      ? { label: wording.action, link, address: layout.address }
      : undefined,
    code: code ? { label: link ? layout.orCode : layout.code, value: code } : undefined,
  };
  return { subject: fill(wording.subject), html: htmlOf(content), text: textOf(content) };
}

/** What somebody wrote for many readers, in the frame of every mail. */
function renderDocument(mail: MailToRender, known?: Record<string, Language>): Rendered {
  const parsed = Document.safeParse(mail.document);
  if (!parsed.success) throw new UnsendableMail(`${mail.template}: the document does not fit`);
  const document = parsed.data;
  const name = oneLine(mail.name ?? "");
  const greeting = name && document.greeting?.replaceAll("{name}", name);
  const content: Content = {
    ...frameOf(mail, known),
    heading: document.subject,
    paragraphs: greeting ? [greeting] : [],
    items: [],
    action: undefined,
    code: undefined,
    document,
    tracker: mail.tracker,
  };
  return { subject: document.subject, html: htmlOf(content), text: textOf(content) };
}

/** What stands around every mail: whose it is, why it came, where to choose. */
function frameOf(mail: MailToRender, known?: Record<string, Language>) {
  const { tag, words: { layout, direction } } = wordingOf(mail.template, mail.locale, known);
  const sender = oneLine(mail.sender);
  const why = [
    mail.stranger ? layout.whyAddress : layout.why,
    ...(mail.security ? [layout.always] : []),
  ];
  return {
    language: tag,
    direction: direction ?? "ltr" as const,
    look: lookOf(mail.brand),
    sender,
    why: why.map(filler({ sender }, mail.template)).join(" "),
    settings: mail.settings ? { label: layout.settings, link: mail.settings } : undefined,
  };
}

/** One line of a digest: what the notice's own mail would have as its subject. */
function itemOf(
  { template, data, count }: DigestItem,
  { locale }: MailToRender,
  sender: string,
  known?: Record<string, Language>,
): Content["items"][number] {
  const { words, wording } = wordingOf(template, locale, known);
  const text = filler({ ...valuesOf(data), sender }, template)(wording.subject);
  const link = Link.safeParse(data.link);
  return {
    text: count > 1
      ? filler({ text, count: String(count) }, template)(words.layout.digestOf)
      : text,
    link: link.success ? link.data : undefined,
  };
}
