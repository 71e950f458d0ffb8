import { join } from "../paths.ts";
import type { Mail } from "./mail.ts";

/** A mail that was caught. */
export interface CaughtMail extends Mail {
  /** Sorts by the time of arrival. */
  id: string;
  created_at: string;
}

/** Caught mails, a JSON file each: they outlive a restart, and a person can read them. */
export class MailStore {
  #last = "";

  constructor(private readonly folder: string) {}

  async add(mail: Mail): Promise<void> {
    await Deno.mkdir(this.folder, { recursive: true });
    const id = this.#nextId();
    const caught: CaughtMail = { id, created_at: new Date().toISOString(), ...mail };
    const path = join(this.folder, `${id}.json`);
    // Renamed into place, so that nobody reads half a mail.
    await Deno.writeTextFile(`${path}.part`, JSON.stringify(caught, null, 2), { mode: 0o600 });
    await Deno.rename(`${path}.part`, path);
  }

  /** The newest first; those to one address when it is given. */
  async list(to?: string): Promise<CaughtMail[]> {
    const ids = (await this.#ids()).sort().reverse();
    const mails = (await Promise.all(ids.map((id) => this.get(id)))).filter((mail) =>
      mail !== undefined
    );
    return to === undefined ? mails : mails.filter((mail) => mail.to === to.toLowerCase());
  }

  async get(id: string): Promise<CaughtMail | undefined> {
    if (!/^[\w-]+$/.test(id)) return undefined;
    try {
      return JSON.parse(await Deno.readTextFile(join(this.folder, `${id}.json`)));
    } catch (error) {
      if (error instanceof Deno.errors.NotFound) return undefined;
      throw error;
    }
  }

  async clear(): Promise<void> {
    for (const id of await this.#ids()) await Deno.remove(join(this.folder, `${id}.json`));
  }

  async #ids(): Promise<string[]> {
    const ids: string[] = [];
    try {
      for await (const { name } of Deno.readDir(this.folder)) {
        if (name.endsWith(".json")) ids.push(name.slice(0, -".json".length));
      }
    } catch (error) {
      if (!(error instanceof Deno.errors.NotFound)) throw error;
    }
    return ids;
  }

  /** Milliseconds, then a count within them. */
  #nextId(): string {
    const time = String(Date.now());
    const count = this.#last.startsWith(time) ? Number(this.#last.slice(time.length + 1)) + 1 : 0;
    this.#last = `${time}-${String(count).padStart(4, "0")}`;
    return this.#last;
  }
}
