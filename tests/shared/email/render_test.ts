import assert from "node:assert/strict";
import { languageOf, languages } from "shared/email/locales/mod.ts";
import { de } from "shared/email/locales/de.ts";
import { en } from "shared/email/locales/en.ts";
import { render } from "shared/email/render.ts";
import { UnsendableMail } from "shared/email/unsendable.ts";

const mail = {
  template: "auth.email_change",
  locale: "en",
  sender: "Time Bank",
  data: {
    link: "https://nexus.test/auth/v1/verify?token=a&type=b",
    code: "123456",
    old_email: "ana@nexus.test",
    new_email: "<b>&\"'@nexus.test",
  },
};

Deno.test("HTML and text say the same, and HTML escapes what it says", () => {
  const { subject, html, text } = render(mail);
  assert.equal(subject, en.templates["auth.email_change"].subject);
  assert.ok(text.includes("from ana@nexus.test to <b>&\"'@nexus.test."));
  assert.ok(html.includes("to &lt;b&gt;&amp;&quot;&#39;@nexus.test."));
  for (const form of [html, text]) assert.ok(form.includes("123456") && form.includes("Time Bank"));
  assert.ok(text.includes(`\n${mail.data.link}\n`));
  assert.ok(html.includes(`href="${mail.data.link.replace("&", "&amp;")}"`));
});

Deno.test("the layout is one that screen readers follow", () => {
  const { html } = render(mail);
  assert.match(html, /^<!doctype html><html lang="en" dir="ltr">/);
  assert.match(html, /<title>[^<]+<\/title>/);
  assert.match(html, /role="article" aria-label="[^"]+"/);
  assert.equal([...html.matchAll(/<h1/g)].length, 1);
  assert.ok(!/<(img|table|script|link)/.test(html));
});

Deno.test("a mail is in its reader's language, or in English where we do not speak it", () => {
  const { html, subject } = render({ ...mail, locale: "de-AT" });
  assert.equal(subject, de.templates["auth.email_change"].subject);
  assert.match(html, /<html lang="de" dir="ltr">/);
  for (const locale of ["xx", "", null, "constructor"]) {
    assert.equal(languageOf(locale).tag, "en");
    assert.equal(render({ ...mail, locale }).subject, en.templates["auth.email_change"].subject);
  }
});

Deno.test("every language fills the same gaps in every template", () => {
  const gaps = (words: unknown) =>
    [...JSON.stringify(words).matchAll(/\{(\w+)\}/g)].map(([, name]) => name).sort();
  for (const [tag, { layout, templates }] of Object.entries(languages)) {
    assert.deepEqual(gaps(layout), gaps(en.layout), tag);
    for (const [name, wording] of Object.entries(en.templates)) {
      const translated = templates[name as keyof typeof templates];
      assert.deepEqual(gaps(translated), gaps(wording), `${tag}: ${name}`);
      assert.equal("action" in translated, "action" in wording, `${tag}: ${name}`);
    }
  }
});

Deno.test("values cannot break out of their line, nor the sender's name", () => {
  const { text } = render({
    ...mail,
    sender: "Bank\r\n\r\nClick here",
    data: { ...mail.data, old_email: "a\n\nb" },
  });
  assert.ok(text.includes("from a b to"));
  assert.ok(text.includes("-- \nBank Click here\n"));
});

Deno.test("a mail with a gap, a strange link or no template is not sent", () => {
  const { old_email: _gone, ...incomplete } = mail.data;
  const broken = [
    { ...mail, data: incomplete },
    { ...mail, data: { ...mail.data, link: "javascript:alert(1)" } },
    { ...mail, data: { ...mail.data, code: 123456 } },
    { ...mail, data: null },
    { ...mail, template: "auth.unknown" },
    { ...mail, template: "constructor" },
  ];
  for (const each of broken) assert.throws(() => render(each), UnsendableMail);
});
