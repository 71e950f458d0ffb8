/** What one member tells about itself, with the reference clients tell versions apart by. */
export type Meta = Record<string, unknown> & { phx_ref: string; phx_ref_prev?: string };

/** Metas by presence key: several members may share a key. */
export type Group = Record<string, { metas: Meta[] }>;

export interface Diff {
  joins: Group;
  leaves: Group;
}

/** Who is present in one room; a member is present under one key. */
export class Presence<Member> {
  readonly #entries = new Map<Member, { key: string; meta: Meta }>();

  /** A second track replaces the first: the old meta leaves as the new one joins. */
  track(member: Member, key: string, payload: Record<string, unknown>): Diff {
    const previous = this.#entries.get(member);
    const meta: Meta = { ...payload, phx_ref: crypto.randomUUID() };
    if (previous) meta.phx_ref_prev = previous.meta.phx_ref;
    this.#entries.set(member, { key, meta });
    return { joins: group([{ key, meta }]), leaves: group(previous ? [previous] : []) };
  }

  /** Undefined when the member was not present. */
  untrack(member: Member): Diff | undefined {
    const entry = this.#entries.get(member);
    if (!entry) return undefined;
    this.#entries.delete(member);
    return { joins: {}, leaves: group([entry]) };
  }

  state(): Group {
    return group(this.#entries.values());
  }
}

function group(entries: Iterable<{ key: string; meta: Meta }>): Group {
  const metas = new Map<string, { metas: Meta[] }>();
  for (const { key, meta } of entries) {
    const found = metas.get(key);
    if (found) found.metas.push(meta);
    else metas.set(key, { metas: [meta] });
  }
  // Keys are the clients' choice: fromEntries keeps even `__proto__` an ordinary key.
  return Object.fromEntries(metas);
}
