import { connect, type Contender } from "./contender.ts";

/** `private.enqueue` and `jobs_claim`, which also says what is done, as the worker function calls them. */
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
      let done: { tenant_id: string; id: string }[] = [];
      return {
        async enqueue() {
          await client.query({
            name: "enqueue",
            text: "select private.enqueue($1, $2)",
            values: ["bench.job", '{"id": 1}'],
          });
        },
        // As the worker does: the next claim says what is done of the last one.
        async drain(batch) {
          const { rows } = await client.query<{ tenant_id: string; id: string }>({
            name: "claim",
            text: "select * from public.jobs_claim($1, $2, $3, $4, $5)",
            values: [
              worker,
              ["bench.job"],
              batch,
              done.map((row) => row.tenant_id),
              done.map((row) => row.id),
            ],
          });
          done = rows;
          return rows.length;
        },
        close: () => client.end(),
      };
    },
    close: () => admin.end(),
  };
}
