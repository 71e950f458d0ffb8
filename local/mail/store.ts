import { join } from "../paths.ts";
import type { CaughtMail, OutgoingMail } from "./mail.ts";

const isId = (text: string) => /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/.test(text);

/** Caught mails, a JSON file each: they outlive a restart, and a person can read them. */
export class MailStore {
  #lastTime = 0;
  #count = 0;

  constructor(private readonly folder: string) {}

  async add(mail: OutgoingMail): Promise<CaughtMail> {
    await Deno.mkdir(this.folder, { recursive: true });
    const id = this.#nextId();
    const caught = { id, created_at: new Date().toISOString(), ...mail };
    const path = this.#pathOf(id);
    // Renamed into place, so that nobody reads half a mail.
    await Deno.writeTextFile(`${path}.part`, JSON.stringify(caught, null, 2), { mode: 0o600 });
    await Deno.rename(`${path}.part`, path);
    return caught;
  }

  /** The newest first; those to one address when it is given. */
  async list(to?: string): Promise<CaughtMail[]> {
    const ids = (await this.#ids()).sort().reverse();
    const mails = (await Promise.all(ids.map((id) => this.get(id)))).filter((mail) =>
      mail !== undefined
    );
    const address = to?.toLowerCase();
    return address === undefined
      ? mails
      : mails.filter((mail) => receivers(mail).some((receiver) => receiver.includes(address)));
  }

  async get(id: string): Promise<CaughtMail | undefined> {
    if (!isId(id)) return undefined;
    try {
      return JSON.parse(await Deno.readTextFile(this.#pathOf(id)));
    } catch (error) {
      if (error instanceof Deno.errors.NotFound) return undefined;
      throw error;
    }
  }

  /** Answers whether it was there. */
  async remove(id: string): Promise<boolean> {
    if (!isId(id)) return false;
    try {
      await Deno.remove(this.#pathOf(id));
      return true;
    } catch (error) {
      if (error instanceof Deno.errors.NotFound) return false;
      throw error;
    }
  }

  async clear(): Promise<void> {
    for (const id of await this.#ids()) await this.remove(id);
  }

  #pathOf(id: string): string {
    return join(this.folder, `${id}.json`);
  }

  async #ids(): Promise<string[]> {
    const ids: string[] = [];
    try {
      for await (const { name } of Deno.readDir(this.folder)) {
        const id = name.replace(/\.json$/, "");
        if (isId(id)) ids.push(id);
      }
    } catch (error) {
      if (!(error instanceof Deno.errors.NotFound)) throw error;
    }
    return ids;
  }

  /** A UUID version 7 whose first random bits count within the millisecond. */
  #nextId(): string {
    const time = Math.max(Date.now(), this.#lastTime);
    this.#count = time === this.#lastTime ? this.#count + 1 : 0;
    this.#lastTime = time;
    const hex = time.toString(16).padStart(12, "0");
    const count = (0x7000 + this.#count % 0x1000).toString(16);
    return `${hex.slice(0, 8)}-${hex.slice(8)}-${count}-${crypto.randomUUID().slice(19)}`;
  }
}

const receivers = ({ to, cc, bcc }: CaughtMail): string[] =>
  [...to, ...cc, ...bcc].map((address) => address.toLowerCase());
