import { createHash } from "node:crypto";
import { join } from "../paths.ts";
import { refusal } from "./errors.ts";

/** What has arrived: its version names the file. */
export interface Received {
  version: string;
  size: number;
  eTag: string;
}

const versionForm = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/;

/**
 * The bytes of all objects, each in a file named by its version: no name that a client chose ever
 * becomes a path. Bytes come before their row and go after it, so whatever a crash leaves is a file
 * without a row, and `sweep` takes it away.
 */
export class Bytes {
  private constructor(readonly folder: string) {}

  static async open(folder: string): Promise<Bytes> {
    await Deno.mkdir(folder, { recursive: true, mode: 0o700 });
    return new Bytes(folder);
  }

  /** Writes a body of at most `limit` bytes; of a longer one, or one that breaks off, nothing stays. */
  async receive(body: ReadableStream<Uint8Array>, limit: number): Promise<Received> {
    const version = crypto.randomUUID();
    const hash = createHash("md5");
    let size = 0;
    try {
      using file = await Deno.open(await this.#place(version), {
        createNew: true,
        write: true,
        mode: 0o600,
      });
      for await (const chunk of body) {
        size += chunk.byteLength;
        if (size > limit) throw refusal.tooLarge();
        hash.update(chunk);
        await writeAll(file, chunk);
      }
      // The row that follows may be durable before the file is, unless we wait here.
      await file.sync();
    } catch (error) {
      await this.remove([version]);
      throw error;
    }
    return { version, size, eTag: `"${hash.digest("hex")}"` };
  }

  /** Copies a file; undefined when it is not there. */
  async copy(version: string): Promise<string | undefined> {
    const copy = crypto.randomUUID();
    try {
      await Deno.copyFile(this.#path(version), await this.#place(copy));
      return copy;
    } catch (error) {
      if (error instanceof Deno.errors.NotFound) return undefined;
      throw error;
    }
  }

  /** Opens `length` bytes from `start` on; undefined when the file is not there. */
  async read(
    version: string,
    start: number,
    length: number,
  ): Promise<ReadableStream<Uint8Array> | undefined> {
    try {
      const file = await Deno.open(this.#path(version), { read: true });
      await file.seek(start, Deno.SeekMode.Start);
      return partOf(file, length);
    } catch (error) {
      if (error instanceof Deno.errors.NotFound) return undefined;
      throw error;
    }
  }

  /** Removes files, those that are there; what stays for any reason is the next sweep's. */
  async remove(versions: string[]): Promise<void> {
    for (const version of versions.filter((version) => versionForm.test(version))) {
      await Deno.remove(this.#path(version)).catch(() => {});
    }
  }

  /** Removes files that no row names, as `stillKnown` tells of a list of versions. */
  async sweep(stillKnown: (versions: string[]) => Promise<Set<string>>): Promise<number> {
    let removed = 0;
    for await (const { name, isDirectory } of Deno.readDir(this.folder)) {
      if (!isDirectory) continue;
      const files = await Array.fromAsync(Deno.readDir(join(this.folder, name)));
      const versions = files.map((file) => file.name).filter((file) => versionForm.test(file));
      const known = await stillKnown(versions);
      const orphans = versions.filter((version) => !known.has(version));
      await this.remove(orphans);
      removed += orphans.length;
    }
    return removed;
  }

  #path(version: string): string {
    // A version is a column that an operator can write: here it must be what we made.
    if (!versionForm.test(version)) throw new Deno.errors.NotFound(version);
    return join(this.folder, version.slice(0, 2), version);
  }

  async #place(version: string): Promise<string> {
    await Deno.mkdir(join(this.folder, version.slice(0, 2)), { recursive: true, mode: 0o700 });
    return this.#path(version);
  }
}

async function writeAll(file: Deno.FsFile, chunk: Uint8Array): Promise<void> {
  for (let written = 0; written < chunk.byteLength;) {
    written += await file.write(chunk.subarray(written));
  }
}

function partOf(file: Deno.FsFile, length: number): ReadableStream<Uint8Array> {
  let left = length;
  return new ReadableStream({
    async pull(controller) {
      const buffer = new Uint8Array(Math.min(left, 65_536));
      const read = left > 0 ? await file.read(buffer) : null;
      if (read === null) {
        file.close();
        controller.close();
        return;
      }
      left -= read;
      controller.enqueue(buffer.subarray(0, read));
    },
    cancel() {
      file.close();
    },
  });
}
