import { blocksText } from "./document.ts";
import type { Content } from "./render.ts";

/** The mail for readers who see no HTML. */
export function textOf(content: Content): string {
  const { heading, paragraphs, items, action, code, why, settings, sender, look, document } =
    content;
  const closing = [
    sender,
    why,
    ...(settings ? [`${settings.label}: ${settings.link}`] : []),
    ...(look.footer ? [look.footer] : []),
  ];
  return [
    heading,
    ...paragraphs,
    ...(document ? [blocksText(document.blocks)] : []),
    ...(items.length > 0 ? [items.map(lineOf).join("\n")] : []),
    ...(action ? [`${action.label}:\n${action.link}`] : []),
    ...(code ? [`${code.label}\n${code.value}`] : []),
    `-- \n${closing.join("\n")}`,
  ].join("\n\n") + "\n";
}

const lineOf = ({ text, link }: Content["items"][number]): string =>
  link ? `- ${text}\n  ${link}` : `- ${text}`;
