import rrule from "rrule";

export interface Occurrences {
  /** Local times without a zone, as `YYYY-MM-DDTHH:MM:SS`. */
  starts: string[];
  /** Between which times these are all. */
  since: string;
  upto: string;
  /** Whether the rule gives nothing after that either. */
  finished: boolean;
}

/**
 * What a rule of RFC 5545 gives from `since`, its start unless told, to the end of the window, on the
 * clocks of the event: the library counts in a time without zones, and the database says which
 * instants those are. The start is the first occurrence, whether the rule gives it or not, and counts
 * as one. No rule gives more than one a day, so that the window bounds how many there are.
 */
export function expand(
  rule: string,
  startsLocal: string,
  upto: string,
  since = startsLocal,
): Occurrences {
  const options = rrule.RRule.parseString(rule);
  const [start, from, end] = [asUtc(startsLocal), asUtc(since), asUtc(upto)];
  const wanted = new rrule.RRule({ ...options, dtstart: start });
  // What is counted is counted from the start, however long ago that is.
  const found = wanted.between(options.count ? start : from, end, true);
  const early = options.count || from <= start;
  if (early && found[0]?.getTime() !== start.getTime()) found.unshift(start);
  const counted = options.count ? found.slice(0, options.count) : found;
  return {
    starts: counted.filter((at) => at >= from).map(asLocal),
    since: asLocal(from),
    upto: asLocal(end),
    finished: options.count
      ? counted.length === options.count
      : Boolean(options.until) && wanted.after(end) === null,
  };
}

const asUtc = (local: string) => new Date(`${local.replace(" ", "T").slice(0, 19)}Z`);
const asLocal = (date: Date) => date.toISOString().slice(0, 19);
