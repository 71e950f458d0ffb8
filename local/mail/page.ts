import type { CaughtMail } from "./mail.ts";

const style =
  `body{font:16px/1.5 system-ui,sans-serif;max-width:48rem;margin:2rem auto;padding:0 1rem}
li{margin:0 0 .75rem}small{color:#666}iframe{width:100%;height:36rem;border:1px solid #ccc}
pre{white-space:pre-wrap;overflow-wrap:anywhere;background:#f6f6f6;padding:1rem}`;

/** The inbox for people. */
export function listPage(mails: CaughtMail[]): string {
  const items = mails.map((mail) =>
    `<li><a href="/messages/${mail.id}">${escape(mail.subject)}</a><br>` +
    `<small>to ${escape(mail.to.join(", "))} · ${mail.created_at}</small></li>`
  );
  const list = items.length > 0 ? `<ul>${items.join("\n")}</ul>` : "<p>No mail so far.</p>";
  return page("Caught mail", `<h1>Caught mail</h1>\n${list}`);
}

/** One mail in both its forms. What it holds as HTML stands in a frame of its own, without scripts. */
export function mailPage(mail: CaughtMail): string {
  const about = `<p><a href="/">All mail</a> · <a href="/messages/${mail.id}/raw">source</a></p>` +
    `<h1>${escape(mail.subject)}</h1><p><small>from ${escape(mail.from)}<br>` +
    `to ${escape(mail.to.join(", "))}<br>${mail.created_at}</small></p>`;
  const frame = mail.html
    ? `<iframe title="The mail" sandbox="allow-popups allow-popups-to-escape-sandbox" ` +
      `src="/messages/${mail.id}/html"></iframe>`
    : "";
  return page(
    mail.subject,
    `${about}\n${frame}\n<h2>As text</h2>\n<pre>${escape(mail.text)}</pre>`,
  );
}

/** The mail's own HTML; its links open outside the frame. */
export const framedMail = ({ html }: CaughtMail): string =>
  html.includes("<head>")
    ? html.replace("<head>", '<head><base target="_blank">')
    : `<base target="_blank">${html}`;

function page(title: string, body: string): string {
  return `<!doctype html><html lang="en"><meta charset="utf-8"><title>${escape(title)}</title>` +
    `<style>${style}</style>\n${body}\n</html>`;
}

function escape(text: string): string {
  return text.replaceAll("&", "&amp;").replaceAll("<", "&lt;").replaceAll('"', "&quot;");
}
