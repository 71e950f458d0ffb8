/** @jsxRuntime automatic */
/** @jsxImportSource hono/jsx */
// The two lines above, and not deno.json, choose the JSX: a function is uploaded without deno.json.
import type { Content } from "./render.ts";

/** Styles stand on the elements: many readers drop everything else. Colours keep a contrast of 7:1. */
const styles = {
  body: "margin:0;padding:24px 12px;background:#f4f4f5;color:#18181b;" +
    "font:16px/1.5 system-ui,-apple-system,'Segoe UI',sans-serif",
  card: "max-width:560px;margin:0 auto;padding:32px;background:#ffffff;border-radius:8px",
  sender: "margin:0 0 24px;color:#3f3f46;font-weight:600",
  heading: "margin:0 0 16px;font-size:22px;line-height:1.3",
  paragraph: "margin:0 0 16px",
  button: "display:inline-block;padding:12px 20px;background:#1e3a8a;color:#ffffff;" +
    "border-radius:6px;text-decoration:none;font-weight:600",
  address: "margin:0 0 16px;color:#3f3f46;font-size:14px;overflow-wrap:anywhere",
  code: "margin:0 0 16px;font:600 26px/1.3 ui-monospace,monospace;letter-spacing:4px",
  why: "margin:24px 0 0;padding-top:16px;border-top:1px solid #d4d4d8;color:#3f3f46;font-size:14px",
};

const Action = ({ label, link, address }: NonNullable<Content["action"]>) => (
  <>
    <p style={styles.paragraph}>
      <a href={link} style={styles.button}>{label}</a>
    </p>
    <p style={styles.address}>
      {address} <a href={link} style="color:#1e3a8a">{link}</a>
    </p>
  </>
);

const Code = ({ label, value }: NonNullable<Content["code"]>) => (
  <>
    <p style="margin:0 0 4px">{label}</p>
    <p style={styles.code}>{value}</p>
  </>
);

const Layout = ({ language, sender, heading, paragraphs, action, code, why }: Content) => (
  <html lang={language}>
    <head>
      <meta charset="utf-8" />
      <meta name="viewport" content="width=device-width" />
      <title>{heading}</title>
    </head>
    <body style={styles.body}>
      <div role="article" aria-label={heading} style={styles.card}>
        <p style={styles.sender}>{sender}</p>
        <h1 style={styles.heading}>{heading}</h1>
        {paragraphs.map((paragraph) => <p key={paragraph} style={styles.paragraph}>{paragraph}</p>)}
        {action ? <Action {...action} /> : null}
        {code ? <Code {...code} /> : null}
        <p style={styles.why}>{why}</p>
      </div>
    </body>
  </html>
);

/** The mail as HTML; whatever its texts hold is escaped. */
export const htmlOf = (content: Content): string => `<!doctype html>${<Layout {...content} />}`;
