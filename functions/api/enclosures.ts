import type { Database } from "shared/database/client.ts";
import { createStore } from "shared/files/store.ts";
import { lookAt } from "shared/files/upload.ts";
import type { Services } from "shared/services.ts";

/** A paper that comes with a registration. */
export interface Paper {
  type: string;
  name: string;
  bytes: Uint8Array<ArrayBuffer>;
}

/** What whoever registers says stands in their papers. */
export type Stated = { name?: string; birth_date?: string } | null;

/**
 * Keeps papers apart until the registration they come with is made. It does not ask whose: so it takes
 * as long for an address that is known. What no registration names goes after an hour.
 */
export async function enclose(
  { services, asService }: { services: Services; asService: Database },
  tenantId: string,
  papers: Paper[],
  stated: Stated,
): Promise<string[]> {
  // All of them are looked at before any is kept.
  const seen = papers.map((paper) => ({ ...paper, seen: lookAt(paper, "documents") }));
  const store = createStore(services.config);
  const kept: string[] = [];
  for (const { type, bytes, seen: { image: _, ...announced } } of seen) {
    const { id, path } = await asService.rpc<{ id: string; path: string }>("documents_enclose", {
      tenant_id: tenantId,
      type,
      stated,
      ...announced,
    });
    await store.put("documents", path, bytes, announced.content_type);
    kept.push(id);
  }
  return kept;
}
