import { deepStrictEqual as assertEquals } from "node:assert/strict";
// @ts-types="@types/pg"
import { Client } from "pg";
import { partition } from "../../../local/realtime/messages.ts";
import { databaseUrl } from "./support.ts";

Deno.test("there is a partition for today and the days ahead, and none older than 72 hours", async () => {
  const client = new Client({ connectionString: databaseUrl("supabase_admin") });
  await client.connect();
  const partitions = async () => {
    const { rows } = await client.query<{ name: string; owner: string }>(
      `select relname as name, pg_get_userbyid(relowner) as owner from pg_inherits
       join pg_class on oid = inhrelid where inhparent = 'realtime.messages'::regclass order by 1`,
    );
    return rows;
  };
  // Seen from the last hour of a year; nobody else sees it.
  const now = Date.parse("2030-12-30T23:00:00Z");
  try {
    await client.query("begin");
    await client.query(
      `create table realtime.messages_2030_12_26 partition of realtime.messages
         for values from ('2030-12-26') to ('2030-12-27');
       create table realtime.messages_2030_12_27 partition of realtime.messages
         for values from ('2030-12-27') to ('2030-12-28');
       create table realtime.messages_of_the_users_own partition of realtime.messages
         for values from ('2000-01-01') to ('2001-01-01')`,
    );
    await partition(client, now);
    await partition(client, now);
    assertEquals((await partitions()).map(({ name }) => name), [
      "messages_2030_12_27",
      "messages_2030_12_30",
      "messages_2030_12_31",
      "messages_2031_01_01",
      "messages_2031_01_02",
      "messages_of_the_users_own",
    ]);
    const [, today] = await partitions();
    assertEquals(today!.owner, "supabase_realtime_admin");
  } finally {
    await client.query("rollback");
    await client.end();
  }
});
