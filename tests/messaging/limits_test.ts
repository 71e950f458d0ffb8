import { assertRefused, must } from "../support/answers.ts";
import { createPair, type Pair, send } from "./support.ts";

/** Calls until the limit is used up, and once more. */
async function useUp(times: number, call: () => Parameters<typeof assertRefused>[0]) {
  for (let n = 0; n < times; n++) await must(call());
  await assertRefused(call(), 429, "limits.exceeded");
}

Deno.test("who begins sixty conversations within an hour begins no other one", async () => {
  const { tenant, ana, ben }: Pair = await createPair();
  const begin = { tenant_id: tenant.id, title: "Gardeners", people: [ben.id] };
  // The conversation of the two was Ana's first.
  await useUp(59, () => ana.client.rpc("messaging_create_group", begin));
});

Deno.test("a message is edited sixty times a minute, and no more", async () => {
  const { tenant, ana, conversation } = await createPair();
  const { id } = await send(ana, tenant, conversation);
  const edit = { tenant_id: tenant.id, message_id: id, body: "Hello again" };
  await useUp(60, () => ana.client.rpc("messaging_edit", edit));
});

Deno.test("who reports thirty times within an hour is not heard again before it is over", async () => {
  const { tenant, ana, ben, conversation } = await createPair();
  const { id } = await send(ana, tenant, conversation);
  const report = {
    tenant_id: tenant.id,
    kind: "messaging.message",
    subject: id,
    reason: "spam",
  };
  await useUp(30, () => ben.client.rpc("moderation_report", report));
});
