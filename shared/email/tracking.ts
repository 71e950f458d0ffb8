import type { Config } from "../config.ts";

/** What the database gives along with a mail that is counted. */
export interface Tracking {
  /** Signed: which mail of which document it is. */
  token: string;
  /** Where links of the document lead; a click names a place in this list. */
  links: string[];
  /** Its reader lets it be noted that they opened it. */
  opens: boolean;
}

/** Leads links by way of ours, so that clicks are counted. */
export interface Tracker {
  follow(link: string): string;
  /** The picture that tells of opening; undefined where the reader did not consent. */
  open?: string | undefined;
}

/** Of a mail that is not counted: its links are as they were written. */
export const untracked: Tracker = { follow: (link) => link };

/** The tracker of one mail. A link that is not on the list stays as it is. */
export function trackerOf({ publicUrl }: Config, { token, links, opens }: Tracking): Tracker {
  const base = `${publicUrl}/functions/v1/api/v1/newsletters`;
  const signed = `token=${encodeURIComponent(token)}`;
  return {
    follow(link) {
      const place = links.indexOf(link);
      return place < 0 ? link : `${base}/click?${signed}&link=${place}`;
    },
    open: opens ? `${base}/open?${signed}` : undefined,
  };
}
