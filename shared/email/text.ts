import type { Content } from "./render.ts";

/** The mail for readers who see no HTML. */
export function textOf({ heading, paragraphs, action, code, why, sender }: Content): string {
  return [
    heading,
    ...paragraphs,
    ...(action ? [`${action.label}:\n${action.link}`] : []),
    ...(code ? [`${code.label}\n${code.value}`] : []),
    `-- \n${sender}\n${why}`,
  ].join("\n\n") + "\n";
}
