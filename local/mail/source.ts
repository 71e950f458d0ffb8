import { Buffer } from "node:buffer";
import type { CaughtMail } from "./mail.ts";

/** The mail as it would travel: headers and a multipart/alternative body, after RFC 5322 and MIME. */
export function sourceOf(mail: CaughtMail): string {
  const boundary = `nexus-${mail.id}`;
  const headers: [string, string][] = [
    ["Date", new Date(mail.created_at).toUTCString().replace("GMT", "+0000")],
    ["From", encodeAddress(mail.from)],
    ["To", mail.to.map(encodeAddress).join(", ")],
    ["Cc", mail.cc.map(encodeAddress).join(", ")],
    ["Reply-To", mail.reply_to.map(encodeAddress).join(", ")],
    ["Subject", encodeWords(mail.subject)],
    ["Message-ID", `<${mail.id}@nexus.local>`],
    ...Object.entries(mail.headers),
    ["MIME-Version", "1.0"],
    ["Content-Type", `multipart/alternative; boundary="${boundary}"`],
  ];
  const parts = [["text/plain", mail.text], ["text/html", mail.html]]
    .filter(([, body]) => body)
    .map(([type, body]) =>
      `--${boundary}\r\nContent-Type: ${type}; charset=utf-8\r\n` +
      `Content-Transfer-Encoding: base64\r\n\r\n${base64Lines(body!)}\r\n`
    );
  const head = headers.filter(([, value]) => value !== "")
    .map(([name, value]) => `${name}: ${value.replace(/[\r\n]+/g, " ")}\r\n`);
  return `${head.join("")}\r\n${parts.join("")}--${boundary}--\r\n`;
}

const base64 = (text: string) => Buffer.from(text, "utf8").toString("base64");

const base64Lines = (text: string) => base64(text).replace(/.{76}(?=.)/g, "$&\r\n");

/** RFC 2047 for what is not ASCII, cut so that no word is longer than it may be. */
function encodeWords(text: string): string {
  if (/^[\x20-\x7e]*$/.test(text)) return text;
  const words: string[] = [];
  let word = "";
  for (const character of text) {
    if (Buffer.byteLength(word + character) > 45) {
      words.push(word);
      word = "";
    }
    word += character;
  }
  return [...words, word].map((part) => `=?utf-8?B?${base64(part)}?=`).join(" ");
}

/** Only the display name may be anything but ASCII. */
function encodeAddress(address: string): string {
  const [, name, mailbox] = /^"?(.*?)"?\s*<([^<>]+)>$/.exec(address) ?? [];
  if (mailbox === undefined || /^[\x20-\x7e]*$/.test(address)) return address;
  return `${encodeWords(name!)} <${mailbox}>`;
}
