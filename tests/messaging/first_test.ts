import { deepStrictEqual as assertEquals } from "node:assert/strict";
import { createMember } from "../support/tenants.ts";
import { createGroup, createTalkingTenant, open } from "./support.ts";

Deno.test("many who begin with each other for the first time do not wait for each other in a circle", async () => {
  const tenant = await createTalkingTenant();
  const people = await Promise.all(Array.from({ length: 6 }, () => createMember(tenant)));
  const others = (me: number) => people.filter((_, n) => n !== me).toReversed();
  const begun = await Promise.all([
    ...people.map((person, n) => open(person, tenant, people[(n + 1) % people.length]!)),
    ...people.map((person, n) => createGroup(tenant, person, ...others(n))),
  ]);
  assertEquals(new Set(begun).size, 2 * people.length);
});
