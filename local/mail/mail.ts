/** A mail of Auth's own, ready to be sent. `link` and `code` stand in its text, too. */
export interface Mail {
  to: string;
  subject: string;
  /** What it is about. */
  action: string;
  text: string;
  html: string;
  link?: string;
  code?: string;
}

/** Hands a mail to whatever sends it. */
export type Deliver = (mail: Mail) => Promise<void>;

/** A name and a value that a sender gave the mail, to find it by. */
export interface Tag {
  name: string;
  value: string;
}

/** A mail as a provider takes it. */
export interface OutgoingMail {
  from: string;
  to: string[];
  cc: string[];
  bcc: string[];
  reply_to: string[];
  subject: string;
  text: string;
  html: string;
  headers: Record<string, string>;
  tags: Tag[];
}

/** A mail that was caught. */
export interface CaughtMail extends OutgoingMail {
  /** Sorts by the time of arrival. */
  id: string;
  created_at: string;
}
