import type { CaughtMail } from "./store.ts";

const style =
  `body{font:16px/1.5 system-ui,sans-serif;max-width:48rem;margin:2rem auto;padding:0 1rem}
li{margin:0 0 .75rem}small{color:#666}code{font-size:1.1em}`;

/** The inbox for people. */
export function listPage(mails: CaughtMail[]): string {
  const items = mails.map((mail) =>
    `<li><a href="/messages/${mail.id}">${escape(mail.subject)}</a>${codeOf(mail)}<br>` +
    `<small>to ${escape(mail.to)} · ${mail.created_at}</small></li>`
  );
  const list = items.length > 0 ? `<ul>${items.join("\n")}</ul>` : "<p>No mail so far.</p>";
  return page("Caught mail", `<h1>Caught mail</h1>\n${list}`);
}

/** One mail as its reader would see it. */
export function mailPage(mail: CaughtMail): string {
  const head = `<p><a href="/">All mail</a></p><p><small>to ${escape(mail.to)} · ` +
    `${mail.created_at}</small></p>`;
  return page(mail.subject, `${head}\n${mail.html}`);
}

const codeOf = ({ code }: CaughtMail) => code ? ` <code>${escape(code)}</code>` : "";

function page(title: string, body: string): string {
  return `<!doctype html><html lang="en"><meta charset="utf-8"><title>${escape(title)}</title>` +
    `<style>${style}</style>\n${body}\n</html>`;
}

function escape(text: string): string {
  return text.replaceAll("&", "&amp;").replaceAll("<", "&lt;").replaceAll('"', "&quot;");
}
