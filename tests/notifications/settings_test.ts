import assert from "node:assert/strict";
import { must } from "../support/answers.ts";
import { withDatabase } from "../support/database.ts";
import { createMember, createTenant } from "../support/tenants.ts";
import { declareKinds, deliveriesOf, notify } from "./support.ts";

const platform = "00000000-0000-7000-8000-000000000001";

interface Settings {
  kinds: { kind: string; fixed: boolean; channels: Record<string, string> }[];
  chosen: unknown[];
  hours: Record<string, unknown>;
}

async function createWorld() {
  await declareKinds();
  const tenant = await createTenant({ time_zone: "Europe/Zurich" });
  const person = await createMember(tenant);
  const choose = (
    kind: string,
    channel: string,
    setting: string,
    scope?: string,
    tenant_id = tenant.id,
  ) =>
    person.client.rpc("notifications_choose", {
      tenant_id,
      kind,
      channel,
      setting,
      ...(scope === undefined ? {} : { scope }),
    });
  const channelsOf = (kind: string, scope = "") =>
    withDatabase(async (sql) => {
      const event = await notify(sql, person, { kind, payload: { scope, left: "1" }, tenant });
      return Object.keys(await deliveriesOf(sql, event)).sort();
    });
  return { tenant, person, choose, channelsOf };
}

Deno.test("what nobody chose is as declared; what somebody chose holds from the next notice on", async () => {
  const { choose, channelsOf } = await createWorld();
  const kind = "notifications.test_mail";
  assert.deepEqual(await channelsOf(kind), ["email", "inbox"]);
  await must(choose(kind, "email", "off"));
  assert.deepEqual(await channelsOf(kind), ["inbox"]);
  await must(choose(kind, "inbox", "off"));
  assert.deepEqual(await channelsOf(kind), []);
  await must(choose(kind, "email", "instant"));
  assert.deepEqual(await channelsOf(kind), ["email"]);
});

Deno.test("a group's word counts more than the tenant's, a kind's more than that on all", async () => {
  const { choose, channelsOf } = await createWorld();
  const kind = "notifications.test_mail";
  await must(choose("*", "email", "off"));
  assert.deepEqual(await channelsOf(kind), ["inbox"]);
  await must(choose(kind, "email", "instant"));
  assert.deepEqual(await channelsOf(kind), ["email", "inbox"]);
  await must(choose("*", "email", "off", "group-1"));
  assert.deepEqual(await channelsOf(kind, "group-1"), ["inbox"], "the group is muted");
  assert.deepEqual(await channelsOf(kind, "group-2"), ["email", "inbox"]);
  await must(choose(kind, "email", "instant", "group-1"));
  assert.deepEqual(await channelsOf(kind, "group-1"), ["email", "inbox"]);
});

Deno.test("security notices are not switched off, whatever is tried", async () => {
  const { person, choose } = await createWorld();
  const { error } = await choose("auth.password_changed", "email", "off", "", platform);
  assert.deepEqual([error?.message, error?.details?.startsWith("kind")], ["request.invalid", true]);
  await must(choose("*", "email", "off", "", platform));
  await withDatabase(async (sql) => {
    const deliveries = await deliveriesOf(sql, await notify(sql, person));
    assert.ok(deliveries.email && deliveries.inbox);
  });
});

Deno.test("a choice that means nothing is refused, by its field", async () => {
  const { choose } = await createWorld();
  const kind = "notifications.test_mail";
  const refused: [string, ReturnType<typeof choose>][] = [
    ["kind", choose("notifications.nonsense", "email", "off")],
    ["channel", choose(kind, "pigeon", "off")],
    ["channel", choose("notifications.test_daily", "push", "off")],
    ["setting", choose(kind, "email", "hourly")],
    ["setting", choose(kind, "push", "daily")],
    ["setting", choose("notifications.digest", "email", "weekly")],
    ["scope", choose(kind, "email", "off", "x".repeat(101))],
  ];
  for (const [field, call] of refused) {
    const { error } = await call;
    assert.deepEqual([error?.message, error?.details], ["request.invalid", field]);
  }
});

Deno.test("a person sees all that holds for them, and changes it nowhere else", async () => {
  const { tenant, person, choose } = await createWorld();
  const before = await must<Settings>(
    person.client.rpc("notifications_settings", { tenant_id: tenant.id }),
  );
  const find = ({ kinds }: Settings, kind: string) => kinds.find((each) => each.kind === kind);
  assert.deepEqual(find(before, "notifications.test_daily")!.channels, {
    inbox: "instant",
    email: "daily",
  });
  assert.equal(find(before, "auth.password_changed")!.fixed, true);
  assert.equal(find(before, "auth.signup"), undefined, "no choice at all");
  assert.deepEqual(before.hours, {
    quiet_from: null,
    quiet_until: null,
    digest_at: "08:00",
    digest_day: 1,
    time_zone: "Europe/Zurich",
  });
  const after = await must<Settings>(choose("notifications.test_daily", "email", "weekly"));
  assert.equal(find(after, "notifications.test_daily")!.channels.email, "weekly");
  assert.equal(after.chosen.length, 1);
  const other = await createMember(tenant);
  const theirs = await must<Settings>(
    other.client.rpc("notifications_settings", { tenant_id: tenant.id }),
  );
  assert.deepEqual(theirs.chosen, []);
});

Deno.test("hours that make no sense are refused, by their field", async () => {
  const { person } = await createWorld();
  const refused: [string, Record<string, unknown>][] = [
    ["quiet_from", { quiet_from: "25:00", quiet_until: "07:00" }],
    ["quiet_until", { quiet_from: "22:00" }],
    ["quiet_until", { quiet_from: "22:00", quiet_until: "22:00" }],
    ["digest_at", { digest_at: "8" }],
    ["digest_day", { digest_day: 7 }],
  ];
  for (const [field, args] of refused) {
    const { error } = await person.client.rpc("notifications_set_hours", args);
    assert.deepEqual([error?.message, error?.details], ["request.invalid", field]);
  }
});
