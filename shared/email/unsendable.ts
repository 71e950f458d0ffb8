/** A mail that no further try will send: its template, its data or its receiver is wrong. */
export class UnsendableMail extends Error {
  override name = "UnsendableMail";
}
