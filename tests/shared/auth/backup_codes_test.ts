import assert from "node:assert/strict";
import {
  createBackupCodes,
  hashBackupCode,
  normaliseBackupCode,
} from "shared/auth/backup_codes.ts";

const cheap = { memory: 1024, passes: 1 };

Deno.test("A11: a set is ten different codes of 50 bits, under one salt of its own", async () => {
  const [one, other] = await Promise.all([createBackupCodes(cheap), createBackupCodes(cheap)]);
  for (const { codes, set } of [one, other]) {
    assert.equal(new Set(codes).size, 10);
    for (const code of codes) assert.match(code, /^[0-9A-HJKMNP-TV-Z]{5}-[0-9A-HJKMNP-TV-Z]{5}$/);
    assert.equal(new Set(set.digests).size, 10);
    assert.match(set.salt, /^[0-9a-f]{32}$/);
    assert.ok(!set.digests.some((digest) => codes.includes(digest)));
  }
  assert.notEqual(one.set.salt, other.set.salt);
});

Deno.test("A11: no letter is likelier than another", async () => {
  const counts = new Map<string, number>();
  for (let set = 0; set < 100; set++) {
    for (const letter of (await createBackupCodes(cheap)).codes.join("").replaceAll("-", "")) {
      counts.set(letter, (counts.get(letter) ?? 0) + 1);
    }
  }
  // 10,000 letters: chi-squared of 31 degrees of freedom is above 80 once in 300,000 times.
  const expected = 10_000 / 32;
  assert.equal(counts.size, 32);
  const squared = [...counts.values()].map((count) => (count - expected) ** 2 / expected);
  assert.ok(squared.reduce((sum, value) => sum + value) < 80);
});

Deno.test("A11: a code is known however it was typed", async () => {
  const salting = { salt: "00".repeat(16), memory_kib: 1024, passes: 1 };
  const digest = await hashBackupCode("0A1B2-C3D4E", salting);
  for (const typed of ["0a1b2c3d4e", " OAIB2 C3D4E ", "oalb2-c3d4e"]) {
    assert.equal(normaliseBackupCode(typed), "0A1B2C3D4E");
    assert.equal(await hashBackupCode(typed, salting), digest);
  }
});

Deno.test("A11: what is kept is argon2id, as others compute it", async () => {
  // Computed by another implementation: salt 0123456789abcdef, 2 passes, 1024 KiB, 1 lane.
  const salting = {
    salt: "30313233343536373839616263646566",
    memory_kib: 1024,
    passes: 2,
  };
  assert.equal(
    await hashBackupCode("0A1B2-C3D4E", salting),
    "d100e86c40a018c36e9587908c8d184a989995796469f69ac8b70f799f6af6d0",
  );
});
