/** @jsxRuntime automatic */
/** @jsxImportSource hono/jsx */
// The two lines above, and not deno.json, choose the JSX: a function is uploaded without deno.json.
import { Blocks, buttonOf } from "./blocks.tsx";
import type { Content } from "./render.ts";

/** Styles stand on the elements: many readers drop everything else. Colours keep a contrast of 7:1. */
const styles = {
  body: "margin:0;padding:24px 12px;background:#f4f4f5;color:#18181b;" +
    "font:16px/1.5 system-ui,-apple-system,'Segoe UI',sans-serif",
  card: "max-width:560px;margin:0 auto;padding:32px;background:#ffffff;border-radius:8px",
  sender: "margin:0 0 24px;color:#3f3f46;font-weight:600",
  logo: "display:block;height:40px;max-width:200px;margin:0 0 8px",
  heading: "margin:0 0 16px;font-size:22px;line-height:1.3;overflow-wrap:anywhere",
  paragraph: "margin:0 0 16px;overflow-wrap:anywhere",
  list: "margin:0 0 16px;padding:0 20px",
  address: "margin:0 0 16px;color:#3f3f46;font-size:14px;overflow-wrap:anywhere",
  link: "color:#1e3a8a",
  code: "margin:0 0 16px;font:600 26px/1.3 ui-monospace,monospace;letter-spacing:4px",
  why: "margin:24px 0 0;padding-top:16px;border-top:1px solid #d4d4d8;color:#3f3f46;font-size:14px",
  // Readers show it in the list of mails, beside the subject, and nowhere else.
  preview: "display:none;max-height:0;overflow:hidden",
  footer: "margin:8px 0 0;color:#3f3f46;font-size:14px;overflow-wrap:anywhere",
};

const Sender = ({ sender, look }: Pick<Content, "sender" | "look">) => (
  <p style={styles.sender}>
    {look.logo ? <img src={look.logo} alt="" height="40" style={styles.logo} /> : null}
    {sender}
  </p>
);

const Action = (
  { action: { label, link, address }, look }: {
    action: NonNullable<Content["action"]>;
    look: Content["look"];
  },
) => (
  <>
    <p style={styles.paragraph}>
      <a href={link} style={buttonOf(look)}>{label}</a>
    </p>
    <p style={styles.address}>
      {address} <a href={link} style={styles.link}>{link}</a>
    </p>
  </>
);

const Items = ({ items }: Pick<Content, "items">) => (
  <ul style={styles.list}>
    {items.map(({ text, link }) => (
      <li key={text} style="margin:0 0 8px;overflow-wrap:anywhere">
        {link ? <a href={link} style={styles.link}>{text}</a> : text}
      </li>
    ))}
  </ul>
);

const Code = ({ label, value }: NonNullable<Content["code"]>) => (
  <>
    <p style="margin:0 0 4px">{label}</p>
    <p style={styles.code} dir="ltr">{value}</p>
  </>
);

const Closing = ({ why, settings, look }: Pick<Content, "why" | "settings" | "look">) => (
  <>
    <p style={styles.why}>{why}</p>
    {settings
      ? (
        <p style={styles.footer}>
          <a href={settings.link} style={styles.link}>{settings.label}</a>
        </p>
      )
      : null}
    {look.footer ? <p style={styles.footer}>{look.footer}</p> : null}
  </>
);

const Layout = (content: Content) => (
  <html lang={content.language} dir={content.direction}>
    <head>
      <meta charset="utf-8" />
      <meta name="viewport" content="width=device-width" />
      <title>{content.heading}</title>
    </head>
    <body style={styles.body}>
      <div
        role="article"
        aria-label={content.heading}
        lang={content.language}
        dir={content.direction}
        style={styles.card}
      >
        {content.document?.preview
          ? <div style={styles.preview}>{content.document.preview}</div>
          : null}
        <Sender sender={content.sender} look={content.look} />
        <h1 style={styles.heading}>{content.heading}</h1>
        {content.paragraphs.map((paragraph) => (
          <p key={paragraph} style={styles.paragraph}>{paragraph}</p>
        ))}
        {content.document
          ? (
            <Blocks
              blocks={content.document.blocks}
              look={content.look}
              tracker={content.tracker}
            />
          )
          : null}
        {content.items.length > 0 ? <Items items={content.items} /> : null}
        {content.action ? <Action action={content.action} look={content.look} /> : null}
        {content.code ? <Code {...content.code} /> : null}
        <Closing why={content.why} settings={content.settings} look={content.look} />
      </div>
    </body>
  </html>
);

/** The mail as HTML; whatever its texts hold is escaped. */
export const htmlOf = (content: Content): string => `<!doctype html>${<Layout {...content} />}`;
