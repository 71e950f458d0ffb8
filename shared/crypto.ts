import { Buffer } from "node:buffer";
import { ProblemError } from "./errors/problem.ts";
import type { Secret } from "./secret.ts";

/** Keys by name, the one that encrypts first. */
export type Keys = readonly { readonly name: string; readonly key: Secret }[];

const pack = (bytes: Uint8Array) => Buffer.from(bytes).toString("base64url");
const unpack = (text: string) => new Uint8Array(Buffer.from(text, "base64url"));
const bytesOf = (text: string) => new TextEncoder().encode(text);

/**
 * Encrypts short secrets for the database (AES-256-GCM), so that what it stores, copies and backs up
 * opens for nobody without the functions' keys. A text is bound to what it is about: moved to
 * another row it does not open.
 */
export class KeyRing {
  readonly #keys: Map<string, Secret>;
  /** The name of the key that encrypts. */
  readonly current: string;

  constructor(keys: Keys) {
    if (!keys[0]) throw new Error("a key ring holds at least one key");
    this.#keys = new Map(keys.map(({ name, key }) => [name, key]));
    this.current = keys[0].name;
  }

  /** `v1.<key>.<nonce>.<ciphertext>` of the bytes; `about` is wanted again to decrypt. */
  async encrypt(bytes: Uint8Array<ArrayBuffer>, about: string): Promise<string> {
    const nonce = crypto.getRandomValues(new Uint8Array(12));
    const sealed = await crypto.subtle.encrypt(
      { name: "AES-GCM", iv: nonce, additionalData: bytesOf(about) },
      await this.#key(this.current),
      bytes,
    );
    return ["v1", this.current, pack(nonce), pack(new Uint8Array(sealed))].join(".");
  }

  /** The bytes again. Fails for a text that was changed or moved, or whose key is gone. */
  async decrypt(text: string, about: string): Promise<Uint8Array<ArrayBuffer>> {
    const [version, name = "", nonce = "", sealed = ""] = text.split(".");
    if (version !== "v1") throw new Error(`unknown form of ciphertext: ${version}`);
    const opened = await crypto.subtle.decrypt(
      { name: "AES-GCM", iv: unpack(nonce), additionalData: bytesOf(about) },
      await this.#key(name),
      unpack(sealed),
    );
    return new Uint8Array(opened);
  }

  /** Whether the text is encrypted with another key than the one that encrypts now. */
  isStale(text: string): boolean {
    return text.split(".")[1] !== this.current;
  }

  /** The names of the keys that only decrypt any more. */
  get older(): string[] {
    return [...this.#keys.keys()].slice(1);
  }

  async #key(name: string): Promise<CryptoKey> {
    const key = this.#keys.get(name);
    if (!key) throw new ProblemError("unavailable", { cause: new Error(`no key named ${name}`) });
    const bytes = new Uint8Array(Buffer.from(key.reveal(), "base64"));
    return await crypto.subtle.importKey("raw", bytes, "AES-GCM", false, ["encrypt", "decrypt"]);
  }
}
