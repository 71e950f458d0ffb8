/** Where which bytes stand at the beginning of a recording, as browsers and telephones make them. */
const marks: [type: string, offset: number, bytes: string][] = [
  ["audio/ogg", 0, "OggS"],
  ["audio/webm", 0, "\x1a\x45\xdf\xa3"],
  ["audio/mp4", 4, "ftyp"],
  ["audio/wav", 8, "WAVE"],
  ["audio/mpeg", 0, "ID3"],
  ["audio/mpeg", 0, "\xff\xfb"],
  ["audio/mpeg", 0, "\xff\xf3"],
];

/** The kind of a recording by its bytes; undefined for anything else. Nothing in it is decoded. */
export function audioType(bytes: Uint8Array): string | undefined {
  const text = [...bytes.subarray(0, 12)].map((byte) => String.fromCharCode(byte)).join("");
  return marks.find(([, offset, mark]) => text.startsWith(mark, offset))?.[0];
}
