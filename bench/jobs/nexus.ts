import { connect, type Contender } from "./contender.ts";

/** `private.enqueue`, `jobs_claim` and `jobs_complete`, as the worker function calls them. */
export async function nexus(url: string): Promise<Contender> {
  const admin = await connect(url);
  return {
    name: "nexus",
    // With a worker to call, or the wake-up would be free of charge.
    async prepare() {
      await admin.query(`
        select vault.create_secret(value, name)
        from (values ('functions_url', 'http://127.0.0.1:9'), ('worker_secret', 'bench')) s (name, value)
        where not exists (select from vault.secrets v where v.name = s.name)`);
    },
    async fill(count) {
      await admin.query("truncate private.jobs");
      await admin.query(
        "select private.enqueue('bench.job', '{\"id\": 1}') from generate_series(1, $1)",
        [
          count,
        ],
      );
      await admin.query("vacuum analyze private.jobs");
    },
    async connect() {
      const client = await connect(url);
      const worker = crypto.randomUUID();
      return {
        async enqueue() {
          await client.query({
            name: "enqueue",
            text: "select private.enqueue($1, $2)",
            values: ["bench.job", '{"id": 1}'],
          });
        },
        async drain(batch) {
          const { rows } = await client.query<{ tenant_id: string; id: string }>({
            name: "claim",
            text: "select * from public.jobs_claim($1, $2, $3)",
            values: [worker, ["bench.job"], batch],
          });
          if (rows.length === 0) return 0;
          const done = await client.query<{ count: number }>({
            name: "complete",
            text: "select public.jobs_complete($1, $2, $3) as count",
            values: [worker, rows.map((row) => row.tenant_id), rows.map((row) => row.id)],
          });
          return done.rows[0]!.count;
        },
        close: () => client.end(),
      };
    },
    close: () => admin.end(),
  };
}
