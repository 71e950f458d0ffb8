import assert from "node:assert/strict";
import fc from "fast-check";
import { emailAddress, normaliseAddress } from "shared/auth/email_address.ts";

Deno.test("an address has one spelling", () => {
  const spellings: Record<string, string> = {
    " Ana@Example.ORG ": "ana@example.org",
    "ana+list@example.org": "ana+list@example.org",
    "ANA@BÜCHER.example": "ana@xn--bcher-kva.example",
    "ａｎａ@example.org": "ana@example.org",
    "ana@[::1]": "ana@[::1]",
  };
  for (const [given, one] of Object.entries(spellings)) assert.equal(normaliseAddress(given), one);
});

Deno.test("normalising twice is normalising once", () => {
  fc.assert(
    fc.property(fc.oneof(fc.emailAddress(), fc.string({ unit: "grapheme" })), (text) => {
      const once = normaliseAddress(text);
      assert.equal(normaliseAddress(once), once);
    }),
  );
});

Deno.test("what is no address that Auth would take is refused", () => {
  const schema = emailAddress();
  for (
    const bad of [
      "",
      "ana",
      "@example.org",
      "ana@",
      "ana@localhost",
      "a b@example.org",
      "ana@example.org\r\nbcc: eve@example.org",
      "ana@exa mple.org",
      '"ana"@example.org',
      "ana@-example.org",
      `${"x".repeat(250)}@example.org`,
      "än@example.org",
    ]
  ) assert.equal(schema.safeParse(bad).success, false, bad);
  assert.equal(schema.parse("Ana@example.org"), "ana@example.org");
});
