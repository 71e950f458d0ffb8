/** A mail ready to be sent. `link` and `code` stand in its text, too. */
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
