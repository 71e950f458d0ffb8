import { oneLine } from "./headers.ts";
import { type Language, languageOf, type TemplateName, type Wording } from "./locales/mod.ts";
import { UnsendableMail } from "./unsendable.ts";

const longestValue = 500;

/** A template's wording in a language. Throws `UnsendableMail` where nobody wrote it. */
export function wordingOf(
  template: string,
  locale: string | null | undefined,
  known?: Record<string, Language>,
): { tag: string; words: Language; wording: Wording } {
  const { tag, words } = languageOf(locale, known);
  if (!Object.hasOwn(words.templates, template)) {
    throw new UnsendableMail(`no template ${template}`);
  }
  return { tag, words, wording: words.templates[template as TemplateName] };
}

/** What stands in a payload for the wording: its texts and numbers. */
export const valuesOf = (data: Record<string, unknown>): Record<string, string> =>
  Object.fromEntries(
    Object.entries(data)
      .filter(([, value]) => typeof value === "string" || typeof value === "number")
      .map(([name, value]) => [name, String(value).slice(0, longestValue)]),
  );

/** Puts values where the wording has `{name}`; what has a gap in it is not sent. */
export function filler(values: Record<string, string>, template: string): (text: string) => string {
  return (text) =>
    text.replaceAll(/\{(\w+)\}/g, (_, name: string) => {
      const value = Object.hasOwn(values, name) ? values[name] : undefined;
      if (value === undefined) throw new UnsendableMail(`${template}: ${name} is missing`);
      return oneLine(value);
    });
}
