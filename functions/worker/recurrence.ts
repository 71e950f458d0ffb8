import rrule from "rrule";

export interface Occurrences {
  /** Local times without a zone, as `YYYY-MM-DDTHH:MM:SS`. */
  starts: string[];
  /** Up to when these are all. */
  upto: string;
  /** Whether the rule gives nothing after that either. */
  finished: boolean;
}

/** More than a day's occurrence for a year; what is beyond comes with the next window. */
const most = 500;

/**
 * What a rule of RFC 5545 gives from its start to the end of the window, on the clocks of the event:
 * the library counts in a time without zones, and the database says which instants those are. The
 * start is the first occurrence, whether the rule gives it or not, and counts as one.
 */
export function expand(rule: string, startsLocal: string, upto: string): Occurrences {
  const options = rrule.RRule.parseString(rule);
  const start = asUtc(startsLocal);
  const end = asUtc(upto);
  const wanted = new rrule.RRule({ ...options, dtstart: start });
  const found = start > end
    ? []
    : wanted.between(start, end, true, (_, count) => count < most + 1) as Date[];
  if (found[0]?.getTime() !== start.getTime()) found.unshift(start);
  const counted = options.count ? found.slice(0, options.count) : found;
  const full = counted.length > most;
  const starts = counted.slice(0, most);
  const ends = options.count || options.until;
  const last = full ? starts.at(-1)! : end;
  return {
    starts: starts.map(asLocal),
    upto: asLocal(last),
    finished: !full && Boolean(ends) &&
      (counted.length === options.count || wanted.after(end) === null),
  };
}

const asUtc = (local: string) => new Date(`${local.replace(" ", "T").slice(0, 19)}Z`);
const asLocal = (date: Date) => date.toISOString().slice(0, 19);
