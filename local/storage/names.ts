import { refusal } from "./errors.ts";

const keyCharacters = /^[\w/!\-.*'() &$@=;:+,?]+$/;
const bucketCharacters = /^[\w!\-.*'() &$@=;:+,?]{1,100}$/;

/** Refuses a name of an object that S3 would not take. */
export function requireKey(key: string): void {
  if (!keyCharacters.test(key)) throw refusal.badKey(key);
}

export function requireBucketName(name: unknown): asserts name is string {
  const fine = typeof name === "string" && bucketCharacters.test(name) && name.trim() === name;
  if (!fine) throw refusal.badBucketName();
}

const units: Record<string, number> = { b: 1, kb: 1e3, mb: 1e6, gb: 1e9 };

/** `20971520` or `"20mb"` as bytes: storage-api counts in thousands. */
export function sizeInBytes(value: unknown): number {
  if (typeof value === "number" && Number.isSafeInteger(value) && value >= 0) return value;
  const [, amount, unit] = /^(\d+(?:\.\d+)?)(gb|mb|kb|b)?$/i.exec(String(value)) ?? [];
  if (amount === undefined) throw refusal.badSizeLimit();
  return Math.floor(Number(amount) * units[unit?.toLowerCase() ?? "b"]!);
}

const essence = (type: string): string => type.split(";")[0]!.trim().toLowerCase();

/** Whether a content type is one of the allowed ones; `image/*` allows every image. */
export function isAllowedType(type: string, allowed: string[] | null): boolean {
  if (!/^[\w.+-]+\/[\w.+-]+$/.test(essence(type))) return false;
  if (!allowed?.length) return true;
  return allowed.map(essence).some((pattern) =>
    pattern === "*/*" || pattern === essence(type) ||
    (pattern.endsWith("/*") && essence(type).startsWith(pattern.slice(0, -1)))
  );
}
