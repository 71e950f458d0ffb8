import assert from "node:assert/strict";
import { createTotpSecret, totpEnrolment, totpStep } from "shared/auth/totp.ts";

const seconds = (time: number) => time * 1000;

/** RFC 6238, appendix B, SHA-1: the last six of its eight digits are the code of six. */
const secret = new TextEncoder().encode("12345678901234567890");
const vectors: [time: number, code: string][] = [
  [59, "287082"],
  [1111111109, "081804"],
  [1111111111, "050471"],
  [1234567890, "005924"],
  [2000000000, "279037"],
  [20000000000, "353130"],
];

Deno.test("A10: the codes of RFC 6238 are right at their times", () => {
  for (const [time, code] of vectors) {
    assert.equal(totpStep(secret, code, seconds(time)), Math.floor(time / 30), code);
  }
});

Deno.test("A10: a code is good one step to either side, and no further", () => {
  const [time, code] = [1234567890, "005924"];
  const step = Math.floor(time / 30);
  for (const drift of [-1, 0, 1]) {
    for (const within of [0, 29]) {
      const now = seconds((step + drift) * 30 + within);
      assert.equal(totpStep(secret, code, now), step, `${drift} steps and ${within} s`);
    }
  }
  assert.equal(totpStep(secret, code, seconds((step + 2) * 30)), undefined);
  assert.equal(totpStep(secret, code, seconds((step - 1) * 30) - 1), undefined);
});

Deno.test("A10: another secret's code is refused", () => {
  assert.equal(totpStep(createTotpSecret(), "287082", seconds(59)), undefined);
});

Deno.test("A10: an app is shown the secret as text, as link and as picture", () => {
  const shown = totpEnrolment(secret, "Nexus", "ana+x@timebank.test");
  assert.equal(shown.secret, "GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ");
  const uri = new URL(shown.otpauth_uri);
  assert.equal(decodeURIComponent(uri.pathname.split("/").at(-1)!), "Nexus:ana+x@timebank.test");
  assert.deepEqual([uri.searchParams.get("secret"), uri.searchParams.get("issuer")], [
    shown.secret,
    "Nexus",
  ]);
  assert.match(shown.qr_svg, /^<svg [^>]*viewBox/);
  assert.ok(shown.qr_svg.length < 20_000);
  assert.equal(createTotpSecret().length, 20);
});
