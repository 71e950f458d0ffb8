import { z } from "@hono/zod-openapi";
import { oneLine } from "./headers.ts";
import { htmlOf } from "./layout.tsx";
import { type Language, languageOf, type TemplateName } from "./locales/mod.ts";
import { textOf } from "./text.ts";
import { UnsendableMail } from "./unsendable.ts";

/** What a mail is made of, in the language of whoever reads it; every form of it says all of this. */
export interface Content {
  language: string;
  sender: string;
  heading: string;
  paragraphs: string[];
  action: { label: string; link: string; address: string } | undefined;
  code: { label: string; value: string } | undefined;
  why: string;
}

export interface Rendered {
  subject: string;
  html: string;
  text: string;
}

export interface MailToRender {
  template: string;
  locale: string | null;
  /** What readers know the sender by: the community, or the platform. */
  sender: string;
  data: unknown;
}

/** `link` and `code` have a place of their own in the layout; the other values fill the wording. */
const Data = z.object({
  link: z.url({ protocol: /^https?$/ }).optional(),
  code: z.string().max(64).optional(),
}).catchall(z.string().max(500));

/** Renders a template as HTML and as text. Throws `UnsendableMail` for one that cannot be. */
export function render({ template, locale, sender, data }: MailToRender): Rendered {
  const { tag, words } = languageOf(locale);
  if (!isTemplate(words, template)) throw new UnsendableMail(`no template ${template}`);
  const parsed = Data.safeParse(data);
  if (!parsed.success) throw new UnsendableMail(`${template}: data does not fit`);
  const { link, code, ...values } = parsed.data;
  const from = oneLine(sender);
  const fill = filler({ ...values, sender: from }, template);
  const { subject, heading, paragraphs, action } = words.templates[template];
  const { layout } = words;
  const content: Content = {
    language: tag,
    sender: from,
    heading: fill(heading),
    paragraphs: paragraphs.map(fill),
    action: link && action ? { label: action, link, address: layout.address } : undefined,
    code: code ? { label: link ? layout.orCode : layout.code, value: code } : undefined,
    why: fill(layout.why),
  };
  return { subject: fill(subject), html: htmlOf(content), text: textOf(content) };
}

const isTemplate = ({ templates }: Language, name: string): name is TemplateName =>
  Object.hasOwn(templates, name);

/** Puts values where the wording has `{name}`; a mail with a gap in it is not sent. */
function filler(values: Record<string, string>, template: string): (text: string) => string {
  return (text) =>
    text.replaceAll(/\{(\w+)\}/g, (_, name: string) => {
      const value = Object.hasOwn(values, name) ? values[name] : undefined;
      if (value === undefined) throw new UnsendableMail(`${template}: ${name} is missing`);
      return oneLine(value);
    });
}
