import { deepStrictEqual as assertEquals } from "node:assert/strict";
import { withDatabase } from "../support/database.ts";
import { must } from "../support/answers.ts";
import { act } from "../support/exchanges.ts";
import { fillFeed } from "../support/feed.ts";
import { fillNewsletters } from "../support/newsletters.ts";
import { fillMessaging } from "../support/messaging.ts";
import { createMember, createTenant } from "../support/tenants.ts";
import { modules } from "./allowed.ts";
import { sample } from "./samples.ts";

interface Argument {
  rpc: string;
  names: string[];
  types: string[];
  missing: string;
}

Deno.test("whichever argument of an RPC is null, it answers or refuses by a code of its own", async () => {
  const rows = await withDatabase((sql) =>
    sql<Argument[]>`
      select p.proname as rpc, missing, p.proargnames as names, array(
        select format_type(t, null) from unnest(p.proargtypes) with ordinality a(t, o) order by o
      ) as types
      from pg_proc p, unnest(p.proargnames) as missing
      where p.pronamespace = 'public'::regnamespace and p.proowner = 'postgres'::regrole
        and has_function_privilege('authenticated', p.oid, 'execute') order by 1, 2`
  );
  const tenant = await createTenant({ modules });
  const owner = await createMember(tenant, "owner");
  const member = await createMember(tenant);
  const { client } = owner;
  const conversation_id = await fillMessaging(tenant, owner, member);
  const post_id = await fillFeed(tenant, owner, member);
  const newsletter_id = await fillNewsletters(tenant, owner, member);
  const [message] = await must<{ id: string }[]>(client.from("messaging_messages").select("id"));
  const { id: exchange_id } = await must<{ id: string }>(
    act(tenant, owner, "request", { person: member.id, minutes: 15 }),
  );
  // What has to be there, so that a call gets beyond looking for it.
  const known: Record<string, unknown> = {
    tenant_id: tenant.id,
    person: member.id,
    to_person: member.id,
    role: "member",
    currency: "hours",
    conversation_id,
    exchange_id,
    post_id,
    newsletter_id,
    message_id: message!.id,
  };
  const broken: string[] = [];
  for (const { rpc, names, types, missing } of rows) {
    const given = names.map((name, at) => [
      name,
      name === missing ? null : known[name] ?? sample[types[at]!],
    ]);
    const { error } = await client.rpc(rpc, Object.fromEntries(given));
    if (error && !error.code.startsWith("PT")) {
      broken.push(`${rpc}, ${missing} null: ${error.code} ${error.message}`);
    }
  }
  assertEquals(broken, []);
});
