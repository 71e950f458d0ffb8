import { de } from "./de.ts";
import { en, type Language } from "./en.ts";

export type { Language, TemplateName, Wording } from "./en.ts";

const languages: Record<string, Language> = { en, de };

/** The language of a locale such as `de-AT`, and the tag to mark the mail with; English where it is missing. */
export function languageOf(locale: string | null | undefined): { tag: string; words: Language } {
  const tag = (locale ?? "").toLowerCase().split("-")[0]!;
  const words = Object.hasOwn(languages, tag) ? languages[tag] : undefined;
  return words ? { tag, words } : { tag: "en", words: en };
}
