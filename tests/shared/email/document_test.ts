import assert from "node:assert/strict";
import { runsOf } from "shared/email/document.ts";
import { render } from "shared/email/render.ts";
import { UnsendableMail } from "shared/email/unsendable.ts";

const document = {
  subject: "News <b>",
  preview: "In short",
  greeting: "Dear {name},",
  blocks: [
    { type: "heading", text: "Once" },
    { type: "paragraph", text: "A **b** *c* [d](https://nexus.test/d) <e>" },
    { type: "list", items: ["one", "two"] },
    { type: "image", url: "https://nexus.test/a.webp", alt: "A hall", link: null },
    { type: "divider" },
    { type: "button", text: "Go", link: "https://nexus.test/go" },
  ],
};
const mail = {
  template: "notifications.digest",
  locale: "en",
  sender: "Film Club",
  data: {},
  document,
  settings: "https://nexus.test/setting?token=x",
};

Deno.test("a document says the same as HTML and as text, in the frame of every mail", () => {
  const { subject, html, text } = render({ ...mail, name: "Ana {name} <i>" });
  assert.equal(subject, "News <b>");
  assert.ok(html.includes("News &lt;b&gt;") && html.includes("Dear Ana {name} &lt;i&gt;,"));
  assert.ok(html.includes("<strong>b</strong> <em>c</em>") && html.includes("&lt;e&gt;"));
  assert.ok(html.includes('alt="A hall"') && text.includes("[A hall]"));
  assert.ok(text.includes("A b c d (https://nexus.test/d) <e>"));
  assert.ok(text.includes("- one\n- two") && text.includes("Go:\nhttps://nexus.test/go"));
  assert.equal([...html.matchAll(/<h1/g)].length, 1);
  for (const form of [html, text]) assert.ok(form.includes(mail.settings));
});

Deno.test("who has no name is not greeted, and is told why the mail came to their address", () => {
  const { text } = render({ ...mail, stranger: true });
  assert.ok(!text.includes("Dear") && text.includes("to this address on behalf of Film Club"));
});

Deno.test("what is no document is not sent", () => {
  const blocks = [{ type: "paragraph", text: "x" }, { type: "html", html: "<script>" }];
  assert.throws(() => render({ ...mail, document: { ...document, blocks } }), UnsendableMail);
  const link = [{ type: "button", text: "x", link: "javascript:alert(1)" }];
  assert.throws(() => render({ ...mail, document: { ...document, blocks: link } }), UnsendableMail);
});

Deno.test("a mark that is not closed, or no address, is text like any other", () => {
  for (const written of ["a ** b", "2 * 3", "[a](javascript:x)", "**", "[]()", "*\n*"]) {
    assert.equal(runsOf(written).map(({ text }) => text).join(""), written);
    assert.ok(runsOf(written).every(({ mark, link }) => !mark && !link), written);
  }
});
