import assert from "node:assert/strict";
import decode from "@jsquash/png/decode.js";
import type { Page } from "playwright-core";
import { en, type Language } from "shared/email/locales/en.ts";
import { languages } from "shared/email/locales/mod.ts";
import { render } from "shared/email/render.ts";
import { testInChromium } from "../../support/chromium.ts";

const brand = {
  name: "Association des jardins partagés de la Vallée-Supérieure",
  logo_url: null,
  app_url: null,
  color: "#facc15",
  footer: "Rue de la Très-Longue-Adresse-Sans-Coupure-Possible 1234, 1000 Lausanne",
};

const link = `https://app.nexus.test/${"a-very-long-path/".repeat(8)}?token=${"x".repeat(120)}`;

/** Values for every gap that a wording has, as long as people make them. */
const filled = (words: unknown) =>
  Object.fromEntries(
    [...JSON.stringify(words).matchAll(/\{(\w+)\}/g)]
      .map(([, name]) => [name!, "Donaudampfschifffahrtsgesellschaftskapitänsmützenabzeichen"]),
  );

function mailOf(template: string, language: string, known?: Record<string, Language>) {
  const words = (known ?? languages)[language]!;
  const wording = words.templates[template as keyof typeof words.templates];
  return render({
    template,
    locale: language,
    sender: brand.name,
    brand,
    data: { ...filled(wording), code: "123456", ...("action" in wording ? { link } : {}) },
    items: template === "notifications.digest"
      ? [{ template: "two_factor.enabled", data: { link }, count: 3 }]
      : null,
    settings: link,
  }, known).html;
}

/** What somebody wrote for many readers, with words as long as they come. */
function documentMail() {
  const long = "Donaudampfschifffahrtsgesellschaftskapitänsmützenabzeichen".repeat(2);
  const blocks = [
    { type: "heading", text: long },
    { type: "paragraph", text: `${long} **${long}** [${long}](${link})` },
    { type: "list", items: [long, `*${long}*`] },
    { type: "divider" },
    { type: "button", text: "Weiterlesen", link },
  ];
  return render({
    template: "notifications.digest",
    locale: "de",
    sender: brand.name,
    brand,
    data: {},
    document: { subject: long, preview: long, greeting: "{name},", blocks },
    name: long,
    settings: link,
  }).html;
}

/** What a reader sees that should not be: beyond the edge, of no height, or too pale to read. */
const faultsOf = (page: Page) =>
  page.evaluate(`(() => {
    const faults = [];
    const width = document.documentElement.clientWidth;
    if (document.documentElement.scrollWidth > width) faults.push("wider than the screen");
    const part = (value) => (value /= 255) <= 0.04045 ? value / 12.92 : ((value + 0.055) / 1.055) ** 2.4;
    const luminance = (color) => {
      const [r, g, b] = color.match(/[\\d.]+/g).map(Number);
      return 0.2126 * part(r) + 0.7152 * part(g) + 0.0722 * part(b);
    };
    const behind = (element) => {
      for (let at = element; at; at = at.parentElement) {
        const color = getComputedStyle(at).backgroundColor;
        if (!/, 0\\)$/.test(color)) return color;
      }
      return "rgb(255, 255, 255)";
    };
    for (const element of document.querySelectorAll("h1, p, li, a")) {
      if (!element.textContent.trim()) continue;
      const name = element.tagName + ": " + element.textContent.slice(0, 40);
      const { left, right, height } = element.getBoundingClientRect();
      if (left < 0 || right > width) faults.push("beyond the edge: " + name);
      if (height < 10) faults.push("of no height: " + name);
      const [light, dark] = [getComputedStyle(element).color, behind(element)]
        .map(luminance).sort((a, b) => b - a);
      if ((light + 0.05) / (dark + 0.05) < 4.5) faults.push("too pale: " + name);
    }
    return faults;
  })()`) as Promise<string[]>;

/** How many pixels of the picture have each of these colours. */
async function coloursOf(page: Page, colours: string[]): Promise<number[]> {
  const { data } = await decode(new Uint8Array(await page.screenshot({ fullPage: true })).buffer);
  const counts = new Map<string, number>();
  for (let at = 0; at < data.length; at += 4) {
    const colour = `#${
      [data[at]!, data[at + 1]!, data[at + 2]!].map((part) => part.toString(16).padStart(2, "0"))
        .join("")
    }`;
    counts.set(colour, (counts.get(colour) ?? 0) + 1);
  }
  return colours.map((colour) => counts.get(colour) ?? 0);
}

const widths = { phone: 360, desktop: 1280 };

for (const [device, width] of Object.entries(widths)) {
  testInChromium(`every mail in every language can be read on a ${device}`, async (browser) => {
    const page = await browser.newPage({ viewport: { width, height: 700 } });
    for (const language of Object.keys(languages)) {
      for (const template of Object.keys(en.templates)) {
        await page.setContent(mailOf(template, language));
        assert.deepEqual(await faultsOf(page), [], `${language} ${template}`);
      }
    }
    await page.setContent(documentMail());
    assert.deepEqual(await faultsOf(page), [], "what somebody wrote for many");
    const template = "auth.signup";
    await page.setContent(mailOf(template, "de"));
    const [ground, card, button, text] = await coloursOf(page, [
      "#f4f4f5",
      "#ffffff",
      "#facc15",
      "#18181b",
    ]);
    assert.ok(ground! > 1_000 && card! > 10_000 && button! > 1_000 && text! > 50, "as a picture");
  });
}

testInChromium("a language that is written from the right begins there", async (browser) => {
  const hebrew: Language = {
    ...languages.en!,
    direction: "rtl",
    templates: {
      ...languages.en!.templates,
      "auth.signup": {
        subject: "אישור הכתובת שלך",
        heading: "ברוכים הבאים",
        paragraphs: ["נא לאשר שזו הכתובת שלך."],
        action: "אישור הכתובת",
      },
    },
  };
  const page = await browser.newPage({ viewport: { width: 360, height: 700 } });
  await page.setContent(mailOf("auth.signup", "he", { he: hebrew }));
  assert.deepEqual(await faultsOf(page), []);
  const sides = await page.evaluate(`(() => {
    const card = document.querySelector("[role=article]").getBoundingClientRect();
    const button = document.querySelector("a").getBoundingClientRect();
    return [document.documentElement.dir, button.left - card.left > card.right - button.right];
  })()`);
  assert.deepEqual(sides, ["rtl", true]);
});
