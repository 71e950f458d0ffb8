import { createClient, type SupabaseClient } from "@supabase/supabase-js";
import assert from "node:assert/strict";
import postgres from "postgres";
import { type Site, withSite } from "../start/fixture.ts";

const bucket = "crash";

async function reach(site: Site): Promise<{ client: SupabaseClient; databaseUrl: string }> {
  const { stdout } = await site.run("status.ts");
  const read = (name: string) => new RegExp(`^${name}=(.*)$`, "m").exec(stdout)![1]!;
  const client = createClient(read("SUPABASE_URL"), read("SUPABASE_SECRET_KEY"), {
    auth: { persistSession: false, autoRefreshToken: false },
  });
  return { client, databaseUrl: read("SUPABASE_DB_URL") };
}

/** Uploads over a few names from many hands, until the stack is gone; tells when it is under way. */
async function uploadUntilGone({ storage }: SupabaseClient, underWay: () => void): Promise<void> {
  let gone = false;
  let kept = 0;
  await Promise.all(Array.from({ length: 6 }, async (_, hand) => {
    for (let round = 0; !gone; round++) {
      const content = new Uint8Array(100_000 + round).fill(round);
      const { error } = await storage.from(bucket)
        .upload(`${hand}/${round % 5}`, content, { upsert: true, contentType: "a/b" });
      if (error) gone = true;
      else if (++kept === 60) underWay();
    }
  }));
}

async function filesIn(folder: string): Promise<Map<string, number>> {
  const found = new Map<string, number>();
  for await (const { name, isDirectory } of Deno.readDir(folder)) {
    const path = `${folder}/${name}`;
    if (!isDirectory) found.set(name, (await Deno.stat(path)).size);
    else for (const [file, size] of await filesIn(path)) found.set(file, size);
  }
  return found;
}

async function versionsIn(databaseUrl: string): Promise<Map<string, number>> {
  const sql = postgres(databaseUrl, { max: 1 });
  try {
    const rows = await sql<{ version: string; size: number }[]>`
      select version, (metadata ->> 'size')::int as size from storage.objects`;
    return new Map(rows.map(({ version, size }) => [version, size]));
  } finally {
    await sql.end({ timeout: 5 });
  }
}

Deno.test("after a crash amid uploads, each object has its bytes, and no bytes are left over", async () => {
  await withSite(async (site) => {
    const first = await site.startReady();
    const { client } = await reach(site);
    assert.equal((await client.storage.createBucket(bucket)).error, null);
    await uploadUntilGone(client, () => first.signal("SIGKILL"));
    await first.finished;

    await site.startReady();
    const { databaseUrl } = await reach(site);
    const versions = await versionsIn(databaseUrl);
    assert.ok(versions.size > 20);
    assert.deepEqual(
      new Map([...await filesIn(`${site.home}/storage`)].sort()),
      new Map([...versions].sort()),
    );
  });
});
