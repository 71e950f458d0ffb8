import { deepStrictEqual as assertEquals, notStrictEqual } from "node:assert/strict";
import { Presence } from "../../../local/realtime/presence.ts";

Deno.test("a first track joins, a second replaces it and refers to it", () => {
  const presence = new Presence<string>();
  const first = presence.track("ana", "k", { mood: "fine" });
  const old = first.joins.k!.metas[0]!;
  assertEquals([old.mood, first.leaves], ["fine", {}]);

  const second = presence.track("ana", "k", { mood: "better" });
  const now = second.joins.k!.metas[0]!;
  notStrictEqual(now.phx_ref, old.phx_ref);
  assertEquals(second.leaves, { k: { metas: [old] } });
  assertEquals(now, { mood: "better", phx_ref: now.phx_ref, phx_ref_prev: old.phx_ref });
  assertEquals(presence.state(), { k: { metas: [now] } });
});

Deno.test("members who share a key are present side by side", () => {
  const presence = new Presence<string>();
  presence.track("phone", "ana", { on: "phone" });
  presence.track("laptop", "ana", { on: "laptop" });
  assertEquals(presence.state().ana!.metas.map((meta) => meta.on), ["phone", "laptop"]);
  assertEquals(presence.untrack("phone")!.leaves.ana!.metas.map((meta) => meta.on), ["phone"]);
  assertEquals(presence.state().ana!.metas.map((meta) => meta.on), ["laptop"]);
});

Deno.test("who was not present does not leave", () => {
  assertEquals(new Presence<string>().untrack("ana"), undefined);
});

Deno.test("a payload cannot forge its reference, and any text is a key", () => {
  const presence = new Presence<string>();
  presence.track("ana", "__proto__", JSON.parse('{"phx_ref":"mine","__proto__":1}'));
  const state = JSON.parse(JSON.stringify(presence.state()));
  const meta = Object.getOwnPropertyDescriptor(state, "__proto__")!.value.metas[0];
  notStrictEqual(meta.phx_ref, "mine");
});
