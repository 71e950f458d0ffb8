import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { readProjectConfig, root } from "../../../local/settings.ts";
import { isCommonPassword } from "shared/auth/common_passwords.ts";
import { passwordFault, requireGoodPassword, shortestPassword } from "shared/auth/passwords.ts";
import { ProblemError } from "shared/errors/problem.ts";
import { createTestServices } from "../../support/services.ts";

const good = "Correct-horse-7";
const email = "ana.maria@example.org";

Deno.test("A18: what Auth asks of those who go to it directly is the same rule", () => {
  const { minimumPasswordLength, passwordRequirements } = readProjectConfig(root, {}).auth;
  assert.equal(minimumPasswordLength, shortestPassword);
  assert.equal(passwordRequirements, "lower_upper_letters_digits");
});

Deno.test("A18: length, kinds of characters, and no more than bcrypt reads", () => {
  const faults: Record<string, RegExp> = {
    "Short-1": /at least 8/,
    "Sh🙂rt-1": /at least 8/,
    "no-capital-7": /capital/,
    "NO-SMALL-7": /small/,
    "No-digit-here": /digit/,
    "alllowercase": /capital letter and a digit/,
    [`Aa1-${"x".repeat(69)}`]: /at most 72 bytes/,
    [`Aa1-${"🙂".repeat(18)}`]: /at most 72 bytes/,
  };
  for (const [password, fault] of Object.entries(faults)) {
    assert.match(passwordFault(password, email) ?? "", fault, password);
  }
  for (const password of [good, `Aa1-${"x".repeat(68)}`, "Ünicøde-X8"]) {
    assert.equal(passwordFault(password, email), undefined, password);
  }
});

Deno.test("A18: what is tried first is refused, however its letters are cased", () => {
  for (
    const password of ["Password1", "pASSWORD123", "Qwerty123", "1Qaz2wsx", "Trustno1", "Abcd1234"]
  ) {
    assert.match(passwordFault(password) ?? "", /first that anybody would try/, password);
  }
  for (const common of ["password", "12345678", "iloveyou", "sunshine", "baseball", "football"]) {
    assert.ok(isCommonPassword(common), common);
  }
  for (const rare of [good, "", "x".repeat(1_000)]) assert.ok(!isCommonPassword(rare), rare);
});

Deno.test("the address is no password, nor is its name within one", () => {
  assert.match(passwordFault("Ana.Maria@example.org1", email) ?? "", /mail address/);
  assert.match(passwordFault("X1-ANA.maria", email) ?? "", /mail address/);
  assert.equal(passwordFault("Ana-and-Ben-7", "ana@example.org"), undefined);
});

/** A range service that knows some passwords, and what it was asked. */
async function withRanges(
  known: string[],
  work: (url: string, asked: string[]) => Promise<void>,
  status = 200,
): Promise<void> {
  const digests = known.map((password) =>
    createHash("sha1").update(password).digest("hex").toUpperCase()
  );
  const asked: string[] = [];
  await using server = Deno.serve({ port: 0, hostname: "127.0.0.1", onListen() {} }, (request) => {
    const { pathname } = new URL(request.url);
    asked.push(pathname);
    const prefix = pathname.split("/").at(-1)!;
    const lines = digests.filter((digest) => digest.startsWith(prefix))
      .map((digest) => `${digest.slice(5)}:42`);
    return new Response([...lines, `${"0".repeat(35)}:0`].join("\r\n"), { status });
  });
  await work(`http://127.0.0.1:${server.addr.port}`, asked);
}

const servicesFor = (url: string) =>
  createTestServices({ PASSWORD_BREACH_URL: url, NEXUS_LOCAL_PROVIDERS: url });

Deno.test("a breached password is refused, and five digits of its digest are all that leaves", () =>
  withRanges([good], async (url, asked) => {
    const { services } = servicesFor(url);
    await assert.rejects(
      requireGoodPassword(services, good, email),
      (error) => error instanceof ProblemError && error.code === "accounts.password_weak",
    );
    await requireGoodPassword(services, `${good}!`, email);
    const digest = createHash("sha1").update(good).digest("hex").toUpperCase();
    assert.equal(asked[0], `/range/${digest.slice(0, 5)}`);
    assert.ok(asked.every((path) => /^\/range\/[0-9A-F]{5}$/.test(path)));
  }));

Deno.test("a range service that fails, or is not there, stops nobody, and is told of", async (t) => {
  await t.step("it fails", () =>
    withRanges([good], async (url) => {
      const { services, lines } = servicesFor(url);
      await requireGoodPassword(services, good, email);
      assert.ok(lines.some(({ level }) => level === "warn"));
    }, 404));
  await t.step("nobody listens", async () => {
    const { services } = servicesFor("http://127.0.0.1:9");
    await requireGoodPassword(services, good, email);
  });
  await t.step("nobody is named: nobody is asked", async () => {
    const { services, lines } = createTestServices();
    await requireGoodPassword(services, good, email);
    assert.deepEqual(lines, []);
  });
});
