import { de } from "./de.ts";
import { en, type Language } from "./en.ts";
import { es } from "./es.ts";

export type { Language, TemplateName, Wording } from "./en.ts";

/** By tag. A language is a file of wording, and its name here. */
export const languages: Record<string, Language> = { en, de, es };

/** The language of a locale such as `de-AT`, and the tag to mark the mail with; English where it is missing. */
export function languageOf(
  locale: string | null | undefined,
  known: Record<string, Language> = languages,
): { tag: string; words: Language } {
  const tag = (locale ?? "").toLowerCase().split("-")[0]!;
  const words = Object.hasOwn(known, tag) ? known[tag] : undefined;
  return words ? { tag, words } : { tag: "en", words: en };
}
