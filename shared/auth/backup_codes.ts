import { Buffer } from "node:buffer";
import { argon2id } from "hash-wasm";

/** Crockford's base 32: nothing in it looks like something else. 32 divides 256, so no code is likelier. */
const alphabet = "0123456789ABCDEFGHJKMNPQRSTVWXYZ";

/** Ten letters of five bits: 50 bits. */
const letters = 10;
const codesPerSet = 10;

export interface HashCost {
  /** KiB. */
  memory: number;
  passes: number;
}

/** How the codes of a set were hashed. */
export interface Salting {
  salt: string;
  memory_kib: number;
  passes: number;
}

export interface BackupSet extends Salting {
  digests: string[];
}

/** Ten codes for a person to write down, and what is kept of them. */
export async function createBackupCodes({ memory, passes }: HashCost) {
  const codes = new Set<string>();
  while (codes.size < codesPerSet) codes.add(randomCode());
  const salt = Buffer.from(crypto.getRandomValues(new Uint8Array(16))).toString("hex");
  const set: BackupSet = { salt, memory_kib: memory, passes, digests: [] };
  // One after the other: side by side they would need ten times the memory.
  for (const code of codes) set.digests.push(await hashBackupCode(code, set));
  return { codes: [...codes], set };
}

function randomCode(): string {
  const drawn = crypto.getRandomValues(new Uint8Array(letters));
  const text = Array.from(drawn, (byte) => alphabet[byte % alphabet.length]).join("");
  return `${text.slice(0, letters / 2)}-${text.slice(letters / 2)}`;
}

/** The code as it is hashed: however it was typed, and whatever was read for a letter like it. */
export const normaliseBackupCode = (code: string): string =>
  code.toUpperCase().replaceAll(/[^0-9A-Z]/g, "").replaceAll("O", "0").replaceAll(/[IL]/g, "1");

export async function hashBackupCode(
  code: string,
  { salt, memory_kib, passes }: Salting,
): Promise<string> {
  return await argon2id({
    password: normaliseBackupCode(code),
    salt: Buffer.from(salt, "hex"),
    memorySize: memory_kib,
    iterations: passes,
    parallelism: 1,
    hashLength: 32,
    outputType: "hex",
  });
}
