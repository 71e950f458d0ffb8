import assert from "node:assert/strict";
import { KeyRing } from "shared/crypto.ts";
import { ProblemError } from "shared/errors/problem.ts";
import { Secret } from "shared/secret.ts";

const key = (name: string, byte: number) => ({
  name,
  key: new Secret(btoa(String.fromCharCode(byte).repeat(32))),
});
const bytes = new TextEncoder().encode("a secret");

Deno.test("a key ring gives back what it took, and never the same text twice", async () => {
  const ring = new KeyRing([key("a", 1)]);
  const [one, other] = [await ring.encrypt(bytes, "x"), await ring.encrypt(bytes, "x")];
  assert.notEqual(one, other);
  assert.match(one, /^v1\.a\.[\w-]{16}\.[\w-]+$/);
  assert.deepEqual(await ring.decrypt(one, "x"), bytes);
});

Deno.test("a text that was changed, moved or cut does not open", async () => {
  const ring = new KeyRing([key("a", 1)]);
  const text = await ring.encrypt(bytes, "person:1");
  await assert.rejects(ring.decrypt(text, "person:2"));
  const [version, name, nonce, sealed] = text.split(".") as [string, string, string, string];
  const flipped = sealed[0] === "A" ? `B${sealed.slice(1)}` : `A${sealed.slice(1)}`;
  for (
    const parts of [[nonce, flipped], [nonce, sealed.slice(0, -4)], [flipped.slice(0, 16), sealed]]
  ) {
    await assert.rejects(ring.decrypt([version, name, ...parts].join("."), "person:1"));
  }
  await assert.rejects(ring.decrypt(text.replace("v1", "v2"), "person:1"));
});

Deno.test("the first key encrypts, the others still open, and a key that is gone opens nothing", async () => {
  const before = new KeyRing([key("old", 1)]);
  const text = await before.encrypt(bytes, "x");
  const ring = new KeyRing([key("new", 2), key("old", 1)]);
  assert.deepEqual(await ring.decrypt(text, "x"), bytes);
  assert.deepEqual([ring.isStale(text), ring.older], [true, ["old"]]);
  const anew = await ring.encrypt(bytes, "x");
  assert.deepEqual([anew.split(".")[1], ring.isStale(anew)], ["new", false]);
  const after = new KeyRing([key("new", 2)]);
  await assert.rejects(
    after.decrypt(text, "x"),
    (error) => error instanceof ProblemError && error.code === "unavailable",
  );
  // The same name does not make it the same key.
  await assert.rejects(new KeyRing([key("old", 3)]).decrypt(text, "x"));
});
