import { deepStrictEqual as assertEquals, ok } from "node:assert/strict";
import { withDatabase } from "../support/database.ts";
import { fillMessaging } from "../support/messaging.ts";
import { createMember, createTenant } from "../support/tenants.ts";
import { modules } from "./allowed.ts";
import { sample } from "./samples.ts";

interface List {
  rpc: string;
  names: string[];
  /** Of the arguments that a call cannot leave out. */
  types: string[];
}

Deno.test("Z4: no list gives more than a hundred lines, or none", async () => {
  const lists = await withDatabase((sql) =>
    sql<List[]>`
      select p.proname as rpc, p.proargnames as names, array(
        select format_type(t, null) from unnest(p.proargtypes) with ordinality a(t, o)
        where o <= p.pronargs - p.pronargdefaults order by o
      ) as types
      from pg_proc p
      -- For operators, who get a hundred whatever they ask for.
      where p.proname <> 'jobs_dead_letters' and p.pronamespace = 'public'::regnamespace and 'page_size' = any (p.proargnames)
        and has_function_privilege('authenticated', p.oid, 'execute') order by 1`
  );
  ok(lists.length > 5, `${lists.length}`);
  const tenant = await createTenant({ modules });
  const owner = await createMember(tenant, "owner");
  const member = await createMember(tenant);
  const conversation_id = await fillMessaging(tenant, owner, member);
  const known: Record<string, unknown> = {
    tenant_id: tenant.id,
    person: member.id,
    conversation_id,
  };
  const broken: string[] = [];
  for (const { rpc, names, types } of lists) {
    for (const page_size of [0, 101]) {
      const required = types.map((type, at) => [names[at]!, known[names[at]!] ?? sample[type]]);
      const { error } = await owner.client.rpc(rpc, {
        ...Object.fromEntries(required),
        page_size,
      });
      if (error?.code !== "PT422" || !error.details?.includes("page_size")) {
        broken.push(`${rpc}, ${page_size}: ${error?.code} ${error?.message} ${error?.details}`);
      }
    }
  }
  assertEquals(broken, []);
});
