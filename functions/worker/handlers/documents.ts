import type { Database } from "shared/database/client.ts";
import { ProblemError } from "shared/errors/problem.ts";
import { createStore, type Store } from "shared/files/store.ts";
import { takeUpload } from "shared/files/upload.ts";
import { describeError } from "shared/log.ts";
import type { Handler } from "../handlers.ts";

interface Enclosed {
  path: string;
  name: string;
  wanted: boolean;
}

/** Hands in a scan that came with a registration, as its person would have. */
async function handIn(
  { asService, store }: { asService: Database; store: Store },
  row: { tenant_id: string; enclosure: unknown },
  { path, name }: Enclosed,
): Promise<void> {
  const bytes = await store.get("documents", path);
  if (!bytes) return;
  await takeUpload({ asCaller: asService, asService, store }, { name, bytes }, {
    bucket: "documents",
    begin: (announced) => asService.rpc("documents_begin_enclosed", { ...row, ...announced }),
    finish: (file) => asService.rpc("documents_keep", file),
  });
}

/** Some refusals no further try mends: the person handed in another, or has gone. */
const isFinal = (error: unknown): boolean =>
  error instanceof ProblemError && error.status < 500 && error.status !== 429;

/** Hands in an enclosed scan where its registration was proved, and removes it from where it lay. */
const enclosed: Handler = async ({ tenant_id, payload }, { config, database, log }) => {
  const asService = database.asService();
  const store = createStore(config);
  const row = { tenant_id, enclosure: payload.enclosure };
  const found = await asService.rpc<Enclosed | null>("documents_enclosed", row);
  if (!found) return;
  if (found.wanted) {
    try {
      await handIn({ asService, store }, row, found);
    } catch (error) {
      if (!isFinal(error)) throw error;
      log("warn", "an enclosed document was not handed in", { ...row, ...describeError(error) });
    }
  }
  await store.remove("documents", [found.path]);
  await asService.rpc("documents_enclosure_gone", row);
};

/** On the morning of a working day: what has waited for too long is told to those who check. */
const remindReviewers: Handler = async ({ id, tenant_id }, { database }) => {
  await database.asService().rpc("documents_remind_reviewers", { tenant_id, job: id });
};

export const documentsHandlers: Record<string, Handler> = {
  "documents.enclosed": enclosed,
  "documents.remind_reviewers": remindReviewers,
};
