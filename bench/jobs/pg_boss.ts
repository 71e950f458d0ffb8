import { PgBoss } from "pg-boss";
import { connect, type Contender } from "./contender.ts";

const queue = "bench";

/** A boss on one connection: the SQL is its own, and nothing of it runs in the background. */
async function boss(url: string) {
  const client = await connect(url);
  const boss = new PgBoss({
    db: { executeSql: (text: string, values?: unknown[]) => client.query(text, values) },
    supervise: false,
    schedule: false,
  });
  await boss.start();
  const close = async () => {
    await boss.stop({ graceful: false });
    await client.end();
  };
  return { boss, client, close };
}

export async function pgBoss(url: string): Promise<Contender> {
  const admin = await boss(url);
  return {
    name: "pg-boss",
    prepare: () => admin.boss.createQueue(queue),
    async fill(count) {
      await admin.client.query("truncate pgboss.job cascade");
      const jobs = Array.from({ length: 1_000 }, () => ({ data: { id: 1 } }));
      for (let made = 0; made < count; made += jobs.length) await admin.boss.insert(queue, jobs);
      await admin.client.query("vacuum analyze pgboss.job");
    },
    async connect() {
      const own = await boss(url);
      return {
        async enqueue() {
          await own.boss.send(queue, { id: 1 });
        },
        async drain(batch) {
          const jobs = await own.boss.fetch(queue, { batchSize: batch });
          if (jobs.length === 0) return 0;
          await own.boss.complete(queue, jobs.map(({ id }) => id));
          return jobs.length;
        },
        close: own.close,
      };
    },
    close: admin.close,
  };
}
