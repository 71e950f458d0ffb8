/** @jsxRuntime automatic */
/** @jsxImportSource hono/jsx */
// The two lines above, and not deno.json, choose the JSX: a function is uploaded without deno.json.
import type { Look } from "./brand.ts";
import { type Block, runsOf } from "./document.ts";
import { type Tracker, untracked } from "./tracking.ts";

const styles = {
  heading: "margin:24px 0 8px;font-size:18px;line-height:1.3;overflow-wrap:anywhere",
  paragraph: "margin:0 0 16px;overflow-wrap:anywhere;white-space:pre-line",
  list: "margin:0 0 16px;padding:0 20px",
  item: "margin:0 0 8px;overflow-wrap:anywhere",
  image: "display:block;max-width:100%;height:auto;margin:0 0 16px;border:0",
  divider: "margin:24px 0;border:0;border-top:1px solid #d4d4d8",
  link: "color:#1e3a8a",
};

/** A link that looks like a button, in the community's colours. */
export const buttonOf = ({ color, onColor }: Look): string =>
  `display:inline-block;padding:12px 20px;background:${color};color:${onColor};` +
  "border-radius:6px;text-decoration:none;font-weight:600";

const Text = ({ children, tracker }: { children: string; tracker: Tracker }) => (
  <>
    {runsOf(children).map(({ text, mark, link }, place) => {
      if (link) return <a key={place} href={tracker.follow(link)} style={styles.link}>{text}</a>;
      if (mark === "bold") return <strong key={place}>{text}</strong>;
      return mark === "slanted" ? <em key={place}>{text}</em> : text;
    })}
  </>
);

const Picture = (
  { block: { url, alt, link }, tracker }: {
    block: Extract<Block, { type: "image" }>;
    tracker: Tracker;
  },
) => {
  const picture = <img src={url} alt={alt} style={styles.image} />;
  return link ? <a href={tracker.follow(link)}>{picture}</a> : picture;
};

interface Shown {
  block: Block;
  look: Look;
  tracker: Tracker;
}

const One = ({ block, look, tracker }: Shown) => {
  switch (block.type) {
    case "heading":
      return (
        <h2 style={styles.heading}>
          <Text tracker={tracker}>{block.text}</Text>
        </h2>
      );
    case "paragraph":
      return (
        <p style={styles.paragraph}>
          <Text tracker={tracker}>{block.text}</Text>
        </p>
      );
    case "list":
      return (
        <ul style={styles.list}>
          {block.items.map((item, place) => (
            <li key={place} style={styles.item}>
              <Text tracker={tracker}>{item}</Text>
            </li>
          ))}
        </ul>
      );
    case "image":
      return <Picture block={block} tracker={tracker} />;
    case "button":
      return (
        <p style={styles.paragraph}>
          <a href={tracker.follow(block.link)} style={buttonOf(look)}>{block.text}</a>
        </p>
      );
    case "divider":
      return <hr style={styles.divider} />;
  }
};

/** What somebody wrote for many readers; all of it is text, and escaped. */
export const Blocks = (
  { blocks, look, tracker = untracked }: {
    blocks: Block[];
    look: Look;
    tracker?: Tracker | undefined;
  },
) => (
  <>
    {blocks.map((block, place) => <One key={place} block={block} look={look} tracker={tracker} />)}
    {tracker.open ? <img src={tracker.open} alt="" width="1" height="1" /> : null}
  </>
);
