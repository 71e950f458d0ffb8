import type { Sql } from "postgres";
import { say } from "../../local/terminal.ts";

const kinds = ["listings", "posts", "entries"] as const;
const step = 50_000;
const filled = { members: 100, things: 0 };

/** Adds rows until there are that many listings, posts and entries, and a tenth as many members. */
export async function fill(sql: Sql, things: number): Promise<void> {
  const members = Math.max(filled.members, things / 10);
  await asRows(sql, (tx) => tx`select bench.add_members(1, ${members})`);
  for (const kind of kinds) {
    for (let first = filled.things + 1; first <= things; first += step) {
      const last = Math.min(first + step - 1, things);
      await asRows(
        sql,
        (tx) => tx`select ${tx(`bench.add_${kind}`)}(${first}, ${last}, ${members})`,
      );
    }
    say(`${things} ${kind}`);
  }
  await asRows(sql, (tx) => tx`select bench.score(${members})`);
  Object.assign(filled, { members, things });
  await sql`vacuum analyze`;
  await sql`checkpoint`;
}

/** Without triggers: what they would have written is written beside. */
async function asRows(sql: Sql, work: (tx: Sql) => Promise<unknown>): Promise<void> {
  await sql.begin(async (tx) => {
    await tx`set local session_replication_role = replica`;
    await work(tx as unknown as Sql);
  });
}
