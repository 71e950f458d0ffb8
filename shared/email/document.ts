import { z } from "@hono/zod-openapi";

const link = z.string().max(1_010).regex(/^https:\/\/[^\s"<>]+$/);
const text = (longest: number) => z.string().min(1).max(longest);

const Block = z.discriminatedUnion("type", [
  z.object({ type: z.literal("heading"), text: text(200) }),
  z.object({ type: z.literal("paragraph"), text: text(5_000) }),
  z.object({ type: z.literal("list"), items: z.array(text(1_000)).min(1).max(50) }),
  z.object({ type: z.literal("image"), url: link, alt: z.string().max(300), link: link.nullish() }),
  z.object({ type: z.literal("button"), text: text(200), link }),
  z.object({ type: z.literal("divider") }),
]);

/**
 * What somebody wrote for many readers. It is made of text alone, so there is no HTML in it that
 * would have to be cleaned; `private.notifications_document_fault` says the same in the database.
 */
export const Document = z.object({
  subject: z.string().trim().min(1).max(200),
  preview: z.string().max(200).nullish(),
  greeting: z.string().max(200).nullish(),
  blocks: z.array(Block).min(1).max(200),
});

export type Document = z.infer<typeof Document>;
export type Block = z.infer<typeof Block>;

/** A piece of a text: plain, or marked as `**bold**`, `*slanted*` or `[words](https://…)`. */
export type Run = { text: string; mark?: "bold" | "slanted"; link?: string };

const marks =
  /\*\*(?<bold>[^*\n]+)\*\*|\*(?<slanted>[^*\n]+)\*|\[(?<words>[^\]\n]+)\]\((?<link>https:\/\/[^\s"<>)]+)\)/g;

/** The pieces of a text; a mark that is not closed is text like any other. */
export function runsOf(written: string): Run[] {
  const runs: Run[] = [];
  let end = 0;
  for (const { 0: whole, index, groups = {} } of written.matchAll(marks)) {
    if (index > end) runs.push({ text: written.slice(end, index) });
    const { bold, slanted, words, link } = groups;
    if (bold) runs.push({ text: bold, mark: "bold" });
    else if (slanted) runs.push({ text: slanted, mark: "slanted" });
    else runs.push({ text: words!, link: link! });
    end = index + whole.length;
  }
  if (end < written.length) runs.push({ text: written.slice(end) });
  return runs;
}

const plain = (written: string): string =>
  runsOf(written).map(({ text, link }) => (link ? `${text} (${link})` : text)).join("");

/** The blocks for readers who see no HTML. */
export const blocksText = (blocks: Block[]): string =>
  blocks.map(blockText).filter(Boolean).join("\n\n");

function blockText(block: Block): string {
  switch (block.type) {
    case "heading":
      return plain(block.text).toUpperCase();
    case "paragraph":
      return plain(block.text);
    case "list":
      return block.items.map((item) => `- ${plain(item)}`).join("\n");
    case "image":
      return [block.alt && `[${block.alt}]`, block.link].filter(Boolean).join("\n");
    case "button":
      return `${block.text}:\n${block.link}`;
    case "divider":
      return "* * *";
  }
}
