import { createStore } from "shared/files/store.ts";
import { lookAt } from "shared/files/upload.ts";
import type { AccountDoors } from "./accounts.ts";

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
 * as long for an address that is known. What no registration names goes after an hour. Where strangers
 * have used up what the tenant takes from them, the papers are left out and the registration goes on.
 */
export async function enclose(
  { services, asService, client }: AccountDoors,
  tenantId: string,
  papers: Paper[],
  stated: Stated,
): Promise<string[]> {
  // All of them are looked at before any is kept.
  const seen = papers.map((paper) => ({ ...paper, seen: lookAt(paper, "documents") }));
  const store = createStore(services.config);
  const kept: string[] = [];
  for (const { type, bytes, seen: { image: _, ...announced } } of seen) {
    const place = await asService.rpc<{ id: string; path: string } | null>("documents_enclose", {
      tenant_id: tenantId,
      client,
      type,
      stated,
      ...announced,
    });
    if (place === null) break;
    await store.put("documents", place.path, bytes, announced.content_type);
    kept.push(place.id);
  }
  return kept;
}
