/** @jsxRuntime automatic */
/** @jsxImportSource hono/jsx */
import { languageOf, type TemplateName } from "shared/email/locales/mod.ts";

/** A setting as the database shows it to whoever holds the link of a mail. */
export interface LinkedSetting {
  tenant_id: string;
  tenant: string | null;
  locale: string;
  kind: string;
  template: string;
  /** The mail went to an address that is nobody's account here. */
  stranger: boolean;
  channel: string;
  scope: string;
  setting: string;
  fixed: boolean;
  settings_url: string | null;
}

const style = "body{font:16px/1.5 system-ui,sans-serif;max-width:36rem;margin:2rem auto;" +
  "padding:0 1rem;color:#18181b}h1{font-size:1.3rem}label{display:block;padding:.5rem 0}" +
  "button{font:inherit;font-weight:600;padding:.75rem 1.25rem;border:0;border-radius:6px;" +
  "background:#1e3a8a;color:#fff}";

interface Shown {
  setting: LinkedSetting;
  platform: string;
  saved: boolean;
}

const Page = ({ setting, platform, saved }: Shown) => {
  const { tag, words } = languageOf(setting.locale);
  const { layout, templates } = words;
  const choices = {
    instant: layout.pageInstant,
    // A digest comes when it comes: that is the setting of what is in it. An address has none.
    ...(setting.template === "notifications.digest" || setting.stranger
      ? {}
      : { daily: layout.pageDaily, weekly: layout.pageWeekly }),
    off: layout.pageOff,
  };
  const sender = setting.tenant ?? platform;
  const what = templates[setting.template as TemplateName].heading
    .replaceAll("{sender}", sender).replaceAll(/\{\w+\}/g, "…");
  const title = layout.page.replace("{what}", what);
  return (
    <html xmlns="http://www.w3.org/1999/xhtml" lang={tag} dir={words.direction ?? "ltr"}>
      <head>
        <title>{title}</title>
        <meta name="viewport" content="width=device-width" />
        <meta name="robots" content="noindex" />
        <style>{style}</style>
      </head>
      <body>
        <main>
          <p>{sender}</p>
          <h1>{title}</h1>
          {saved ? <p role="status">{layout.pageSaved}</p> : null}
          {setting.fixed ? <p>{layout.pageFixed}</p> : (
            <form method="post">
              <fieldset>
                <legend>{layout.pageNow}</legend>
                {Object.entries(choices).map(([value, label]) => (
                  <label key={value}>
                    {value === setting.setting
                      ? <input type="radio" name="setting" value={value} checked />
                      : <input type="radio" name="setting" value={value} />} {label}
                  </label>
                ))}
              </fieldset>
              <p>
                <button type="submit">{layout.pageSave}</button>
              </p>
            </form>
          )}
        </main>
      </body>
    </html>
  );
};

/**
 * The page that a mail's link opens. As XHTML, because hosted functions show text/html as plain text
 * on the project's own domain; browsers show it all the same.
 */
export const settingPage = (shown: Shown): string =>
  `<?xml version="1.0" encoding="utf-8"?>\n<!DOCTYPE html>\n${<Page {...shown} />}`;

export const pageType = "application/xhtml+xml; charset=utf-8";
