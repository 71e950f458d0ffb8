import { UnsendableMail } from "./unsendable.ts";

/** Everything that ends a line of a header, or hides in one. */
const control = /[\p{Cc}\p{Zl}\p{Zp}]+/gu;

const longestSubject = 200;
const longestName = 80;
const longestAddress = 254;

/** The text without line breaks and what hides in text. */
export const oneLine = (text: string): string => text.replace(control, " ").trim();

/** A subject on one line, whatever names stand in it. */
export const subjectLine = (text: string): string => oneLine(text).slice(0, longestSubject);

/** One address and nothing else: no list, no name, no second line. */
export function oneAddress(text: string): string {
  if (text.length > longestAddress || !/^[^\s<>@,;:"()[\]\\]+@[^\s<>@,;:"()[\]\\]+$/u.test(text)) {
    throw new UnsendableMail("not an address");
  }
  return text;
}

/** `Name <address>`, the name without anything that means something in a header. */
export function mailboxOf(name: string, address: string): string {
  const plain = oneLine(name).replaceAll(/[<>@"\\,;:()[\]]/g, " ")
    .replaceAll(/ +/g, " ").trim().slice(0, longestName).trim();
  return plain === "" ? address : `${plain} <${address}>`;
}
