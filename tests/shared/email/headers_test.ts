import assert from "node:assert/strict";
import fc from "fast-check";
import { mailboxOf, oneAddress, subjectLine } from "shared/email/headers.ts";
import { UnsendableMail } from "shared/email/unsendable.ts";

// deno-fmt-ignore
const hostile = ["\r", "\n", "\0", "\u2028", "<", ">", ",", ";", "@", '"', "\\", "Bcc:", "a@b.test", " ", "é"];
const hostileText = fc.array(fc.constantFrom(...hostile)).map((parts) => parts.join(""));

Deno.test("a subject stays on one line, whatever names it holds", () => {
  assert.equal(subjectLine("Hello\r\nBcc: eve@nexus.test"), "Hello Bcc: eve@nexus.test");
  fc.assert(fc.property(hostileText, (text) => !/[\p{Cc}\p{Zl}\p{Zp}]/u.test(subjectLine(text))));
});

Deno.test("a sender's name adds no address, however it is written", () => {
  assert.equal(
    mailboxOf("Time Bank via Nexus", "m@nexus.test"),
    "Time Bank via Nexus <m@nexus.test>",
  );
  assert.equal(
    mailboxOf('Bank" <eve@nexus.test>, "', "m@nexus.test"),
    "Bank eve nexus.test <m@nexus.test>",
  );
  assert.equal(mailboxOf("\r\n<>", "m@nexus.test"), "m@nexus.test");
  fc.assert(
    fc.property(hostileText, (name) =>
      /^([^<>@,;"\\\p{Cc}]+ <m@nexus\.test>|m@nexus\.test)$/u.test(
        mailboxOf(name, "m@nexus.test"),
      )),
  );
});

Deno.test("a receiver is one address and nothing else", () => {
  for (const address of ["ana@nexus.test", "ana+tag@nexus.test", "o'neil@nexus.test"]) {
    assert.equal(oneAddress(address), address);
  }
  const refused = [
    "",
    "ana",
    "ana@nexus.test, eve@nexus.test",
    "ana@nexus.test\r\nBcc: eve@nexus.test",
    "Ana <ana@nexus.test>",
    "ana@eve@nexus.test",
    `${"a".repeat(250)}@nexus.test`,
  ];
  for (const address of refused) assert.throws(() => oneAddress(address), UnsendableMail);
});
