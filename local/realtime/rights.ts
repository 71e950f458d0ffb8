import type { Authorization, Subject } from "./authorization.ts";
import { Refusal } from "./refusal.ts";
import type { Extension } from "./rooms.ts";

/** What one channel may do with one token: asked of the policies when first needed, then kept. */
export class Rights {
  readonly #readable = new Map<Extension, boolean>();
  readonly #writable = new Map<Extension, boolean>();

  /** Without an `authorization` everything is allowed: the channel is public. */
  constructor(readonly subject: Subject, readonly authorization: Authorization | undefined) {}

  /** Asks for the extensions not asked for before; throws when the topic stays closed altogether. */
  async askToRead(extensions: Extension[]): Promise<void> {
    const unknown = extensions.filter((extension) => !this.#readable.has(extension));
    if (!this.authorization || unknown.length === 0) return;
    const allowed = await this.authorization.read(this.subject, unknown).catch((error) => {
      throw error instanceof Refusal && error.code === "RlsPolicyError" ? this.denied() : error;
    });
    for (const extension of unknown) this.#readable.set(extension, allowed.has(extension));
    if (![...this.#readable.values()].includes(true)) throw this.denied();
  }

  /** False as long as nobody asked. */
  reads(extension: Extension): boolean {
    return !this.authorization || this.#readable.get(extension) === true;
  }

  async writes(extension: Extension): Promise<boolean> {
    if (!this.authorization) return true;
    let allowed = this.#writable.get(extension);
    if (allowed === undefined) {
      allowed = await this.authorization.write(this.subject, extension);
      this.#writable.set(extension, allowed);
    }
    return allowed;
  }

  /** True where `previous` could read something that these cannot. */
  readsLessThan(previous: Rights): boolean {
    return [...this.#readable.keys()]
      .some((extension) => previous.reads(extension) && !this.reads(extension));
  }

  denied(): Refusal {
    const { topic } = this.subject;
    return new Refusal(
      "Unauthorized",
      `You do not have permissions to read from this Channel topic: ${topic}`,
    );
  }
}
