/** A mail that no further try will send: its template, its data or its receiver is wrong. */
export class UnsendableMail extends Error {
  override name = "UnsendableMail";
}

/** A provider surely did not take the mail, so that another one may be asked. */
export class NotTaken extends Error {
  override name = "NotTaken";
}

/** Nobody knows whether the provider took the mail: it is to be asked again, and nobody else. */
export class UnknownOutcome extends Error {
  override name = "UnknownOutcome";

  constructor(readonly provider: string, cause: unknown) {
    super(`${provider} may have taken the mail`, { cause });
  }
}
