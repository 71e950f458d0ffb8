import { must } from "./answers.ts";
import type { Person } from "./clients.ts";
import { attachFile } from "./groups.ts";
import { createMember, type Tenant } from "./tenants.ts";

interface Stored {
  id: string;
  seq: number;
}

/** A conversation of two with a row in every table of messaging and moderation, for both of them. */
export async function fillMessaging(tenant: Tenant, owner: Person, member: Person) {
  const tenant_id = tenant.id;
  const call = <T = Stored>({ client }: Person, name: string, more: Record<string, unknown>) =>
    must<T>(client.rpc(name, { tenant_id, ...more }));
  const { id: conversation_id } = await call(owner, "messaging_open", { person: member.id });
  const stranger = await createMember(tenant);
  const at = new Date(Date.now() + 3600_000).toISOString();
  for (const me of [owner, member]) {
    const say = (body: string, more = {}) =>
      call(me, "messaging_send", { conversation_id, client_id: body, body, ...more });
    const file = await attachFile(me, tenant_id);
    const said = await say("said", { files: [file] });
    await call(me, "messaging_edit", { message_id: said.id, body: "said better" });
    const hidden = await say("hidden");
    await call(me, "messaging_delete", { message_id: hidden.id });
    await call(me, "messaging_set_preferences", { presence: "tenant" });
    await call(me, "messaging_block", { person: stranger.id, blocked: true });
    await call(me, "messaging_remind", { message_id: said.id, at });
    const other = me === owner ? member : owner;
    await call(other, "messaging_mark_read", { conversation_id, seq: hidden.seq });
    const report = { kind: "messaging.message", subject: said.id, reason: "spam" };
    const { case_id } = await call<{ case_id: string }>(other, "moderation_report", report);
    if (me === member) await call(owner, "moderation_decide", { case_id, action: "warn" });
  }
  return conversation_id;
}
