import { deepStrictEqual as assertEquals } from "node:assert/strict";
import fc from "fast-check";
import type { Person } from "../support/clients.ts";
import { connect } from "../support/database.ts";
import { createMember, type Tenant } from "../support/tenants.ts";
import {
  block,
  createGroup,
  createTalkingTenant,
  markRead,
  open,
  page,
  send,
  unread,
} from "./support.ts";

interface World {
  tenant: Tenant;
  people: Person[];
  conversations: string[];
}

/** What the sums have to be, counted from the messages themselves. */
async function counted(sql: ReturnType<typeof connect>, tenant: Tenant, person: Person) {
  const rows = await sql<{ id: string; kept: number; counted: number }[]>`
    select c.id, (c.last_seq - s.read_seq - s.skipped)::int as kept, (
      select count(*)::int from messaging_messages m
      where m.tenant_id = c.tenant_id and m.conversation_id = c.id and m.seq > s.read_seq
        and m.sender_id <> s.person_id and not exists (
          select from messaging_blocks b where b.person_id = s.person_id and b.blocked_id = m.sender_id
        ) and not exists (
          select from messaging_hidden h where h.person_id = s.person_id and h.message_id = m.id
        )
    ) as counted
    from messaging_states s
    join messaging_conversations c on c.tenant_id = s.tenant_id and c.id = s.conversation_id
    where s.tenant_id = ${tenant.id} and s.person_id = ${person.id}`;
  for (const row of rows) assertEquals(row.kept, row.counted, `${person.id} in ${row.id}`);
  return rows.reduce((sum, row) => sum + row.counted, 0);
}

type Act = (world: World) => Promise<unknown>;

const who = fc.nat(2);
const where = fc.nat(1);
const acts: fc.Arbitrary<Act> = fc.oneof(
  {
    weight: 5,
    arbitrary: fc.tuple(who, where).map(([me, at]): Act => ({ tenant, people, conversations }) =>
      send(people[me]!, tenant, conversations[at]!).catch(() => undefined)
    ),
  },
  {
    weight: 3,
    arbitrary: fc.tuple(who, where, fc.integer({ min: 0, max: 12 })).map(
      ([me, at, seq]): Act => ({ tenant, people, conversations }) =>
        markRead(people[me]!, tenant, conversations[at]!, seq).catch(() => undefined),
    ),
  },
  {
    weight: 2,
    arbitrary: fc.tuple(who, who, fc.boolean()).map(
      ([me, other, on]): Act => ({ tenant, people }) =>
        me === other ? Promise.resolve() : block(people[me]!, tenant, people[other]!, on),
    ),
  },
  {
    weight: 2,
    arbitrary: fc.tuple(who, where, fc.nat(3)).map(
      ([me, at, back]): Act => async ({ tenant, people, conversations }) => {
        const shown = await page(people[me]!, tenant, conversations[at]!).catch(() => []);
        const message_id = shown[back]?.id;
        if (!message_id) return;
        await people[me]!.client.rpc("messaging_delete", { tenant_id: tenant.id, message_id });
      },
    ),
  },
  {
    weight: 1,
    arbitrary: who.map((me): Act => async ({ tenant, people, conversations }) => {
      const [owner] = people;
      const call = {
        tenant_id: tenant.id,
        conversation_id: conversations[0],
        person: people[me]!.id,
      };
      if (me === 0) return;
      const { error } = await owner!.client.rpc("messaging_remove", call);
      if (error) await owner!.client.rpc("messaging_add", call);
    }),
  },
);

Deno.test("whatever happens, also at once, the sums are what the messages add up to", async () => {
  const sql = connect();
  try {
    await fc.assert(
      fc.asyncProperty(
        fc.array(acts, { minLength: 8, maxLength: 24 }),
        fc.boolean(),
        async (history, atOnce) => {
          const tenant = await createTalkingTenant();
          const people = await Promise.all(Array.from({ length: 3 }, () => createMember(tenant)));
          const [ana, ben] = people as [Person, Person];
          const conversations = [
            await createGroup(tenant, ...(people as [Person])),
            await open(ana, tenant, ben),
          ];
          const world = { tenant, people, conversations };
          if (atOnce) await Promise.all(history.map((act) => act(world)));
          else for (const act of history) await act(world);
          for (const person of people) {
            assertEquals((await unread(person, tenant)).unread, await counted(sql, tenant, person));
          }
        },
      ),
      { numRuns: 8 },
    );
  } finally {
    await sql.end({ timeout: 5 });
  }
});

Deno.test("sums of somebody who reads while many write are right in the end", async () => {
  const tenant = await createTalkingTenant();
  const people = await Promise.all(Array.from({ length: 4 }, () => createMember(tenant)));
  const [reader, ...writers] = people as [Person, Person];
  const group = await createGroup(tenant, reader, ...writers);
  await Promise.all([
    ...writers.flatMap((writer) => Array.from({ length: 10 }, () => send(writer, tenant, group))),
    ...Array.from({ length: 10 }, (_, n) => markRead(reader, tenant, group, 3 * n)),
  ]);
  const sql = connect();
  try {
    assertEquals((await unread(reader, tenant)).unread, await counted(sql, tenant, reader));
    const [row] = await sql`select last_seq from messaging_conversations where id = ${group}`;
    assertEquals(Number(row!.last_seq), 31);
    assertEquals((await markRead(reader, tenant, group, 31)).unread_total, 0);
  } finally {
    await sql.end({ timeout: 5 });
  }
});
