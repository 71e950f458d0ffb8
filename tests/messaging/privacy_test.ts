import { deepStrictEqual as assertEquals } from "node:assert/strict";
import { impersonate } from "../admin/support.ts";
import { assertRefused, must } from "../support/answers.ts";
import { createMember } from "../support/tenants.ts";
import { createPair, draft, send } from "./support.ts";

Deno.test("an admin who acts as a member reads, hears and writes none of their messages", async () => {
  const { tenant, ana, ben, conversation } = await createPair();
  const owner = await createMember(tenant, "owner");
  await send(ana, tenant, conversation, { body: "between us" });
  for (const writes of [false, true]) {
    const as = await impersonate({ tenant }, owner, ben, { writes });
    const seen = await must<unknown[]>(as.client.from("tenants").select("id"));
    assertEquals(seen.length, 1);
    for (const table of ["conversations", "messages", "members", "inbox", "states"]) {
      assertEquals(await must(as.client.from(`messaging_${table}`).select()), [], table);
    }
    for (const topic of [`private-user-${ben.id}`, `presence-conversation-${conversation}`]) {
      await as.client.realtime.setAuth();
      const channel = as.client.channel(topic, { config: { private: true } });
      const status = await new Promise<string>((resolve) => channel.subscribe(resolve));
      assertEquals(status, "CHANNEL_ERROR");
      await as.client.removeAllChannels();
    }
    const denied = [403, "members.permission_denied"] as const;
    const call = { tenant_id: tenant.id, conversation_id: conversation };
    if (writes) {
      await assertRefused(as.client.rpc("messaging_send", draft(tenant, conversation)), ...denied);
    }
    await assertRefused(
      as.client.rpc("messaging_list", { tenant_id: tenant.id }, { get: true }),
      ...denied,
    );
    await assertRefused(as.client.rpc("messaging_page", call, { get: true }), ...denied);
  }
});

Deno.test("nobody but who is in it reads a conversation: no owner, no operator of the tenant", async () => {
  const { tenant, ana, conversation } = await createPair();
  const owner = await createMember(tenant, "owner");
  await send(ana, tenant, conversation);
  for (const table of ["conversations", "messages", "members", "receipts"]) {
    assertEquals(await must(owner.client.from(`messaging_${table}`).select()), [], table);
  }
});
