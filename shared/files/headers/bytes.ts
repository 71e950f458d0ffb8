import { ProblemError } from "../../errors/problem.ts";

/** Reads numbers and names from bytes; whatever lies beyond their end means that the file breaks off. */
export class Reader {
  readonly #view: DataView;

  constructor(readonly bytes: Uint8Array) {
    this.#view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  }

  get length(): number {
    return this.bytes.byteLength;
  }

  u8(at: number): number {
    this.need(at, 1);
    return this.#view.getUint8(at);
  }

  u16(at: number, littleEndian = false): number {
    this.need(at, 2);
    return this.#view.getUint16(at, littleEndian);
  }

  u32(at: number, littleEndian = false): number {
    this.need(at, 4);
    return this.#view.getUint32(at, littleEndian);
  }

  u24le(at: number): number {
    this.need(at, 3);
    return this.u8(at) | this.u8(at + 1) << 8 | this.u8(at + 2) << 16;
  }

  text(at: number, length: number): string {
    this.need(at, length);
    return String.fromCharCode(...this.bytes.subarray(at, at + length));
  }

  /** Fails unless `count` bytes are there. */
  need(at: number, count: number): void {
    if (at + count > this.length) throw damaged("It breaks off.");
  }
}

export const startsWith = (bytes: Uint8Array, ...start: number[]): boolean =>
  start.every((byte, index) => bytes[index] === byte);

export const damaged = (detail: string): ProblemError =>
  new ProblemError("files.damaged", { detail });
