import type { SupabaseClient } from "@supabase/supabase-js";
import assert from "node:assert/strict";
import type postgres from "postgres";
import { admin, createPerson, type Person } from "../../support/clients.ts";
import { withDatabase } from "../../support/database.ts";
import { getStack } from "../../support/stack.ts";

/** A private bucket in which each person may do everything in the folder named by their id. */
export interface Yard {
  bucket: string;
  ana: Person;
  ben: Person;
  /** The bucket as a client of theirs sees it. */
  of(client: SupabaseClient): ReturnType<SupabaseClient["storage"]["from"]>;
}

const clauses = { select: "using", insert: "with check", update: "using", delete: "using" };

/** Two who drop policies of one table at once can wait for each other for ever, unless both lock it first. */
async function changePolicies(sql: postgres.Sql, statement: (entry: [string, string]) => string) {
  await sql.begin(async (tx) => {
    await tx`lock table storage.objects in access exclusive mode`;
    for (const entry of Object.entries(clauses)) await tx.unsafe(statement(entry));
  });
}

/** Runs a test with a bucket and policies of its own, and takes both away again. */
export async function withYard(
  test: (yard: Yard) => Promise<void>,
  options: Parameters<SupabaseClient["storage"]["createBucket"]>[1] = { public: false },
): Promise<void> {
  const bucket = `yard-${crypto.randomUUID()}`;
  const { error } = await admin().storage.createBucket(bucket, options);
  assert.equal(error, null);
  try {
    await withDatabase(async (sql) => {
      const mine = `bucket_id = '${bucket}' and (storage.foldername(name))[1] = auth.uid()::text`;
      await changePolicies(
        sql,
        ([command, clause]) =>
          `create policy "${bucket} ${command}" on storage.objects for ${command} to authenticated ${clause} (${mine})`,
      );
      try {
        const [ana, ben] = await Promise.all([createPerson(), createPerson()]);
        await test({ bucket, ana, ben, of: (client) => client.storage.from(bucket) });
      } finally {
        await changePolicies(
          sql,
          ([command]) => `drop policy "${bucket} ${command}" on storage.objects`,
        );
      }
    });
  } finally {
    await admin().storage.emptyBucket(bucket);
    await admin().storage.deleteBucket(bucket);
  }
}

/** Asserts that storage refuses with this code and this status in the body. */
export function assertRefused(
  answer: { data: unknown; error: Error | null },
  statusCode: string,
  code: string,
): void {
  const { error } = answer;
  assert.ok(error, `allowed: ${JSON.stringify(answer.data)}`);
  const refusal = error as Error & { statusCode?: string; code?: string };
  assert.deepEqual([refusal.statusCode, refusal.code], [statusCode, code], error.message);
}

/** The data of an answer that must be none of a refusal. */
export async function must<T>(
  call: PromiseLike<{ data: T; error: Error | null }>,
): Promise<NonNullable<T>> {
  const { data, error } = await call;
  if (error) throw error;
  return data!;
}

/** A request past storage-js, as the caller of the client. */
export async function call(
  path: string,
  client: SupabaseClient,
  init: RequestInit = {},
): Promise<Response> {
  const { data } = await client.auth.getSession();
  const headers = new Headers(init.headers);
  if (data.session) headers.set("authorization", `Bearer ${data.session.access_token}`);
  return await fetch(`${getStack().url}/storage/v1${path}`, { ...init, headers });
}
