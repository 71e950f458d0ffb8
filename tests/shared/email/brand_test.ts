import assert from "node:assert/strict";
import fc from "fast-check";
import { type Brand, contrast, lookOf } from "shared/email/brand.ts";

const brand: Brand = { name: "Club", logo_url: null, app_url: null, color: null, footer: null };

Deno.test("text on a community's colour can be read, whichever colour that is", () => {
  assert.ok(Math.abs(contrast("#ffffff", "#000000") - 21) < 0.01);
  assert.ok(Math.abs(contrast("#777777", "#ffffff") - 4.48) < 0.01);
  fc.assert(fc.property(fc.integer({ min: 0, max: 0xffffff }), (number) => {
    const color = `#${number.toString(16).padStart(6, "0")}`;
    const look = lookOf({ ...brand, color });
    assert.equal(look.color, color);
    assert.ok(contrast(color, look.onColor) >= 4.5, color);
  }));
});

Deno.test("a brand brings a colour, a picture over https and one line, and nothing else", () => {
  const plain = lookOf(null);
  for (const color of ["red", "#fff", "#12345g", "#123456;background:url(//eve.test)", null]) {
    assert.deepEqual(lookOf({ ...brand, color }), plain);
  }
  for (const logo_url of ["http://club.test/logo.png", "javascript:alert(1)", "data:image/png,x"]) {
    assert.equal(lookOf({ ...brand, logo_url }).logo, undefined);
  }
  const { logo, footer } = lookOf({
    ...brand,
    logo_url: "https://club.test/logo.png",
    footer: `Street 1\r\n${"x".repeat(400)}`,
  });
  assert.equal(logo, "https://club.test/logo.png");
  assert.ok(footer!.startsWith("Street 1 x") && footer!.length === 300);
});
